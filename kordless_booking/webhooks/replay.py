"""Replay of a stored delivery to the site's receivers, on request of staff.

Receivers get it whatever was published before or since. The rules against duplicates and outdated changes apply to what
arrives by itself. Therefore a replay changes no BookingProjection, and each of its signals has `replay=True`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from kordless_booking import hooks
from kordless_booking.booking.placement import find_metadata
from kordless_booking.changes import (
    cached_service,
    describe_change,
    has_newer_change,
    known_answers,
    signal_arguments,
)
from kordless_booking.questions.answers import answer_values
from kordless_booking.signals import ChangeSource, event_received
from kordless_booking.upstream.registry import services_for
from kordless_booking.webhooks.events import Event, UnreadableEvent, parse_event
from kordless_booking.webhooks.inbox import change_of, send_signal
from kordless_booking.webhooks.invalidation import invalidate_slots
from kordless_booking.webhooks.stored_body import BodyUnavailable, decrypt_body

if TYPE_CHECKING:
    from kordless_booking.conf import Account
    from kordless_booking.models import WebhookDelivery


def is_outdated(row: WebhookDelivery, event: Event) -> bool:
    """Return whether a newer change of the same booking has been published since."""
    if event.booking is None:
        return False
    return has_newer_change(event.booking, account=row.account, at=event.at or row.received_at)


def event_of(row: WebhookDelivery, now: datetime) -> Event:
    """Parse a stored delivery. Raises BodyUnavailable."""
    try:
        return parse_event(decrypt_body(row, now).encode())
    except UnreadableEvent:  # stored by a version that could read it
        raise BodyUnavailable from None


def replay(account: Account, row: WebhookDelivery, source: ChangeSource, now: datetime) -> None:
    """Send the delivery's signals again, in one transaction, with `source` as the place of the change.

    Raises BodyUnavailable, and ReceiverFailed when a receiver raises; the receivers' changes to the database are rolled
    back then. Sends no mail.
    """
    event = event_of(row, now)
    with transaction.atomic():
        send_signal(
            event_received,
            ChangeSource.WEBHOOK,
            replay=True,
            account=row.account,
            event=event,
            delivery=row.delivery_id,
        )
        if event.booking is not None:
            change = change_of(event, event.booking)
            extra: dict[str, Any] = {}
            answers = known_answers(account, event.booking, now)
            metadata = find_metadata(account.name, now, number=event.booking.confirmation_number)
            if hooks.signal_arguments:
                described = describe_change(
                    change,
                    event.booking,
                    row.account,
                    source=source,
                    now=now,
                    answers=answers,
                    metadata=metadata,
                    replay=True,
                )
                extra = signal_arguments(described)
            send_signal(
                change.signal,
                source,
                replay=True,
                booking=event.booking,
                service=cached_service(account, event.booking),
                account=row.account,
                # What the original signal had came from the attempt, which the delivery doesn't contain.
                attribution={},
                answers=answer_values(answers),
                metadata=metadata,
                consents=(),
                reason="",
                **extra,
            )
    if event.booking is not None:
        invalidate_slots(services_for(account), event.booking)
