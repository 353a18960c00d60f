"""Reads of free times for a page: what is fetched in parallel, and in which order months are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from kordless_booking.api.resources import CalendarSettings, ServiceDetail, Slot
from kordless_booking.booking import availability
from kordless_booking.booking.availability import MonthView
from kordless_booking.presentation.clocks import ShownClocks, place_clock, shown_clocks
from kordless_booking.presentation.timezones import business_timezone, get_timezone
from kordless_booking.upstream.window import USUAL_WINDOW_DAYS, bookable_days

if TYPE_CHECKING:
    from kordless_booking.booking.choices import Choices
    from kordless_booking.booking.terms import Terms
    from kordless_booking.upstream.entries import Cached
    from kordless_booking.views.request import WidgetRequest

MONTHS_AHEAD: Final = 3
"""Months that one page may look at beyond an empty one to find a free day. Each may cost a request to Kordless."""
MONTH_END: Final = timedelta(days=7)
"""When less than this is left of a month, it is likely to have no free day: the next month is fetched with it."""
FARTHEST_BEHIND: Final = timedelta(hours=12)
"""Offset of the westernmost time zone, which is behind UTC."""


SelectSlots = Callable[[tuple[Slot, ...]], tuple[Slot, ...]]


def all_slots(slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Return the slots as they are."""
    return slots


@dataclass(frozen=True)
class MonthRead:
    """A month as it was read."""

    view: MonthView
    cached: Cached[tuple[Slot, ...]]
    """The slots of the month shown."""
    clocks: ShownClocks
    """Clock of the times, and the other one."""


def start_fetching_month(visit: WidgetRequest, service: str) -> None:
    """Start fetching in parallel what `read_month` will read.

    One after the other, the fetches could exceed the page's deadline. Until the service is known, its zone and booking
    window are not, so some months are guessed.
    """
    requested = visit.choices.requested_month()
    zone = visit.choices.timezone
    months = [requested] if requested else _first_months(visit.now, zone)
    known = visit.catalog.preload(service, *months)
    if known:
        zone = read_clocks(visit, known).shown
    # Without either, it stays at the months that it may be anywhere on earth.
    if zone or requested:
        bounds = availability.months_in_window(visit.now, get_timezone(zone or "UTC"), _window(known))
        months = [availability.month_to_open(visit.choices, bounds)] if requested else _first_months(visit.now, zone)
    if known is None and is_service_skipped(visit, service):
        # Named, so that no fetch has to read the service's own window.
        visit.catalog.prefetch(service, *months, window_days=USUAL_WINDOW_DAYS, with_service=False)
    else:
        visit.catalog.prefetch(service, *months)


def start_fetching_time(visit: WidgetRequest, service: str, start: datetime) -> None:
    """Start fetching in parallel what `free_slot` will read."""
    visit.catalog.preload(service, start.date())
    visit.catalog.prefetch(service, start.date())


def _first_months(now: datetime, zone: str | None) -> list[date]:
    """Return the current month, and the next one if less than `MONTH_END` is left; without a zone, all it may be."""
    begin = now.astimezone(get_timezone(zone)) if zone else now - FARTHEST_BEHIND
    return sorted({moment.date().replace(day=1) for moment in (begin, begin + MONTH_END)})


def visitor_zone(visit: WidgetRequest, detail: ServiceDetail) -> str:
    """Return the IANA name of the chosen zone, else of the business's own, else "UTC"."""
    return visit.choices.timezone or business_timezone(detail.calendar.timezone) or "UTC"


def read_clocks(visit: WidgetRequest, detail: ServiceDetail) -> ShownClocks:
    """Return the clock of a service's page of times, and the other one. The visitor may have chosen one."""
    place = place_clock(detail.calendar.location, detail.calendar.timezone)
    return shown_clocks(visitor_zone(visit, detail), place, chosen=visit.choices.clock)


def choices_for_day(visit: WidgetRequest, terms: Terms) -> Choices:
    """Return the choices with which the page of times shows the day of these terms, by its own clock.

    Sends no request: by the visitor's clock where nothing is known of the service.
    """
    visit = visit.with_choices(visit.choices.replace(timezone=terms.timezone))
    detail = visit.catalog.cached_services([terms.service]).get(terms.service)
    return terms.choices_for_day(visit.choices, read_clocks(visit, detail).shown if detail else terms.timezone)


def is_service_skipped(visit: WidgetRequest, slug: str) -> bool:
    """Return True if the page of a service's times should be made without the service's own settings.

    Only while they aren't cached and permits are short: the call for them is one of two that such a page costs.
    """
    return visit.catalog.missing_service(slug) is not None and visit.access.permits_are_short


