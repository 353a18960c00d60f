"""Keyed hashes by which a booking or a person is found again without storing who it is.

Hashes depend on SECRET_KEY. The plural functions also return those under each of SECRET_KEY_FALLBACKS, and so find what
was written before the key was rotated.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

from django.conf import settings
from django.utils.crypto import salted_hmac

from kordless_booking.normalization import contact_spellings

_CONTACT: Final = "kordless_booking.contact"
_NUMBER: Final = "kordless_booking.number"
_DELIVERY: Final = "kordless_booking.delivery"
_ADDRESS: Final = "kordless_booking.address"
_LINK: Final = "kordless_booking.short_link"
NETWORK_CHARS: Final = 32
"""Characters at the beginning of `address_hash` that all addresses of one network have in common."""


class _Numbered(Protocol):
    number_hash: str


_Row = TypeVar("_Row", bound=_Numbered)


def number_hash(number: str) -> str:
    """Hash a confirmation number, in any case."""
    return _hash(_NUMBER, number, settings.SECRET_KEY)


def contact_hash(contact: str | None) -> str:
    """Hash an email address in any case and spelling, or a phone number as E.164; "" for none."""
    return _hash(_CONTACT, contact_spellings(contact)[0], settings.SECRET_KEY) if contact else ""


def number_hashes(numbers: Iterable[str]) -> set[str]:
    """Hash each confirmation number under each key."""
    return _under_each_key(_NUMBER, numbers)


def contact_hashes(contacts: Iterable[str]) -> set[str]:
    """Hash each contact under each key.

    In each of its spellings, because older releases didn't hash the canonical one.
    """
    return _under_each_key(_CONTACT, (spelling for contact in contacts for spelling in contact_spellings(contact)))


def address_hash(address: str, network: str = "") -> str:
    """Hash a client address; "" for none.

    `network` is the one whose owner may have many addresses, or "". Its addresses begin with the same NETWORK_CHARS.
    """
    if not address:
        return ""
    hashed = client_hash("queue", address)
    return client_hash("queue", network)[:NETWORK_CHARS] + hashed[NETWORK_CHARS:] if network else hashed


def client_hash(purpose: str, identity: str) -> str:
    """Hash a client address, or another identity whose uses are counted, for one purpose.

    By its purpose, so that a row or a cache key of one tells nothing of those of another.
    """
    return salted_hmac(f"{_ADDRESS}.{purpose}", identity, algorithm="sha256").hexdigest()


def link_hash(code: str) -> str:
    """Hash the code of a short link, in any case; "" for none."""
    return _hash(_LINK, code, settings.SECRET_KEY) if code else ""


def link_hashes(code: str) -> set[str]:
    """Hash the code of a short link under each key."""
    return _under_each_key(_LINK, [code])


def delivery_hash(digest: str) -> str:
    """Hash the plain SHA-256 (in hexadecimal) of a delivery's body."""
    return _hash(_DELIVERY, digest, settings.SECRET_KEY)


def delivery_hashes(digest: str) -> set[str]:
    """Hash the plain SHA-256 of a delivery's body under each key."""
    return _under_each_key(_DELIVERY, [digest])


def rekey_row(rows: Iterable[_Row], number: str) -> _Row | None:
    """Give a booking's row its hash under the current key, and return it; None when there is no row.

    `rows` are those with one of the `number_hashes`. The caller saves the row, which is then found without
    SECRET_KEY_FALLBACKS too.
    """
    current = number_hash(number)
    # There are two where a process without the fallbacks has written one as well.
    found = max(rows, key=lambda row: row.number_hash == current, default=None)
    if found is not None:
        found.number_hash = current
    return found


def _under_each_key(salt: str, texts: Iterable[str]) -> set[str]:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return {_hash(salt, text, key) for text in texts for key in keys}


def _hash(salt: str, text: str, key: str | bytes) -> str:
    # Keyed, because a plain hash of an address or a number could be found by trying them all.
    return salted_hmac(salt, text.strip().casefold(), secret=key, algorithm="sha256").hexdigest()
