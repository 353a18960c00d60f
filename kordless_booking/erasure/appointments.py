"""Erasure of appointments, and of their mails with them."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model, Q, QuerySet

from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.erasure.base import ErasureResult, Person
from kordless_booking.mail.appointment_data import AppointmentData
from kordless_booking.models import Appointment, OutgoingMail

__all__ = ["Appointments"]


class Appointments:
    """Erasure target that deletes: the booking itself stands at Kordless, only no mail is sent any more."""

    name = "appointments with mail"
    models: tuple[type[Model], ...] = (Appointment, OutgoingMail)

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        theirs = _all(accounts).filter(Q(email_hash__in=person.hashes) | Q(phone_hash__in=person.hashes))
        for row in theirs:
            # Collected before the rows are gone: later targets know bookings by their number alone.
            try:
                person.numbers.add(AppointmentData.from_row(row).booking.confirmation_number)
            except InvalidToken:
                # Its hashes are the person's, so it is deleted; only its number stays unknown.
                continue
        return _deleted(theirs)

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        return _deleted(_all(accounts).filter(end__lt=moment))


def _all(accounts: list[str] | None) -> QuerySet[Appointment]:
    rows = Appointment.objects.all()
    return rows if accounts is None else rows.filter(account__in=accounts)


def _deleted(rows: QuerySet[Appointment]) -> ErasureResult:
    # `delete()` also counts the mails that go with them.
    return ErasureResult(rows.delete()[1].get(Appointment._meta.label, 0))
