"""The many small things on the slot page: the cells of a month and the times of a day, as ready HTML."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from html import escape
from typing import Final

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kordless_booking.booking import days, display, zones
from kordless_booking.booking.display import Hours
from kordless_booking.views.pattern import Pattern, kept_pattern, mark, pattern

__all__ = ["ANY_DAY", "format_start", "month_rows", "read_start", "time_items"]

ANY_DAY: Final = date(1970, 1, 1)
"""Stands in a link for the day that it will lead to."""
_DAY: Final = "kordless_booking/parts/day.html"
_DAY_VALUES: Final = ("number", "iso", "url", "full")
_START_LENGTH: Final = len("20261201T150000Z")
_TIME: Final = "kordless_booking/parts/time.html"


def month_rows(
    month: date,
    *,
    free: Iterable[date],
    chosen: date | None,
    today: date,
    url: str,
    language: str,
    stage: str,
) -> list[SafeString]:
    """One row of cells for each week. `url` leads to ANY_DAY, in the place of which each free day is put."""
    before, _day, after = escape(url).partition(f"day={ANY_DAY}")
    rows = _rows(month, frozenset(free), chosen, today, language, stage)
    return [mark_safe(row.fill((before, after))) for row in rows]  # noqa: S308 (patterns escape)


@kept_pattern(256)
def _rows(
    month: date, free: frozenset[date], chosen: date | None, today: date, language: str, stage: str
) -> list[Pattern]:
    """The rows for everybody to whom the same days are free; what varies is what stands before and after a day."""
    before, after = mark(0), mark(1)
    nothing = pattern(_DAY, (), id=stage).fill()
    full, free_day = pattern(_DAY, ("number",), id=stage), pattern(_DAY, _DAY_VALUES, id=stage)

    def cell(day: date | None) -> str:
        if day is None:
            return nothing
        number, special = str(day.day), day in {today, chosen}
        if day not in free:
            part = pattern(_DAY, ("number",), id=stage, today=day == today) if special else full
            return part.fill(number)
        iso, part = day.isoformat(), free_day
        if special:
            part = pattern(_DAY, _DAY_VALUES, id=stage, today=day == today, current=day == chosen)
        return part.fill(number, iso, f"{before}day={iso}{after}", display.full_date(day, language))

    weeks = days.month_weeks(month, display.first_weekday(language))
    return [Pattern("".join([cell(day) for day in week])) for week in weeks]


def time_items(times: Iterable[days.Time], *, url: str, language: str, hours: Hours | None) -> SafeString:
    """One item for each time. `url` ends in what the start is written behind."""
    plain, detailed = pattern(_TIME, ("url", "label")), pattern(_TIME, ("url", "label", "detail"))
    items, begin = [], escape(url)
    for moment in times:
        link = SafeString(begin + format_start(moment.start))  # both are escaped
        label = display.clock_time(moment.local_start, language, hours)
        detail = _detail(moment, language)
        items.append(detailed.fill(link, label, detail) if detail else plain.fill(link, label))
    return mark_safe("\n".join(items))  # noqa: S308 (patterns escape)


@lru_cache(maxsize=4096)
def format_start(start: datetime) -> str:
    """A slot's start as it stands in a link: UTC, to the second."""
    at = start if start.tzinfo is UTC else start.astimezone(UTC)
    return f"{at.year:04}{at.month:02}{at.day:02}T{at.hour:02}{at.minute:02}{at.second:02}Z"


def read_start(text: str) -> datetime | None:
    """The start in a link, or None when it is none."""
    if len(text) != _START_LENGTH:
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if text.isascii() else None
    except ValueError:
        return None


def _detail(moment: days.Time, language: str) -> str:
    """What there is to know about a time beside its hour."""
    details = []
    if moment.ambiguous:
        details.append(zones.offset_text(moment.local_start, language))
    if moment.crosses_midnight:
        details.append(_("ends the next day"))
    if moment.capacity > 1:
        left = ngettext("%(count)s place left", "%(count)s places left", moment.free)
        details.append(left % {"count": moment.free})
    return " · ".join(details)
