"""Idempotent placement of bookings: each attempt is placed at Kordless at most once, in spite of crashes and retries.

The database row is what makes it idempotent. It is inserted before anything is sent, under a unique key, and only the
process that increments its `claim` may send. So the database decides between two identical posts, whichever processes
receive them. Neither the cache nor Kordless's own idempotency is relied on; they only make it cheaper.

A post with the same key and another body is a different request. It is answered with DifferentRequest, and the row is
left alone. booking/attempt.py draws the states of a row.
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
from kordless_booking.api.client import CREATIONS_PER_MINUTE, Kordless
from kordless_booking.api.resources import Booking, Contact, NewBooking
from kordless_booking.api.responses import DEFAULT_WAIT_SECONDS
from kordless_booking.api.times import is_same_time
from kordless_booking.booking import queue
from kordless_booking.booking.attempt import Attempt, decrypt_row, idempotency_key, is_body_hash
from kordless_booking.booking.tokens import InvalidToken, encrypt_token
from kordless_booking.logs import log_event
from kordless_booking.models import BookingAttempt
from kordless_booking.normalization import normalize_email

log = logging.getLogger("kordless_booking.booking")

LEASE: Final = timedelta(seconds=30)
"""Time for which the right to send lasts. Longer than BOOKING_SECONDS may be, so that a process that still sends
keeps it; after that, the process is assumed to be dead."""
RESEND_WINDOW: Final = timedelta(days=1)
"""Time for which an attempt with an unknown outcome is sent again. How long Kordless remembers an idempotency key is
not documented; other APIs keep theirs for a day."""
MAX_PAUSE_SECONDS: Final = 30
"""Upper bound of the wait before an attempt is sent again, when Kordless could not be reached or its response was
lost."""
RETRY_SECONDS: Final = 10
"""Seconds until a queued attempt that could not be sent is tried again, where Kordless sent no Retry-After."""


@dataclass(frozen=True)
class Placed:
    """Outcome: Kordless created a booking from this very body."""

    booking: Booking
    placed_at: datetime = field(compare=False)
    """When Kordless did (UTC): the booking may have been moved or canceled since."""
    notify_contact: Contact | None = field(default=None, compare=False, repr=False)
    """Contact of the booking, for the one caller whose call recorded the outcome: it must publish the booking. None
    for every later caller, so that the booking is published once."""


@dataclass(frozen=True)
class Rejected:
    """Outcome: Kordless rejected the booking, or was never reached."""

    error: exceptions.KordlessError
    after_unknown_outcome: bool = False
    """True when the outcome of an earlier send is unknown: that one may have been booked, and may be what took the
    slot."""
    rejected_at: datetime | None = field(default=None, compare=False)
    """When that became known (UTC), where the attempt ended with it."""


@dataclass(frozen=True)
class Pending:
    """Outcome: not known yet."""

    seconds: int
    """Estimated seconds until it is worth asking again."""
    waiting: bool = False
    """True when the attempt is only queued."""


@dataclass(frozen=True)
class DifferentRequest:
    """Outcome: the key belongs to an attempt with another body. Nothing was sent, and that attempt was left alone.

    It carries nothing of the other attempt, not even its state, because the caller's visitor may be somebody else.
    """


Outcome = Placed | Rejected | Pending | DifferentRequest


def place_booking(
    account: str,
    client: Kordless,
    attempt: Attempt,
    now: datetime,
    *,
    creations_per_minute: int = CREATIONS_PER_MINUTE,
    on_created: Callable[[], object] | None = None,
) -> Outcome:
    """Place the attempt, or follow up an earlier one with the same key.

    An earlier attempt is followed up only for the same body. For another body, return DifferentRequest at once; but a
    rejected attempt is replaced, whatever the body.

    `creations_per_minute` is how many Kordless accepts. `on_created` is called as soon as the row is inserted, and only
    when the key was new.

    Raises django.db.DatabaseError when the row can't be inserted; nothing has been sent then.
    """
    wait = queue.wait_for_new_attempt(account, now)
    row = _new_row(account, attempt, now, wait)
    try:
        # Within an outer transaction this is a savepoint: a failed insert must not break the queries that follow.
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        earlier = BookingAttempt.objects.get(key=attempt.key, account=account)
        return _resubmit(earlier, client, attempt, now, creations_per_minute)
    if on_created is not None:
        on_created()
    return _send_in_turn(row, client, attempt, now, wait, creations_per_minute)


def resume(
    account: str,
    client: Kordless,
    key: str,
    digest: str,
    now: datetime,
    *,
    creations_per_minute: int = CREATIONS_PER_MINUTE,
) -> Outcome | None:
    """Return the state of the attempt, after sending it again when that is due. None when there is no such attempt.

    `digest` is the plain hash of the body that the visitor sent. Return DifferentRequest when their attempt was
    rejected, and has been replaced by one with another body.
    """
    row = BookingAttempt.objects.filter(key=key, account=account).first()
    if row is None:
        return None
    # A row without a hash was emptied by an erasure. It can't be compared, and it has nothing left to show.
    if row.body_hash and not is_body_hash(row.body_hash, digest):
        return DifferentRequest()
    return _follow_up(row, client, now, creations_per_minute)


def has_attempt(account: str, key: str) -> bool:
    """Return True when an attempt with this key is placed or may still be. Costs one query."""
    return BookingAttempt.objects.filter(key=key, account=account).exclude(state=BookingAttempt.State.REJECTED).exists()


def _resubmit(
    row: BookingAttempt, client: Kordless, attempt: Attempt, now: datetime, creations_per_minute: int
) -> Outcome:
    """Follow up an earlier attempt with the same key. Replace a rejected one, whatever the body."""
    same = is_body_hash(row.body_hash, attempt.body_digest())
    if row.state != BookingAttempt.State.REJECTED:
        return _follow_up(row, client, now, creations_per_minute) if same else DifferentRequest()
    wait = queue.wait_for_new_attempt(row.account, now)
    renewed = _renew(row, attempt, now, wait)
    # Another request replaced it first, with this body or another one. Start over, to follow up that attempt. The
    # recursion ends: each further round needs another rejection in between.
    if renewed is None:
        return place_booking(row.account, client, attempt, now, creations_per_minute=creations_per_minute)
    return _send_in_turn(renewed, client, attempt, now, wait, creations_per_minute)


def _new_row(account: str, attempt: Attempt, now: datetime, wait: int, generation: int = 1) -> BookingAttempt:
    """Build the row of an attempt that is sent at once, or, when others are queued, is due again in `wait` seconds."""
    return BookingAttempt(
        key=attempt.key,
        account=account,
        service=attempt.request.service_slug,
        generation=generation,
        body_hash=attempt.body_hash(),
        state=BookingAttempt.State.WAITING if wait else BookingAttempt.State.PLACING,
        encrypted=attempt.encrypted(account),
        **attempt.contact_hashes(),
        claimed_until=now if wait else now + LEASE,
        retry_at=now + timedelta(seconds=wait) if wait else None,
        created_at=now,
        changed_at=now,
    )


def _renew(row: BookingAttempt, attempt: Attempt, now: datetime, wait: int) -> BookingAttempt | None:
    """Replace a rejected row by one of the next generation. Return None when another request was quicker."""
    # A new row instead of an update: the queue is ordered by primary key, and a renewed attempt goes to its end.
    renewed = _new_row(row.account, attempt, now, wait, row.generation + 1)
    with transaction.atomic():
        deleted, _by_model = BookingAttempt.objects.filter(
            pk=row.pk, claim=row.claim, state=BookingAttempt.State.REJECTED
        ).delete()
        if not deleted:
            return None
        renewed.save(force_insert=True)
    return renewed


def _send_in_turn(
    row: BookingAttempt, client: Kordless, attempt: Attempt, now: datetime, wait: int, creations_per_minute: int
) -> Outcome:
    """Send the attempt of a new row. When others are queued, return the estimated wait instead."""
    if not wait:
        return _send(row, client, attempt, now, creations_per_minute)
    log_event(log, logging.INFO, "create_queued", attempt=row.pk, seconds=wait)
    return Pending(queue.wait_for(row, now, creations_per_minute=creations_per_minute), waiting=True)


def _follow_up(row: BookingAttempt, client: Kordless, now: datetime, creations_per_minute: int) -> Outcome:
    """Return the outcome of an existing row. When it is due, claim it and send it again."""
    if row.state == BookingAttempt.State.PLACED:
        return _stored_outcome(row, now)
    if row.state == BookingAttempt.State.REJECTED:
        # An erasure has changed a row without a hash, not the rejection.
        rejected_at = row.changed_at if row.body_hash else None
        error = _rejection_error(row.rejection)
        return Rejected(error, after_unknown_outcome=row.outcome_unknown, rejected_at=rejected_at)
    if row.state == BookingAttempt.State.WAITING and (
        seconds := queue.wait_for(row, now, creations_per_minute=creations_per_minute)
    ):
        # Its time has come, but not its turn. Without a later time, the others would stop waiting for it.
        if row.retry_at is not None and row.retry_at <= now:
            rows = BookingAttempt.objects.filter(pk=row.pk, claim=row.claim, state=BookingAttempt.State.WAITING)
            rows.update(retry_at=now + timedelta(seconds=seconds), changed_at=now)
        return Pending(seconds, waiting=True)
    due = max(row.claimed_until, row.retry_at or row.claimed_until)
    if due > now:
        # Another process is sending. It answers long before its lease expires, so ask again in two seconds.
        return Pending(2 if row.state == BookingAttempt.State.PLACING else int((due - now).total_seconds()) + 1)
    if row.outcome_unknown and row.created_at + RESEND_WINDOW < now:
        return Rejected(exceptions.OutcomeUnknown(operation="create", reason="too_old"), after_unknown_outcome=True)
    try:
        attempt = Attempt.from_row(row, now)
    except InvalidToken:
        log_event(log, logging.ERROR, "attempt_unreadable", attempt=row.pk)
        return Rejected(exceptions.OutcomeUnknown(operation="create", reason="unreadable"), after_unknown_outcome=True)
    was_queued = row.state == BookingAttempt.State.WAITING
    # An expired lease in state PLACING means that the process died. It may have sent, so the outcome is unknown.
    if not _claim(
        row,
        now,
        state=BookingAttempt.State.PLACING,
        outcome_unknown=row.outcome_unknown or row.state != BookingAttempt.State.WAITING,
    ):
        return Pending(seconds=2)
    return _send(row, client, attempt, now, creations_per_minute, was_queued=was_queued)


def _claim(row: BookingAttempt, now: datetime, **changes: Any) -> bool:
    """Increment the claim and take the lease. Return True when this call did; only then may the caller send."""
    # Compare-and-swap: the filter on the claim that was read lets one of several processes through.
    updated = BookingAttempt.objects.filter(pk=row.pk, claim=row.claim).update(
        claim=F("claim") + 1, claimed_until=now + LEASE, retry_at=None, changed_at=now, **changes
    )
    if updated:
        row.refresh_from_db()
    return bool(updated)


def _send(
    row: BookingAttempt,
    client: Kordless,
    attempt: Attempt,
    now: datetime,
    creations_per_minute: int,
    *,
    was_queued: bool = False,
) -> Outcome:
    """Send the attempt and record the outcome. The caller must hold the claim.

    With `was_queued`, the attempt was queued, and the visitor was promised that it will be sent without their help: one
    that could not be sent is queued again instead of rejected.
    """
    try:
        booking = client.create(attempt.request, idempotency_key=idempotency_key(row.key, row.generation))
    except exceptions.TooMany as error:
        seconds = _queue_wait(row, now, error.retry_after or DEFAULT_WAIT_SECONDS, creations_per_minute)
        _record_outcome(row, now, state=BookingAttempt.State.WAITING, retry_at=now + timedelta(seconds=seconds))
        log_event(log, logging.INFO, "create_queued", attempt=row.pk, seconds=seconds)
        return Pending(seconds=seconds, waiting=True)
    except exceptions.NotSent as error:
        # This send never left, but an earlier one may have been booked: the outcome stays unknown.
        if row.outcome_unknown:
            return _record_unknown_outcome(row, now)
        if not was_queued:
            return _record_rejection(row, now, error)
        seconds = min(MAX_PAUSE_SECONDS, error.retry_after or RETRY_SECONDS)
        _record_outcome(row, now, state=BookingAttempt.State.WAITING, retry_at=now + timedelta(seconds=seconds))
        return Pending(seconds=seconds)
    except exceptions.OutcomeUnknown:
        return _record_unknown_outcome(row, now)
    except (exceptions.SlotTaken, exceptions.Refused) as error:
        return _record_rejection(row, now, error)
    except exceptions.KordlessError as error:
        if not row.outcome_unknown:
            return _record_rejection(row, now, error)
        # An error about the API key or the request as such says nothing about the earlier send, so its outcome stays
        # unknown.
        _record_unknown_outcome(row, now)
        return Rejected(error, after_unknown_outcome=True)
    if not is_same_time(booking.end, attempt.request.end):
        log_event(log, logging.WARNING, "terms_changed", attempt=row.pk, field="duration")
    # The row and the confirmation's URL get the booking; neither needs another copy of the contact.
    booking = msgspec.structs.replace(booking, contact=None)
    recorded = _record_outcome(
        row,
        now,
        state=BookingAttempt.State.PLACED,
        retry_at=None,
        encrypted=encrypt_token("answer", row.account, {"booking": msgspec.to_builtins(booking)}),
    )
    if row.outcome_unknown:
        log_event(log, logging.WARNING, "create_resolved", attempt=row.pk, tries=row.claim)
    return Placed(booking, now, notify_contact=attempt.request.contact if recorded else None)


def _queue_wait(row: BookingAttempt, now: datetime, seconds: int, creations_per_minute: int) -> int:
    """Return the seconds until it is this attempt's turn, when Kordless accepts more in `seconds`."""
    try:
        return queue.wait_after_contention(row, now, seconds=seconds, creations_per_minute=creations_per_minute)
    except DatabaseError:
        # Only an estimate: without the count, the attempt comes back as soon as Kordless has room.
        return seconds


