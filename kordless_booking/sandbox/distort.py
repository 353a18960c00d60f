"""Mischief with the meaning of an answer: each function takes the JSON document and gives back a bent one.

`now` is the sandbox's time as Unix seconds. All are found by their name; keyword options have defaults.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from datetime import timezone as offset_zone
from typing import TYPE_CHECKING, Any

from .documents import utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TIMES = ("startsAt", "endsAt", "start_at", "end_at")
_NEEDED = ("startsAt", "name", "start_at")


def _objects(document: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in the document, outermost first."""
    if isinstance(document, dict):
        yield document
        for value in list(document.values()):
            yield from _objects(value)
    elif isinstance(document, list):
        for value in document:
            yield from _objects(value)


def _slots(document: Any) -> list[dict[str, Any]]:
    found = document.get("slots") if isinstance(document, dict) else None
    return found if isinstance(found, list) else []


def _items(document: Any) -> list[dict[str, Any]]:
    """What an answer is about: its slots, its services, or its one service or booking."""
    for name in ("slots", "services"):
        if isinstance(document.get(name), list):
            return list(document[name])
    return [document[name] for name in ("service", "booking") if isinstance(document.get(name), dict)]


def _stamp(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def missing_fields(document: Any, now: float, *, fields: list[str] | None = None, every: int = 2) -> Any:
    """Leave fields (by default a needed one) out of each `every`th item; out of the one where there is one."""
    items = _items(document)
    for item in items[:: every if len(items) > 1 else 1]:
        for name in _NEEDED if fields is None else fields:
            item.pop(name, None)
    return document


def unknown_fields(document: Any, now: float) -> Any:
    """New fields in every object."""
    for found in list(_objects(document)):
        found["xNewField"] = {"nested": [1, "two", None]}
        found["another_new_field"] = True
    return document


def unknown_values(
    document: Any, now: float, *, status: str = "waitlisted", location: str = "hologram"
) -> Any:
    """A booking status and a location type that nobody has heard of."""
    for found in _objects(document):
        if "confirmation_number" in found:
            found["status"] = status
        if isinstance(found.get("location"), dict):
            found["location"]["type"] = location
    return document


def null_host(document: Any, now: float) -> Any:
    """No slot has a host."""
    for slot in _slots(document):
        slot |= {"host": None, "hostId": None}
    return document


def null_team(document: Any, now: float) -> Any:
    """No slot has a team."""
    for slot in _slots(document):
        slot |= {"team": None, "teamId": None}
    return document


def host_spelling(document: Any, now: float, *, name: str = "display_name") -> Any:
    """Hosts and teams say their name under another name."""
    for found in _objects(document):
        if "displayName" in found:
            found[name] = found.pop("displayName")
    return document


def naive_times(document: Any, now: float, *, every: int = 1) -> Any:
    """Times without an offset, in each `every`th item."""
    for item in _items(document)[::every]:
        for name in _TIMES:
            if isinstance(item.get(name), str):
                item[name] = item[name].rstrip("Z")
    return document


def mixed_offsets(document: Any, now: float) -> Any:
    """The same instants, each item in another offset: Z, +02:00, -05:00, +05:45, +00:00."""
    for index, item in enumerate(_items(document)):
        minutes = (0, 120, -300, 345)[index % 4]
        for name in _TIMES:
            if minutes and isinstance(item.get(name), str):
                there = datetime.fromisoformat(item[name]).astimezone(offset_zone(timedelta(minutes=minutes)))
                item[name] = there.isoformat()
    return document


def unsorted(document: Any, now: float) -> Any:
    """Slots backwards, and every third of them first."""
    slots = _slots(document)[::-1]
    if slots:
        document["slots"] = slots[1::3] + slots[::3] + slots[2::3]
    return document


def duplicates(document: Any, now: float) -> Any:
    """Every slot twice."""
    if _slots(document):
        document["slots"] = [dict(slot) for slot in _slots(document) for _ in range(2)]
    return document


def past(document: Any, now: float, *, count: int = 5) -> Any:
    """Slots that have begun already: the last one starts a minute ago."""
    for slot in _slots(document)[:1]:
        length = _stamp(slot["endsAt"]) - _stamp(slot["startsAt"])
        starts = [int(now) - 60 - 3600 * index for index in range(count)]
        gone = [slot | {"startsAt": utc(start), "endsAt": utc(start + length)} for start in starts]
        document["slots"] = gone + document["slots"]
    return document


def full(document: Any, now: float, *, every: int = 2) -> Any:
    """Each `every`th slot is listed with no capacity left."""
    return capacity(document, now, value=0, every=every)


def capacity(document: Any, now: float, *, value: Any = None, every: int = 1) -> Any:
    """Slots say another available capacity: null, negative, a text."""
    for slot in _slots(document)[::every]:
        slot["availableCapacity"] = value
    return document


def many(document: Any, now: float, *, count: int = 3000) -> Any:
    """So many slots, a minute apart, from the first one on."""
    for slot in _slots(document)[:1]:
        start, end = _stamp(slot["startsAt"]), _stamp(slot["endsAt"])
        document["slots"] = [
            slot | {"startsAt": utc(start + 60 * index), "endsAt": utc(end + 60 * index)}
            for index in range(count)
        ]
    return document


def no_slots(document: Any, now: float) -> Any:
    """Nothing is free."""
    if isinstance(document, dict) and "slots" in document:
        document["slots"] = []
    return document


def wrong_types(document: Any, now: float) -> Any:
    """Whole numbers as text, other numbers as text, ids as numbers, lengths as floats."""
    for found in _objects(document):
        for name, value in found.items():
            if name in ("duration", "duration_minutes"):
                found[name] = float(value)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                found[name] = str(value)
            elif name in ("id", "hostId", "teamId") and isinstance(value, str):
                found[name] = 7
    return document


def null_lists(document: Any, now: float) -> Any:
    """Null where a list belongs."""
    for name, value in document.items():
        if isinstance(value, list):
            document[name] = None
    return document


def null_fields(document: Any, now: float) -> Any:
    """Null in everything that may be null."""
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
    for found in _objects(document):
        found.update(dict.fromkeys((name for name in optional + more if name in found), None))
    return document


def other_spellings(document: Any, now: float) -> Any:
    """camelCase where snake_case is documented and the other way round; `starts_at` for `start_at`."""
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


def bare(document: Any, now: float) -> Any:
    """The booking without its wrapping, or slots and services as a plain list."""
    for name in ("booking", "slots", "services"):
        if name in document:
            return document[name]
    return document


def wrong_shape(document: Any, now: float, *, value: Any = "surprise") -> Any:
    """Valid JSON of quite another shape: whatever `value` is."""
    return value


_HOSTILE = "<img src=x onerror=alert(1)>\"'</title></script><script>alert(2)</script> {{7*7}} {% debug %} \u202eevil\u200b"


def hostile(document: Any, now: float) -> Any:
    """Markup in every text that people type, javascript: in logo and location, CSS in the colour."""
    typed = ("name", "tagline", "description", "category", "policyText", "displayName", "companyName")
    for found in _objects(document):
        for name in typed + ("service_name", "organization_name"):
            if isinstance(found.get(name), str):
                found[name] = f"{found[name]} {_HOSTILE}"
        if "primaryColor" in found:
            found["primaryColor"] = (
                "red;} body{background:url(//evil.example/x)} </style><script>alert(3)</script>"
            )
            found["logo"] = "javascript:alert(4)"
            found["favicon"] = 'https://evil.example/"><script>alert(5)</script>'
        if isinstance(found.get("location"), dict):
            found["location"]["value"] = f"javascript:alert(6)//{_HOSTILE}"
        if "ics_url" in found:
            found["ics_url"] = "javascript:alert(7)"
    return document


def long_texts(document: Any, now: float, *, length: int = 300) -> Any:
    """Very long names: without a space, right-to-left, and emoji."""
    for index, found in enumerate(_objects(document)):
        for name in ("name", "service_name", "displayName"):
            if isinstance(found.get(name), str):
                found[name] = ("W" * length, "שלום عالم " * (length // 10), "👩🏽‍🦱💇" * (length // 6))[
                    index % 3
                ]
    return document


def terms_changed(
    document: Any,
    now: float,
    *,
    price: float | None = 99.0,
    currency: str = "USD",
    duration: int | None = None,
) -> Any:
    """Another price, and if given another length, of every service."""
    for found in _objects(document):
        if "isBookablePublic" in found:
            found |= {"price": price, "currency": currency}
            found["duration"] = duration or found["duration"]
        if duration and "duration_minutes" in found:
            found["duration_minutes"] = duration
    return document


def org_renamed(document: Any, now: float, *, name: str = "Acme Hair & Co.", slug: str | None = None) -> Any:
    """The organization has another name, and if given another slug."""
    for found in _objects(document):
        if "branding" in found:
            found |= {"name": name, "slug": slug or found["slug"]}
        if "organization_name" in found:
            found["organization_name"] = name
        if slug and "organization_slug" in found:
            found["organization_slug"] = slug
    return document


def no_number(document: Any, now: float) -> Any:
    """A booking without its confirmation number."""
    for found in _objects(document):
        found.pop("confirmation_number", None)
    return document


def other_booking(document: Any, now: float) -> Any:
    """Somebody else's: another number, service and time, and slots of another service."""
    for found in _objects(document):
        if "confirmation_number" in found:
            found |= {
                "id": "book_other",
                "confirmation_number": "BOOK_OTHER",
                "service_name": "Something else",
            }
            found |= {name: utc(_stamp(found[name]) + 86400) for name in ("start_at", "end_at")}
            if "service_slug" in found:
                found |= {"service_id": "something-else", "service_slug": "something-else"}
        if "serviceId" in found:
            found["serviceId"] = "something-else"
        if "isBookablePublic" in found:
            found |= {"key": "something-else", "slug": "something-else"}
    return document


def other_org(document: Any, now: float) -> Any:
    """The answer is about another organization."""
    return org_renamed(document, now, name="Somebody Else Ltd.", slug="somebody-else")


DISTORTIONS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        missing_fields, unknown_fields, unknown_values, null_host, null_team, host_spelling, naive_times,
        mixed_offsets, unsorted, duplicates, past, full, capacity, many, no_slots, wrong_types, null_lists,
        null_fields, other_spellings, bare, wrong_shape, hostile, long_texts, terms_changed, org_renamed,
        no_number, other_booking, other_org,
    )  # fmt: skip
}  # fmt: skip
