"""What there is to write about: noted in the same transaction as the news, so that both are there or neither."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from kordless_booking.api.resources import Booking
from kordless_booking.booking.hashes import contact_hash, number_hash
from kordless_booking.booking.reader import Reader
from kordless_booking.booking.seal import BrokenSeal
from kordless_booking.conf import Account
from kordless_booking.forms import e164
from kordless_booking.mail.occasions import MailState, Occasion
from kordless_booking.mail.outbox import send_soon
from kordless_booking.mail.particulars import Particulars
from kordless_booking.mail.past import forget_past
from kordless_booking.models import Appointment, OutgoingMail

__all__ = ["queue", "take_in"]

LONGEST_STATUS: Final = 30
TIDIED_EVERY: Final = 100
"""With so many appointments those that are over are deleted, where no cron does it."""
_AT_FIRST: Final = {"confirmed": Occasion.CONFIRMED, "pending": Occasion.REQUESTED}


def take_in(
    account: Account,
    booking: Booking,
    change: Occasion | None,
    *,
    now: datetime,
    reader: Reader | None = None,
) -> None:
    """Note what was heard of a booking, and queue the mail that is due for it; sent once the transaction is committed.

    `change` is CONFIRMED for a new booking, RESCHEDULED or CANCELLED, and None when the booking is no news: then only
    what was not known before is noted, and that a request has been accepted. Needs a transaction.
    """
    if not account.mail:
        return
    row = _row(account, booking)
    if change is Occasion.CONFIRMED and row is not None:
        change = None  # its move was heard of first, and told with all there is to say
    known = _known(row) or Particulars(booking=booking)
    particulars = known.learn(booking, reader, news=change is not None)
    occasion = _occasion(row, booking, change)
    before = None
    if row is None:
        if change is None or not particulars.email or booking.end <= now:
            return
        row = Appointment(account=account.name, number_hash=number_hash(booking.confirmation_number))
    elif change is not None or occasion is not None:
        before = (row.start, row.end)
        row.revision += 1
        row.sequence = max(row.sequence + 1, int(now.timestamp()) // 60)
    if change is not None or occasion is not None:
        news = particulars.booking
        row.start, row.end, row.status, row.told_at = news.start, news.end, booking.status[:LONGEST_STATUS], now
    row.email_hash = contact_hash(particulars.email)
    phone = particulars.contact.phone or ""
    row.phone_hash = contact_hash(e164(phone, account.phone_region) or phone)  # as it is in a form, and when forgotten
    row.sealed = particulars.seal(account.name)
    row.save()
    if row.pk % TIDIED_EVERY == 0:
        forget_past(now)
    if occasion is not None and particulars.email and row.end > now:
        queue(row, occasion, now=now, before=before if occasion is Occasion.RESCHEDULED else None)


def queue(
    row: Appointment,
    occasion: Occasion,
    *,
    now: datetime,
    before: tuple[datetime, datetime] | None = None,
    soon: bool = True,
) -> bool:
    """Queue a mail about the appointment as it is now, in place of older ones that wait. False when there is one.

    `soon`: send it when the transaction is committed; else somebody else will.
    """
    mail = OutgoingMail(
        appointment=row, occasion=occasion, revision=row.revision, queued_at=now, due_at=now, changed_at=now
    )
    if before is not None:
        mail.before_start, mail.before_end = before
    try:
        with transaction.atomic():
            mail.save(force_insert=True)
    except IntegrityError:
        return False
    older = row.mails.filter(state=MailState.QUEUED).exclude(pk=mail.pk)
    older.update(state=MailState.OVERTAKEN, changed_at=now)
    if soon:
        transaction.on_commit(send_soon, robust=True)
    return True


def _row(account: Account, booking: Booking) -> Appointment | None:
    rows = Appointment.objects.select_for_update()
    return rows.filter(account=account.name, number_hash=number_hash(booking.confirmation_number)).first()


def _known(row: Appointment | None) -> Particulars | None:
    try:
        return Particulars.of(row) if row else None
    except BrokenSeal:
        return None


def _occasion(row: Appointment | None, booking: Booking, change: Occasion | None) -> Occasion | None:
    """What to write about; of a status that nobody knows nothing is said."""
    if change is Occasion.CANCELLED:
        return change
    if change is None:
        accepted = row is not None and (row.status, row.start) == ("pending", booking.start)
        return Occasion.CONFIRMED if accepted and booking.status == "confirmed" else None
    at_first = _AT_FIRST.get(booking.status)
    return change if at_first and change is Occasion.RESCHEDULED else at_first