def _record_unknown_outcome(row: BookingAttempt, now: datetime) -> Pending:
    """Record that the outcome is unknown, to be asked for again with exponential backoff."""
    # Doubles with each claim. The exponent is bounded as well, because the claim may grow for a day.
    seconds = min(MAX_PAUSE_SECONDS, 2 ** min(row.claim, 5))
    _record_outcome(
        row,
        now,
        state=BookingAttempt.State.OUTCOME_UNKNOWN,
        outcome_unknown=True,
        retry_at=now + timedelta(seconds=seconds),
    )
    log_event(log, logging.WARNING, "create_outcome_unknown", attempt=row.pk, tries=row.claim)
    return Pending(seconds=seconds)


def _record_rejection(row: BookingAttempt, now: datetime, error: exceptions.KordlessError) -> Rejected:
    # The body is dropped: a rejected attempt is never sent again.
    _record_outcome(
        row, now, state=BookingAttempt.State.REJECTED, retry_at=None, encrypted="", rejection=type(error).__name__
    )
    return Rejected(error, after_unknown_outcome=row.outcome_unknown, rejected_at=now)


def _record_outcome(row: BookingAttempt, now: datetime, *, state: BookingAttempt.State, **changes: Any) -> bool:
    """Record the outcome of a send. Return True when this call recorded it.

    A sender with a later claim takes precedence, except over a booking that was created, which always counts.

    A database error is logged and not raised: the visitor still gets Kordless's answer. The row stays open until its
    lease expires, and is then sent again under the same idempotency key.
    """
    rows = BookingAttempt.objects.filter(pk=row.pk, generation=row.generation).exclude(
        state=BookingAttempt.State.PLACED
    )
    if state != BookingAttempt.State.PLACED:
        rows = rows.filter(claim=row.claim)
    try:
        return bool(rows.update(state=state, claimed_until=now, changed_at=now, **changes))
    except DatabaseError as error:
        log_event(
            log, logging.ERROR, "attempt_outcome_not_recorded", attempt=row.pk, state=state, error=type(error).__name__
        )
        return False


