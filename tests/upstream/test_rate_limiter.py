"""Rate limiter: never more than the quota in any minute, creations reserved, Kordless's headers believed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.api.responses import ResponseMeta, parse_response_meta
from kordless_booking.clock import Clock
from kordless_booking.exceptions import TooMany
from kordless_booking.upstream import rate_limiter
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.rate_limiter import (
    MAX_CALL_SECONDS,
    PERMIT_SECONDS,
    BrowsePermits,
    Permit,
    Priority,
    Quota,
    RateLimiter,
)
from kordless_booking.upstream.worker import in_background
from tests.support.controlled_cache import HandTime, SharedMemory

KEYED = ["organization", "service", "availability", "create"]
OPERATIONS = [*KEYED, "lookup", "cancel", "reschedule"]


class RateLimiterScenario:
    """Processes with clocks of their own around one cache."""

    def __init__(self) -> None:
        self.time = HandTime()
        self.memory = SharedMemory(self.time.clock)

    def process(
        self,
        *,
        quota: Quota | None = None,
        processes: int = 1,
        ahead: float = 0.0,
        shared: bool = True,
        account: str = "key",
        ledger: str = "",
    ) -> RateLimiter:
        clock = Clock(now=lambda: self.time.wall + ahead, monotonic=lambda: self.time.steady)
        cache = FallbackCache(self.memory if shared else None, clock)
        self.cache = cache
        return RateLimiter(cache, account=account, clock=clock, quota=quota, processes=processes, ledger=ledger)

    def contact_process(self, *, processes: int = 1, shared: bool = True, account: str = "key") -> RateLimiter:
        """Return the limiter of the operations without a key, as the gate builds it."""
        quota = Quota().without_creations()
        return self.process(quota=quota, processes=processes, shared=shared, account=account, ledger="contact")


@pytest.fixture
def scenario() -> RateLimiterScenario:
    """Return new processes around an empty cache."""
    return RateLimiterScenario()


def acquire(limiter: RateLimiter, operation: str = "availability") -> Permit:
    """Look and claim, as the gate does."""
    return limiter.acquire(operation, limiter._cache.get_many(limiter.keys()))


def call(limiter: RateLimiter, operation: str = "availability", answer: ResponseMeta | None = None) -> None:
    """One call that is answered at once."""
    limiter.release(acquire(limiter, operation), operation, answer or ResponseMeta(200))


def calls_until_refused(limiter: RateLimiter, operation: str) -> tuple[int, TooMany]:
    """Return how many calls go through in a row, and the error of the next one."""
    for number in range(100):
        try:
            call(limiter, operation)
        except TooMany as refused:
            return number, refused
    raise AssertionError("never refused")


@pytest.mark.parametrize(
    ("operation", "most"),
    [("organization", 50), ("service", 50), ("availability", 50), ("create", 10)],
)
def test_each_kind_of_call_has_its_share(scenario: RateLimiterScenario, operation: str, most: int) -> None:
    """Of sixty, while somebody is about to book: browsing up to 50, ten creations."""
    scenario.process().mark_draft_open()
    number, refused = calls_until_refused(scenario.process(), operation)
    assert number == most
    assert (refused.operation, refused.reason, refused.retry_after) == (operation, "quota", 61)


def test_a_refresh_that_nobody_waits_for_gets_least(scenario: RateLimiterScenario) -> None:
    """Two thirds of what browsing gets, so a visitor who waits is never outdone by a refresh."""
    limiter = scenario.process()
    token = in_background.set(True)
    try:
        assert calls_until_refused(limiter, "availability")[0] == 30
    finally:
        in_background.reset(token)
    assert calls_until_refused(limiter, "availability")[0] == 28


def test_while_a_draft_is_open_browsing_leaves_all_creations(scenario: RateLimiterScenario) -> None:
    """After a storm of readers ten people can still book, and the total is the quota."""
    storm, booking = scenario.process(), scenario.process()
    booking.mark_draft_open()
    reads = calls_until_refused(storm, "availability")[0]
    assert (reads, calls_until_refused(booking, "create")[0]) == (50, 10)


def test_while_no_draft_is_open_browsing_borrows_all_but_two_creations(scenario: RateLimiterScenario) -> None:
    """Nobody is about to book: 58 reads, and the two who come nevertheless are sent at once."""
    storm, booking = scenario.process(), scenario.process()
    assert calls_until_refused(storm, "availability")[0] == 58
    assert calls_until_refused(booking, "create")[0] == 2
    scenario.time.pass_(61)
    assert calls_until_refused(booking, "create")[0] == 10
    assert calls_until_refused(storm, "availability")[0] == 50


def test_a_form_that_is_opened_ends_the_lending_in_every_process(scenario: RateLimiterScenario) -> None:
    """From then on nothing more is lent, for five minutes; what is lent already comes back within the minute."""
    storm, form = scenario.process(), scenario.process()
    for _ in range(53):
        call(storm)
    form.mark_draft_open()
    with pytest.raises(TooMany):
        call(storm)
    assert calls_until_refused(form, "create")[0] == 7
    scenario.time.pass_(301)
    assert calls_until_refused(storm, "availability")[0] == 58


def test_refreshes_borrow_nothing(scenario: RateLimiterScenario) -> None:
    """Nobody waits for them."""
    limiter = scenario.process()
    token = in_background.set(True)
    try:
        assert calls_until_refused(limiter, "availability")[0] == 30
    finally:
        in_background.reset(token)


def test_creations_use_what_may_be_lent_first(scenario: RateLimiterScenario) -> None:
    """Eight bookings leave nothing to lend, and two permits for the next ones."""
    limiter = scenario.process()
    for _ in range(8):
        call(limiter, "create")
    scenario.memory.delete_many([limiter._draft_open])
    assert calls_until_refused(limiter, "availability")[0] == 50
    limiter._mark_again_at = 0
    assert calls_until_refused(limiter, "create")[0] == 2


def test_a_creation_counts_as_an_open_draft(scenario: RateLimiterScenario) -> None:
    """Of a form that was open for longer than five minutes: others may follow it."""
    limiter = scenario.process()
    call(limiter, "create")
    assert calls_until_refused(limiter, "availability")[0] == 50


def test_an_open_draft_is_marked_once_in_some_seconds(scenario: RateLimiterScenario) -> None:
    """However many forms a process shows, and again when it has to be."""
    limiter = scenario.process()
    before = scenario.memory.trips
    for _ in range(100):
        limiter.mark_draft_open()
    assert scenario.memory.trips == before + 1
    scenario.time.pass_(5)
    limiter.mark_draft_open()
    assert scenario.memory.trips == before + 2


def test_usage_counts_what_was_lent_as_requests(scenario: RateLimiterScenario) -> None:
    """Whether a lent permit is in use or was released."""
    limiter = scenario.process()
    for _ in range(53):
        call(limiter)
    acquire(limiter)
    usage = limiter.usage(limiter._cache.get_many(limiter.keys()))
    assert (usage.requests, usage.of_requests) == (54, 54)
    assert (usage.creations, usage.of_creations) == (0, 6)


@pytest.mark.parametrize(("requests", "creations"), [(r, c) for r in range(3, 61) for c in (1, 2, 3, 10) if c <= r - 2])
def test_at_least_two_creations_are_never_lent(requests: int, creations: int) -> None:
    """In every quota; all of them where there are no more than two."""
    quota = Quota(requests, creations)
    assert creations - len(quota.lendable()) == min(2, creations)
    assert set(quota.lendable()) <= set(quota.permits(Priority.CREATE))


@pytest.mark.parametrize("operation", ["lookup", "cancel", "reschedule"])
def test_contact_operations_have_a_ledger_of_their_own(scenario: RateLimiterScenario, operation: str) -> None:
    """They carry no key: as many as the key's requests, all of them at once, and none of the key's."""
    keyed, contact = scenario.process(), scenario.contact_process()
    assert calls_until_refused(contact, operation)[0] == 60
    keyed.mark_draft_open()
    assert calls_until_refused(keyed, "availability")[0] == 50
    assert calls_until_refused(keyed, "create")[0] == 10


@pytest.mark.parametrize("answer", [ResponseMeta(429, retry_after=40), ResponseMeta(200, limit=30, remaining=0)])
def test_what_kordless_says_of_one_ledger_says_nothing_of_the_other(
    scenario: RateLimiterScenario, answer: ResponseMeta
) -> None:
    """A 429 or a low remainder of a lookup stops lookups alone, and one of a read stops no lookup."""
    for limited, operation, other, another in [
        (scenario.contact_process(), "lookup", scenario.process(), "availability"),
        (scenario.process(account="b"), "availability", scenario.contact_process(account="b"), "lookup"),
    ]:
        call(limited, operation, answer)
        with pytest.raises(TooMany):
            call(limited, operation)
        call(other, another)


def test_all_processes_share_one_quota_for_each_key(scenario: RateLimiterScenario) -> None:
    """Four processes get no more than one; another key has another quota."""
    limiters = [scenario.process() for _ in range(4)]
    limiters[0].mark_draft_open()
    for number in range(50):
        call(limiters[number % 4])
    for limiter in limiters:
        with pytest.raises(TooMany):
            call(limiter)
    call(scenario.process(account="another"))


def test_a_permit_stays_taken_until_a_minute_after_the_answer(scenario: RateLimiterScenario) -> None:
    """A permit counts from the answer, because Kordless may have counted the request as late as that."""
    limiter = scenario.process(quota=Quota(2, 1))
    permit = acquire(limiter)
    scenario.time.pass_(4)
    limiter.release(permit, "availability", ResponseMeta(200))
    scenario.time.pass_(60)
    with pytest.raises(TooMany) as refused:
        acquire(limiter)
    assert refused.value.retry_after == 1
    scenario.time.pass_(1)
    acquire(limiter)


def test_the_permit_of_a_crashed_caller_expires(scenario: RateLimiterScenario) -> None:
    """It never reported; a minute after the longest call the permit is free."""
    limiter = scenario.process(quota=Quota(2, 1))
    acquire(limiter)
    scenario.time.pass_(90)
    with pytest.raises(TooMany):
        acquire(limiter)
    scenario.time.pass_(1)
    acquire(limiter)


def test_retry_after_is_when_the_first_permit_is_free(scenario: RateLimiterScenario) -> None:
    """An honest number of seconds: at that moment one call goes."""
    limiter = scenario.process()
    call(limiter)
    scenario.time.pass_(20)
    for _ in range(57):
        call(limiter)
    with pytest.raises(TooMany) as refused:
        call(limiter)
    assert refused.value.retry_after == 41
    scenario.time.pass_(40)
    with pytest.raises(TooMany):
        call(limiter)
    scenario.time.pass_(1)
    call(limiter)


@pytest.mark.parametrize("ahead", [-7200.0, 7200.0])
def test_retry_after_stays_sane_when_clocks_disagree(scenario: RateLimiterScenario, ahead: float) -> None:
    """Another process's clock is two hours off: from 1 to 61 seconds all the same."""
    calls_until_refused(scenario.process(), "availability")
    with pytest.raises(TooMany) as refused:
        call(scenario.process(ahead=ahead))
    assert 1 <= (refused.value.retry_after or 0) <= 61


