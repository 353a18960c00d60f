"""Booking attempt: the request that is sent to Kordless, its idempotency key, and its states.

::

    (form sent) ──> PLACING ──> PLACED           Kordless created the booking
        │             │  ▲
        │             │  ├────> REJECTED         Kordless rejected it, or nothing ever reached Kordless
        │             │  │
        │             │  ├────> OUTCOME_UNKNOWN  sent, no usable response: sent again with the same key and body
        │             │  │
        ├─────────────┼──┼────> WAITING          over the creation limit: queued, and sent when its turn comes
        │             │  │        ▲ ▼
        └─────────────┴──┴────> HELD             not due yet: neither sent nor queued, and nobody waits for it

A WAITING or HELD attempt that was never sent also becomes REJECTED when its slot is known to be gone.

The key comes from the draft's nonce and the body from the form, so a double click, a reload and a retry all send the
same key and body. Only a REJECTED attempt may be followed by a new generation, which has a new idempotency key and may
have another body; not where the outcome of one of its sends is unknown, which may be booked.

Another body under the same key is a different request: from a second person with the same link, or from the same
person with another name. In every state but REJECTED, such a request is turned down at once; it neither changes the
attempt nor reveals anything of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from kordless_booking.api.resources import NewBooking
from kordless_booking.booking.hashes import contact_hash
from kordless_booking.booking.metadata import convert_metadata
from kordless_booking.booking.preferences import VisitorPreferences
from kordless_booking.booking.tokens import MAX_ROW_TOKEN, InvalidToken, decrypt_token, encrypt_token
from kordless_booking.consent import GivenConsent, convert_consents, identify_consents
from kordless_booking.questions.answers import Answer, convert_answers

if TYPE_CHECKING:
    from kordless_booking.models import BookingAttempt

_BODY: Final = "kordless_booking.body"
ENCRYPTED_BODY_TTL: Final = 30 * 86400
"""Seconds for which the encrypted body or response in a row can be decrypted."""


@dataclass(frozen=True)
class Attempt:
    """Request for a booking. Two attempts are equal when key and request are."""

    key: str
    """The draft's nonce."""
    request: NewBooking
    """The request to Kordless."""
    attribution: Mapping[str, str] = field(default_factory=dict, compare=False)
    """UTM parameters and the like. Not sent to Kordless."""
    preferences: VisitorPreferences | None = field(default=None, compare=False)
    """The visitor's preferences, for mails. Not sent to Kordless."""
    consents: tuple[GivenConsent, ...] = field(default=(), compare=False)
    """Boxes that were ticked. Not sent to Kordless, but a part of what the visitor wants."""
    answers: tuple[Answer, ...] = field(default=(), compare=False, repr=False)
    """Answers to the business's questions. The notes of the request have them as text."""
    metadata: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """Metadata of the page around the widget. Not sent to Kordless."""

    def body(self) -> str:
        """Return the request as JSON: the same text for the same request."""
        return msgspec.json.encode(self.request, order="deterministic").decode()

    def body_digest(self) -> str:
        """Return a plain SHA-256 of the body and of what was agreed to, in hexadecimal.

        Only for encrypted tokens: it has no key, so whoever guesses the name and the contact could confirm the guess.
        """
        # The body is one line of JSON, so that nothing in it looks like what follows.
        agreed = identify_consents(self.consents)
        return sha256((f"{self.body()}\n{agreed}" if agreed else self.body()).encode()).hexdigest()

    def body_hash(self) -> str:
        """Return a keyed hash (HMAC) of the digest, for the row."""
        return _body_hash(self.body_digest(), settings.SECRET_KEY)

    def contact_hashes(self) -> dict[str, str]:
        """Return keyed hashes by which an erasure finds the row: `email_hash` and `phone_hash`."""
        contact = self.request.contact
        return {"email_hash": contact_hash(contact.email), "phone_hash": contact_hash(contact.phone)}

    def encrypted(self, account: str) -> str:
        """Return everything but the key, encrypted. The row holds it while the outcome is open."""
        preferences = msgspec.to_builtins(self.preferences) if self.preferences else None
        payload = {"body": self.body(), "attribution": dict(self.attribution), "preferences": preferences}
        if self.consents:
            payload["consents"] = msgspec.to_builtins(self.consents)
        return encrypt_token("attempt", account, payload | self.stored_details())

    def stored_details(self) -> dict[str, Any]:
        """Return what a row's token has of answers and metadata, also once it is placed."""
        answers = {"answers": msgspec.to_builtins(self.answers)} if self.answers else {}
        return answers | ({"metadata": dict(self.metadata)} if self.metadata else {})

    @classmethod
    def from_row(cls, row: BookingAttempt, now: datetime | None) -> Attempt:
        """Decrypt the attempt in a row whose outcome is open. None for `now` accepts any age.

        Raises InvalidToken when it can't be decrypted, or was written by a release with other fields.
        """
        encrypted = decrypt_row("attempt", row, now)
        try:
            request = msgspec.json.decode(encrypted["body"], type=NewBooking)
        except (KeyError, TypeError, msgspec.DecodeError):
            raise InvalidToken from None
        try:
            preferences = msgspec.convert(encrypted.get("preferences"), VisitorPreferences)
        except msgspec.ValidationError:
            # None, or of another release. They are only for mails, and no booking must fail for them.
            preferences = None
        consents = convert_consents(encrypted.get("consents"))
        answers = convert_answers(encrypted.get("answers"))
        metadata = convert_metadata(encrypted.get("metadata"))
        return cls(row.key, request, encrypted.get("attribution") or {}, preferences, consents, answers, metadata)


def decrypt_row(purpose: str, row: BookingAttempt, now: datetime | None) -> dict[str, Any]:
    """Decrypt what a row holds: its "attempt" while the outcome is open, then the "answer". Raises InvalidToken.

    None for `now` accepts any age.
    """
    age, seconds = (None, 0.0) if now is None else (ENCRYPTED_BODY_TTL, now.timestamp())
    return decrypt_token(purpose, row.account, row.encrypted, max_age=age, now=seconds, max_length=MAX_ROW_TOKEN)


def is_body_hash(body_hash: str, digest: str) -> bool:
    """Return True when a row's `body_hash` belongs to this digest, under SECRET_KEY or one of SECRET_KEY_FALLBACKS.

    Compares in constant time.
    """
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(_body_hash(digest, key), body_hash) for key in keys)


def _body_hash(digest: str, key: str | bytes) -> str:
    return salted_hmac(_BODY, digest, secret=key, algorithm="sha256").hexdigest()


def idempotency_key(key: str, generation: int) -> str:
    """Return the Idempotency-Key for Kordless.

    It differs for each generation, so that the key of a rejected attempt is never used for another body.
    """
    return f"kb-{key}-{generation}"
