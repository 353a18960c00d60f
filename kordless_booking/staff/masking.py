"""A delivery's body to look at: in full, or with everything masked that may be about somebody."""

from __future__ import annotations

import json
import re
from typing import Any, Final

__all__ = ["MASK", "in_full", "masked"]

MASK: Final = "••••"
_HARMLESS: Final = frozenset(
    {
        "event", "type", "timestamp", "createdat", "updatedat", "webhookid", "status", "serviceid", "serviceslug",
        "startsat", "start", "starttime", "endsat", "end", "endtime", "timezone", "partysize", "attempt", "version",
    }
)  # fmt: skip
"""Names, without case and underscores, whose values say nothing about a person. All others are masked."""
_PLAIN: Final = re.compile(r"[\w:.+/-]{0,64}", re.ASCII)


def masked(body: str) -> str:
    """The body with its shape and what is harmless in it; nothing but the mask when it is no JSON."""
    return _written(_mask(_read(body)))


def in_full(body: str) -> str:
    """The whole body, indented."""
    try:
        return _written(json.loads(body))
    except ValueError:
        return body


def _read(body: str) -> Any:
    try:
        return json.loads(body)
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
        return value
    harmless = name.replace("_", "").casefold() in _HARMLESS and _PLAIN.fullmatch(str(value))
    return value if harmless else MASK


def _name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else MASK
