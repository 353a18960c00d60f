"""`manage.py kordless_mail`: send reminders and waiting mail, and tidy up. Run it by cron every few minutes."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kordless_booking import conf, hooks
from kordless_booking.hook_calls import call_hook
from kordless_booking.logs import request_id
from kordless_booking.mail.enqueue import delete_past
from kordless_booking.mail.outbox import join_background, mark_stuck_as_unknown, send_due
from kordless_booking.mail.reminders import queue_reminders
from kordless_booking.models import OutgoingMail
from kordless_booking.retention import delete_expired
from kordless_booking.setting_names import name_settings
from kordless_booking.upstream.worker import in_background


class Command(BaseCommand):
    help = "Sends the mail that is due: reminders, and mail that the mail server did not accept before."

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run once. Raises CommandError, and so exits with 1, when mails were given up or an extension's job failed."""
        now = datetime.now(UTC)
        accounts = conf.accounts().values()
        with_mail = [account for account in accounts if account.notifies]
        # Before the check: appointments from a time when mail was on must go as well.
        deleted = delete_past(now)
        # A site that runs this by cron needs no other line for it.
        delete_expired(now)
        # In the background: the rate limiter grants such calls less, so that visitors have their share.
        background_token, request_token = in_background.set(True), request_id.set(f"mail-{secrets.token_hex(4)}")
        try:
            reminders = sum(queue_reminders(account, now) for account in with_mail if account.reminder_hours)
            # In the same run, so that reminders go out now and not at cron's next turn.
            ended = send_due() if any(account.keeps_appointments for account in accounts) else None
            failed = _run_extensions(now)
            # What an extension's job has queued, a thread sends, and would end with this process.
            join_background()
        finally:
            in_background.reset(background_token)
            request_id.reset(request_token)
        if ended is None:
            self.stdout.write(name_settings('Mail is off: set "MAIL": True in KORDLESS_BOOKING.'))
            if failed:
                raise CommandError(_failure(failed))
            return
        # Mails of other processes that died count as lost here, since nobody else reports them.
        lost = mark_stuck_as_unknown(now) + ended[OutgoingMail.State.OUTCOME_UNKNOWN] + ended[OutgoingMail.State.FAILED]
        if options["verbosity"]:
            self.stdout.write(
                f"reminders={reminders} sent={ended[OutgoingMail.State.SENT]} later={ended[OutgoingMail.State.QUEUED]} "
                f"superseded={ended[OutgoingMail.State.SUPERSEDED]} lost={lost} deleted={deleted}"
            )
        if failed:
            raise CommandError(_failure(failed))
        if lost:
            raise CommandError(f"{lost} mails were given up. See the log of kordless_booking.mail for the causes.")


def _run_extensions(now: datetime) -> list[str]:
    """Run the extensions' jobs. Return the names of those that failed; the others run all the same."""
    return [name for name, job in hooks.periodic_jobs.items() if not call_hook(hooks.periodic_jobs, name, job, now)[0]]


def _failure(failed: list[str]) -> str:
    return f"These jobs failed: {', '.join(failed)}. See hook_failed in the log of kordless_booking.hooks."
