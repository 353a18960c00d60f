"""Leaves personal data on a site, and reads all that is stored, decrypted where it can be."""

from __future__ import annotations

from typing import Any

from django.forms import model_to_dict
from django.test import Client

from kordless_booking.booking.tokens import InvalidToken, decrypt_token
from kordless_booking.models import BookingAttempt, WebhookDelivery
from kordless_booking.sandbox import Sandbox
from tests.support.deliveries import delivery, event_body
from tests.support.visitor import Visitor

CANARY = {"name": "Zzqx Canary", "email": "Canary@Example.com", "phone": "(212) 555-0147", "notes": "canary notes"}
OTHER = {"name": "Other Body", "email": "other@example.com", "phone": "", "notes": ""}


def book(client: Client, who: dict[str, str] = CANARY, query: str = "") -> str:
    """Book through the pages, and return the confirmation number."""
    return Visitor(client).book(query=query, **who).number


def lose(client: Client, sandbox: Sandbox, who: dict[str, str] = CANARY, **fault: Any) -> Visitor:
    """Send the form, and lose Kordless's response."""
    any_visitor = Visitor(client)
    form = any_visitor.choose("haircut", "?day=2026-12-10")
    sandbox.faults.add("status", "create", **{"status": 500, **fault})
    any_visitor.send(form, "Book appointment", once=True, **who)
    sandbox.faults.clear()
    return any_visitor


def deliver_event(
    client: Client, number: str, who: dict[str, str] = CANARY, kind: str = "booking.created", **more: Any
) -> None:
    """Let Kordless deliver an event about a booking."""
    contact = {name: who[name] for name in ("name", "email", "phone")}
    sent = delivery(event_body(kind, confirmation_number=number, contact=contact, **more))
    assert sent.post(client).status_code == 200


def everything_stored() -> str:
    """Return the content of all rows, decrypted with the site's own key."""
    texts = []
    for row in BookingAttempt.objects.all():
        texts.append(str(model_to_dict(row)))
        texts += [_opened(purpose, row.account, row.encrypted) for purpose in ("attempt", "answer")]
    for delivered in WebhookDelivery.objects.all():
        texts += [str(model_to_dict(delivered)), _opened("delivery", delivered.account, delivered.encrypted)]
    return " ".join(texts).casefold()


def _opened(purpose: str, account: str, token: str) -> str:
    try:
        return str(decrypt_token(purpose, account, token, max_age=10**10, now=0, max_length=10**7))
    except InvalidToken:
        return ""
