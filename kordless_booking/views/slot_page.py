"""Context of steps/slot.html: a month, the times of one of its days, and the controls that change them.

Everything is made from a `MonthView`. Booking and rescheduling share this page. They differ in where its links lead,
which `SlotLinks` says. All texts are built here, so that the template only inserts strings, and can be made into a
skeleton.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from kordless_booking.booking.availability import EmptyReason, MonthView, PartOfDay, parts_of_day
from kordless_booking.booking.choices import Choices
from kordless_booking.presentation import formatting
from kordless_booking.views.cells import (
    ANY_DAY,
    DAY,
    TIME,
    format_start,
    month_rows,
    parse_start,
    time_items,
)
from kordless_booking.views.display import format_timezone
from kordless_booking.views.request import FORM_INPUT_FIELD

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from kordless_booking.upstream.entries import Cached
    from kordless_booking.views.page import Page
    from kordless_booking.views.rendering import PageRenderer
    from kordless_booking.views.request import WidgetRequest

MAX_TIMES_SHOWN: Final = 80
"""Times of a day in one response. Together with the days of the month, these are about 120 links and 60 kB."""
AGE_NOTICE_SECONDS: Final = 120
"""Age of the free times, in seconds, from which the page says when they were checked."""


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


def slot_context(
    visit: WidgetRequest, view: MonthView, links: SlotLinks, renderer: PageRenderer, *, notice: str = ""
) -> dict[str, Any]:
    """Return the context of steps/slot.html, without `kb`.

    `renderer` is the one that renders the page: it notes which templates the parts come from.
    """
    return {
        "hosts": _hosts(view, links),
        "party": _party(view, links, renderer.page),
        "month": _month(visit, view, links, renderer),
        "day": _day(visit, view, view.day, links, renderer) if view.day else None,
        "empty": _empty(visit, view, links),
        "zone": {
            "name": view.zone.key,
            **_clock(visit, view.zone),
            "change_url": links.zone,
            "site": _clock(visit, view.venue_zone) if view.venue_zone else None,
        },
        "hours": _hours(visit, view, links),
        "notice": notice,
        "watch": _watch(visit, view, links),
    }


def _hosts(view: MonthView, links: SlotLinks) -> list[dict[str, Any]]:
    """Return "Anyone" and the hosts to choose from; [] when there is no choice."""
    chosen = view.choices.host_id
    # A chosen host may have no slot in this month, and isn't listed then. "Anyone" is, as the way back.
    if not view.hosts and not chosen:
        return []
    base = view.choices.replace(month=view.month)
    options = [(None, _("Anyone")), *((host.id, host.name) for host in view.hosts)]
    return [
        {"name": name, "url": links.here(base.replace(host_id=host)), "current": host == chosen}
        for host, name in options
    ]


def _party(view: MonthView, links: SlotLinks, page: Page) -> dict[str, Any] | None:
    """Return the context of the party size's form; None when there is no choice."""
    if not view.party_sizes:
        return None
    choices = view.choices.replace(month=view.month, party_size=1)
    return {
        # A form sent by GET replaces the query of its action with its fields; one sent by POST doesn't.
        "url": links.here(choices) if page.kept else links.form,
        "hidden": [(FORM_INPUT_FIELD, page.kept)] if page.kept else links.hidden(choices),
        "value": view.choices.party_size,
        "choices": list(view.party_sizes),
        "label": _("Number of people"),
    }


def _month(visit: WidgetRequest, view: MonthView, links: SlotLinks, renderer: PageRenderer) -> dict[str, Any]:
    language = visit.language
    names, monday = formatting.weekday_names(language), formatting.first_weekday(language)
    base = view.choices.replace(month=None)

    def step(month: date | None, label: str) -> dict[str, str] | None:
        return {"url": links.here(base.replace(month=month, day=None)), "label": label} if month else None

    return {
        "title": formatting.month_title(view.month, language),
        "previous": step(view.previous, _("Previous month")),
        "next": step(view.next, _("Next month")),
        "weekdays": [Weekday(*name) for name in names[monday:] + names[:monday]],
        "rows": month_rows(
            view,
            part=renderer.part(DAY),
            url=links.here(base.replace(day=ANY_DAY)),
            language=language,
            target_id=visit.target_id,
            form=renderer.page.kept_form,
        ),
    }


