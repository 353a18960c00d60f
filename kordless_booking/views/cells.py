"""Calendar cells and time buttons of the slot page, as ready HTML.

There are many of each, so they are filled into template skeletons instead of being rendered one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from html import escape, unescape
from typing import Final, NamedTuple

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kordless_booking.booking.availability import AvailableTime, MonthView, is_ambiguous, month_weeks
from kordless_booking.presentation import formatting, timezones
from kordless_booking.presentation.formatting import Hours
from kordless_booking.views.package_templates import PackageTemplates
from kordless_booking.views.skeletons import PackagePart, SiteTemplatePart, Skeleton, cached_per_language, placeholder

ANY_DAY: Final = date(1970, 1, 1)
"""Placeholder for the day in a link."""
DAY: Final = "kordless_booking/parts/day.html"
"""Template of a day's cell."""
_START_LENGTH: Final = len("20261201T150000Z")
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
    text = ngettext("%(date)s, %(count)s time free", "%(date)s, %(count)s times free", times)
    name = text % {"date": formatting.full_date(day, language), "count": times}
    return escape(f"{name} · {_('today')}" if today else name)


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
    form: str = "",
) -> SafeString:
    """Return one item for each time.

    `part` is the template TIME. `url` is a link up to "start=", to which the start is appended. The time in
    `venue_zone` is shown as well where it differs. `form` is the DOM id of the form that the times post, or "" when
    they are links.
    """
    visitor_format = escape(_("%(when)s for you")) if venue_zone else ""
    items = []
    for time in times:
        label = formatting.clock_time(time.local_start, language, hours)
        detail = _detail(time, language)
        venue_text = _on_site(time, venue_zone, language, hours) if venue_zone else ""
        if venue_text:
            label = SafeString(f"<span>{visitor_format % {'when': f'<b>{escape(label)}</b>'}}</span>")
            detail = f"{detail} · {venue_text}" if detail else venue_text
        items.append(part.render(url=url + format_start(time.start), label=label, detail=detail, form=form))
    return mark_safe("\n".join(items))  # noqa: S308 (skeletons and templates escape)


@lru_cache(maxsize=4096)
def format_start(start: datetime) -> str:
    """Format a slot's start for a link: UTC, to the second."""
    utc = start if start.tzinfo is UTC else start.astimezone(UTC)
    # Not `strftime`, which is slower, and doesn't pad a year before 1000 everywhere.
    return f"{utc.year:04}{utc.month:02}{utc.day:02}T{utc.hour:02}{utc.minute:02}{utc.second:02}Z"


def parse_start(text: str) -> datetime | None:
    """Parse the start in a link; None for anything else."""
    if len(text) != _START_LENGTH:
        return None
    try:
        # `strptime` accepts digits of other scripts.
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if text.isascii() else None
    except ValueError:
        return None


def _on_site(time: AvailableTime, venue_zone: tzinfo, language: str, hours: Hours | None) -> str:
    """Return the time on the venue's clock, with the date where that differs; "" when the clocks agree."""
    visitor_time, venue_time = time.local_start, time.start.astimezone(venue_zone)
    if venue_time.utcoffset() == visitor_time.utcoffset():
        return ""
    clock = formatting.clock_time(venue_time, language, hours)
    if is_ambiguous(venue_time):
        clock = f"{clock} ({timezones.offset_text(venue_time, language)})"
    if venue_time.day != visitor_time.day:
        day = formatting.short_day(venue_time, language)
        return _("%(date)s, %(time)s on site") % {"date": day, "time": clock}
    return _("%(when)s on site") % {"when": clock}


def _detail(time: AvailableTime, language: str) -> str:
    """Return what a time's button says beside the time: offset when ambiguous, end on the next day, places left."""
    details = []
    if time.ambiguous:
        details.append(timezones.offset_text(time.local_start, language))
    if time.crosses_midnight:
        details.append(_("ends the next day"))
    if time.capacity > 1:
        left = ngettext("%(count)s place left", "%(count)s places left", time.free)
        details.append(left % {"count": time.free})
    return " · ".join(details)
