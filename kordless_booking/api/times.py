"""Times and lengths of bookings, compared and rounded to the second.

One message of Kordless may have fractions where another has none ("14:00:00.000123Z", "13:59:59.999Z").
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

_SECOND: Final = timedelta(seconds=1)


def is_same_time(one: datetime, other: datetime) -> bool:
    """Return True for two times that differ by less than a second."""
    return abs(one - other) < _SECOND


def is_same_length(one: timedelta, other: timedelta) -> bool:
    """Return True for the lengths of a slot and a booking that differ by a second at most."""
    # A booking's start and end are rounded each by itself, so its length may be a whole second off.
    return abs(one - other) <= _SECOND


def round_to_second(moment: datetime) -> datetime:
    """Round a time to the second, as bookings have it."""
    # Every message about a booking gives the same time then, so a change is told from its own echo.
    try:
        return (moment + _SECOND / 2).replace(microsecond=0)
    except OverflowError:  # the last half second of the year 9999
        return moment.replace(microsecond=0)
