"""Calendar cells and time buttons of the slot page, as ready HTML.

There are many of each, so they are filled into template skeletons instead of being rendered one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from html import escape
from typing import Final

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kordless_booking.booking import days, display, zones
from kordless_booking.booking.display import Hours
from kordless_booking.views.pattern import Pattern, kept_pattern, mark, pattern

__all__ = ["ANY_DAY", "format_start", "month_rows", "other_clock", "read_start", "time_items"]

ANY_DAY: Final = date(1970, 1, 1)
"""Placeholder in a link, to be replaced by each free day."""
_DAY: Final = "kordless_booking/parts/day.html"
_DAY_VALUES: Final = ("number", "iso", "url", "full")
_START_LENGTH: Final = len("20261201T150000Z")
_TIME: Final = "kordless_booking/parts/time.html"


def month_rows(
    month: date,
    *,
    free: Mapping[date, int],
    chosen: date | None,
    today: date,
    url: str,
    language: str,
    stage: str,
) -> list[SafeString]:
    """Return one row of cells for each week.

    `free` is the number of times of each free day. `url` is the link to ANY_DAY, which is replaced by each free day.
    """
    before, _day, after = escape(url).partition(f"day={ANY_DAY}")
    # Only what all visitors share is an argument here, so that the skeleton of a month is built once for all of them.
    rows = _rows(month, tuple(free), chosen, today, language, stage)
    values = [before, after, *[_spoken(day, times, day == today, language) for day, times in free.items()]]
    return [mark_safe(row.fill(values)) for row in rows]  # noqa: S308 (patterns escape)


@kept_pattern(4096)
def _spoken(day: date, times: int, today: bool, language: str) -> str:
    """Return the accessible name of a free day, escaped."""
    text = ngettext("%(date)s, %(count)s time free", "%(date)s, %(count)s times free", times)
    spoken = text % {"date": display.full_date(day, language), "count": times}
    return escape(f"{spoken} · {_('today')}" if today else spoken)


@kept_pattern(256)
def _rows(
    month: date, free: tuple[date, ...], chosen: date | None, today: date, language: str, stage: str
) -> list[Pattern]:
    """Return the skeletons of the rows, for all visitors to whom the same days are free.

    Placeholders are the parts of the link before and after a day, and each free day's accessible name.
    """
    before, after, spoken = mark(0), mark(1), {day: mark(number) for number, day in enumerate(free, 2)}
    # One skeleton each for the three common kinds of cell. Only today and the chosen day are rendered on their own.
    nothing = pattern(_DAY, (), id=stage).fill()
    full, free_day = pattern(_DAY, ("number",), id=stage), pattern(_DAY, _DAY_VALUES, id=stage)

    def cell(day: date | None) -> str:
        if day is None:
            return nothing
        number, special = str(day.day), day in {today, chosen}
        if day not in spoken:
            part = pattern(_DAY, ("number",), id=stage, today=day == today) if special else full
            return part.fill(number)
        iso, part = day.isoformat(), free_day
        if special:
            part = pattern(_DAY, _DAY_VALUES, id=stage, today=day == today, current=day == chosen)
        return part.fill(number, iso, f"{before}day={iso}{after}", spoken[day])

    weeks = days.month_weeks(month, display.first_weekday(language))
    return [Pattern("".join([cell(day) for day in week])) for week in weeks]


def time_items(
    times: Iterable[days.Time], *, url: str, language: str, hours: Hours | None, site: tzinfo | None = None
) -> SafeString:
    """Return one item for each time. The start of each is appended to `url`.

    `site` is the zone of the venue: its time is shown too where it differs.
    """
    plain, detailed = pattern(_TIME, ("url", "label")), pattern(_TIME, ("url", "label", "detail"))
    items, begin = [], escape(url)
    # Translated once, not once for each of a hundred times.
    own = escape(_("%(when)s for you")) if site else ""
    for moment in times:
        link = SafeString(begin + format_start(moment.start))  # both are escaped
        label = display.clock_time(moment.local_start, language, hours)
        detail = _detail(moment, language)
        there = _on_site(moment, site, language, hours) if site else ""
        if there:
            label = SafeString(f"<span>{own % {'when': f'<b>{escape(label)}</b>'}}</span>")
            detail = f"{detail} · {there}" if detail else there
        items.append(detailed.fill(link, label, detail) if detail else plain.fill(link, label))
    return mark_safe("\n".join(items))  # noqa: S308 (patterns escape)


@lru_cache(maxsize=4096)
def format_start(start: datetime) -> str:
    """Format a slot's start for a link: UTC, to the second."""
    at = start if start.tzinfo is UTC else start.astimezone(UTC)
    # Not `strftime`, which is slower, and doesn't pad a year before 1000 everywhere.
    return f"{at.year:04}{at.month:02}{at.day:02}T{at.hour:02}{at.minute:02}{at.second:02}Z"


def read_start(text: str) -> datetime | None:
    """Parse the start in a link; None for anything else."""
    if len(text) != _START_LENGTH:
        return None
    try:
        # `strptime` accepts digits of other scripts.
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if text.isascii() else None
    except ValueError:
        return None


def other_clock(moment: datetime, zone: tzinfo, site: tzinfo | None) -> bool:
    """Return True when the venue's clock differs from the visitor's at this moment."""
    return site is not None and moment.astimezone(site).utcoffset() != moment.astimezone(zone).utcoffset()


def _on_site(moment: days.Time, site: tzinfo, language: str, hours: Hours | None) -> str:
    """Return the time on the venue's clock, with the date where that differs; "" when the clocks agree."""
    here, there = moment.local_start, moment.start.astimezone(site)
    if there.utcoffset() == here.utcoffset():
        return ""
    clock = display.clock_time(there, language, hours)
    if days.comes_twice(there):
        clock = f"{clock} ({zones.offset_text(there, language)})"
    if there.day != here.day:
        day = display.short_day(there, language)
        return _("%(date)s, %(time)s on site") % {"date": day, "time": clock}
    return _("%(when)s on site") % {"when": clock}


def _detail(moment: days.Time, language: str) -> str:
    """Return what a time's button says beside the time: offset when ambiguous, end on the next day, places left."""
    details = []
    if moment.ambiguous:
        details.append(zones.offset_text(moment.local_start, language))
    if moment.crosses_midnight:
        details.append(_("ends the next day"))
    if moment.capacity > 1:
        left = ngettext("%(count)s place left", "%(count)s places left", moment.free)
        details.append(left % {"count": moment.free})
    return " · ".join(details)
