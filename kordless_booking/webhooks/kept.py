"""The body of a delivery as it is kept: sealed, and for a month."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from kordless_booking.booking.seal import BrokenSeal, seal, unseal

if TYPE_CHECKING:
    from kordless_booking.models import WebhookDelivery

__all__ = ["SEALED_FOR", "GoneBody", "body_of", "sealed_body"]

SEALED_FOR: Final = timedelta(days=30)
"""How long a delivery's body is kept."""
_LONGEST: Final = 1_000_000
"""Characters of a sealed body: one of the largest that is taken in, encrypted."""
_AGES: Final = 10**10


class GoneBody(Exception):
    """The delivery's body can't be opened any more: it is too old, or was sealed with a key that is gone."""


def sealed_body(account: str, body: bytes) -> str:
    """What is written down of a body that came for the account."""
    return seal("delivery", account, {"body": body.decode()})


def body_of(row: WebhookDelivery, now: datetime | None) -> str:
    """The body as it came; without `now` one that is too old as well, while it is there. Raises GoneBody."""
    age, at = (_AGES, 0.0) if now is None else (int(SEALED_FOR.total_seconds()), now.timestamp())
    try:
        return str(unseal("delivery", row.account, row.sealed, max_age=age, now=at, longest=_LONGEST)["body"])
    except (BrokenSeal, KeyError, ValueError):
        raise GoneBody from None
