"""Next free times in words: on the list of services, and for pages of the site around the widget.

Both are made of what is cached. Days are said as people do ("tomorrow"), by the clock of the service's own page of
times: the business's where the customer travels there, else the visitor's, as far as it is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from django.urls import NoReverseMatch
from django.utils.translation import gettext as _

from kordless_booking.booking.availability import AvailableTime, free_openings, localize
from kordless_booking.presentation import formatting
from kordless_booking.presentation.clocks import clock_city, clock_text
from kordless_booking.presentation.timezones import business_timezone, get_timezone, offset_text
from kordless_booking.views.cells import format_start
from kordless_booking.views.slot_reading import read_clocks

if TYPE_CHECKING:
    from kordless_booking.api.resources import ServiceDetail, Slot
    from kordless_booking.views.request import WidgetRequest

MAX_NEXT_TIMES: Final = 12
"""Times that a page of the site can show: more are what the calendar is for."""
WAIT_SECONDS: Final = 0.5
"""Seconds for which a page of the site waits for Kordless: as long as nobody takes it for a slow page."""


@dataclass(frozen=True)
class NextFreeTexts:
    """Next free times of a list of services."""

    by_service: dict[str, str] = field(default_factory=dict)
    """Text for each service of which one is known, by slug."""
    clock: str = ""
    """Sentence that says by which clock the times are; "" where they are by the visitor's own."""


def next_free_texts(visit: WidgetRequest, slugs: Sequence[str], details: Mapping[str, ServiceDetail]) -> NextFreeTexts:
    """Return the next free time of each of these services, as far as it is cached. Sends no request.

    `details` are their settings, as far as they are cached. Nothing without the setting NEXT_FREE.
    """
    if not visit.account.next_free:
        return NextFreeTexts()
    # As old as what is still believed when Kordless fails. Whoever follows a link gets fresh times.
    max_age = visit.account.slots_stale_if_error_seconds
    found: dict[str, tuple[AvailableTime, str]] = {}
    for slug, slots in visit.catalog.cached_near_slots(slugs, max_age_seconds=max_age).items():
        zone = _shown_zone(visit, details.get(slug), slots)
        if zone and (times := _next_times(visit, slots, zone, 1)):
            found[slug] = times[0], zone
    zones = {zone for _time, zone in found.values()}
    texts: dict[str, str] = {}
    for slug, (time, zone) in found.items():
        when = _when(visit, time)
        # One sentence below the list says it for all, where one is true for all.
        if len(zones) > 1 and not time.ambiguous:
            when = formatting.time_in_zone(when, clock_city(zone, visit.language, time.start))
        texts[slug] = _next_text(visit, time) % {"time": when}
    clock = _clock(visit, *zones, moment=next(iter(found.values()))[0].start) if len(zones) == 1 else ""
    return NextFreeTexts(texts, clock)


def next_free_links(visit: WidgetRequest, slug: str, count: int) -> dict[str, Any] | None:
    """Return the context of parts/next_free.html, with `count` times at most; None where no free time is known.

    Where nothing is cached, one request is sent and waited for, `WAIT_SECONDS` at most.
    """
    slots = visit.catalog.near_slots_soon(
        slug, wait_seconds=WAIT_SECONDS, max_age_seconds=visit.account.slots_stale_if_error_seconds
    )
    zone = _shown_zone(visit, visit.catalog.cached_services([slug]).get(slug), slots)
    times = _next_times(visit, slots, zone, count) if zone else []
    with suppress(NoReverseMatch):
        links = [
            {
                "label": _day_text(visit, time) % {"time": _when(visit, time)},
                "url": visit.links.service_url("contact", slug, visit.choices, start=format_start(time.start)),
            }
            for time in times
        ]
        return {"times": links, "clock": _clock(visit, zone, moment=times[0].start)} if zone and times else None
    return None


def _shown_zone(visit: WidgetRequest, detail: ServiceDetail | None, slots: Sequence[Slot]) -> str | None:
    """Return the zone in which the service's page shows its times; None where nothing says it."""
    if detail is not None:
        return read_clocks(visit, detail).shown
    zones = {slot.timezone for slot in slots}
    return visit.choices.timezone or (business_timezone(zones.pop()) if len(zones) == 1 else None)


def _next_times(visit: WidgetRequest, slots: tuple[Slot, ...], zone: str, count: int) -> list[AvailableTime]:
    """Return the first free times for the chosen host, team and party, one of each start."""
    choices, tz = visit.choices, get_timezone(zone)
    by_day = free_openings(
        slots,
        zone=tz,
        now=visit.now,
        host_id=choices.host_id,
        team_id=choices.team_id,
        party_size=choices.party_size,
    )
    starts: dict[datetime, AvailableTime] = {}
    for openings in by_day.values():
        if len(starts) >= count:
            break
        for time in localize(openings, tz):
            starts.setdefault(time.start, time)
    return list(islice(starts.values(), count))


def _when(visit: WidgetRequest, time: AvailableTime) -> str:
    """Return the time of day on days that are said as people do, else date and time."""
    start = time.local_start
    is_near = _days_until(visit, start) <= 1
    form = formatting.clock_time if is_near else formatting.short_date_and_time
    text = form(start, visit.language, visit.choices.hours)
    return formatting.time_in_zone(text, offset_text(start, visit.language)) if time.ambiguous else text


def _days_until(visit: WidgetRequest, start: datetime) -> int:
    return (start.date() - visit.now.astimezone(start.tzinfo).date()) // timedelta(days=1)


def _next_text(visit: WidgetRequest, time: AvailableTime) -> str:
    match _days_until(visit, time.local_start):
        case 0:
            # Translators: the next free time of a service, in a list of services; time is such as "9:30 AM".
            return _("Next: today, %(time)s")
        case 1:
            # Translators: the next free time of a service, in a list of services; time is such as "9:30 AM".
            return _("Next: tomorrow, %(time)s")
    # Translators: the next free time of a service, in a list of services; time is such as "Tue, Dec 1, 9:30 AM".
    return _("Next: %(time)s")


def _day_text(visit: WidgetRequest, time: AvailableTime) -> str:
    match _days_until(visit, time.local_start):
        case 0:
            # Translators: a free time that can be booked; time is such as "9:30 AM".
            return _("Today, %(time)s")
        case 1:
            # Translators: a free time that can be booked; time is such as "9:30 AM".
            return _("Tomorrow, %(time)s")
    return "%(time)s"


def _clock(visit: WidgetRequest, zone: str, *, moment: datetime) -> str:
    """Return the sentence that says by which clock times are; "" for that of the visitor, where it is known."""
    if zone == visit.choices.timezone:
        return ""
    return clock_text(clock_city(zone, visit.language, moment), visit.language)
