"""Sends queued mail, each mail at most once.

Changing QUEUED to SENDING is the right to send. Only a mail that the server has certainly not accepted goes back to
QUEUED. A process that dies in between leaves SENDING behind, and that mail is never sent again: a duplicate is worse
than a missing mail, because Kordless and the confirmation page say the same.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import F

from kordless_booking import conf
from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.logs import log_event
from kordless_booking.mail.connection import ConnectionFailed, MailConnection, state_after_error
from kordless_booking.mail.message import compose
from kordless_booking.models import OutgoingMail
from kordless_booking.upstream.worker import BackgroundWorker

log = logging.getLogger("kordless_booking.mail")

BATCH_SIZE: Final = 50
"""Mails that one run sends at most."""
BACKOFF_MINUTES: Final = (1, 5, 15, 30, 60)
"""Minutes until a mail that wasn't accepted is tried again: after the first try, the second, and so on.

The last one repeats.
"""
GIVE_UP_AFTER: Final = timedelta(days=2)
"""A mail that isn't accepted this long after it was queued becomes FAILED."""
STUCK_AFTER: Final = timedelta(minutes=15)
"""A mail that has been SENDING for this long was left behind by a process that died."""
# A job sends all that is due, so nothing is lost when a job finds no room behind the 100 that wait.
_background = BackgroundWorker(threads=1, waiting=100)


def send_in_background() -> None:
    """Send due mail in a background thread. When its queue is full, mail waits for the next job or cron run."""
    _background(send_due)


def send_due(limit: int = BATCH_SIZE) -> Counter[OutgoingMail.State]:
    """Send due mail, oldest first, `limit` mails at most. Return how many ended in which state.

    Several processes may do this at once.
    """
    now = datetime.now(UTC)
    writing = [account.name for account in conf.accounts().values() if account.mail]
    due = OutgoingMail.objects.filter(
        state=OutgoingMail.State.QUEUED, due_at__lte=now, appointment__account__in=writing
    )
    ended: Counter[OutgoingMail.State] = Counter()
    with MailConnection() as connection:
        # By primary key: the order of queuing, whatever the clocks of several servers say.
        for pk in list(due.order_by("pk").values_list("pk", flat=True)[:limit]):
            if connection.unreachable:
                # The others would wait for the same timeout one by one, and each would count a try.
                break
            state = _send(pk, connection, now)
            if state is not None:
                ended[state] += 1
    return ended


def mark_stuck_as_unknown(now: datetime) -> int:
    """Set mails of processes that died to OUTCOME_UNKNOWN, and return how many. Nobody knows whether they went out."""
    stuck = OutgoingMail.objects.filter(state=OutgoingMail.State.SENDING, changed_at__lt=now - STUCK_AFTER)
    number = stuck.update(state=OutgoingMail.State.OUTCOME_UNKNOWN, changed_at=now)
    if number:
        log_event(log, logging.WARNING, "mail_stuck", mails=number)
    return number


def _send(pk: int, connection: MailConnection, now: datetime) -> OutgoingMail.State | None:
    """Claim and send one mail. Return its new state, or None when another process has claimed it."""
    waiting = OutgoingMail.objects.filter(pk=pk, state=OutgoingMail.State.QUEUED, due_at__lte=now)
    # One UPDATE with a condition: of several processes the database lets one change the row.
    if not waiting.update(state=OutgoingMail.State.SENDING, tries=F("tries") + 1, changed_at=now):
        return None
    mail = OutgoingMail.objects.select_related("appointment").filter(pk=pk).first()
    if mail is None:
        # Its appointment was deleted in the meantime, and the mail with it.
        return None
    state, error = _try_to_send(mail, connection, now)
    if state is OutgoingMail.State.QUEUED and mail.queued_at + GIVE_UP_AFTER < now:
        state = OutgoingMail.State.FAILED
    # `tries` was read after the update above, so it is 1 or more.
    later = timedelta(minutes=BACKOFF_MINUTES[min(mail.tries, len(BACKOFF_MINUTES)) - 1])
    # Not if `mark_stuck_as_unknown` gave the mail up while a slow server kept it: OUTCOME_UNKNOWN must stay.
    OutgoingMail.objects.filter(pk=pk, state=OutgoingMail.State.SENDING).update(
        state=state, due_at=now + later, changed_at=now
    )
    _log_result(mail, state, error)
    return state


def _try_to_send(
    mail: OutgoingMail, connection: MailConnection, now: datetime
) -> tuple[OutgoingMail.State, Exception | None]:
    appointment = mail.appointment
    # A newer revision has its own mail. Once the appointment has begun, only its cancellation is still worth sending.
    if mail.revision != appointment.revision or (appointment.start <= now and mail.kind != OutgoingMail.Kind.CANCELLED):
        return OutgoingMail.State.SUPERSEDED, None
    try:
        message = compose(mail, now)
        # Raises for text that can't be encoded while it is still certain that nothing was sent.
        message.message().as_bytes()
    except InvalidToken as error:
        # The key is gone for good, so trying again can't help.
        return OutgoingMail.State.FAILED, error
    except Exception as error:  # noqa: BLE001 (a site's own template raises anything)
        # QUEUED, because the site may repair its template within the two days.
        return OutgoingMail.State.QUEUED, error
    try:
        connection.send(message)
    except ConnectionFailed as error:
        return OutgoingMail.State.QUEUED, error.reason
    except Exception as error:  # noqa: BLE001 (mail backends raise anything)
        return state_after_error(error), error
    return OutgoingMail.State.SENT, None


def _log_result(mail: OutgoingMail, state: OutgoingMail.State, error: Exception | None) -> None:
    """Log the result in one line, without the error's text: mail servers repeat addresses in it."""
    level = logging.INFO if error is None else logging.WARNING if state is OutgoingMail.State.QUEUED else logging.ERROR
    log_event(
        log,
        level,
        "mail_attempted",
        state=state.value,
        mail=mail.pk,
        kind=mail.kind,
        account=mail.appointment.account,
        tries=mail.tries,
        error=type(error).__name__ if error else None,
        code=getattr(error, "smtp_code", None),
    )
