"""Context of steps/slot.html: a month, the times of one of its days, and the controls that change them.

Booking and rescheduling share this page. They differ in where its links lead, which `SlotLinks` says. All texts are
built here, so that the template only inserts strings, and can be made into a skeleton.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import blake2b
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kordless_booking.api.resources import Host, ServiceDetail, Slot
from kordless_booking.booking import availability
from kordless_booking.booking.choices import Choices
from kordless_booking.limits import MAX_PARTY_SIZE
from kordless_booking.presentation import formatting, timezones
from kordless_booking.presentation.texts import venue_timezone
from kordless_booking.upstream.window import bookable_days
from kordless_booking.views.cells import (
    ANY_DAY,
    DAY,
    TIME,
    clocks_differ,
    format_start,
    month_rows,
    read_start,
    time_items,
)
from kordless_booking.views.words import format_timezone

if TYPE_CHECKING:
    from kordless_booking.upstream.entries import Cached
    from kordless_booking.views.page import Page
    from kordless_booking.views.request import WidgetRequest

MONTHS_AHEAD: Final = 3
"""Months that one page may look at beyond an empty one to find a free day. Each may cost a request to Kordless."""
MAX_TIMES_SHOWN: Final = 80
"""Times of a day in one response. Together with the days of the month, these are about 120 links and 60 kB."""
AGE_NOTICE_SECONDS: Final = 120
"""Age of the free times, in seconds, from which the page says when they were checked."""
MONTH_END: Final = timedelta(days=7)
"""When less than this is left of a month, it is likely to have no free day: the next month is fetched with it."""
FARTHEST_BEHIND: Final = timedelta(hours=12)
"""Offset of the westernmost time zone, which is behind UTC."""
VARYING: Final = frozenset(
    {"change_url", "home_url", "iso", "label", "name", "now", "self_url", "title", "url", "version"}
)
"""Names of the context's texts that differ between visitors. They become placeholders of the skeleton."""
# Free openings by local day.
Openings = dict[date, list[availability.Opening]]


@dataclass(frozen=True)
class SlotLinks:
    """URLs of the slot page's links."""

    here: Callable[[Choices], str]
    """Return the URL of this page with other choices."""
    form: str
    """Action of the form that changes the party size."""
    hidden: Callable[[Choices], list[tuple[str, str]]]
    """Return the hidden fields of that form."""
    time: str
    """URL of a time, up to "start=". The start is appended."""
    zone: str
    """URL of the page that changes the time zone."""


class Weekday(NamedTuple):
    """Heading of a column of the month."""

    short: str
    full: str


@dataclass(frozen=True)
class _Month:
    """One month of free times."""

    first: date
    """First day of the month."""
    kept: Cached[tuple[Slot, ...]]
    """All slots of the month, as cached."""
    free: Openings
    """Free openings for the visitor's host and party, by day in the visitor's zone."""


def start_fetching_month(visit: WidgetRequest, service: str) -> None:
    """Start fetching in parallel what `slot_context` will read.

    One after the other, the fetches could exceed the page's deadline. Until the service is known, its zone and booking
    window are not, so some months are guessed.
    """
    asked = visit.choices.month or visit.choices.day
    zone = visit.choices.tz
    months = [asked] if asked else _first_months(visit.now, zone)
    known = visit.catalog.preload(service, *months, party_size=visit.choices.party_size)
    if known:
        zone = visitor_zone(visit, known)
    # Without either, it stays at the months that it may be anywhere on earth.
    if zone or asked:
        first, last = availability.months_in_window(visit.now, timezones.get_timezone(zone or "UTC"), _window(known))
        months = [min(max(asked.replace(day=1), first), last)] if asked else _first_months(visit.now, zone)
    visit.catalog.prefetch(service, *months, party_size=visit.choices.party_size)


def start_fetching_time(visit: WidgetRequest, service: str, start: datetime) -> None:
    """Start fetching in parallel what `free_slot` will read."""
    visit.catalog.preload(service, start.date(), party_size=visit.choices.party_size)
    visit.catalog.prefetch(service, start.date(), party_size=visit.choices.party_size)


