"""Faults of slots: hosts, order, number, capacity.

Here as in `schema` and `content`, a fault takes the JSON document of a successful response and the sandbox's time
(Unix seconds), and returns the distorted document. It may change the document in place. Options are keyword-only
parameters with defaults. A fault leaves documents alone that it has nothing to do with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kordless_booking.sandbox.faults.schema import objects, slots, stamp

from ..documents import utc

if TYPE_CHECKING:
    from collections.abc import Callable


def null_host(document: Any, now: float) -> Any:
    """Remove the host of every slot."""
    for slot in slots(document):
        slot |= {"host": None, "hostId": None}
    return document


def null_team(document: Any, now: float) -> Any:
    """Remove the team of every slot."""
    for slot in slots(document):
        slot |= {"team": None, "teamId": None}
    return document


def host_spelling(document: Any, now: float, *, name: str = "display_name") -> Any:
    """Rename the field `displayName` of hosts and teams."""
    for found in objects(document):
        if "displayName" in found:
            found[name] = found.pop("displayName")
    return document


def unsorted(document: Any, now: float) -> Any:
    """Put the slots into a wrong order: backwards, and every third one first."""
    found = slots(document)[::-1]
    if found:
        document["slots"] = found[1::3] + found[::3] + found[2::3]
    return document


def duplicates(document: Any, now: float) -> Any:
    """List every slot twice."""
    if slots(document):
        document["slots"] = [dict(slot) for slot in slots(document) for _ in range(2)]
    return document


def past(document: Any, now: float, *, count: int = 5) -> Any:
    """Add `count` slots that have begun already, the newest of them a minute ago."""
    for slot in slots(document)[:1]:
        length = stamp(slot["endsAt"]) - stamp(slot["startsAt"])
        starts = [int(now) - 60 - 3600 * index for index in range(count)]
        gone = [slot | {"startsAt": utc(start), "endsAt": utc(start + length)} for start in starts]
        document["slots"] = gone + document["slots"]
    return document


def full(document: Any, now: float, *, every: int = 2) -> Any:
    """List each `every`th slot as full."""
    return capacity(document, now, value=0, every=every)


def capacity(document: Any, now: float, *, value: Any = None, every: int = 1) -> Any:
    """Set the available capacity of each `every`th slot to `value`: null, negative, a text."""
    for slot in slots(document)[::every]:
        slot["availableCapacity"] = value
    return document


def many(document: Any, now: float, *, count: int = 3000) -> Any:
    """Replace the slots by `count` slots, a minute apart, from the first one on."""
    for slot in slots(document)[:1]:
        start, end = stamp(slot["startsAt"]), stamp(slot["endsAt"])
        document["slots"] = [
            slot | {"startsAt": utc(start + 60 * index), "endsAt": utc(end + 60 * index)} for index in range(count)
        ]
    return document


def no_slots(document: Any, now: float, *, days: float | None = None, host: str | None = None) -> Any:
    """Leave the slots out; with `days` only those that start sooner than that, with `host` only the host's."""
    if isinstance(document, dict) and "slots" in document:
        document["slots"] = [
            slot
            for slot in slots(document)
            if (host is not None and slot["hostId"] != host)
            or (days is not None and stamp(slot["startsAt"]) >= now + 86400 * days)
        ]
    return document


DISTORTIONS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        null_host,
        null_team,
        host_spelling,
        unsorted,
        duplicates,
        past,
        full,
        capacity,
        many,
        no_slots,
    )
}
