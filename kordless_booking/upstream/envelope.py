"""Serialization of cache entries: one JSON document for each cached value or cached error.

JSON, not pickle: whoever can write to the cache must not be able to run code here.
"""

from __future__ import annotations

import msgspec

from kordless_booking import exceptions
from kordless_booking.exceptions import KordlessError

__all__ = ["Envelope", "Failure", "decode", "encode"]

VERSION = 1
"""Raise it when the format changes: entries of another version are read as absent."""


class Failure(msgspec.Struct, frozen=True):
    """A KordlessError as plain fields, so that other processes can raise the same."""

    kind: str
    operation: str = ""
    status: int | None = None
    reason: str = ""
    retry_after: int | None = None

    @classmethod
    def of(cls, error: KordlessError) -> Failure:
        """Describe `error` by its fields; its message is not kept."""
        return cls(type(error).__name__, error.operation, error.status, error.reason, error.retry_after)

    def error(self) -> KordlessError:
        """Return a new exception: one instance must not be raised in several threads."""
        # The name comes from the cache: it may be from another version, and must not reach any other attribute.
        known = self.kind if self.kind in exceptions.__all__ else "Unavailable"
        kind: type[KordlessError] = getattr(exceptions, known)
        return kind(operation=self.operation, status=self.status, reason=self.reason, retry_after=self.retry_after)


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Cache entry: a payload or a failure, and what is known about it. Times are Unix seconds."""

    version: int
    fetched_at: float
    """When Kordless was asked, not when it answered: the value may be as old as that."""
    fresh: float
    """Seconds after `fetched_at` for which the entry is served without a refresh."""
    generation: str = ""
    """Generation of the item's group when Kordless was asked. It differs from the current one after an invalidation."""
    retry_at: float = 0.0
    """After a failed refresh: no other try before this time."""
    degraded: bool = False
    """The last refresh failed, and not merely because the rate limiter held it back. Served as degraded."""
    failure: Failure | None = None
    """Set in a negative entry, which has no payload."""
    payload: msgspec.Raw = msgspec.Raw(b"null")

    def age(self, now: float) -> float:
        """Return the seconds since Kordless was asked.

        An entry from the future (a stepped clock) counts as old, not as new.
        """
        return abs(now - self.fetched_at)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Envelope)


def encode(envelope: Envelope) -> bytes:
    """Encode as JSON for the cache."""
    return _encoder.encode(envelope)


def decode(raw: object) -> Envelope | None:
    """Decode what the cache returned; None for anything that this version did not write."""
    if not isinstance(raw, bytes):
        return None
    try:
        envelope = _decoder.decode(raw)
    except (msgspec.MsgspecError, RecursionError):  # deeply nested JSON, which somebody else has written
        return None
    return envelope if envelope.version == VERSION else None
