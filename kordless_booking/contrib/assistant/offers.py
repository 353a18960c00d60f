"""Offer against which words are read: what can be named and booked on the page where somebody says when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from kordless_booking.booking.availability import calendar_pages, unique_hosts, unique_teams
from kordless_booking.contrib.assistant.grammar import Named, Offer
from kordless_booking.exceptions import KordlessError
from kordless_booking.presentation.formatting import first_weekday
from kordless_booking.presentation.timezones import business_timezone, get_timezone
from kordless_booking.upstream.window import USUAL_WINDOW_DAYS, Days, bookable_days
from kordless_booking.views.slot_reading import page_days, read_clocks
from kordless_booking.views.steps import bookable_services

if TYPE_CHECKING:
    from kordless_booking.api.resources import Host, ServiceDetail, Slot, Team
    from kordless_booking.views.request import WidgetRequest

MAX_SERVICES_READ: Final = 12
"""Services whose cached times name the hosts for words on the list of services."""


USUAL_OPENING: Final = (time(7), time(21))
"""Hours of a business whose times aren't cached: "at 3" is in the afternoon nearly everywhere."""


@dataclass(frozen=True)
class Situation:
    """Page on which somebody says when."""

    service: str
    """Slug; "" on the list of services."""
    offer: Offer
    now: datetime
    """In the zone of the times that the page shows: days and hours are meant by it."""


def find_service(visit: WidgetRequest, slug: str) -> str:
    """Return the slug if it is that of a service that can be booked, the only service's without one, else ""."""
    services = [service.slug for service in bookable_services(visit.catalog.organization().value)]
    if slug in services:
        return slug
    return services[0] if len(services) == 1 else ""


def read_situation(visit: WidgetRequest, service: str) -> Situation:
    """Read the offer from what is cached: the page has just been made of it. Raises KordlessError without a list."""
    services = bookable_services(visit.catalog.organization().value)
    slugs = [service] if service else [each.slug for each in services[:MAX_SERVICES_READ]]
    details = visit.catalog.cached_services(slugs)
    detail = details.get(service)
    if service and detail is None:
        detail = visit.bookable_service(service)
    zone = get_timezone(_zone_name(visit, detail, details.values()))
    now = visit.now.astimezone(zone)
    slots = _read_slots(visit, service, detail, slugs)
    window_days = bookable_days(detail.calendar.booking_window_days) if detail else USUAL_WINDOW_DAYS
    starts = [slot.start.astimezone(zone).time() for slot in slots]
    return Situation(
        service,
        Offer(
            services=tuple(Named(each.slug, (each.name,)) for each in services if each.name),
            hosts=_name_all(unique_hosts(slots)),
            teams=_name_all(unique_teams(slots)),
            opening=(min(starts), max(starts)) if starts else USUAL_OPENING,
            window=(now.date(), now.date() + timedelta(days=window_days)),
        ),
        now,
    )


def _zone_name(visit: WidgetRequest, detail: ServiceDetail | None, others: Iterable[ServiceDetail]) -> str:
    if detail:
        return read_clocks(visit, detail).shown
    business = (business_timezone(each.calendar.timezone) for each in others)
    return visit.choices.timezone or next(filter(None, business), None) or "UTC"


def _read_slots(visit: WidgetRequest, service: str, detail: ServiceDetail | None, slugs: list[str]) -> tuple[Slot, ...]:
    if service and detail:
        days: Days = page_days(_first_page(visit, detail))
        try:
            # The page that follows needs them too.
            return visit.catalog.slots(
                service, days, window_days=bookable_days(detail.calendar.booking_window_days)
            ).value
        except KordlessError:
            # Hosts have no names then. The page that follows says what is wrong.
            return ()
    found = visit.catalog.cached_near_slots(slugs, max_age_seconds=visit.account.slots_last_known_seconds)
    return tuple(slot for slots in found.values() for slot in slots)


def _first_page(visit: WidgetRequest, detail: ServiceDetail) -> date:
    zone = get_timezone(read_clocks(visit, detail).shown)
    window = bookable_days(detail.calendar.booking_window_days)
    return calendar_pages(visit.now, zone, window, first_weekday(visit.language)).first


def _name_all(providers: Iterable[Host | Team]) -> tuple[Named, ...]:
    return tuple(Named(each.id, (each.name,)) for each in providers if each.name)
