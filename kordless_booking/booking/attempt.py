"""One try at booking: what is sent, under which key, and how it can stand.

::

    (form sent) ──> PLACING ──> PLACED     Kordless said yes
                      │  ▲
                      │  ├────> REFUSED    Kordless said no, or nothing ever reached it
                      │  │
                      │  ├────> UNSURE     sent, no usable answer: ask again, same key, same body
                      │  │
                      └──┴────> WAITING    too many at once: sent by itself when its turn comes

The key comes from the draft's nonce and the body from the form, so a double click, a reload and a retry all carry
the same two. Only after REFUSED may a new generation, and with it a new key, follow, with any body.

Another body under the same key is another request: a second person with the same link, or the first one with another
name. In every state but REFUSED it is told so at once; it neither changes nor learns anything of this attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from kordless_booking.api.resources import NewBooking
from kordless_booking.booking.hashes import contact_hash
from kordless_booking.booking.reader import Reader
from kordless_booking.booking.seal import seal

__all__ = ["Attempt", "State", "is_body_hash"]

_BODY: Final = "kordless_booking.body"


class State(StrEnum):
    """How an attempt stands. `open` ones may still become a booking."""

    PLACING = "placing"
    PLACED = "placed"
    REFUSED = "refused"
    UNSURE = "unsure"
    WAITING = "waiting"

    @property
    def open(self) -> bool:
        return self in {State.PLACING, State.UNSURE, State.WAITING}


@dataclass(frozen=True)
class Attempt:
    """`key` is the draft's nonce, `new` what Kordless is asked for; `attribution` and `reader` stay with the site."""

    key: str
    new: NewBooking
    attribution: Mapping[str, str] = field(default_factory=dict, compare=False)
    reader: Reader | None = field(default=None, compare=False)

    def body(self) -> str:
        """The request as JSON, the same text for the same request."""
        return msgspec.json.encode(self.new, order="deterministic").decode()

    def body_digest(self) -> str:
        """A plain hash of the body, for encrypted tokens only: a known name and address would give it away."""
        return sha256(self.body().encode()).hexdigest()

    def body_hash(self) -> str:
        """A keyed hash of the digest, for the row."""
        return _body_hash(self.body_digest(), settings.SECRET_KEY)

    def contact_hashes(self) -> dict[str, str]:
        """Keyed hashes by which the row is found when its contact is to be forgotten."""
        contact = self.new.contact
        return {"email_hash": contact_hash(contact.email), "phone_hash": contact_hash(contact.phone)}

    def sealed(self, account: str) -> str:
        """All of it but the key, encrypted: what a row holds while the outcome is open."""
        reader = msgspec.to_builtins(self.reader) if self.reader else None
        return seal("attempt", account, {"body": self.body(), "attribution": dict(self.attribution), "reader": reader})

    @classmethod
    def read(cls, key: str, body: str, attribution: Mapping[str, str] | None = None, reader: object = None) -> Attempt:
        """The attempt that `body()` wrote. Raises msgspec.DecodeError, of which a ValidationError is one."""
        known = msgspec.convert(reader, Reader) if reader else None
        return cls(key, msgspec.json.decode(body, type=NewBooking), attribution or {}, known)


def is_body_hash(body_hash: str, digest: str) -> bool:
    """Tell whether a row's `body_hash` is of the body with this digest, under SECRET_KEY or one of its fallbacks.

    The time that it takes says nothing about how much of the two is alike.
    """
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(_body_hash(digest, key), body_hash) for key in keys)


def _body_hash(digest: str, key: str | bytes) -> str:
    return salted_hmac(_BODY, digest, secret=key, algorithm="sha256").hexdigest()


def idempotency_key(key: str, generation: int) -> str:
    """What Kordless gets: one per generation, so that a refused attempt's key is never used for another body."""
    return f"kb-{key}-{generation}"
