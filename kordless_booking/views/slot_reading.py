"""Reads of free times for a page: what is fetched in parallel, and in which order pages of the calendar are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from kordless_booking.api.resources import CalendarSettings, ServiceDetail, Slot
from kordless_booking.booking import availability
from kordless_booking.booking.availability import PAGE, CalendarPage, CalendarPages
from kordless_booking.presentation.clocks import ShownClocks, place_clock, shown_clocks
from kordless_booking.presentation.formatting import first_weekday
from kordless_booking.presentation.timezones import business_timezone, get_timezone
from kordless_booking.upstream.window import DAY, USUAL_WINDOW_DAYS, Days, bookable_days

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from kordless_booking.booking.choices import Choices
    from kordless_booking.booking.requested_days import RequestedDays
    from kordless_booking.booking.terms import Terms
    from kordless_booking.upstream.entries import Cached
    from kordless_booking.views.request import WidgetRequest

PAGES_AHEAD: Final = 2
"""Pages of the calendar that one page may look at beyond an empty one to find a free day: fifteen weeks with it. Each
may cost a request to Kordless for one month, and the last for two."""
FARTHEST_BEHIND: Final = timedelta(hours=12)
"""Offset of the westernmost time zone, which is behind UTC."""
FARTHEST_AHEAD: Final = timedelta(hours=14)
"""Offset of the easternmost time zone."""


SelectSlots = Callable[[tuple[Slot, ...]], tuple[Slot, ...]]


def all_slots(slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Return the slots as they are."""
    return slots


class CalendarPageRead(msgspec.Struct, frozen=True):
    """A page of the calendar as it was read."""

    view: CalendarPage
    cached: Cached[tuple[Slot, ...]]
    """The slots of the page shown."""
    clocks: ShownClocks
    """Clock of the times, and the other one."""


def start_fetching_calendar_page(visit: WidgetRequest, service: str) -> None:
    """Start fetching in parallel what `read_calendar_page` will read.

    One after the other, the fetches could exceed the page's deadline. Until the service is known, its zone and booking
    window are not, so the page is guessed.
    """
    guess = visit.catalog.local_service(service)
    days = _first_days(visit, guess)
    known = visit.catalog.preload(service, *days)
    if known is not None and known is not guess:
        days = _first_days(visit, known)
    if known is None and is_service_skipped(visit, service):
        # Named, so that no fetch has to read the service's own window.
        visit.catalog.prefetch(service, *days, window_days=USUAL_WINDOW_DAYS, with_service=False)
    else:
        visit.catalog.prefetch(service, *days)


def start_fetching_time(visit: WidgetRequest, service: str, start: datetime) -> None:
    """Start fetching in parallel what `free_slot` will read."""
    days = Days(start.date(), start.date())
    visit.catalog.preload(service, days)
    visit.catalog.prefetch(service, days)


def _first_days(visit: WidgetRequest, detail: ServiceDetail | None) -> list[Days]:
    """Return the days of the page that is read first; without a zone, those of all that it may be anywhere on earth."""
    zone = read_clocks(visit, detail).shown if detail else visit.choices.timezone
    if zone:
        return [page_days(_calendar(visit.now, get_timezone(zone), detail, visit.language).to_open(visit.choices))]
    moments = [visit.now - FARTHEST_BEHIND, visit.now + FARTHEST_AHEAD]
    found = [_calendar(now, get_timezone("UTC"), detail, visit.language).to_open(visit.choices) for now in moments]
    return [page_days(page) for page in sorted(set(found))]


def _calendar(now: datetime, zone: ZoneInfo, detail: ServiceDetail | None, language: str) -> CalendarPages:
    return availability.calendar_pages(now, zone, _window(detail), first_weekday(language))


def page_days(page: date) -> Days:
    """Return the days of a page of the calendar, which is given by its first day."""
    return Days(page, page + PAGE - DAY)


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
    requested = visit.choices.requested_date()
    window = _window(visit.catalog.preload(slug))
    horizon = visit.now + timedelta(days=window)
    if requested and requested > horizon.date():
        return None
    zone = visit.choices.timezone
    if zone is None:
        zone = _zone_of_slots(visit, slug, _first_days(visit, None), window)
        if zone is None:
            return None
    calendar = CalendarSettings(booking_window_days=window, timezone=zone)
    return msgspec.structs.replace(detail, calendar=calendar)


def _zone_of_slots(visit: WidgetRequest, slug: str, pages: list[Days], window: int) -> str | None:
    """Return the time zone that all slots of the first page with some have; None if there is no single one."""
    for days in pages:
        slots = visit.catalog.slots(slug, days, window_days=window).value
        if slots:
            zones = {slot.timezone for slot in slots}
            return business_timezone(zones.pop()) if len(zones) == 1 else None
    return None


def read_calendar_page(
    visit: WidgetRequest,
    detail: ServiceDetail,
    *,
    select: SelectSlots = all_slots,
    keep_provider: bool = False,
    near: datetime | None = None,
    requested: RequestedDays | None = None,
) -> CalendarPageRead:
    """Read the page of the calendar that the visitor looks at, and the ones after it while nothing is free.

    `select` chooses from the slots of a page those that are offered. `keep_provider`: show no times of others when the
    host or team has no slot at all. `near` is the start of a time that the visitor has lost, and `requested` what a
    link asks for. Raises KordlessError.
    """
    choices, window, clocks = visit.choices, _window(detail), read_clocks(visit, detail)
    zone = get_timezone(clocks.shown)
    pages = _calendar(visit.now, zone, detail, visit.language)
    read: dict[date, Cached[tuple[Slot, ...]]] = {}

    def slots() -> Iterator[tuple[date, tuple[Slot, ...]]]:
        for page in _pages_to_read(visit, detail, pages):
            read[page] = visit.catalog.slots(detail.service.slug, page_days(page), window_days=window)
            yield page, select(read[page].value)

    view = availability.calendar_page(
        slots(),
        choices,
        visit.now,
        zone=zone,
        pages=pages,
        keep_provider=keep_provider,
        seats=detail.calendar.max_parallel_bookings or 1,
        near=near,
        date_range=requested.date_range(choices, pages.today, pages.last) if requested else None,
        excluded_weekdays=requested.excluded_weekdays if requested else frozenset(),
    )
    return CalendarPageRead(view, read[view.start], clocks)


def _pages_to_read(visit: WidgetRequest, detail: ServiceDetail, pages: CalendarPages) -> Iterator[date]:
    """Yield the page to open and, for a caller that found nothing free on it, at most `PAGES_AHEAD` more."""
    page = pages.to_open(visit.choices)
    yield page
    later: list[date] = []
    while len(later) < PAGES_AHEAD and (following := pages.after(later[-1] if later else page)):
        later.append(following)
    slug, window = detail.service.slug, _window(detail)
    visit.catalog.preload(slug, *map(page_days, later), window_days=window)
    while later:
        visit.catalog.prefetch(slug, *map(page_days, later), window_days=window)
        yield later.pop(0)


def free_slot(
    visit: WidgetRequest,
    detail: ServiceDetail,
    start: datetime,
    end: datetime | None = None,
    *,
    select: SelectSlots = all_slots,
) -> availability.AvailableTime | None:
    """Return the time from `start` to `end`, or None when it isn't free for the visitor's host, team and party.

    Without an `end` it is the shortest time that starts then. `select` chooses from the slots, as for
    `read_calendar_page`.
    """
    zone = get_timezone(visitor_zone(visit, detail))
    slug, choices = detail.service.slug, visit.choices
    cached = visit.catalog.slots(slug, Days(start.date(), start.date()), window_days=_window(detail))
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
