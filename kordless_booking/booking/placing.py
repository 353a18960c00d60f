"""Places an attempt at Kordless, at most once, whatever happens in between.

The row in the database decides between two equal posts, in whichever process they arrive: it is written before
anything is sent, and raising its claim is the right to send. Neither the cache nor Kordless's own idempotency is
trusted for that; they only make it cheaper. A post with another body is no equal one: it is a DifferentRequest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F

from kordless_booking import exceptions
from kordless_booking.api.answers import DEFAULT_WAIT
from kordless_booking.api.client import CREATIONS_PER_MINUTE, Kordless
from kordless_booking.api.resources import Booking, Contact
from kordless_booking.booking import line
from kordless_booking.booking.attempt import Attempt, State, idempotency_key, is_body_hash
from kordless_booking.booking.seal import MAX_ROW_TOKEN, BrokenSeal, seal, unseal
from kordless_booking.logs import say
from kordless_booking.models import BookingAttempt

__all__ = ["Declined", "DifferentRequest", "Open", "Outcome", "Placed", "has_attempt", "place", "resume"]

log = logging.getLogger("kordless_booking.booking")

LEASE: Final = timedelta(seconds=30)
"""How long a claim to send is honoured: longer than BOOKING_SECONDS may be, so a killed process is waited out."""
SENT_FOR: Final = timedelta(days=1)
"""How long an unsure attempt is sent again: nobody knows how long Kordless remembers a key; others keep it a day."""
KEPT: Final = 30 * 86400
"""Seconds that a sealed body or answer in a row stays readable."""
MAX_PAUSE_SECONDS: Final = 30
"""The longest that an attempt is not sent again after Kordless could not be reached, or its answer was lost."""
LATER: Final = 10
"""Seconds until one in line is tried again that could not be sent."""


@dataclass(frozen=True)
class Placed:
    """Kordless said yes to this very body.

    `news` is whose booking it is, for exactly one of all those who are told of it: the one who announces it.
    `placed_at` is when Kordless said so (UTC): the booking may have been moved or canceled since.
    """

    booking: Booking
    placed_at: datetime = field(compare=False)
    news: Contact | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Declined:
    """Kordless said no, or was never reached. `after_unsure`: an earlier send may have been the one that took it."""

    error: exceptions.KordlessError
    after_unsure: bool = False


@dataclass(frozen=True)
class Open:
    """Nobody knows yet, for about `seconds`; `waiting` when it is only our turn that has not come."""

    seconds: int
    waiting: bool = False


@dataclass(frozen=True)
class DifferentRequest:
    """The key belongs to an attempt with another body. Nothing was sent, and that attempt was left alone.

    It holds nothing of the other attempt, not even how it stands: the one who is told may be somebody else.
    """


Outcome = Placed | Declined | Open | DifferentRequest


def place(
    account: str,
    client: Kordless,
    attempt: Attempt,
    now: datetime,
    *,
    a_minute: int = CREATIONS_PER_MINUTE,
    first: Callable[[], object] | None = None,
) -> Outcome:
    """Place the attempt, or tell how the one before it with the same key stands. Kordless takes so many `a_minute`.

    The one before it is followed up only for the same body; for another one, DifferentRequest is the answer at once.

    `first` is called when there was none before it, as soon as it is written down.

    Raises django.db.DatabaseError when it can't be written down; nothing has been sent then.
    """
    wait = line.seconds_for_newcomer(account, now)
    row = _new_row(account, attempt, now, wait)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        earlier = BookingAttempt.objects.get(key=attempt.key, account=account)
        return _again(earlier, client, attempt, now, a_minute)
    if first is not None:
        first()
    return _send_in_turn(row, client, attempt, now, wait, a_minute)


def resume(
    account: str, client: Kordless, key: str, digest: str, now: datetime, *, a_minute: int = CREATIONS_PER_MINUTE
) -> Outcome | None:
    """Tell how the attempt stands, sending it again when that is due. None when there is none.

    `digest` is of the body that the asker has sent: DifferentRequest when a refused attempt was renewed with another.
    """
    row = BookingAttempt.objects.filter(key=key, account=account).first()
    if row is None:
        return None
    # A row without a hash was emptied for its person's sake: whose it was is unknown, and there is nothing to show.
    if row.body_hash and not is_body_hash(row.body_hash, digest):
        return DifferentRequest()
    return _follow_up(row, client, now, a_minute)


def has_attempt(account: str, key: str) -> bool:
    """Tell whether the key is used: by an attempt that is placed or may still be. Costs one query."""
    return BookingAttempt.objects.filter(key=key, account=account).exclude(state=State.REFUSED).exists()


def _again(row: BookingAttempt, client: Kordless, attempt: Attempt, now: datetime, a_minute: int) -> Outcome:
    """Follow up an earlier attempt with the same key, or renew a refused one, whatever the body."""
    same = is_body_hash(row.body_hash, attempt.body_digest())
    if row.state != State.REFUSED:
        return _follow_up(row, client, now, a_minute) if same else DifferentRequest()
    wait = line.seconds_for_newcomer(row.account, now)
    renewed = _renew(row, attempt, now, wait)
    # Somebody else was quicker, with this body or another one: what that came to decides, as it does for a newcomer.
    if renewed is None:
        return place(row.account, client, attempt, now, a_minute=a_minute)
    return _send_in_turn(renewed, client, attempt, now, wait, a_minute)


def _new_row(account: str, attempt: Attempt, now: datetime, wait: int, generation: int = 1) -> BookingAttempt:
    """Make the row of an attempt that is sent at once, or waits for the first in the line for `wait` seconds."""
    return BookingAttempt(
        key=attempt.key,
        account=account,
        service=attempt.new.service_slug,
        generation=generation,
        body_hash=attempt.body_hash(),
        state=State.WAITING if wait else State.PLACING,
        sealed=attempt.sealed(account),
        **attempt.contact_hashes(),
        claimed_until=now if wait else now + LEASE,
        retry_at=now + timedelta(seconds=wait) if wait else None,
        created_at=now,
        changed_at=now,
    )


def _renew(row: BookingAttempt, attempt: Attempt, now: datetime, wait: int) -> BookingAttempt | None:
    """Put a row of the next generation in a refused one's place; None when somebody else was quicker.

    It is a new row, because the line goes by their numbers: whoever comes again goes to its end, as a newcomer does.
    """
    renewed = _new_row(row.account, attempt, now, wait, row.generation + 1)
    with transaction.atomic():
        gone, _by_model = BookingAttempt.objects.filter(pk=row.pk, claim=row.claim, state=State.REFUSED).delete()
        if not gone:
            return None
        renewed.save(force_insert=True)
    return renewed


def _send_in_turn(
    row: BookingAttempt, client: Kordless, attempt: Attempt, now: datetime, wait: int, a_minute: int
) -> Outcome:
    """Send a new row's attempt, or tell how long until its turn comes when others wait already."""
    if not wait:
        return _send(row, client, attempt, now, a_minute)
    say(log, logging.INFO, "create_waiting", attempt=row.pk, seconds=wait)
    return Open(line.seconds_in_line(row, now, a_minute=a_minute), waiting=True)