def _first_months(now: datetime, zone: str | None) -> list[date]:
    """Return the current month, and the next one when less than `SOON` is left. Without a zone, all that it may be."""
    begin = now.astimezone(timezones.get_timezone(zone)) if zone else now - FARTHEST_BEHIND
    return sorted({moment.date().replace(day=1) for moment in (begin, begin + MONTH_END)})


def visitor_zone(visit: WidgetRequest, detail: ServiceDetail) -> str:
    """Return the IANA name of the chosen zone, else of the business's own, else "UTC"."""
    return visit.choices.tz or timezones.canonical_timezone(detail.calendar.timezone) or "UTC"


def _site(detail: ServiceDetail) -> ZoneInfo | None:
    """Return the zone of the venue, or None when the visitor doesn't come to one."""
    name = venue_timezone(detail.calendar.location, detail.calendar.timezone)
    return timezones.get_timezone(name) if name else None


def _site_clock(visit: WidgetRequest, site: ZoneInfo | None) -> dict[str, str] | None:
    if site is None:
        return None
    clock = formatting.clock_time(visit.now.astimezone(site), visit.language, visit.choices.hours)
    return {"label": format_timezone(visit, site.key), "now": clock}


def free_slot(visit: WidgetRequest, detail: ServiceDetail, start: datetime) -> availability.AvailableTime | None:
    """Return the time that starts at `start`, or None when it isn't free for the visitor's host and party."""
    zone = timezones.get_timezone(visitor_zone(visit, detail))
    slug, choices = detail.service.slug, visit.choices
    kept = visit.catalog.slots(slug, start.date().replace(day=1), choices.party_size, window_days=_window(detail))
    exact = [slot for slot in kept.value if slot.start == start]
    times = availability.free_times(
        exact, zone=zone, now=visit.now, host_id=choices.host, party_size=choices.party_size
    )
    return next((times[day][0] for day in times), None)


def slot_context(visit: WidgetRequest, detail: ServiceDetail, links: SlotLinks, page: Page) -> dict[str, Any]:
    """Return the context of steps/slot.html, without `kb`.

    `page` is for parts that the site has overridden: their templates get it as `kb`. Raises KordlessError.
    """
    zone_name = visitor_zone(visit, detail)
    zone = timezones.get_timezone(zone_name)
    first, last = availability.months_in_window(visit.now, zone, _window(detail))
    asked = visit.choices.month or (visit.choices.day.replace(day=1) if visit.choices.day else None)
    month = _month(visit, detail, min(max(asked or first, first), last))
    later = None
    # Without a chosen month, the page goes on to the next one with a free day. A chosen one is shown even when it is
    # empty, with a link to that day.
    if not month.free:
        later = _first_free(visit, detail, month.first, last)
        if later and asked is None:
            month, later = later, None
    chosen = visit.choices.day if visit.choices.day in month.free else next(iter(month.free), None)
    base = visit.choices.replace(month=None, day=None)
    times = availability.localize(month.free[chosen], zone) if chosen else ()
    site = _site(detail)
    # First and last time as well: daylight saving may begin or end in one of the two zones before that day.
    if not any(clocks_differ(at, zone, site) for at in (visit.now, *(time.start for time in times[:1] + times[-1:]))):
        site = None
    return {
        "hosts": _hosts(visit, month, links),
        "party": _party(visit, month, links),
        "month": _month_view(visit, month, chosen, (first, last), zone, links, page),
        "day": _day_view(visit, times, chosen, site, links, page) if chosen else None,
        "empty": _empty_view(visit, month, later, links),
        "zone": {
            "name": zone_name,
            "label": format_timezone(visit, zone_name),
            "now": formatting.clock_time(visit.now.astimezone(zone), visit.language, visit.choices.hours),
            "change_url": links.zone,
            "site": _site_clock(visit, site),
        },
        "hours": _hours(visit, links, base.replace(month=month.first, day=chosen)),
        "notice": age_notice(visit, month.kept, old=AGE_NOTICE_SECONDS),
        "watch": _watch(visit, month, chosen, times, links),
    }


