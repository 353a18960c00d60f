"""Form input as an encrypted token. It carries what a visitor typed through the slot page into the next form.

The token travels in hidden fields of forms that are posted, never in a URL: whoever has a URL must not read in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kordless_booking.booking.tokens import InvalidToken, decrypt_token, encrypt_token

TOKEN_SECONDS: Final = 15 * 60
"""Seconds after which the token is ignored: enough to choose another time."""
MAX_TOKEN: Final = 32_000
"""Characters. Half of the largest form that is read (64 KiB). Ours has 1,600 characters of input, of 4 bytes at most,
which make a token of 9,000; the rest is for fields that a site adds."""


def known_fields(values: Mapping[str, str], max_lengths: Mapping[str, int]) -> dict[str, str]:
    """Return the non-empty fields named in `max_lengths`, each cut to its length in characters."""
    fields = {name: str(values.get(name) or "")[:max_length] for name, max_length in max_lengths.items()}
    return {name: text for name, text in fields.items() if text}


def without_longest(form_input: Mapping[str, str]) -> dict[str, str]:
    """Return all but the longest text, which usually is the notes."""
    longest = max(form_input, key=lambda name: len(form_input[name]), default=None)
    return {name: text for name, text in form_input.items() if name != longest}


def encrypt_form_input(account: str, form_input: Mapping[str, str]) -> str | None:
    """Return an encrypted token of the form input, or None when nothing is left of it.

    The longest texts are left out, one by one, while the token is too long.
    """
    while form_input:
        token = encrypt_token("form_input", account, dict(form_input))
        if len(token) <= MAX_TOKEN:
            return token
        form_input = without_longest(form_input)
    return None


def is_carried(account: str, form_input: Mapping[str, str], now: float) -> bool:
    """Return True when a token holds all of the form input, and False when something is left out of it."""
    limits = {name: len(text) for name, text in form_input.items()}
    return decrypt_form_input(account, encrypt_form_input(account, form_input), now, limits) == dict(form_input)


def decrypt_form_input(account: str, token: str | None, now: float, max_lengths: Mapping[str, int]) -> dict[str, str]:
    """Return the form input in a token. Return an empty dict for a token that is missing, invalid or expired."""
    try:
        found = decrypt_token("form_input", account, token or "", max_age=TOKEN_SECONDS, now=now, max_length=MAX_TOKEN)
    except InvalidToken:
        return {}
    return known_fields(found, max_lengths)
