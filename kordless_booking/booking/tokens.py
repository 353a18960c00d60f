"""Encrypted and authenticated tokens (Fernet) for URLs and database rows.

A token holds a small JSON object. Its key is derived from SECRET_KEY, the purpose and the account (HKDF), so a token
can't be decrypted for another purpose or account. SECRET_KEY_FALLBACKS still decrypt, but never encrypt.
"""

from __future__ import annotations

import base64
import json
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings

from kordless_booking.lazy_imports import LazyModule

if TYPE_CHECKING:
    from cryptography import fernet
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf import hkdf
else:
    fernet = LazyModule("cryptography.fernet")
    hashes = LazyModule("cryptography.hazmat.primitives.hashes")
    hkdf = LazyModule("cryptography.hazmat.primitives.kdf.hkdf")

MAX_TOKEN = 4096
"""Longest token, in characters, that is decoded from a URL. No URL of ours contains a longer one."""
MAX_ROW_TOKEN = 200_000
"""Longest token, in characters, that is decoded from a database row."""
MAX_URL_TOKEN = 3000
"""Characters that callers shorten a token to, by leaving out what can be asked for again. Servers accept request lines
of about 4,000 characters."""


class InvalidToken(Exception):
    """The token was not made here for this purpose and account, or was changed."""


class ExpiredToken(InvalidToken):
    """The token is genuine, but too old."""


def encrypt_token(purpose: str, account: str, payload: dict[str, Any]) -> str:
    """Encrypt `payload`, which must be JSON-serializable, into a URL-safe token."""
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    # Without "=", which urlencode would escape.
    return _box(purpose, account).encrypt(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def reencrypt_token(purpose: str, account: str, token: str, payload: dict[str, Any]) -> str:
    """Encrypt `payload` as a token that is as old as `token`, which was decrypted for this purpose and account."""
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    box = _box(purpose, account)
    issued_at = box.extract_timestamp((token + "=" * (-len(token) % 4)).encode())
    return box.encrypt_at_time(zlib.compress(text.encode(), 9), issued_at).decode().rstrip("=")


def decrypt_token(
    purpose: str, account: str, token: str, *, max_age: int | None, now: float, max_length: int = MAX_TOKEN
) -> dict[str, Any]:
    """Decrypt a token made by `encrypt_token` at most `max_age` seconds ago; None accepts any age.

    `now` is Unix time, `max_length` is in characters. Raises ExpiredToken when the token is too old, and InvalidToken
    for anything else that is wrong with it.
    """
    if len(token) > max_length or not token.isascii() or "=" in token:
        raise InvalidToken
    padded = (token + "=" * (-len(token) % 4)).encode()
    # Otherwise one token could be written in several ways.
    if not _canonical(padded):
        raise InvalidToken
    box = _box(purpose, account)
    try:
        packed = box.decrypt(padded)
        issued_at = box.extract_timestamp(padded)
    except (fernet.InvalidToken, TypeError, ValueError):
        raise InvalidToken from None
    if max_age is not None and issued_at + max_age < now:
        raise ExpiredToken
    payload = json.loads(zlib.decompress(packed))
    if not isinstance(payload, dict):
        raise InvalidToken
    return payload


def _canonical(padded: bytes) -> bool:
    """Return True for canonical Base64. Python's decoder skips foreign characters and ignores unused bits."""
    try:
        return base64.urlsafe_b64encode(base64.urlsafe_b64decode(padded)) == padded
    except ValueError:
        return False


def _box(purpose: str, account: str) -> fernet.MultiFernet:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return fernet.MultiFernet([_fernet(secret, f"{purpose}\0{account}") for secret in secrets])


# One entry for each secret, purpose and account: HKDF for each token would be wasted work.
@lru_cache(maxsize=128)
def _fernet(secret: str | bytes, info: str) -> fernet.Fernet:
    key = secret.encode() if isinstance(secret, str) else secret
    derived_key = hkdf.HKDF(hashes.SHA256(), 32, salt=b"kordless_booking.token.v1", info=info.encode()).derive(key)
    return fernet.Fernet(base64.urlsafe_b64encode(derived_key))
