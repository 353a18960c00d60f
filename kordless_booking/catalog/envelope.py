"""What lies in the cache: one JSON document for each kept value or remembered refusal.

JSON, not pickle: whoever can write to the cache must not be able to run code here.
"""

from __future__ import annotations

import msgspec

from kordless_booking import exceptions
from kordless_booking.exceptions import KordlessError

__all__ = ["Envelope", "Failure", "opened", "sealed"]

VERSION = 1


class Failure(msgspec.Struct, frozen=True):
    """A KordlessError in words, so that other processes can raise the same."""

    kind: str
    operation: str = ""
    status: int | None = None
    reason: str = ""
    retry_after: int | None = None

    @classmethod
    def of(cls, error: KordlessError) -> Failure:
        """Describe `error`. Its message stays behind."""
        return cls(type(error).__name__, error.operation, error.status, error.reason, error.retry_after)

    def error(self) -> KordlessError:
        """Build the exception anew: one instance must not be raised in several threads."""
        known = self.kind if self.kind in exceptions.__all__ else "Unavailable"
        kind: type[KordlessError] = getattr(exceptions, known)
        return kind(operation=self.operation, status=self.status, reason=self.reason, retry_after=self.retry_after)


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A payload and what is known about it. Times are Unix seconds, `fresh` is seconds after `fetched_at`."""

    version: int
    fetched_at: float
    """When Kordless was asked, not when it answered: what it said may be as old as that."""
    fresh: float
    mark: str = ""
    """The group's mark when Kordless was asked; another mark by now means: forgotten since."""
    again_at: float = 0.0
    """After a failed refresh: not to be tried again before."""
    troubled: bool = False
    """The last refresh failed, and not merely because refreshes were rationed."""
    failure: Failure | None = None
    payload: msgspec.Raw = msgspec.Raw(b"null")

    def age(self, now: float) -> float:
        """Seconds since Kordless was asked. A value from the future (a stepped clock) counts as old, not as
        new.
        """
        return abs(now - self.fetched_at)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Envelope)


def sealed(envelope: Envelope) -> bytes:
    """Return the JSON to keep."""
    return _encoder.encode(envelope)


def opened(raw: object) -> Envelope | None:
    """Read what was kept; None for anything that this version did not write."""
    if not isinstance(raw, bytes):
        return None
    try:
        envelope = _decoder.decode(raw)
    except msgspec.MsgspecError:
        return None
    return envelope if envelope.version == VERSION else None
