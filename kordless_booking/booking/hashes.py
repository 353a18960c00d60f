"""Keyed hashes that find a booking or a person again, and tell nobody who it is."""

from __future__ import annotations

from django.utils.crypto import salted_hmac

__all__ = ["contact_hash", "number_hash"]


def number_hash(number: str) -> str:
    """Of a confirmation number, in any case."""
    return _hash("kordless_booking.number", number)


def contact_hash(contact: str) -> str:
    """Of an e-mail address in any case, or of a phone number as E.164; "" for none."""
    return _hash("kordless_booking.contact", contact) if contact else ""


def _hash(salt: str, text: str) -> str:
    return salted_hmac(salt, text.strip().casefold(), algorithm="sha256").hexdigest()