def find_listed_service(visit: WidgetRequest, slug: str) -> ServiceDetail | None:
    """Return a service as the list of services has it, with the time zone of its slots.

    The booking window is its own if it is cached (for an open page that goes on without the settings), else the usual
    one. None where no page can be made of that: no slot says the zone, and the visitor has chosen none; or the visitor
    looks beyond that window. Location, policy and the rest of the settings are left out. Raises KordlessError.
    """
    detail = visit.catalog.listed_service(slug)
    requested = visit.choices.requested_month()
    window = _window(visit.catalog.preload(slug))
    horizon = visit.now + timedelta(days=window)
    if requested and requested > horizon.date():
        return None
    zone = visit.choices.timezone
    if zone is None:
        zone = _zone_of_slots(visit, slug, [requested] if requested else _first_months(visit.now, None), window)
        if zone is None:
            return None
    calendar = CalendarSettings(booking_window_days=window, timezone=zone)
    return msgspec.structs.replace(detail, calendar=calendar)


def _zone_of_slots(visit: WidgetRequest, slug: str, months: list[date], window: int) -> str | None:
    """Return the time zone that all slots of the first month with some have; None if there is no single one."""
    for month in months:
        slots = visit.catalog.slots(slug, month, window_days=window).value
        if slots:
            zones = {slot.timezone for slot in slots}
            return business_timezone(zones.pop()) if len(zones) == 1 else None
    return None


def read_month(
    visit: WidgetRequest,
    detail: ServiceDetail,
    *,
    select: SelectSlots = all_slots,
    keep_provider: bool = False,
) -> MonthRead:
    """Read the month that the visitor looks at, and the ones after it while nothing is free. Raises KordlessError.

    `select` chooses from the slots of a month those that are offered. `keep_provider`: show no times of others when the
    host or team has no slot at all.
    """
    choices, window, clocks = visit.choices, _window(detail), read_clocks(visit, detail)
    zone = get_timezone(clocks.shown)
    bounds = availability.months_in_window(visit.now, zone, window)
    read: dict[date, Cached[tuple[Slot, ...]]] = {}

    def slots() -> Iterator[tuple[date, tuple[Slot, ...]]]:
        for month in _months_to_read(visit, detail, availability.month_to_open(choices, bounds), bounds[1]):
            read[month] = visit.catalog.slots(detail.service.slug, month, window_days=window)
            yield month, select(read[month].value)

    view = availability.month_view(
        slots(),
        choices,
        visit.now,
        zone=zone,
        bounds=bounds,
        keep_provider=keep_provider,
        seats=detail.calendar.max_parallel_bookings or 1,
    )
    return MonthRead(view, read[view.month], clocks)


def _months_to_read(visit: WidgetRequest, detail: ServiceDetail, first: date, last: date) -> Iterator[date]:
    """Yield `first` and, for a reader that found nothing free in it, at most `MONTHS_AHEAD` more, up to `last`."""
    yield first
    months = [first]
    while len(months) <= MONTHS_AHEAD:
        months.append((months[-1] + timedelta(days=32)).replace(day=1))
    months = [month for month in months[1:] if month <= last]
    slug, window = detail.service.slug, _window(detail)
    visit.catalog.preload(slug, *months, window_days=window)
    # `start_fetching_month` has fetched a month that begins soon. It is likely to have free days, so it is read before
    # any later one is fetched.
    soon = _first_months(visit.now, read_clocks(visit, detail).shown)
    # A host or team in a link may not do this service at all. One month more is enough to find out
    # (`PROVIDER_SEARCH_DAYS`).
    has_provider = visit.choices.host_id or visit.choices.team_id
    alone = months[:1] if has_provider and visit.choices.requested_month() is None else []
    while months:
        if months[0] not in soon:
            visit.catalog.prefetch(slug, *(alone if months[:1] == alone else months), window_days=window)
        yield months.pop(0)


def free_slot(
    visit: WidgetRequest,
    detail: ServiceDetail,
    start: datetime,
    end: datetime | None = None,
    *,
    select: SelectSlots = all_slots,
) -> availability.AvailableTime | None:
    """Return the time from `start` to `end`, or None when it isn't free for the visitor's host, team and party.

    Without an `end` it is the shortest time that starts then. `select` chooses from the slots, as for `read_month`.
    """
    zone = get_timezone(visitor_zone(visit, detail))
    slug, choices = detail.service.slug, visit.choices
    cached = visit.catalog.slots(slug, start.date().replace(day=1), window_days=_window(detail))
    slots = select(cached.value)
    # To the second only when nothing starts exactly then: links used to have no fraction.
    matching = [slot for slot in slots if slot.start == start] or [
        slot for slot in slots if slot.start.replace(microsecond=0) == start
    ]
    times = availability.free_times(
        [slot for slot in matching if end is None or slot.end == end],
        zone=zone,
        now=visit.now,
        host_id=choices.host_id,
        team_id=choices.team_id,
        party_size=choices.party_size,
    )
    return next((times[day][0] for day in times), None)


def _window(detail: ServiceDetail | None) -> int:
    return bookable_days(detail.calendar.booking_window_days) if detail else USUAL_WINDOW_DAYS
