"""The seven requests exactly as Kordless documents them: method, path, query and body, before any HTTP.

What can't be right is refused here, before anything is sent: ValueError for a programming mistake (a naive
time, an empty name), NotFound for what a visitor typed and Kordless could never know (a slug with a slash, an
impossible number).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode

from kordless_booking.api.answers import WITH_CONTACT
from kordless_booking.exceptions import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kordless_booking.api.parsing import Dropped
    from kordless_booking.api.resources import Contact, NewBooking

__all__ = [
    "Call",
    "as_json",
    "body_of",
    "booking_path",
    "contact_query",
    "in_utc",
    "people",
    "segment",
    "span",
]

T = TypeVar("T")

_NUMBER = re.compile(r"[A-Za-z0-9_-]{4,64}")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_NOT_A_SEGMENT = re.compile(r"[/\\\x00-\x1f\x7f\ud800-\udfff]")
_LONGEST_SLUG: Final = 200
_LONGEST_CONTACT: Final = 320
_MOST_PEOPLE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One operation, ready to be sent. `read` makes the result out of the JSON document.

    Only `operation` shows in a repr: path, query and body may hold a confirmation number and a contact.
    """

    operation: str
    method: str = field(repr=False)
    path: str = field(repr=False)
    read: Callable[[object, Dropped], T] = field(repr=False)
    query: str = field(default="", repr=False)
    body: bytes | None = field(default=None, repr=False)
    idempotency_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.idempotency_key is not None and not _KEY.fullmatch(self.idempotency_key):
            raise ValueError("An idempotency key is 1 to 255 printable ASCII characters without spaces.")

    @property
    def keyed(self) -> bool:
        """Whether the API key is the proof of right, and so is sent."""
        return self.operation not in WITH_CONTACT

    @property
    def reads_only(self) -> bool:
        return self.method == "GET"


def in_utc(moment: datetime) -> str:
    """`2026-12-01T14:00:00Z`. Raises ValueError for a naive time."""
    if moment.utcoffset() is None:
        raise ValueError("Times must be aware: a naive one is nobody's.")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def span(start: datetime, end: datetime) -> tuple[str, str]:
    """Both ends in UTC. Raises ValueError for naive times, and when the end is not after the start."""
    ends = in_utc(start), in_utc(end)
    if start >= end:
        raise ValueError("A span of time must end after it starts.")
    return ends


def segment(slug: str, operation: str) -> str:
    """A slug as one segment of a path. Raises NotFound, unsent, for what no path segment can be."""
    if not slug.strip(". ") or len(slug) > _LONGEST_SLUG or _NOT_A_SEGMENT.search(slug):
        raise NotFound("no such slug is possible", operation=operation, reason="impossible_slug")
    return quote(slug, safe="")


def booking_path(number: str, operation: str) -> str:
    """The path of a booking. Raises NotFound, unsent, for an impossible confirmation number."""
    if not _NUMBER.fullmatch(number.strip()):
        raise NotFound("no such confirmation number is possible", operation=operation, reason="impossible_number")
    return f"/bookings/confirmation/{number.strip()}"


def contact_query(contact: str, operation: str) -> str:
    """The contact as a query, its `+` as `%2B`. Raises NotFound, unsent, for an impossible one."""
    contact = contact.strip()
    if not contact or len(contact) > _LONGEST_CONTACT or re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", contact):
        raise NotFound("no such contact is possible", operation=operation, reason="impossible_contact")
    return urlencode({"contact": contact}, quote_via=quote, safe="")


def people(party_size: int) -> int:
    """`party_size` itself. Raises ValueError outside of 1 to 1,000."""
    if isinstance(party_size, bool) or not 1 <= party_size <= _MOST_PEOPLE:
        raise ValueError("A party has 1 to 1,000 people.")
    return party_size


def body_of(new: NewBooking, org_slug: str) -> bytes:
    """The body of a create: the same booking always gives the same bytes. What is not known is left out."""
    if not new.service_slug or not new.timezone:
        raise ValueError("A booking needs a service and the visitor's time zone.")
    starts, ends = span(new.start, new.end)
    document = {
        "org_slug": org_slug,
        "service_slug": new.service_slug,
        "starts_at": starts,
        "ends_at": ends,
        "timezone": new.timezone,
        "contact": _person(new.contact),
        "party_size": None if new.party_size is None else people(new.party_size),
        "host_id": new.host_id,
        "team_id": new.team_id,
        "notes": new.notes,
    }
    return as_json(document)


def as_json(document: Mapping[str, Any]) -> bytes:
    """Compact JSON of what is not None. A lone surrogate becomes a question mark."""
    said = {name: value for name, value in document.items() if value is not None}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _person(contact: Contact) -> dict[str, str]:
    if not contact.name.strip() or not (contact.email or contact.phone):
        raise ValueError("A contact needs a name, and an e-mail or a phone.")
    said = {"name": contact.name, "email": contact.email, "phone": contact.phone}
    return {name: value for name, value in said.items() if value}
