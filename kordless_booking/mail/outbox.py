"""Sends queued mail and messages to phones, each at most once. Below, a mail is one of both.

Changing QUEUED to SENDING is the right to send. Only a mail that the server has certainly not accepted goes back to
QUEUED. A process that dies in between leaves SENDING behind, and that mail is never sent again: a duplicate is worse
than a missing mail, because Kordless and the confirmation page say the same.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Min, Q

from kordless_booking import conf
from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.logs import error_location, log_event
from kordless_booking.mail.connection import ConnectionFailed, MailConnection, state_after_error
from kordless_booking.mail.messenger import MessengerCalls, state_after_call
from kordless_booking.mail.timer import EarliestTimer
from kordless_booking.models import Appointment, OutgoingMail
from kordless_booking.upstream.worker import BackgroundWorker

if TYPE_CHECKING:
    from django.db.models import QuerySet

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
BUSY_SECONDS: Final = 30.0
"""Seconds until the background sender tries again after the database didn't answer."""
UNREACHABLE_SECONDS: Final = 60.0
"""Seconds until it looks again at mails that it left because the mail server was unreachable."""
MAX_APPOINTMENTS_COUNTED: Final = 200
"""Appointments of one recipient whose mails are counted: each has two or three, so these are far above any limit."""
LIMIT_WINDOW: Final = timedelta(days=1)
"""Time in which the mails to one recipient are counted."""
# A job sends all that is due, so nothing is lost when a job finds no room behind the 100 that wait.
_background = BackgroundWorker(threads=1, waiting=100)


def send_in_background() -> None:
    """Send due mail in a background thread. When its queue is full, the jobs that wait send this mail too."""
    _background(_send_and_schedule)


def join_background() -> None:
    """Wait until the background thread has sent what it was asked to, for a process that is about to end."""
    _background.join()


def send_later(seconds: float) -> None:
    """Send due mail in `seconds`: by this process's timer, or by its first request after that."""
    timer.schedule(seconds)


timer: Final = EarliestTimer(send_in_background)
"""Timer of this process, for mails that it has queued for later or couldn't send."""


class _Claimed(NamedTuple):
    """One claim of a mail."""

    pk: int
    tries: int
    """Number of the try, which no other claim of the mail has."""


