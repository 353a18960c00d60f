"""Form input as an encrypted token, which carries what a visitor typed past the slot page into the next form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kordless_booking.booking.seal import MAX_URL_TOKEN, BrokenSeal, seal, unseal

__all__ = ["seal_typed", "typed_text", "unseal_typed", "without_longest"]

KEPT_SECONDS: Final = 24 * 3600


def typed_text(given: Mapping[str, str], max_lengths: Mapping[str, int]) -> dict[str, str]:
    """Return the fields that have something in them, cut to their lengths. Other fields are left out."""
    typed = {name: str(given.get(name) or "")[:most] for name, most in max_lengths.items()}
    return {name: text for name, text in typed.items() if text}


def without_longest(typed: Mapping[str, str]) -> dict[str, str]:
    """Return all but the longest text, which is as a rule the notes."""
    longest = max(typed, key=lambda name: len(typed[name]), default=None)
    return {name: text for name, text in typed.items() if name != longest}


def seal_typed(account: str, typed: Mapping[str, str]) -> str | None:
    """A token of what was typed; without the longest texts when they would make it too long for a URL."""
    while typed:
        token = seal("typed", account, dict(typed))
        if len(token) <= MAX_URL_TOKEN:
            return token
        typed = without_longest(typed)
    return None


def unseal_typed(account: str, token: str | None, now: float, max_lengths: Mapping[str, int]) -> dict[str, str]:
    """What was typed, within a day; nothing for anything that is not such a token."""
    try:
        found = unseal("typed", account, token or "", max_age=KEPT_SECONDS, now=now)
    except BrokenSeal:
        return {}
    return typed_text(found, max_lengths)
