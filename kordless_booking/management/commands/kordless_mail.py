"""`manage.py kordless_mail`: send reminders and waiting mail, and tidy up. Run it by cron every few minutes."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kordless_booking import conf
from kordless_booking.logs import request_id
from kordless_booking.mail.enqueue import delete_past
from kordless_booking.mail.outbox import mark_stuck_as_unknown, send_due
from kordless_booking.mail.reminders import queue_reminders
from kordless_booking.models import OutgoingMail
from kordless_booking.retention import delete_expired
from kordless_booking.upstream.worker import in_background


class Command(BaseCommand):
    help = "Sends the mail to customers that is due: reminders, and mail that the mail server did not accept before."

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run once. Raises CommandError, and so exits with 1, when mails were given up."""
        now = datetime.now(UTC)
        with_mail = [account for account in conf.accounts().values() if account.mail]
        # Before the check: appointments from a time when mail was on must go as well.
        deleted = delete_past(now)
        # A site that runs this by cron needs no other line for it.
        delete_expired(now)
        if not with_mail:
            self.stdout.write('Mail is off: set "MAIL": True in KORDLESS_BOOKING.')
            return
        # In the background: the rate limiter grants such calls less, so that visitors have their share.
        background_token, request_token = in_background.set(True), request_id.set(f"mail-{secrets.token_hex(4)}")
        try:
            reminders = sum(queue_reminders(account, now) for account in with_mail if account.reminder_hours)
            # In the same run, so that reminders go out now and not at cron's next turn.
            ended = send_due()
        finally:
            in_background.reset(background_token)
            request_id.reset(request_token)
        # Mails of other processes that died count as lost here, since nobody else reports them.
        lost = mark_stuck_as_unknown(now) + ended[OutgoingMail.State.OUTCOME_UNKNOWN] + ended[OutgoingMail.State.FAILED]
        if options["verbosity"]:
            self.stdout.write(
                f"reminders={reminders} sent={ended[OutgoingMail.State.SENT]} later={ended[OutgoingMail.State.QUEUED]} "
                f"superseded={ended[OutgoingMail.State.SUPERSEDED]} lost={lost} deleted={deleted}"
            )
        if lost:
            raise CommandError(f"{lost} mails were given up. See the log of kordless_booking.mail for the causes.")
