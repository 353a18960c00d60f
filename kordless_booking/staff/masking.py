"""Masks a delivery's body for display: whatever might be about a person is replaced."""

from __future__ import annotations

import json
import re
from typing import Any, Final

__all__ = ["MASK", "format_body", "mask_body"]

MASK: Final = "••••"
_HARMLESS_FIELDS: Final = frozenset(
    {
        "event", "type", "timestamp", "createdat", "updatedat", "webhookid", "status", "serviceid", "serviceslug",
        "startsat", "start", "starttime", "endsat", "end", "endtime", "timezone", "partysize", "attempt", "version",
    }
)  # fmt: skip
"""Names, in lower case and without underscores, of fields whose values reveal no person. All others are masked."""
# A harmless name isn't enough, its value must look harmless too: an address may stand in any field.
_HARMLESS_VALUE: Final = re.compile(r"[\w:.+/-]{0,64}", re.ASCII)


def mask_body(body: str) -> str:
    """Return the body with its structure and its harmless values; only the mask when it isn't JSON."""
    return _written(_mask(_read(body)))


def format_body(body: str) -> str:
    """Return the whole body, indented."""
    try:
        return _written(json.loads(body))
    except ValueError:
        return body


def _read(body: str) -> Any:
    try:
        return json.loads(body)
    # RecursionError: nesting deeper than Python's parser allows.
    except (ValueError, RecursionError):
        return MASK


def _written(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _mask(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {_name(key): _mask(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mask(inner) for inner in value]
    if value is None or isinstance(value, bool):
        # No personal data, whatever the name.
        return value
    harmless = name.replace("_", "").casefold() in _HARMLESS_FIELDS and _HARMLESS_VALUE.fullmatch(str(value))
    return value if harmless else MASK


def _name(name: str) -> str:
    # Field names come from outside as well and may contain anything.
    return name if _HARMLESS_VALUE.fullmatch(name) else MASK
