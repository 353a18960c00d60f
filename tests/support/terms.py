"""Terms of a booking, for tests that need some."""

from datetime import timedelta
from typing import Any

from kordless_booking.booking.terms import Terms
from tests.support.clock import NOW


def make_terms(**changes: Any) -> Terms:
    """An hour of haircut tomorrow, for a visitor in Paris; `changes` replace fields."""
    start = changes.get("start", NOW + timedelta(days=1))
    given = {"service": "haircut", "start": start, "end": start + timedelta(hours=1), "timezone": "Europe/Paris"}
    return Terms(**{**given, **changes})
