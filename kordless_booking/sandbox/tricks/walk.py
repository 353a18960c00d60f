"""Finding one's way in the JSON documents that mischief bends."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMES = ("startsAt", "endsAt", "start_at", "end_at")


def objects(document: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in the document, outermost first."""
    if isinstance(document, dict):
        yield document
        for value in list(document.values()):
            yield from objects(value)
    elif isinstance(document, list):
        for value in document:
            yield from objects(value)


def slots(document: Any) -> list[dict[str, Any]]:
    """The slots of an availability answer, else nothing."""
    found = document.get("slots") if isinstance(document, dict) else None
    return found if isinstance(found, list) else []


def items(document: Any) -> list[dict[str, Any]]:
    """What an answer is about: its slots, its services, or its one service or booking."""
    for name in ("slots", "services"):
        if isinstance(document.get(name), list):
            return list(document[name])
    return [document[name] for name in ("service", "booking") if isinstance(document.get(name), dict)]


def stamp(text: str) -> int:
    """ISO text as Unix seconds."""
    return int(datetime.fromisoformat(text).timestamp())
