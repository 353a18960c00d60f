"""Handlers of the tools for agents, without the SDK. What can't be done is said in words (`Refusal`).

Nothing here is a page: `build_local_request` makes the request by which the widget's own code finds account, language
and links. Reading needs no database, unless the site's cache is in one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.utils import translation

from kordless_booking import exceptions
from kordless_booking.api.deadline import deadline
from kordless_booking.booking.availability import AvailableTime, unique_hosts, unique_teams
from kordless_booking.logs import log_event
from kordless_booking.mail.texts import shorten
from kordless_booking.presentation.locales import best_supported_language
from kordless_booking.presentation.texts import price_text
from kordless_booking.presentation.timezones import business_timezone, canonical_timezone, get_timezone
from kordless_booking.upstream.window import Days, bookable_days
from kordless_booking.views.program_bookings import Order, Result, parse_key, place_order
from kordless_booking.views.program_reads import (
    MAX_DAYS,
    BookLinks,
    TimesQuery,
    WrongQuery,
    absolute,
    bookable_services,
    build_local_request,
    describe_form,
    read_as_program,
    read_times,
)

if TYPE_CHECKING:
    from kordless_booking.api.resources import OrganizationDetail, Service, ServiceDetail, Slot
    from kordless_booking.conf import Account
    from kordless_booking.contrib.assistant.grammar import Named, TimeQuery
    from kordless_booking.views.request import WidgetRequest

log = logging.getLogger("kordless_booking.views")

T = TypeVar("T")
ASSISTANT: Final = "kordless_booking.contrib.assistant"
MAX_SERVICES: Final = 100
MAX_DESCRIPTION: Final = 300
"""Services of one answer, and characters of each description: see MAX_TIMES."""
MAX_TIMES: Final = 50
"""Times of one answer: more than an agent should read out, or pay for."""


class Refusal(Exception):
    """A tool can't do what was asked. The text is for the agent, and says what to do instead."""


def understands_words() -> bool:
    """Return True where the site has installed the app that reads words such as "next Tuesday after 3"."""
    return apps.is_installed(ASSISTANT)


