"""Permits: at most as many uses as keys in a time window, for all processes together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.permits import first_free_at, take_permit
from tests.support.controlled_cache import HandTime, SharedMemory

KEYS = ("permit:0", "permit:1", "permit:2")


class PermitScenario:
    """Processes that take permits from one cache."""

    def __init__(self) -> None:
        self.time = HandTime()
        self.memory = SharedMemory(self.time.clock)
        self.cache = FallbackCache(self.memory, self.time.clock)

    def take(self, found: dict[str, bytes | str | int] | None = None) -> str | None:
        """Take a permit for ten seconds; `found` is read now by default."""
        found = self.cache.get_many(KEYS) if found is None else found
        return take_permit(self.cache, KEYS, found, free_at=self.time.wall + 10, timeout=10)


@pytest.fixture
def scenario() -> PermitScenario:
    """Return an empty cache."""
    return PermitScenario()


def test_each_permit_is_taken_once_until_it_expires(scenario: PermitScenario) -> None:
    """Three keys are three uses in ten seconds."""
    assert {scenario.take() for _ in range(3)} == set(KEYS)
    assert scenario.take() is None
    scenario.time.pass_(10)
    assert scenario.take() in KEYS


def test_an_outdated_read_takes_no_permit_twice(scenario: PermitScenario) -> None:
    """Processes that have read the same state get different permits, and the fourth gets none."""
    assert {scenario.take({}) for _ in range(3)} == set(KEYS)
    assert scenario.take({}) is None


def test_taking_a_permit_costs_one_round_trip(scenario: PermitScenario) -> None:
    """One `add`, beside the read of the caller."""
    before = scenario.memory.trips
    scenario.take({})
    assert scenario.memory.trips == before + 1


def test_first_free_at_is_when_the_oldest_permit_expires(scenario: PermitScenario) -> None:
    """Rounded to milliseconds, in Unix seconds."""
    began = scenario.time.wall
    for _ in range(3):
        scenario.take()
        scenario.time.pass_(2.5)
    assert first_free_at(KEYS, scenario.cache.get_many(KEYS), 0) == pytest.approx(began + 10)


@given(value=st.one_of(st.text(), st.binary()))
def test_a_foreign_value_takes_a_permit_but_has_no_time(value: bytes | str) -> None:
    """The permit counts as taken until the value expires; the default says when to try again."""
    assert first_free_at(KEYS, {KEYS[0]: value}, 7.0) == 7.0
    assert first_free_at(KEYS, {KEYS[0]: value, KEYS[1]: 3_000}, 7.0) == 3.0