@pytest.mark.parametrize("wait", [1, 20, 120])
def test_too_many_stops_every_process_for_the_time_named(scenario: RateLimiterScenario, wait: int) -> None:
    """A 429 seen by one is heeded by all, and lapses by itself."""
    first, second = scenario.process(), scenario.process()
    call(first, answer=ResponseMeta(429, limit=60, remaining=0, retry_after=wait))
    for operation in KEYED:
        with pytest.raises(TooMany) as refused:
            call(second, operation)
        assert (refused.value.reason, refused.value.retry_after) == ("blocked", wait)
    scenario.time.pass_(wait)
    call(second)


@pytest.mark.parametrize("wait", [None, 100_000])
def test_an_absent_or_absurd_wait_is_bounded(scenario: RateLimiterScenario, wait: int | None) -> None:
    """No header can block the widget for longer than two minutes."""
    limiter = scenario.process()
    call(limiter, answer=ResponseMeta(429, retry_after=wait))
    scenario.time.pass_(29)
    with pytest.raises(TooMany):
        call(limiter)
    scenario.time.pass_(92)
    call(limiter)


def test_too_many_creations_leave_browsing_alone(scenario: RateLimiterScenario) -> None:
    """By the limit in its headers, only the smaller quota is used up; times can still be read."""
    limiter = scenario.process()
    call(limiter, "create", ResponseMeta(429, limit=10, remaining=0, retry_after=20))
    call(limiter)
    with pytest.raises(TooMany):
        call(limiter, "create")


