"""Inbox for verified deliveries: each is recorded once, published to the site, and invalidates the cached times.

Recording and publishing is one transaction. A receiver that raises rolls back both, so that Kordless's retry finds no
record and everything is published again. No delivery is ever recorded and yet lost.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.dispatch import Signal

from kordless_booking import hooks
from kordless_booking.api.resources import Booking
from kordless_booking.booking.attempt import Attempt
from kordless_booking.booking.consent_proofs import record_proofs
from kordless_booking.booking.hashes import delivery_hash, delivery_hashes
from kordless_booking.booking.placement import find_open_attempt
from kordless_booking.changes import (
    BookingChange,
    cached_service,
    call_change_handlers,
    describe_change,
    find_change_in_progress,
    known_answers,
    known_metadata,
    queue_mail,
    record_change,
    signal_arguments,
)
from kordless_booking.conf import Account, accounts_sharing_secret
from kordless_booking.logs import log_event
from kordless_booking.models import WebhookDelivery
from kordless_booking.questions.answers import answer_values
from kordless_booking.signals import ChangeSource, event_received
from kordless_booking.upstream.registry import services_for
from kordless_booking.webhooks.events import CHANGES, Event
from kordless_booking.webhooks.invalidation import invalidate_slots
from kordless_booking.webhooks.stored_body import BODY_RETENTION, encrypt_body

log = logging.getLogger("kordless_booking.webhooks")

CLEANUP_EVERY: Final = 100
"""A new delivery whose primary key is a multiple of this empties the bodies that are older than BODY_RETENTION."""


class ReceiverFailed(Exception):
    """A receiver of the site raised `error`. Nothing was recorded."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.error = error


def receive(account: Account, *, delivery_id: str, body: bytes, event: Event, now: datetime) -> WebhookDelivery.Outcome:
    """Take in the delivery, once. Return its outcome.

    Raises ReceiverFailed, and django.db.DatabaseError when the delivery can't be recorded. Kordless retries in both
    cases.
    """
    digest = sha256(body).hexdigest()
    hashes = delivery_hashes(digest)
    row = WebhookDelivery(
        account=account.name,
        delivery_id=delivery_id,
        body_hash=delivery_hash(digest),
        kind=event.kind,
        outcome=WebhookDelivery.Outcome.OTHER,
        happened_at=event.at,
        received_at=now,
        encrypted=encrypt_body(account.name, body),
    )
    # Before the transaction, which must begin with a write: SQLite refuses to write in one that has read something old.
    if _is_known(account, row, hashes):
        return WebhookDelivery.Outcome.DUPLICATE
    booking, attempt = event.booking, None
    if booking is not None and change_of(event, booking) is BookingChange.CREATED:
        # Before the transaction: decrypting open attempts takes time, and SQLite has one writer at a time.
        attempt = find_open_attempt(account.name, booking, now)
    with transaction.atomic():
        # First of all: of two equal deliveries the second waits here, for the first one's unique key.
        if not _insert_once(row, hashes):
            return WebhookDelivery.Outcome.DUPLICATE
        send_signal(event_received, ChangeSource.WEBHOOK, account=account.name, event=event, delivery=delivery_id)
        # The row was inserted without its final outcome, which is known only now.
        if booking is not None:
            row.outcome, row.source = _publish(account, event, booking, attempt, now)
            row.save(update_fields=["outcome", "source"])
        if row.pk % CLEANUP_EVERY == 0:
            old = WebhookDelivery.objects.filter(received_at__lt=now - BODY_RETENTION).exclude(encrypted="")
            old.update(encrypted="")
    # After the commit, and for a superseded change too: the cached times may be older than it.
    if booking is not None:
        invalidate_slots(services_for(account), booking)
    return WebhookDelivery.Outcome(row.outcome)


def _is_known(account: Account, row: WebhookDelivery, hashes: Collection[str]) -> bool:
    """Return True when the delivery was received before under another SECRET_KEY, or by another account.

    Accounts that share a secret could each take in what was signed for one of them. Neither the signature nor the body
    names an account, so a delivery belongs to the account that received it first. Its body alone tells which one it is:
    the id isn't signed, and two businesses may have the same one.
    """
    older = [each for each in hashes if each != row.body_hash]
    same = WebhookDelivery.objects.filter(account=row.account, body_hash__in=older)
    # A retry under the same id is a duplicate like any other, which `_insert_once` finds.
    if older and same.exclude(delivery_id=row.delivery_id).exists():
        log_event(log, logging.WARNING, "webhook_replayed", account=row.account, delivery=row.delivery_id)
        return True
    others = accounts_sharing_secret(account)
    if not others:
        return False
    if not WebhookDelivery.objects.filter(account__in=others, body_hash__in=hashes).exists():
        return False
    fields = {"account": row.account, "delivery": row.delivery_id, "reason": "another_account"}
    log_event(log, logging.WARNING, "webhook_replayed", **fields)
    return True


