"""The exceptions that calls to the Kordless Booking API raise.

There is one class for each decision that a caller has to make, not one for each HTTP status. A test compares
this tree with the classes::

    KordlessError
    ├── BadRequest        400: Kordless can't parse our request
    ├── KeyRefused        401, or 403 on an operation authenticated by the API key: booking is closed
    ├── ContactRefused    403 on an operation authenticated by the contact: treat as "no such booking"
    ├── NotFound          404: no such organization, service or booking
    ├── SlotTaken         409: the visitor chooses another time
    ├── Refused           422: understood, but impossible (already canceled, too late, …)
    └── Unavailable       no usable response
        ├── NotSent       the operation was not carried out: a retry is always safe
        │   ├── Unreachable   no connection: refused, DNS, TLS, connect timeout
        │   ├── CircuitOpen   not attempted: the circuit breaker is open
        │   └── TooMany       429, or our own quota is used up: see `retry_after`
        └── OutcomeUnknown    sent, then timeout, cut connection, 5xx or invalid body: it may have happened

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
    """Base class of all failures of a call to Kordless."""

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
        """Name of the client method, such as "create"; empty when the error is raised outside of a call."""
        self.status = status
        """HTTP status, or None when no response arrived."""
        self.reason = reason
        """Short word for the log: "read_timeout", "tls", "bad_payload", …"""
        self.retry_after = retry_after
        """Whole seconds to wait before the next attempt, or None when unknown."""


class BadRequest(KordlessError):
    """Kordless could not parse the request (400)."""


class KeyRefused(KordlessError):
    """The API key is missing, wrong, revoked or belongs to another organization (401, 403)."""


class ContactRefused(KordlessError):
    """The contact does not match the booking (403).

    Show a visitor the same page as for NotFound: the difference would tell which confirmation numbers exist.
    """


class NotFound(KordlessError):
    """Kordless knows no such organization, service or booking (404)."""


class SlotTaken(KordlessError):
    """The slot is already taken (409)."""


class Refused(KordlessError):
    """The request is understood but impossible (422).

    For example: already canceled, too late, or an idempotency key reused with another body.
    """


class Unavailable(KordlessError):
    """Kordless gave no usable response.

    After a read, serve cached data. After a write, tell NotSent and OutcomeUnknown apart.
    """


class NotSent(Unavailable):
    """The operation was certainly not carried out, so a retry is always safe."""


class Unreachable(NotSent):
    """No connection: refused, name not found, TLS failure, connect timeout."""


class CircuitOpen(NotSent):
    """The circuit breaker is open, so nothing was sent. `retry_after` is the time until the next attempt is allowed."""


class TooMany(NotSent):
    """Kordless answered 429, or our own rate limiter has no permit left. `retry_after` says how long to wait."""


class OutcomeUnknown(Unavailable):
    """The request was sent, but no usable response came back, so it may have been carried out.

    Causes: timeout, cut connection, 5xx, invalid body. Retry a write only as the same request with the same
    idempotency key; otherwise it could happen twice.
    """