def _watch(
    visit: WidgetRequest,
    month: _Month,
    chosen: date | None,
    times: Sequence[availability.AvailableTime],
    links: SlotLinks,
) -> dict[str, str]:
    """Return the URL that an open page polls, and a version to compare: a hash of what is free, and not of texts."""
    here = links.here(visit.choices.replace(month=month.first, day=chosen))
    after = read_start(visit.request.GET.get("after", ""))
    free = [
        f"{month.first}",
        *map(str, month.free),
        f"{chosen}",
        *(f"{format_start(time.start)}-{time.free}" for time in times),
    ]
    return {
        "url": f"{here}&after={format_start(after)}" if after else here,
        "version": blake2b(" ".join(free).encode(), digest_size=8).hexdigest(),
    }


def _window(detail: ServiceDetail | None) -> int:
    return bookable_days(detail.calendar.booking_window_days if detail else None)


def _month(visit: WidgetRequest, detail: ServiceDetail, first: date) -> _Month:
    choices = visit.choices
    kept = visit.catalog.slots(detail.service.slug, first, choices.party_size, window_days=_window(detail))
    zone = timezones.get_timezone(visitor_zone(visit, detail))
    free = availability.free_openings(
        kept.value, zone=zone, now=visit.now, host_id=choices.host, party_size=choices.party_size
    )
    here = (first.year, first.month)
    # The catalog returns a day more on both sides, so that no zone's month is cut. Days of other months are dropped.
    return _Month(first, kept, {day: found for day, found in free.items() if (day.year, day.month) == here})


def _first_free(visit: WidgetRequest, detail: ServiceDetail, first: date, last: date) -> _Month | None:
    """Return the next month with a free day, among the `MONTHS_AHEAD` after `first`; else None."""
    ahead = [first]
    while len(ahead) <= MONTHS_AHEAD:
        ahead.append((ahead[-1] + timedelta(days=32)).replace(day=1))
    months = [month for month in ahead[1:] if month <= last]
    slug, party = detail.service.slug, visit.choices.party_size
    visit.catalog.preload(slug, *months, party_size=party)
    # `begin_month` has fetched a month that begins soon. It is likely to have free days, so it is read before any later
    # one is fetched.
    soon = _first_months(visit.now, visitor_zone(visit, detail))
    while months:
        if months[0] not in soon:
            visit.catalog.prefetch(slug, *months, party_size=party, window_days=_window(detail))
        found = _month(visit, detail, months.pop(0))
        if found.free:
            return found
    return None


def _month_view(
    visit: WidgetRequest,
    month: _Month,
    chosen: date | None,
    ends: tuple[date, date],
    zone: ZoneInfo,
    links: SlotLinks,
    page: Page,
) -> dict[str, Any]:
    language, first = visit.language, month.first
    names, monday = formatting.weekday_names(language), formatting.first_weekday(language)
    today = visit.now.astimezone(zone).date()
    base = visit.choices.replace(month=None)
    before, after = (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=32)).replace(day=1)

    def step(to: date, label: str) -> dict[str, str] | None:
        if not ends[0] <= to <= ends[1]:
            return None
        return {"url": links.here(base.replace(month=to, day=None)), "label": label}

    return {
        "title": formatting.month_title(first, language),
        "previous": step(before, _("Previous month")),
        "next": step(after, _("Next month")),
        "weekdays": [Weekday(*name) for name in names[monday:] + names[:monday]],
        "rows": month_rows(
            first,
            part=visit.part(DAY, page),
            free={day: len(found) for day, found in month.free.items()},
            chosen=chosen,
            today=today,
            url=links.here(base.replace(day=ANY_DAY)),
            language=language,
            stage=visit.target_id,
        ),
    }


