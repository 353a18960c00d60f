"""Search of deliveries by the person they are about. Bodies are encrypted, so each one is decrypted and parsed."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from kordless_booking.models import WebhookDelivery
from kordless_booking.webhooks.replay import event_of
from kordless_booking.webhooks.stored_body import BODY_RETENTION, BodyUnavailable

if TYPE_CHECKING:
    from kordless_booking.api.resources import Booking

__all__ = ["MAX_DECRYPTED", "search_deliveries"]

MAX_DECRYPTED: Final = 2000
"""Deliveries that are decrypted at most, newest first: each costs a fraction of a millisecond."""
MOST_FOUND: Final = 100
"""Results at most."""
MIN_PHONE_DIGITS: Final = 5
"""Digits that are needed to search for a phone number by its end."""


def search_deliveries(wanted: str, now: datetime) -> list[WebhookDelivery]:
    """Return deliveries about a booking with this confirmation number, or with this email address or phone number.

    The case doesn't matter. For a phone number its last digits are enough.
    """
    wanted = wanted.strip().casefold()
    if not wanted:
        return []
    found = []
    rows = (
        WebhookDelivery.objects.filter(received_at__gt=now - BODY_RETENTION).exclude(sealed="").order_by("-received_at")
    )
    for row in rows[:MAX_DECRYPTED].iterator():
        try:
            booking = event_of(row, now).booking
        except BodyUnavailable:
            continue
        if booking is not None and _is_about(booking, wanted):
            found.append(row)
            if len(found) == MOST_FOUND:
                break
    return found


def _is_about(booking: Booking, wanted: str) -> bool:
    contact = booking.contact
    names = [booking.confirmation_number, *([contact.email or ""] if contact else [])]
    if wanted in [name.casefold() for name in names]:
        return True
    # By digits alone: Kordless has E.164, staff type what the customer says.
    digits = re.sub(r"\D", "", wanted)
    phone = re.sub(r"\D", "", contact.phone or "") if contact else ""
    is_phone = re.fullmatch(r"[\d\s()+./-]+", wanted) is not None
    # A leading 0 is the national prefix, which E.164 doesn't have.
    return is_phone and len(digits) >= MIN_PHONE_DIGITS and phone.endswith(digits.lstrip("0"))
