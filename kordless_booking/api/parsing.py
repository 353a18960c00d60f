"""Lenient parsing of JSON documents into the structs of `resources`.

A change on Kordless's side must not take a site down. Unknown fields are ignored, optional fields may be missing, types
are converted where that is safe, and an invalid slot or service is skipped and counted in `SkippedItems`. A public
function raises OutcomeUnknown if nothing usable remains (reason "bad_payload"), or if the document is about something
else than was asked for (reason "mismatch"). Error messages contain a JSON path, never a value.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, TypeVar

from kordless_booking.api.lenient import MISSING, InvalidField, LenientObject, as_decimal, as_int, as_plain, as_text
from kordless_booking.api.requests import is_path_segment
from kordless_booking.api.resources import (
    CONFIRMATION_NUMBER,
    Booking,
    Branding,
    CalendarSettings,
    CancellationPolicy,
    Contact,
    Host,
    Location,
    Organization,
    OrganizationDetail,
    Price,
    PriceKind,
    Service,
    ServiceDetail,
    Slot,
    Team,
    intern_values,
)
from kordless_booking.api.times import is_same_time, round_to_second
from kordless_booking.exceptions import OutcomeUnknown
from kordless_booking.limits import MAX_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

P = ParamSpec("P")
T = TypeVar("T")

MAX_SLOTS: Final = 50_000
"""Slots that are parsed of one response. A larger response is refused, not cut: what is cut off would look booked out.
25 hosts with a slot each quarter of an hour, day and night, have 80,000 in a month, which is read in parts.
"""
MAX_METADATA_DEPTH: Final = 3
"""Levels of a service's metadata, the object itself included."""
MAX_METADATA_BYTES: Final = 10_000
"""Bytes of a service's metadata as JSON. The list of services is read for every page, so it must stay small."""
_MAX_LEFT_OUT: Final = 20
"""Services that are left out, of which the names are kept: enough for an operator to find the cause."""
_MAX_NAME_LENGTH: Final = 100
"""Characters of such a name."""
_DECIMAL_COMMA = re.compile(r"([0-9]{1,9}|[0-9]{1,3}(\.[0-9]{3}){1,3}),[0-9]{1,2}")
_THOUSANDS_COMMAS = re.compile(r"[0-9]{1,3}(,[0-9]{3}){1,3}(\.[0-9]{1,2})?")
_CURRENCY = re.compile(r"[A-Za-z]{3}")


@dataclass(slots=True)
class SkippedItems:
    """Number of items that were skipped while parsing a response, and the JSON path of the first."""

    count: int = 0
    first_path: str = ""

    def add(self, path: str, count: int = 1) -> None:
        self.count += count
        self.first_path = self.first_path or path


