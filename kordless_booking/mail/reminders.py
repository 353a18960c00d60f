"""Reminders of coming appointments: one per appointment and time, after a lookup whether the booking still stands."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from kordless_booking import exceptions
from kordless_booking.api.resources import Booking
from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.conf import Account
from kordless_booking.logs import log_event
from kordless_booking.mail.appointment_data import AppointmentData
from kordless_booking.mail.channels import channels_for
from kordless_booking.mail.enqueue import MAX_STATUS_CHARS, enqueue, store_data
from kordless_booking.models import Appointment, OutgoingMail
from kordless_booking.upstream.registry import services_for

log = logging.getLogger("kordless_booking.mail")

MAX_LOOKUPS: Final = 20
"""Lookups in one run at most: visitors need the rest of the minute's quota. The next run continues."""
MISSING: Final = "missing"
"""Status of an appointment whose booking Kordless no longer finds. It is never reminded of again."""


def queue_reminders(account: Account, now: datetime, max_lookups: int = MAX_LOOKUPS) -> int:
    """Look up the appointments that are due, queue their reminders, and return how many.

    A customer who booked or moved within REMINDER_HOURS of the start has just had a mail and gets no reminder. While
    Kordless doesn't answer nobody gets one; the next run continues.
    """
    queued = lookups = 0
    for row in _due(account, now):
        if lookups == max_lookups:
            break
        try:
            data = AppointmentData.from_row(row)
            if not channels_for(account, data):
                # The row is there for the mail to staff alone.
                continue
            lookups += 1
            found = services_for(account).client.lookup(data.booking.confirmation_number, data.proof)
        except (exceptions.NotFound, exceptions.ContactRefused, exceptions.BadRequest, InvalidToken) as error:
            # Kordless knows no such booking, or the row can't be decrypted: asking again is useless.
            kind = type(error).__name__
            log_event(log, logging.WARNING, "reminder_without_booking", appointment=row.pk, error=kind)
            Appointment.objects.filter(pk=row.pk, revision=row.revision).update(status=MISSING)
            continue
        except exceptions.KordlessError as error:
            # An outage or a used-up quota meets all the others as well.
            log_event(log, logging.WARNING, "reminders_postponed", account=account.name, reason=error.reason or None)
            break
        queued += _update_and_enqueue(account, row, data, found, now)
    return queued


def _due(account: Account, now: datetime) -> list[Appointment]:
    """Return the confirmed appointments that need a reminder, soonest first."""
    lead_time = timedelta(hours=account.reminder_hours)
    reminders = OutgoingMail.objects.filter(kind=OutgoingMail.Kind.REMINDER)
    # A reminder is for one revision, so a moved appointment gets another one.
    reminded = reminders.filter(appointment=OuterRef("pk"), revision=OuterRef("revision"))
    due = Appointment.objects.filter(
        ~Exists(reminded), account=account.name, status="confirmed", start__gt=now, start__lte=now + lead_time
    )
    # A change after the reminder's time has just had a mail of its own. `notified_at` is the newest change.
    return [row for row in due.order_by("start") if row.notified_at <= row.start - lead_time]


def _update_and_enqueue(
    account: Account, row: Appointment, data: AppointmentData, found: Booking, now: datetime
) -> bool:
    """Update the row from Kordless's answer. Queue the reminder, and return True, if it is still due."""
    with transaction.atomic():
        # No row when the appointment changed during the lookup: then the answer may be older than the row.
        locked = Appointment.objects.select_for_update().filter(pk=row.pk, revision=row.revision).first()
        if locked is None:
            return False
        if found.start != locked.start:
            # Moved in Kordless without a webhook. The new revision supersedes mails that wait.
            locked.revision += 1
            locked.sequence = max(locked.sequence + 1, int(now.timestamp()) // 60)
        locked.start, locked.end, locked.status = found.start, found.end, found.status[:MAX_STATUS_CHARS]
        merged = data.merged_with(found, None, is_new=True)
        store_data(locked, merged, account)
        locked.save()
        lead_time = timedelta(hours=account.reminder_hours)
        if locked.status != "confirmed" or not now < locked.start <= now + lead_time:
            return False
        # kordless_mail sends when all reminders are queued; a background thread might not outlive the command.
        channels = channels_for(account, merged)
        return enqueue(locked, OutgoingMail.Kind.REMINDER, channels=channels, now=now, send_on_commit=False)
