"""From slots to the visitor's days: which times are free on which date of their own calendar.

Kordless speaks UTC; a person reads a clock on the wall. All arithmetic here is done on instants, and only the
results are put on the wall, so days with 23, 24, 24½ or 25 hours come out right by themselves. No texts but
the names of the parts of the day, no I/O, and `now` is always given.
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

__all__ = [
    "Opening",
    "PartOfDay",
    "Time",
    "comes_twice",
    "free_openings",
    "free_times",
    "hosts_of",
    "month_weeks",
    "months_in_window",
    "most_seats",
    "parts_of_day",
    "times_of",
]

_MIDNIGHT = time()


class Opening(NamedTuple):
    """What a `Time` is for every visitor, whatever their clock shows."""

    start: datetime
    end: datetime
    slots: tuple[Slot, ...]
    hosts: tuple[Host, ...]
    free: int
    capacity: int


class Time(msgspec.Struct, frozen=True, kw_only=True):
    """One time that can be chosen, with everybody who is free then.

    `start`, `end`: UTC. `local_start`, `local_end`: the same instants on the visitor's clock. `slots` are
    the slots behind it, one for each host in the order of `hosts`; a slot of nobody in particular adds no
    host. `free` and `capacity` are those of the host with most seats left, as a booking can't be split
    between hosts. `ambiguous`: the clocks go back and show this start twice, so it needs its offset said.
    `crosses_midnight`: it ends on a later date than it starts; ending at midnight sharp does not count.
    """

    start: datetime
    end: datetime
    local_start: datetime
    local_end: datetime
    slots: tuple[Slot, ...]
    hosts: tuple[Host, ...]
    free: int
    capacity: int
    ambiguous: bool = False
    crosses_midnight: bool = False


def free_times(
    slots: Iterable[Slot], *, zone: tzinfo, now: datetime, host_id: str | None = None, party_size: int = 1
) -> dict[date, tuple[Time, ...]]:
    """The times that `party_size` people can still book, by the visitor's date; dates and times in order.

    Dropped: what has begun, is too full for the whole party with one host, belongs to another host than
    `host_id`, or makes no sense. Slots with the same start and end are one time.
    Raises ValueError if `now` is naive.
    """
    openings = free_openings(slots, zone=zone, now=now, host_id=host_id, party_size=party_size)
    return {day: times_of(found, zone) for day, found in openings.items()}


def free_openings(
    slots: Iterable[Slot], *, zone: tzinfo, now: datetime, host_id: str | None = None, party_size: int = 1
) -> dict[date, list[Opening]]:
    """What `times_of` makes the times of a date from: enough to know which dates are free, at a tenth of the cost.

    Give the same tuple of slots again, as the catalog does for all visitors, and only what hangs on the zone and
    on `now` is worked out again. Raises ValueError if `now` is naive.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    whole = slots if isinstance(slots, tuple) else tuple(slots)
    openings, starts = _openings(_Same(whole), host_id, party_size)
    days: dict[date, list[Opening]] = {}
    begin = bisect_right(starts, now)
    while begin < len(starts):
        try:
            day = starts[begin].astimezone(zone).date()
            midnight = _midnight_after(day, zone)
        except OverflowError:  # the last day of the year 9999 has no tomorrow
            break
        end = bisect_left(starts, midnight, begin + 1)
        days.setdefault(day, []).extend(openings[begin:end])
        begin = end
    return days


def times_of(openings: Iterable[Opening], zone: tzinfo) -> tuple[Time, ...]:
    """The times of one date, in order."""
    times: list[Time] = []
    changing: dict[date, bool] = {}
    for start, end, slots, hosts, free, capacity in openings:
        try:
            local_start, local_end = start.astimezone(zone), end.astimezone(zone)
            day = local_start.date()
            if day not in changing:
                changing[day] = _clocks_go_back(day, zone)
        except OverflowError:  # as above
            continue
        found = Time(
            start=start,
            end=end,
            local_start=local_start,
            local_end=local_end,
            slots=slots,
            hosts=hosts,
            free=free,
            capacity=capacity,
            ambiguous=changing[day] and comes_twice(local_start),
            crosses_midnight=_crosses_midnight(local_start, local_end),
        )
        times.append(found)
    return tuple(times)


class _Same:
    """A tuple of slots as a key that is compared by identity: hashing a month of slots costs more than it saves."""

    __slots__ = ("slots",)

    def __init__(self, slots: tuple[Slot, ...]) -> None:
        self.slots = slots

    def __hash__(self) -> int:
        return id(self.slots)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.slots is self.slots


@lru_cache(maxsize=128)
def _openings(same: _Same, host_id: str | None, party_size: int) -> tuple[list[Opening], list[datetime]]:
    """What a party can book with a host, in order, whenever it is, and when each begins; the slots of one time
    together.
    """
    together: dict[tuple[datetime, datetime], list[Slot]] = {}
    for slot in same.slots:
        if slot.free < party_size or slot.free < 1 or slot.end <= slot.start:
            continue
        if host_id is not None and (slot.host is None or slot.host.id != host_id):
            continue
        together.setdefault((slot.start, slot.end), []).append(slot)
    openings = [_opening(start, end, slots) for (start, end), slots in sorted(together.items(), key=_first)]
    return openings, [opening.start for opening in openings]


