"""Lenient parsing of JSON documents into the structs of `resources`.

A change on Kordless's side must not take a site down. Unknown fields are ignored, optional fields may be missing, types
are converted where that is safe, and an invalid slot or service is skipped and counted in `SkippedItems`. A public
function raises OutcomeUnknown if nothing usable remains (reason "bad_payload"), or if the document is about something
else than was asked for (reason "mismatch"). Error messages contain a JSON path, never a value.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, TypeVar

from kordless_booking.api.lenient import MISSING, Fields, Unreadable, as_number, as_text, as_whole
from kordless_booking.api.resources import (
    CONFIRMATION_NUMBER,
    Booking,
    Branding,
    CalendarSettings,
    CancellationPolicy,
    Contact,
    Host,
    Location,
    Offer,
    Organization,
    Price,
    PriceKind,
    Service,
    ServiceDetail,
    Slot,
    Team,
)
from kordless_booking.exceptions import OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = ["Dropped", "read_booking", "read_offer", "read_service_detail", "read_slots", "same_id"]

P = ParamSpec("P")
T = TypeVar("T")

MOST_SLOTS: Final = 5_000
"""Slots that are parsed of one response; more are skipped."""
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,100}")  # slugs become part of our own URLs
_CURRENCY = re.compile(r"[A-Za-z]{3}")


@dataclass(slots=True)
class Dropped:
    """Number of items that were skipped while parsing a response, and the JSON path of the first."""

    count: int = 0
    first: str = ""

    def add(self, path: str, count: int = 1) -> None:
        self.count += count
        self.first = self.first or path


def _reader(read: Callable[Concatenate[Fields, P], T]) -> Callable[Concatenate[object, P], T]:
    """Pass the document as LenientObject, and raise OutcomeUnknown in place of InvalidField."""

    @functools.wraps(read)
    def reader(document: object, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(Fields(document), *args, **kwargs)
        except Unreadable as error:
            path = error.path
        raise OutcomeUnknown(f"unusable answer at {path}", reason="bad_payload")

    return reader


@_reader
def read_offer(document: Fields, dropped: Dropped, *, org_slug: str) -> Offer:
    """Parse the response of "Get organization". Services keep their order; a repeated slug is skipped."""
    organization = _organization(document.needed_inner("organization", "org"), org_slug)
    services: dict[str, Service] = {}
    for service, path in _each(document, "services", dropped=dropped, read=_service):
        if services.setdefault(service.slug, service) is not service:
            dropped.add(path)
    return Offer(organization=organization, services=tuple(services.values()))


@_reader
def read_service_detail(document: Fields, dropped: Dropped, *, org_slug: str, slug: str) -> ServiceDetail:
    """Parse the response of "Get service"."""
    found = document.inner("organization", "org")
    service = _service(document.needed_inner("service"), slug=slug)
    if service.slug.casefold() != slug.casefold():
        raise _mismatch("service.slug")
    return ServiceDetail(
        organization=_organization(found, org_slug) if found else Organization(name=org_slug, slug=org_slug),
        service=service,
        calendar=_calendar(document.inner("calendarSettings", "calendar")),
    )


@_reader
def read_slots(document: Fields, dropped: Dropped) -> tuple[Slot, ...]:
    """Parse the response of "Get availability", sorted by start and host, without duplicates."""
    slots: dict[tuple[datetime, str, datetime, str, str], Slot] = {}
    for slot, _path in _each(document, "slots", dropped=dropped, read=_slot, most=MOST_SLOTS):
        host, team = slot.host.id if slot.host else "", slot.team.id if slot.team else ""
        key = (slot.start, host, slot.end, team, slot.service_id or "")
        twin = slots.get(key)
        # Of duplicates the one with fewer free seats counts: better to hide a seat than to offer a taken one.
        if twin is None or slot.free < twin.free:
            slots[key] = slot
    return tuple(slots[key] for key in sorted(slots))


@_reader
def read_booking(
    document: Fields,
    *,
    number: str | None = None,
    org_slug: str | None = None,
    service_slug: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Booking:
    """Parse a booking in the short or the long form, bare or under "booking".

    The arguments are what was asked for. Another number, organization, service or start in the document is a mismatch.
    An absent number, start or end is taken from the arguments. Without `number` (create) the document must contain one.
    """
    fields = document.inner("booking") or document
    said = fields.text("confirmation_number", "number")
    if said is None and number is None:
        raise Unreadable(fields.at("confirmation_number"))
    if said is not None and not CONFIRMATION_NUMBER.fullmatch(said):
        raise Unreadable(fields.at("confirmation_number"))
    for name, one, other in (
        ("confirmation_number", said, number),
        ("organization_slug", fields.text("organization_slug", "org_slug"), org_slug),
        ("service_slug", fields.text("service_slug"), service_slug),
    ):
        if one is not None and other is not None and one.casefold() != other.casefold():
            raise _mismatch(name)
    invite = document.inner("calendar_invite") or fields.inner("calendar_invite")
    person = fields.inner("contact")
    starts = fields.needed_moment("start_at", "starts_at", "start", otherwise=start)
    ends = fields.needed_moment("end_at", "ends_at", "end", otherwise=end)
    if ends <= starts:
        raise Unreadable(fields.at("end_at"))
    # Only the start: if the service's length has changed meanwhile, it is still the booking that was asked for.
    if start is not None and starts != start:
        raise _mismatch("start_at")
    return Booking(
        confirmation_number=said or number or "",
        status=_status(fields.text("status", limit=40)),
        start=starts,
        end=ends,
        id=fields.text("id", "booking_id") or "",
        organization_slug=fields.text("organization_slug", "org_slug"),
        organization_name=fields.text("organization_name", "org_name"),
        service_id=fields.text("service_id"),
        service_slug=fields.text("service_slug"),
        service_name=fields.text("service_name"),
        contact=None
        if person is None
        else Contact(name=person.text("name") or "", email=person.text("email"), phone=person.text("phone")),
        location=_location(fields),
        timezone=fields.text("timezone", "time_zone"),
        ics_url=None if invite is None else invite.text("ics_url", "url"),
    )


def same_id(one: str, other: str) -> bool:
    """Return True if two service ids mean the same service: webhooks write `srv_haircut`, the API `haircut`."""
    return one.casefold().removeprefix("srv_") == other.casefold().removeprefix("srv_")


def _mismatch(name: str) -> OutcomeUnknown:
    return OutcomeUnknown(f"the answer is about another {name} than asked", reason="mismatch")


def _each(
    fields: Fields, name: str, *, dropped: Dropped, read: Callable[[Fields], T], most: int = 1_000
) -> list[tuple[T, str]]:
    """Return each valid item of a list with its JSON path, and record the others in `dropped`.

    Null is an empty list. Raises InvalidField if the list is absent or no list, or if none of its items is valid.
    """
    items = fields.raw(name)
    path = fields.at(name)
    if items is None:
        return []
    if not isinstance(items, list):
        raise Unreadable(path)
    good: list[tuple[T, str]] = []
    for index, item in enumerate(items[:most]):
        try:
            good.append((read(Fields(item, f"{path}[{index}]")), f"{path}[{index}]"))
        except Unreadable as error:
            dropped.add(error.path)
    if len(items) > most:
        dropped.add(f"{path}[{most}]", len(items) - most)
    if items and not good:
        raise Unreadable(dropped.first)
    return good


def _organization(fields: Fields, asked: str) -> Organization:
    slug = fields.text("slug", "org_slug") or asked
    if slug.casefold() != asked.casefold():
        raise _mismatch("organization.slug")
    look = fields.inner("branding") or Fields({})
    branding = Branding(
        primary_color=look.text("primaryColor", limit=64),
        logo=look.text("logo", "logoUrl"),
        company_name=look.text("companyName"),
        favicon=look.text("favicon"),
        og_image=look.text("ogImage"),
    )
    return Organization(
        id=fields.text("id") or "",
        name=fields.text("name") or branding.company_name or slug,
        slug=slug,
        tagline=fields.text("tagline"),
        branding=branding,
    )


def _service(fields: Fields, slug: str | None = None) -> Service:
    key = fields.text("key", "id")
    # Without a slug, fall back to the one that was asked for, then to the key, which usually equals the slug.
    found = fields.text("slug", "service_slug") or slug or key or ""
    if not _SLUG.fullmatch(found):
        raise Unreadable(fields.at("slug"))
    return Service(
        key=key or found,
        name=fields.text("name", "title") or found,
        slug=found,
        description=fields.text("description"),
        category=fields.text("category"),
        duration_minutes=fields.whole("duration", "duration_minutes", least=1),
        price=_price(fields),
        bookable=fields.flag("isBookablePublic", "bookable", otherwise=True),
    )


def _price(fields: Fields) -> Price:
    value = fields.raw("price")
    code = fields.text("currency") or ""
    currency = code.upper() if _CURRENCY.fullmatch(code) else None
    amount = as_number(value)
    if amount is not None and amount >= 0:
        if amount == 0:
            return Price(kind=PriceKind.FREE, currency=currency)
        # Whole amounts lose their zeros (45.00 becomes 45), and "f" avoids an exponent (4.5E+1).
        whole = amount.to_integral_value() if amount == amount.to_integral_value() else amount
        return Price(kind=PriceKind.FIXED, amount=Decimal(f"{whole:f}"), currency=currency)
    word = as_text(value) if isinstance(value, str) else None
    # [^\W\d_] is any letter. Text without one, such as "-", stays UNSAID, and so does a negative amount.
    if word is not None and amount is None and re.search(r"[^\W\d_]", word) and word.casefold() != "nan":
        return Price(kind=PriceKind.FREE if word.casefold() == "free" else PriceKind.VARIABLE, currency=currency)
    return Price(kind=PriceKind.VARIABLE if value is None else PriceKind.UNSAID, currency=currency)


def _calendar(fields: Fields | None) -> CalendarSettings:
    if fields is None:
        return CalendarSettings()
    policy = fields.inner("cancellation_policy")
    notice = None if policy is None else as_number(policy.raw("noticeHours"))
    return CalendarSettings(
        duration_minutes=fields.whole("duration_minutes", "duration", least=1),
        slot_interval_minutes=fields.whole("slot_interval_minutes", "slot_interval", least=1),
        buffer_before=fields.whole("buffer_before", "buffer_before_minutes") or 0,
        buffer_after=fields.whole("buffer_after", "buffer_after_minutes") or 0,
        booking_window_days=fields.whole("booking_window_days", "booking_window", least=1),
        timezone=fields.text("timezone", "time_zone", limit=64),
        location=_location(fields),
        max_parallel_bookings=fields.whole("max_parallel_bookings", least=1),
        cancellation_policy=None
        if policy is None
        else CancellationPolicy(
            notice_hours=float(notice) if notice is not None and notice >= 0 else None,
            text=policy.text("policyText", "text"),
        ),
    )


def _location(fields: Fields) -> Location | None:
    inner = fields.inner("location")
    if inner is None:
        bare = fields.raw("location")  # plain text instead of the documented object
        return Location(type="custom", value=as_text(bare)) if isinstance(bare, str) and as_text(bare) else None
    return Location(type=(inner.text("type", limit=40) or "").lower(), value=inner.text("value", "address", "url"))


def _slot(fields: Fields) -> Slot:
    start = fields.needed_moment("startsAt", "start_at", "start")
    end = fields.needed_moment("endsAt", "end_at", "end")
    if end <= start:
        raise Unreadable(fields.at("endsAt"))
    said = _seats(fields, "capacity")
    free = _seats(fields, "availableCapacity", "available")
    capacity = max(1, free or 0) if said is None else said  # no total given: at least the free seats
    host = _person(fields, "host")
    team = _person(fields, "team")
    return Slot(
        start=start,
        end=end,
        capacity=capacity,
        free=capacity if free is None else min(free, capacity),
        service_id=fields.text("serviceId"),
        host=None if host is None else Host(id=host[0], name=host[1]),
        team=None if team is None else Team(id=team[0], name=team[1]),
        timezone=fields.text("timezone", limit=64),
    )


def _seats(fields: Fields, *names: str) -> int | None:
    """Return a number of seats, at least 0, or None if absent or null. Raises InvalidField if it is no integer."""
    value = fields.raw(*names)
    if value is None or value is MISSING:
        return None
    seats = as_whole(value)
    if seats is None:
        raise Unreadable(fields.at(names[0]))
    return max(0, seats)


def _person(fields: Fields, what: str) -> tuple[str, str | None] | None:
    """Return id and name of a host or team, from `hostId`, `host` or both. None without an id: it can't be booked."""
    inner = fields.inner(what)
    name = fields.text(what) if inner is None else inner.text("displayName", "name", "fullName", "title")
    found = fields.text(f"{what}Id", limit=200) or (None if inner is None else inner.text("id", f"{what}Id", limit=200))
    return None if found is None else (found, name)


def _status(said: str | None) -> str:
    status = (said or "").lower()
    # The documented status has one l, the documented event `booking.cancelled` two: accept both.
    return "canceled" if status == "cancelled" else status