_unrecorded: Final[dict[_Claimed, dict[str, Any]]] = {}
"""Results that the database didn't take. Without them a mail that wasn't sent would count as one that may have been. A
run ends with the first, and the next one begins by writing it."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=timer.reset)
    os.register_at_fork(after_in_child=_unrecorded.clear)


def _send_and_schedule() -> None:
    """Send due mail, and schedule the next run for the mail that is due next."""
    try:
        ended = send_due()
        seconds = _seconds_until_due()
    except (OperationalError, InterfaceError) as error:
        # SQLite is locked, or the database restarts. Nobody else would look at the mail before cron does.
        log_event(log, logging.WARNING, "mail_postponed", error=type(error).__name__)
        send_later(BUSY_SECONDS)
        return
    if seconds is None:
        return
    if seconds <= 0 and sum(ended.values()) < BATCH_SIZE:
        # What is due was left, because the mail server is unreachable.
        seconds = UNREACHABLE_SECONDS
    send_later(max(0.0, seconds))


def _seconds_until_due() -> float | None:
    """Return the seconds until the next mail is due, 0 or less if one is; None while none waits."""
    due_at = _queued().aggregate(first=Min("due_at"))["first"]
    return None if due_at is None else float((due_at - datetime.now(UTC)).total_seconds())


def _queued() -> QuerySet[OutgoingMail]:
    """Return what waits on the channels that are in use."""
    writing = Q(pk__in=[])
    for channel, names in _channels().items():
        writing |= Q(channel=channel, appointment__account__in=names)
    return OutgoingMail.objects.filter(writing, state=OutgoingMail.State.QUEUED)


def _channels() -> dict[OutgoingMail.Channel, list[str]]:
    """Return the channels that are in use, with the names of the accounts that use them."""
    accounts = conf.accounts().values()
    found = {
        OutgoingMail.Channel.EMAIL: [each.name for each in accounts if each.mail],
        OutgoingMail.Channel.PHONE: [each.name for each in accounts if each.messenger],
        OutgoingMail.Channel.STAFF: [each.name for each in accounts if each.staff_email],
    }
    return {channel: names for channel, names in found.items() if names}


def send_due(limit: int = BATCH_SIZE) -> Counter[OutgoingMail.State]:
    """Send due mail, oldest first, `limit` mails at most. Return how many ended in which state.

    Several processes may do this at once.
    """
    for claimed, result in list(_unrecorded.items()):
        _record(claimed, result)
    now = datetime.now(UTC)
    due = _queued().filter(due_at__lte=now)
    ended: Counter[OutgoingMail.State] = Counter()
    with MailConnection() as connection:
        senders: dict[OutgoingMail.Channel, MailConnection | MessengerCalls]
        senders = dict.fromkeys(OutgoingMail.Channel, connection)
        senders[OutgoingMail.Channel.PHONE] = MessengerCalls()
        # One channel after the other: mails that a server doesn't take must not stand in the way of messages.
        for channel in _channels():
            sender, rest = senders[channel], limit - sum(ended.values())
            # By primary key: the order of queuing, whatever the clocks of several servers say.
            for pk, tries in list(due.filter(channel=channel).order_by("pk").values_list("pk", "tries")[:rest]):
                if sender.unreachable:
                    # The others would wait for the same timeout one by one, and each would count a try.
                    break
                state = _send(pk, tries, sender, now)
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


def _send(pk: int, tries: int, sender: MailConnection | MessengerCalls, now: datetime) -> OutgoingMail.State | None:
    """Claim and send one mail. Return its new state, or None when another process has claimed it."""
    waiting = OutgoingMail.objects.filter(pk=pk, state=OutgoingMail.State.QUEUED, tries=tries, due_at__lte=now)
    # One UPDATE with a condition: of several processes the database lets one change the row.
    if not waiting.update(state=OutgoingMail.State.SENDING, tries=tries + 1, changed_at=now):
        return None
    claimed = _Claimed(pk, tries + 1)
    try:
        mail = OutgoingMail.objects.select_related("appointment").filter(pk=pk).first()
        if mail is None:
            # Its appointment was deleted in the meantime, and the mail with it.
            return None
        state, error = _try_to_send(mail, sender, now)
    except (OperationalError, InterfaceError):
        # Raised by the queries before the mail server is reached. So it is certain that nothing was sent.
        _unrecorded[claimed] = {"state": OutgoingMail.State.QUEUED, "changed_at": now}
        raise
    if state is OutgoingMail.State.QUEUED and mail.queued_at + GIVE_UP_AFTER < now:
        state = OutgoingMail.State.FAILED
    later = timedelta(minutes=BACKOFF_MINUTES[min(mail.tries, len(BACKOFF_MINUTES)) - 1])
    _record(claimed, {"state": state, "due_at": now + later, "changed_at": now})
    _log_result(mail, state, error)
    return state


def _record(claimed: _Claimed, result: dict[str, Any]) -> None:
    """Write the result of a mail that this process has claimed. While the database is busy, remember it."""
    # Not if `mark_stuck_as_unknown` gave the mail up while a slow server kept it: OUTCOME_UNKNOWN must stay. The number
    # of tries tells a later claim from this one.
    rows = OutgoingMail.objects.filter(pk=claimed.pk, tries=claimed.tries, state=OutgoingMail.State.SENDING)
    try:
        rows.update(**result)
    except (OperationalError, InterfaceError):
        _unrecorded[claimed] = result
        raise
    _unrecorded.pop(claimed, None)


def _try_to_send(
    mail: OutgoingMail, sender: MailConnection | MessengerCalls, now: datetime
) -> tuple[OutgoingMail.State, Exception | None]:
    appointment = mail.appointment
    # A newer revision has its own mail. Once the appointment has begun, only its cancellation is still worth sending.
    if not _is_newest(mail) or (appointment.start <= now and mail.kind != OutgoingMail.Kind.CANCELLED):
        return OutgoingMail.State.SUPERSEDED, None
    if _is_over_limit(mail, now):
        return OutgoingMail.State.WITHHELD, None
    if isinstance(sender, MessengerCalls):
        return _try_to_call(mail, sender, now)
    return _try_to_mail(mail, sender, now)


def _is_newest(mail: OutgoingMail) -> bool:
    """Return True if no newer mail says what has become of the booking."""
    if mail.channel == OutgoingMail.Channel.STAFF:
        # Not each revision has a mail to staff: they aren't told of what they did themselves.
        newer = OutgoingMail.objects.filter(
            appointment=mail.appointment_id, channel=mail.channel, revision__gt=mail.revision
        )
        return not newer.exists()
    return mail.revision == mail.appointment.revision


def _messages() -> ModuleType:
    # Here, because a site that sends nothing needs none of the pages' texts, zones and calendar entries in it.
    from kordless_booking.mail import message  # noqa: PLC0415

    return message


def _try_to_call(
    mail: OutgoingMail, calls: MessengerCalls, now: datetime
) -> tuple[OutgoingMail.State, Exception | None]:
    """Have the site's function send the message to a phone."""
    try:
        message = _messages().compose_text_message(mail, now)
    except InvalidToken as error:
        return OutgoingMail.State.FAILED, error
    except Exception as error:  # noqa: BLE001 (as for a mail: the site may repair it within the two days)
        return OutgoingMail.State.QUEUED, error
    if not message.to:
        # The contact has changed since, or PHONE_REGION.
        return OutgoingMail.State.FAILED, None
    try:
        calls.send(conf.get_account(mail.appointment.account), message)
    except Exception as error:  # noqa: BLE001 (a function of the site raises anything)
        return state_after_call(error), error
    return OutgoingMail.State.SENT, None