def _insert_once(row: WebhookDelivery, hashes: Collection[str]) -> bool:
    """Insert the row. Return False when the delivery, or its body under another id, is there already.

    `hashes` are those of the body under each key. The unique constraints decide, so that of several simultaneous
    deliveries exactly one is inserted.
    """
    try:
        # A savepoint: the constraint's error must not end the outer transaction.
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        before = WebhookDelivery.objects.filter(account=row.account, delivery_id=row.delivery_id).first()
        if before is None:
            # The same body under a new id. Where only the body is signed, anybody who has seen it can send that.
            log_event(log, logging.WARNING, "webhook_replayed", account=row.account, delivery=row.delivery_id)
        elif before.body_hash not in hashes:
            # Not a retry, since its body differs. The first one stays.
            log_event(log, logging.ERROR, "webhook_id_reused", account=row.account, delivery=row.delivery_id)
        return False
    return True


def _publish(
    account: Account, event: Event, booking: Booking, attempt: Attempt | None, now: datetime
) -> tuple[WebhookDelivery.Outcome, ChangeSource | str]:
    """Record the change, queue the mail and send the change's signal. Return the outcome and the change's source.

    `attempt` is the attempt of ours that led to the booking, if there is one.
    """
    change = change_of(event, booking)
    # Kordless's clock may be ahead. A time in the future would make all later changes look outdated.
    recorded = record_change(change, booking, account=account.name, at=min(event.at or now, now))
    # Attribution and preferences go with the first report alone, which is the one that is published.
    ours = attempt if recorded else None
    answers = known_answers(account, recorded, now, ours.answers if ours else ()) if recorded else ()
    known = ours.metadata if ours else None
    metadata = known_metadata(change, recorded, account.name, now, known) if recorded else {}
    preferences = ours.preferences if ours else None
    # A change that our own page has just requested counts as ours, even if its webhook beats the response.
    requested = (
        find_change_in_progress(services_for(account).cache, account.name, booking.confirmation_number)
        if recorded is not None
        else None
    )
    reason = requested.reason_for(change, now) if requested else ""
    queue_mail(
        change, recorded, booking, account=account, now=now, preferences=preferences, answers=answers, reason=reason
    )
    consents = ours.consents if ours else ()
    if ours and consents:
        # By the attempt's contact: Kordless may spell it otherwise, or leave it out.
        record_proofs(
            account.name, booking.confirmation_number, ours.request.service_slug, ours.request.contact, consents
        )
    if recorded is None:
        return WebhookDelivery.Outcome.SUPERSEDED, ""
    source = ChangeSource.WIDGET if ours or requested else ChangeSource.WEBHOOK
    extra: dict[str, Any] = {}
    if hooks.change_handlers or hooks.signal_arguments:
        described = describe_change(
            change,
            recorded,
            account.name,
            source=source,
            now=now,
            attribution=ours.attribution if ours else None,
            preferences=preferences,
            answers=answers,
            metadata=metadata,
            consents=consents,
        )
        call_change_handlers(described)
        extra = signal_arguments(described)
    send_signal(
        change.signal,
        source,
        booking=recorded,
        service=cached_service(account, recorded),
        account=account.name,
        attribution=dict(ours.attribution) if ours else {},
        answers=answer_values(answers),
        metadata=dict(metadata),
        consents=consents,
        reason=reason,
        **extra,
    )
    return WebhookDelivery.Outcome.PROCESSED, source


def change_of(event: Event, booking: Booking) -> BookingChange:
    """Return the change that the event reports. A canceled status overrides the event's name."""
    return BookingChange.CANCELLED if booking.status == "canceled" else CHANGES[event.kind]


def send_signal(signal: Signal, source: ChangeSource, *, replay: bool = False, **arguments: Any) -> None:
    """Send a signal. Raises ReceiverFailed when a receiver raises; the receivers after it aren't called."""
    try:
        # Not `send_robust`: a receiver that fails must roll back the transaction.
        signal.send(sender=source, source=source, replay=replay, **arguments)
    except Exception as error:  # receivers raise anything
        raise ReceiverFailed(error) from error
