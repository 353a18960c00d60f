"""Deletes appointments that are over, and their mails with them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from kordless_booking.models import Appointment

__all__ = ["RETENTION", "delete_past"]

RETENTION: Final = timedelta(days=1)
"""Time for which an appointment is kept after its end."""


def delete_past(now: datetime) -> int:
    """Delete appointments that ended more than KEPT_AFTER ago. Return how many."""
    # `delete()` also counts the mails that go with them.
    gone = Appointment.objects.filter(end__lt=now - RETENTION).delete()[1]
    return gone.get("kordless_booking.Appointment", 0)
