"""Availability: from Kordless's slots in UTC to the free times on the dates of the visitor's calendar.

All arithmetic is done on instants (UTC), and only the results are converted to local time. So days with 23, 24, 24½ or
25 hours come out right without special cases. No texts but the names of the parts of the day, no I/O, and `now` is
always an argument.
"""

from __future__ import annotations

import calendar
from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from django.utils.translation import pgettext

from kordless_booking.api.resources import Host, Slot
from kordless_booking.limits import MAX_WINDOW_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable

_MIDNIGHT = time()


class Opening(NamedTuple):
    """A bookable time in UTC: the part of an `AvailableTime` that is the same for all visitors."""

    start: datetime
    end: datetime
    slots: tuple[Slot, ...]
    hosts: tuple[Host, ...]
    free: int
    capacity: int


class AvailableTime(msgspec.Struct, frozen=True, kw_only=True):
    """A bookable time in the visitor's time zone, with everybody who is free then."""

    start: datetime
    """UTC, as is `end`."""
    end: datetime
    local_start: datetime
    """The same instants in the visitor's time zone, as is `local_end`."""
    local_end: datetime
    slots: tuple[Slot, ...]
    """The slots of this time, one for each host and in the order of `hosts`. A slot without a host adds none."""
    hosts: tuple[Host, ...]
    free: int
    """Seats left with the host who has most: a booking can't be split between hosts."""
    capacity: int
    """All seats with that host, taken ones included."""
    ambiguous: bool = False
    """The clocks go back and show this start twice (PEP 495), so the page has to show its offset."""
    crosses_midnight: bool = False
    """Ends on a later date than it starts. Ending at midnight sharp does not count."""


def free_times(
    slots: Iterable[Slot], *, zone: tzinfo, now: datetime, host_id: str | None = None, party_size: int = 1
) -> dict[date, tuple[AvailableTime, ...]]:
    """Return the times that `party_size` people can still book, by the visitor's date; dates and times in order.

    Left out are times that have begun, have too few seats for the whole party with one host, belong to another host
    than `host_id`, or end before they start. Slots with the same start and end are one time. Raises ValueError if `now`
    is naive.
    """
    openings = free_openings(slots, zone=zone, now=now, host_id=host_id, party_size=party_size)
    return {day: localize(found, zone) for day, found in openings.items()}


def free_openings(
    slots: Iterable[Slot], *, zone: tzinfo, now: datetime, host_id: str | None = None, party_size: int = 1
) -> dict[date, list[Opening]]:
    """Return the free openings by the visitor's date: enough to know which dates are free, at a tenth of the cost.

    `localize` makes times of them. Pass the same tuple of slots again, as the catalog does for all visitors, and only
    what depends on the zone and on `now` is computed again. Raises ValueError if `now` is naive.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    whole = slots if isinstance(slots, tuple) else tuple(slots)
    openings, starts = _openings(_ByIdentity(whole), host_id, party_size)
    days: dict[date, list[Opening]] = {}
    begin = bisect_right(starts, now)
    # One conversion per date instead of one per slot: the slots of a date are found by bisecting the next midnight.
    while begin < len(starts):
        try:
            day = starts[begin].astimezone(zone).date()
            midnight = _midnight_after(day, zone)
        except OverflowError:  # the day after 9999-12-31 does not exist
            break
        # At least one further: where midnight comes twice, it may lie before this start, and the loop would not end.
        end = bisect_left(starts, midnight, begin + 1)
        days.setdefault(day, []).extend(openings[begin:end])
        begin = end
    return days


def localize(openings: Iterable[Opening], zone: tzinfo) -> tuple[AvailableTime, ...]:
    """Convert the openings of one date to local times, in order."""
    times: list[AvailableTime] = []
    changing: dict[date, bool] = {}
    for start, end, slots, hosts, free, capacity in openings:
        try:
            local_start, local_end = start.astimezone(zone), end.astimezone(zone)
            day = local_start.date()
            if day not in changing:
                changing[day] = _may_be_ambiguous(day, zone)
        except OverflowError:  # as above
            continue
        found = AvailableTime(
            start=start,
            end=end,
            local_start=local_start,
            local_end=local_end,
            slots=slots,
            hosts=hosts,
            free=free,
            capacity=capacity,
            ambiguous=changing[day] and is_ambiguous(local_start),
            crosses_midnight=_crosses_midnight(local_start, local_end),
        )
        times.append(found)
    return tuple(times)


class _ByIdentity:
    """Cache key for a tuple of slots, compared by identity.

    Hashing a month of slots costs more than the cache saves.
    """

    __slots__ = ("slots",)

    def __init__(self, slots: tuple[Slot, ...]) -> None:
        self.slots = slots

    def __hash__(self) -> int:
        # Safe, because the cache holds the tuple: its id can't be given to another one.
        return id(self.slots)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.slots is self.slots


# Entries, each for one tuple of slots (a service's month), host and party size. An outdated tuple is pushed out.
@lru_cache(maxsize=128)
def _openings(same: _ByIdentity, host_id: str | None, party_size: int) -> tuple[list[Opening], list[datetime]]:
    """Return the openings that a party can book with a host, in order of start, and the list of their starts.

    Independent of zone and `now`. The slots of one time become one opening.
    """
    together: dict[tuple[datetime, datetime], list[Slot]] = {}
    for slot in same.slots:
        # Kordless may list full slots (unknown), so they are left out here.
        if slot.available < party_size or slot.available < 1 or slot.end <= slot.start:
            continue
        if host_id is not None and (slot.host is None or slot.host.id != host_id):
            continue
        together.setdefault((slot.start, slot.end), []).append(slot)
    openings = [_opening(start, end, slots) for (start, end), slots in sorted(together.items(), key=_first)]
    return openings, [opening.start for opening in openings]


def _opening(start: datetime, end: datetime, same: list[Slot]) -> Opening:
    slots = _one_per_host(same) if len(same) > 1 else tuple(same)
    best = max(slots, key=lambda slot: slot.available)
    hosts = tuple(slot.host for slot in slots if slot.host is not None)
    # More free seats than seats is nonsense that Kordless may send: "5 of 1" is never shown.
    return Opening(start, end, slots, hosts, best.available, max(best.capacity, best.available))


def _midnight_after(day: date, zone: tzinfo) -> datetime:
    """Return the instant at which the next date begins; where the clock skips midnight, the instant of the skip."""
    following = day + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=zone).astimezone(UTC)


def unique_hosts(slots: Iterable[Slot]) -> tuple[Host, ...]:
    """Return each host who has a slot once, by name; those without a name last."""
    return _hosts(_ByIdentity(slots if isinstance(slots, tuple) else tuple(slots)))


def max_party_size(slots: tuple[Slot, ...]) -> int:
    """Return the largest party that any of these slots could take if it were empty; 1 when there are none."""
    return _most_seats(_ByIdentity(slots))


@lru_cache(maxsize=128)
def _hosts(same: _ByIdentity) -> tuple[Host, ...]:
    return tuple(sorted({s.host.id: s.host for s in same.slots if s.host is not None}.values(), key=_by_name))


@lru_cache(maxsize=128)
def _most_seats(same: _ByIdentity) -> int:
    return max((slot.capacity for slot in same.slots), default=1)


class PartOfDay(StrEnum):
    """Part of the visitor's day: night until 5, morning until 12, afternoon until 17, then evening."""

    NIGHT = "night"
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"

    @property
    def label(self) -> str:
        """Heading in the active language."""
        return {
            PartOfDay.NIGHT: pgettext("part of day", "Night"),
            PartOfDay.MORNING: pgettext("part of day", "Morning"),
            PartOfDay.AFTERNOON: pgettext("part of day", "Afternoon"),
            PartOfDay.EVENING: pgettext("part of day", "Evening"),
        }[self]


