"""Builds deliveries as Kordless sends them; a test may break any part of one."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from django.http import HttpResponse
from django.test import Client

from kordless_booking.webhooks.signature import SignatureScheme, sign

NEW, OLD = "whsec_new_0123456789abcdefghij", "whsec_old_0123456789abcdefghij"
_numbers = count(1)


def booking_document(**changes: Any) -> dict[str, Any]:
    """Return the booking in an event, in the documented spelling."""
    document = {
        "id": "book_ab12cd34",
        "confirmation_number": "BOOK_AB12CD34",
        "serviceId": "srv_haircut",
        "startsAt": "2026-12-02T15:00:00Z",
        "endsAt": "2026-12-02T16:00:00Z",
        "status": "confirmed",
        "contact": {"email": "canary@example.com", "name": "Canary Bird", "phone": "+12125550147"},
    }
    return document | changes


def event_body(event: str = "booking.created", at: str = "2026-12-01T14:59:00Z", **booking: Any) -> bytes:
    """Build the raw body of an event."""
    document = {
        "event": event,
        "timestamp": at,
        "webhookId": "whk_1",
        "data": {"booking": booking_document(**booking)},
    }
    return json.dumps(document).encode()


@dataclass(frozen=True)
class Delivery:
    """Request of a delivery. `headers` are sent beside the body."""

    body: bytes
    headers: dict[str, str]

    def but(self, body: bytes | None = None, **headers: str | None) -> Delivery:
        """Return a copy with another body or other headers (None removes one). The signature stays as it is."""
        renamed = {f"X-Kordless-{name}": value for name, value in headers.items()}
        kept = {name: value for name, value in {**self.headers, **renamed}.items() if value is not None}
        return replace(self, body=self.body if body is None else body, headers=kept)

    def post(self, client: Client, url: str = "/book/webhook/") -> HttpResponse:
        """Send the request."""
        return client.post(url, self.body, content_type="application/json", headers=self.headers)


def delivery(
    body: bytes | None = None,
    *,
    delivery_id: str | None = None,
    at: float | str | None = None,
    secret: str = NEW,
    scheme: SignatureScheme | None = None,
) -> Delivery:
    """Build a genuine delivery. `at` is its timestamp: Unix time, or the text of the header."""
    timestamp = at if isinstance(at, str) else str(int(time.time() if at is None else at))
    body = event_body() if body is None else body
    return Delivery(
        body,
        {
            "X-Kordless-Signature": sign(body, timestamp=timestamp, secret=secret, scheme=scheme),
            "X-Kordless-Timestamp": timestamp,
            "X-Kordless-Webhook-Id": delivery_id or f"dlv_{next(_numbers)}",
        },
    )


def moment(text: str) -> datetime:
    """Parse an instant in UTC from its ISO form without an offset."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