def _follow_up(row: BookingAttempt, client: Kordless, now: datetime, a_minute: int) -> Outcome:
    if row.state == State.PLACED:
        return _remembered(row, now)
    if row.state == State.REFUSED:
        return Declined(_refusal(row.refusal), after_unsure=row.unsure)
    if row.state == State.WAITING and (seconds := line.seconds_in_line(row, now, a_minute=a_minute)):
        if row.retry_at is not None and row.retry_at <= now:
            kept = BookingAttempt.objects.filter(pk=row.pk, claim=row.claim, state=State.WAITING)
            kept.update(retry_at=now + timedelta(seconds=seconds), changed_at=now)
        return Open(seconds, waiting=True)
    due = max(row.claimed_until, row.retry_at or row.claimed_until)
    if due > now:
        # A send under way answers long before its lease runs out.
        return Open(2 if row.state == State.PLACING else int((due - now).total_seconds()) + 1)
    if row.unsure and row.created_at + SENT_FOR < now:
        return Declined(exceptions.OutcomeUnknown(operation="create", reason="too_old"), after_unsure=True)
    try:
        sealed = _unseal("attempt", row, now)
        attempt = Attempt.read(row.key, sealed["body"])
    except (BrokenSeal, KeyError, msgspec.DecodeError):
        say(log, logging.ERROR, "attempt_unreadable", attempt=row.pk)
        return Declined(exceptions.OutcomeUnknown(operation="create", reason="unreadable"), after_unsure=True)
    in_line = row.state == State.WAITING
    # A lease that ran out under PLACING means that its process died: it may have sent.
    if not _claim(row, now, state=State.PLACING, unsure=row.unsure or row.state != State.WAITING):
        return Open(seconds=2)
    return _send(row, client, attempt, now, a_minute, in_line=in_line)


def _claim(row: BookingAttempt, now: datetime, **changes: Any) -> bool:
    """Raise the claim if nobody has in the meantime; the one who does may send."""
    mine = BookingAttempt.objects.filter(pk=row.pk, claim=row.claim).update(
        claim=F("claim") + 1, claimed_until=now + LEASE, retry_at=None, changed_at=now, **changes
    )
    if mine:
        row.refresh_from_db()
    return bool(mine)


