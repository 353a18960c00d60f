"""Verification of a delivery's signature, before any byte of it is believed.

The signed bytes aren't documented, so the scheme is a setting: what is signed (`timestamp.body` or `body`) and how the
HMAC-SHA256 is encoded (`hex` or `base64`). A signature may begin with `sha256=` or `v1=`, and one header may hold
several, separated by commas or spaces. Source: Kordless's public documentation; the default scheme is assumed.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

TOLERANCE_SECONDS: Final = 300
"""Seconds that a delivery's timestamp may differ from our clock, in either direction."""
MOST_SIGNATURES: Final = 16
"""Signatures of a header that are compared; each costs one comparison per secret."""
LONGEST_HEADER: Final = 4096
"""Characters. A longer header counts as one without signatures."""
_TIMESTAMP: Final = re.compile(r"[0-9]{1,13}", re.ASCII)
_PREFIX: Final = re.compile(r"(?:^|(?<=[\s,]))(?:sha256|v1)[=,]", re.ASCII)
_MILLISECONDS_FROM: Final = 100_000_000_000
"""From this number on a timestamp is in milliseconds: as such it is in 1973, in seconds it would be in 5138."""


class BadSignature(Exception):
    """No signature was made with one of the secrets."""

    def __init__(self, would_pass: SignatureScheme | None = None) -> None:
        super().__init__("No signature fits.")
        #: The scheme under which the delivery would have been accepted, so that the log can name the right setting.
        self.would_pass = would_pass


class StaleDelivery(Exception):
    """The timestamp can't be read, or differs too much from the current time."""


@dataclass(frozen=True)
class SignatureScheme:
    """Signature scheme."""

    signed_payload: str = "timestamp.body"
    """Bytes that are signed: `timestamp.body` or `body`."""
    encoding: str = "hex"
    """Encoding of the signature: `hex` or `base64`."""

    def __str__(self) -> str:
        # As it is written in the settings, because the log tells operators to copy it.
        return f'"WEBHOOK_SIGNED_PAYLOAD": "{self.signed_payload}", "WEBHOOK_SIGNATURE_ENCODING": "{self.encoding}"'


SCHEMES: Final = tuple(
    SignatureScheme(signed, written) for signed in ("timestamp.body", "body") for written in ("hex", "base64")
)


def parse_timestamp(timestamp: str) -> float:
    """Parse a timestamp header, in seconds or milliseconds, into Unix time. Raises StaleDelivery if it is neither."""
    if not _TIMESTAMP.fullmatch(timestamp):
        raise StaleDelivery
    number = int(timestamp)
    return number / 1000 if number >= _MILLISECONDS_FROM else float(number)


def sign(body: bytes, *, timestamp: str, secret: str, scheme: SignatureScheme | None = None) -> str:
    """Compute the signature that a delivery with this body and timestamp header must have."""
    scheme = scheme or SignatureScheme()
    # The timestamp as it came: 1700000000 and 1700000000000 are signed differently.
    signed = body if scheme.signed_payload == "body" else timestamp.encode() + b"." + body
    digest = hmac.new(secret.encode(), signed, sha256).digest()
    return digest.hex() if scheme.encoding == "hex" else base64.b64encode(digest).decode()


def verify(
    body: bytes, *, signatures: str, timestamp: str, secrets: Sequence[str], scheme: SignatureScheme, now: float
) -> None:
    """Verify that `body` was signed with one of the secrets, at most five minutes from `now` (Unix time).

    Every secret is compared with every signature, in constant time, so that the response time reveals nothing.
    Raises StaleDelivery or BadSignature.
    """
    if abs(parse_timestamp(timestamp) - now) > TOLERANCE_SECONDS:
        raise StaleDelivery
    candidates = list(_candidates(signatures))
    if _matches(body, candidates, timestamp, secrets, scheme):
        return
    # Only somebody with a secret passes under another scheme, so looking for it tells an attacker nothing.
    others = (other for other in SCHEMES if other != scheme)
    raise BadSignature(next((other for other in others if _matches(body, candidates, timestamp, secrets, other)), None))


def _matches(
    body: bytes, candidates: Sequence[bytes], timestamp: str, secrets: Sequence[str], scheme: SignatureScheme
) -> bool:
    right = [sign(body, timestamp=timestamp, secret=secret, scheme=scheme).encode() for secret in secrets]
    # A list, not a generator: `any` would stop at the first match and so reveal which secret it was.
    matches = [hmac.compare_digest(one, other) for one in right for other in candidates]
    return any(matches)


def _candidates(header: str) -> Iterator[bytes]:
    """Yield the signatures in a header, as bytes: `compare_digest` raises for text that isn't ASCII."""
    if len(header) > LONGEST_HEADER:
        return
    # One part more than signatures, because a prefix at the beginning leaves an empty one.
    for part in re.split(r"[,\s]+", _PREFIX.sub(" ", header))[: MOST_SIGNATURES + 1]:
        if part:
            # Headers can contain lone surrogates, which strict UTF-8 would refuse with an exception.
            yield part.encode("utf-8", "surrogatepass")