def _opening(start: datetime, end: datetime, same: list[Slot]) -> Opening:
    slots = _one_per_host(same) if len(same) > 1 else tuple(same)
    best = max(slots, key=lambda slot: slot.free)
    hosts = tuple(slot.host for slot in slots if slot.host is not None)
    return Opening(start, end, slots, hosts, best.free, max(best.capacity, best.free))


def _midnight_after(day: date, zone: tzinfo) -> datetime:
    """The instant at which the next date begins; where the clock skips midnight, the instant at which it does."""
    following = day + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=zone).astimezone(UTC)


def hosts_of(slots: Iterable[Slot]) -> tuple[Host, ...]:
    """Everybody who has a slot, once, by name; those without a name last."""
    return _hosts(_Same(slots if isinstance(slots, tuple) else tuple(slots)))


def most_seats(slots: tuple[Slot, ...]) -> int:
    """The largest party that any of these could ever take; 1 when there are none."""
    return _most_seats(_Same(slots))


@lru_cache(maxsize=128)
def _hosts(same: _Same) -> tuple[Host, ...]:
    return tuple(sorted({s.host.id: s.host for s in same.slots if s.host is not None}.values(), key=_by_name))


@lru_cache(maxsize=128)
def _most_seats(same: _Same) -> int:
    return max((slot.capacity for slot in same.slots), default=1)


class PartOfDay(StrEnum):
    """A stretch of the visitor's clock: night until 5, morning until 12, afternoon until 17, then evening."""

    NIGHT = "night"
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"

    @property
    def label(self) -> str:
        """Its name as a heading, in the active language."""
        return {
            PartOfDay.NIGHT: pgettext("part of day", "Night"),
            PartOfDay.MORNING: pgettext("part of day", "Morning"),
            PartOfDay.AFTERNOON: pgettext("part of day", "Afternoon"),
            PartOfDay.EVENING: pgettext("part of day", "Evening"),
        }[self]


_PART_BY_HOUR = [PartOfDay.NIGHT] * 5 + [PartOfDay.MORNING] * 7 + [PartOfDay.AFTERNOON] * 5 + [PartOfDay.EVENING] * 7


def parts_of_day(times: Iterable[Time]) -> list[tuple[PartOfDay, tuple[Time, ...]]]:
    """One day's times by part of the day, in the order of the clock; empty parts are left out."""
    parts: dict[PartOfDay, list[Time]] = {}
    for moment in times:
        parts.setdefault(_PART_BY_HOUR[moment.local_start.hour], []).append(moment)
    return [(part, tuple(parts[part])) for part in PartOfDay if part in parts]


def month_weeks(month: date, first_weekday: int) -> list[list[date | None]]:
    """The rows of a month's table, seven cells each, None outside the month. `first_weekday`: 0 is Monday."""
    cells = [
        date(month.year, month.month, day) if day else None
        for day in calendar.Calendar(first_weekday).itermonthdays(month.year, month.month)
    ]
    return [cells[row : row + 7] for row in range(0, len(cells), 7)]


def months_in_window(now: datetime, zone: tzinfo, window_days: int | None) -> tuple[date, date]:
    """The first and the last month (each as its first day) that may be opened, by the visitor's own today.

    `window_days` is how far ahead can be booked: a year when unknown, and at most.
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


def _clocks_go_back(day: date, zone: tzinfo) -> bool:
    """Whether some clock time may come twice on a date: asked once per day, because asking is slow."""
    begin = datetime(day.year, day.month, day.day, tzinfo=zone)
    end = (begin + timedelta(days=1)).replace(fold=1)
    return begin.utcoffset() != end.utcoffset()


def comes_twice(local: datetime) -> bool:
    """Whether the clock shows this aware local time twice, because it is set back."""
    return local.replace(fold=1 - local.fold).utcoffset() != local.utcoffset()


def _one_per_host(same: list[Slot]) -> tuple[Slot, ...]:
    """Kordless may say a thing twice: for each host, the slot with most seats left counts."""
    chosen: dict[str | None, Slot] = {}
    for slot in same:
        key = slot.host.id if slot.host else None
        if key not in chosen or chosen[key].free < slot.free:
            chosen[key] = slot
    return tuple(sorted(chosen.values(), key=_by_host))


def _crosses_midnight(start: datetime, end: datetime) -> bool:
    days = end.toordinal() - start.toordinal()
    return days > 1 or (days == 1 and end.time() != _MIDNIGHT)


def _window(days: int | None) -> int:
    return MAX_WINDOW_DAYS if days is None else min(max(days, 0), MAX_WINDOW_DAYS)