# The part for each of the 24 hours.
_PART_BY_HOUR = [PartOfDay.NIGHT] * 5 + [PartOfDay.MORNING] * 7 + [PartOfDay.AFTERNOON] * 5 + [PartOfDay.EVENING] * 7


def parts_of_day(times: Iterable[AvailableTime]) -> list[tuple[PartOfDay, tuple[AvailableTime, ...]]]:
    """Group one day's times by part of the day, in the order of the clock; empty parts are left out."""
    parts: dict[PartOfDay, list[AvailableTime]] = {}
    for moment in times:
        parts.setdefault(_PART_BY_HOUR[moment.local_start.hour], []).append(moment)
    return [(part, tuple(parts[part])) for part in PartOfDay if part in parts]


def month_weeks(month: date, first_weekday: int) -> list[list[date | None]]:
    """Return the rows of a month's table, seven cells each, None outside the month. `first_weekday`: 0 is Monday."""
    cells = [
        date(month.year, month.month, day) if day else None
        for day in calendar.Calendar(first_weekday).itermonthdays(month.year, month.month)
    ]
    return [cells[row : row + 7] for row in range(0, len(cells), 7)]


def months_in_window(now: datetime, zone: tzinfo, window_days: int | None) -> tuple[date, date]:
    """Return the first and the last month (each as its first day) that may be opened, by the visitor's own today.

    `window_days` is how many days ahead can be booked: a year when unknown, and at most.
    """
    today = now.astimezone(zone).date()
    last = today + timedelta(days=_window(window_days))
    return today.replace(day=1), last.replace(day=1)


def _first(item: tuple[tuple[datetime, datetime], list[Slot]]) -> tuple[datetime, datetime]:
    return item[0]


def _by_name(host: Host) -> tuple[bool, str, str]:
    return host.name is None, (host.name or "").casefold(), host.id


def _by_host(slot: Slot) -> tuple[bool, bool, str, str]:
    return (slot.host is None, *(_by_name(slot.host) if slot.host else (True, "", "")))


def _may_be_ambiguous(day: date, zone: tzinfo) -> bool:
    """Return True when some local time may come twice on a date. Checked once per date, because `utcoffset` is slow."""
    begin = datetime(day.year, day.month, day.day, tzinfo=zone)
    # `fold=1`: when the clocks go back around midnight, the day ends at the second midnight.
    end = (begin + timedelta(days=1)).replace(fold=1)
    return begin.utcoffset() != end.utcoffset()


def is_ambiguous(local: datetime) -> bool:
    """Return True when this aware local time is ambiguous (PEP 495), because the clocks are set back."""
    # A local time that the clocks skip differs too; but no instant converts to one.
    return local.replace(fold=1 - local.fold).utcoffset() != local.utcoffset()


def _one_per_host(same: list[Slot]) -> tuple[Slot, ...]:
    """Return the slot with most seats left for each host: Kordless may list one time of a host more than once."""
    chosen: dict[str | None, Slot] = {}
    for slot in same:
        key = slot.host.id if slot.host else None
        if key not in chosen or chosen[key].available < slot.available:
            chosen[key] = slot
    return tuple(sorted(chosen.values(), key=_by_host))


def _crosses_midnight(start: datetime, end: datetime) -> bool:
    # By date, not by hours: a visit from 23:30 to 0:00 ends on the same evening for people.
    days = end.toordinal() - start.toordinal()
    return days > 1 or (days == 1 and end.time() != _MIDNIGHT)


def _window(days: int | None) -> int:
    return MAX_WINDOW_DAYS if days is None else min(max(days, 0), MAX_WINDOW_DAYS)
