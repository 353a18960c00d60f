"""Calendar cells and time buttons of the slot page, as ready HTML.

There are many of each, so they are filled into template skeletons instead of being rendered one by one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from html import escape, unescape
from typing import Final, NamedTuple

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from kordless_booking.booking.availability import AvailableTime, MonthView, month_weeks
from kordless_booking.presentation import formatting, timezones
from kordless_booking.presentation.formatting import Hours
from kordless_booking.views.package_templates import PackageTemplates
from kordless_booking.views.skeletons import PackagePart, SiteTemplatePart, Skeleton, cached_per_language, placeholder

ANY_DAY: Final = date(1970, 1, 1)
"""Placeholder for the day in a link."""
DAY: Final = "kordless_booking/parts/day.html"
"""Template of a day's cell."""
# As `format_start` writes it. Older links have no fraction.
_START: Final = re.compile(r"[0-9]{8}T[0-9]{6}(\.[0-9]{6})?Z")
TIME: Final = "kordless_booking/parts/time.html"
"""Template of a time's button."""


class _Grid(NamedTuple):
    """Key of a month's cells: all that decides on them, but for the links and the accessible names."""

    month: date
    free: tuple[date, ...]
    """Days that are links."""
    day: date | None
    today: date
    language: str
    target_id: str
    """DOM id of the swap target, with which the cells' ids begin."""
    form: str
    """DOM id of the form that the days post, or "" when they are links."""


def month_rows(
    view: MonthView, *, part: PackagePart | SiteTemplatePart, url: str, language: str, target_id: str, form: str = ""
) -> list[SafeString]:
    """Return one row of cells for each week.

    `part` is the template DAY. `url` is a link to ANY_DAY, which is replaced by each free day. `form` is the DOM id of
    the form that the days post, or "" when they are links.
    """
    free = tuple([(day.date, day.free) for day in view.days if day.free])
    grid = _Grid(view.month, tuple([day for day, _times in free]), view.day, view.today, language, target_id, form)
    names = _accessible_names(free, view.today, language)
    before, _day, after = url.partition(f"day={ANY_DAY}")
    if isinstance(part, PackagePart):
        values = [escape(before), escape(after), *names]
        rows = [skeleton.fill(values) for skeleton in _row_skeletons(part.package, grid)]
    else:
        rows = _rows(grid, before, after, [unescape(name) for name in names], part.render)
    return [mark_safe(row) for row in rows]  # noqa: S308 (skeletons and templates escape)


@cached_per_language(256)
def _accessible_names(free: tuple[tuple[date, int], ...], today: date, language: str) -> list[str]:
    """Return the accessible names of all free days, escaped."""
    # Cached as a whole as well as one by one: looking up the active language for each day would cost more than the rest
    # of the month.
    return [_accessible_name(day, times, day == today, language) for day, times in free]


@cached_per_language(4096)
def _accessible_name(day: date, times: int, today: bool, language: str) -> str:
    """Return the accessible name of a free day, escaped."""
    text = ngettext("%(date)s, %(count)s time available", "%(date)s, %(count)s times available", times)
    name = text % {"date": formatting.full_date(day, language), "count": times}
    return escape(" · ".join([name, pgettext("label", "today")]) if today else name)


@cached_per_language(256)
def _row_skeletons(package: PackageTemplates, grid: _Grid) -> list[Skeleton]:
    """Return the skeletons of the rows, for all visitors to whom the same days are free.

    Placeholders are the parts of the link before and after a day, and each free day's accessible name.
    """
    before, after, *names = [placeholder(number) for number in range(2 + len(grid.free))]
    return [Skeleton(row) for row in _rows(grid, before, after, names, PackagePart(package).render)]


def _rows(grid: _Grid, before: str, after: str, names: Sequence[str], render: Callable[..., str]) -> list[str]:
    """Return one row of cells for each week. `before` and `after` are the parts of the link around "day=…"."""
    named = dict(zip(grid.free, names, strict=True))

    def cell(day: date | None) -> str:
        number, iso = (str(day.day), day.isoformat()) if day else ("", "")
        free = day in named
        return render(
            id=grid.target_id,
            number=number,
            iso=iso if free else "",
            url=f"{before}day={iso}{after}" if free else "",
            full=named[day] if day is not None and free else "",
            form=grid.form if free else "",
            today=day == grid.today,
            current=free and day == grid.day,
        )

    weeks = month_weeks(grid.month, formatting.first_weekday(grid.language))
    return ["".join([cell(day) for day in week]) for week in weeks]


