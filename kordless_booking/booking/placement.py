"""Idempotent placement of bookings: each attempt is placed at Kordless at most once, in spite of crashes and retries.

The database row is what makes it idempotent. It is inserted before anything is sent, under a unique key, and only the
process that increments its `claim` may send. So the database decides between two identical posts, whichever processes
receive them. Neither the cache nor Kordless's own idempotency is relied on; they only make it cheaper.

A post with the same key and another body is a different request. It is answered with DifferentRequest, and the row is
left alone. booking/attempt.py draws the states of a row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F

from kordless_booking import exceptions
from kordless_booking.api.documented import CREATIONS_PER_MINUTE
from kordless_booking.api.resources import Booking, Contact, NewBooking
from kordless_booking.api.responses import DEFAULT_WAIT_SECONDS
from kordless_booking.api.times import is_same_time
from kordless_booking.booking import queue
from kordless_booking.booking.attempt import Attempt, decrypt_row, idempotency_key, is_body_hash
from kordless_booking.booking.hashes import number_hash, number_hashes
from kordless_booking.booking.metadata import convert_metadata
from kordless_booking.booking.tokens import InvalidToken, encrypt_token
from kordless_booking.consent import GivenConsent
from kordless_booking.logs import log_event
from kordless_booking.models import BookingAttempt
from kordless_booking.normalization import normalize_email
from kordless_booking.questions.answers import Answer, convert_answers

if TYPE_CHECKING:
    from kordless_booking.api.client import Kordless

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
LOOK_AGAIN_SECONDS: Final = 2
"""Seconds after which a page looks again that waits for another attempt, or for another process."""
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
    consents: tuple[GivenConsent, ...] = field(default=(), compare=False, repr=False)
    """Boxes that were ticked, for the same caller."""
    answers: tuple[Answer, ...] = field(default=(), compare=False, repr=False)
    """Answers to the business's questions, for the same caller."""
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """Metadata of the page around the widget, for the same caller."""


@dataclass(frozen=True)
class Rejected:
    """Outcome: Kordless rejected the booking, or was never reached."""

    error: exceptions.KordlessError
    after_unknown_outcome: bool = False
    """True when the outcome of an earlier send is unknown: that one may have been booked, and may be what took the
    slot."""
    rejected_at: datetime | None = field(default=None, compare=False)
    """When that became known (UTC), where the attempt ended with it."""
    is_first_report: bool = field(default=False, compare=False)
    """True for the one caller whose send ended with it: what is cached may be outdated. False when it was read from the
    row, or from the cached slots themselves."""


@dataclass(frozen=True)
class Pending:
    """Outcome: not known yet."""

    seconds: int
    """Estimated seconds until it is worth asking again."""
    waiting: bool = False
    """True when the attempt is only queued."""
    longest: int = field(default=0, compare=False)
    """Seconds until a queued attempt is sent if all come that may overtake it. 0 where nobody may."""
    held: bool = field(default=False, compare=False)
    """True for a new attempt that is held: not due yet, and not even queued. False once that takes longer."""


@dataclass(frozen=True)
class DifferentRequest:
    """Outcome: the key belongs to an attempt with another body. Nothing was sent, and that attempt was left alone.

    It carries nothing of the other attempt, not even its state, because the caller's visitor may be somebody else.
    """


Outcome = Placed | Rejected | Pending | DifferentRequest


class SendPermits(Protocol):
    """Limit on what is sent for a contact, as one call of `place_booking` or `resume` uses it."""

    def take(self, contact_hashes: Iterable[str]) -> None:
        """Take the permits of the contacts with these keyed hashes; "" is none. What it raises stops the call."""

    def give_back(self) -> None:
        """Return what this call has taken, if anything."""


@dataclass(frozen=True)
class _Call:
    """Everything with which one call of `place_booking` or `resume` sends an attempt."""

    client: Kordless
    now: datetime
    creations_per_minute: int
    is_slot_gone: Callable[[NewBooking], bool] | None
    address_hash: str = ""
    hold_until: datetime | None = None
    permits: SendPermits | None = None

    def take_permits(self, row: BookingAttempt) -> None:
        if self.permits is not None:
            self.permits.take((row.email_hash, row.phone_hash))

    def give_permits_back(self) -> None:
        if self.permits is not None:
            self.permits.give_back()