def _day(visit: WidgetRequest, view: MonthView, day: date, links: SlotLinks, renderer: PageRenderer) -> dict[str, Any]:
    """Return the context of the day: at most `MAX_TIMES_SHOWN` times, and links to the earlier and later ones."""
    language, times = visit.language, view.times
    here = links.here(view.choices.replace(month=None, day=day))
    after = _after(visit)
    first = next((index for index, time in enumerate(times) if after and time.start > after), 0)
    shown, more = times[first : first + MAX_TIMES_SHOWN], len(times) > first + MAX_TIMES_SHOWN
    part = renderer.part(TIME)
    return {
        "title": formatting.day_title(day, language),
        "iso": day.isoformat(),
        "two_clocks": view.venue_zone is not None,
        "parts": [
            {
                "title": part_label(part_of_day),
                "times": time_items(
                    times,
                    part=part,
                    url=links.time,
                    language=language,
                    hours=view.choices.hours,
                    venue_zone=view.venue_zone,
                    form=renderer.page.kept_form,
                ),
            }
            for part_of_day, times in parts_of_day(shown)
        ],
        "earlier": {"url": here, "label": _("Earlier times")} if first else None,
        "later": {"url": f"{here}&after={format_start(shown[-1].start)}", "label": _("Later times")} if more else None,
    }


def part_label(part: PartOfDay) -> str:
    """Return the heading of a part of the day."""
    match part:
        case PartOfDay.NIGHT:
            return pgettext("part of day", "Night")
        case PartOfDay.MORNING:
            return pgettext("part of day", "Morning")
        case PartOfDay.AFTERNOON:
            return pgettext("part of day", "Afternoon")
        case PartOfDay.EVENING:
            return pgettext("part of day", "Evening")


def _empty(visit: WidgetRequest, view: MonthView, links: SlotLinks) -> dict[str, Any] | None:
    """Return the text in place of the times, with a link to the first free day; None when the month has one."""
    match view.empty:
        case EmptyReason.NOTHING_FREE:
            text = _("There are no free times at the moment. Please look again later.")
            return {"text": text, "url": None, "label": ""}
        case EmptyReason.MONTH_FULL if view.first_free:
            return {
                "text": _("There are no free times in this month."),
                "url": links.here(view.choices.replace(month=None, day=view.first_free)),
                "label": _("Next free day: %(date)s") % {"date": formatting.day_title(view.first_free, visit.language)},
            }
    return None


def _clock(visit: WidgetRequest, zone: ZoneInfo) -> dict[str, str]:
    """Return the name of a zone and the time there."""
    now = formatting.clock_time(visit.now.astimezone(zone), visit.language, visit.choices.hours)
    return {"label": format_timezone(visit, zone.key), "now": now}


def _hours(visit: WidgetRequest, view: MonthView, links: SlotLinks) -> dict[str, str]:
    """Return the link to the other hour format."""
    here = view.choices.replace(month=view.month, day=view.day)
    now = view.choices.hours or formatting.default_hours(visit.language)
    if now == "12":
        return {"url": links.here(here.replace(hours="24")), "label": _("24-hour clock")}
    return {"url": links.here(here.replace(hours="12")), "label": _("12-hour clock")}


def _watch(visit: WidgetRequest, view: MonthView, links: SlotLinks) -> dict[str, str]:
    """Return the URL that an open page polls, and a version to compare: a hash of what is free, and not of texts."""
    here = links.here(view.choices.replace(month=view.month, day=view.day))
    after = _after(visit)
    fingerprint = [
        f"{view.month}",
        *[f"{day.date}" for day in view.days if day.free],
        f"{view.day}",
        *[f"{format_start(time.start)}-{time.free}" for time in view.times],
    ]
    return {
        "url": f"{here}&after={format_start(after)}" if after else here,
        "version": blake2b(" ".join(fingerprint).encode(), digest_size=8).hexdigest(),
    }


def _after(visit: WidgetRequest) -> datetime | None:
    """Return the start after which the times of the day are shown, from the link to the later ones."""
    return parse_start(visit.request.GET.get("after", ""))


def age_notice(visit: WidgetRequest, cached: Cached[Any], *, min_age_seconds: float = inf) -> str:
    """Return a notice when the data is degraded (Kordless can't be asked) or `min_age_seconds` old; else ""."""
    age = int(visit.now.timestamp() - cached.fetched_at)
    if not cached.degraded and age < min_age_seconds:
        return ""
    minutes = max(1, age // 60)
    text = ngettext(
        "Checked %(minutes)s minute ago. Times may have changed; we check again when you book.",
        "Checked %(minutes)s minutes ago. Times may have changed; we check again when you book.",
        minutes,
    )
    return text % {"minutes": minutes}