def _lenient_parser(read: Callable[Concatenate[LenientObject, P], T]) -> Callable[Concatenate[object, P], T]:
    """Pass the document as LenientObject, and raise OutcomeUnknown in place of InvalidField."""

    @functools.wraps(read)
    def reader(document: object, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(LenientObject(document), *args, **kwargs)
        except InvalidField as error:
            path = error.path
        raise OutcomeUnknown(f"unusable answer at {path}", reason="bad_payload")

    return reader


@_lenient_parser
def parse_organization(document: LenientObject, dropped: SkippedItems, *, org_slug: str) -> OrganizationDetail:
    """Parse the response of "Get organization". Services keep their order; a repeated slug is skipped."""
    organization = _parse_organization(document.required_object("organization", "org"), org_slug)
    services: dict[str, Service] = {}
    left_out: list[str] = []

    def read(fields: LenientObject) -> Service:
        try:
            return _parse_service(fields)
        except InvalidField:
            names = (fields.text(name, limit=_MAX_NAME_LENGTH) for name in ("slug", "name"))
            left_out.append(next(filter(None, names), fields.path))
            raise

    for service, path in _parse_items(document, "services", dropped=dropped, read=read):
        if services.setdefault(service.slug, service) is not service:
            dropped.add(path)
            left_out.append(service.slug)
    return OrganizationDetail(
        organization=organization, services=tuple(services.values()), left_out=tuple(left_out[:_MAX_LEFT_OUT])
    )


@_lenient_parser
def parse_service_detail(document: LenientObject, dropped: SkippedItems, *, org_slug: str, slug: str) -> ServiceDetail:
    """Parse the response of "Get service"."""
    found = document.object("organization", "org")
    service = _parse_service(document.required_object("service"), slug=slug)
    if service.slug.casefold() != slug.casefold():
        raise _mismatch("service.slug")
    return ServiceDetail(
        organization=_parse_organization(found, org_slug) if found else Organization(name=org_slug, slug=org_slug),
        service=service,
        calendar=_calendar(document.object("calendarSettings", "calendar")),
    )


@_lenient_parser
def parse_slots(document: LenientObject, dropped: SkippedItems) -> tuple[Slot, ...]:
    """Parse the response of "Get availability", sorted by start and host, without duplicates.

    Raises OutcomeUnknown (reason "too_large") for more than MAX_SLOTS.
    """
    listed = document.raw("slots")
    if isinstance(listed, list) and len(listed) > MAX_SLOTS:
        raise OutcomeUnknown(f"the answer has more than {MAX_SLOTS:,} slots", reason="too_large")
    items = _parse_items(document, "slots", dropped=dropped, read=parse_slot, max_items=MAX_SLOTS)
    return merge_slots(slot for slot, _path in items)


def merge_slots(listed: Iterable[Slot]) -> tuple[Slot, ...]:
    """Return slots sorted by start and host, without duplicates. Equal parts of them share their memory."""
    return intern_values(merge_sorted_slots(listed))


def merge_sorted_slots(listed: Iterable[Slot]) -> tuple[Slot, ...]:
    """Return slots as `merge_slots` does, with the parts that they have. Cheaper if they are in order already."""
    slots: dict[tuple[datetime, str, datetime, str, str], Slot] = {}
    for slot in listed:
        host, team = slot.host.id if slot.host else "", slot.team.id if slot.team else ""
        key = (slot.start, host, slot.end, team, slot.service_id or "")
        twin = slots.get(key)
        # Of duplicates the one with fewer free seats counts: better to hide a seat than to offer a taken one.
        if twin is None or slot.available < twin.available:
            slots[key] = slot
    return tuple(slots[key] for key in sorted(slots))


@_lenient_parser
def parse_booking(
    document: LenientObject,
    *,
    number: str | None = None,
    org_slug: str | None = None,
    service_slug: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Booking:
    """Parse a booking in the short or the long form, bare or under "booking".

    The arguments are what was asked for. Another number, organization, service or start in the document is a mismatch.
    An absent number or start is taken from the arguments, and an absent or unusable end as well. Without `number`
    (create) the document must contain one. Times are rounded to whole seconds.
    """
    fields = document.object("booking") or document
    confirmation_number = fields.text("confirmation_number", "number")
    if confirmation_number is None and number is None:
        raise InvalidField(fields.path_of("confirmation_number"))
    if confirmation_number is not None and not CONFIRMATION_NUMBER.fullmatch(confirmation_number):
        raise InvalidField(fields.path_of("confirmation_number"))
    for name, one, other in (
        ("confirmation_number", confirmation_number, number),
        ("organization_slug", fields.text("organization_slug", "org_slug"), org_slug),
    ):
        if one is not None and other is not None and one.casefold() != other.casefold():
            raise _mismatch(name)
    booked_slug = fields.text("service_slug")
    if booked_slug is not None and service_slug is not None and not is_same_service(booked_slug, service_slug):
        raise _mismatch("service_slug")
    invite = document.object("calendar_invite") or fields.object("calendar_invite")
    person = fields.object("contact")
    starts = fields.required_datetime("start_at", "starts_at", "start", otherwise=start)
    # Only the start: if the service's length has changed meanwhile, it is still the booking that was asked for.
    if start is not None and not is_same_time(starts, start):
        raise _mismatch("start_at")
    starts = start or starts
    ends = fields.utc_datetime("end_at", "ends_at", "end")
    # An unusable end must not leave somebody waiting whose booking has a number and the start that was asked for.
    if ends is None or ends <= starts or (end is not None and is_same_time(ends, end)):
        ends = end
    if ends is None or ends <= starts:
        raise InvalidField(fields.path_of("end_at"))
    return Booking(
        confirmation_number=confirmation_number or number or "",
        status=_status(fields.text("status", limit=40)),
        start=round_to_second(starts),
        end=round_to_second(ends),
        id=fields.text("id", "booking_id") or "",
        organization_slug=fields.text("organization_slug", "org_slug"),
        organization_name=fields.text("organization_name", "org_name"),
        service_id=fields.text("service_id"),
        service_slug=booked_slug,
        service_name=fields.text("service_name"),
        contact=None
        if person is None
        else Contact(name=person.text("name") or "", email=person.text("email"), phone=person.text("phone")),
        location=_location(fields),
        timezone=fields.text("timezone", "time_zone"),
        ics_url=None if invite is None else invite.text("ics_url", "url"),
    )


def is_same_service(one: str, other: str) -> bool:
    """Return True if two service ids mean the same service: webhooks write `srv_haircut`, the API `haircut`."""
    return one.casefold().removeprefix("srv_") == other.casefold().removeprefix("srv_")


def _mismatch(name: str) -> OutcomeUnknown:
    return OutcomeUnknown(f"the answer is about another {name} than asked", reason="mismatch")


def _parse_items(
    fields: LenientObject,
    name: str,
    *,
    dropped: SkippedItems,
    read: Callable[[LenientObject], T],
    max_items: int = 1_000,
) -> list[tuple[T, str]]:
    """Return each valid item of a list with its JSON path, and record the others in `dropped`.

    Null is an empty list. Raises InvalidField if the list is absent or no list, or if none of its items is valid.
    """
    items = fields.raw(name)
    path = fields.path_of(name)
    if items is None:
        return []
    if not isinstance(items, list):
        raise InvalidField(path)
    good: list[tuple[T, str]] = []
    for index, item in enumerate(items[:max_items]):
        try:
            good.append((read(LenientObject(item, f"{path}[{index}]")), f"{path}[{index}]"))
        except InvalidField as error:
            dropped.add(error.path)
    if len(items) > max_items:
        dropped.add(f"{path}[{max_items}]", len(items) - max_items)
    if items and not good:
        raise InvalidField(dropped.first_path)
    return good


def _parse_organization(fields: LenientObject, requested_slug: str) -> Organization:
    slug = fields.text("slug", "org_slug") or requested_slug
    if slug.casefold() != requested_slug.casefold():
        raise _mismatch("organization.slug")
    look = fields.object("branding") or LenientObject({})
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


def _parse_service(fields: LenientObject, slug: str | None = None) -> Service:
    key = fields.text("key", "id")
    # Without a slug, fall back to the one that was asked for, then to the key, which usually equals the slug.
    found = fields.text("slug", "service_slug") or slug or key or ""
    if not is_path_segment(found):
        raise InvalidField(fields.path_of("slug"))
    return Service(
        key=key or found,
        name=fields.text("name", "title") or found,
        slug=found,
        description=fields.text("description"),
        category=fields.text("category"),
        duration_minutes=fields.integer("duration", "duration_minutes", least=1),
        price=_parse_price(fields),
        bookable=fields.boolean("isBookablePublic", "bookable", otherwise=True),
        metadata_json=_metadata_json(fields.raw("metadata")),
    )


def _metadata_json(value: object) -> str:
    """Return a service's metadata as a JSON object: names that no longer fit into MAX_METADATA_BYTES are left out."""
    plain = as_plain(value, depth=MAX_METADATA_DEPTH)
    kept: dict[str, object] = {}
    size = 2
    for name, item in plain.items() if isinstance(plain, dict) else ():
        size += len(json.dumps({name: item}))
        if size <= MAX_METADATA_BYTES:
            kept[name] = item
    return json.dumps(kept)


def _parse_price(fields: LenientObject) -> Price:
    value = _with_decimal_point(fields.raw("price"))
    code = fields.text("currency") or ""
    currency = code.upper() if _CURRENCY.fullmatch(code) else None
    amount = as_decimal(value)
    if amount is not None and amount >= 0:
        if amount == 0:
            return Price(kind=PriceKind.FREE, currency=currency)
        # Whole amounts lose their zeros (45.00 becomes 45), and "f" avoids an exponent (4.5E+1).
        whole = amount.to_integral_value() if amount == amount.to_integral_value() else amount
        return Price(kind=PriceKind.FIXED, amount=Decimal(f"{whole:f}"), currency=currency)
    word = as_text(value) if isinstance(value, str) else None
    # [^\W\d_] is any letter. Text without one, such as "-", stays UNSPECIFIED, and so does a negative amount.
    if word is not None and amount is None and re.search(r"[^\W\d_]", word) and word.casefold() != "nan":
        return Price(kind=PriceKind.FREE if word.casefold() == "free" else PriceKind.VARIABLE, currency=currency)
    return Price(kind=PriceKind.VARIABLE if value is None else PriceKind.UNSPECIFIED, currency=currency)


def _with_decimal_point(price: object) -> object:
    """Return a price that was typed as "45,00", "1.250,50" or "1,250.50" with a decimal point alone, else as it is."""
    if not isinstance(price, str) or "," not in price:
        return price
    text = price.strip()
    if _DECIMAL_COMMA.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    return text.replace(",", "") if _THOUSANDS_COMMAS.fullmatch(text) else price


def _calendar(fields: LenientObject | None) -> CalendarSettings:
    if fields is None:
        return CalendarSettings()
    policy = fields.object("cancellation_policy")
    notice = None if policy is None else as_decimal(policy.raw("noticeHours"))
    return CalendarSettings(
        duration_minutes=fields.integer("duration_minutes", "duration", least=1),
        slot_interval_minutes=fields.integer("slot_interval_minutes", "slot_interval", least=1),
        buffer_before=fields.integer("buffer_before", "buffer_before_minutes") or 0,
        buffer_after=fields.integer("buffer_after", "buffer_after_minutes") or 0,
        booking_window_days=fields.integer("booking_window_days", "booking_window", least=1),
        timezone=fields.text("timezone", "time_zone", limit=64),
        location=_location(fields),
        max_parallel_bookings=fields.integer("max_parallel_bookings", least=1),
        cancellation_policy=None
        if policy is None
        else CancellationPolicy(
            notice_hours=float(notice) if notice is not None and notice >= 0 else None,
            text=policy.text("policyText", "text"),
        ),
    )


def _location(fields: LenientObject) -> Location | None:
    inner = fields.object("location")
    if inner is None:
        bare = fields.raw("location")  # plain text instead of the documented object
        return Location(type="custom", value=as_text(bare)) if isinstance(bare, str) and as_text(bare) else None
    return Location(type=(inner.text("type", limit=40) or "").lower(), value=inner.text("value", "address", "url"))


def parse_slot(fields: LenientObject) -> Slot:
    """Parse one slot. Raises InvalidField if it can't be booked as it is."""
    start = fields.required_datetime("startsAt", "start_at", "start")
    end = fields.required_datetime("endsAt", "end_at", "end")
    if end <= start:
        raise InvalidField(fields.path_of("endsAt"))
    total = _seats(fields, "capacity")
    free = _seats(fields, "availableCapacity", "available")
    capacity = max(1, free or 0) if total is None else total  # no total given: at least the free seats
    host = _parse_id_and_name(fields, "host")
    team = _parse_id_and_name(fields, "team")
    return Slot(
        start=start,
        end=end,
        capacity=capacity,
        available=capacity if free is None else min(free, capacity),
        service_id=fields.text("serviceId"),
        host=None if host is None else Host(id=host[0], name=host[1]),
        team=None if team is None else Team(id=team[0], name=team[1]),
        timezone=fields.text("timezone", limit=64),
    )


def _seats(fields: LenientObject, *names: str) -> int | None:
    """Return a number of seats, at least 0, or None if absent or null. Raises InvalidField if it is no integer."""
    value = fields.raw(*names)
    if value is None or value is MISSING:
        return None
    seats = as_int(value)
    if seats is None:
        raise InvalidField(fields.path_of(names[0]))
    return max(0, seats)


def _parse_id_and_name(fields: LenientObject, what: str) -> tuple[str, str | None] | None:
    """Return id and name of a host or team, from `hostId`, `host` or both. None without an id: it can't be booked."""
    inner = fields.object(what)
    name = fields.text(what) if inner is None else inner.text("displayName", "name", "fullName", "title")
    found = fields.text(f"{what}Id", limit=MAX_ID)
    if found is None and inner is not None:
        found = inner.text("id", f"{what}Id", limit=MAX_ID)
    return None if found is None else (found, name)


def _status(value: str | None) -> str:
    status = (value or "").lower()
    # The documented status has one l, the documented event `booking.cancelled` two: accept both.
    return "canceled" if status == "cancelled" else status
