"""Blocks of slots: cut into months, kept in the cache, and fetched in one call where Kordless lets them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.api.resources import Host, Slot
from kordless_booking.exceptions import BadRequest, OutcomeUnknown, TooMany
from kordless_booking.upstream import slot_block
from kordless_booking.upstream.slot_block import (
    MONTH_ONLY_SECONDS,
    LongRanges,
    SlotBlock,
    decode_block,
    encode_block,
    fetch_near_block,
)

START = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)
END = START + 62 * DAY
MONTH_END = START + 33 * DAY
NOW = START.timestamp() + 50_000

Ranges = list[tuple[datetime, datetime]]


def slot_at(hours: float) -> Slot:
    """A slot of an hour, so many hours after START."""
    begin = START + timedelta(hours=hours)
    return Slot(start=begin, end=begin + timedelta(hours=1), host=Host(id="host_sarah", name="Sarah"))


def business(
    ranges: Ranges, *, longest: int = 366, a_day: int = 1, error: type[Exception] = BadRequest
) -> Callable[[datetime, datetime], tuple[Slot, ...]]:
    """Return a Kordless that refuses more than `longest` days, and notes in `ranges` what it was asked for."""

    def availability(start: datetime, end: datetime) -> tuple[Slot, ...]:
        ranges.append((start, end))
        if end - start > longest * DAY:
            raise error
        first = (start - START) // DAY
        hours = [
            24 * day + 20 * index / a_day
            for day in range(first, first + (end - start) // DAY)
            for index in range(a_day)
        ]
        return tuple(map(slot_at, hours))

    return availability


@given(
    hours=st.lists(st.integers(0, 62 * 24), max_size=40).map(sorted),
    first=st.integers(-30, 70),
    days=st.integers(0, 40),
)
def test_a_cut_has_the_slots_of_its_days_and_is_the_same_tuple_each_time(
    hours: list[int], first: int, days: int
) -> None:
    """What is computed from slots is cached by the identity of the tuple."""
    block = SlotBlock(tuple(map(slot_at, hours)), END)
    start, end = START + first * DAY, START + (first + days) * DAY
    cut = block.between(start, end)
    assert cut == tuple(slot for slot in block.slots if start <= slot.start < end)
    assert block.between(start, end) is cut


@given(
    hours=st.lists(st.integers(0, 62 * 24), max_size=20).map(sorted),
    month_only_until=st.sampled_from([0.0, NOW + 60]),
)
def test_a_block_comes_back_from_the_cache_as_it_was(hours: list[int], month_only_until: float) -> None:
    """Equal parts of its slots are one object each."""
    block = SlotBlock(tuple(map(slot_at, hours)), END, month_only_until)
    again = decode_block(encode_block(block))
    assert (again.slots, again.until, again.month_only_until) == (block.slots, block.until, month_only_until)
    assert len({id(slot.host) for slot in again.slots}) <= 1


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"until":"2026-12-01T00:00:00","slots":[]}', b'{"slots":[]}'])
def test_what_is_no_block_is_not_read_as_one(raw: bytes) -> None:
    """Another version, or somebody else, has written it: the cache takes a ValueError for an absent value."""
    with pytest.raises(ValueError, match="expected"):
        decode_block(raw)


def test_a_block_keeps_a_bounded_number_of_cuts() -> None:
    """Whoever asks for all ranges of days fills no memory, and gets the same slots."""
    block = SlotBlock(tuple(slot_at(24 * day + 12) for day in range(60)), END)
    for first in range(56):
        for days in range(1, 32):
            start, end = START + first * DAY, START + (first + days) * DAY
            assert len(block.between(start, end)) == min(days, 60 - first)
            assert len(block._cuts) <= slot_block.MAX_CUTS


def test_the_near_days_are_one_request() -> None:
    """All 62 of them."""
    ranges: Ranges = []
    block = fetch_near_block(business(ranges), START, END, known=None, now=NOW)
    assert ranges == [(START, END)]
    assert (len(block.slots), block.until, block.month_only_until) == (62, END, 0.0)


def test_a_refused_range_falls_back_to_a_month_for_an_hour() -> None:
    """The cached block tells every process; after the hour the long range is tried again."""
    ranges: Ranges = []
    fetch = business(ranges, longest=40)
    block = fetch_near_block(fetch, START, END, known=None, now=NOW)
    assert ranges == [(START, END), (START, MONTH_END)]
    assert (len(block.slots), block.until) == (33, MONTH_END)
    again = fetch_near_block(fetch, START, END, known=decode_block(encode_block(block)), now=NOW + 3599)
    assert ranges[2:] == [(START, MONTH_END)]
    assert (again.slots, again.until, again.month_only_until) == (block.slots, MONTH_END, block.month_only_until)
    fetch_near_block(fetch, START, END, known=again, now=NOW + 3601)
    assert ranges[3:] == [(START, END), (START, MONTH_END)]


def test_a_refused_range_is_refused_once_for_all_services_of_an_account() -> None:
    """With 300 services, each would otherwise cost one request more an hour."""
    ranges: Ranges = []
    fetch, long_ranges = business(ranges, longest=40), LongRanges()
    for _service in range(3):
        block = fetch_near_block(fetch, START, END, known=None, now=NOW, long_ranges=long_ranges)
        assert (block.until, block.month_only_until) == (MONTH_END, NOW + MONTH_ONLY_SECONDS)
    assert ranges == [(START, END), *[(START, MONTH_END)] * 3]
    fetch_near_block(fetch, START, END, known=None, now=NOW + 3601, long_ranges=long_ranges)
    assert ranges[4:] == [(START, END), (START, MONTH_END)]


def test_a_month_that_is_refused_too_is_an_error() -> None:
    """The length of the range is not to blame then."""
    ranges: Ranges = []
    with pytest.raises(BadRequest):
        fetch_near_block(business(ranges, longest=0), START, END, known=None, now=NOW)
    assert len(ranges) == 2


@pytest.mark.parametrize("error", [TooMany, OutcomeUnknown])
def test_only_a_refusal_of_the_request_shortens_the_range(error: type[Exception]) -> None:
    """Another failure would not end with a shorter range, and costs one request."""
    ranges: Ranges = []
    with pytest.raises(error):
        fetch_near_block(business(ranges, longest=40, error=error), START, END, known=None, now=NOW)
    assert len(ranges) == 1


def test_too_many_slots_for_one_item_are_cut_to_a_month(monkeypatch: pytest.MonkeyPatch) -> None:
    """And only the month is asked for within the hour; a month itself is never cut."""
    monkeypatch.setattr(slot_block, "MAX_NEAR_SLOTS", 100)
    ranges: Ranges = []
    fetch = business(ranges, a_day=5)
    block = fetch_near_block(fetch, START, END, known=None, now=NOW)
    assert (len(block.slots), block.until, block.month_only_until) == (165, MONTH_END, NOW + MONTH_ONLY_SECONDS)
    again = fetch_near_block(fetch, START, END, known=block, now=NOW + 60)
    assert ranges == [(START, END), (START, MONTH_END)]
    assert again.slots == block.slots


def test_a_stepped_clock_does_not_forbid_the_long_range_for_years() -> None:
    """A time further ahead than an hour can't have been meant."""
    ranges: Ranges = []
    known = SlotBlock((), MONTH_END, NOW + 10 * MONTH_ONLY_SECONDS)
    assert fetch_near_block(business(ranges), START, END, known=known, now=NOW).until == END


def test_a_short_booking_window_needs_no_second_attempt() -> None:
    """A range that is no longer than a month isn't tried in another length."""
    ranges: Ranges = []
    with pytest.raises(BadRequest):
        fetch_near_block(business(ranges, longest=5), START, START + 15 * DAY, known=None, now=NOW)
    assert ranges == [(START, START + 15 * DAY)]
