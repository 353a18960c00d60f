"""Faults of the schema: fields, types and spellings in the JSON document. See `slots` for the parameters."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


_DEFAULT_FIELDS = ("startsAt", "name", "start_at")
"""Default fields to leave out: one of a slot, one of a service, one of a booking."""


def missing_fields(document: Any, now: float, *, fields: list[str] | None = None, every: int = 2) -> Any:
    """Leave `fields` (by default one that matters) out of each `every`th item, or out of the only item."""
    found = items(document)
    for item in found[:: every if len(found) > 1 else 1]:
        for name in _DEFAULT_FIELDS if fields is None else fields:
            item.pop(name, None)
    return document


def unknown_fields(document: Any, now: float) -> Any:
    """Add new fields to every object."""
    for found in list(objects(document)):  # a list: the new fields contain objects as well
        found["xNewField"] = {"nested": [1, "two", None]}
        found["another_new_field"] = True
    return document


def naive_times(document: Any, now: float, *, every: int = 1) -> Any:
    """Remove the offset of all times in each `every`th item."""
    for item in items(document)[::every]:
        for name in TIMES:
            if isinstance(item.get(name), str):
                item[name] = item[name].rstrip("Z")
    return document


def mixed_offsets(document: Any, now: float) -> Any:
    """Write the same instants with another offset in each item: Z, +02:00, -05:00, +05:45."""
    for index, item in enumerate(items(document)):
        # Minutes; 0 leaves the Z.
        minutes = (0, 120, -300, 345)[index % 4]
        for name in TIMES:
            if minutes and isinstance(item.get(name), str):
                there = datetime.fromisoformat(item[name]).astimezone(timezone(timedelta(minutes=minutes)))
                item[name] = there.isoformat()
    return document


def fractional_times(document: Any, now: float, *, milliseconds: int = 250) -> Any:
    """Write all times with milliseconds. With 0 ("….000Z") they are the same instants."""
    for item in items(document):
        for name in TIMES:
            if isinstance(item.get(name), str):
                item[name] = f"{item[name].rstrip('Z')}.{milliseconds:03d}Z"
    return document


def wrong_types(document: Any, now: float) -> Any:
    """Change types: numbers to text, ids to numbers, durations to floats."""
    for found in objects(document):
        for name, value in found.items():
            if name in ("duration", "duration_minutes"):
                found[name] = float(value)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                found[name] = str(value)
            elif name in ("id", "hostId", "teamId") and isinstance(value, str):
                found[name] = 7
    return document


def null_lists(document: Any, now: float) -> Any:
    """Replace each top-level list by null."""
    for name, value in document.items():
        if isinstance(value, list):
            document[name] = None
    return document


def null_fields(document: Any, now: float) -> Any:
    """Set every field that may be null to null."""
    optional = (
        "tagline",
        "description",
        "category",
        "price",
        "currency",
        "branding",
        "host",
        "hostId",
        "team",
        "teamId",
    )
    more = (
        "cancellation_policy",
        "location",
        "timezone",
        "metadata",
        "calendar_invite",
        "buffer_before",
        "phone",
    )
    for found in objects(document):
        found.update(dict.fromkeys((name for name in optional + more if name in found), None))
    return document


def other_spellings(document: Any, now: float) -> Any:
    """Swap camelCase and snake_case in all names, and write `starts_at` for `start_at`."""
    if isinstance(document, list):
        return [other_spellings(each, now) for each in document]
    if not isinstance(document, dict):
        return document
    return {_respelt(name): other_spellings(value, now) for name, value in document.items()}


def _respelt(name: str) -> str:
    name = {"start_at": "starts_at", "end_at": "ends_at"}.get(name, name)
    if "_" in name:
        first, *rest = name.split("_")
        return first + "".join(part.capitalize() for part in rest)
    return re.sub(r"[A-Z]", lambda found: "_" + found.group().lower(), name)


def field_changed(document: Any, now: float, *, name: str = "timezone", value: Any = "Somewhere") -> Any:
    """Set every field `name` to `value`."""
    for found in list(objects(document)):
        if name in found:
            found[name] = value
    return document


def bare(document: Any, now: float) -> Any:
    """Send the booking without its wrapper, or the slots or services as a plain list."""
    for name in ("booking", "slots", "services"):
        if name in document:
            return document[name]
    return document


def wrong_shape(document: Any, now: float, *, value: Any = "surprise") -> Any:
    """Replace the document by `value`: valid JSON of another shape."""
    return value


DISTORTIONS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        missing_fields,
        unknown_fields,
        naive_times,
        mixed_offsets,
        fractional_times,
        wrong_types,
        null_lists,
        null_fields,
        other_spellings,
        field_changed,
        bare,
        wrong_shape,
    )
}
