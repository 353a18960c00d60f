"""Everything that can go wrong between a caller and Kordless.

One class for each decision a caller makes, not one for each status::

    KordlessError
    ├── BadRequest        400: we sent something that Kordless can't read
    ├── KeyRefused        401, or 403 where the API key is the proof: booking is closed
    ├── ContactRefused    403 where the contact is the proof: treat as "no such booking"
    ├── NotFound          404: no such organization, service or booking
    ├── SlotTaken         409: choose another time
    ├── Refused           422: understood, but impossible (already canceled, too late, …)
    └── Unavailable       Kordless gave no usable answer
        ├── NotSent       nothing reached Kordless: trying again is always safe
        │   ├── Unreachable   no connection: refused, DNS, TLS, connect time-out
        │   ├── CircuitOpen   not tried: the last calls all failed
        │   └── TooMany       429, or our own allowance is used up: `retry_after` says when
        └── OutcomeUnknown    sent, then silence, a cut, a 5xx or rubbish: it may have happened

Messages are for operators. They never contain the API key, a contact, a query string or a body.
"""

from __future__ import annotations

__all__ = [
    "BadRequest",
    "CircuitOpen",
    "ContactRefused",
    "KeyRefused",
    "KordlessError",
    "NotFound",
    "NotSent",
    "OutcomeUnknown",
    "Refused",
    "SlotTaken",
    "TooMany",
    "Unavailable",
    "Unreachable",
]


class KordlessError(Exception):
    """Anything that kept Kordless from doing what was asked.

    `operation` is the client method's name, `status` the HTTP status when there was one, `reason` a short
    word for the log ("read_timeout", "tls", "bad_payload", …) and `retry_after` whole seconds when known.
    """

    def __init__(
        self,
        message: str = "",
        *,
        operation: str = "",
        status: int | None = None,
        reason: str = "",
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message or reason or type(self).__name__)
        self.operation = operation
        self.status = status
        self.reason = reason
        self.retry_after = retry_after


class BadRequest(KordlessError):
    """Kordless could not read what we sent (400)."""


class KeyRefused(KordlessError):
    """The API key is missing, wrong, revoked or another organization's (401, 403)."""


class ContactRefused(KordlessError):
    """The contact does not match the booking (403). Never tell it apart from NotFound to a visitor."""


class NotFound(KordlessError):
    """Kordless knows no such organization, service or booking (404)."""


class SlotTaken(KordlessError):
    """Somebody else has that time (409)."""


class Refused(KordlessError):
    """Understood but impossible (422): already canceled, too late, the same key with another body."""


class Unavailable(KordlessError):
    """Kordless gave no usable answer. For a read, show what is known; for a write, see the two kinds."""


class NotSent(Unavailable):
    """Nothing reached Kordless, so nothing happened there: trying again is always safe."""


class Unreachable(NotSent):
    """No connection: refused, name not found, TLS failure, connect time-out."""


class CircuitOpen(NotSent):
    """Not even tried, because the last calls all failed. `retry_after` says when the next one may go."""


class TooMany(NotSent):
    """Kordless said 429, or our own share of its allowance is used up. `retry_after` says when to come back."""


class OutcomeUnknown(Unavailable):
    """The request was sent, and then came silence, a cut, a 5xx or rubbish: it may have been carried out.

    Only the same request with the same idempotency key may follow.
    """