@dataclass(frozen=True)
class ToolHandlers:
    """The tools of one account."""

    account: Account

    @contextmanager
    def _open(self, language: str = "") -> Iterator[WidgetRequest]:
        """Yield a request in a language. Raises Refusal for whatever keeps the account from answering."""
        try:
            visit = build_local_request(self.account, language=best_supported_language(language) or "")
            with translation.override(visit.language):
                yield visit
        except exceptions.NotFound:
            raise Refusal("There is no such service. Call list_services for those that there are.") from None
        except exceptions.KordlessError as error:
            log_event(log, logging.WARNING, "api_read_failed", account=self.account.name, reason=error.reason)
            wait = f" Try again in {error.retry_after} seconds." if error.retry_after else " Try again in a minute."
            raise Refusal(f"The booking system can't be reached right now.{wait}") from None
        except ImproperlyConfigured:
            raise Refusal("Online booking isn't set up on this site yet.") from None

    def list_services(self, language: str = "") -> dict[str, Any]:
        """Return the organization and its services."""
        with self._open(language) as visit, read_as_program(visit):
            offer = visit.catalog.organization().value
            offered = bookable_services(offer)
            services = [
                {
                    "slug": service.slug,
                    "name": service.name,
                    "description": shorten(service.description or "", MAX_DESCRIPTION),
                    "duration_minutes": service.duration_minutes,
                    "price": price_text(service.price, 1, self.account.price_per, visit.language),
                    "page": absolute(visit, visit.links.service_url("slots", service.slug, visit.choices)),
                }
                for service in offered[:MAX_SERVICES]
            ]
            return {
                "organization": offer.organization.name,
                "services": services,
                "more_services": len(offered) > MAX_SERVICES,
            }

    def find_times(
        self,
        *,
        service: str = "",
        when: str = "",
        from_date: str = "",
        to_date: str = "",
        timezone: str = "",
        party: int | None = None,
        host: str = "",
        language: str = "",
        limit: int = 20,
    ) -> dict[str, Any]:
        """Return free times of a service. `when` is in words, and narrows what the other arguments say."""
        with self._open(language) as visit, read_as_program(visit):
            offer = visit.catalog.organization().value
            slug = self._find_service(offer, service) if service else ""
            text_query = self._read_words(visit, offer, slug, when, timezone) if when.strip() else None
            slug = (
                slug or (text_query.service if text_query and text_query.service else "") or self._only_service(offer)
            )
            detail = visit.bookable_service(slug)
            query = self._build_query(visit, detail, text_query, from_date, to_date, timezone, party, host)
            found = read_times(visit, detail, query)
            times = [each for each in found.times if text_query is None or _fits(each, text_query)]
            return {
                "service": slug,
                "timezone": query.zone,
                "from_date": query.first.isoformat(),
                "to_date": found.last.isoformat(),
                "party": query.party,
                "not_understood": list(text_query.unparsed) if text_query else [],
                "other_readings": [_describe_reading(each) for each in text_query.alternatives] if text_query else [],
                "outdated": found.stale,
                "times": self._describe_times(visit, slug, query, times[: max(1, min(limit, MAX_TIMES))]),
                "more_times": len(times) > limit or found.last < query.last,
            }

    def get_booking_link(
        self,
        *,
        service: str,
        start: str,
        timezone: str = "",
        party: int = 1,
        host: str = "",
        language: str = "",
    ) -> dict[str, Any]:
        """Return the address at which a person books one time, which has to be free."""
        with self._open(language) as visit, read_as_program(visit):
            slug = self._find_service(visit.catalog.organization().value, service)
            detail = visit.bookable_service(slug)
            moment = _parse_moment(start, "start")
            day = moment.astimezone(UTC).date().isoformat()
            query = self._build_query(visit, detail, None, day, day, timezone, party, host)
            # By the date in UTC, give or take one: the zone is that of the person.
            near = TimesQuery(
                first=query.first - timedelta(days=1),
                last=query.last + timedelta(days=1),
                zone=query.zone,
                party=query.party,
                host=query.host,
            )
            chosen = next((each for each in read_times(visit, detail, near).times if each.start == moment), None)
            if chosen is None:
                raise Refusal("This time isn't free. Call find_times for those that are.")
            [described] = self._describe_times(visit, slug, query, [chosen])
            return described

    def get_form(self, *, service: str, language: str = "") -> dict[str, Any]:
        """Return what a booking of a service has to say."""
        with self._open(language) as visit, read_as_program(visit):
            slug = self._find_service(visit.catalog.organization().value, service)
            return describe_form(visit, visit.bookable_service(slug))

    def book(self, order: Callable[[], Order], key: str, language: str = "") -> dict[str, Any]:
        """Place an order, as the JSON API does. Raises Refusal for all but placed and open attempts."""
        usable = parse_key(key)
        if usable is None:
            raise Refusal("idempotency_key: use a new UUID for each booking, and the same one when you repeat a call.")
        with self._open(language) as visit:
            with deadline(self.account.booking_seconds):
                result = place_order(visit, order(), usable)
            return _describe_result(result)

    def build_order(
        self, *, service: str, start: str, end: str, timezone: str, contact: Mapping[str, str], **more: Any
    ) -> Order:
        """Return an order. Raises Refusal for values that can't be read."""
        zone = canonical_timezone(timezone)
        if zone is None:
            raise Refusal("timezone: unknown. Use an IANA name such as Europe/Paris.")
        return Order(
            service=service,
            start=_parse_moment(start, "start"),
            end=_parse_moment(end, "end"),
            timezone=zone,
            contact={name: text for name, text in contact.items() if text},
            **more,
        )

    def _find_service(self, offer: OrganizationDetail, name: str) -> str:
        """Return the slug of a service that is named by its slug or its name. Raises Refusal."""
        services = bookable_services(offer)
        folded = name.strip().casefold()
        for service in services:
            if name == service.slug:
                return service.slug
        named = [service.slug for service in services if folded in {service.slug.casefold(), service.name.casefold()}]
        if len(named) == 1:
            return named[0]
        raise Refusal(f"There is no such service. The slugs are: {_list_slugs(services)}.")

    def _only_service(self, offer: OrganizationDetail) -> str:
        services = bookable_services(offer)
        if len(services) == 1:
            return services[0].slug
        raise Refusal(f"Say which service. The slugs are: {_list_slugs(services)}.")

    def _read_words(
        self, visit: WidgetRequest, offer: OrganizationDetail, slug: str, when: str, timezone: str
    ) -> TimeQuery:
        """Return what the words mean. Raises Refusal where they mean nothing, or nobody reads words here."""
        if not understands_words():
            raise Refusal("This site doesn't read words in `when`. Use from_date and to_date, such as 2026-12-31.")
        grammar = import_module(f"{ASSISTANT}.grammar")
        named: type[Named] = grammar.Named
        services = tuple(named(service.slug, (service.name,)) for service in bookable_services(offer))
        slots: tuple[Slot, ...] = ()
        zone = canonical_timezone(timezone)
        if slug:
            detail = visit.bookable_service(slug)
            zone = zone or business_timezone(detail.calendar.timezone)
            today = visit.now.date()
            window = bookable_days(detail.calendar.booking_window_days)
            slots = visit.catalog.slots(slug, Days(today, today + timedelta(days=7)), window_days=window).value
        understood: TimeQuery = grammar.parse(
            when,
            grammar.Offer(
                services=services,
                hosts=tuple(named(host.id, (host.name,)) for host in unique_hosts(slots) if host.name),
                teams=tuple(named(team.id, (team.name,)) for team in unique_teams(slots) if team.name),
                opening=_find_opening(slots, zone or "UTC"),
                window=None,
            ),
            language=visit.language,
            now=visit.now.astimezone(get_timezone(zone or "UTC")),
        )
        if not understood.understood:
            raise Refusal(
                f"These words can't be understood as {visit.language}. Name their language, or use from_date and "
                "to_date, such as 2026-12-31."
            )
        return understood

    def _build_query(
        self,
        visit: WidgetRequest,
        detail: ServiceDetail,
        text_query: TimeQuery | None,
        from_date: str,
        to_date: str,
        timezone: str,
        party: int | None,
        host: str,
    ) -> TimesQuery:
        """Return the question for the catalog. What the arguments say goes before the words. Raises Refusal."""
        given = {"from": from_date, "to": to_date, "tz": timezone}
        zone = business_timezone(detail.calendar.timezone)
        if text_query is not None and text_query.first is not None and not from_date:
            last = text_query.last or text_query.first + timedelta(days=MAX_DAYS - 1)
            given["from"] = text_query.first.isoformat()
            given["to"] = to_date or min(last, text_query.first + timedelta(days=MAX_DAYS - 1)).isoformat()
        elif text_query is not None and not from_date and not to_date:
            today = visit.now.astimezone(get_timezone(canonical_timezone(timezone) or zone or "UTC")).date()
            given["to"] = min(text_query.last or date.max, today + timedelta(days=MAX_DAYS - 1)).isoformat()
        size = party if party is not None else (text_query.party if text_query and text_query.party else 1)
        query = {name: text for name, text in given.items() if text} | {"party": str(size)}
        if chosen := host or (text_query.host if text_query and text_query.host else ""):
            query["host"] = self._find_host(visit, detail, chosen)
        if text_query and text_query.team:
            query["team"] = text_query.team
        try:
            return TimesQuery.parse(query, now=visit.now, business_zone=zone)
        except WrongQuery as wrong:
            names = {"from": "from_date", "to": "to_date", "tz": "timezone"}
            raise Refusal(" ".join(f"{names.get(name, name)}: {text}" for name, text in wrong.errors.items())) from None

    def _find_host(self, visit: WidgetRequest, detail: ServiceDetail, name: str) -> str:
        """Return the id of a host that is named by id or name. Raises Refusal."""
        today = visit.now.date()
        window = bookable_days(detail.calendar.booking_window_days)
        days = Days(today, today + timedelta(days=MAX_DAYS))
        hosts = unique_hosts(visit.catalog.slots(detail.service.slug, days, window_days=window).value)
        if any(host.id == name for host in hosts):
            return name
        found = [host.id for host in hosts if (host.name or "").casefold() == name.strip().casefold()]
        if len(found) == 1:
            return found[0]
        names = ", ".join(host.name for host in hosts if host.name)
        raise Refusal(f"host: there is no such host. {f'There are: {names}.' if names else 'Leave it out.'}")

    def _describe_times(
        self, visit: WidgetRequest, slug: str, query: TimesQuery, times: list[AvailableTime]
    ) -> list[dict[str, Any]]:
        links = BookLinks(visit, slug, query)
        described = links.describe_times(tuple(times))
        return [
            {
                "start": each["start"],
                "end": each["end"],
                "local_start": time.local_start.isoformat(),
                "hosts": [host["name"] or host["id"] for host in each["hosts"]],
                "free_seats": each["seats"]["free"],
                "book_url": each["book_url"],
            }
            for time, each in zip(times, described, strict=True)
        ]


