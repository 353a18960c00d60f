"""The allowance: never more than it in any minute, browsing never before booking, and Kordless's word believed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.api.responses import ResponseMeta
from kordless_booking.clock import Clock
from kordless_booking.exceptions import TooMany
from kordless_booking.upstream import rate_limiter as budget_module
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.rate_limiter import Permit, Priority, Quota, RateLimiter
from kordless_booking.upstream.worker import in_background
from tests.support.controlled_cache import HandTime, SharedMemory

OPERATIONS = ["organization", "service", "availability", "create", "lookup", "cancel", "reschedule"]


class Scene:
    """Processes with clocks of their own around one cache."""

    def __init__(self) -> None:
        self.time = HandTime()
        self.memory = SharedMemory(self.time.clock)

    def process(
        self,
        *,
        allowance: Quota | None = None,
        processes: int = 1,
        ahead: float = 0.0,
        shared: bool = True,
        account: str = "key",
    ) -> RateLimiter:
        clock = Clock(now=lambda: self.time.wall + ahead, monotonic=lambda: self.time.steady)
        cache = FallbackCache(self.memory if shared else None, clock)
        self.cache = cache
        return RateLimiter(cache, account=account, clock=clock, allowance=allowance, processes=processes)


@pytest.fixture
def scene() -> Scene:
    """One stage for each test."""
    return Scene()


def claim(budget: RateLimiter, operation: str = "availability") -> Permit:
    """Look and claim, as the gate does."""
    return budget.acquire(operation, budget._cache.get_many(budget.keys()))


def call(budget: RateLimiter, operation: str = "availability", answer: ResponseMeta | None = None) -> None:
    """One call that is answered at once."""
    budget.release(claim(budget, operation), operation, answer or ResponseMeta(200))


def calls_until_refused(budget: RateLimiter, operation: str) -> tuple[int, TooMany]:
    """How many calls go through in a row, and what the next one is told."""
    for number in range(100):
        try:
            call(budget, operation)
        except TooMany as refused:
            return number, refused
    raise AssertionError("never refused")


@pytest.mark.parametrize(
    ("operation", "most"),
    [("organization", 45), ("service", 45), ("availability", 45), ("lookup", 50), ("cancel", 50), ("create", 10)],
)
def test_each_kind_of_call_has_its_share(scene: Scene, operation: str, most: int) -> None:
    """Of sixty: browsing up to 45, managing up to 50, ten creations."""
    number, refused = calls_until_refused(scene.process(), operation)
    assert number == most
    assert (refused.operation, refused.reason, refused.retry_after) == (operation, "allowance", 61)


def test_a_refresh_that_nobody_waits_for_gets_least(scene: Scene) -> None:
    """Two thirds of what browsing gets, so a visitor who waits is never outdone by a refresh."""
    budget = scene.process()
    token = in_background.set(True)
    try:
        assert calls_until_refused(budget, "availability")[0] == 30
    finally:
        in_background.reset(token)
    assert calls_until_refused(budget, "availability")[0] == 15


def test_browsing_and_managing_leave_all_creations(scene: Scene) -> None:
    """After a storm of readers ten people can still book, and the total is the allowance."""
    storm, booking = scene.process(), scene.process()
    reads = calls_until_refused(storm, "availability")[0]
    looks = calls_until_refused(storm, "lookup")[0]
    assert (reads, looks, calls_until_refused(booking, "create")[0]) == (45, 5, 10)


def test_the_allowance_is_one_for_all_processes_and_apart_for_each_key(scene: Scene) -> None:
    """Four processes get no more than one; another key is another allowance."""
    budgets = [scene.process() for _ in range(4)]
    for number in range(45):
        call(budgets[number % 4])
    for budget in budgets:
        with pytest.raises(TooMany):
            call(budget)
    call(scene.process(account="another"))


def test_a_ticket_is_held_until_a_minute_after_the_answer(scene: Scene) -> None:
    """What counts is when Kordless counted it, which may have been as late as its answer."""
    budget = scene.process(allowance=Quota(3, 1))
    ticket = claim(budget)
    scene.time.pass_(4)
    budget.release(ticket, "availability", ResponseMeta(200))
    scene.time.pass_(60)
    with pytest.raises(TooMany) as refused:
        claim(budget)
    assert refused.value.retry_after == 1
    scene.time.pass_(1)
    claim(budget)


def test_a_crashed_caller_keeps_its_ticket_no_longer_than_needed(scene: Scene) -> None:
    """It never said how it went; a minute after the longest call the ticket is free."""
    budget = scene.process(allowance=Quota(3, 1))
    claim(budget)
    scene.time.pass_(90)
    with pytest.raises(TooMany):
        claim(budget)
    scene.time.pass_(1)
    claim(budget)


def test_retry_after_is_when_the_first_ticket_comes_free(scene: Scene) -> None:
    """An honest number of seconds: at that moment one call goes."""
    budget = scene.process()
    call(budget)
    scene.time.pass_(20)
    for _ in range(44):
        call(budget)
    with pytest.raises(TooMany) as refused:
        call(budget)
    assert refused.value.retry_after == 41
    scene.time.pass_(40)
    with pytest.raises(TooMany):
        call(budget)
    scene.time.pass_(1)
    call(budget)


@pytest.mark.parametrize("ahead", [-7200.0, 7200.0])
def test_retry_after_stays_sane_when_clocks_disagree(scene: Scene, ahead: float) -> None:
    """Another process's clock is two hours off: from 1 to 61 seconds all the same."""
    calls_until_refused(scene.process(), "availability")
    with pytest.raises(TooMany) as refused:
        call(scene.process(ahead=ahead))
    assert 1 <= (refused.value.retry_after or 0) <= 61


