"""Erasure of appointments, and of their mails with them."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model, Q, QuerySet

from kordless_booking.booking.tokens import BrokenSeal
from kordless_booking.erasure.base import Person, Tally
from kordless_booking.mail.appointment_data import Particulars
from kordless_booking.models import Appointment, OutgoingMail

__all__ = ["Appointments"]


class Appointments:
    """Erasure target that deletes: the booking itself stands at Kordless, only no mail is sent any more."""

    name = "appointments with mail"
    models: tuple[type[Model], ...] = (Appointment, OutgoingMail)

    def of(self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool) -> Tally:
        theirs = _all(accounts).filter(Q(email_hash__in=person.hashes) | Q(phone_hash__in=person.hashes))
        for row in theirs:
            # Collected before the rows are gone: later targets know bookings by their number alone.
            try:
                person.numbers.add(Particulars.of(row).booking.confirmation_number)
            except BrokenSeal:
                # Its hashes are the person's, so it is deleted; only its number stays unknown.
                continue
        return _deleted(theirs)

    def older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> Tally:
        return _deleted(_all(accounts).filter(end__lt=moment))


def _all(accounts: list[str] | None) -> QuerySet[Appointment]:
    rows = Appointment.objects.all()
    return rows if accounts is None else rows.filter(account__in=accounts)


def _deleted(rows: QuerySet[Appointment]) -> Tally:
    # `delete()` also counts the mails that go with them.
    return Tally(rows.delete()[1].get(Appointment._meta.label, 0))
