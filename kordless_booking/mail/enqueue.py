"""Records appointments and queues the mail that is due about them.

Both happen in the transaction that records the booking change, so that either all of it exists or none of it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from copy import copy
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import IntegrityError, transaction

from kordless_booking.api.resources import Booking
from kordless_booking.booking.hashes import contact_hash, link_hash, number_hash, number_hashes, rekey_row
from kordless_booking.booking.preferences import VisitorPreferences
from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.conf import Account
from kordless_booking.logs import log_event
from kordless_booking.mail.appointment_data import AppointmentData
from kordless_booking.mail.channels import channels_for, usable_phone
from kordless_booking.mail.outbox import send_in_background, send_later
from kordless_booking.mail.short_link import LINK_WORKS_AFTER_END, with_link_code
from kordless_booking.models import Appointment, OutgoingMail
from kordless_booking.normalization import to_e164
from kordless_booking.questions.answers import Answer

log = logging.getLogger("kordless_booking.mail")

MAX_STATUS_CHARS: Final = 30
"""Characters. The width of the column `Appointment.status`; Kordless may send a status that nobody knows."""
RESCHEDULED_DELAY: Final = timedelta(minutes=1)
"""Time for which the mail about a moved booking waits, because whoever moves one often moves it again. A mail about a
later move replaces it.
"""
CLEANUP_EVERY: Final = 100
"""Saving a row whose primary key is a multiple of this deletes past appointments, for sites that run no cron job."""
_FIRST_KIND: Final = {
    "confirmed": OutgoingMail.Kind.CONFIRMED,
    "pending": OutgoingMail.Kind.REQUESTED,
    # Kordless didn't say. That the request was received is true in any case.
    "": OutgoingMail.Kind.REQUESTED,
}
"""Kind of the mail about a new booking, by the booking's status. Any other status leads to no mail."""


def is_mailed_about(account: Account, status: str) -> bool:
    """Return True when a new booking with this status is mailed to its customer, where an email address is known."""
    return account.mail and status in _FIRST_KIND


def is_texted_about(account: Account, status: str, phone: str) -> bool:
    """Return True when a new booking with this status leads to a message to the phone that was its only contact."""
    return bool(account.messenger) and status in _FIRST_KIND and bool(usable_phone(phone, account.phone_region))