def _stored_outcome(row: BookingAttempt, now: datetime) -> Outcome:
    """Return the booking stored in a placed row; an unknown outcome when it can't be decrypted any more."""
    try:
        encrypted = decrypt_row("answer", row, now)
        return Placed(msgspec.convert(encrypted["booking"], Booking), row.changed_at)
    except (InvalidToken, KeyError, msgspec.ValidationError):
        log_event(log, logging.ERROR, "response_unreadable", attempt=row.pk)
        return Rejected(exceptions.OutcomeUnknown(operation="create", reason="unreadable"), after_unknown_outcome=True)


def _rejection_error(name: str) -> exceptions.KordlessError:
    """Rebuild the error of a rejected row from its class name."""
    # The default is for a row of another release, with an exception that this one doesn't have.
    kind = getattr(exceptions, name, exceptions.Refused)
    error: exceptions.KordlessError = kind(operation="create")
    return error


MAX_OPEN_ATTEMPTS: Final = 100
"""Newest open attempts that are searched. Decrypting one takes a tenth of a millisecond."""
OPEN_FOR: Final = timedelta(days=2)
"""Age up to which open attempts are searched: longer than the day for which they are sent again."""


def find_open_attempt(account: str, booking: Booking, now: datetime) -> Attempt | None:
    """Return the open attempt with the booking's start and contact, or None: then the booking was made elsewhere.

    When several attempts match, because people share an email address or a phone, one with the booking's name is
    preferred, else the newest.
    """
    open_rows = BookingAttempt.objects.filter(
        account=account,
        created_at__gt=now - OPEN_FOR,
        state__in=[state for state in BookingAttempt.State if state.is_open],
    )
    found: Attempt | None = None
    for row in open_rows.order_by("-created_at")[:MAX_OPEN_ATTEMPTS]:
        try:
            attempt = Attempt.from_row(row, now)
        except InvalidToken:
            # Of a SECRET_KEY that was rotated away, or of another release. One bad row must not hide the others.
            continue
        if _is_same_booking(attempt.request, booking):
            if booking.contact and attempt.request.contact.name == booking.contact.name:
                return attempt
            found = found or attempt
    return found


def _is_same_booking(new: NewBooking, booking: Booking) -> bool:
    """Compare start and email; the phone only when one side has no email."""
    requested, booked = new.contact, booking.contact
    if booked is None or not is_same_time(new.start, booking.start):
        return False
    emails = tuple(normalize_email(contact.email or "").casefold() for contact in (requested, booked))
    return emails[0] == emails[1] if all(emails) else bool(requested.phone) and requested.phone == booked.phone
