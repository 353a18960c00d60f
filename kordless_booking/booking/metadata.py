"""Metadata that a site's template gives to a booking, such as the number of an order, as an encrypted token.

The token travels in the widget's links to the draft, and the draft holds it until the form is posted. Then it stands
encrypted in the attempt's row, from which signals and the admin have it. It is never sent to Kordless.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from kordless_booking.booking.tokens import InvalidToken, decrypt_token, encrypt_token

MAX_BYTES: Final = 400
"""Bytes of the JSON text. Its token is repeated in each link, and has to fit into a draft's (2,048 characters)."""
METADATA_SECONDS: Final = 7 * 86400
"""Seconds after which the token in a link is ignored: longer than anybody keeps a page open."""


def encrypt_metadata(account: str, metadata: Mapping[str, Any]) -> str:
    """Return an encrypted token of the metadata. Raises ValueError for what isn't JSON, or has too many bytes."""
    try:
        text = json.dumps(metadata, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        # A half of a surrogate pair has no bytes.
        size = len(text.encode())
    except (TypeError, UnicodeEncodeError, RecursionError):
        raise ValueError("not JSON") from None
    if size > MAX_BYTES:
        raise ValueError("too long")
    # As it will be read: a number as a key, for example, becomes a text.
    return encrypt_token("metadata", account, json.loads(text))


def decrypt_metadata(account: str, token: str | None, now: float | None) -> dict[str, Any]:
    """Return the metadata in a token; empty for one that is missing, invalid or too old. None for `now` is any age."""
    age, seconds = (None, 0.0) if now is None else (METADATA_SECONDS, now)
    try:
        return decrypt_token("metadata", account, token or "", max_age=age, now=seconds)
    except InvalidToken:
        return {}


def convert_metadata(stored: object) -> dict[str, Any]:
    """Return metadata that was stored as JSON; none where it isn't an object: no booking must fail for it."""
    return dict(stored) if isinstance(stored, dict) else {}
