"""Time range that one month's page requests from Kordless."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from kordless_booking.limits import MAX_WINDOW_DAYS

__all__ = ["bookable_days", "month_window"]

DAY = timedelta(days=1)
USUAL = 60
"""Days, for a service that doesn't say how far ahead it can be booked."""


def bookable_days(booking_window_days: int | None) -> int:
    """How many days ahead a service can be booked, given what Kordless says; 60 where that makes no sense."""
    return USUAL if booking_window_days is None or booking_window_days < 0 else booking_window_days


def month_window(month: date, now: datetime, window_days: int | None) -> tuple[datetime, datetime] | None:
    """Return start and end (UTC midnights) around `month`, or None when nothing of it can be booked.

    A day is added on both sides, so that the month is whole in every time zone. The past is cut off, and so is what
    lies beyond `window_days` from `now` (a year when unknown). At most 33 days. Raises ValueError for a naive `now`.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    ahead = MAX_WINDOW_DAYS if window_days is None else max(0, min(window_days, MAX_WINDOW_DAYS))
    horizon = today + (ahead + 1) * DAY
    # Before any arithmetic: the month comes from a visitor, and datetime overflows after 9999.
    if not today.year - 1 <= month.year <= horizon.year + 1:
        return None
    first = datetime(month.year, month.month, 1, tzinfo=UTC)
    following = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)
    start, end = max(first - DAY, today), min(following + DAY, horizon)
    return (start, end) if start < end else None
