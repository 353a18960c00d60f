"""Opening hours to bookable times: the grid of a calendar, right on clock-change days, with a crowd in it.

Everything is deterministic: a day offers the same times whoever asks and whenever. Times are Unix seconds.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .world import Business, Calendar, Service

HOUR = 3600


def openings(
    business: Business, service: Service, calendar: Calendar, first: date, last: date
) -> Iterator[tuple[int, int]]:
    """(start, seats left by the crowd) of every time on the grid on these local days, 0 seats when full."""
    length, step = service.duration * 60, service.interval * 60
    day = first
    while day <= last:
        spans = () if business.closed(day) else calendar.week.get(day.weekday(), ())
        taken = _taken_hours(calendar.id, day.toordinal(), calendar.crowd) if spans else frozenset()
        for opens, closes in spans:
            begin, end = _instant(business, day, opens), _instant(business, day, closes)
            shift = opens * 60 - begin
            for start in range(begin, end - length + 1, step):
                if service.capacity > 1:
                    yield start, service.capacity - _seats_taken(calendar.id, start, service.capacity)
                else:
                    hours = range((start + shift) // HOUR, (start + shift + length - 1) // HOUR + 1)
                    yield start, 0 if any(hour in taken for hour in hours) else 1
        day += timedelta(days=1)


def local_day(business: Business, moment: float) -> date:
    """The business's date at this moment."""
    return datetime.fromtimestamp(moment, UTC).astimezone(business.zone).date()


def window_end(business: Business, service: Service, today: date) -> int:
    """The first moment that can't be booked yet: midnight after the last day of the booking window."""
    return _instant(business, today + timedelta(days=service.window_days + 1), 0)


@lru_cache(maxsize=4096)
def _instant(business: Business, day: date, minutes: int) -> int:
    """The local clock time as an instant: after the gap when it is skipped, the first when it comes twice."""
    days, minutes = divmod(minutes, 24 * 60)
    wall = datetime.combine(day + timedelta(days=days), time(minutes // 60, minutes % 60), business.zone)
    return int(wall.timestamp())


@lru_cache(maxsize=8192)
def _taken_hours(calendar_id: str, ordinal: int, crowd: int) -> frozenset[int]:
    """Local hours of a day that others have taken: quiet days, busy days, and about one in fourteen full."""
    mood = _dice(calendar_id, ordinal) % 14
    chance = 100 if mood == 0 else crowd // 3 if mood < 5 else crowd + mood
    return frozenset(hour for hour in range(27) if _dice(calendar_id, ordinal, hour) % 100 < chance)


@lru_cache(maxsize=8192)
def _seats_taken(calendar_id: str, start: int, capacity: int) -> int:
    """Seats of a group that others hold: mostly a few, now and then all."""
    return min(capacity, _dice(calendar_id, start, "seats") % (capacity + 3))


def _dice(*what: object) -> int:
    return crc32("/".join(map(str, what)).encode())
