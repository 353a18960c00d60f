"""Requester: whom upstream requests are counted for, and in which threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from kordless_booking.exceptions import TooMany
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.rate_limiter import ADDRESS_LIMIT, RESERVED, Priority, Quota, RateLimiter
from kordless_booking.upstream.requester import Requester, current_requester, requested_by, with_same_requester
from kordless_booking.upstream.worker import in_background
from tests.support.controlled_cache import HandTime, SharedMemory


def requester(name: str = "address", max_fetches: int = 15) -> Requester:
    """Return the requester of a new page."""
    return Requester(lambda: name, max_fetches)


def limiter_at(time: HandTime, memory: SharedMemory, quota: Quota | None = None) -> RateLimiter:
    """Return the rate limiter of a process, on a site where somebody is about to book: no permit is lent."""
    limiter = RateLimiter(FallbackCache(memory, time.clock), account="key", clock=time.clock, quota=quota)
    limiter.mark_draft_open()
    return limiter


def outcome(limiter: RateLimiter, operation: str = "availability") -> str:
    """Acquire a permit as the gate does. Return "" or the reason of the refusal."""
    try:
        limiter.acquire(operation, limiter._cache.get_many(limiter.keys()))
    except TooMany as error:
        return error.reason if 1 <= (error.retry_after or 0) <= 61 else "absurd wait"
    return ""


def refresh(limiter: RateLimiter) -> str:
    """Acquire a permit as a background refresh does. Return "" or the reason of the refusal."""
    token = in_background.set(True)
    try:
        return outcome(limiter)
    finally:
        in_background.reset(token)


def test_a_thread_that_fetches_for_a_page_has_its_requester_and_another_has_none() -> None:
    """Background work is nobody's."""
    with ThreadPoolExecutor(1) as pool, requested_by(requester()) as page:
        assert current_requester() is page
        assert pool.submit(with_same_requester(current_requester)).result() is page
        assert pool.submit(current_requester).result() is None
    assert current_requester() is None


def test_the_address_is_hashed_only_when_something_is_fetched() -> None:
    """A page from the cache doesn't pay for it."""
    hashed: list[str] = []

    def identify() -> str:
        hashed.append("once")
        return "id"

    page = Requester(identify, 15)
    assert hashed == []
    assert (page.id, page.id, hashed) == ("id", "id", ["once"])


def test_an_address_is_refused_past_its_fetches_and_again_allowed_a_minute_later() -> None:
    """The refusal is the address's own: another one gets a permit, and nothing says that the quota is short."""
    time = HandTime()
    memory = SharedMemory(time.clock)
    limiter = limiter_at(time, memory)
    for number in range(20):
        with requested_by(requester("greedy")):
            assert outcome(limiter) == ("" if number < 15 else ADDRESS_LIMIT)
    with requested_by(requester("honest")):
        assert outcome(limiter) == ""
    assert refresh(limiter) == ""
    time.pass_(61)
    with requested_by(requester("greedy")):
        assert outcome(limiter) == ""


def test_fetches_of_one_page_do_not_make_each_other_a_second_visit() -> None:
    """A newcomer's whole page may use the permits that are kept for newcomers."""
    time = HandTime()
    limiter = limiter_at(time, SharedMemory(time.clock), Quota(60, 10))
    for number in range(3):
        for _ in range(15):
            with requested_by(requester(f"greedy-{number}")):
                outcome(limiter)
    with requested_by(requester("greedy-0", 16)):
        assert outcome(limiter) == RESERVED
    with requested_by(requester("new")):
        assert [outcome(limiter) for _ in range(4)] == [""] * 4
    with requested_by(requester("new")):
        assert outcome(limiter) == RESERVED


def test_when_the_newcomers_permits_are_taken_too_the_quota_refuses_everybody() -> None:
    """Only that is a shortage."""
    time = HandTime()
    limiter = limiter_at(time, SharedMemory(time.clock))
    reasons = []
    for number in range(51):
        with requested_by(requester(f"new-{number}")):
            reasons.append(outcome(limiter))
    assert reasons == [""] * 50 + ["quota"]
    with requested_by(requester("new-0")):
        assert outcome(limiter) == "quota"


def test_no_limit_and_no_known_address_count_nothing() -> None:
    """Only the quota itself limits then."""
    time = HandTime()
    for page in (Requester(lambda: "address", 0), Requester(lambda: None, 15)):
        limiter = limiter_at(time, SharedMemory(time.clock))
        with requested_by(page):
            assert [outcome(limiter) for _ in range(51)] == [""] * 50 + ["quota"]


def test_bookings_are_not_counted_as_fetches() -> None:
    """A visitor who has looked at much can still book."""
    time = HandTime()
    limiter = limiter_at(time, SharedMemory(time.clock))
    for _ in range(16):
        with requested_by(requester()):
            outcome(limiter)
    with requested_by(requester()):
        assert (outcome(limiter), outcome(limiter, "create")) == (ADDRESS_LIMIT, "")


def test_every_quota_leaves_returning_addresses_a_permit_and_no_more_than_newcomers() -> None:
    """Also the smallest that the settings allow."""
    for requests in range(3, 200):
        quota = Quota(requests, 1)
        assert 1 <= len(quota.returning_permits()) <= len(quota.permits(Priority.BROWSE))


def test_refreshes_yield_for_a_minute_after_the_quota_has_refused_a_visitor() -> None:
    """Permits that become free are for visitors first."""
    time = HandTime()
    limiter = limiter_at(time, SharedMemory(time.clock))
    for number in range(51):
        with requested_by(requester(f"new-{number}")):
            refused = outcome(limiter)
        time.pass_(1)
    assert refused == "quota"
    time.pass_(57)
    assert [refresh(limiter), outcome(limiter)] == ["yields", ""]
    time.pass_(3)
    assert refresh(limiter) == ""


def test_a_refused_refresh_or_booking_makes_no_refresh_yield() -> None:
    """Only visitors who wait for a page count: else refreshes would keep each other away."""
    time = HandTime()
    limiter = limiter_at(time, SharedMemory(time.clock))
    assert [refresh(limiter) for _ in range(31)] == [""] * 30 + ["quota"]
    assert [outcome(limiter, "create") for _ in range(11)] == [""] * 10 + ["quota"]
    assert limiter._exhausted not in limiter._cache.get_many(limiter.keys())


def test_the_owner_of_a_network_has_no_new_address_for_each_permit_of_newcomers() -> None:
    """An IPv6 /48 has 65,536 households' addresses: eight fetches in, none of them is a newcomer anymore."""
    time = HandTime()
    limiter = limiter_at(time, SharedMemory(time.clock), Quota(60, 10))

    def of_network(number: int) -> Requester:
        return Requester(lambda: f"address-{number}", 15, lambda: "network")

    outcomes = []
    for number in range(60):
        with requested_by(of_network(number)):
            outcomes.append(outcome(limiter))
    # The first eight may take a permit of the newcomers' third each.
    assert len(Quota().returning_permits()) <= outcomes.count("") <= len(Quota().returning_permits()) + 8
    assert set(outcomes) == {"", RESERVED}
    with requested_by(requester("honest")):
        assert outcome(limiter) == ""
