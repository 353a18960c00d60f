"""Throttle: no bucket ever lets more through than its limit, and a refused use costs nothing."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.throttle_store import ThrottleStore
from kordless_booking.views.client_address import Bucket
from kordless_booking.views.throttle import MAX_SAMPLE, PermitKeys, Use, take_use
from tests.support.controlled_cache import HandTime, SharedMemory

LIMIT, SECONDS = 3, 600


class ThrottleScenario:
    """Uses by households of one network, on a clock that the test moves."""

    def __init__(self, *, local: bool = False) -> None:
        self.time = HandTime()
        self.memory = ThrottleStore(self.time.clock) if local else SharedMemory(self.time.clock)
        self.cache = FallbackCache(self.memory, self.time.clock)

    def use(self, *buckets: Bucket, limit: int = LIMIT) -> Use:
        """Use once."""
        keys = [PermitKeys.build("default\0find", bucket, limit) for bucket in buckets]
        return take_use(self.cache, keys, seconds=SECONDS, now=self.time.wall)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 200)), max_size=60), st.booleans())
def test_no_bucket_lets_more_through_in_any_window(steps: list[tuple[int, int]], local: bool) -> None:
    """Neither a household nor its network, whatever is used when."""
    scenario, allowed = ThrottleScenario(local=local), []
    for household, passed in steps:
        scenario.time.pass_(passed)
        if not scenario.use(Bucket(f"household {household}"), Bucket("network", 2)).seconds:
            allowed.append((scenario.time.wall, household))
    for now, _ in allowed:
        window = [household for at, household in allowed if now - SECONDS < at <= now]
        assert len(window) <= 2 * LIMIT
        assert max(Counter(window).values()) <= LIMIT


def test_a_use_that_the_network_refuses_takes_nothing_of_the_household() -> None:
    """Otherwise neighbors would use up each other's own limits."""
    scenario = ThrottleScenario()
    for household in range(2):
        for _ in range(LIMIT):
            assert not scenario.use(Bucket(f"household {household}"), Bucket("network", 2)).seconds
    refused = scenario.use(Bucket("household 9"), Bucket("network", 2))
    assert (refused.permits, refused.seconds) == ((), SECONDS)
    for _ in range(LIMIT):
        assert not scenario.use(Bucket("household 9")).seconds


def test_a_use_that_is_given_back_does_not_count() -> None:
    """Each of its permits is free again."""
    scenario = ThrottleScenario()
    buckets = (Bucket("household"), Bucket("network", 2))
    for _ in range(10):
        use = scenario.use(*buckets)
        assert len(use.permits) == 2
        use.release()
    Use().release()
    assert [bool(scenario.use(*buckets).seconds) for _ in range(4)] == [False, False, False, True]


def test_the_seconds_are_those_until_the_first_permit_is_free() -> None:
    """As the visitor is told."""
    scenario = ThrottleScenario()
    for _ in range(LIMIT):
        scenario.use(Bucket("household"))
        scenario.time.pass_(100)
    assert scenario.use(Bucket("household")).seconds == SECONDS - 300
    scenario.time.pass_(SECONDS - 300)
    assert scenario.use(Bucket("household")).seconds == 0


@pytest.mark.parametrize("factor", [1, 4, 16])
def test_a_check_reads_few_keys_with_one_hash(factor: int) -> None:
    """A wide bucket is sampled, so that its limit costs nothing."""
    keys = PermitKeys.build("default\0book", Bucket("network", factor), 50).keys
    assert len(keys) == (50 if factor == 1 else MAX_SAMPLE) == len(set(keys))
    assert len({key.rpartition(":")[0] for key in keys}) == 1
    assert all("network" not in key for key in keys)


def test_parallel_uses_take_no_more_than_the_limit() -> None:
    """All have read the same state."""
    scenario, allowed = ThrottleScenario(local=True), []
    barrier = threading.Barrier(16, timeout=30)

    def race() -> None:
        barrier.wait()
        if not scenario.use(Bucket("household"), Bucket("network", 4)).seconds:
            allowed.append(1)

    racers = [threading.Thread(target=race) for _ in range(16)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(30)
    assert len(allowed) == LIMIT
