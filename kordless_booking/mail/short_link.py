"""Short link to a booking's page, for text messages.

A manage link has hundreds of characters. This one is a random code that leads to the appointment's row: nothing can be
read from it, it works until the row is deleted, and the database holds only its hash, and the code itself encrypted.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from kordless_booking.booking.hashes import link_hashes
from kordless_booking.booking.preferences import VisitorPreferences
from kordless_booking.booking.receipt import ManageLink
from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.conf import Account
from kordless_booking.mail.appointment_data import AppointmentData
from kordless_booking.models import Appointment
from kordless_booking.presentation.timezones import canonical_timezone

CODE_LENGTH: Final = 16
"""Characters of a code: with 5 bits in each of them, 80 bits."""
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""32 letters and digits (Crockford's), of which no two look alike. Case doesn't count."""
LINK_WORKS_AFTER_END: Final = timedelta(days=1)
"""Time after the appointment's end for which its link works: as long as its row is kept."""


@dataclass(frozen=True)
class FoundLink:
    """Booking that a code leads to."""

    link: ManageLink
    preferences: VisitorPreferences | None
    """The customer's, as far as they are known."""


def with_link_code(data: AppointmentData) -> AppointmentData:
    """Return the data with a code; a known one stays, so that all messages about a booking have the same link."""
    if data.link_code:
        return data
    return msgspec.structs.replace(data, link_code=generate_code())


def generate_code() -> str:
    """Return a new random code."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))


def find_link(account: Account, code: str, now: datetime) -> FoundLink | None:
    """Return the booking behind a code; None when there is none, or its time is over. Raises DatabaseError."""
    row = Appointment.objects.filter(account=account.name, link_hash__in=link_hashes(code)).first()
    expires = row.end + LINK_WORKS_AFTER_END if row else now
    if row is None or expires <= now:
        return None
    try:
        data = AppointmentData.from_row(row)
    except InvalidToken:
        # The SECRET_KEY has changed.
        return None
    known = data.preferences
    link = ManageLink.for_terms(
        known.terms if known else None,
        number=data.booking.confirmation_number,
        # As Kordless has it, which may compare the texts.
        contact=data.contact.email or data.contact.phone or "",
        expires=int(expires.timestamp()),
        timezone=known.timezone if known and canonical_timezone(known.timezone) else None,
    )
    return FoundLink(link, known)
