"""Which free times fit an entry, and which of them are new: for any times, zones and entries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.api.resources import Host, Slot
from kordless_booking.booking.availability import PartOfDay
from kordless_booking.contrib.waitlist.matching import (
    LEAD_TIME,
    PARTS,
    TimePreferences,
    first_new_time,
    fitting_times,
    minute_of,
    remove_taken_starts,
)
from tests.support.clock import NOW

ZONES = st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia", "Etc/GMT+12", "UTC"])
STARTS = st.integers(-3, 2900).map(lambda hours: NOW + timedelta(hours=hours, minutes=30 * (hours % 2)))
HOURS = {PartOfDay.MORNING: range(5, 12), PartOfDay.AFTERNOON: range(12, 17), PartOfDay.EVENING: range(17, 24)}


def slot(start: datetime, *, host: str = "", available: int = 1, minutes: int = 60) -> Slot:
    """Return a slot of this host, or of anyone."""
    end = start + timedelta(minutes=minutes)
    return Slot(start=start, end=end, capacity=3, available=available, host=Host(id=host, name=host) if host else None)


SLOTS = st.lists(
    st.builds(slot, STARTS, host=st.sampled_from(["", "a", "b"]), available=st.integers(0, 3)), max_size=30
)
PREFERENCES = st.builds(
    TimePreferences,
    until=st.dates(date(2026, 12, 1), date(2027, 3, 1)),
    part=st.sampled_from(["", *PARTS]),
    zone=ZONES,
    host_id=st.sampled_from([None, "a", "c"]),
    party_size=st.integers(1, 4),
)


@given(slots=SLOTS, preferences=PREFERENCES)
def test_what_fits_is_free_early_enough_and_as_preferred(slots: list[Slot], preferences: TimePreferences):
    """Each fitting time keeps to every part of the entry, and they come in order."""
    found = fitting_times(tuple(slots), preferences, NOW)
    assert [each.start for each in found] == sorted(each.start for each in found)
    for each in found:
        local = each.start.astimezone(ZoneInfo(preferences.zone))
        assert local.date() <= preferences.until
        assert each.start > NOW + LEAD_TIME
        assert each.start < preferences.ends_at
        assert not preferences.part or local.hour in HOURS[PartOfDay(preferences.part)]
        assert each.free >= preferences.party_size
        assert all(
            preferences.host_id is None or (one.host and one.host.id == preferences.host_id) for one in each.slots
        )


@given(slots=SLOTS, preferences=PREFERENCES)
def test_no_time_that_fits_is_missed(slots: list[Slot], preferences: TimePreferences):
    """A slot that keeps to the entry is one of the fitting times."""
    found = {each.start for each in fitting_times(tuple(slots), preferences, NOW)}
    for each in slots:
        local = each.start.astimezone(ZoneInfo(preferences.zone))
        fits = (
            each.start > NOW + LEAD_TIME
            and local.date() <= preferences.until
            and each.available >= preferences.party_size
            and (preferences.host_id is None or (each.host is not None and each.host.id == preferences.host_id))
            and (not preferences.part or local.hour in HOURS[PartOfDay(preferences.part)])
        )
        assert (each.start in found) >= fits


@given(slots=SLOTS, known=st.lists(STARTS.map(minute_of)), held=st.lists(STARTS))
def test_news_is_neither_known_nor_overlaps_what_is_held(slots: list[Slot], known: list[int], held: list[datetime]):
    """The first new time is one that nobody else hears of, and that the visitor doesn't know."""
    fitting = fitting_times(tuple(slots), TimePreferences(until=date(2027, 3, 1)), NOW)
    spans = [(start, start + timedelta(hours=1)) for start in held]
    new_time = first_new_time(fitting, known, spans)
    if new_time is not None:
        assert minute_of(new_time.start) not in known
        assert all(new_time.end <= start or end <= new_time.start for start, end in spans)
    else:
        assert all(
            minute_of(each.start) in known or any(each.start < end and start < each.end for start, end in spans)
            for each in fitting
        )


@given(slots=SLOTS, known=st.lists(STARTS.map(minute_of)))
def test_what_was_taken_is_forgotten_and_nothing_else(slots: list[Slot], known: list[int]):
    """A known start stays while it is free, and where these slots say nothing of it."""
    until = datetime(2027, 1, 1, tzinfo=UTC)
    fitting = fitting_times(tuple(slots), TimePreferences(until=date(2027, 3, 1)), NOW)
    kept = remove_taken_starts(known, fitting, slots, until)
    free = {minute_of(each.start) for each in fitting}
    assert set(kept) <= set(known)
    assert all(start in kept for start in known if start in free or start >= minute_of(until))
    assert remove_taken_starts(known, [], [], until) == known


def test_the_latest_date_ends_at_midnight_of_its_zone_also_when_clocks_change():
    """In New York a day later than in UTC by five hours."""
    assert TimePreferences(until=date(2026, 12, 1), zone="America/New_York").ends_at == datetime(
        2026, 12, 2, 5, tzinfo=UTC
    )
    assert TimePreferences(until=date(2026, 10, 25), zone="Europe/Berlin").ends_at == datetime(
        2026, 10, 25, 23, tzinfo=UTC
    )