def _list_slugs(services: tuple[Service, ...]) -> str:
    return ", ".join(each.slug for each in services[:MAX_SERVICES]) + (" …" if len(services) > MAX_SERVICES else "")


def _fits(moment: AvailableTime, text_query: TimeQuery) -> bool:
    start = moment.local_start.time()
    return (
        (text_query.after is None or start >= text_query.after)
        and (text_query.before is None or start < text_query.before)
        and moment.local_start.weekday() not in text_query.excluded_weekdays
    )


def _find_opening(slots: tuple[Slot, ...], zone: str) -> tuple[time, time] | None:
    """Return the first and the last time of day at which anything is offered; None where nothing is known."""
    if not slots:
        return None
    tz = get_timezone(zone)
    starts = [slot.start.astimezone(tz).time() for slot in slots]
    ends = [slot.end.astimezone(tz).time() for slot in slots]
    return min(starts), max(*starts, *ends)


def _describe_reading(text_query: TimeQuery) -> str:
    days = (
        f"{text_query.first or 'any day'} to {text_query.last}"
        if text_query.last != text_query.first
        else str(text_query.first or "any day")
    )
    after = f" after {text_query.after:%H:%M}" if text_query.after else ""
    return days + after + (f" before {text_query.before:%H:%M}" if text_query.before else "")


