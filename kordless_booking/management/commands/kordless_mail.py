"""`manage.py kordless_mail`, from cron every few minutes: reminders, what could not be sent before, and tidying up."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kordless_booking import conf
from kordless_booking.catalog.background import unattended
from kordless_booking.logs import request_id
from kordless_booking.mail.occasions import MailState
from kordless_booking.mail.outbox import give_up_stuck, send_due
from kordless_booking.mail.past import forget_past
from kordless_booking.mail.reminders import queue_reminders


class Command(BaseCommand):
    help = "Sends the mails to customers that are due: reminders, and what the mail server did not take before."

    def handle(self, *_args: Any, **options: Any) -> None:
        """Raises CommandError, and so ends with 1, when mails were given up."""
        now = datetime.now(UTC)
        writing = [account for account in conf.accounts().values() if account.mail]
        forgotten = forget_past(now)
        if not writing:
            self.stdout.write('Mail is off: set "MAIL": True in KORDLESS_BOOKING.')
            return
        waited, named = unattended.set(True), request_id.set(f"mail-{secrets.token_hex(4)}")
        try:
            reminders = sum(queue_reminders(account, now) for account in writing if account.reminder_hours)
            ended = send_due()
        finally:
            unattended.reset(waited)
            request_id.reset(named)
        lost = give_up_stuck(now) + ended[MailState.UNSURE] + ended[MailState.FAILED]
        if options["verbosity"]:
            self.stdout.write(
                f"reminders={reminders} sent={ended[MailState.SENT]} later={ended[MailState.QUEUED]} "
                f"overtaken={ended[MailState.OVERTAKEN]} lost={lost} forgotten={forgotten}"
            )
        if lost:
            raise CommandError(f"{lost} mails were given up; the log of kordless_booking.mail says why.")
