"""Appointments that are over: forgotten, and their mails with them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from kordless_booking.models import Appointment

__all__ = ["KEPT_AFTER", "forget_past"]

KEPT_AFTER: Final = timedelta(days=1)
"""How long after its end an appointment is still kept."""


def forget_past(now: datetime) -> int:
    """Delete what is over for longer than KEPT_AFTER. How many appointments."""
    gone = Appointment.objects.filter(end__lt=now - KEPT_AFTER).delete()[1]
    return gone.get("kordless_booking.Appointment", 0)
