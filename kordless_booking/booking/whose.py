"""Keyed hashes of a contact: they find again what is kept of a person, and tell nobody who that is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.conf import settings
from django.utils.crypto import salted_hmac

__all__ = ["contact_hash", "hashes"]

CONTACT: Final = "kordless_booking.contact"


def contact_hash(contact: str | None) -> str:
    """Of an e-mail address in any case, or of a phone number as E.164; "" for none."""
    return _hash(CONTACT, contact, settings.SECRET_KEY) if contact else ""


def hashes(salt: str, texts: Iterable[str]) -> set[str]:
    """Of each text under SECRET_KEY and under each of SECRET_KEY_FALLBACKS: what was written before still is found."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return {_hash(salt, text, key) for text in texts for key in keys}


def _hash(salt: str, text: str, key: str | bytes) -> str:
    return salted_hmac(salt, text.strip().casefold(), secret=key, algorithm="sha256").hexdigest()
