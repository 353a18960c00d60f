"""Erasure of webhook deliveries.

A row identifies duplicates for as long as Kordless may still send one. Its body isn't needed for that.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet

from kordless_booking.erasure.base import ErasureResult, Person, iter_strings
from kordless_booking.models import WebhookDelivery
from kordless_booking.webhooks.events import UnreadableEvent, parse_event
from kordless_booking.webhooks.stored_body import BODY_RETENTION, BodyUnavailable, decrypt_body

__all__ = ["Deliveries"]


class Deliveries:
    """Erasure target that empties bodies, and deletes rows that are a month old."""

    name = "webhook deliveries"
    models: tuple[type[Model], ...] = (WebhookDelivery,)

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        tally, theirs = ErasureResult(), []
        # Bodies are encrypted and have no hash of the contact: each one must be decrypted and searched.
        for row in _all(accounts).exclude(sealed="").iterator():
            try:
                # Without the time, because an expired body that isn't emptied yet is personal all the same.
                body = decrypt_body(row, None)
            except BodyUnavailable:
                tally.keep("sealed with a SECRET_KEY that is gone: only --older-than can tell them", personal=True)
                continue
            document: Any = json.loads(body)
            # Any text, not only the contact's fields: events of unknown kinds have fields that nobody knows.
            if any(person.matches(text) for text in iter_strings(document)):
                person.numbers |= _numbers(body)
                theirs.append(row.pk)
        tally.emptied = WebhookDelivery.objects.filter(pk__in=theirs).update(sealed="")
        return tally

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        old = _all(accounts).filter(received_at__lt=moment)
        deleted, _ = old.filter(received_at__lt=now - BODY_RETENTION).delete()
        return ErasureResult(deleted, old.exclude(sealed="").update(sealed=""))


def _all(accounts: list[str] | None) -> QuerySet[WebhookDelivery]:
    rows = WebhookDelivery.objects.all()
    return rows if accounts is None else rows.filter(account__in=accounts)


def _numbers(body: str) -> set[str]:
    try:
        booking = parse_event(body.encode()).booking
    except UnreadableEvent:
        return set()
    return {booking.confirmation_number} if booking else set()
