"""Whether a delivery really comes from Kordless, before a single byte of it is believed.

The signed bytes are not documented, so the recipe is a setting: what is signed (`timestamp.body` or `body`) and how the
HMAC-SHA256 is written (`hex` or `base64`). In front of a signature `sha256=` or `v1=` may stand, and one header may
hold several, separated by commas or spaces. Source: Kordless's public documentation; the default recipe is assumed.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

__all__ = ["RECIPES", "BadSignature", "Recipe", "StaleDelivery", "moment", "sign", "verify"]

TOLERANCE: Final = 300
"""Seconds that a delivery's timestamp may be off, in either direction."""
MOST_SIGNATURES: Final = 16
LONGEST_HEADER: Final = 4096
_TIMESTAMP: Final = re.compile(r"[0-9]{1,13}", re.ASCII)
_PREFIX: Final = re.compile(r"(?:^|(?<=[\s,]))(?:sha256|v1)[=,]", re.ASCII)
_MILLISECONDS_FROM: Final = 100_000_000_000


class BadSignature(Exception):
    """Not signed with one of the secrets. `would_pass` is the recipe under which it would have been accepted."""

    def __init__(self, would_pass: Recipe | None = None) -> None:
        super().__init__("No signature fits.")
        self.would_pass = would_pass


class StaleDelivery(Exception):
    """The timestamp is none, or too far from now."""


@dataclass(frozen=True)
class Recipe:
    """What is signed (`timestamp.body` or `body`), and how the signature is written (`hex` or `base64`)."""

    signed: str = "timestamp.body"
    written: str = "hex"

    def __str__(self) -> str:
        return f'"WEBHOOK_SIGNED": "{self.signed}", "WEBHOOK_WRITTEN": "{self.written}"'


RECIPES: Final = tuple(
    Recipe(signed, written) for signed in ("timestamp.body", "body") for written in ("hex", "base64")
)


def moment(timestamp: str) -> float:
    """The Unix time in a timestamp header of seconds or milliseconds. Raises StaleDelivery for anything else."""
    if not _TIMESTAMP.fullmatch(timestamp):
        raise StaleDelivery
    number = int(timestamp)
    return number / 1000 if number >= _MILLISECONDS_FROM else float(number)


def sign(body: bytes, *, timestamp: str, secret: str, recipe: Recipe | None = None) -> str:
    """The signature that a delivery with this body and timestamp header must carry."""
    recipe = recipe or Recipe()
    signed = body if recipe.signed == "body" else timestamp.encode() + b"." + body
    digest = hmac.new(secret.encode(), signed, sha256).digest()
    return digest.hex() if recipe.written == "hex" else base64.b64encode(digest).decode()


def verify(body: bytes, *, signatures: str, timestamp: str, secrets: Sequence[str], recipe: Recipe, now: float) -> None:
    """Return when `body` was signed with one of the secrets, at most five minutes from `now` (Unix time).

    Every secret is compared with every signature in constant time, so that an answer's time tells nothing.
    Raises StaleDelivery or BadSignature.
    """
    if abs(moment(timestamp) - now) > TOLERANCE:
        raise StaleDelivery
    given = list(_candidates(signatures))
    if _fits(body, given, timestamp, secrets, recipe):
        return
    others = (other for other in RECIPES if other != recipe)
    raise BadSignature(next((other for other in others if _fits(body, given, timestamp, secrets, other)), None))


def _fits(body: bytes, given: Sequence[bytes], timestamp: str, secrets: Sequence[str], recipe: Recipe) -> bool:
    right = [sign(body, timestamp=timestamp, secret=secret, recipe=recipe).encode() for secret in secrets]
    matches = [hmac.compare_digest(one, other) for one in right for other in given]
    return any(matches)


def _candidates(header: str) -> Iterator[bytes]:
    """The signatures in a header, as bytes: `compare_digest` raises on text that is not ASCII."""
    if len(header) > LONGEST_HEADER:
        return
    for part in re.split(r"[,\s]+", _PREFIX.sub(" ", header))[: MOST_SIGNATURES + 1]:
        if part:
            yield part.encode("utf-8", "surrogatepass")
