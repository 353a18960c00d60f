"""Check of the waitlist: somebody can be notified, changes come in, and kordless_mail runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from kordless_booking.contrib.waitlist.entries import ENABLED, RETENTION
from kordless_booking.contrib.waitlist.models import WaitlistEntry
from kordless_booking.contrib.waitlist.outbox import HOLD_TIME
from kordless_booking.doctor.finding import Findings, fix, note, ok

if TYPE_CHECKING:
    from kordless_booking.conf import Account

OVERDUE: Final = timedelta(days=1)
"""Time for which an expired entry may wait for the next run."""


def examine(account: Account) -> Findings:
    """Check settings and rows of an account. Nothing is sent."""
    if not account.extension_setting(ENABLED):
        return
    if not account.notifies:
        advice = 'set "MAIL": True or a "MESSENGER", or "WAITLIST": False'
        yield fix(
            "waitlist_cannot_notify", "Nobody can be told of a free time: the site sends no mail or message", advice
        )
        return
    yield ok("waitlist", f"{_open_entries(account)} wait for a free time")
    if not account.webhook_secrets:
        yield note(
            "waitlist_without_webhook",
            "Without a webhook, times that become free in Kordless are found when kordless_mail runs",
            "set up a webhook in Kordless, and its secret in WEBHOOK_SECRETS: the next visitor finds them then",
        )
    now = datetime.now(UTC)
    rows = WaitlistEntry.objects.filter(account=account.name)
    is_late = rows.filter(state=WaitlistEntry.State.QUEUED, due_at__lt=now - HOLD_TIME).exists()
    if is_late or rows.filter(expires_at__lt=now - RETENTION - OVERDUE).exists():
        yield fix(
            "waitlist_not_run",
            "Entries of the waitlist are overdue, so kordless_mail doesn't seem to run",
            "run manage.py kordless_mail by cron every five minutes",
        )


def _open_entries(account: Account) -> int:
    return WaitlistEntry.objects.filter(account=account.name, expires_at__gt=datetime.now(UTC)).count()
