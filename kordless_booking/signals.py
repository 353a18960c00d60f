"""What a site can listen to.

All three are sent after the fact, with these keyword arguments:

- `booking`: an `api.resources.Booking`, times in UTC, with the contact as far as it is known;
- `account`: the name of the account, "default" for a site with one;
- `attribution`: where the visitor came from, such as `{"utm_source": "newsletter"}`; empty when nothing is known.

A receiver that raises is logged and keeps neither the booking nor the visitor's page from being made. What takes long
belongs in the site's task queue.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.dispatch import Signal

from kordless_booking.api.resources import Booking

__all__ = ["announce", "booking_cancelled", "booking_created", "booking_rescheduled"]

log = logging.getLogger("kordless_booking.signals")

booking_created = Signal()
booking_rescheduled = Signal()
booking_cancelled = Signal()


def announce(signal: Signal, booking: Booking, *, account: str, attribution: Mapping[str, str] | None = None) -> None:
    """Send one of the signals to everybody who listens, whatever any of them does."""
    answers = signal.send_robust(sender=Booking, booking=booking, account=account, attribution=dict(attribution or {}))
    for listener, answer in answers:
        if isinstance(answer, Exception):
            name = getattr(listener, "__qualname__", type(listener).__name__)
            log.error("event=receiver_failed receiver=%s error=%s", name, type(answer).__name__)