def test_too_many_of_all_met_by_a_creation_stops_browsing_too(scenario: RateLimiterScenario) -> None:
    """A creation may be the one that learns that the sixty are used up."""
    limiter = scenario.process()
    call(limiter, "create", ResponseMeta(429, limit=60, remaining=0, retry_after=20))
    with pytest.raises(TooMany):
        call(limiter)


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_a_stepped_clock_blocks_nothing_for_ever(scenario: RateLimiterScenario, step: float) -> None:
    """The cache's own expiry counts, whatever the wall clock says."""
    limiter = scenario.process()
    call(limiter, answer=ResponseMeta(429, retry_after=20))
    scenario.time.step(step)
    with pytest.raises(TooMany) as refused:
        call(limiter)
    assert 1 <= (refused.value.retry_after or 0) <= 120
    scenario.time.pass_(20)
    call(limiter)


def test_when_less_remains_than_we_think_kordless_is_believed(scenario: RateLimiterScenario) -> None:
    """Others use the key: browsing stops early and leaves the last ten to creations."""
    limiter = scenario.process()
    limiter.mark_draft_open()
    reset = scenario.time.wall + 30
    call(limiter, answer=ResponseMeta(200, limit=60, remaining=12, reset=reset))
    scenario.time.pass_(0.5)
    call(limiter)
    call(limiter)
    with pytest.raises(TooMany) as refused:
        call(limiter)
    assert (refused.value.reason, refused.value.retry_after) == ("reported_limit", 30)
    for _ in range(10):
        call(limiter, "create")
    scenario.time.pass_(30)
    call(limiter)


