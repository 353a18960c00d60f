"""Encrypted storage of a delivery's body, for a month."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from kordless_booking.booking.tokens import BrokenSeal, seal, unseal

if TYPE_CHECKING:
    from kordless_booking.models import WebhookDelivery

__all__ = ["SEALED_FOR", "GoneBody", "body_of", "sealed_body"]

SEALED_FOR: Final = timedelta(days=30)
"""Time for which a delivery's body can be decrypted. It is emptied after that."""
_LONGEST: Final = 1_000_000
"""Characters of an encrypted body that are decrypted at most. The largest body that is accepted fits in."""


class GoneBody(Exception):
    """The delivery's body can't be decrypted: it is too old, was emptied, or its key is gone."""


def sealed_body(account: str, body: bytes) -> str:
    """Encrypt the body of a delivery to the account."""
    return seal("delivery", account, {"body": body.decode()})


def body_of(row: WebhookDelivery, now: datetime | None) -> str:
    """Decrypt a delivery's body. With `now=None` its age doesn't matter. Raises BodyUnavailable."""
    age, at = (None, 0.0) if now is None else (int(SEALED_FOR.total_seconds()), now.timestamp())
    try:
        return str(unseal("delivery", row.account, row.sealed, max_age=age, now=at, longest=_LONGEST)["body"])
    except (BrokenSeal, KeyError, ValueError):
        raise GoneBody from None
