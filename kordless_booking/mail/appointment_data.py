"""Encrypted contents of an appointment's row: booking, contact, and the customer's preferences."""

from __future__ import annotations

import msgspec
from django.core.exceptions import ValidationError

from kordless_booking.api.msgspec_warmup import warm_up
from kordless_booking.api.resources import Booking, Contact
from kordless_booking.booking.hashes import number_hashes
from kordless_booking.booking.preferences import VisitorPreferences
from kordless_booking.booking.terms import Terms
from kordless_booking.booking.tokens import MAX_ROW_TOKEN, InvalidToken, decrypt_token, encrypt_token
from kordless_booking.conf import Account
from kordless_booking.forms import MAX_EMAIL
from kordless_booking.models import Appointment
from kordless_booking.normalization import normalize_email, validate_deliverable_email
from kordless_booking.questions.answers import Answer


class AppointmentData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that is known about a booking, and its customer's preferences as far as known."""

    booking: Booking
    preferences: VisitorPreferences | None = None
    answers: tuple[Answer, ...] = ()
    """Answers of the customer to the business's questions."""
    link_code: str = ""
    """Code of the link in messages (`mail/short_link.py`); "" while none was due."""
    reason: str = ""
    """The customer's reason for the newest change, for the mail to staff; "" when they gave none."""

    def __repr__(self) -> str:
        # Personal data: it must not appear in a traceback or a log.
        return "AppointmentData(…)"

    @property
    def contact(self) -> Contact:
        return self.booking.contact or Contact()

    @property
    def email(self) -> str:
        """Return the address to write to, or "" when no usable one is known."""
        return usable_email(self.contact.email)

    @property
    def proof(self) -> str:
        """Return the contact that Kordless demands with a lookup, or ""."""
        return self.email or self.contact.email or self.contact.phone or ""

    def encrypt(self, account: str) -> str:
        """Encrypt for the row's column `encrypted`."""
        return encrypt_token("appointment", account, msgspec.to_builtins(self))

    @classmethod
    def from_row(cls, row: Appointment) -> AppointmentData:
        """Decrypt a row. Start, end and status are those of the row's own columns.

        Raises InvalidToken when the data can't be decrypted, or was written by a version with other fields.
        """
        # However old: rows are deleted a day after the appointment's end.
        encrypted = decrypt_token(
            "appointment", row.account, row.encrypted, max_age=None, now=0, max_length=MAX_ROW_TOKEN
        )
        try:
            stored = msgspec.convert(encrypted, cls)
        except msgspec.ValidationError:
            raise InvalidToken from None
        current = msgspec.structs.replace(stored.booking, start=row.start, end=row.end, status=row.status)
        return msgspec.structs.replace(stored, booking=current)

    def merged_with(
        self,
        booking: Booking,
        preferences: VisitorPreferences | None,
        *,
        is_new: bool,
        answers: tuple[Answer, ...] = (),
        reason: str = "",
    ) -> AppointmentData:
        """Return these data merged with newer ones. Fields that `booking` leaves empty keep their value.

        Start, end and status are replaced only when `is_new`: an outdated delivery may still contain the phone number,
        but its time is wrong. So is `reason`, which belongs to one change.
        """
        known, excluded = self.booking, {"contact"} if is_new else {"contact", "start", "end", "status"}
        changes = {
            name: value
            for name in Booking.__struct_fields__
            if name not in excluded and (value := getattr(booking, name))
        }
        contact, reported = self.contact, booking.contact or Contact()
        changes["contact"] = Contact(
            name=reported.name or contact.name,
            email=reported.email or contact.email,
            phone=reported.phone or contact.phone,
        )
        return msgspec.structs.replace(
            self,
            booking=msgspec.structs.replace(known, **changes),
            preferences=_merge_preferences(self.preferences, preferences),
            answers=answers or self.answers,
            reason=reason if is_new else reason or self.reason,
        )


def _merge_preferences(
    known: VisitorPreferences | None, reported: VisitorPreferences | None
) -> VisitorPreferences | None:
    """Merge preferences: the newer ones. The terms are those that the booking was made with, once they are known.

    A page that doesn't know the customer's zone leaves the known one as it is.
    """
    if known is None or reported is None:
        return reported or known
    return msgspec.structs.replace(
        reported, timezone=reported.timezone or known.timezone, terms=reported.terms or known.terms
    )


def find_terms(account: Account, number: str) -> Terms | None:
    """Return the terms on which a booking was made here, for a customer who has proved the right to manage it.

    Kordless repeats neither host nor party size. None while the site sends nothing about bookings, and for a booking
    that was made elsewhere.
    """
    if not account.keeps_appointments:
        return None
    row = Appointment.objects.filter(account=account.name, number_hash__in=number_hashes([number])).first()
    try:
        preferences = AppointmentData.from_row(row).preferences if row else None
    except InvalidToken:
        # The SECRET_KEY has changed.
        return None
    return preferences.terms if preferences else None


def usable_email(text: str | None) -> str:
    """Return the address in its canonical spelling when mail can be sent to it, else ""."""
    address = normalize_email((text or "")[: 4 * MAX_EMAIL])
    if len(address) > MAX_EMAIL:
        return ""
    try:
        validate_deliverable_email(address)
    except ValidationError:
        return ""
    return address


# While one thread imports this: msgspec crashes when two threads use a new type for the first time at once.
warm_up(AppointmentData)