@pytest.mark.parametrize("wait", [1, 20, 120])
def test_too_many_stops_every_process_for_the_time_named(scene: Scene, wait: int) -> None:
    """A 429 seen by one is heeded by all, and lapses by itself."""
    first, second = scene.process(), scene.process()
    call(first, answer=ResponseMeta(429, limit=60, remaining=0, retry_after=wait))
    for operation in OPERATIONS:
        with pytest.raises(TooMany) as refused:
            call(second, operation)
        assert (refused.value.reason, refused.value.retry_after) == ("blocked", wait)
    scene.time.pass_(wait)
    call(second)


@pytest.mark.parametrize("wait", [None, 100_000])
def test_an_absent_or_absurd_wait_is_bounded(scene: Scene, wait: int | None) -> None:
    """No header can block the widget for longer than two minutes."""
    budget = scene.process()
    call(budget, answer=ResponseMeta(429, retry_after=wait))
    scene.time.pass_(29)
    with pytest.raises(TooMany):
        call(budget)
    scene.time.pass_(92)
    call(budget)


def test_too_many_creations_leave_browsing_alone(scene: Scene) -> None:
    """The smaller allowance is used up, says the limit in the answer; times can still be looked at."""
    budget = scene.process()
    call(budget, "create", ResponseMeta(429, limit=10, remaining=0, retry_after=20))
    call(budget)
    with pytest.raises(TooMany):
        call(budget, "create")


def test_too_many_of_all_met_by_a_creation_stops_browsing_too(scene: Scene) -> None:
    """A creation may be the one that learns that the sixty are used up."""
    budget = scene.process()
    call(budget, "create", ResponseMeta(429, limit=60, remaining=0, retry_after=20))
    with pytest.raises(TooMany):
        call(budget)


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_a_stepped_clock_blocks_nothing_for_ever(scene: Scene, step: float) -> None:
    """The cache's own expiry counts, whatever the wall clock says."""
    budget = scene.process()
    call(budget, answer=ResponseMeta(429, retry_after=20))
    scene.time.step(step)
    with pytest.raises(TooMany) as refused:
        call(budget)
    assert 1 <= (refused.value.retry_after or 0) <= 120
    scene.time.pass_(20)
    call(budget)


def test_when_less_remains_than_we_think_kordless_is_believed(scene: Scene) -> None:
    """Others use the key: browsing stops early and leaves the last fifteen to better purposes."""
    budget = scene.process()
    reset = scene.time.wall + 30
    call(budget, answer=ResponseMeta(200, limit=60, remaining=17, reset=reset))
    scene.time.pass_(0.5)
    call(budget)
    call(budget)
    with pytest.raises(TooMany) as refused:
        call(budget)
    assert (refused.value.reason, refused.value.retry_after) == ("told", 30)
    for _ in range(5):
        call(budget, "lookup")
    with pytest.raises(TooMany):
        call(budget, "lookup")
    for _ in range(10):
        call(budget, "create")
    scene.time.pass_(30)
    call(budget)


