"""What Kordless says, as frozen typed structs.

Source: Kordless's public documentation of the Booking API. Times are aware datetimes in UTC, lengths are
minutes. Every text and URL here was typed by a business: escape it, and validate colours and URLs, before it
is shown.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from kordless_booking.api.worked_out import worked_out

__all__ = [
    "Booking",
    "Branding",
    "CalendarSettings",
    "CancellationPolicy",
    "Contact",
    "Host",
    "Location",
    "NewBooking",
    "Offer",
    "Organization",
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


class Resource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Base of all: immutable, compared by value, encodable as JSON by msgspec."""


class Branding(Resource, frozen=True, kw_only=True):
    primary_color: str | None = None
    logo: str | None = None
    company_name: str | None = None
    favicon: str | None = None
    og_image: str | None = None


class Organization(Resource, frozen=True, kw_only=True):
    id: str = ""
    name: str
    slug: str
    tagline: str | None = None
    branding: Branding = Branding()


class PriceKind(StrEnum):
    """FREE is 0; VARIABLE is null or a word; UNSAID is an absent or unusable price."""

    FREE = "free"
    FIXED = "fixed"
    VARIABLE = "variable"
    UNSAID = "unsaid"


class Price(Resource, frozen=True, kw_only=True):
    """For display only. `amount`, in major units, is there when FIXED; `currency` is ISO 4217 or None."""

    kind: PriceKind = PriceKind.UNSAID
    amount: Decimal | None = None
    currency: str | None = None


class Service(Resource, frozen=True, kw_only=True):
    key: str = ""
    name: str
    slug: str
    description: str | None = None
    category: str | None = None
    duration_minutes: int | None = None
    price: Price = Price()
    bookable: bool = True


class Location(Resource, frozen=True, kw_only=True):
    """Where it happens. `type` is onsite, phone, meet_url, custom or something newer; `value` is hostile."""

    type: str = ""
    value: str | None = None


class CancellationPolicy(Resource, frozen=True, kw_only=True):
    notice_hours: float | None = None
    text: str | None = None


class CalendarSettings(Resource, frozen=True, kw_only=True):
    duration_minutes: int | None = None
    slot_interval_minutes: int | None = None
    buffer_before: int = 0
    buffer_after: int = 0
    booking_window_days: int | None = None
    timezone: str | None = None
    location: Location | None = None
    max_parallel_bookings: int | None = None
    cancellation_policy: CancellationPolicy | None = None


class Offer(Resource, frozen=True, kw_only=True):
    """An organization and all that it offers."""

    organization: Organization
    services: tuple[Service, ...] = ()


class ServiceDetail(Resource, frozen=True, kw_only=True):
    """One service with its calendar settings."""

    organization: Organization
    service: Service
    calendar: CalendarSettings = CalendarSettings()


class Host(Resource, frozen=True, kw_only=True):
    id: str
    name: str | None = None


class Team(Resource, frozen=True, kw_only=True):
    id: str
    name: str | None = None


class Slot(Resource, frozen=True, kw_only=True):
    """A time that can be booked. `free` is the number of seats left, 0 when full."""

    start: datetime
    end: datetime
    capacity: int = 1
    free: int = 1
    service_id: str | None = None
    host: Host | None = None
    team: Team | None = None
    timezone: str | None = None


class Contact(Resource, frozen=True, kw_only=True):
    """The person a booking is for: a name, and an e-mail or an E.164 phone, at least one of the two."""

    name: str = ""
    email: str | None = None
    phone: str | None = None

    def __repr__(self) -> str:
        return "Contact(…)"


class NewBooking(Resource, frozen=True, kw_only=True):
    """What create sends. `start` and `end` are the slot's own; `timezone` is the visitor's IANA zone."""

    service_slug: str
    start: datetime
    end: datetime
    timezone: str
    contact: Contact
    party_size: int | None = None
    host_id: str | None = None
    team_id: str | None = None
    notes: str | None = None

    def __repr__(self) -> str:
        return f"NewBooking({self.service_slug!r}, {self.start.isoformat()}, …)"


class Booking(Resource, frozen=True, kw_only=True):
    """A booking, from the short form (create, reschedule) or the long one (lookup, cancel).

    `status` is confirmed, pending or canceled (any spelling is normalised to one l), or something newer.
    """

    confirmation_number: str
    status: str
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

    def __repr__(self) -> str:
        return f"Booking(…, {self.status!r}, {self.start.isoformat()})"


def encode(value: object) -> bytes:
    """JSON bytes of any resource, or of a tuple of them: what a cache keeps."""
    return msgspec.json.encode(value)


def decode(data: bytes, shape: type[T]) -> T:
    """The value that `encode` was given: `decode(data, Offer)`, `decode(data, tuple[Slot, ...])`.

    Raises ValueError when `data` is not that, for instance because another version wrote it.
    """
    try:
        return cast("T", _decoder(cast("Any", shape)).decode(data))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    raise ValueError("The bytes do not hold what was expected.")


@lru_cache(maxsize=32)
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


worked_out(Offer, ServiceDetail, tuple[Slot, ...], Booking, NewBooking)