def _parse_moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is not None and 2000 <= moment.year < 2200:
            return moment.astimezone(UTC)
    except ValueError:
        pass
    raise Refusal(f"{name}: copy it from find_times, such as 2026-12-31T15:00:00Z.")


_REFUSED: Final = {
    "taken": "This time isn't free. Nothing was booked. Call find_times for those that are.",
    "refused": "The booking system didn't accept this booking. Nothing was booked. Ask the person to check details.",
    "reused": "This idempotency_key belongs to another booking, which was left alone. Use a new one for this booking.",
    "throttled": "Many bookings were made with this email address or phone number. Try again later.",
    "not_sent": "The booking system can't be reached right now. Call again with the same idempotency_key.",
}


def _describe_result(result: Result) -> dict[str, Any]:
    if result.state == "invalid":
        raise Refusal("Nothing was booked. " + " ".join(f"{place}: {text}" for place, text in result.errors))
    if result.state in _REFUSED:
        if result.after_unknown_outcome:
            raise Refusal("An earlier try may have booked this time. The person has to look the booking up.")
        raise Refusal(_REFUSED[result.state])
    booking = result.booking or {}
    details = {
        "placed": "Booked.",
        "pending": "Not known yet. Call again with the same idempotency_key after wait_seconds; book nothing else.",
        "unknown": "It may be booked, and can't be found out here. The person has to look the booking up.",
    }
    return {
        "state": "placed" if result.state == "placed" else "outcome_unknown",
        "detail": details.get(result.state, ""),
        "confirmation_number": booking.get("confirmation_number"),
        "status": booking.get("status"),
        "manage_url": booking.get("manage_url"),
        "wait_seconds": result.seconds,
    }