def record_and_enqueue(
    account: Account,
    booking: Booking,
    change: OutgoingMail.Kind | None,
    *,
    now: datetime,
    preferences: VisitorPreferences | None = None,
    answers: tuple[Answer, ...] = (),
    reason: str = "",
) -> None:
    """Record what a booking says, and queue what is due: a mail or a message to its customer, or both; a mail to staff.

    Does nothing while the account sends none of them. `reason` is why the customer changed the booking, for staff.

    `change` is CONFIRMED for a new booking, RESCHEDULED or CANCELLED, and None when the booking contains nothing new.
    With None only missing details are filled in, and the acceptance of a pending request is noticed. Needs a
    transaction; the mail is sent after its commit. `preferences` is None when the visitor's preferences aren't known.
    """
    if not account.keeps_appointments:
        return
    row = _lock_appointment(account, booking)
    if change is OutgoingMail.Kind.CONFIRMED and row is not None:
        # A later change arrived before the creation. Its mail has already told the customer everything.
        change = None
    stored = _decrypt_or_none(row) or AppointmentData(booking=booking)
    data = stored.merged_with(
        booking,
        preferences,
        is_new=change is not None,
        answers=answers,
        # Kept for staff alone.
        reason=reason if account.staff_email else "",
    )
    kind = _mail_kind(row, booking, change)
    before, channels = None, channels_for(account, data)
    if row is None and change is not None and (not channels or booking.end <= now):
        # The form refuses such an address, but a booking may have been made elsewhere.
        if account.mail and data.contact.email and not data.email:
            log_event(log, logging.INFO, "mail_without_address", account=account.name)
        elif account.messenger and data.contact.phone and not data.email and not channels:
            log_event(log, logging.INFO, "message_without_number", account=account.name)
    if account.staff_email and change is not None:
        # Not of the acceptance of a request, which is a change of theirs.
        channels = (*channels, OutgoingMail.Channel.STAFF)
    if row is None:
        # There is nothing to tell: not a new booking, nobody to tell, or the appointment is over.
        if change is None or not channels or booking.end <= now:
            return
        row = Appointment(account=account.name, number_hash=number_hash(booking.confirmation_number))
    elif change is not None or kind is not None:
        before = (row.start, row.end)
        # A mail that waits with an older revision is superseded when the outbox comes to it.
        row.revision += 1
        # iCalendar SEQUENCE in minutes since 1970, as in the manage page's file: calendars ignore a lower number.
        row.sequence = max(row.sequence + 1, int(now.timestamp()) // 60)
    if change is not None or kind is not None:
        current = data.booking
        row.start, row.end, row.status, row.notified_at = (
            current.start,
            current.end,
            booking.status[:MAX_STATUS_CHARS],
            now,
        )
    store_data(row, data, account)
    row.save()
    if row.pk % CLEANUP_EVERY == 0:
        delete_past(now)
    if kind is not None and channels and row.end > now:
        moved_from = before if kind is OutgoingMail.Kind.RESCHEDULED else None
        enqueue(row, kind, channels=channels, now=now, before=moved_from)


def store_data(row: Appointment, data: AppointmentData, account: Account) -> None:
    """Set the row's encrypted data, and the hashes by which it is found. The caller saves the row."""
    if OutgoingMail.Channel.PHONE in channels_for(account, data):
        data = with_link_code(data)
    row.email_hash = contact_hash(data.email)
    phone = data.contact.phone or ""
    # E.164, as the form stores it, so that erasure by contact finds the row by its hash.
    row.phone_hash = contact_hash(to_e164(phone, account.phone_region or None) or phone)
    row.link_hash = link_hash(data.link_code)
    row.encrypted = data.encrypt(account.name)


def enqueue(
    row: Appointment,
    kind: OutgoingMail.Kind,
    *,
    now: datetime,
    channels: Collection[OutgoingMail.Channel] = (OutgoingMail.Channel.EMAIL,),
    before: tuple[datetime | None, datetime | None] | None = None,
    send_on_commit: bool = True,
) -> bool:
    """Queue a mail about the appointment as it is now, on each channel. Return False when all of them exist already.

    Older mails of the appointment that still wait are superseded. `before` is the start and end that a moved booking
    had. With `send_on_commit` the outbox is sent after the transaction's commit, or when the mail is due; otherwise the
    caller sees to that.
    """
    delay = timedelta()
    if kind is OutgoingMail.Kind.RESCHEDULED:
        # Not if there is little time left: then it is urgent.
        delay = RESCHEDULED_DELAY if row.start > now + 2 * RESCHEDULED_DELAY else delay
        replaced = row.mails.filter(state=OutgoingMail.State.QUEUED, kind=kind).order_by("pk").first()
        if replaced is not None:
            # The customer has heard of no move since.
            before = (replaced.before_start, replaced.before_end)
    mail = OutgoingMail(
        appointment=row, kind=kind, revision=row.revision, queued_at=now, due_at=now + delay, changed_at=now
    )
    if before is not None:
        mail.before_start, mail.before_end = before
    queued = [each.pk for channel in channels if (each := _insert(mail, channel))]
    if not queued:
        return False
    older = row.mails.filter(state=OutgoingMail.State.QUEUED).exclude(kind=kind, revision=row.revision)
    if OutgoingMail.Channel.STAFF not in channels:
        # A reminder, for example, says nothing to staff: what waits for them is still new.
        older = older.exclude(channel=OutgoingMail.Channel.STAFF)
    older.update(state=OutgoingMail.State.SUPERSEDED, changed_at=now)
    if send_on_commit:
        # `robust`: a failing sender must not break what the caller does after its commit.
        send = partial(send_later, delay.total_seconds()) if delay else send_in_background
        transaction.on_commit(send, robust=True)
    return True


def _insert(mail: OutgoingMail, channel: OutgoingMail.Channel) -> OutgoingMail | None:
    """Insert the mail for one channel. Return it, or None when it exists already."""
    each = copy(mail)
    each.channel = channel
    try:
        # A savepoint, so that the unique constraint's error doesn't end the caller's transaction.
        with transaction.atomic():
            each.save(force_insert=True)
    except IntegrityError:
        return None
    return each


def _lock_appointment(account: Account, booking: Booking) -> Appointment | None:
    # Locked: the visitor's page and the webhook may record changes of the same booking at the same time.
    number = booking.confirmation_number
    rows = Appointment.objects.select_for_update().filter(account=account.name)
    return rekey_row(rows.filter(number_hash__in=number_hashes([number])), number)


def _decrypt_or_none(row: Appointment | None) -> AppointmentData | None:
    try:
        return AppointmentData.from_row(row) if row else None
    except InvalidToken:
        # The SECRET_KEY has changed. The row starts anew with what this booking says.
        return None


def _mail_kind(row: Appointment | None, booking: Booking, change: OutgoingMail.Kind | None) -> OutgoingMail.Kind | None:
    """Return the kind of mail to write, or None. A status that isn't known leads to no mail."""
    if change is OutgoingMail.Kind.CANCELLED:
        return change
    if change is None:
        # Only at the recorded start: a booking at another time is outdated, or a move with a change of its own.
        accepted = row is not None and (row.status, row.start) == ("pending", booking.start)
        return OutgoingMail.Kind.CONFIRMED if accepted and booking.status == "confirmed" else None
    at_first = _FIRST_KIND.get(booking.status)
    # A moved booking that still waits for acceptance is RESCHEDULED too: its text says that it is pending.
    return change if at_first and change is OutgoingMail.Kind.RESCHEDULED else at_first


RETENTION: Final = LINK_WORKS_AFTER_END
"""Time for which an appointment is kept after its end."""


MAX_DELETED: Final = 500
"""Appointments that are deleted at once, with their mails."""


def delete_past(now: datetime) -> int:
    """Delete appointments that ended more than RETENTION ago, MAX_DELETED at most. Return how many."""
    past = Appointment.objects.filter(end__lt=now - RETENTION)
    keys = list(past.values_list("pk", flat=True)[:MAX_DELETED])
    # `delete()` also counts the mails that go with them.
    gone = Appointment.objects.filter(pk__in=keys).delete()[1]
    return gone.get("kordless_booking.Appointment", 0)
