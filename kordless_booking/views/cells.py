"""Calendar cells and time buttons of the slot page, rows of time zones, and cards of services, as ready HTML.

There are many of each, so they are filled into template skeletons instead of being rendered one by one. The lists of
all time zones and of many services are cached as a whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from html import escape, unescape
from typing import Final, NamedTuple

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from kordless_booking.api.resources import Service
from kordless_booking.booking.availability import AvailableTime, CalendarPage, page_weeks
from kordless_booking.memory_budget import BoundedDict, text_bytes
from kordless_booking.presentation import formatting, timezones
from kordless_booking.presentation.formatting import Hours
from kordless_booking.presentation.texts import text_columns
from kordless_booking.presentation.timezone_search import ZoneChoice
from kordless_booking.setting_changes import on_setting_change
from kordless_booking.urlconf import Mount
from kordless_booking.views.display import service_card
from kordless_booking.views.package_templates import PackageTemplates
from kordless_booking.views.skeletons import (
    SHARED_BUDGET,
    PackagePart,
    SiteTemplatePart,
    Skeleton,
    cached_with_language,
    placeholder,
)

ANY_DAY: Final = date(1970, 1, 1)
"""Placeholder for the day in a link."""
DAY: Final = "kordless_booking/parts/day.html"
"""Template of a day's cell."""
# As `format_start` writes it. Older links have no fraction.
_START: Final = re.compile(r"[0-9]{8}T[0-9]{6}(\.[0-9]{6})?Z")
TIME: Final = "kordless_booking/parts/time.html"
"""Template of a time's button."""
# About as much of a small text as three buttons in a row, or two, have room for on a phone.
_NARROW_COLUMNS: Final = 14
_WIDE_COLUMNS: Final = 22
_AFTER_WEEKDAY: Final = re.compile("(?<=[,،])\N{NO-BREAK SPACE}")
ZONE: Final = "kordless_booking/parts/zone.html"
"""Template of a time zone's row."""
SERVICE_CARD: Final = "kordless_booking/parts/service_card.html"
"""Template of a service in the list of services."""
ZoneLists = tuple[tuple[str, SafeString], ...]
"""Name of each continent, and the rows of its zones."""
_zone_lists: BoundedDict[tuple[object, ...], ZoneLists] = BoundedDict(SHARED_BUDGET)
_card_lists: BoundedDict[tuple[object, ...], Skeleton] = BoundedDict(SHARED_BUDGET)
# All, since a test's site may differ in anything.
on_setting_change(None, _zone_lists.clear)
on_setting_change(None, _card_lists.clear)


class CardFrame(NamedTuple):
    """All that the cards of a list of services have of the page around them: their `kb`."""

    stage_id: str
    push: bool
    link: str = "a"
    form_input_token: str = ""


class _Grid(NamedTuple):
    """Key of the calendar's cells: all that decides on them, but for the links."""

    start: date
    free: tuple[tuple[date, int], ...]
    """Days that are links, each with the number of its times."""
    day: date | None
    today: date
    language: str
    target_id: str
    """DOM id of the swap target, with which the cells' ids begin."""
    form: str
    """DOM id of the form that the days post, or "" when they are links."""
    booked: date | None
    """Day of the booking that is rescheduled."""


def week_rows(
    view: CalendarPage,
    *,
    part: PackagePart | SiteTemplatePart,
    url: str,
    language: str,
    target_id: str,
    form: str = "",
    booked: date | None = None,
) -> list[SafeString]:
    """Return one row of cells for each week.

    `part` is the template DAY. `url` is a link to ANY_DAY, which is replaced by each free day. `form` is the DOM id of
    the form that the days post, or "" when they are links. `booked` is the day of the booking that is rescheduled.
    """
    grid = _Grid(view.start, view.free_days, view.day, view.today, language, target_id, form, booked)
    before, _day, after = url.partition(f"day={ANY_DAY}")
    if isinstance(part, PackagePart):
        around = [escape(before), escape(after)]
        rows = [skeleton.fill(around) for skeleton in _named_row_skeletons(part.package, grid)]
    else:
        rows = _rows(grid, before, after, [unescape(name) for name in _accessible_names(grid)], part.render)
    return [mark_safe(row) for row in rows]  # noqa: S308 (skeletons and templates escape)


def _accessible_names(grid: _Grid) -> list[str]:
    """Return the accessible names of all free days, escaped."""
    return [
        _accessible_name(day, times, day == grid.today, day == grid.booked, grid.language) for day, times in grid.free
    ]