def place_booking(
    account: str,
    client: Kordless,
    attempt: Attempt,
    now: datetime,
    *,
    creations_per_minute: int = CREATIONS_PER_MINUTE,
    on_created: Callable[[], object] | None = None,
    is_slot_gone: Callable[[NewBooking], bool] | None = None,
    address_hash: str = "",
    hold_until: datetime | None = None,
    permits: SendPermits | None = None,
) -> Outcome:
    """Place the attempt, or follow up an earlier one with the same key.

    An earlier attempt is followed up only for the same body. For another body, return DifferentRequest at once; but a
    rejected attempt is replaced, whatever the body, unless one of its sends had an unknown outcome.

    `creations_per_minute` is how many Kordless accepts. `on_created` is called as soon as the row is inserted, and only
    when the key was new. `is_slot_gone` tells from a recent list of slots that one isn't free anymore: an attempt that
    was never sent is then rejected without being sent. `address_hash` is that of the client address, over which the
    queue is shared out. Before `hold_until` a new attempt is neither sent nor queued. `permits` are taken once for each
    attempt, when it is sent or queued for the first time; one that is only held takes none.

    Raises django.db.DatabaseError when the row can't be inserted; nothing has been sent then.
    """
    call = _Call(client, now, creations_per_minute, is_slot_gone, address_hash, hold_until, permits)
    return _place(account, attempt, call, on_created)


def _place(account: str, attempt: Attempt, call: _Call, on_created: Callable[[], object] | None = None) -> Outcome:
    row = _new_row(account, attempt, call)
    # An earlier attempt with the same key is followed up, also for a contact who is over the limit.
    if row.arrival and not has_attempt(account, attempt.key):
        call.take_permits(row)
    try:
        # Within an outer transaction this is a savepoint: a failed insert must not break the queries that follow.
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        call.give_permits_back()
        earlier = BookingAttempt.objects.get(key=attempt.key, account=account)
        return _resubmit(earlier, attempt, call)
    if on_created is not None:
        on_created()
    return _send_in_turn(row, attempt, call)


def resume(
    account: str,
    client: Kordless,
    key: str,
    digest: str,
    now: datetime,
    *,
    creations_per_minute: int = CREATIONS_PER_MINUTE,
    is_slot_gone: Callable[[NewBooking], bool] | None = None,
    permits: SendPermits | None = None,
) -> Outcome | None:
    """Return the state of the attempt, after sending it again when that is due. None when there is no such attempt.

    `digest` is the plain hash of the body that the visitor sent. Return DifferentRequest when their attempt was
    rejected, and has been replaced by one with another body. `is_slot_gone` and `permits` are as for `place_booking`.
    """
    row = BookingAttempt.objects.filter(key=key, account=account).first()
    if row is None:
        return None
    # A row without a hash was emptied by an erasure. It can't be compared, and it has nothing left to show.
    if row.body_hash and not is_body_hash(row.body_hash, digest):
        return DifferentRequest()
    return _follow_up(row, _Call(client, now, creations_per_minute, is_slot_gone, permits=permits))


def has_attempt(account: str, key: str) -> bool:
    """Return True when an attempt with this key is placed, may be or may still be. Costs one query."""
    rows = BookingAttempt.objects.filter(key=key, account=account).values_list("state", "outcome_unknown")
    # At most one row. Each contact form asks for it, and Django takes a third longer to write `exclude` and `exists`.
    return any(state != BookingAttempt.State.REJECTED or unknown for state, unknown in rows)


def get_counted_contacts(account: str, key: str) -> tuple[str, ...]:
    """Return the keyed hashes of the contacts whose permits an attempt has taken. Costs one query."""
    rows = BookingAttempt.objects.filter(key=key, account=account, arrival__gt=0)
    return tuple(filter(None, rows.values_list("email_hash", "phone_hash").first() or ()))


