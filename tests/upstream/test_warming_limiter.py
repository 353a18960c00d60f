"""Limit of warming: twenty calls a minute of all processes, and none that pages may need."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.exceptions import TooMany
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.rate_limiter import BrowsePermits
from kordless_booking.upstream.warming_limiter import WarmingLimiter
from tests.support.controlled_cache import HandTime, SharedMemory

FREE = BrowsePermits(45, 45)


class WarmingScenario:
    """Processes around one cache."""

    def __init__(self) -> None:
        self.time = HandTime()
        self.memory = SharedMemory(self.time.clock)

    def process(self, *, processes: int = 1, shared: bool = True) -> WarmingLimiter:
        clock = self.time.clock
        cache = FallbackCache(self.memory if shared else None, clock)
        return WarmingLimiter(cache, account="key", clock=clock, processes=processes)


@pytest.fixture
def scenario() -> WarmingScenario:
    """Return new processes around an empty cache."""
    return WarmingScenario()


def is_granted(limiter: WarmingLimiter, permits: BrowsePermits = FREE) -> bool:
    """Look and take, as the gate does."""
    try:
        limiter.acquire("availability", limiter._cache.get_many(limiter.keys()), permits)
    except TooMany:
        return False
    return True


@given(steps=st.lists(st.tuples(st.integers(0, 3), st.floats(0, 30)), min_size=30, max_size=120))
def test_no_minute_has_more_than_20_calls_of_warming(steps: list[tuple[int, float]]) -> None:
    """Whichever of four processes makes them, and whenever."""
    scenario = WarmingScenario()
    limiters, calls = [scenario.process() for _ in range(4)], []
    for number, pause in steps:
        scenario.time.pass_(pause)
        if is_granted(limiters[number]):
            calls.append(scenario.time.steady)
    assert all(sum(begin <= call < begin + 60 for call in calls) <= 20 for begin in calls)
    assert calls


def test_a_process_that_counts_alone_takes_its_part(scenario: WarmingScenario) -> None:
    """Of twenty calls, five for each of four processes without a shared cache."""
    limiter = scenario.process(processes=4, shared=False)
    assert [is_granted(limiter) for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.parametrize(
    ("permits", "granted"),
    [
        (BrowsePermits(26, 45), True),
        (BrowsePermits(25, 45), False),
        (BrowsePermits(0, 45), False),
        (BrowsePermits(26, 450), True),
        (BrowsePermits(7, 11), True),
        (BrowsePermits(6, 11), False),
    ],
)
def test_warming_leaves_permits_for_pages(scenario: WarmingScenario, permits: BrowsePermits, granted: bool) -> None:
    """Twenty-five, and of a small quota more than half."""
    limiter = scenario.process()
    assert limiter.may_call({}, permits) is granted
    assert is_granted(limiter, permits) is granted


def test_the_refusal_says_when_a_call_is_possible(scenario: WarmingScenario) -> None:
    """For the command, which waits."""
    limiter = scenario.process()
    while is_granted(limiter):
        scenario.time.pass_(1)
    with pytest.raises(TooMany) as refused:
        limiter.acquire("service", limiter._cache.get_many(limiter.keys()), FREE)
    assert (refused.value.reason, refused.value.retry_after) == ("warming", 41)
