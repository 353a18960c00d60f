"""Finds the open attempt behind a booking that a webhook reports: the webhook may arrive before the response does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from kordless_booking.api.resources import Booking, NewBooking
from kordless_booking.booking.attempt import Attempt, State
from kordless_booking.booking.placement import SEALED_BODY_TTL
from kordless_booking.booking.tokens import MAX_ROW_TOKEN, InvalidToken, decrypt_token
from kordless_booking.models import BookingAttempt

__all__ = ["find_open_attempt"]

MOST: Final = 100
"""Newest open attempts that are searched. Decrypting one takes a tenth of a millisecond."""
OPEN_FOR: Final = timedelta(days=2)
"""Age up to which open attempts are searched: longer than the day for which they are sent again."""


def find_open_attempt(account: str, booking: Booking, now: datetime) -> Attempt | None:
    """Return the open attempt with the booking's start and contact, or None: then the booking was made elsewhere.

    When several attempts match, because people share an email address or a phone, one with the booking's name is
    preferred, else the newest.
    """
    opened = BookingAttempt.objects.filter(
        account=account, created_at__gt=now - OPEN_FOR, state__in=[state for state in State if state.open]
    )
    found: Attempt | None = None
    for row in opened.order_by("-created_at")[:MOST]:
        try:
            sealed = decrypt_token(
                "attempt", account, row.sealed, max_age=SEALED_BODY_TTL, now=now.timestamp(), longest=MAX_ROW_TOKEN
            )
            attempt = Attempt.from_body(row.key, sealed["body"], sealed.get("attribution"), sealed.get("reader"))
        except (InvalidToken, KeyError, msgspec.DecodeError):
            # Of a SECRET_KEY that was rotated away, or of another release. One bad row must not hide the others.
            continue
        if _same(attempt.request, booking):
            if booking.contact and attempt.request.contact.name == booking.contact.name:
                return attempt
            found = found or attempt
    return found


def _same(new: NewBooking, booking: Booking) -> bool:
    """Compare start and email; the phone only when one side has no email."""
    asked, said = new.contact, booking.contact
    if said is None or new.start != booking.start:
        return False
    emails = ((asked.email or "").casefold(), (said.email or "").casefold())
    return emails[0] == emails[1] if all(emails) else bool(asked.phone) and asked.phone == said.phone