def time_items(
    times: Iterable[AvailableTime],
    *,
    part: PackagePart | SiteTemplatePart,
    url: str,
    language: str,
    hours: Hours | None,
    venue_zone: tzinfo | None = None,
    city: str = "",
    form: str = "",
    says_length: bool = False,
) -> SafeString:
    """Return one item for each time.

    `part` is the template TIME. `url` is a link up to "start=", to which the start is appended. The time in
    `venue_zone` is shown as well where it differs. `city` names the zone of the times where nobody knows the visitor's.
    `form` is the DOM id of the form that the times post, or "" when they are links. `says_length` makes each say how
    long it is. Times that start together always do, and their links carry the end: else each would book the shortest.
    """
    times = tuple(times)
    count_by_start = Counter(time.start for time in times)
    # A percent sign in the city would be read as a place for a value.
    named = f"%(when)s ({city.replace('%', '%%')})"
    visitor_format = escape(named if city else _("%(when)s your time")) if venue_zone else ""
    items = []
    for time in times:
        label = formatting.clock_time(time.local_start, language, hours)
        several = count_by_start[time.start] > 1
        detail = _detail(time, language, hours, says_length=says_length or several)
        venue_text = _on_site(time, venue_zone, language, hours) if venue_zone else ""
        if venue_text:
            label = SafeString(f"<span>{visitor_format % {'when': f'<b>{escape(label)}</b>'}}</span>")
            # In an element of its own, which begins a line: two clocks in one line are easily taken for one.
            detail = SafeString(f"{escape(detail)} · <span>{escape(venue_text)}</span>") if detail else venue_text
        end = f"&end={format_start(time.end)}" if several else ""
        items.append(part.render(url=f"{url}{format_start(time.start)}{end}", label=label, detail=detail, form=form))
    return mark_safe("\n".join(items))  # noqa: S308 (skeletons and templates escape)


@lru_cache(maxsize=4096)
def format_start(start: datetime) -> str:
    """Format a slot's start, or its end, for a link: UTC, with a fraction of a second only where there is one."""
    utc = start if start.tzinfo is UTC else start.astimezone(UTC)
    # Not `strftime`, which is slower, and doesn't pad a year before 1000 everywhere.
    fraction = f".{utc.microsecond:06}" if utc.microsecond else ""
    return f"{utc.year:04}{utc.month:02}{utc.day:02}T{utc.hour:02}{utc.minute:02}{utc.second:02}{fraction}Z"


def parse_start(text: str) -> datetime | None:
    """Parse the start or the end in a link; None for anything else."""
    match = _START.fullmatch(text)
    if match is None:
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S.%fZ" if match[1] else "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def parse_time(query: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """Parse the start and, where there is one, the end in a time's link.

    The start is None also when there is an end that can't be parsed, so that no time of another length is booked.
    """
    start, end = parse_start(query.get("start", "")), parse_start(query.get("end", ""))
    return (None, None) if query.get("end") and end is None else (start, end)


def _on_site(time: AvailableTime, venue_zone: tzinfo, language: str, hours: Hours | None) -> str:
    """Return the time on the venue's clock, with each date that isn't clear; "" when the clocks agree."""
    visitor_time, venue_time = time.local_start, time.start.astimezone(venue_zone)
    if venue_time.utcoffset() == visitor_time.utcoffset():
        return ""
    clock = formatting.clock_time(venue_time, language, hours)
    if timezones.is_ambiguous(venue_time):
        clock = f"{clock} ({timezones.offset_text(venue_time, language)})"
    venue_end = time.end.astimezone(venue_zone)
    if formatting.crosses_midnight(venue_time, venue_end):
        clock = formatting.join_range(clock, formatting.short_date_and_time(venue_end, language, hours), language)
    if venue_time.day != visitor_time.day:
        day = formatting.short_day(venue_time, language)
        return _("%(date)s, %(time)s local time") % {"date": day, "time": clock}
    return _("%(when)s local time") % {"when": clock}


def _detail(time: AvailableTime, language: str, hours: Hours | None, *, says_length: bool) -> str:
    """Return what a time's button says beside the time: offset when ambiguous, length, end on a later date, places."""
    details = []
    if time.ambiguous:
        details.append(timezones.offset_text(time.local_start, language))
    if says_length:
        details.append(formatting.length_text(time.end - time.start, language))
    if time.crosses_midnight:
        # Translators: the end of an appointment on a later date, such as "until Wed, Dec 9, 9:00 AM".
        until = _("until %(when)s")
        details.append(until % {"when": formatting.short_date_and_time(time.local_end, language, hours)})
    if time.capacity > 1:
        left = ngettext("%(count)s spot left", "%(count)s spots left", time.free)
        details.append(left % {"count": time.free})
    return " · ".join(details)
