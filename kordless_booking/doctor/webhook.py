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
        advice = "set WEBHOOK_SECRETS to be notified of bookings that are made, rescheduled or canceled elsewhere"
        yield note("no_webhook", "No webhook is configured", advice)
        return
    scheme = signature.SignatureScheme(account.webhook_signed_payload, account.webhook_signature_encoding)
    secrets = account.webhook_secrets
    if len(set(secrets)) < len(secrets):
        yield note("secret_duplicate", "WEBHOOK_SECRETS has the same secret twice", "remove one of them")
    wrong = [number for number, secret in enumerate(secrets, 1) if not _is_accepted(account, secret, scheme)]
    if wrong:
        numbers = ", ".join(map(str, wrong))
        advice = "create a new secret in Kordless"
        yield fix("signature_scheme", f"Deliveries signed with secret {numbers} of {len(secrets)} are rejected", advice)
    else:
        which = "the secret" if len(secrets) == 1 else f"each of {len(secrets)} secrets"
        yield ok(
            "signature_scheme",
            f"Deliveries signed with {which} are accepted ({scheme.signed_payload}, {scheme.encoding})",
        )
    yield from _deliveries(account)


def _is_accepted(account: Account, secret: str, scheme: signature.SignatureScheme) -> bool:
    at = str(int(time.time()))
    made = signature.sign(_BODY, timestamp=at, secret=secret, scheme=scheme)

    def passes(body: bytes) -> bool:
        try:
            signature.verify(
                body, signatures=made, timestamp=at, secrets=account.webhook_secrets, scheme=scheme, now=time.time()
            )
        except (signature.BadSignature, signature.StaleDelivery):
            return False
        return True

    # A verification that accepts everything would pass the first half.
    return passes(_BODY) and not passes(_BODY + b" ")


def _deliveries(account: Account) -> Findings:
    """Report when the last delivery arrived. None is only a note: perhaps nobody has booked."""
    try:
        newest = WebhookDelivery.objects.filter(account=account.name).order_by("-received_at").first()
    except DatabaseTrouble:
        return  # the check of the database reports this
    yield _last_delivery(newest.received_at if newest else None, datetime.now(UTC))


def _last_delivery(received_at: datetime | None, now: datetime) -> Finding:
    if received_at is None:
        advice = "make a booking in Kordless; if nothing arrives, check the webhook's URL and events there"
        return note("no_delivery", "No delivery has arrived yet", advice)
    minutes = (now - received_at) // timedelta(minutes=1)
    ago = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"
    return ok("last_delivery", f"The last delivery arrived {ago} ago")