def test_nothing_goes_when_nothing_remains(scene: Scene) -> None:
    """Not even a creation, when Kordless has said that none will be taken."""
    budget = scene.process()
    call(budget, answer=ResponseMeta(200, limit=60, remaining=0))
    with pytest.raises(TooMany) as refused:
        call(budget, "create")
    assert refused.value.retry_after == 60


def test_remaining_creations_bound_creations_only(scene: Scene) -> None:
    """An answer to a creation may speak of the ten."""
    budget = scene.process()
    call(budget, "create", ResponseMeta(201, limit=10, remaining=1))
    call(budget, "create", ResponseMeta(201, limit=10, remaining=0))
    with pytest.raises(TooMany):
        call(budget, "create")
    call(budget)


def test_a_key_with_a_smaller_limit_than_ours_can_still_browse(scene: Scene) -> None:
    """Twelve a minute, says Kordless: browsing leaves its quarter of the twelve, not of our sixty."""
    budget = scene.process()
    call(budget, answer=ResponseMeta(200, limit=12, remaining=11))
    scene.time.pass_(0.5)
    number, refused = calls_until_refused(budget, "availability")
    assert (number, refused.reason) == (8, "told")


@pytest.mark.parametrize("rubbish", [b"\x80pickle", b"{}", "text", 7])
def test_rubbish_in_the_cache_stops_no_call(scene: Scene, rubbish: bytes | str | int) -> None:
    """Another version may have written it."""
    budget = scene.process()
    scene.memory.set(budget.keys()[-4], rubbish, 60)
    scene.memory.set(budget.keys()[-3], rubbish, 60)
    call(budget)
    call(budget, "create")


def test_a_race_lost_for_one_ticket_is_run_for_the_next(scene: Scene) -> None:
    """Two look at the same moment and both find one free of two; each gets one."""
    first, second = scene.process(allowance=Quota(5, 1)), scene.process(allowance=Quota(5, 1))
    looks = [(budget, budget._cache.get_many(budget.keys())) for budget in (first, second)]
    tickets = [budget.acquire("lookup", found).key for budget, found in looks for _ in range(2)]
    assert len(set(tickets)) == 4
    with pytest.raises(TooMany) as refused:
        first.acquire("lookup", looks[0][1])
    assert refused.value.retry_after == 1


def test_alone_on_the_key_the_headers_cost_no_write(scene: Scene) -> None:
    """Kordless saying what we know already is not noted: claim and settle are two writes."""
    budget = scene.process()
    found = budget._cache.get_many(budget.keys())
    before = scene.memory.trips
    budget.release(budget.acquire("availability", found), "availability", ResponseMeta(200, limit=60, remaining=59))
    assert scene.memory.trips == before + 2


def test_without_a_shared_cache_each_process_keeps_to_its_part(scene: Scene) -> None:
    """Four processes that can't see each other stay within the sixty and the ten together."""
    budgets = [scene.process(processes=4, shared=False) for _ in range(4)]
    reads = sum(calls_until_refused(budget, "availability")[0] for budget in budgets)
    creations = sum(calls_until_refused(budget, "create")[0] for budget in budgets)
    assert reads == 4 * 11
    assert creations == 4 * 2
    assert reads + sum(calls_until_refused(budget, "lookup")[0] for budget in budgets) + creations == 60


def test_when_the_cache_goes_down_each_process_keeps_to_its_part(scene: Scene) -> None:
    """Neither no calls nor unlimited ones: the part of one process, counted in its memory."""
    budget = scene.process(processes=4)
    call(budget)
    scene.memory.broken = True
    assert calls_until_refused(budget, "availability")[0] == 11


def test_a_cache_that_reads_but_cannot_write_grants_no_more(scene: Scene) -> None:
    """Redis out of memory: every ticket looks free and none can be taken there."""
    budget = scene.process(processes=4)
    scene.memory.read_only = True
    granted = 0
    for _ in range(600):
        scene.time.pass_(0.1)
        try:
            call(budget)
            granted += 1
        except TooMany:
            pass
    assert granted <= 12


