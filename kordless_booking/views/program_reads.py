"""Reads of programs: services and free times as plain data, for the JSON API and the MCP server.

Programs read the same cached blocks of times as visitors' pages, and nothing beside them: whatever a program asks for,
it makes no entry of its own in the cache. What isn't cached is fetched with the priority of a refresh
(`upstream.rate_limiter`), so programs yield to visitors: while those are refused, programs are refused first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.http import HttpRequest

from kordless_booking.api.deadline import deadline
from kordless_booking.api.resources import PriceKind
from kordless_booking.booking.availability import AvailableTime, free_openings, localize
from kordless_booking.booking.choices import Choices
from kordless_booking.limits import MAX_PARTY_SIZE
from kordless_booking.presentation.locales import default_language
from kordless_booking.presentation.site_texts import text_in
from kordless_booking.presentation.timezones import business_timezone, canonical_timezone, get_timezone
from kordless_booking.questions.fields import GUESTS
from kordless_booking.upstream.requester import requested_by
from kordless_booking.upstream.window import Days, bookable_days
from kordless_booking.upstream.worker import in_background
from kordless_booking.urlconf import namespaces_of, public_url
from kordless_booking.views.cells import format_start
from kordless_booking.views.client_address import build_requester
from kordless_booking.views.links import WidgetLinks
from kordless_booking.views.questions import configured_questions
from kordless_booking.views.request import WidgetRequest

if TYPE_CHECKING:
    from kordless_booking.api.resources import OrganizationDetail, Service, ServiceDetail
    from kordless_booking.conf import Account
    from kordless_booking.upstream.entries import Cached

MAX_DAYS: Final = 31
"""Days of one answer: a month, which is one block of the cache or two."""
USUAL_DAYS: Final = 7
"""Days of an answer to a question that names no last one."""
MAX_TIMES: Final = 1000
"""Times of one answer, of which the last day may have more: 400 KB. A haircut every half hour has 600 in a month."""


class WrongQuery(ValueError):
    """A question that can't be answered. `errors` has a text by the name of each wrong parameter."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


@contextmanager
def read_as_program(visit: WidgetRequest) -> Iterator[None]:
    """Read with the lowest priority in the `with` block, within the deadline of a page."""
    token = in_background.set(True)
    try:
        with requested_by(build_requester(visit)), deadline(visit.account.browse_seconds):
            yield
    finally:
        in_background.reset(token)


def build_local_request(account: Account, *, language: str = "") -> WidgetRequest:
    """Return a request of this process itself, which came by no HTTP. Raises ImproperlyConfigured as `from_http` does.

    `language` is one of the supported ones, or "" for the site's own.
    """
    request = HttpRequest()
    request.method = "GET"
    visit = WidgetRequest.from_http(request, namespace=next(iter(namespaces_of(account)), account.name))
    return replace(visit, choices=Choices(lang=language or None), language=language or default_language())


def bookable_services(offer: OrganizationDetail) -> tuple[Service, ...]:
    """Return the services that the public can book, in the business's order."""
    return tuple(service for service in offer.services if service.bookable)


