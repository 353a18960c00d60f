"""The part of the comparison that is about webhooks: from a saved delivery, and from those that the site accepted.

A saved delivery is a request as text: lines with its header fields, an empty line, and the body, unchanged.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import Error as DatabaseTrouble

from kordless_booking.doctor.contract.facts import Findings
from kordless_booking.doctor.contract.reading import Document, member
from kordless_booking.models import WebhookDelivery
from kordless_booking.webhooks import signature
from kordless_booking.webhooks.stored_body import BodyUnavailable, decrypt_body

if TYPE_CHECKING:
    from kordless_booking.conf import Account

MAX_FILE_BYTES: Final = 1_000_000
"""Bytes of a saved delivery that are read."""
STORED: Final = 5
"""Accepted deliveries that are looked at, the newest."""
_MILLISECONDS_DIGITS: Final = 12
"""Digits of a timestamp from which on it is in milliseconds: ten are the year 2001 to 2286 in seconds."""
_EMPTY_LINE: Final = re.compile(rb"\r?\n\r?\n")


class DeliveryUnreadable(Exception):
    """The file is no saved delivery. The message says why, and repeats nothing of it."""


@dataclass(frozen=True)
class SavedDelivery:
    """Delivery from a file."""

    signatures: str
    timestamp: str
    delivery_id: str
    """Empty if it wasn't saved."""
    body: bytes

    @classmethod
    def parse(cls, raw: bytes) -> SavedDelivery:
        """Parse the bytes of a file. Raises DeliveryUnreadable."""
        if len(raw) > MAX_FILE_BYTES:
            raise DeliveryUnreadable(f"it has more than {MAX_FILE_BYTES} bytes")
        # The first empty line, whichever way its file ends lines: the body may have others.
        end = _EMPTY_LINE.search(raw)
        if end is None:
            raise DeliveryUnreadable("no empty line ends its header fields")
        head, body = raw[: end.start()], raw[end.end() :]
        fields = {}
        for line in head.decode("latin-1").splitlines():
            name, colon, value = line.partition(":")
            if colon:
                fields[name.strip().lower()] = value.strip()
        for name in ("x-kordless-signature", "x-kordless-timestamp"):
            if not fields.get(name):
                raise DeliveryUnreadable(f"it has no {name}")
        return cls(
            fields["x-kordless-signature"],
            fields["x-kordless-timestamp"],
            fields.get("x-kordless-webhook-id", ""),
            body,
        )

    def document(self) -> Any:
        """Return the body as JSON, or None."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def judge_saved(account: Account, findings: Findings, saved: SavedDelivery) -> None:
    """Judge the recipe, the timestamp and the ids of a saved delivery. Its age doesn't matter."""
    try:
        signature.parse_timestamp(saved.timestamp)
    except signature.StaleDelivery:
        findings.judge("timestamp_unit", False, "neither seconds nor milliseconds")
    else:
        in_seconds = len(saved.timestamp) < _MILLISECONDS_DIGITS
        findings.judge("timestamp_unit", in_seconds, "seconds" if in_seconds else "milliseconds")
    _judge_signature(account, findings, saved)
    _judge_ids(findings, [(saved.delivery_id, saved.document())])


def judge_accepted(account: Account, findings: Findings) -> None:
    """Judge the deliveries that the site has accepted: they prove the recipe that the settings name."""
    try:
        rows = list(WebhookDelivery.objects.filter(account=account.name).order_by("-received_at")[:STORED])
    except DatabaseTrouble:
        return
    if not rows:
        return
    scheme = signature.SignatureScheme(account.webhook_signed_payload, account.webhook_signature_encoding)
    observation = f"deliveries were accepted with {scheme}"
    findings.judge("signature", scheme == signature.SignatureScheme(), observation)
    found: list[tuple[str, Any]] = []
    for row in rows:
        try:
            found.append((row.delivery_id, json.loads(decrypt_body(row, None))))
        except (BodyUnavailable, ValueError, RecursionError):
            continue
    _judge_ids(findings, found)


def _judge_signature(account: Account, findings: Findings, saved: SavedDelivery) -> None:
    if not account.webhook_secrets:
        findings.explain("signature", "WEBHOOK_SECRETS is empty")
        return
    # An editor or a shell may have added a line break at the end of the file.
    schemes = [_find_scheme(account, saved, body) for body in (saved.body, saved.body.rstrip(b"\r\n"))]
    scheme = next(filter(None, schemes), None)
    if scheme is None:
        observation = "none of the known recipes fits, with any of WEBHOOK_SECRETS"
        findings.judge("signature", False, observation)
    else:
        findings.judge("signature", scheme == signature.SignatureScheme(), f"the settings that accept it: {scheme}")


def _find_scheme(account: Account, saved: SavedDelivery, body: bytes) -> signature.SignatureScheme | None:
    default = signature.SignatureScheme()
    try:
        now = signature.parse_timestamp(saved.timestamp)
        signature.verify(
            body,
            signatures=saved.signatures,
            timestamp=saved.timestamp,
            secrets=account.webhook_secrets,
            scheme=default,
            now=now,
        )
    except signature.StaleDelivery:
        return None
    except signature.BadSignature as error:
        return error.would_pass
    return default


def _judge_ids(findings: Findings, deliveries: list[tuple[str, Any]]) -> None:
    for delivery_id, document in deliveries:
        named = document.get("webhookId") if isinstance(document, dict) else None
        if isinstance(named, str) and delivery_id:
            differs = named != delivery_id
            findings.judge("webhook_id", differs, "the two differ" if differs else "the two are the same")
        booking: Document = member(member(document, "data"), "booking")
        service = booking.get("serviceId")
        if isinstance(service, str):
            begins = service.startswith("srv_")
            findings.judge("webhook_service", begins, "it does" if begins else "it doesn't")