def _send(
    row: BookingAttempt, client: Kordless, attempt: Attempt, now: datetime, a_minute: int, *, in_line: bool = False
) -> Outcome:
    """`in_line`: its sender was promised that it goes by itself when its turn comes."""
    try:
        booking = client.create(attempt.new, idempotency_key=idempotency_key(row.key, row.generation))
    except exceptions.TooMany as error:
        seconds = _turn(row, now, error.retry_after or DEFAULT_WAIT, a_minute)
        _settle(row, now, state=State.WAITING, retry_at=now + timedelta(seconds=seconds))
        say(log, logging.INFO, "create_waiting", attempt=row.pk, seconds=seconds)
        return Open(seconds=seconds, waiting=True)
    except exceptions.NotSent as error:
        if row.unsure:
            return _unsure(row, now)
        if not in_line:
            return _refuse(row, now, error)
        seconds = min(MAX_PAUSE_SECONDS, error.retry_after or LATER)
        _settle(row, now, state=State.WAITING, retry_at=now + timedelta(seconds=seconds))
        return Open(seconds=seconds)
    except exceptions.OutcomeUnknown:
        return _unsure(row, now)
    except (exceptions.SlotTaken, exceptions.Refused) as error:
        return _refuse(row, now, error)
    except exceptions.KordlessError as error:
        if not row.unsure:
            return _refuse(row, now, error)
        # About the key or the request as such, not about the send before it: that one's outcome stays open.
        _unsure(row, now)
        return Declined(error, after_unsure=True)
    if booking.end != attempt.new.end:
        say(log, logging.WARNING, "terms_changed", attempt=row.pk, what="length")
    booking = msgspec.structs.replace(booking, contact=None)
    news = _settle(
        row,
        now,
        state=State.PLACED,
        retry_at=None,
        sealed=seal("answer", row.account, {"booking": msgspec.to_builtins(booking)}),
    )
    if row.unsure:
        say(log, logging.WARNING, "create_resolved", attempt=row.pk, tries=row.claim)
    return Placed(booking, now, news=attempt.new.contact if news else None)


def _turn(row: BookingAttempt, now: datetime, seconds: int, a_minute: int) -> int:
    """When Kordless has room again in `seconds`: until it is this one's turn, as far as that can be counted."""
    try:
        return line.seconds_after_racing(row, now, seconds=seconds, a_minute=a_minute)
    except DatabaseError:
        return seconds


def _unsure(row: BookingAttempt, now: datetime) -> Open:
    seconds = min(MAX_PAUSE_SECONDS, 2 ** min(row.claim, 5))
    _settle(row, now, state=State.UNSURE, unsure=True, retry_at=now + timedelta(seconds=seconds))
    say(log, logging.WARNING, "create_unknown", attempt=row.pk, tries=row.claim)
    return Open(seconds=seconds)


def _refuse(row: BookingAttempt, now: datetime, error: exceptions.KordlessError) -> Declined:
    _settle(row, now, state=State.REFUSED, retry_at=None, sealed="", refusal=type(error).__name__)
    return Declined(error, after_unsure=row.unsure)


def _settle(row: BookingAttempt, now: datetime, *, state: State, **changes: Any) -> bool:
    """Write how the send ended, unless somebody with a later claim has already; a yes always counts.

    What can't be written stays open until the lease runs out, and is then asked for again: the visitor is told
    what Kordless said all the same. True when this call is the one that wrote it.
    """
    mine = BookingAttempt.objects.filter(pk=row.pk, generation=row.generation).exclude(state=State.PLACED)
    if state != State.PLACED:
        mine = mine.filter(claim=row.claim)
    try:
        return bool(mine.update(state=state, claimed_until=now, changed_at=now, **changes))
    except DatabaseError as error:
        say(log, logging.ERROR, "attempt_not_settled", attempt=row.pk, state=state, kind=type(error).__name__)
        return False


def _unseal(purpose: str, row: BookingAttempt, now: datetime) -> dict[str, Any]:
    return unseal(purpose, row.account, row.sealed, max_age=KEPT, now=now.timestamp(), longest=MAX_ROW_TOKEN)


def _remembered(row: BookingAttempt, now: datetime) -> Outcome:
    try:
        sealed = _unseal("answer", row, now)
        return Placed(msgspec.convert(sealed["booking"], Booking), row.changed_at)
    except (BrokenSeal, KeyError, msgspec.ValidationError):
        say(log, logging.ERROR, "answer_unreadable", attempt=row.pk)
        return Declined(exceptions.OutcomeUnknown(operation="create", reason="unreadable"), after_unsure=True)


def _refusal(name: str) -> exceptions.KordlessError:
    kind = getattr(exceptions, name, exceptions.Refused)
    error: exceptions.KordlessError = kind(operation="create")
    return error
