"""Resources of the Kordless Booking API as frozen, typed structs.

Field names are ours, not the wire's: `parsing` maps every spelling to them. Times are aware datetimes in UTC,
lengths are minutes. Every text, color and URL was typed by a business and is untrusted input: escape texts, and
validate colors and URLs, before they reach a page.

These structs are also the cache format (`encode`, `decode`). A new field therefore needs a default, or entries
written by the previous version no longer decode.

Source: Kordless's public documentation of the Booking API.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeVar, cast

import msgspec

from kordless_booking.api.msgspec_warmup import warm_up

__all__ = [
    "CONFIRMATION_NUMBER",
    "Booking",
    "Branding",
    "CalendarSettings",
    "CancellationPolicy",
    "Contact",
    "Host",
    "Location",
    "NewBooking",
    "Organization",
    "OrganizationDetail",
    "Price",
    "PriceKind",
    "Service",
    "ServiceDetail",
    "Slot",
    "Team",
    "decode",
    "encode",
]

T = TypeVar("T")

CONFIRMATION_NUMBER: Final = re.compile(r"(?=\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,200}(?<=\S)")
"""The format is undocumented (the example is `BOOK_AB12`), so this is any text of up to 200 characters that fits into
one line: whoever is booked under a number must get to know it, whatever it looks like.
"""


class Resource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Base class of all resources: immutable, compared by value, encodable as JSON by msgspec."""


class Branding(Resource, frozen=True, kw_only=True):
    """Appearance of an organization. Every value is untrusted input."""

    primary_color: str | None = None
    """A CSS color such as "#6366f1", not validated here."""
    logo: str | None = None
    """URL of an image."""
    company_name: str | None = None
    favicon: str | None = None
    """URL of an icon."""
    og_image: str | None = None
    """URL of the image for shared links (Open Graph)."""


class Organization(Resource, frozen=True, kw_only=True):
    """An organization. Endpoint 2 (one service) omits its `tagline`."""

    id: str = ""
    name: str
    """Falls back to the branding's company name, then to the slug."""
    slug: str
    tagline: str | None = None
    branding: Branding = Branding()


class PriceKind(StrEnum):
    """Kind of a price. Kordless doesn't document how it writes a free or variable price; see `parsing`."""

    FREE = "free"
    """0 or the word "free"."""
    FIXED = "fixed"
    """A positive number."""
    VARIABLE = "variable"
    """null or any other word."""
    UNSPECIFIED = "unspecified"
    """The field is absent or unusable."""


class Price(Resource, frozen=True, kw_only=True):
    """Price of a service. For display only: Kordless takes no payment."""

    kind: PriceKind = PriceKind.UNSPECIFIED
    amount: Decimal | None = None
    """Major units (dollars, not cents). Set only if `kind` is FIXED."""
    currency: str | None = None
    """Three upper-case letters (ISO 4217), or None."""


class Service(Resource, frozen=True, kw_only=True):
    """A service as the organization lists it."""

    key: str = ""
    """Id that the service's slots carry; usually equal to `slug`."""
    name: str
    """Falls back to the slug."""
    slug: str
    description: str | None = None
    category: str | None = None
    duration_minutes: int | None = None
    price: Price = Price()
    bookable: bool = True
    """False hides the service from visitors (`isBookablePublic` on the wire)."""
    metadata_json: str = "{}"
    """`metadata` as a JSON object. As text it can't be changed, though all visitors share it."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Return what the set-up in Kordless put there: texts, numbers, booleans, None, and lists and dicts of these.

        Untrusted input, in the business's own spelling. At most 50 names, three levels and 10 KB of it; see `parsing`.
        """
        # A new copy each time, so what somebody changes within it is theirs alone.
        return MappingProxyType(json.loads(self.metadata_json))


class Location(Resource, frozen=True, kw_only=True):
    """Location of an appointment."""

    type: str = ""
    """Lower case: "onsite", "phone", "meet_url", "custom", or a type that Kordless adds later."""
    value: str | None = None
    """Street address, phone number, URL or free text: untrusted input."""


class CancellationPolicy(Resource, frozen=True, kw_only=True):
    """Cancellation policy. For display: it is unknown whether Kordless enforces the notice, so let Kordless decide."""

    notice_hours: float | None = None
    text: str | None = None


class CalendarSettings(Resource, frozen=True, kw_only=True):
    """Calendar settings of a service. A field is None if the response lacks it."""

    duration_minutes: int | None = None
    slot_interval_minutes: int | None = None
    buffer_before: int = 0
    """Minutes."""
    buffer_after: int = 0
    """Minutes."""
    booking_window_days: int | None = None
    """Days that visitors may book ahead."""
    timezone: str | None = None
    """Time zone of the venue, an IANA name that is not validated here."""
    location: Location | None = None
    max_parallel_bookings: int | None = None
    cancellation_policy: CancellationPolicy | None = None


