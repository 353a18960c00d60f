"""Encrypted storage of a delivery's body, for a month."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from kordless_booking.booking.tokens import InvalidToken, decrypt_token, encrypt_token

if TYPE_CHECKING:
    from kordless_booking.models import WebhookDelivery

BODY_RETENTION: Final = timedelta(days=30)
"""Time for which a delivery's body can be decrypted. It is emptied after that."""
_MAX_CHARS: Final = 1_000_000
"""Characters of an encrypted body that are decrypted at most. The largest body that is accepted fits in."""


class BodyUnavailable(Exception):
    """The delivery's body can't be decrypted: it is too old, was emptied, or its key is gone."""


def encrypt_body(account: str, body: bytes) -> str:
    """Encrypt the body of a delivery to the account."""
    return encrypt_token("delivery", account, {"body": body.decode()})


def decrypt_body(row: WebhookDelivery, now: datetime | None) -> str:
    """Decrypt a delivery's body. With `now=None` its age doesn't matter. Raises BodyUnavailable."""
    age, at = (None, 0.0) if now is None else (int(BODY_RETENTION.total_seconds()), now.timestamp())
    try:
        return str(
            decrypt_token("delivery", row.account, row.encrypted, max_age=age, now=at, max_length=_MAX_CHARS)["body"]
        )
    except (InvalidToken, KeyError, ValueError):
        raise BodyUnavailable from None