def write_time(moment: datetime) -> str:
    """Return a moment in UTC as RFC 3339 has it, exactly: Kordless books by the start and end that it has named."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def describe_service(service: Service) -> dict[str, Any]:
    """Return a service as the list of services has it."""
    price = service.price
    amount = format(price.amount, "f") if price.kind is PriceKind.FIXED and price.amount is not None else None
    return {
        "slug": service.slug,
        "name": service.name,
        "description": service.description,
        "category": service.category,
        "duration_minutes": service.duration_minutes,
        "price": {"kind": price.kind.value, "amount": amount, "currency": price.currency if amount else None},
    }


def describe_settings(visit: WidgetRequest, detail: ServiceDetail) -> dict[str, Any]:
    """Return what is known of a service beyond the list of services: place, zone, policy, and what its form asks for.

    Of a place that is no address, such as a video call, only the kind: its link is for those who have booked.
    """
    calendar = detail.calendar
    location, policy = calendar.location, calendar.cancellation_policy
    return {
        "timezone": business_timezone(calendar.timezone) or "UTC",
        "booking_window_days": bookable_days(calendar.booking_window_days),
        "location": {"type": location.type, "address": location.value if location.type == "onsite" else None}
        if location
        else None,
        "cancellation_policy": {"notice_hours": policy.notice_hours, "text": policy.text} if policy else None,
        "form": describe_form(visit, detail),
    }


def describe_form(visit: WidgetRequest, detail: ServiceDetail) -> dict[str, Any]:
    """Return what a booking of the service has to say: contact fields, questions, guests and consents."""
    account, slug = visit.account, detail.service.slug
    own = account.service_settings(slug)
    location = detail.calendar.location
    fields = own.contact_fields
    if location is not None and location.type == "phone":
        fields = fields.for_phone_call()
    questions = [
        {
            "name": question.name,
            "label": text_in(question.label, visit.language),
            "kind": question.kind,
            "required": question.required,
            "max_length": question.max_length or None,
            "min": _bound(question.min),
            "max": _bound(question.max),
            "choices": [{"value": value, "label": text_in(label, visit.language)} for value, label in question.choices],
        }
        for question in configured_questions(account, slug)
    ]
    return {
        "contact": {
            "name": fields.name,
            "email": fields.email,
            "phone": fields.phone,
            "notes": fields.notes,
            "email_or_phone": fields.is_either,
        },
        "questions": questions,
        "asks_guests": own.guests != 0 and not any(question["name"] == GUESTS for question in questions),
        "consents": [
            {
                "name": consent.name,
                "version": consent.version,
                "label": consent.text_in(visit.language),
                "required": consent.required,
            }
            for consent in account.consent
        ],
    }


def _bound(value: float | date | None) -> float | str | None:
    return value.isoformat() if isinstance(value, date) else value


@dataclass(frozen=True, kw_only=True)
class TimesQuery:
    """Question for free times."""

    first: date
    last: date
    """Both included, and dates of `zone`."""
    zone: str
    """Canonical IANA name."""
    party: int = 1
    host: str | None = None
    team: str | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str], *, now: datetime, business_zone: str | None) -> TimesQuery:
        """Parse `from`, `to`, `tz`, `party`, `host` and `team`. Raises WrongQuery with all mistakes.

        Without dates it is a week from today on, in the business's zone unless another one is named.
        """
        errors: dict[str, str] = {}
        zone = canonical_timezone(query["tz"]) if "tz" in query else business_zone or "UTC"
        if zone is None:
            errors["tz"] = "Unknown time zone: use an IANA name such as Europe/Paris."
        today = now.astimezone(get_timezone(zone or "UTC")).date()
        first = _parse_date(query, "from", today, errors)
        last = _parse_date(query, "to", first + timedelta(days=USUAL_DAYS - 1), errors)
        if not errors.keys() & {"from", "to"}:
            if last < first:
                errors["to"] = "The last day is before the first one."
            elif (last - first).days >= MAX_DAYS:
                errors["to"] = f"At most {MAX_DAYS} days can be asked for at once."
        party = query.get("party", "1")
        if not (party.isascii() and party.isdecimal() and len(party) < 4 and 1 <= int(party) <= MAX_PARTY_SIZE):
            errors["party"] = f"The party is a whole number from 1 to {MAX_PARTY_SIZE}."
        for name in ("host", "team"):
            if name in query and not query[name]:
                errors[name] = f"The {name} is the id of one, as the times have it."
        if errors:
            raise WrongQuery(errors)
        assert zone is not None  # noqa: S101 (an error above)
        return cls(first=first, last=last, zone=zone, party=int(party), host=query.get("host"), team=query.get("team"))


def _parse_date(query: Mapping[str, str], name: str, otherwise: date, errors: dict[str, str]) -> date:
    text = query.get(name)
    if text is None:
        return otherwise
    try:
        # Of this form alone: `fromisoformat` takes others as well. Arithmetic overflows near the ends of the calendar.
        found = datetime.strptime(text, "%Y-%m-%d").date() if len(text) == len("2026-01-31") else None  # noqa: DTZ007
    except ValueError:
        found = None
    if found is None or not 1970 <= found.year <= 9000 or not text.isascii():
        errors[name] = "This is no date such as 2026-12-31."
        return otherwise
    return found


@dataclass(frozen=True, kw_only=True)
class FoundTimes:
    """Answer to a question for free times."""

    query: TimesQuery
    times: tuple[AvailableTime, ...]
    last: date
    """Last day that was looked at completely: before `query.last` where there are more times than fit."""
    fetched_at: datetime
    """When Kordless was asked (UTC)."""
    stale: bool
    """The times are old, because Kordless can't be asked."""


