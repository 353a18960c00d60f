"""Form input as an encrypted token, which carries what a visitor typed past the slot page into the next form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kordless_booking.booking.seal import BrokenSeal, seal, unseal

__all__ = ["FIELDS", "seal_typed", "typed_text", "unseal_typed"]

FIELDS: Final = {"name": 120, "email": 254, "phone": 40, "notes": 1000}
"""Names of the fields that are kept, and the maximum number of characters of each."""
KEPT_SECONDS: Final = 24 * 3600
"""Seconds for which a token can be decrypted: a day."""
MAX_TOKEN: Final = 3000
"""Characters. Servers accept request lines of about 4,000, and a draft stands in the same one."""


def typed_text(given: Mapping[str, str]) -> dict[str, str]:
    """Return the known fields that are not empty, cut to their length."""
    typed = {name: str(given.get(name) or "")[:most] for name, most in FIELDS.items()}
    return {name: text for name, text in typed.items() if text}


def seal_typed(account: str, typed: Mapping[str, str]) -> str | None:
    """Encrypt what was typed.

    Without the notes when they would make the token too long for a URL; None when there is nothing.
    """
    for wanted in (dict(typed), {name: text for name, text in typed.items() if name != "notes"}):
        token = seal("typed", account, wanted) if wanted else None
        if token is None or len(token) <= MAX_TOKEN:
            return token
    return None


def unseal_typed(account: str, token: str | None, now: float) -> dict[str, str]:
    """Decrypt what was typed within a day; an empty dict for anything that is not such a token."""
    try:
        found = unseal("typed", account, token or "", max_age=KEPT_SECONDS, now=now)
    except BrokenSeal:
        return {}
    # Cut again: the limits may have changed since the token was made.
    return typed_text(found)