def test_while_no_draft_is_open_a_reported_remainder_leaves_two(scenario: RateLimiterScenario) -> None:
    """Others use the key: browsing may use what nobody is about to book with."""
    limiter = scenario.process()
    call(limiter, answer=ResponseMeta(200, limit=60, remaining=12))
    scenario.time.pass_(0.5)
    number, refused = calls_until_refused(limiter, "availability")
    assert (number, refused.reason) == (10, "reported_limit")


def test_nothing_goes_when_nothing_remains(scenario: RateLimiterScenario) -> None:
    """Not even a creation, when Kordless has said that none will be taken."""
    limiter = scenario.process()
    call(limiter, answer=ResponseMeta(200, limit=60, remaining=0))
    with pytest.raises(TooMany) as refused:
        call(limiter, "create")
    assert refused.value.retry_after == 60


def test_remaining_creations_bound_creations_only(scenario: RateLimiterScenario) -> None:
    """An answer to a creation may speak of the ten."""
    limiter = scenario.process()
    call(limiter, "create", ResponseMeta(201, limit=10, remaining=1))
    call(limiter, "create", ResponseMeta(201, limit=10, remaining=0))
    with pytest.raises(TooMany):
        call(limiter, "create")
    call(limiter)


def test_a_key_with_a_smaller_limit_than_ours_can_still_browse(scenario: RateLimiterScenario) -> None:
    """Twelve a minute, says Kordless: browsing leaves a sixth of the twelve, not of our sixty."""
    limiter = scenario.process()
    limiter.mark_draft_open()
    call(limiter, answer=ResponseMeta(200, limit=12, remaining=11))
    scenario.time.pass_(0.5)
    number, refused = calls_until_refused(limiter, "availability")
    assert (number, refused.reason) == (9, "reported_limit")


