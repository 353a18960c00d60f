"""Traversal of the JSON documents that faults distort."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMES = ("startsAt", "endsAt", "start_at", "end_at")


def objects(document: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object in the document, outermost first. The caller may change each one."""
    if isinstance(document, dict):
        yield document
        # A list, because the caller may have added or removed fields meanwhile.
        for value in list(document.values()):
            yield from objects(value)
    elif isinstance(document, list):
        for value in document:
            yield from objects(value)


def slots(document: Any) -> list[dict[str, Any]]:
    """Return the slots of an availability response, or an empty list for other documents."""
    found = document.get("slots") if isinstance(document, dict) else None
    return found if isinstance(found, list) else []


def items(document: Any) -> list[dict[str, Any]]:
    """Return the items of a response: its slots, its services, or its single service or booking."""
    for name in ("slots", "services"):
        if isinstance(document.get(name), list):
            return list(document[name])
    return [document[name] for name in ("service", "booking") if isinstance(document.get(name), dict)]


def stamp(text: str) -> int:
    """Parse ISO 8601 text into Unix seconds."""
    return int(datetime.fromisoformat(text).timestamp())