def find_answers(account: str, now: datetime, *, key: str = "", number: str = "") -> tuple[Answer, ...]:
    """Return the visitor's answers of a placed attempt, by its key or its booking's confirmation number.

    Empty where there are none, or they can't be decrypted anymore. Costs one query.
    """
    return convert_answers(_find_placed(account, now, key=key, number=number).get("answers"))


def find_metadata(account: str, now: datetime, *, number: str) -> dict[str, Any]:
    """Return the metadata of a booking that was placed here, as `find_answers` returns the answers."""
    return convert_metadata(_find_placed(account, now, number=number).get("metadata"))


def _find_placed(account: str, now: datetime, *, key: str = "", number: str = "") -> dict[str, Any]:
    """Return what the row of a placed attempt holds; empty where there is none, or it can't be decrypted."""
    rows = BookingAttempt.objects.filter(account=account, state=BookingAttempt.State.PLACED)
    row = rows.filter(key=key).first() if key else rows.filter(number_hash__in=number_hashes([number])).first()
    try:
        return decrypt_row("answer", row, now) if row else {}
    except InvalidToken:
        return {}


def _resubmit(row: BookingAttempt, attempt: Attempt, call: _Call) -> Outcome:
    """Follow up an earlier attempt with the same key. Replace a rejected one, whatever the body.

    But not one that had a send of unknown outcome: that one may be booked, and a new idempotency key would book again.
    """
    same = is_body_hash(row.body_hash, attempt.body_digest())
    if row.state != BookingAttempt.State.REJECTED or row.outcome_unknown:
        return _follow_up(row, call) if same else DifferentRequest()
    renewed = _renew(row, attempt, call)
    # Another request replaced it first, with this body or another one. Start over, to follow up that attempt. The
    # recursion ends: each further round needs another rejection in between.
    if renewed is None:
        return _place(row.account, attempt, call)
    return _send_in_turn(renewed, attempt, call)


def _new_row(account: str, attempt: Attempt, call: _Call, generation: int = 1) -> BookingAttempt:
    """Build the row of an attempt that is sent at once, or is due later."""
    row = BookingAttempt(
        key=attempt.key,
        account=account,
        service=attempt.request.service_slug,
        start=attempt.request.start,
        generation=generation,
        body_hash=attempt.body_hash(),
        encrypted=attempt.encrypted(account),
        **attempt.contact_hashes(),
        address_hash=call.address_hash,
        created_at=call.now,
        changed_at=call.now,
    )
    _admit(row, call)
    return row


def _admit(row: BookingAttempt, call: _Call) -> None:
    """Set on the row, which was never sent, how it goes on: sent at once (PLACING), queued or held."""
    now, states = call.now, BookingAttempt.State
    row.retry_at, row.claimed_until = None, now
    if call.hold_until is not None and call.hold_until > now:
        row.state, row.retry_at = states.HELD, call.hold_until
    elif queue.is_behind_same_slot(row, now):
        row.state, row.retry_at = states.HELD, now + timedelta(seconds=LOOK_AGAIN_SECONDS)
    elif wait := queue.wait_for_new_attempt(row.account, now):
        row.state, row.retry_at = states.WAITING, now + timedelta(seconds=wait)
    else:
        row.state, row.claimed_until = states.PLACING, now + LEASE
    # One that is held has no place in the queue yet, and must not move those of others. Without an arrival it has also
    # taken no permits.
    if row.state != states.HELD:
        row.arrival = row.turn = queue.next_arrival(row.account, now)


def _renew(row: BookingAttempt, attempt: Attempt, call: _Call) -> BookingAttempt | None:
    """Replace a rejected row by one of the next generation. Return None when another request was quicker."""
    # A new row instead of an update: equal turns go by primary key, and a renewed attempt goes to the queue's end.
    renewed = _new_row(row.account, attempt, call, row.generation + 1)
    if renewed.arrival:
        call.take_permits(renewed)
    with transaction.atomic():
        deleted, _by_model = BookingAttempt.objects.filter(
            pk=row.pk, claim=row.claim, state=BookingAttempt.State.REJECTED
        ).delete()
        if not deleted:
            call.give_permits_back()
            return None
        renewed.save(force_insert=True)
    return renewed


