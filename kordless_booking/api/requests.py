"""Building blocks of the seven documented requests: method, path, query and body, before any HTTP.

Impossible input is rejected here and never sent. A programming error (a naive time, an empty name) raises ValueError.
Input from a URL or a form that no organization, service or booking can match (a slug with a slash, an impossible
confirmation number) raises NotFound.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode

from kordless_booking.api.resources import CONFIRMATION_NUMBER
from kordless_booking.api.responses import CONTACT_AUTHENTICATED
from kordless_booking.exceptions import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kordless_booking.api.parsing import SkippedItems
    from kordless_booking.api.resources import Contact, NewBooking

T = TypeVar("T")

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_NOT_A_SEGMENT = re.compile(r"[/\\\x00-\x1f\x7f\ud800-\udfff]")
"""Characters that a segment can't carry: separators (servers and proxies may decode "%2F" and "%5C" before they split
the path), control characters, and lone surrogates, which have no UTF-8 form.
"""
_MAX_SLUG_LENGTH: Final = 200
"""Characters: as many as the columns for a slug have."""
_MAX_CONTACT_LENGTH: Final = 320
"""Characters: the longest email address has 64 before the @ and 255 after it (RFC 5321)."""
_MAX_PARTY_SIZE: Final = 1_000
"""Upper bound of a party size."""


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """One API operation with its arguments, ready to be sent.

    The repr shows only `operation`: path, query and body may contain a confirmation number and a contact.
    """

    operation: str
    """Name of the client method, such as "create"."""
    method: str = field(repr=False)
    path: str = field(repr=False)
    """Percent-encoded, relative to the base URL."""
    parse: Callable[[object, SkippedItems], T] = field(repr=False)
    """Function that parses the JSON document and records the items that it skips."""
    parse_typed: Callable[[bytes], T | None] | None = field(default=None, repr=False)
    """Function that parses a body of the documented shape faster than `parse` does; None for any other body."""
    query: str = field(default="", repr=False)
    """Percent-encoded, without the question mark."""
    body: bytes | None = field(default=None, repr=False)
    idempotency_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.idempotency_key is not None and not _KEY.fullmatch(self.idempotency_key):
            raise ValueError("An idempotency key is 1 to 255 printable ASCII characters without spaces.")

    @property
    def needs_api_key(self) -> bool:
        """True if the operation is authenticated by the API key. Otherwise the key is not sent."""
        return self.operation not in CONTACT_AUTHENTICATED

    @property
    def is_safe(self) -> bool:
        """True for a safe method (RFC 9110): it changes nothing and may be repeated."""
        return self.method == "GET"


def format_utc(moment: datetime) -> str:
    """Format a time as `2026-12-01T14:00:00Z`. Raises ValueError for a naive time."""
    if moment.utcoffset() is None:  # not tzinfo: a datetime whose tzinfo gives no offset is naive too
        raise ValueError("Times must be aware: a naive one is nobody's.")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def utc_range(start: datetime, end: datetime) -> tuple[str, str]:
    """Format start and end in UTC. Raises ValueError for naive times, and unless `end` is after `start`."""
    ends = format_utc(start), format_utc(end)
    if start >= end:
        raise ValueError("A span of time must end after it starts.")
    return ends


def is_path_segment(slug: str) -> bool:
    """Return True if a slug can be one segment of a path, percent-encoded: in Kordless's URLs and in ours."""
    # Segments of dots alone are removed from a path by clients and proxies: ".." would name another resource.
    return bool(slug.strip(". ")) and len(slug) <= _MAX_SLUG_LENGTH and not _NOT_A_SEGMENT.search(slug)


def path_segment(slug: str, operation: str) -> str:
    """Return a slug percent-encoded as one path segment. Raises NotFound if it can't be one."""
    if not is_path_segment(slug):
        raise NotFound("no such slug is possible", operation=operation, reason="impossible_slug")
    return quote(slug, safe="")


def booking_path(number: str, operation: str) -> str:
    """Return the path of a booking, percent-encoded. Raises NotFound for an impossible confirmation number."""
    number = number.strip()
    # Unlike a slug, a number may have a slash ("2026/0042"). But servers and proxies may decode "%2F" before they
    # resolve dots, and "../.." typed into the form would then name another resource.
    dots = any(not part.strip(". ") for part in re.split(r"[/\\]", number))
    if dots or not CONFIRMATION_NUMBER.fullmatch(number):
        raise NotFound("no such confirmation number is possible", operation=operation, reason="impossible_number")
    return f"/bookings/confirmation/{quote(number, safe='')}"


def contact_query(contact: str, operation: str) -> str:
    """Return the query with the contact. Raises NotFound for an impossible contact."""
    contact = contact.strip()
    if not contact or len(contact) > _MAX_CONTACT_LENGTH or re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", contact):
        raise NotFound("no such contact is possible", operation=operation, reason="impossible_contact")
    # A phone's "+" must travel as "%2B", or servers read it as a space. quote also writes a space as "%20", not "+".
    return urlencode({"contact": contact}, quote_via=quote, safe="")


def validated_party_size(party_size: int) -> int:
    """Return `party_size`. Raises ValueError unless it is an integer from 1 to 1,000."""
    # bool is a subclass of int: True would be sent as `true`.
    if isinstance(party_size, bool) or not 1 <= party_size <= _MAX_PARTY_SIZE:
        raise ValueError("A party has 1 to 1,000 people.")
    return party_size


def create_body(new: NewBooking, org_slug: str) -> bytes:
    """Return the body of a create request, without the fields that are None. Raises ValueError.

    Equal bookings give equal bytes: the same idempotency key with another body is refused (422).
    """
    if not new.service_slug or not new.timezone:
        raise ValueError("A booking needs a service and the visitor's time zone.")
    starts, ends = utc_range(new.start, new.end)
    document = {
        "org_slug": org_slug,
        "service_slug": new.service_slug,
        "starts_at": starts,
        "ends_at": ends,
        "timezone": new.timezone,
        "contact": _contact_document(new.contact),
        "party_size": None if new.party_size is None else validated_party_size(new.party_size),
        "host_id": new.host_id,
        "team_id": new.team_id,
        "notes": new.notes,
    }
    return encode_json(document)


def encode_json(document: Mapping[str, Any]) -> bytes:
    """Return compact UTF-8 JSON of the values that are not None. A lone surrogate becomes a question mark."""
    present = {name: value for name, value in document.items() if value is not None}
    return json.dumps(present, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _contact_document(contact: Contact) -> dict[str, str]:
    if not contact.name.strip() or not (contact.email or contact.phone):
        raise ValueError("A contact needs a name, and an email or a phone.")
    present = {"name": contact.name, "email": contact.email, "phone": contact.phone}
    # Empty texts are left out as well: a blank email beside a phone would be refused.
    return {name: value for name, value in present.items() if value}
