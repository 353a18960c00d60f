"""Check of the webhook: a delivery that Kordless signs would be accepted, by the code that accepts real ones."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import Error as DatabaseTrouble

from kordless_booking.doctor.finding import Finding, Findings, fix, note, ok
from kordless_booking.models import WebhookDelivery
from kordless_booking.webhooks import signature

if TYPE_CHECKING:
    from kordless_booking.conf import Account

_BODY: Final = b'{"event": "kordless_doctor"}'


def examine(account: Account) -> Findings:
    """Sign a body with each secret and verify it, unchanged and with one byte added. Report the last delivery."""
    if not account.webhook_secrets:
        advice = "set WEBHOOK_SECRETS to hear of bookings that are made, moved or cancelled elsewhere"
        yield note("no_webhook", "There is no webhook", advice)
        return
    recipe = signature.SignatureScheme(account.webhook_signed_payload, account.webhook_signature_encoding)
    secrets = account.webhook_secrets
    if len(set(secrets)) < len(secrets):
        yield note("secret_twice", "A secret stands twice in WEBHOOK_SECRETS", "one of them can go")
    wrong = [number for number, secret in enumerate(secrets, 1) if not _believed(account, secret, recipe)]
    if wrong:
        numbers = ", ".join(map(str, wrong))
        advice = "let Kordless make a new secret"
        yield fix("recipe", f"What is signed with secret {numbers} of {len(secrets)} is not believed", advice)
    else:
        which = "the secret" if len(secrets) == 1 else f"each of {len(secrets)} secrets"
        yield ok("recipe", f"What is signed with {which} is believed ({recipe.signed_payload}, {recipe.encoding})")
    yield from _last(account)


def _believed(account: Account, secret: str, recipe: signature.SignatureScheme) -> bool:
    at = str(int(time.time()))
    made = signature.sign(_BODY, timestamp=at, secret=secret, recipe=recipe)

    def passes(body: bytes) -> bool:
        try:
            signature.verify(
                body, signatures=made, timestamp=at, secrets=account.webhook_secrets, recipe=recipe, now=time.time()
            )
        except (signature.BadSignature, signature.StaleDelivery):
            return False
        return True

    # A verification that accepts everything would pass the first half.
    return passes(_BODY) and not passes(_BODY + b" ")


def _last(account: Account) -> Findings:
    """Report when the last delivery arrived. Silence is no fault: perhaps nobody has booked."""
    try:
        newest = WebhookDelivery.objects.filter(account=account.name).order_by("-received_at").first()
    except DatabaseTrouble:
        return  # the check of the database reports this
    yield _said_of(newest.received_at if newest else None, datetime.now(UTC))


def _said_of(received_at: datetime | None, now: datetime) -> Finding:
    if received_at is None:
        advice = "book something in Kordless; if nothing comes, docs/webhooks.md says where to look"
        return note("no_delivery", "Nothing has been delivered yet", advice)
    minutes = (now - received_at) // timedelta(minutes=1)
    ago = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"
    return ok("last_delivery", f"The last delivery came {ago} ago")
