"""Bookings that this site has asked for and whose answer it may not have: Kordless's webhook can be quicker."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from kordless_booking.api.resources import Booking, NewBooking
from kordless_booking.booking.attempt import Attempt, State
from kordless_booking.booking.placing import KEPT
from kordless_booking.booking.seal import MAX_ROW_TOKEN, BrokenSeal, unseal
from kordless_booking.models import BookingAttempt

__all__ = ["awaited"]

MOST: Final = 100
"""Open attempts that are looked through: each costs a tenth of a millisecond."""
OPEN_FOR: Final = timedelta(days=2)


def awaited(account: str, booking: Booking, now: datetime) -> Attempt | None:
    """The open attempt that `booking` came of, by its time and contact; None when somebody else made it.

    Of several people who share an address and want the same time, the one with the booking's name.
    """
    opened = BookingAttempt.objects.filter(
        account=account, created_at__gt=now - OPEN_FOR, state__in=[state for state in State if state.open]
    )
    found: Attempt | None = None
    for row in opened.order_by("-created_at")[:MOST]:
        try:
            sealed = unseal("attempt", account, row.sealed, max_age=KEPT, now=now.timestamp(), longest=MAX_ROW_TOKEN)
            attempt = Attempt.read(row.key, sealed["body"], sealed.get("attribution"), sealed.get("reader"))
        except (BrokenSeal, KeyError, msgspec.DecodeError):
            continue
        if _same(attempt.new, booking):
            if booking.contact and attempt.new.contact.name == booking.contact.name:
                return attempt
            found = found or attempt
    return found


def _same(new: NewBooking, booking: Booking) -> bool:
    asked, said = new.contact, booking.contact
    if said is None or new.start != booking.start:
        return False
    emails = ((asked.email or "").casefold(), (said.email or "").casefold())
    return emails[0] == emails[1] if all(emails) else bool(asked.phone) and asked.phone == said.phone
