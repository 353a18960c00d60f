"""Tokens that nobody else can read or change, for what must travel in a URL.

`seal` encrypts a small JSON object for one purpose and one account; a token made for another purpose, by another
account, or with another SECRET_KEY does not open. SECRET_KEY_FALLBACKS still open what older keys sealed.
"""

from __future__ import annotations

import base64
import json
import zlib
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

__all__ = ["MAX_ROW_TOKEN", "MAX_TOKEN", "MAX_URL_TOKEN", "BrokenSeal", "OldSeal", "seal", "unseal"]

MAX_TOKEN = 4096
"""Characters. No URL of ours holds a longer one, so nothing longer is ever decoded."""
MAX_ROW_TOKEN = 200_000
"""Characters of a token in a column of a row, which has more room than a URL."""
MAX_URL_TOKEN = 3000
"""Characters that a token is cut down to, by leaving out what can be asked for again. Servers take request lines of
about 4,000."""


class BrokenSeal(Exception):
    """Not a token of ours, for this purpose and account, or changed since."""


class OldSeal(BrokenSeal):
    """A token of ours that has passed its age."""


def seal(purpose: str, account: str, payload: dict[str, Any]) -> str:
    """A URL-safe token of `payload`, which must be JSON."""
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    return _box(purpose, account).encrypt(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def unseal(
    purpose: str, account: str, token: str, *, max_age: int | None, now: float, longest: int = MAX_TOKEN
) -> dict[str, Any]:
    """Return what `seal` was given, at most `max_age` seconds ago, or however long ago with None.

    `now` is Unix time, `longest` is in characters. Raises OldSeal when it was sealed longer ago, BrokenSeal for
    anything else that is wrong with it.
    """
    if len(token) > longest or not token.isascii() or "=" in token:
        raise BrokenSeal
    padded = (token + "=" * (-len(token) % 4)).encode()
    if not _canonical(padded):
        raise BrokenSeal
    box = _box(purpose, account)
    try:
        packed = box.decrypt(padded)
        made_at = box.extract_timestamp(padded)
    except (InvalidToken, TypeError, ValueError):
        raise BrokenSeal from None
    if max_age is not None and made_at + max_age < now:
        raise OldSeal
    payload = json.loads(zlib.decompress(packed))
    if not isinstance(payload, dict):
        raise BrokenSeal
    return payload


def _canonical(padded: bytes) -> bool:
    """Whether this is the only spelling of its bytes: Base64 decoding skips strange characters and spare bits."""
    try:
        return base64.urlsafe_b64encode(base64.urlsafe_b64decode(padded)) == padded
    except ValueError:
        return False


def _box(purpose: str, account: str) -> MultiFernet:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([_fernet(secret, f"{purpose}\0{account}") for secret in secrets])


@lru_cache(maxsize=128)
def _fernet(secret: str | bytes, info: str) -> Fernet:
    given = secret.encode() if isinstance(secret, str) else secret
    derived = HKDF(SHA256(), 32, salt=b"kordless_booking.seal.v1", info=info.encode()).derive(given)
    return Fernet(base64.urlsafe_b64encode(derived))
