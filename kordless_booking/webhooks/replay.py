"""Telling the site again what a delivery said, because somebody of the staff wants that.

The receivers hear it whatever they were told before or since: the rule that nothing is told twice, and nothing old
after something new, is about what comes by itself. So nothing that is kept of the booking changes, and each signal says
that it is a replay.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from kordless_booking.news import newer_is_known
from kordless_booking.signals import Source, event_received
from kordless_booking.upstream import upstream
from kordless_booking.webhooks.changed import forget_changed
from kordless_booking.webhooks.events import Event, UnreadableEvent, read_event
from kordless_booking.webhooks.inbox import change_in, tell
from kordless_booking.webhooks.kept import GoneBody, body_of

if TYPE_CHECKING:
    from kordless_booking.conf import Account
    from kordless_booking.models import WebhookDelivery

__all__ = ["event_of", "is_outdated", "replay"]


def is_outdated(row: WebhookDelivery, event: Event) -> bool:
    """Whether something newer was told of the same booking since."""
    if event.booking is None:
        return False
    return newer_is_known(event.booking, account=row.account, at=event.at or row.received_at)


def event_of(row: WebhookDelivery, now: datetime) -> Event:
    """The event in a delivery that was taken in before. Raises GoneBody."""
    try:
        return read_event(body_of(row, now).encode())
    except UnreadableEvent:  # by a version that reads it otherwise
        raise GoneBody from None


def replay(account: Account, row: WebhookDelivery, source: Source, now: datetime) -> None:
    """Send the delivery's signals again, as about a change made at `source`, all in one transaction.

    Raises GoneBody, and ReceiverFailed when a receiver does; what receivers did in the database is undone then.
    """
    event = event_of(row, now)
    with transaction.atomic():
        tell(event_received, Source.WEBHOOK, replay=True, account=row.account, event=event, delivery=row.delivery_id)
        if event.booking is not None:
            signal = change_in(event, event.booking).signal
            tell(signal, source, replay=True, booking=event.booking, account=row.account, attribution={})
    if event.booking is not None:
        forget_changed(upstream(account), event.booking)
