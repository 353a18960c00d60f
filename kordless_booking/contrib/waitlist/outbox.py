"""Sends the queued messages of the waitlist, each at most once.

By the rules of `mail.outbox`: changing QUEUED to SENDING is the right to send, and only a message that was certainly
not accepted is sent again.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import F

from kordless_booking import conf
from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.contrib.waitlist.entries import EntryData
from kordless_booking.contrib.waitlist.message import compose, compose_text_message
from kordless_booking.contrib.waitlist.models import WaitlistEntry
from kordless_booking.logs import error_location, log_event
from kordless_booking.mail.connection import ConnectionFailed, MailConnection, state_after_error
from kordless_booking.mail.messenger import MessengerCalls, state_after_call
from kordless_booking.models import OutgoingMail
from kordless_booking.upstream.worker import BackgroundWorker

log = logging.getLogger("kordless_booking.waitlist")

HOLD_TIME: Final = timedelta(hours=2)
"""Time in which a message may be sent: after it, the next one in line may be notified of the same time."""
BATCH_SIZE: Final = 50
"""Messages that one run sends at most."""
BACKOFF: Final = timedelta(minutes=5)
"""Time until a message that wasn't accepted is tried again."""
STUCK_AFTER: Final = timedelta(minutes=15)
"""A message that has been SENDING for this long was left behind by a process that died."""
_background = BackgroundWorker(threads=1, waiting=10)


def send_in_background() -> None:
    """Send what is due in a background thread. When its queue is full, the jobs that wait send it too."""
    _background(send_due)


def join() -> None:
    """Wait until the background thread has sent what it was asked to."""
    _background.join()


def release_stuck(now: datetime) -> int:
    """Set messages of processes that died to NOTIFIED, and return how many. Nobody knows whether they went out."""
    stuck = WaitlistEntry.objects.filter(state=WaitlistEntry.State.SENDING, changed_at__lt=now - STUCK_AFTER)
    return stuck.update(state=WaitlistEntry.State.NOTIFIED, changed_at=now)


def send_due(limit: int = BATCH_SIZE) -> Counter[WaitlistEntry.State]:
    """Send due messages, `limit` at most. Return how many ended in which state. Several processes may do this."""
    now = datetime.now(UTC)
    due = WaitlistEntry.objects.filter(state=WaitlistEntry.State.QUEUED, due_at__lte=now)
    ended: Counter[WaitlistEntry.State] = Counter()
    with MailConnection() as connection:
        calls = MessengerCalls()
        for entry in list(due.order_by("due_at", "pk")[:limit]):
            # Each by its own time: a batch may take longer than a message that is being sent counts as left behind.
            state = _send(entry, connection, calls, datetime.now(UTC))
            if state is not None:
                ended[state] += 1
    return ended


def _send(
    entry: WaitlistEntry, connection: MailConnection, calls: MessengerCalls, now: datetime
) -> WaitlistEntry.State | None:
    """Claim and send one message. Return its new state, or None when another process has claimed it."""
    queued = WaitlistEntry.objects.filter(
        pk=entry.pk, state=WaitlistEntry.State.QUEUED, claim=entry.claim, tries=entry.tries
    )
    if not queued.update(state=WaitlistEntry.State.SENDING, tries=F("tries") + 1, changed_at=now):
        return None
    state, error = _try_to_send(entry, connection, calls, now)
    sending = WaitlistEntry.objects.filter(pk=entry.pk, state=WaitlistEntry.State.SENDING, claim=entry.claim)
    sending.update(state=state, due_at=now + BACKOFF, changed_at=now)
    log_event(
        log,
        logging.INFO if error is None else logging.WARNING,
        "waitlist_message",
        state=state.value,
        account=entry.account,
        service=entry.service,
        entry=entry.pk,
        tries=entry.tries + 1,
        **({"error": type(error).__name__, "at": error_location(error)["at"]} if error else {}),
    )
    return state


def _try_to_send(
    entry: WaitlistEntry, connection: MailConnection, calls: MessengerCalls, now: datetime
) -> tuple[WaitlistEntry.State, Exception | None]:
    account = conf.accounts().get(entry.account)
    is_over = entry.notified_at is None or entry.notified_at + HOLD_TIME <= now or entry.offered_start is None
    if account is None or is_over or (entry.offered_start and entry.offered_start <= now):
        return WaitlistEntry.State.WAITING, None
    try:
        data = EntryData.from_row(entry)
    except InvalidToken as error:
        return WaitlistEntry.State.WAITING, error
    is_mail = "@" in data.contact
    if not (account.mail if is_mail else account.messenger):
        return WaitlistEntry.State.WAITING, None
    sender = connection if is_mail else calls
    if sender.unreachable:
        # The others would wait for the same timeout one by one.
        return WaitlistEntry.State.QUEUED, None
    try:
        if is_mail:
            message = compose(account, entry, data, now)
            # Raises for text that can't be encoded while it is still certain that nothing was sent.
            message.message().as_bytes()
        else:
            text = compose_text_message(account, entry, data, now)
    except Exception as error:  # noqa: BLE001 (a site's own template raises anything)
        # The site may repair it in time.
        return WaitlistEntry.State.QUEUED, error
    try:
        if is_mail:
            connection.send(message)
        else:
            calls.send(account, text)
    except ConnectionFailed as error:
        return WaitlistEntry.State.QUEUED, error.reason
    except Exception as error:  # noqa: BLE001 (mail backends and functions of the site raise anything)
        return _state_after(state_after_error(error) if is_mail else state_after_call(error)), error
    return WaitlistEntry.State.NOTIFIED, None


def _state_after(result: OutgoingMail.State) -> WaitlistEntry.State:
    """Return the entry's state after a failed send, by what it means for the message."""
    match result:
        case OutgoingMail.State.QUEUED:
            return WaitlistEntry.State.QUEUED
        case OutgoingMail.State.FAILED:
            return WaitlistEntry.State.WAITING
    # It may have been sent.
    return WaitlistEntry.State.NOTIFIED
