"""Cache of what is computed from slots: by identity of the slots, and bounded by their number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kordless_booking.api.resources import Slot
from kordless_booking.booking import slot_cache
from kordless_booking.booking.availability import _ByIdentity
from kordless_booking.booking.slot_cache import cached_by_slots

START = datetime(2026, 12, 1, tzinfo=UTC)


def month(count: int) -> tuple[Slot, ...]:
    """A month of that many slots."""
    return tuple(Slot(start=START + timedelta(hours=n), end=START + timedelta(hours=n + 1)) for n in range(count))


class Counting:
    """Function under the cache, with the months that it was called for."""

    def __init__(self) -> None:
        self.called: list[tuple[int, str]] = []
        self.cached = cached_by_slots(self.compute)

    def compute(self, key: _ByIdentity, host: str) -> int:
        self.called.append((len(key.slots), host))
        return len(key.slots)


def test_the_same_slots_are_computed_once_for_each_host() -> None:
    """By identity: equal slots of a refresh are computed again."""
    counting, slots = Counting(), month(3)
    for _ in range(3):
        assert counting.cached(_ByIdentity(slots), "sarah") == 3
        assert counting.cached(_ByIdentity(slots), "miguel") == 3
    assert counting.called == [(3, "sarah"), (3, "miguel")]
    counting.cached(_ByIdentity(month(3)), "sarah")
    assert len(counting.called) == 3


@pytest.mark.parametrize(("limit", "value"), [("MAX_CACHED_SLOTS", 25), ("MAX_ENTRIES", 2)])
def test_the_least_recently_used_go_when_it_is_full(monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    """By the number of slots that are kept alive, and by the number of entries."""
    monkeypatch.setattr(slot_cache, limit, value)
    counting = Counting()
    first, second, third = (_ByIdentity(month(10)) for _ in range(3))
    for key in (first, second, first, third, first):
        counting.cached(key, "")
    assert len(counting.called) == 3
    counting.cached(second, "")
    assert len(counting.called) == 4


def test_a_month_larger_than_the_limit_is_cached_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be computed for each visitor otherwise."""
    monkeypatch.setattr(slot_cache, "MAX_CACHED_SLOTS", 5)
    counting, large = Counting(), _ByIdentity(month(10))
    for _ in range(3):
        counting.cached(large, "")
    assert len(counting.called) == 1
