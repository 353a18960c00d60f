"""Schedule: opening hours to bookable times, correct on days when the clocks change.

Some times are occupied by an invented crowd, so that calendars look real. Everything is deterministic: a day offers the
same times in every process and on every run. Times are Unix seconds.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import Business, Calendar, Service

HOUR = 3600
_OPEN_WINDOW_DAYS = 3650
"""Days that can be booked ahead where no window is set: ten years, about as good as no end."""


def openings(
    business: Business, service: Service, calendar: Calendar, first: date, last: date
) -> Iterator[tuple[int, int]]:
    """Yield (start, free seats) for each start time from the local day `first` to `last`, 0 seats for a full one.

    Only the invented crowd is counted; bookings in the store are subtracted by `bookings.Taken`.
    """
    length, step = service.duration * 60, service.interval * 60
    day = first
    while day <= last:
        spans = () if business.closed(day) else calendar.week.get(day.weekday(), ())
        occupied = _crowd_hours(calendar.id, day.toordinal(), calendar.occupancy_percent) if spans else frozenset()
        for opens, closes in spans:
            begin, end = _instant(business, day, opens), _instant(business, day, closes)
            shift = opens * 60 - begin  # Unix seconds to local seconds of this day
            # Steps in real time: on a clock-change day the opening hours have more or fewer start times.
            for start in range(begin, end - length + 1, step):
                if service.capacity > 1:
                    yield start, service.capacity - _crowd_seats(calendar.id, start, service.capacity)
                else:
                    # Every hour that the appointment touches, the last one included only if it reaches into it.
                    hours = range((start + shift) // HOUR, (start + shift + length - 1) // HOUR + 1)
                    yield start, 0 if any(hour in occupied for hour in hours) else 1
        day += timedelta(days=1)


def local_day(business: Business, moment: float) -> date:
    """Return the business's local date at a moment."""
    return datetime.fromtimestamp(moment, UTC).astimezone(business.zone).date()


def window_end(business: Business, service: Service, today: date) -> int:
    """Return the end (exclusive) of the booking window: local midnight after its last day."""
    window_days = _OPEN_WINDOW_DAYS if service.window_days is None else service.window_days
    return _instant(business, today + timedelta(days=window_days + 1), 0)


@lru_cache(maxsize=4096)
def _instant(business: Business, day: date, minutes: int) -> int:
    """Return the Unix seconds of a local time. `minutes` beyond 1440 are on the next day.

    A time that is skipped when clocks go forward is moved behind the gap. Of a time that comes twice, the first counts
    (PEP 495, fold=0).
    """
    days, minutes = divmod(minutes, 24 * 60)
    wall = datetime.combine(day + timedelta(days=days), time(minutes // 60, minutes % 60), business.zone)
    return int(wall.timestamp())


@lru_cache(maxsize=8192)
def _crowd_hours(calendar_id: str, ordinal: int, crowd: int) -> frozenset[int]:
    """Return the local hours of a day that the crowd occupies. About one day in fourteen is full, others are quiet.

    Where nothing is booked (0 percent), no day is full either.
    """
    if not crowd:
        return frozenset()
    mood = _deterministic_random(calendar_id, ordinal) % 14
    # Percent for each hour. Moods: 0 full, 1 to 4 a third of the usual crowd, 5 to 13 a little more than usual.
    chance = 100 if mood == 0 else crowd // 3 if mood < 5 else crowd + mood
    # 27 hours: opening hours may reach past midnight.
    return frozenset(hour for hour in range(27) if _deterministic_random(calendar_id, ordinal, hour) % 100 < chance)


@lru_cache(maxsize=8192)
def _crowd_seats(calendar_id: str, start: int, capacity: int) -> int:
    """Return the seats of a group that the crowd occupies: mostly a few, now and then all."""
    return min(capacity, _deterministic_random(calendar_id, start, "seats") % (capacity + 3))


def _deterministic_random(*what: object) -> int:
    """Return a pseudo-random number that depends on the arguments alone; hash() would differ in each process."""
    return crc32("/".join(map(str, what)).encode())