def _try_to_mail(
    mail: OutgoingMail, connection: MailConnection, now: datetime
) -> tuple[OutgoingMail.State, Exception | None]:
    try:
        message = _messages().compose(mail, now)
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


def _is_over_limit(mail: OutgoingMail, now: datetime) -> bool:
    """Return True if the recipient has had MAILS_PER_RECIPIENT mails of this site, whichever account sent them.

    Messages to a phone number are counted apart, with the same limit.

    The last quarter is for what a customer needs most: cancellations and reminders.
    """
    appointment = mail.appointment
    limit = conf.get_account(appointment.account).mails_per_recipient
    # Nobody can have staff's addresses written to by typing them into a form, and each booking is new to them.
    if not limit or mail.channel == OutgoingMail.Channel.STAFF:
        return False
    if mail.kind not in {OutgoingMail.Kind.CANCELLED, OutgoingMail.Kind.REMINDER}:
        limit -= limit // 4
    # Those that are being sent count too: two processes that send to one recipient must not both take the last place.
    counted = (OutgoingMail.State.SENDING, OutgoingMail.State.SENT, OutgoingMail.State.OUTCOME_UNKNOWN)
    # In two steps: of a join, databases without statistics may read all mails that were sent. The newest are enough.
    if mail.channel == OutgoingMail.Channel.PHONE:
        same = Appointment.objects.filter(phone_hash=appointment.phone_hash)
    else:
        same = Appointment.objects.filter(email_hash=appointment.email_hash)
    keys = list(same.order_by("-pk").values_list("pk", flat=True)[:MAX_APPOINTMENTS_COUNTED])
    found = OutgoingMail.objects.filter(appointment_id__in=keys, channel=mail.channel)
    mails = found.exclude(pk=mail.pk).values_list("state", "changed_at")
    return sum(state in counted and changed_at > now - LIMIT_WINDOW for state, changed_at in mails) >= limit


def _log_result(mail: OutgoingMail, state: OutgoingMail.State, error: Exception | None) -> None:
    """Log the result in one line, without the error's text: mail servers repeat addresses in it."""
    level = logging.WARNING if state is OutgoingMail.State.WITHHELD else logging.INFO
    if error is not None:
        level = logging.WARNING if state is OutgoingMail.State.QUEUED else logging.ERROR
    log_event(
        log,
        level,
        "mail_attempted",
        state=state.value,
        mail=mail.pk,
        kind=mail.kind,
        channel=mail.channel if mail.channel != OutgoingMail.Channel.EMAIL else None,
        account=mail.appointment.account,
        tries=mail.tries,
        error=type(error).__name__ if error else None,
        # The line of the site's function that failed.
        at=error_location(error)["at"] if error and mail.channel == OutgoingMail.Channel.PHONE else None,
        code=getattr(error, "smtp_code", None),
    )


_UNSENT: Final = frozenset({OutgoingMail.State.QUEUED, OutgoingMail.State.FAILED, OutgoingMail.State.WITHHELD})
"""States of mails that have certainly not been sent, and aren't being sent."""


def can_requeue(mail: OutgoingMail, now: datetime) -> bool:
    """Return True if a mail was certainly not sent, and what it says is still true."""
    appointment = mail.appointment
    account = conf.accounts().get(appointment.account)
    is_current = _is_newest(mail) and (appointment.start > now or mail.kind == OutgoingMail.Kind.CANCELLED)
    if account is None or mail.state not in _UNSENT or not is_current:
        return False
    match mail.channel:
        case OutgoingMail.Channel.PHONE:
            return bool(account.messenger)
        case OutgoingMail.Channel.STAFF:
            return bool(account.staff_email)
    return account.mail


def requeue(mail: OutgoingMail, now: datetime) -> bool:
    """Queue a mail once more, due at once and for another two days. Return False where `can_requeue` is False.

    Nobody gets it twice: the UPDATE changes a mail only while it is in a state in which it was certainly not sent.
    """
    if not can_requeue(mail, now):
        return False
    unsent = OutgoingMail.objects.filter(pk=mail.pk, state__in=_UNSENT)
    if not unsent.update(state=OutgoingMail.State.QUEUED, queued_at=now, due_at=now, changed_at=now):
        return False
    transaction.on_commit(send_in_background, robust=True)
    return True