CONTRADICTIONS = st.one_of(
    st.tuples(st.integers(-3, 0), st.integers(-3, 70)),
    st.tuples(st.integers(1, 60), st.integers(-3, -1)),
    st.integers(1, 60).flatmap(lambda limit: st.tuples(st.just(limit), st.integers(limit + 1, 70))),
)


@given(headers=CONTRADICTIONS, operation=st.sampled_from(OPERATIONS))
def test_a_header_that_contradicts_its_own_answer_stops_no_call(headers: tuple[int, int], operation: str) -> None:
    """Whatever nonsense the headers of a success say, every kind of call may follow."""
    limiter = RateLimiterScenario().process()
    limit, remaining = (str(count) for count in headers)
    fields = {"x-ratelimit-limit": limit, "x-ratelimit-remaining": remaining}
    call(limiter, operation, parse_response_meta(200, fields, now=0.0))
    for each in OPERATIONS:
        call(limiter, each)


@pytest.mark.parametrize("rubbish", [b"\x80pickle", b"{}", "text", 7])
def test_rubbish_in_the_cache_stops_no_call(scenario: RateLimiterScenario, rubbish: bytes | str | int) -> None:
    """Another version may have written it."""
    limiter = scenario.process()
    scenario.memory.set(limiter.keys()[-4], rubbish, 60)
    scenario.memory.set(limiter.keys()[-3], rubbish, 60)
    call(limiter)
    call(limiter, "create")


def test_after_losing_a_race_for_one_permit_the_next_is_tried(scenario: RateLimiterScenario) -> None:
    """Two processes read at the same moment and find the same permits free; each gets others."""
    first, second = scenario.process(quota=Quota(5, 1)), scenario.process(quota=Quota(5, 1))
    reads = [(limiter, limiter._cache.get_many(limiter.keys())) for limiter in (first, second)]
    permits = [limiter.acquire("service", found).key for limiter, found in reads for _ in range(2)]
    assert len(set(permits)) == 4
    with pytest.raises(TooMany) as refused:
        first.acquire("service", reads[0][1])
    assert refused.value.retry_after == 1


def test_headers_that_say_nothing_new_cost_no_write(scenario: RateLimiterScenario) -> None:
    """Acquire and release are two writes, and there is no third."""
    limiter = scenario.process()
    found = limiter._cache.get_many(limiter.keys())
    before = scenario.memory.trips
    limiter.release(limiter.acquire("availability", found), "availability", ResponseMeta(200, limit=60, remaining=59))
    assert scenario.memory.trips == before + 2


def test_without_a_shared_cache_each_process_keeps_to_its_part(scenario: RateLimiterScenario) -> None:
    """Four processes that can't see each other stay within the sixty and the ten together."""
    limiters = [scenario.process(processes=4, shared=False) for _ in range(4)]
    reads = sum(calls_until_refused(limiter, "availability")[0] for limiter in limiters)
    creations = sum(calls_until_refused(limiter, "create")[0] for limiter in limiters)
    assert reads == 4 * 13
    assert creations == 4 * 2
    assert reads + creations == 60


def test_without_a_shared_cache_lookups_keep_to_their_part_as_well(scenario: RateLimiterScenario) -> None:
    """Four processes that can't see each other stay within the quota of the operations without a key."""
    limiters = [scenario.contact_process(processes=4, shared=False) for _ in range(4)]
    assert sum(calls_until_refused(limiter, "lookup")[0] for limiter in limiters) == 60


def test_when_the_cache_goes_down_each_process_keeps_to_its_part(scenario: RateLimiterScenario) -> None:
    """Neither no calls nor unlimited ones: the part of one process, counted in its memory."""
    limiter = scenario.process(processes=4)
    call(limiter)
    scenario.memory.broken = True
    assert calls_until_refused(limiter, "availability")[0] == 13


