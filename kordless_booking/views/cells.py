"""Calendar cells and time buttons of the slot page, as ready HTML.

There are many of each, so they are filled into template skeletons instead of being rendered one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from html import escape, unescape
from typing import Final

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kordless_booking.booking import availability
from kordless_booking.presentation import formatting, timezones
from kordless_booking.presentation.formatting import Hours
from kordless_booking.views.package_templates import PackageTemplates
from kordless_booking.views.skeletons import SiteTemplatePart, Skeleton, cached_per_language, pattern, placeholder

ANY_DAY: Final = date(1970, 1, 1)
"""Placeholder for the day in a link."""
DAY: Final = "kordless_booking/parts/day.html"
"""Template of a day's cell."""
# Context of DAY, in the order in which its skeleton is filled.
_DAY_VALUES: Final = ("number", "iso", "url", "full")
_START_LENGTH: Final = len("20261201T150000Z")
TIME: Final = "kordless_booking/parts/time.html"
"""Template of a time's button."""


def month_rows(
    month: date,
    *,
    part: PackageTemplates | SiteTemplatePart,
    free: Mapping[date, int],
    chosen: date | None,
    today: date,
    url: str,
    language: str,
    stage: str,
) -> list[SafeString]:
    """Return one row of cells for each week.

    `part` is the template DAY. `free` has the number of available times of each free day. `url` is a link to ANY_DAY,
    which is replaced by each free day.
    """
    spoken = _all_spoken(tuple(free.items()), today, language)
    if isinstance(part, SiteTemplatePart):
        texts = {day: unescape(text) for day, text in zip(free, spoken, strict=True)}
        return _rows_of_the_site(part, month, texts, chosen, today, url, language, stage)
    before, _day, after = escape(url).partition(f"day={ANY_DAY}")
    rows = _rows(part, month, tuple(free), chosen, today, language, stage)
    values = [before, after, *spoken]
    return [mark_safe(row.fill(values)) for row in rows]  # noqa: S308 (skeletons escape)


@cached_per_language(256)
def _all_spoken(free: tuple[tuple[date, int], ...], today: date, language: str) -> list[str]:
    """Return the accessible names of all free days."""
    # Cached as a whole as well as one by one: looking up the active language for each day would cost more than the rest
    # of the month.
    return [_aria_label(day, times, day == today, language) for day, times in free]


@cached_per_language(4096)
def _aria_label(day: date, times: int, today: bool, language: str) -> str:
    """Return the accessible name of a free day, escaped."""
    text = ngettext("%(date)s, %(count)s time free", "%(date)s, %(count)s times free", times)
    spoken = text % {"date": formatting.full_date(day, language), "count": times}
    return escape(f"{spoken} · {_('today')}" if today else spoken)


@cached_per_language(256)
def _rows(
    part: PackageTemplates,
    month: date,
    free: tuple[date, ...],
    chosen: date | None,
    today: date,
    language: str,
    stage: str,
) -> list[Skeleton]:
    """Return the skeletons of the rows, for all visitors to whom the same days are free.

    Placeholders are the parts of the link before and after a day, and each free day's accessible name.
    """
    before, after, spoken = (
        placeholder(0),
        placeholder(1),
        {day: placeholder(number) for number, day in enumerate(free, 2)},
    )
    nothing = pattern(part, (), id=stage).fill()
    full, free_day = pattern(part, ("number",), id=stage), pattern(part, _DAY_VALUES, id=stage)

    def cell(day: date | None) -> str:
        if day is None:
            return nothing
        number, special = str(day.day), day in {today, chosen}
        if day not in spoken:
            skeleton = pattern(part, ("number",), id=stage, today=day == today) if special else full
            return skeleton.fill(number)
        iso, skeleton = day.isoformat(), free_day
        if special:
            skeleton = pattern(part, _DAY_VALUES, id=stage, today=day == today, current=day == chosen)
        return skeleton.fill(number, iso, f"{before}day={iso}{after}", spoken[day])

    weeks = availability.month_weeks(month, formatting.first_weekday(language))
    return [Skeleton("".join([cell(day) for day in week])) for week in weeks]