@pytest.mark.parametrize("processes", [1, 2, 3, 4, 6, 8, 10])
def test_parts_add_up_to_no_more_than_the_whole(processes: int) -> None:
    """Whatever one process may use, all together keep within the allowance."""
    part = Quota().share(processes)
    assert part.requests * processes <= 60
    assert part.creations * processes <= 10
    assert all(len(part.permits(kind)) >= 1 for kind in Priority)


@pytest.mark.parametrize(("requests", "creations"), [(r, c) for r in range(3, 61) for c in (1, 2, 10) if c <= r - 2])
def test_the_kinds_are_ranked_in_every_allowance(requests: int, creations: int) -> None:
    """Refreshing gets no more than browsing, browsing less than managing, and nobody takes a creation's ticket."""
    allowance = Quota(requests, creations)
    refresh, browse, manage, create = (allowance.permits(kind) for kind in Priority)
    assert 1 <= len(refresh) <= len(browse) < len(manage)
    assert manage.stop == create.start
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
        st.tuples(st.just("wait"), st.floats(0, 40)),
        st.tuples(st.just("step"), st.integers(0, 2), st.floats(-5000, 5000)),
    ),
    min_size=5,
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(steps=STEPS, shared=st.booleans())
def test_never_more_than_the_allowance_in_any_minute(steps: list[tuple], shared: bool) -> None:  # type: ignore[type-arg]
    """Any schedule of calls by three processes, any delays, crashes and steps of their clocks."""
    scene = Scene()
    allowance = Quota(9, 3)
    ahead = [0.0, 0.0, 0.0]

    def budget_of(who: int) -> RateLimiter:
        clock = Clock(now=lambda: scene.time.wall + ahead[who], monotonic=lambda: scene.time.steady)
        cache = FallbackCache(scene.memory if shared else None, clock)
        return RateLimiter(cache, account="key", clock=clock, allowance=allowance, processes=1 if shared else 3)

    budgets = [budget_of(who) for who in range(3)]
    arrived: list[tuple[str, float]] = []
    waits: list[int] = []
    open_calls: list[tuple[float, RateLimiter, Permit, str]] = []

    def pass_until(moment: float) -> None:
        for due, budget, ticket, operation in sorted(open_calls, key=lambda entry: entry[0]):
            if due <= moment:
                scene.time.pass_(max(0.0, due - scene.time.steady))
                budget.release(ticket, operation, ResponseMeta(200))
                open_calls.remove((due, budget, ticket, operation))
        scene.time.pass_(max(0.0, moment - scene.time.steady))

    for what, *details in steps:
        if what == "wait":
            pass_until(scene.time.steady + details[0])
        elif what == "step":
            ahead[details[0]] += details[1]
        else:
            who, operation, delay, *share = details
            try:
                ticket = claim(budgets[who], operation)
            except TooMany as refused:
                waits.append(refused.retry_after or 0)
                continue
            now = scene.time.steady
            if what == "crash":
                arrived.append((operation, now + delay))
            else:
                arrived.append((operation, now + delay * share[0]))
                open_calls.append((now + delay, budgets[who], ticket, operation))
    assert most_in_a_minute([moment for _, moment in arrived]) <= 9
    assert most_in_a_minute([moment for operation, moment in arrived if operation == "create"]) <= 3
    assert all(1 <= wait <= 61 for wait in waits)


def test_the_drawing_has_the_numbers_of_the_code() -> None:
    """The module's picture says which permits each kind of call may take, by default."""
    drawn = budget_module.__doc__ or ""
    allowance = Quota()
    [scale] = [line.split() for line in drawn.splitlines() if line.strip().startswith("0  ")]
    ends = [
        allowance.permits(kind).stop for kind in (Priority.REFRESH, Priority.BROWSE, Priority.MANAGE, Priority.CREATE)
    ]
    assert [int(number) for number in scale] == [0, *ends]
    assert (
        f"{allowance.requests} requests in any {budget_module.WINDOW_SECONDS} seconds, {allowance.creations} of"
        in drawn
    )
