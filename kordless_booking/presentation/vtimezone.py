"""VTIMEZONE of a calendar file: a time zone's rules around a moment.

Calendars that know the zone's name use their own rules; the others use these. Not icalendar's own, because that writes
the start of summer time by the clock after the change; RFC 5545 (3.6.5) wants the one before.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kordless_booking.lazy_imports import LazyModule

from .timezones import get_timezone

if TYPE_CHECKING:
    from collections.abc import Iterator

    import icalendar
else:
    icalendar = LazyModule("icalendar")

_AROUND = timedelta(days=366)
"""The rules cover a year before and a year after the event."""
_STEP = timedelta(days=1)
"""Search step. Two changes within one step that cancel each other would be missed."""
_EXACT = timedelta(seconds=1)


def zone_rules(name: str, start: datetime, end: datetime) -> icalendar.Timezone:
    """Return the VTIMEZONE of a known zone, valid from a year before `start` to a year after `end` (aware).

    Raises ValueError for an unknown zone and OverflowError at the ends of the calendar.
    """
    first, last = (start - _AROUND).astimezone(UTC), (end + _AROUND).astimezone(UTC)
    rules = icalendar.Timezone()
    rules.add("tzid", name)
    # The offset in force at the beginning, as if it had begun there: there is no change before the first one.
    rules.add_component(_observance(name, first, first))
    for change in utc_offset_changes(name, first, last):
        rules.add_component(_observance(name, change - _EXACT, change))
    return rules


def utc_offset_changes(name: str, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the instants (UTC, to the second) between `first` and `last` at which a known zone's UTC offset changes."""
    place = get_timezone(name)
    before = first
    while before < last:
        after = min(before + _STEP, last)
        if before.astimezone(place).utcoffset() != after.astimezone(place).utcoffset():
            # `zoneinfo` doesn't publish its transitions: bisect.
            low, high = before, after
            while high - low > _EXACT:
                middle = low + (high - low) // 2
                same = middle.astimezone(place).utcoffset() == before.astimezone(place).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            yield high.replace(microsecond=0)
        before = after


def _observance(name: str, before: datetime, at: datetime) -> icalendar.TimezoneDaylight | icalendar.TimezoneStandard:
    old, new = before.astimezone(get_timezone(name)), at.astimezone(get_timezone(name))
    offset_from, offset_to = old.utcoffset() or timedelta(), new.utcoffset() or timedelta()
    observance = (
        icalendar.TimezoneDaylight() if (new.dst() or timedelta()) > timedelta() else icalendar.TimezoneStandard()
    )
    # In local time before the change, and naive, as RFC 5545 (3.6.5) wants it.
    observance.add("dtstart", (at.astimezone(UTC) + offset_from).replace(tzinfo=None))
    observance.add("tzoffsetfrom", offset_from)
    observance.add("tzoffsetto", offset_to)
    observance.add("tzname", new.tzname() or name)
    return observance
