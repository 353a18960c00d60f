"""Records the changes of bookings, and publishes each change once.

Both our own pages and Kordless's webhook report most changes, in any order and perhaps more than once. One row per
booking, a BookingProjection, holds the newest state that was published. So the second report of a change is dropped,
and an old delivery that arrives late neither revives a canceled booking nor moves one back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, assert_never

import msgspec
from django.db import DatabaseError, IntegrityError, transaction
from django.dispatch import Signal

from kordless_booking import hooks
from kordless_booking.api.parsing import is_same_service
from kordless_booking.booking.consent_proofs import record_proofs
from kordless_booking.booking.hashes import number_hash, number_hashes, rekey_row
from kordless_booking.booking.placement import find_answers, find_metadata
from kordless_booking.booking.tokens import InvalidToken, decrypt_token, encrypt_token
from kordless_booking.conf import get_account
from kordless_booking.hook_calls import call_hook_in_transaction
from kordless_booking.logs import error_location, log_event, redacted_dispatch_log
from kordless_booking.mail.enqueue import record_and_enqueue
from kordless_booking.models import BookingProjection, OutgoingMail
from kordless_booking.questions.answers import Answer, answer_values
from kordless_booking.signals import ChangeSource, booking_cancelled, booking_created, booking_rescheduled
from kordless_booking.upstream.keys import cache_key
from kordless_booking.upstream.registry import services_for

if TYPE_CHECKING:
    from kordless_booking.api.resources import Booking, Service
    from kordless_booking.booking.preferences import VisitorPreferences
    from kordless_booking.conf import Account
    from kordless_booking.consent import GivenConsent
    from kordless_booking.upstream.fallback_cache import FallbackCache

log = logging.getLogger("kordless_booking.signals")

IN_PROGRESS_SECONDS: Final = 60
"""Seconds after a change was requested on our page, in which a webhook about the booking counts as its result."""


class BookingChange(Enum):
    """Kind of change of a booking. The value is the signal that publishes it."""

    CREATED = booking_created
    RESCHEDULED = booking_rescheduled
    CANCELLED = booking_cancelled

    @property
    def signal(self) -> Signal:
        return self.value

    @property
    def mail_kind(self) -> OutgoingMail.Kind | None:
        """Kind of the mail to the customer, or None for a change without a mail."""
        match self:
            case BookingChange.CREATED:
                return OutgoingMail.Kind.CONFIRMED
            case BookingChange.RESCHEDULED:
                return OutgoingMail.Kind.RESCHEDULED
            case BookingChange.CANCELLED:
                return OutgoingMail.Kind.CANCELLED
        # mypy reports a new change that has no case here.
        assert_never(self)


def publish_change(
    change: BookingChange,
    booking: Booking,
    *,
    account: str,
    now: datetime,
    attribution: Mapping[str, str] | None = None,
    preferences: VisitorPreferences | None = None,
    reason: str = "",
    consents: tuple[GivenConsent, ...] = (),
    answers: tuple[Answer, ...] = (),
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Record and publish a change that was made on our own pages, unless the webhook was quicker. Never raises.

    `preferences` holds the customer's preferences, for mails, and `reason` why they changed it. `consents` are the
    boxes that they have ticked, of which proofs are kept, and `answers` what they answered when they booked, where
    the caller knows it, as `metadata` is what the page around the widget said of the booking.
    """
    recorded: Booking | None
    source = ChangeSource.WIDGET

    def describe(published: Booking) -> hooks.Change:
        return describe_change(
            change,
            published,
            account,
            source=source,
            now=now,
            attribution=attribution,
            preferences=preferences,
            consents=consents,
            answers=answers,
            metadata=metadata,
        )

    try:
        with transaction.atomic():
            recorded = record_change(change, booking, account=account, at=now)
            # Also where the webhook was quicker, which may not have found the attempt.
            record_proofs(account, booking.confirmation_number, booking.service_slug, booking.contact, consents)
            if recorded is not None:
                answers = known_answers(get_account(account), recorded, now, answers)
                metadata = known_metadata(change, recorded, account, now, metadata)
            queue_mail(
                change,
                recorded,
                booking,
                account=get_account(account),
                now=now,
                preferences=preferences,
                answers=answers,
                reason=reason,
            )
            if recorded is not None and hooks.change_handlers:
                call_change_handlers(describe(recorded))
    except DatabaseError as error:
        # Better published twice than never: Kordless has changed the booking already.
        log_event(log, logging.ERROR, "change_not_recorded", change=change.name.lower(), error=type(error).__name__)
        recorded = booking
    if recorded is None:
        return
    extra = signal_arguments(describe(recorded)) if hooks.signal_arguments else {}
    # Django logs a receiver's exception with its message, which may contain the booking.
    with redacted_dispatch_log():
        # Robust, in contrast to the webhook's: a failing receiver must not turn the visitor's success into an error.
        results = change.signal.send_robust(
            sender=source,
            booking=recorded,
            service=cached_service(get_account(account), recorded),
            account=account,
            source=source,
            attribution=dict(attribution or {}),
            answers=answer_values(answers),
            metadata=dict(metadata or {}),
            reason=reason,
            replay=False,
            consents=consents,
            **extra,
        )
    for listener, result in results:
        if isinstance(result, Exception):
            name = getattr(listener, "__qualname__", type(listener).__name__)
            log_event(log, logging.ERROR, "receiver_failed", receiver=name, **error_location(result))


