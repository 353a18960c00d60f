"""Reminders of coming appointments: once for each time that one has, after a look whether it still stands."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from kordless_booking import exceptions
from kordless_booking.api.resources import Booking
from kordless_booking.booking.seal import BrokenSeal
from kordless_booking.conf import Account
from kordless_booking.logs import say
from kordless_booking.mail.intake import LONGEST_STATUS, queue
from kordless_booking.mail.occasions import Occasion
from kordless_booking.mail.particulars import Particulars
from kordless_booking.models import Appointment, OutgoingMail
from kordless_booking.upstream import upstream

__all__ = ["queue_reminders"]

log = logging.getLogger("kordless_booking.mail")

AT_A_TIME: Final = 20
"""Looks at bookings in one run: visitors need the rest of the minute's allowance. The next run goes on."""
MISSING: Final = "missing"
"""The status of an appointment that Kordless doesn't know any more."""


def queue_reminders(account: Account, now: datetime, most: int = AT_A_TIME) -> int:
    """Queue the reminders that are due, each after asking Kordless for its booking. How many there are.

    Who has booked or moved within REMINDER_HOURS of the appointment has just heard of it, and isn't reminded. While
    Kordless doesn't answer nobody is: the next run goes on.
    """
    queued = 0
    for row in _due(account, now)[:most]:
        try:
            particulars = Particulars.of(row)
            found = upstream(account).client.lookup(particulars.booking.confirmation_number, particulars.email)
        except (exceptions.NotFound, exceptions.ContactRefused, exceptions.BadRequest, BrokenSeal) as error:
            kind = type(error).__name__
            say(log, logging.WARNING, "reminder_without_booking", appointment=row.pk, error=kind)
            Appointment.objects.filter(pk=row.pk, revision=row.revision).update(status=MISSING)
            continue
        except exceptions.KordlessError as error:
            say(log, logging.WARNING, "reminders_postponed", account=account.name, reason=error.reason or None)
            break
        queued += _remind(account, row, particulars, found, now)
    return queued


def _due(account: Account, now: datetime) -> list[Appointment]:
    """Soonest first."""
    ahead = timedelta(hours=account.reminder_hours)
    reminders = OutgoingMail.objects.filter(occasion=Occasion.REMINDER)
    reminded = reminders.filter(appointment=OuterRef("pk"), revision=OuterRef("revision"))
    coming = Appointment.objects.filter(
        ~Exists(reminded), account=account.name, status="confirmed", start__gt=now, start__lte=now + ahead
    )
    return [row for row in coming.order_by("start") if row.told_at <= row.start - ahead]


def _remind(account: Account, row: Appointment, particulars: Particulars, found: Booking, now: datetime) -> bool:
    """Bring the row up to date, and remind if it still is the time for that."""
    with transaction.atomic():
        mine = Appointment.objects.select_for_update().filter(pk=row.pk, revision=row.revision).first()
        if mine is None:
            return False
        if found.start != mine.start:
            mine.revision += 1
            mine.sequence = max(mine.sequence + 1, int(now.timestamp()) // 60)
        mine.start, mine.end, mine.status = found.start, found.end, found.status[:LONGEST_STATUS]
        mine.sealed = particulars.learn(found, None, news=True).seal(account.name)
        mine.save()
        ahead = timedelta(hours=account.reminder_hours)
        if mine.status != "confirmed" or not now < mine.start <= now + ahead:
            return False
        return queue(mine, Occasion.REMINDER, now=now, soon=False)
