"""Takes a verified delivery in: written down once, told to the site, and what it changed forgotten.

Writing it down and telling it is one transaction. A receiver that raises undoes both, so that Kordless's next try finds
nothing here and everything is told again; nothing is ever counted as known and yet lost.
"""

from __future__ import annotations

import logging
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.dispatch import Signal

from kordless_booking.api.resources import Booking
from kordless_booking.booking.attempt import Attempt
from kordless_booking.booking.awaited import awaited
from kordless_booking.conf import Account
from kordless_booking.logs import say
from kordless_booking.models import WebhookDelivery
from kordless_booking.news import Change, being_changed_here, news, write_about
from kordless_booking.signals import Source, event_received
from kordless_booking.upstream import upstream
from kordless_booking.webhooks.changed import forget_changed
from kordless_booking.webhooks.events import CANCELLED, CREATED, UPDATED, Event, Outcome
from kordless_booking.webhooks.kept import SEALED_FOR, sealed_body

__all__ = ["ReceiverFailed", "change_in", "receive", "tell"]

log = logging.getLogger("kordless_booking.webhooks")

EMPTIED_EVERY: Final = 100
"""After so many deliveries those that are older than that are emptied."""
_CHANGES: Final = {CREATED: Change.CREATED, UPDATED: Change.RESCHEDULED, CANCELLED: Change.CANCELLED}


class ReceiverFailed(Exception):
    """A receiver of the site's raised `error`; nothing was written down."""

    def __init__(self, error: Exception) -> None:
        super().__init__(type(error).__name__)
        self.error = error


def receive(account: Account, *, delivery_id: str, body: bytes, event: Event, now: datetime) -> Outcome:
    """Take the delivery in, once. Raises ReceiverFailed, and django.db.DatabaseError when it can't be written down."""
    row = WebhookDelivery(
        account=account.name,
        delivery_id=delivery_id,
        body_hash=sha256(body).hexdigest(),
        kind=event.kind,
        outcome=Outcome.OTHER,
        happened_at=event.at,
        received_at=now,
        sealed=sealed_body(account.name, body),
    )
    booking, attempt = event.booking, None
    if booking is not None and change_in(event, booking) is Change.CREATED:
        # Beforehand: a database with one writer at a time should not wait for it.
        attempt = awaited(account.name, booking, now)
    with transaction.atomic():
        if not _written_down(row):
            return Outcome.DUPLICATE
        tell(event_received, Source.WEBHOOK, account=account.name, event=event, delivery=delivery_id)
        if booking is not None:
            row.outcome, row.source = _told(account, event, booking, attempt, now)
            row.save(update_fields=["outcome", "source"])
        if row.pk % EMPTIED_EVERY == 0:
            old = WebhookDelivery.objects.filter(received_at__lt=now - SEALED_FOR).exclude(sealed="")
            old.update(sealed="")
    if booking is not None:
        forget_changed(upstream(account), booking)
    return Outcome(row.outcome)


def _written_down(row: WebhookDelivery) -> bool:
    """False when it, or its body under another id, was there before: the database lets one of any number pass."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        before = WebhookDelivery.objects.filter(account=row.account, delivery_id=row.delivery_id).first()
        if before is None:
            say(log, logging.WARNING, "webhook_replayed", account=row.account, delivery=row.delivery_id)
        elif before.body_hash != row.body_hash:
            say(log, logging.ERROR, "webhook_id_reused", account=row.account, delivery=row.delivery_id)
        return False
    return True


def _told(
    account: Account, event: Event, booking: Booking, attempt: Attempt | None, now: datetime
) -> tuple[Outcome, Source | str]:
    """`attempt` is our own that the booking may have come of."""
    change = change_in(event, booking)
    # A clock of Kordless's that is ahead must not make everything older that follows.
    told = news(change, booking, account=account.name, at=min(event.at or now, now))
    ours = attempt if told else None
    write_about(change, told, booking, account=account, now=now, reader=ours.reader if ours else None)
    if told is None:
        return Outcome.KNOWN, ""
    here = ours is not None or being_changed_here(upstream(account).cache, account.name, booking.confirmation_number)
    source = Source.WIDGET if here else Source.WEBHOOK
    tell(change.signal, source, booking=told, account=account.name, attribution=dict(ours.attribution) if ours else {})
    return Outcome.TOLD, source


def change_in(event: Event, booking: Booking) -> Change:
    """What happened to the booking of an event about one."""
    return Change.CANCELLED if booking.status == "canceled" else _CHANGES[event.kind]


def tell(signal: Signal, source: Source, *, replay: bool = False, **said: Any) -> None:
    """Send a signal. Raises ReceiverFailed with the first receiver that does."""
    try:
        signal.send(sender=source, source=source, replay=replay, **said)
    except Exception as error:  # receivers raise anything
        raise ReceiverFailed(error) from error