def describe_change(
    change: BookingChange,
    booking: Booking,
    account: str,
    *,
    source: ChangeSource,
    now: datetime,
    attribution: Mapping[str, str] | None = None,
    preferences: VisitorPreferences | None = None,
    consents: tuple[GivenConsent, ...] = (),
    answers: tuple[Answer, ...] = (),
    metadata: Mapping[str, Any] | None = None,
    replay: bool = False,
) -> hooks.Change:
    """Return the change as extensions get it."""
    return hooks.Change(
        kind=change.name.lower(),
        booking=booking,
        service=cached_service(get_account(account), booking),
        account=account,
        source=source,
        attribution=dict(attribution or {}),
        now=now,
        preferences=preferences,
        consents=consents,
        answers=answer_values(answers),
        metadata=dict(metadata or {}),
        replay=replay,
    )


def known_metadata(
    change: BookingChange, booking: Booking, account: str, now: datetime, known: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    """Return the metadata of a booking: what the caller knows, else, of a later change, what its attempt has.

    Costs a query for a later change. Raises DatabaseError.
    """
    if known or change is BookingChange.CREATED:
        return known or {}
    return find_metadata(account, now, number=booking.confirmation_number)


def known_answers(
    account: Account, booking: Booking, now: datetime, known: tuple[Answer, ...] = ()
) -> tuple[Answer, ...]:
    """Return what the customer of a booking answered: what the caller knows, else what their attempt has.

    Costs a query where the account asks for any. Raises DatabaseError.
    """
    if known or not account.asks_for_answers:
        return known
    return find_answers(account.name, now, number=booking.confirmation_number)


def call_change_handlers(change: hooks.Change) -> None:
    """Call the extensions' handlers, in the transaction that records the change. Never raises."""
    for name, handler in hooks.change_handlers.items():
        call_hook_in_transaction(hooks.change_handlers, name, handler, change)


def signal_arguments(change: hooks.Change) -> dict[str, Any]:
    """Return the extensions' arguments for the signal of a change. Never raises."""
    return {
        name: call_hook_in_transaction(hooks.signal_arguments, name, compute, change)[1]
        for name, compute in hooks.signal_arguments.items()
    }


def record_change(change: BookingChange, booking: Booking, *, account: str, at: datetime) -> Booking | None:
    """Record a change. Return the booking to publish, or None when the change contains nothing new.

    `at` is when the change was made. A booking that was moved before its creation is reported is published as it is
    now. Needs a transaction. Raises DatabaseError.
    """
    # Kordless's own times have whole seconds. With ours in microseconds, equal moments would look older.
    at = at.replace(microsecond=0)
    number = booking.confirmation_number
    # Locked: two reports of one booking must not both find that they are the first.
    rows = BookingProjection.objects.select_for_update().filter(account=account)
    known = rekey_row(rows.filter(number_hash__in=number_hashes([number])), number)
    if known is None:
        known = BookingProjection(account=account, number_hash=number_hash(number), changed_at=at)
        recorded = _apply(known, change, booking, at)
        # `select_for_update` can't lock a row that isn't there; the unique constraint decides instead.
        try:
            with transaction.atomic():
                known.save(force_insert=True)
        except IntegrityError:  # another report was quicker: compare with that one
            known = rows.get(number_hash=known.number_hash)
        else:
            return recorded
    recorded = _apply(known, change, booking, at)
    known.save()
    return recorded


def has_newer_change(booking: Booking, *, account: str, at: datetime) -> bool:
    """Return whether a change of the booking was published that is newer than `at`."""
    known = BookingProjection.objects.filter(
        account=account, number_hash__in=number_hashes([booking.confirmation_number])
    )
    return known.filter(changed_at__gt=at.replace(microsecond=0)).exists()


def is_known_canceled(number: str, *, account: str) -> bool:
    """Return whether the cancellation of the booking with this number was published. Raises DatabaseError."""
    known = BookingProjection.objects.filter(account=account, number_hash__in=number_hashes([number]))
    return known.filter(canceled=True).exists()


def queue_mail(
    change: BookingChange,
    recorded: Booking | None,
    reported: Booking,
    *,
    account: Account,
    now: datetime,
    preferences: VisitorPreferences | None = None,
    answers: tuple[Answer, ...] = (),
    reason: str = "",
) -> None:
    """Queue the mails to customer and staff, if the account sends any. Needs the change's transaction.

    `recorded` is what `record_change` returned for `reported`, `reason` the customer's, for staff. Raises
    DatabaseError.
    """
    # An outdated report is passed on as well, without a kind: it may contain details that were missing.
    record_and_enqueue(
        account,
        recorded or reported,
        change.mail_kind if recorded else None,
        now=now,
        preferences=preferences,
        answers=answers,
        reason=reason,
    )


def cached_service(account: Account, booking: Booking) -> Service | None:
    """Return the booking's service as it is cached, or None. Sends no request."""
    organization = services_for(account).catalog.cached_organization()
    # Webhooks write `srv_haircut` where the API writes `haircut`, and a booking may have the slug, the id or both.
    ids = [name for name in (booking.service_slug, booking.service_id) if name]
    services = organization.services if organization else ()
    return next(
        (each for each in services if any(is_same_service(name, key) for name in ids for key in (each.slug, each.key))),
        None,
    )


def mark_change_in_progress(
    cache: FallbackCache, account: str, number: str, change: BookingChange, reason: str = ""
) -> None:
    """Mark that a page of ours is about to request a change: its webhook may arrive before the response.

    Whoever publishes it has the customer's `reason` then, which the webhook doesn't contain. It is encrypted.
    """
    mark = encrypt_token("reason", account, {"change": change.name, "reason": reason}) if reason else 1
    cache.set(cache_key(account, "changing", number_hash(number)), mark, IN_PROGRESS_SECONDS)


@dataclass(frozen=True)
class ChangeInProgress:
    """Change that a page of ours has just requested, as `mark_change_in_progress` has left it in the cache."""

    account: str
    mark: object = field(repr=False)

    def reason_for(self, change: BookingChange, now: datetime) -> str:
        """Return the reason that the customer gave for this change; "" for none, and for another change."""
        if not isinstance(self.mark, str):
            return ""
        try:
            found = decrypt_token("reason", self.account, self.mark, max_age=IN_PROGRESS_SECONDS, now=now.timestamp())
        except InvalidToken:
            return ""
        # Another one within the minute is the business's, whose reason nobody has asked.
        return str(found.get("reason", "")) if found.get("change") == change.name else ""


def find_change_in_progress(cache: FallbackCache, account: str, number: str) -> ChangeInProgress | None:
    """Return the change of this booking that a page of ours has just requested, or None."""
    # Under each key: while a rotation is rolled out, the page and the webhook may run with different ones.
    marks = (cache.get(cache_key(account, "changing", each)) for each in number_hashes([number]))
    return next((ChangeInProgress(account, mark) for mark in marks if mark is not None), None)


def _apply(known: BookingProjection, change: BookingChange, booking: Booking, at: datetime) -> Booking | None:
    """Apply the change to the projection. Return the booking to publish, or None. The caller saves `known`."""
    # Not `<=`: within one second the order of two changes is unknown, so both are published.
    older = at < known.changed_at
    known.changed_at = max(at, known.changed_at)
    # A cancellation is final. Whatever is reported later was made earlier.
    if known.canceled:
        return None
    match change:
        case BookingChange.CANCELLED:
            known.canceled = True
            return booking
        case BookingChange.CREATED:
            if known.created:
                return None
            known.created = True
            # Reported after a move: publish it with the time that is known to be newer.
            booking = booking if known.start is None else _at(booking, known.start)
        case BookingChange.RESCHEDULED:
            # Outdated, or the second report of the same move.
            if known.start is not None and (older or known.start == booking.start):
                return None
        case _:
            assert_never(change)
    known.start = booking.start
    return booking


def _at(booking: Booking, start: datetime) -> Booking:
    # The length stays: Kordless only moves a booking to a slot of the same length.
    return msgspec.structs.replace(booking, start=start, end=start + (booking.end - booking.start))