@cached_with_language(4096)
def _accessible_name(day: date, times: int, today: bool, booked: bool, language: str) -> str:
    """Return the accessible name of a free day, escaped."""
    text = ngettext("%(date)s, %(count)s time available", "%(date)s, %(count)s times available", times)
    name = text % {"date": formatting.full_date(day, language), "count": times}
    # Translators: the day of the booking that is being rescheduled, in the calendar.
    own = pgettext("label", "your current day") if booked else ""
    return escape(" · ".join(filter(None, [name, pgettext("label", "today") if today else "", own])))


@cached_with_language(256)
def _named_row_skeletons(package: PackageTemplates, grid: _Grid) -> list[Skeleton]:
    """Return the skeletons of the rows, whose placeholders are the parts of the link before and after a day."""
    # Numbers of times change with each booking, and the days hardly ever: new numbers render no cell anew.
    days = grid._replace(free=tuple([(day, 1) for day, _times in grid.free]))
    values = [placeholder(0), placeholder(1), *_accessible_names(grid)]
    return [Skeleton(skeleton.fill(values)) for skeleton in _row_skeletons(package, days)]


@cached_with_language(256)
def _row_skeletons(package: PackageTemplates, grid: _Grid) -> list[Skeleton]:
    """Return the skeletons of the rows, for all visitors to whom the same days are free.

    Placeholders are the parts of the link before and after a day, and each free day's accessible name.
    """
    before, after, *names = [placeholder(number) for number in range(2 + len(grid.free))]
    return [Skeleton(row) for row in _rows(grid, before, after, names, PackagePart(package).render)]


def _rows(grid: _Grid, before: str, after: str, names: Sequence[str], render: Callable[..., str]) -> list[str]:
    """Return one row of cells for each week. `before` and `after` are the parts of the link around "day=…"."""
    named = {day: name for (day, _times), name in zip(grid.free, names, strict=True)}

    def cell(day: date) -> str:
        iso, free = day.isoformat(), day in named
        return render(
            id=grid.target_id,
            number=str(day.day),
            month=formatting.short_month(day, grid.language) if day.day == 1 else "",
            iso=iso if free else "",
            url=f"{before}day={iso}{after}" if free else "",
            full=named[day] if free else "",
            form=grid.form if free else "",
            today=day == grid.today,
            booked=day == grid.booked,
            current=free and day == grid.day,
        )

    return ["".join([cell(day) for day in week]) for week in page_weeks(grid.start)]


def time_items(
    times: Iterable[AvailableTime],
    *,
    part: PackagePart | SiteTemplatePart,
    url: str,
    language: str,
    hours: Hours | None,
    form: str = "",
    says_length: bool = False,
    says_day: bool = False,
) -> SafeString:
    """Return one item for each time.

    `part` is the template TIME. `url` is a link up to "start=", to which the start is appended. `form` is the DOM id of
    the form that the times post, or "" when they are links. `says_length` makes each say how long it is. Times that
    start together always do, and their links carry the end: else each would book the shortest. `says_day` makes each
    say its date.
    """
    times = tuple(times)
    starts = [time.start for time in times]
    # On nearly every page each starts alone.
    count_by_start = Counter(starts) if len(set(starts)) < len(starts) else {}
    fill = _fill_times(part, url, form) if isinstance(part, PackagePart) else None
    items = []
    for time in times:
        label = formatting.clock_time(time.local_start, language, hours)
        several = bool(count_by_start) and count_by_start[time.start] > 1
        detail = _detail(time, language, hours, says_length=says_length or several)
        if says_day:
            day = nearest_day(time.local_start, language)
            detail = f"{day}{formatting.DOT}{detail}" if detail else day
        start, end = format_start(time.start), format_start(time.end) if several else ""
        wide, widest = _is_wide(detail) if detail else (False, False)
        if fill:
            items.append(fill(start, end, label, detail, wide, widest))
        else:
            href = f"{url}{start}&end={end}" if end else f"{url}{start}"
            items.append(part.render(url=href, label=label, detail=detail, form=form, wide=wide, widest=widest))
    return mark_safe("\n".join(items))  # noqa: S308 (skeletons and templates escape)


@lru_cache(maxsize=1024)
def _is_wide(detail: str) -> tuple[bool, bool]:
    """Return True for a text that needs half a row of buttons, and for one that needs a whole row."""
    columns = text_columns(detail)
    return _NARROW_COLUMNS < columns <= _WIDE_COLUMNS, columns > _WIDE_COLUMNS