def test_a_cache_that_reads_but_cannot_write_grants_no_more(scenario: RateLimiterScenario) -> None:
    """Redis out of memory: every permit looks free and none can be taken there."""
    limiter = scenario.process(processes=4)
    scenario.memory.read_only = True
    granted = 0
    for _ in range(600):
        scenario.time.pass_(0.1)
        try:
            call(limiter)
            granted += 1
        except TooMany:
            pass
    assert granted <= 14


@pytest.mark.parametrize("processes", [1, 2, 3, 4, 6, 8, 10])
def test_parts_add_up_to_no_more_than_the_whole(processes: int) -> None:
    """Whatever one process may use, all together stay within the quota."""
    part = Quota().share(processes)
    assert part.requests * processes <= 60
    assert part.creations * processes <= 10
    assert all(len(part.permits(kind)) >= 1 for kind in Priority)


@given(requests=st.integers(3, 1000), reserved=st.floats(0, 1), processes=st.integers(1, 10_000))
def test_every_part_of_every_quota_has_a_permit_for_each_priority(
    requests: int, reserved: float, processes: int
) -> None:
    """Also where bookings reserve nearly all: a third of 1000 and 999 is 333 of each."""
    part = Quota(requests, max(1, int(reserved * (requests - 1)))).share(processes)
    assert all(len(part.permits(kind)) >= 1 for kind in Priority)


@pytest.mark.parametrize(("requests", "creations"), [(r, c) for r in range(3, 61) for c in (1, 2, 10) if c <= r - 2])
def test_the_priorities_are_ranked_in_every_quota(requests: int, creations: int) -> None:
    """Refreshing gets no more than browsing, and neither takes a creation's permit."""
    quota = Quota(requests, creations)
    refresh, browse, create = (quota.permits(kind) for kind in (Priority.REFRESH, Priority.BROWSE, Priority.CREATE))
    assert 1 <= len(refresh) <= len(browse)
    assert browse.stop == create.start
    assert len(create) == creations
    assert create.stop == requests


def most_in_a_minute(moments: list[float]) -> int:
    """The largest number of calls in any sixty seconds."""
    ordered = sorted(moments)
    return max((sum(start <= moment < start + 60 for moment in ordered) for start in ordered), default=0)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.integers(0, 2), st.sampled_from(OPERATIONS), st.floats(0, 25), st.floats(0, 1)),
        st.tuples(st.just("crash"), st.integers(0, 2), st.sampled_from(OPERATIONS), st.floats(0, 25)),
        st.tuples(st.just("never sent"), st.integers(0, 2), st.sampled_from(OPERATIONS)),
        st.tuples(st.just("form"), st.integers(0, 2)),
        st.tuples(st.just("wait"), st.floats(0, 40)),
        st.tuples(st.just("wait"), st.floats(0, 400)),
        st.tuples(st.just("step"), st.integers(0, 2), st.floats(-5000, 5000)),
    ),
    min_size=5,
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(steps=STEPS, shared=st.booleans())
def test_never_more_than_the_quota_in_any_minute(steps: list[tuple], shared: bool) -> None:  # type: ignore[type-arg]
    """Any schedule of calls by three processes, any delays, crashes, open forms and steps of their clocks.

    And never is a creation refused for what was lent: only where two others have their permits.
    """
    scenario = RateLimiterScenario()
    quota = Quota(12, 4)
    ahead = [0.0, 0.0, 0.0]

    def limiter_of(who: int) -> RateLimiter:
        clock = Clock(now=lambda: scenario.time.wall + ahead[who], monotonic=lambda: scenario.time.steady)
        cache = FallbackCache(scenario.memory if shared else None, clock)
        return RateLimiter(cache, account="key", clock=clock, quota=quota, processes=1 if shared else 3)

    limiters = [limiter_of(who) for who in range(3)]
    arrived: list[tuple[str, float]] = []
    waits: list[int] = []
    open_calls: list[tuple[float, RateLimiter, Permit, str]] = []

    def pass_until(moment: float) -> None:
        for due, limiter, permit, operation in sorted(open_calls, key=lambda entry: entry[0]):
            if due <= moment:
                scenario.time.pass_(max(0.0, due - scenario.time.steady))
                limiter.release(permit, operation, ResponseMeta(200))
                open_calls.remove((due, limiter, permit, operation))
        scenario.time.pass_(max(0.0, moment - scenario.time.steady))

    for what, *details in steps:
        if what == "wait":
            pass_until(scenario.time.steady + details[0])
        elif what == "step":
            ahead[details[0]] += details[1]
        elif what == "form":
            limiters[details[0]].mark_draft_open()
        elif what == "never sent":
            try:
                limiters[details[0]].cancel(acquire(limiters[details[0]], details[1]))
            except TooMany as refused:
                waits.append(refused.retry_after or 0)
        else:
            who, operation, delay, *share = details
            try:
                permit = acquire(limiters[who], operation)
            except TooMany as refused:
                waits.append(refused.retry_after or 0)
                if operation == "create" and shared:
                    recent = scenario.time.steady - MAX_CALL_SECONDS - PERMIT_SECONDS
                    assert sum(moment >= recent for kind, moment in arrived if kind == "create") >= 2
                continue
            now = scenario.time.steady
            if what == "crash":
                arrived.append((operation, now + delay))
            else:
                arrived.append((operation, now + delay * share[0]))
                open_calls.append((now + delay, limiters[who], permit, operation))
    assert most_in_a_minute([moment for _, moment in arrived]) <= 12
    assert most_in_a_minute([moment for operation, moment in arrived if operation == "create"]) <= 4
    assert all(1 <= wait <= 61 for wait in waits)