def _day_view(
    visit: WidgetRequest,
    times: tuple[availability.AvailableTime, ...],
    day: date,
    site: ZoneInfo | None,
    links: SlotLinks,
    page: Page,
) -> dict[str, Any]:
    """Return the context of a day: at most `MOST_TIMES` times, and links to the earlier and later ones."""
    language, hours = visit.language, visit.choices.hours
    here = links.here(visit.choices.replace(month=None, day=day))
    after = read_start(visit.request.GET.get("after", ""))
    first = next((index for index, time in enumerate(times) if after and time.start > after), 0)
    shown, more = times[first : first + MAX_TIMES_SHOWN], len(times) > first + MAX_TIMES_SHOWN
    part = visit.part(TIME, page)
    return {
        "title": formatting.day_title(day, language),
        "iso": day.isoformat(),
        "two_clocks": site is not None,
        "parts": [
            {
                "title": stretch.label,
                "times": time_items(some, part=part, url=links.time, language=language, hours=hours, site=site),
            }
            for stretch, some in availability.parts_of_day(shown)
        ],
        "earlier": {"url": here, "label": _("Earlier times")} if first else None,
        "later": {"url": f"{here}&after={format_start(shown[-1].start)}", "label": _("Later times")} if more else None,
    }


def _empty_view(visit: WidgetRequest, month: _Month, later: _Month | None, links: SlotLinks) -> dict[str, Any] | None:
    if month.free:
        return None
    if later is None:
        return {
            "text": _("There are no free times at the moment. Please look again later."),
            "url": None,
            "label": "",
        }
    day = next(iter(later.free))
    return {
        "text": _("There are no free times in this month."),
        "url": links.here(visit.choices.replace(month=None, day=day)),
        "label": _("Next free day: %(date)s") % {"date": formatting.day_title(day, visit.language)},
    }


def _hosts(visit: WidgetRequest, month: _Month, links: SlotLinks) -> list[dict[str, Any]]:
    """Return "Anyone" and all hosts with a slot in this month; [] when there is no choice."""
    chosen = visit.choices.host
    known = list(availability.unique_hosts(month.kept.value))
    # A chosen host without a slot in this month has no known name, and isn't listed. "Anyone" is, as the way back.
    if chosen and chosen not in {host.id for host in known}:
        known.append(Host(id=chosen))
    named = [host for host in known if host.name]
    if len(named) < 2 and not chosen:
        return []
    base = visit.choices.replace(month=month.first)
    everybody = {"name": _("Anyone"), "url": links.here(base.replace(host=None)), "current": chosen is None}
    return [
        everybody,
        *(
            {"name": host.name, "url": links.here(base.replace(host=host.id)), "current": host.id == chosen}
            for host in named
        ),
    ]


def _party(visit: WidgetRequest, month: _Month, links: SlotLinks) -> dict[str, Any] | None:
    """Return the context of the party size's form; None when every time has one seat."""
    most = min(availability.max_party_size(month.kept.value), MAX_PARTY_SIZE)
    if most < 2 and visit.choices.party_size == 1:
        return None
    base = visit.choices.replace(month=month.first, party_size=1)
    return {
        "url": links.form,
        "hidden": links.hidden(base),
        "value": visit.choices.party_size,
        "choices": list(range(1, max(most, visit.choices.party_size) + 1)),
        "label": _("Number of people"),
    }


def _hours(visit: WidgetRequest, links: SlotLinks, here: Choices) -> dict[str, str]:
    """Return the link to the other hour format."""
    now = visit.choices.hours or formatting.default_hours(visit.language)
    if now == "12":
        return {"url": links.here(here.replace(hours="24")), "label": _("24-hour clock")}
    return {"url": links.here(here.replace(hours="12")), "label": _("12-hour clock")}


def age_notice(visit: WidgetRequest, kept: Cached[Any], *, old: float = inf) -> str:
    """Return a notice when the data is degraded (Kordless can't be asked) or at least `old` seconds old; else ""."""
    age = int(visit.now.timestamp() - kept.fetched_at)
    if not kept.degraded and age < old:
        return ""
    minutes = max(1, age // 60)
    text = ngettext(
        "Checked %(minutes)s minute ago. Times may have changed; we check again when you book.",
        "Checked %(minutes)s minutes ago. Times may have changed; we check again when you book.",
        minutes,
    )
    return text % {"minutes": minutes}
