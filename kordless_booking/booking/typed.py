"""What a visitor has typed, sealed, so that it can travel past the slot page and back into the next form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kordless_booking.booking.seal import BrokenSeal, seal, unseal

__all__ = ["FIELDS", "seal_typed", "typed_text", "unseal_typed"]

FIELDS: Final = {"name": 120, "email": 254, "phone": 40, "notes": 1000}
"""Field names and the most characters of each that are kept."""
KEPT_SECONDS: Final = 24 * 3600
MAX_TOKEN: Final = 3000
"""Characters. Servers take request lines of about 4,000, and a draft stands in the same one."""


def typed_text(given: Mapping[str, str]) -> dict[str, str]:
    """The known fields of a form that have something in them."""
    typed = {name: str(given.get(name) or "")[:most] for name, most in FIELDS.items()}
    return {name: text for name, text in typed.items() if text}


def seal_typed(account: str, typed: Mapping[str, str]) -> str | None:
    """A token of what was typed; without the notes when they would make it too long for a URL."""
    for wanted in (dict(typed), {name: text for name, text in typed.items() if name != "notes"}):
        token = seal("typed", account, wanted) if wanted else None
        if token is None or len(token) <= MAX_TOKEN:
            return token
    return None


def unseal_typed(account: str, token: str | None, now: float) -> dict[str, str]:
    """What was typed, within a day; nothing for anything that is not such a token."""
    try:
        found = unseal("typed", account, token or "", max_age=KEPT_SECONDS, now=now)
    except BrokenSeal:
        return {}
    return typed_text(found)