def _send_in_turn(row: BookingAttempt, attempt: Attempt, call: _Call) -> Outcome:
    """Send the attempt of a new row. When it is held or others are queued, return the estimated wait instead."""
    if _is_gone(attempt.request, call):
        return _reject_unsent(row, call)
    if row.state == BookingAttempt.State.PLACING:
        return _send(row, attempt, call)
    return _wait_in_state(row, call)


def _wait_in_state(row: BookingAttempt, call: _Call) -> Pending:
    """Return the wait of a row that has just been held or queued. A queued one takes its turn first."""
    now, creations = call.now, call.creations_per_minute
    if row.state == BookingAttempt.State.WAITING and queue.take_turn(row, now, creations_per_minute=creations):
        seconds = queue.wait_for(row, now, creations_per_minute=creations)
        log_event(log, logging.INFO, "create_queued", attempt=row.pk, seconds=seconds)
        _note_next_poll(row, seconds, now)
        return _report_queued(row, seconds, call)
    return _report_held(row, now)


def _note_next_poll(row: BookingAttempt, seconds: int, now: datetime) -> None:
    """Record when the page of a queued attempt asks again, where that is later: else others stop waiting for it."""
    asks_at = now + timedelta(seconds=min(seconds, queue.MAX_POLL_SECONDS))
    # A second is only the rounding of `seconds`, which must not put the attempt off.
    if row.retry_at is None or row.retry_at + timedelta(seconds=1) < asks_at:
        rows = BookingAttempt.objects.filter(pk=row.pk, claim=row.claim, state=BookingAttempt.State.WAITING)
        rows.update(retry_at=asks_at, changed_at=now)


def _report_held(row: BookingAttempt, now: datetime) -> Pending:
    # After some seconds it isn't held for a moment only, but behind another attempt.
    is_new = row.created_at > now - queue.GRACE
    return Pending(_seconds_until(row.retry_at, now), held=is_new)


def _report_queued(row: BookingAttempt, seconds: int, call: _Call) -> Pending:
    longest = 0
    if row.turn > row.arrival:
        longest = queue.longest_wait_for(row, call.now, creations_per_minute=call.creations_per_minute)
    return Pending(seconds, waiting=True, longest=longest)


def _seconds_until(moment: datetime | None, now: datetime) -> int:
    """Return the whole seconds after which a moment has come, at least one."""
    return max(1, ceil((moment - now).total_seconds())) if moment else 1


def _is_gone(request: NewBooking, call: _Call) -> bool:
    return call.is_slot_gone is not None and call.is_slot_gone(request)


def _reject_unsent(row: BookingAttempt, call: _Call) -> Outcome:
    """Reject an attempt that was never sent, because its slot is gone. Whoever claims it at this moment goes first."""
    # Raises the claim, so that a process that has read the row before can't send what was rejected.
    recorded = _record_outcome(
        row,
        call.now,
        state=BookingAttempt.State.REJECTED,
        retry_at=None,
        encrypted="",
        rejection=exceptions.SlotTaken.__name__,
        claim=F("claim") + 1,
    )
    if not recorded:
        return Pending(LOOK_AGAIN_SECONDS)
    log_event(log, logging.INFO, "create_slot_gone", attempt=row.pk)
    return Rejected(exceptions.SlotTaken(operation="create", reason="not_listed"), rejected_at=call.now)