def test_the_drawing_has_the_numbers_of_the_code() -> None:
    """The module's picture says which permits each kind of call may take, by default."""
    drawn = rate_limiter.__doc__ or ""
    quota = Quota()
    [scale] = [line.split() for line in drawn.splitlines() if line.strip().startswith("0  ")]
    ends = [quota.permits(kind).stop for kind in (Priority.REFRESH, Priority.BROWSE, Priority.CREATE)]
    assert [int(number) for number in scale] == [0, *ends]
    assert f"{quota.requests} requests in any {rate_limiter.WINDOW_SECONDS} seconds, {quota.creations} of" in drawn


def test_permits_for_pages_are_short_below_one_half(scenario: RateLimiterScenario) -> None:
    """One half is enough, less is not, and a minute later all are free again."""
    limiter = scenario.process()

    def permits() -> BrowsePermits:
        return limiter.browse_permits(scenario.cache.get_many(limiter.keys()))

    total = len(Quota().permits(Priority.BROWSE))
    assert permits() == BrowsePermits(total, total)
    for _ in range(total // 2):
        call(limiter)
    assert (permits(), permits().are_short) == (BrowsePermits(total - total // 2, total), False)
    call(limiter)
    assert permits().are_short
    scenario.time.pass_(61)
    assert permits() == BrowsePermits(total, total)


@pytest.mark.parametrize("answer", [ResponseMeta(429, retry_after=30), ResponseMeta(200, limit=60, remaining=10)])
def test_what_kordless_reports_leaves_pages_no_permit(scenario: RateLimiterScenario, answer: ResponseMeta) -> None:
    """A block, or a remainder that the reserve for bookings needs."""
    limiter = scenario.process()
    call(limiter, answer=answer)
    assert limiter.browse_permits(scenario.cache.get_many(limiter.keys())).free == 0


def test_permits_for_pages_are_no_more_than_kordless_reports(scenario: RateLimiterScenario) -> None:
    """Somebody else uses the key: what is reserved for others is taken off, and our own calls since then."""
    limiter = scenario.process()
    reserved = 60 - len(Quota().permits(Priority.BROWSE))
    call(limiter, answer=ResponseMeta(200, limit=60, remaining=reserved + 8))
    assert limiter.browse_permits(scenario.cache.get_many(limiter.keys())).free == 8
    scenario.time.pass_(1)
    call(limiter)
    assert limiter.browse_permits(scenario.cache.get_many(limiter.keys())).free == 7