class OrganizationDetail(Resource, frozen=True, kw_only=True):
    """An organization with its services, in Kordless's order."""

    organization: Organization
    services: tuple[Service, ...] = ()
    left_out: tuple[str, ...] = ()
    """Slugs, else names, of services that can't be shown: their slug fits into no path, or is another service's."""


class ServiceDetail(Resource, frozen=True, kw_only=True):
    """One service with its calendar settings."""

    organization: Organization
    service: Service
    calendar: CalendarSettings = CalendarSettings()


class Host(Resource, frozen=True, kw_only=True):
    """The person who carries out an appointment."""

    id: str
    name: str | None = None


class Team(Resource, frozen=True, kw_only=True):
    """A group of hosts."""

    id: str
    name: str | None = None


class Slot(Resource, frozen=True, kw_only=True):
    """A time that can be booked. One time with several hosts is several slots."""

    start: datetime
    end: datetime
    capacity: int = 1
    """Seats in all."""
    available: int = 1
    """Seats left, from 0 (full) to `capacity`."""
    service_id: str | None = None
    host: Host | None = None
    """None when any host, or any member of the team, may serve the slot."""
    team: Team | None = None
    timezone: str | None = None
    """Time zone of the venue, an IANA name that is not validated here."""


class Contact(Resource, frozen=True, kw_only=True):
    """The person a booking is for. To create a booking, give a name and at least one of email and phone."""

    name: str = ""
    email: str | None = None
    phone: str | None = None
    """E.164, such as "+12125550123"."""

    def __repr__(self) -> str:
        # Personal data: error reports and logs print the repr.
        return "Contact(…)"


class NewBooking(Resource, frozen=True, kw_only=True):
    """A booking to be created."""

    service_slug: str
    start: datetime
    """Start of the slot, unchanged."""
    end: datetime
    """End of the slot, unchanged: Kordless refuses any other length."""
    timezone: str
    """Time zone of the visitor, an IANA name."""
    contact: Contact
    party_size: int | None = None
    """1 to 1,000. None leaves the field out, and Kordless assumes 1."""
    host_id: str | None = None
    team_id: str | None = None
    notes: str | None = None

    def __repr__(self) -> str:
        return f"NewBooking({self.service_slug!r}, {self.start.isoformat()}, …)"


class Booking(Resource, frozen=True, kw_only=True):
    """A booking, from the short form (create, reschedule) or the long form (lookup, cancel).

    The fields that the short form lacks are None after create and reschedule. `ics_url` is None after lookup and
    cancel. Neither form has host, team, party size or notes.
    """

    confirmation_number: str
    """Case-insensitive. Together with the contact it opens the booking, so treat it as personal data."""
    status: str
    """Lower case: "confirmed", "pending", "canceled" (always one l), or a status that Kordless adds later."""
    start: datetime
    end: datetime
    id: str = ""
    organization_slug: str | None = None
    organization_name: str | None = None
    service_id: str | None = None
    service_slug: str | None = None
    service_name: str | None = None
    contact: Contact | None = None
    location: Location | None = None
    timezone: str | None = None
    ics_url: str | None = None
    """URL of a calendar file: untrusted input."""

    def __repr__(self) -> str:
        # Neither number nor contact: error reports and logs print the repr.
        return f"Booking(…, {self.status!r}, {self.start.isoformat()})"


def encode(value: object) -> bytes:
    """Return the JSON bytes of a resource or a tuple of resources, to be cached."""
    return msgspec.json.encode(value)


def intern_values(slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Let equal times, hosts, teams and names of these slots be one object each, and return the slots.

    Each slot comes with copies of its own. 15,000 slots of 12 hosts take 10 MB with them, and 2 MB without.
    """
    seen: dict[object, object] = {}
    for slot in slots:
        for name in ("start", "end", "service_id", "host", "team", "timezone"):
            value = getattr(slot, name)
            if value is not None and (known := seen.setdefault(value, value)) is not value:
                # The slot stays equal to what it was, so it may be frozen for everybody else.
                msgspec.structs.force_setattr(slot, name, known)
    return slots


def decode(data: bytes, shape: type[T]) -> T:
    """Return the value that was given to `encode`, of the type `shape`.

    For example `decode(data, OrganizationDetail)` or `decode(data, tuple[Slot, ...])`. Raises ValueError when `data`
    doesn't have this type, for instance because another version of the package wrote it.
    """
    try:
        return cast("T", _decoder(cast("Any", shape)).decode(data))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    # Raised outside of the handler: msgspec's error may quote the data, and would be chained.
    raise ValueError("The bytes do not hold what was expected.")


@lru_cache(maxsize=32)  # far more than the types in use: effectively unlimited
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


# At import time, because msgspec's lazy analysis of a type is not thread-safe: see msgspec_warmup.
warm_up(OrganizationDetail, ServiceDetail, tuple[Slot, ...], Booking, NewBooking)