def _follow_up(row: BookingAttempt, call: _Call) -> Outcome:
    """Return the outcome of an existing row. When it is due, claim it and send it again."""
    now, states = call.now, BookingAttempt.State
    if row.state == states.PLACED:
        return _stored_outcome(row, now)
    if row.state == states.REJECTED:
        # An erasure has changed a row without a hash, not the rejection.
        rejected_at = row.changed_at if row.body_hash else None
        error = _rejection_error(row.rejection)
        return Rejected(error, after_unknown_outcome=row.outcome_unknown, rejected_at=rejected_at)
    if row.state in {states.WAITING, states.HELD} and (waits := _follow_up_unsent(row, call)):
        return waits
    due = max(row.claimed_until, row.retry_at or row.claimed_until)
    if due > now:
        # Another process is sending. It answers long before its lease expires, so ask again in two seconds.
        return Pending(LOOK_AGAIN_SECONDS if row.state == states.PLACING else int((due - now).total_seconds()) + 1)
    if row.outcome_unknown and row.created_at + RESEND_WINDOW < now:
        return Rejected(exceptions.OutcomeUnknown(operation="create", reason="too_old"), after_unknown_outcome=True)
    try:
        attempt = Attempt.from_row(row, now)
    except InvalidToken:
        call.give_permits_back()
        log_event(log, logging.ERROR, "attempt_unreadable", attempt=row.pk)
        return Rejected(exceptions.OutcomeUnknown(operation="create", reason="unreadable"), after_unknown_outcome=True)
    # What was queued or held goes back there when it can't be sent. An expired lease in state PLACING means that the
    # process died. It may have sent, so the outcome is unknown.
    back_to = states(row.state) if row.state in {states.WAITING, states.HELD} else None
    if not _claim(
        row,
        now,
        state=states.PLACING,
        outcome_unknown=row.outcome_unknown or back_to is None,
        arrival=row.arrival,
        turn=row.turn,
    ):
        call.give_permits_back()
        return Pending(seconds=LOOK_AGAIN_SECONDS)
    return _send(row, attempt, call, back_to=back_to)


def _follow_up_unsent(row: BookingAttempt, call: _Call) -> Outcome | None:
    """Follow up an attempt that is queued or held. None when it may be sent now."""
    now, states = call.now, BookingAttempt.State
    # One that may have been sent is always asked for: the slot may be gone because this very attempt took it.
    if not row.outcome_unknown and call.is_slot_gone is not None:
        with suppress(InvalidToken):
            if _is_gone(Attempt.from_row(row, now).request, call):
                return _reject_unsent(row, call)
    rows = BookingAttempt.objects.filter(pk=row.pk, claim=row.claim, state=row.state)
    if row.state == states.HELD:
        if row.retry_at is not None and row.retry_at > now:
            return _report_held(row, now)
        claimed_until, was_admitted = row.claimed_until, row.arrival > 0
        _admit(row, call)
        if row.arrival and not was_admitted:
            call.take_permits(row)
        if row.state == states.PLACING:
            # Not before it is claimed, as it was read.
            row.state, row.claimed_until = states.HELD, claimed_until
            return None
        changed = rows.update(
            state=row.state, retry_at=row.retry_at, arrival=row.arrival, turn=row.turn, changed_at=now
        )
        if not changed:
            call.give_permits_back()
            return Pending(LOOK_AGAIN_SECONDS)
        return _wait_in_state(row, call)
    seconds = queue.wait_for(row, now, creations_per_minute=call.creations_per_minute)
    behind = not seconds and queue.is_behind_same_slot(row, now)
    if behind:
        seconds = LOOK_AGAIN_SECONDS
    if seconds:
        _note_next_poll(row, seconds, now)
    if behind:
        return Pending(seconds)
    return _report_queued(row, seconds, call) if seconds else None


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
    row: BookingAttempt, attempt: Attempt, call: _Call, *, back_to: BookingAttempt.State | None = None
) -> Outcome:
    """Send the attempt and record the outcome. The caller must hold the claim.

    With `back_to`, the attempt was queued or held, and the visitor was promised that it will be sent without their
    help: one that could not be sent returns to that state instead of being rejected.
    """
    now = call.now
    try:
        booking = call.client.create(attempt.request, idempotency_key=idempotency_key(row.key, row.generation))
    except exceptions.TooMany as error:
        return _queue_again(row, call, error.retry_after or DEFAULT_WAIT_SECONDS, back_to)
    except exceptions.NotSent as error:
        # This send never left, but an earlier one may have been booked: the outcome stays unknown.
        if row.outcome_unknown:
            return _record_unknown_outcome(row, now)
        if back_to is None:
            return _record_rejection(row, now, error)
        seconds = min(MAX_PAUSE_SECONDS, error.retry_after or RETRY_SECONDS)
        _record_outcome(row, now, state=back_to, retry_at=now + timedelta(seconds=seconds))
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
        return Rejected(error, after_unknown_outcome=True, is_first_report=True)
    if not is_same_time(booking.end, attempt.request.end):
        log_event(log, logging.WARNING, "terms_changed", attempt=row.pk, field="duration")
    # The row and the confirmation's URL get the booking; neither needs another copy of the contact.
    booking = msgspec.structs.replace(booking, contact=None)
    recorded = _record_outcome(
        row,
        now,
        state=BookingAttempt.State.PLACED,
        retry_at=None,
        encrypted=encrypt_token(
            "answer", row.account, {"booking": msgspec.to_builtins(booking)} | attempt.stored_details()
        ),
        number_hash=number_hash(booking.confirmation_number),
    )
    if row.outcome_unknown:
        log_event(log, logging.WARNING, "create_resolved", attempt=row.pk, tries=row.claim)
    if not recorded:
        return Placed(booking, now)
    return Placed(
        booking,
        now,
        notify_contact=attempt.request.contact,
        consents=attempt.consents,
        answers=attempt.answers,
        metadata=attempt.metadata,
    )