def read_times(visit: WidgetRequest, detail: ServiceDetail, query: TimesQuery) -> FoundTimes:
    """Return the free times of a service, in order. Raises KordlessError."""
    zone = get_timezone(query.zone)
    window = bookable_days(detail.calendar.booking_window_days)
    cached: Cached[Any] = visit.catalog.slots(detail.service.slug, Days(query.first, query.last), window_days=window)
    days = free_openings(
        cached.value,
        zone=zone,
        now=visit.now,
        host_id=query.host,
        team_id=query.team,
        party_size=query.party,
    )
    found: list[AvailableTime] = []
    last = query.last
    for day in sorted(day for day in days if query.first <= day <= query.last):
        if found and len(found) + len(days[day]) > MAX_TIMES:
            last = day - timedelta(days=1)
            break
        found.extend(localize(days[day], zone))
    fetched_at = datetime.fromtimestamp(cached.fetched_at, UTC)
    return FoundTimes(query=query, times=tuple(found), last=last, fetched_at=fetched_at, stale=cached.degraded)


def nearest_times(visit: WidgetRequest, detail: ServiceDetail, query: TimesQuery, start: datetime) -> FoundTimes:
    """Return the three free times that are nearest to a start. Raises KordlessError."""
    found = read_times(visit, detail, query)
    near = sorted(found.times, key=lambda time: (abs(time.start - start), time.start))[:3]
    return FoundTimes(
        query=query,
        times=tuple(sorted(near, key=lambda time: time.start)),
        last=found.last,
        fetched_at=found.fetched_at,
        stale=found.stale,
    )


@dataclass(frozen=True)
class BookLinks:
    """Builder of links at which a person looks at times, and confirms one."""

    visit: WidgetRequest
    slug: str
    query: TimesQuery
    prefix: str = field(init=False)
    """Link to the contact step, up to the start."""

    def __post_init__(self) -> None:
        query = self.query
        choices = Choices(
            timezone=query.zone,
            host_id=query.host,
            team_id=query.team,
            party_size=query.party,
            lang=self.visit.choices.lang,
        )
        link = self.visit.links.service_url("contact", self.slug, choices)
        object.__setattr__(self, "prefix", absolute(self.visit, f"{link}{'&' if '?' in link else '?'}start="))

    def link_to(self, start: datetime, end: datetime) -> str:
        """Return the absolute URL of the step at which a person gives their details and books this time."""
        return f"{self.prefix}{format_start(start)}&end={format_start(end)}"

    def describe_times(self, times: tuple[AvailableTime, ...]) -> list[dict[str, Any]]:
        """Return the times as plain data."""
        return [self._describe(time) for time in times]

    def _describe(self, time: AvailableTime) -> dict[str, Any]:
        hosts = {slot.host.id: slot.host.name for slot in time.slots if slot.host is not None}
        teams = {slot.team.id: slot.team.name for slot in time.slots if slot.team is not None}
        return {
            "start": write_time(time.start),
            "end": write_time(time.end),
            "hosts": [{"id": key, "name": name} for key, name in hosts.items()],
            "teams": [{"id": key, "name": name} for key, name in teams.items()],
            "seats": {"free": time.free, "total": time.capacity},
            "book_url": self.link_to(time.start, time.end),
        }


def absolute(visit: WidgetRequest, path: str) -> str:
    """Return the absolute URL of one of our own paths: by SITE_URL, else by the request's host."""
    return public_url(visit.account, visit.request, path)


def plain_links(visit: WidgetRequest) -> WidgetLinks:
    """Return the builder of links that carry no choice but the language."""
    return WidgetLinks(visit.links.mount, Choices(lang=visit.choices.lang))


def zone_of(detail: ServiceDetail) -> ZoneInfo:
    """Return the time zone of the business."""
    return get_timezone(business_timezone(detail.calendar.timezone) or "UTC")
