"""Finding deliveries by whom they are about, although that is stored encrypted only: each body is opened and read."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from kordless_booking.models import WebhookDelivery
from kordless_booking.webhooks.kept import SEALED_FOR, GoneBody
from kordless_booking.webhooks.replay import event_of

if TYPE_CHECKING:
    from kordless_booking.api.resources import Booking

__all__ = ["MOST", "find"]

MOST: Final = 2000
"""Deliveries that are opened, the newest first: each costs a fraction of a millisecond."""
MOST_FOUND: Final = 100
SHORTEST: Final = 5
"""Digits of a phone number that is looked for by its end."""


def find(wanted: str, now: datetime) -> list[WebhookDelivery]:
    """The deliveries about a booking with this confirmation number, or of somebody with this e-mail address or phone.

    Upper and lower case are the same; of a phone number the last digits are enough.
    """
    wanted = wanted.strip().casefold()
    if not wanted:
        return []
    found = []
    rows = WebhookDelivery.objects.filter(received_at__gt=now - SEALED_FOR).exclude(sealed="").order_by("-received_at")
    for row in rows[:MOST].iterator():
        try:
            booking = event_of(row, now).booking
        except GoneBody:
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
    digits = re.sub(r"\D", "", wanted)
    phone = re.sub(r"\D", "", contact.phone or "") if contact else ""
    is_phone = re.fullmatch(r"[\d\s()+./-]+", wanted) is not None
    return is_phone and len(digits) >= SHORTEST and phone.endswith(digits.lstrip("0"))
