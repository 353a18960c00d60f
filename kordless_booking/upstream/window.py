"""Time ranges to request from Kordless: the near days in one, and each month beyond them."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from kordless_booking.limits import MAX_WINDOW_DAYS

DAY = timedelta(days=1)
USUAL_WINDOW_DAYS = 60
"""Days ahead that can be booked, as a guess while a service isn't known yet."""
NEAR_DAYS = 62
"""Days from today on that are requested in one call. Kordless documents no largest range; the sandbox refuses more."""
LONGEST_MONTH_DAYS = 33
"""Days of the longest range of a month: 31, and one on both sides."""


def bookable_days(booking_window_days: int | None) -> int:
    """Return how many days ahead a service can be booked: what Kordless says, or a year if that is absent or negative.

    Kordless answers what is free beyond any window that it has. A shorter one of ours would hide it.
    """
    return MAX_WINDOW_DAYS if booking_window_days is None or booking_window_days < 0 else booking_window_days


class Days(NamedTuple):
    """Dates from `first` to `last`, both included."""

    first: date
    last: date

    @classmethod
    def of_month(cls, day: date) -> Days:
        """Return all days of the month of a date."""
        first = day.replace(day=1)
        return cls(first, first.replace(day=monthrange(first.year, first.month)[1]))


def month_window(month: date, now: datetime, window_days: int | None) -> tuple[datetime, datetime] | None:
    """Return start and end (UTC midnights) around `month`, as `days_window` does. The result spans at most 33 days."""
    return days_window(Days.of_month(month), now, window_days)


def days_window(days: Days, now: datetime, window_days: int | None) -> tuple[datetime, datetime] | None:
    """Return start and end (UTC midnights) around some days, or None when nothing of them can be booked.

    A day is added on both sides, so that the days are complete in every time zone. Past days are cut off, and so are
    days more than `window_days` after `now` (a year if None). Raises ValueError for a naive `now`.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    return _days_window(days, now.astimezone(UTC).date(), window_days)


# Each page of times needs one several times, and all visitors look at the same few pages.
@lru_cache(maxsize=256)
def _days_window(days: Days, first: date, window_days: int | None) -> tuple[datetime, datetime] | None:
    today = _midnight(first)
    # One day more: the end is exclusive, and the last day counts as a whole.
    horizon = today + (_days_ahead(window_days) + 1) * DAY
    # Checked before any arithmetic: the days come from a visitor, and datetime overflows after the year 9999.
    if days.last.year < today.year - 1 or days.first.year > horizon.year + 1:
        return None
    start, end = max(_midnight(days.first) - DAY, today), min(_midnight(days.last) + 2 * DAY, horizon)
    return (start, end) if start < end else None


def by_month(window: tuple[datetime, datetime]) -> list[tuple[date, tuple[datetime, datetime]]]:
    """Return the months (their first days) whose blocks hold a window, each with its part of it.

    `month_window` gives a block a day more on both sides, so no month is read for one day at an end of the window.
    """
    start, end = window
    months = [(start + DAY).date().replace(day=1)]
    while (following := Days.of_month(months[-1]).last + DAY) and end - _midnight(following) > DAY:
        months.append(following)
    cuts = [start, *map(_midnight, months[1:]), end]
    return list(zip(months, pairwise(cuts), strict=True))


@lru_cache(maxsize=256)
def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def near_window(now: datetime, window_days: int | None) -> tuple[datetime, datetime]:
    """Return start and end (UTC midnights) of the near days: from today on, as far as can be booked.

    One day longer than what `is_near` counts on: fetched before midnight, it has the last day of after midnight too.
    """
    today = _midnight(now.astimezone(UTC).date())
    # `+ 2`: the last day counts as a whole, and the next one can be booked from midnight on.
    return today, today + min(NEAR_DAYS, _days_ahead(window_days) + 2) * DAY


def is_near(window: tuple[datetime, datetime], now: datetime) -> bool:
    """Return True if the near days hold all of a window, also when they were fetched yesterday."""
    return window[1] <= near_until(now)


def near_until(now: datetime) -> datetime:
    """Return the end (a UTC midnight) up to which the near days count, also when they were fetched yesterday."""
    return _midnight(now.astimezone(UTC).date()) + (NEAR_DAYS - 1) * DAY


def _days_ahead(window_days: int | None) -> int:
    return MAX_WINDOW_DAYS if window_days is None else max(0, min(window_days, MAX_WINDOW_DAYS))