def _rows_of_the_site(
    part: SiteTemplatePart,
    month: date,
    spoken: Mapping[date, str],
    chosen: date | None,
    today: date,
    url: str,
    language: str,
    stage: str,
) -> list[SafeString]:
    """Return the rows with cells of the site's own template, each rendered with its real values."""
    before, _day, after = url.partition(f"day={ANY_DAY}")

    def cell(day: date | None) -> str:
        number, iso = (str(day.day), day.isoformat()) if day else ("", "")
        free = day in spoken
        return part.render(
            id=stage,
            number=number,
            iso=iso if free else "",
            url=f"{before}day={iso}{after}" if free else "",
            full=spoken[day] if day is not None and free else "",
            today=day == today,
            current=free and day == chosen,
        )

    weeks = availability.month_weeks(month, formatting.first_weekday(language))
    return [mark_safe("".join([cell(day) for day in week])) for week in weeks]  # noqa: S308 (a template's output)


def time_items(
    times: Iterable[availability.AvailableTime],
    *,
    part: PackageTemplates | SiteTemplatePart,
    url: str,
    language: str,
    hours: Hours | None,
    site: tzinfo | None = None,
) -> SafeString:
    """Return one item for each time.

    `part` is the template TIME. `url` is a link up to "start=", to which the start is appended. `site` is the venue's
    zone: its time is shown as well where it differs.
    """
    own = escape(_("%(when)s for you")) if site else ""
    told = []
    for moment in times:
        label = formatting.clock_time(moment.local_start, language, hours)
        detail = _detail(moment, language)
        there = _on_site(moment, site, language, hours) if site else ""
        if there:
            label = SafeString(f"<span>{own % {'when': f'<b>{escape(label)}</b>'}}</span>")
            detail = f"{detail} · {there}" if detail else there
        told.append((format_start(moment.start), label, detail))
    if isinstance(part, SiteTemplatePart):
        items = [part.render(url=url + start, label=label, detail=detail) for start, label, detail in told]
    else:
        plain, detailed = pattern(part, ("url", "label")), pattern(part, ("url", "label", "detail"))
        begin = escape(url)
        items = [
            # Both parts of the link are escaped.
            detailed.fill(SafeString(begin + start), label, detail)
            if detail
            else plain.fill(SafeString(begin + start), label)
            for start, label, detail in told
        ]
    return mark_safe("\n".join(items))  # noqa: S308 (skeletons and templates escape)


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


def clocks_differ(moment: datetime, zone: tzinfo, site: tzinfo | None) -> bool:
    """Return True when the venue's clock differs from the visitor's at this moment."""
    return site is not None and moment.astimezone(site).utcoffset() != moment.astimezone(zone).utcoffset()


def _on_site(moment: availability.AvailableTime, site: tzinfo, language: str, hours: Hours | None) -> str:
    """Return the time on the venue's clock, with the date where that differs; "" when the clocks agree."""
    here, there = moment.local_start, moment.start.astimezone(site)
    if there.utcoffset() == here.utcoffset():
        return ""
    clock = formatting.clock_time(there, language, hours)
    if availability.is_ambiguous(there):
        clock = f"{clock} ({timezones.offset_text(there, language)})"
    if there.day != here.day:
        day = formatting.short_day(there, language)
        return _("%(date)s, %(time)s on site") % {"date": day, "time": clock}
    return _("%(when)s on site") % {"when": clock}


def _detail(moment: availability.AvailableTime, language: str) -> str:
    """Return what a time's button says beside the time: offset when ambiguous, end on the next day, places left."""
    details = []
    if moment.ambiguous:
        details.append(timezones.offset_text(moment.local_start, language))
    if moment.crosses_midnight:
        details.append(_("ends the next day"))
    if moment.capacity > 1:
        left = ngettext("%(count)s place left", "%(count)s places left", moment.free)
        details.append(left % {"count": moment.free})
    return " · ".join(details)
