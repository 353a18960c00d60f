"""Sends what is queued, each mail at most once: nobody likes to be told twice, and Kordless writes as well.

Turning QUEUED into SENDING is the right to send, and only what the mail server has certainly not taken goes back. Who
dies in between leaves SENDING behind, and that is never sent again.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import F

from kordless_booking import conf
from kordless_booking.booking.seal import BrokenSeal
from kordless_booking.catalog.background import Background
from kordless_booking.logs import say
from kordless_booking.mail.letter import compose
from kordless_booking.mail.line import Line, NoLine, verdict
from kordless_booking.mail.occasions import MailState, Occasion
from kordless_booking.models import OutgoingMail

__all__ = ["give_up_stuck", "send_due", "send_soon"]

log = logging.getLogger("kordless_booking.mail")

AT_A_TIME: Final = 50
BACKOFF: Final = (1, 5, 15, 30, 60)
"""Minutes until what was not accepted is tried again: after the first time, the second, and so on."""
TRIED_FOR: Final = timedelta(days=2)
STUCK_AFTER: Final = timedelta(minutes=15)
_background = Background(threads=1, waiting=100)


def send_soon() -> None:
    """Send what is queued, beside the request. What finds no room there stays queued."""
    _background(send_due)


def send_due(most: int = AT_A_TIME) -> Counter[MailState]:
    """Send what is due, oldest first. How many ended in which state."""
    now = datetime.now(UTC)
    writing = [account.name for account in conf.accounts().values() if account.mail]
    due = OutgoingMail.objects.filter(state=MailState.QUEUED, due_at__lte=now, appointment__account__in=writing)
    ended: Counter[MailState] = Counter()
    with Line() as line:
        for pk in list(due.order_by("pk").values_list("pk", flat=True)[:most]):
            if line.dead:
                break
            state = _send(pk, line, now)
            if state is not None:
                ended[state] += 1
    return ended


def give_up_stuck(now: datetime) -> int:
    """Whose sender has died is left as it is, and said so: nobody knows whether it went out."""
    stuck = OutgoingMail.objects.filter(state=MailState.SENDING, changed_at__lt=now - STUCK_AFTER)
    number = stuck.update(state=MailState.UNSURE, changed_at=now)
    if number:
        say(log, logging.WARNING, "mail_stuck", mails=number)
    return number


def _send(pk: int, line: Line, now: datetime) -> MailState | None:
    """None when it is somebody else's."""
    waiting = OutgoingMail.objects.filter(pk=pk, state=MailState.QUEUED, due_at__lte=now)
    if not waiting.update(state=MailState.SENDING, tries=F("tries") + 1, changed_at=now):
        return None
    mail = OutgoingMail.objects.select_related("appointment").filter(pk=pk).first()
    if mail is None:
        return None
    state, error = _outcome(mail, line, now)
    if state is MailState.QUEUED and mail.queued_at + TRIED_FOR < now:
        state = MailState.FAILED
    later = timedelta(minutes=BACKOFF[min(mail.tries, len(BACKOFF)) - 1])
    OutgoingMail.objects.filter(pk=pk, state=MailState.SENDING).update(state=state, due_at=now + later, changed_at=now)
    _tell(mail, state, error)
    return state


def _outcome(mail: OutgoingMail, line: Line, now: datetime) -> tuple[MailState, Exception | None]:
    appointment = mail.appointment
    if mail.revision != appointment.revision or (appointment.start <= now and mail.occasion != Occasion.CANCELLED):
        return MailState.OVERTAKEN, None
    try:
        message = compose(mail, now)
        message.message().as_bytes()  # what can't be written down is found out before anything is sent
    except BrokenSeal as error:
        return MailState.FAILED, error
    except Exception as error:  # noqa: BLE001 (a site's own template raises anything)
        return MailState.QUEUED, error
    try:
        line.send(message)
    except NoLine as error:
        return MailState.QUEUED, error.reason
    except Exception as error:  # noqa: BLE001 (mail backends raise anything)
        return verdict(error), error
    return MailState.SENT, None


def _tell(mail: OutgoingMail, state: MailState, error: Exception | None) -> None:
    """One line, without the error's text: mail servers repeat addresses in it."""
    level = logging.INFO if error is None else logging.WARNING if state is MailState.QUEUED else logging.ERROR
    say(
        log,
        level,
        "mail_tried",
        state=state.value,
        mail=mail.pk,
        occasion=mail.occasion,
        account=mail.appointment.account,
        tries=mail.tries,
        error=type(error).__name__ if error else None,
        code=getattr(error, "smtp_code", None),
    )