def _queue_again(row: BookingAttempt, call: _Call, seconds: int, back_to: BookingAttempt.State | None) -> Pending:
    """Queue an attempt for which Kordless has no room before `seconds` have passed."""
    now, waiting = call.now, BookingAttempt.State.WAITING
    if back_to == BookingAttempt.State.HELD:
        # Everybody who was queued in the meantime has an earlier place.
        row.arrival = row.turn = queue.next_arrival(row.account, now)
    wait = _queue_wait(row, call, seconds)
    due = now + timedelta(seconds=wait)
    _record_outcome(row, now, state=waiting, retry_at=due, arrival=row.arrival, turn=row.turn)
    log_event(log, logging.INFO, "create_queued", attempt=row.pk, seconds=wait)
    row.retry_at = due
    # One that was queued already keeps its turn.
    if back_to != waiting:
        with suppress(DatabaseError):
            if not queue.take_turn(row, now, creations_per_minute=call.creations_per_minute):
                return _report_held(row, now)
            if row.turn > row.arrival:
                wait = max(wait, queue.wait_for(row, now, creations_per_minute=call.creations_per_minute))
                return _report_queued(row, wait, call)
    return Pending(seconds=wait, waiting=True)


def _queue_wait(row: BookingAttempt, call: _Call, seconds: int) -> int:
    """Return the seconds until it is this attempt's turn, when Kordless accepts more in `seconds`."""
    try:
        return queue.wait_after_contention(
            row, call.now, seconds=seconds, creations_per_minute=call.creations_per_minute
        )
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
    return Rejected(error, after_unknown_outcome=row.outcome_unknown, rejected_at=now, is_first_report=True)


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
    if not state.is_open:
        # Of no use anymore.
        changes["address_hash"] = ""
    try:
        return bool(rows.update(state=state, claimed_until=now, changed_at=now, **changes))
    except DatabaseError as error:
        log_event(
            log, logging.ERROR, "attempt_outcome_not_recorded", attempt=row.pk, state=state, error=type(error).__name__
        )
        return False


def _stored_outcome(row: BookingAttempt, now: datetime) -> Outcome:
    """Return the booking stored in a placed row; an unknown outcome when it can't be decrypted anymore."""
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
    preferred, else the newest. One that was never sent has led to no booking, whosever contact it has.
    """
    states = BookingAttempt.State
    open_rows = BookingAttempt.objects.filter(
        account=account,
        created_at__gt=now - OPEN_FOR,
        state__in=[state for state in states if state.is_open],
    ).exclude(state__in=[states.WAITING, states.HELD], outcome_unknown=False)
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