def _fill_times(part: PackagePart, url: str, form: str) -> Callable[[str, str, str, str, bool, bool], str]:
    """Return a function that fills the skeleton of a time's button.

    What all have in common is escaped once, and the skeleton chosen once for all that look alike: `PackagePart.render`
    would do both for each of a day's times.
    """
    prefix, form = escape(url), escape(form)
    skeletons: dict[tuple[bool, bool, bool], Skeleton] = {}

    def fill(start: str, end: str, label: str, detail: str, wide: bool, widest: bool) -> str:
        look = (bool(detail), wide, widest)
        skeleton = skeletons.get(look)
        if skeleton is None:
            skeleton = part.skeleton(url=url, label=label, detail=detail, form=form, wide=wide, widest=widest)
            skeletons[look] = skeleton
        href = f"{prefix}{start}&amp;end={end}" if end else f"{prefix}{start}"
        return skeleton.fill([text for text in (href, escape(label), escape(detail), form) if text])

    return fill


def nearest_day(day: date, language: str) -> str:
    """Format as "Wed, Dec 16", with the one place behind a comma where a narrow button may break it."""
    return _AFTER_WEEKDAY.sub(" ", formatting.short_day(day, language))


def zone_items(
    zones: Iterable[ZoneChoice],
    *,
    part: PackagePart | SiteTemplatePart,
    current: str,
    language: str,
    hours: Hours | None,
    named: bool,
    url: Callable[[str], str] | None = None,
) -> SafeString:
    """Return one row for each time zone.

    `part` is the template ZONE. `current` is the name of the zone in use. `named` adds the everyday name, such as
    "Eastern Time". `url` returns for a name the URL that the row posts to; without it, the row is a button of a form
    that is sent by GET, and adds the zone to its fields.
    """
    items = [
        part.render(
            name=zone.name,
            url=url(zone.name) if url else "",
            label=formatting.city_and_country(zone.label, zone.country),
            detail=f"{zone.everyday_name}\u00a0·\u00a0{zone.offset}" if named and zone.everyday_name else zone.offset,
            now=formatting.clock_time(zone.local, language, hours),
            current=zone.name == current,
        )
        for zone in zones
    ]
    return mark_safe("\n".join(items))  # noqa: S308 (skeletons and templates escape)


def zone_lists(
    list_zones: Callable[[], Iterable[ZoneChoice]],
    minute: int,
    *,
    part: PackagePart | SiteTemplatePart,
    language: str,
    hours: Hours | None,
    url: Callable[[str], str] | None = None,
) -> ZoneLists:
    """Return the rows of all zones by continent, none of them marked as the current one; `url` as for `zone_items`.

    Rows of package templates without `url` are made once for everybody in a `minute`, counted since the Unix epoch:
    they show the time of day. Only then `list_zones` is called.
    """

    def build() -> ZoneLists:
        regions: dict[str, list[ZoneChoice]] = {}
        for zone in list_zones():
            regions.setdefault(zone.region, []).append(zone)
        rows = partial(zone_items, part=part, current="", language=language, hours=hours, named=False, url=url)
        return tuple([(region, rows(zones)) for region, zones in regions.items()])

    if settings.DEBUG or url or not isinstance(part, PackagePart):
        return build()
    key = (part.package, get_language(), language, hours, minute)
    lists = _zone_lists.get(key)
    if lists is None:
        lists = build()
        _zone_lists.put(key, lists, text_bytes(list(lists)))
    return lists


def service_cards(
    services: Sequence[Service],
    *,
    package: PackageTemplates,
    frame: CardFrame,
    language: str,
    mount: Mount,
    path: Callable[[str], str],
    query: str,
) -> SafeString:
    """Return the cards of a list of services, which are rendered once for everybody.

    `package` is the template SERVICE_CARD. `path` returns the path that leads to the times of a service, for its slug,
    below `mount`; `query` is appended to it.
    """
    # The services by their values: each time that they are read from the cache, they are other objects. Without the
    # DOM id, which a client can make up.
    key = (package, get_language(), language, frame._replace(stage_id=""), mount, tuple(services))
    cards = _card_lists.get(key)
    if cards is None:
        shown = [service_card(each, language, f"{path(each.slug)}{placeholder(0)}") for each in services]
        kb = frame._replace(stage_id=placeholder(1))
        cards = Skeleton("".join([package.render({"service": card, "kb": kb}) for card in shown]))
        # Twice: the services have about the same texts.
        _card_lists.put(key, cards, 2 * text_bytes(cards.pieces))
    return mark_safe(cards.fill([escape(query), escape(frame.stage_id)]))  # noqa: S308 (the skeleton escapes)


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
    return formatting.DOT.join(details)
