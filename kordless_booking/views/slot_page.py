"""Context of steps/slot.html: a page of the calendar, the times of one of its days, and the controls that change them.

Everything is made from a `CalendarPage`. Booking and rescheduling share this page. They differ in where its links lead,
which `SlotLinks` says. All texts are built here, so that the template only inserts strings, and can be made into a
skeleton.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache, partial
from hashlib import blake2b
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from kordless_booking.booking.availability import CalendarPage, EmptyReason, PartOfDay, parts_of_day
from kordless_booking.booking.choices import Choices, provider_value, query_id
from kordless_booking.booking.requested_days import RequestedDays
from kordless_booking.presentation import formatting
from kordless_booking.presentation.clocks import ShownClocks, clock_city, clock_difference, clock_text
from kordless_booking.presentation.texts import provider_text
from kordless_booking.presentation.timezones import get_timezone
from kordless_booking.views.book_again import parse_usual_time
from kordless_booking.views.cells import (
    ANY_DAY,
    DAY,
    TIME,
    format_start,
    parse_start,
    time_items,
    week_rows,
)
from kordless_booking.views.display import format_timezone
from kordless_booking.views.extensions import page_queries
from kordless_booking.views.skeletons import cached_with_language

if TYPE_CHECKING:
    from datetime import date, datetime, time

    from kordless_booking.api.resources import Host, Team
    from kordless_booking.upstream.entries import Cached
    from kordless_booking.views.page import Page
    from kordless_booking.views.rendering import PageRenderer
    from kordless_booking.views.request import WidgetRequest

MAX_HOST_LINKS: Final = 12
"""Hosts and teams that are offered as links, in one line that scrolls on a phone. More of them become a select."""
MAX_TIMES_SHOWN: Final = 80
"""Times of a day in one response. Together with the days of the calendar, these are about 120 links and 60 kB."""
NOTICE_IN_HOURS_FROM: Final = 2
"""Hours from which the notice names hours instead of minutes."""
AGE_NOTICE_SECONDS: Final = 120
"""Age of the free times, in seconds, from which the page says when they were checked."""
TAKEN_REASONS: Final = frozenset({"1", "2"})
"""Values of `taken` in the query: why a visitor was sent back to the times."""


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


class _Labels(NamedTuple):
    """Texts of the page that don't vary, in one language: looking each up for each page would cost a tenth of it."""

    anyone: str
    earlier_dates: str
    later_dates: str
    earlier_times: str
    later_times: str
    hours_12: str
    hours_24: str
    other_clock: str
    """Label of the link to the other clock, with a place for its city."""
    parts: dict[PartOfDay, str]


@cached_with_language(64)
def _labels(_language: str) -> _Labels:
    """Return the page's labels in the language, which is the active one."""
    return _Labels(
        anyone=pgettext("label", "Anyone"),
        earlier_dates=pgettext("button", "Earlier dates"),
        later_dates=pgettext("button", "Later dates"),
        earlier_times=pgettext("button", "Earlier times"),
        later_times=pgettext("button", "Later times"),
        hours_12=pgettext("button", "12-hour clock"),
        hours_24=pgettext("button", "24-hour clock"),
        # Translators: a link. city is such as "New York".
        other_clock=pgettext("button", "Show %(city)s time"),
        parts={part: part_label(part) for part in PartOfDay},
    )


class Weekday(NamedTuple):
    """Heading of a column of the calendar."""

    short: str
    full: str
    narrow: str
    """For where there is too little room for `short`."""


def slot_context(
    visit: WidgetRequest,
    view: CalendarPage,
    links: SlotLinks,
    renderer: PageRenderer,
    *,
    clocks: ShownClocks,
    age_notice: str = "",
    is_visitors_zone: bool = True,
    says_length: bool = False,
    booked: date | None = None,
    requested: RequestedDays | None = None,
) -> dict[str, Any]:
    """Return the context of steps/slot.html, without `kb`.

    `renderer` is the one that renders the page: it notes which templates the parts come from. `clocks` are those that
    the view was made with. `is_visitors_zone` is False where nobody knows the visitor's zone, and `clocks.visitor` is
    another one: then no text says "you" of it. With `says_length` each time says how long it is, for a page whose head
    can't say it for all. `booked` is the day of the booking that is rescheduled, which the calendar marks. `requested`
    is what a link asks for besides the choices.
    """
    own_links, links = links, _keep_weekdays(links, requested)
    same_page = _SamePage.build(view, own_links.here, requested)
    labels = _labels(visit.language)
    providers = _provider_options(view, labels.anyone)
    return {
        "hosts": _hosts(view, links, providers),
        "host_select": _host_select(view, links, renderer.page, providers),
        "party": _party(view, links, renderer.page),
        "month": _calendar(visit, view, links, renderer, booked, labels),
        "day": _day(visit, view, view.day, links, renderer, labels, says_length=says_length) if view.day else None,
        "empty": _empty(visit, view, links),
        "next_free_notice": _next_free_notice(visit, view),
        "limits": limit_chips(visit, requested, own_links.here, provider=_provider_name(view)),
        "missed_notice": _("Nothing is free then. These are the nearest times.")
        if view.misses_date_range and view.nearest
        else "",
        "clock": _clock(visit, view, same_page, clocks, labels, is_visitors_zone=is_visitors_zone),
        "nearest": _nearest(visit, view, links, renderer) if view.nearest else "",
        "zone": {
            "name": clocks.visitor,
            "label": format_timezone(visit, clocks.visitor),
            "now": formatting.clock_time(
                visit.now.astimezone(get_timezone(clocks.visitor)), visit.language, visit.choices.hours
            ),
            "change_url": links.zone,
            "of_times": clocks.shown == clocks.visitor,
            "is_visitors": is_visitors_zone,
            # Where the script may find another zone, the times are held back until it has looked.
            "follows_visitor": clocks.follows_visitor,
        },
        "hours": _hours(visit, view, same_page, labels),
        "age_notice": age_notice,
        "watch": _watch(visit, view, own_links, requested),
    }


class _SamePage(NamedTuple):
    """Links that show the same page in another way, which ends nothing that was asked for."""

    choices: Choices
    here: Callable[[Choices], str]
    follows_clock: bool
    """The page is that of a day which the other clock may count otherwise."""

    @classmethod
    def build(cls, view: CalendarPage, here: Callable[..., str], requested: RequestedDays | None) -> _SamePage:
        if requested is None:
            return cls(_choices_for_same_page(view), here, follows_clock=True)
        # Not by month and day, as without: that would end the days that are wanted.
        return cls(view.choices, partial(here, **dict(requested.query_items())), follows_clock=False)


def _keep_weekdays(links: SlotLinks, requested: RequestedDays | None) -> SlotLinks:
    """Return links that keep the weekdays on which no time is wanted: unlike the date range, for every page."""
    if requested is None or not requested.excluded_weekdays:
        return links
    kept = replace(requested, until=None).query_items()
    return replace(
        links,
        here=partial(links.here, **dict(kept)),
        hidden=lambda choices: [*links.hidden(choices), *kept],
    )


def carried_query(
    visit: WidgetRequest,
    requested: RequestedDays | None = None,
    *,
    taken: str = "",
    near: datetime | None = None,
) -> dict[str, str]:
    """Return what a side page carries besides the choices, to lead back to the page of times that it came from.

    These are the names of the query that a page of times reads beside those of `Choices`. The arguments are as
    `slots_page` has them, by default those of the query.
    """
    taken = taken or visit.query.get("taken", "")
    later = parse_start(visit.query.get("later", ""))
    if taken in TAKEN_REASONS:
        near = near or parse_start(visit.query.get("near", ""))
        starts = {"near": near, "later": later}
        found = {"taken": taken}
    else:
        requested = requested or RequestedDays.from_query(visit.query)
        starts = {"from": parse_usual_time(visit), "later": later}
        found = dict(requested.query_items()) if requested else {}
    return found | {name: format_start(start) for name, start in starts.items() if start} | page_queries(visit)


def limit_chips(
    visit: WidgetRequest, requested: RequestedDays | None, here: Callable[..., str], *, provider: str = ""
) -> list[dict[str, str]]:
    """Return what the times are limited to, each with the URL of the page without it; [] without limits.

    These are the time of day and, where a link has asked for something, days, host and party as well: elsewhere, the
    page has its own controls for them. `here` gets choices and perhaps more of the query. `provider` is the name of the
    host or team, or "" where none is chosen or known.
    """
    choices, language, found = visit.choices, visit.language, []

    def add(label: str, without: Choices, left: RequestedDays | None = requested) -> None:
        # Translators: removes what is in the chip from the search, such as "Remove: after 3:00 PM".
        remove = pgettext("button", "Remove: %(limit)s") % {"limit": label}
        url = here(without, **dict(left.query_items() if left else ()))
        found.append({"label": label, "remove": remove, "url": url})

    if requested and not choices.month and (choices.day or requested.until):
        label = describe_days(choices.day or visit.now.date(), requested.until, language)
        add(label, choices.replace(day=None), replace(requested, until=None))
    if requested and requested.excluded_weekdays:
        names = [formatting.weekday_names(language)[day][1] for day in sorted(requested.excluded_weekdays)]
        # Translators: days is one weekday, or several: "Monday, Tuesday".
        label = pgettext("limit of the times", "not on %(days)s") % {"days": ", ".join(names)}
        add(label, choices, replace(requested, excluded_weekdays=frozenset()))
    if label := describe_time_of_day(choices, language):
        add(label, choices.replace(after=None, before=None))
    if requested and provider:
        add(provider, choices.replace(host_id=None, team_id=None))
    if requested and choices.party_size > 1:
        count = choices.party_size
        label = ngettext("%(count)s person", "%(count)s people", count) % {"count": count}
        add(label, choices.replace(party_size=1))
    return found


def describe_days(first: date, last: date | None, language: str) -> str:
    """Return a day, or several from the first to the last, as a limit of the times."""
    if last is None or last <= first:
        return formatting.day_title(first, language)
    return formatting.join_range(formatting.short_day(first, language), formatting.short_day(last, language), language)


def describe_time_of_day(choices: Choices, language: str) -> str:
    """Return the time of day to which the times are limited, such as "after 3:00 PM"; "" without a limit."""

    def written(moment: time) -> str:
        return formatting.clock_time(moment, language, choices.hours)

    if choices.after and choices.before:
        return formatting.join_range(written(choices.after), written(choices.before), language)
    if choices.after:
        # Translators: on a button that says which times are shown. time is such as "3:00 PM".
        return pgettext("limit of the times", "after %(time)s") % {"time": written(choices.after)}
    if choices.before:
        # Translators: on a button that says which times are shown. time is such as "3:00 PM".
        return pgettext("limit of the times", "before %(time)s") % {"time": written(choices.before)}
    return ""


def _hosts(view: CalendarPage, links: SlotLinks, options: Sequence[_ProviderOption]) -> list[dict[str, Any]]:
    """Return "Anyone" and the hosts and teams to choose from; [] when there is no choice."""
    if not options:
        return []
    base = _choices_from_shown_day(view)
    return [
        {
            "name": option.name,
            "url": links.here(base.replace(host_id=option.host_id, team_id=option.team_id)),
            "current": option.current,
        }
        for option in options
    ]


def _host_select(
    view: CalendarPage, links: SlotLinks, page: Page, options: Sequence[_ProviderOption]
) -> dict[str, Any] | None:
    """Return the context of the form that chooses between many hosts and teams; None where they are links."""
    if len(options) <= MAX_HOST_LINKS + 1:
        return None
    choices = [
        {
            "value": provider_value(host_id=option.host_id, team_id=option.team_id),
            "name": option.name,
            "current": option.current,
        }
        for option in options
    ]
    if not any(option.current for option in options):
        # A select without a selected option would show its first, and claim that these are the times of anyone.
        chosen = provider_value(host_id=view.choices.host_id, team_id=view.choices.team_id)
        choices.append({"value": chosen, "name": _("The person you chose"), "current": True})
    return _form(_choices_from_shown_day(view).replace(host_id=None, team_id=None), links, page) | {"choices": choices}


def _form(choices: Choices, links: SlotLinks, page: Page) -> dict[str, Any]:
    """Return URL and hidden fields of a form that changes one of the choices."""
    url, hidden = page.form_target(links.here(choices), links.form, links.hidden(choices))
    # Lists, not tuples: a skeleton has placeholders for what is in them.
    return {"url": url, "hidden": [*map(list, hidden)]}


class _ProviderOption(NamedTuple):
    """Anyone, a host or a team that can be chosen."""

    name: str
    current: bool
    host_id: str | None = None
    team_id: str | None = None


def _provider_options(view: CalendarPage, anyone: str) -> list[_ProviderOption]:
    """Return anyone, by the given name, and the hosts and teams to choose from; [] when there is no choice."""
    # Of both, the host decides: the team is that host's.
    chosen = (view.choices.host_id, None if view.choices.host_id else view.choices.team_id)
    # A chosen host may have no slot in these weeks, and isn't listed then. "Anyone" is, as the way back.
    if not view.hosts and not view.teams and chosen == (None, None):
        return []
    providers = [
        *((host.name or "", view.host_teams.get(host.id, ""), query_id(host.id), None) for host in view.hosts),
        *((team.name or "", "", None, query_id(team.id)) for team in view.teams),
    ]
    names = _unique_names([(name, team) for name, team, _host_id, _team_id in providers])
    return [
        _ProviderOption(anyone, chosen == (None, None)),
        *(
            _ProviderOption(name, chosen == (host_id, team_id), host_id, team_id)
            for name, (_name, _team, host_id, team_id) in zip(names, providers, strict=True)
        ),
    ]


def provider_choices(view: CalendarPage) -> list[tuple[str, str]]:
    """Return value (`provider_value`) and name of anyone and of each host and team; [] when there is no choice."""
    return [
        (provider_value(host_id=option.host_id, team_id=option.team_id), option.name)
        for option in _provider_options(view, pgettext("label", "Anyone"))
    ]


def _unique_names(providers: Sequence[tuple[str, str]]) -> list[str]:
    """Return a name for each pair of a name and a team's name, or "".

    Those who share a name get that of their team beside it or, where it doesn't tell them apart, a number.
    """
    sharing: dict[str, list[int]] = {}
    for index, (name, _team) in enumerate(providers):
        sharing.setdefault(name.casefold(), []).append(index)
    names = [name for name, _team in providers]
    for indexes in sharing.values():
        if len(indexes) > 1:
            with_team = [provider_text(*providers[index]) for index in indexes]
            # Translators: one of several people who have the same name, such as "Sarah (1 of 2)".
            numbered = _("%(name)s (%(number)s of %(count)s)")
            for number, index in enumerate(indexes, 1):
                names[index] = (
                    with_team[number - 1]
                    if len({name.casefold() for name in with_team}) == len(indexes)
                    else numbered % {"name": names[index], "number": number, "count": len(indexes)}
                )
    return names


def _party(view: CalendarPage, links: SlotLinks, page: Page) -> dict[str, Any] | None:
    """Return the context of the party size's form; None when there is no choice."""
    if not view.party_sizes:
        return None
    return {
        **_form(_choices_from_shown_day(view).replace(party_size=1), links, page),
        "value": view.choices.party_size,
        "choices": list(view.party_sizes),
        "label": _("Number of people"),
    }


def _calendar(
    visit: WidgetRequest,
    view: CalendarPage,
    links: SlotLinks,
    renderer: PageRenderer,
    booked: date | None,
    labels: _Labels,
) -> dict[str, Any]:
    language = visit.language
    base = view.choices.replace(month=view.month)

    def turn(page: date | None, label: str) -> dict[str, str] | None:
        return {"url": links.here(base.replace(month=page, day=None)), "label": label} if page else None

    return {
        "title": formatting.months_title(max(view.start, view.today), view.last, language),
        "previous": turn(view.previous, labels.earlier_dates),
        "next": turn(view.next, labels.later_dates),
        "weekdays": _weekdays(language),
        "rows": week_rows(
            view,
            part=renderer.part(DAY),
            url=links.here(base.replace(day=ANY_DAY)),
            language=language,
            target_id=visit.target_id,
            form=renderer.page.form_input_form_id,
            booked=booked,
        ),
    }


@lru_cache(maxsize=128)
def _weekdays(language: str) -> list[Weekday]:
    """Return the headings of the calendar's columns, in order."""
    narrow = formatting.narrow_weekday_names(language)
    names = [Weekday(*name, narrow[day]) for day, name in enumerate(formatting.weekday_names(language))]
    first = formatting.first_weekday(language)
    return names[first:] + names[:first]


def _day(
    visit: WidgetRequest,
    view: CalendarPage,
    day: date,
    links: SlotLinks,
    renderer: PageRenderer,
    labels: _Labels,
    *,
    says_length: bool,
) -> dict[str, Any]:
    """Return the context of the day: at most `MAX_TIMES_SHOWN` times, and links to the earlier and later ones."""
    language, times = visit.language, view.times
    here = links.here(view.choices.replace(month=view.month, day=day))
    after = _after(visit)
    first = next((index for index, time in enumerate(times) if after and time.start > after), 0)
    last = first + MAX_TIMES_SHOWN
    # The link to the later ones names a start, so times that start together stay together.
    while 0 < last < len(times) and times[last].start == times[last - 1].start:
        last += 1
    shown, more = times[first:last], len(times) > last
    part = renderer.part(TIME)
    return {
        "title": formatting.day_heading(day, language),
        "iso": day.isoformat(),
        "parts": [
            {
                "title": labels.parts[part_of_day],
                "times": time_items(
                    times,
                    part=part,
                    url=links.time,
                    language=language,
                    hours=view.choices.hours,
                    form=renderer.page.form_input_form_id,
                    says_length=says_length,
                ),
            }
            for part_of_day, times in parts_of_day(shown)
        ],
        "earlier": {"url": here, "label": labels.earlier_times} if first else None,
        "later": {"url": f"{here}&later={format_start(shown[-1].start)}", "label": labels.later_times}
        if more
        else None,
    }


def _nearest(visit: WidgetRequest, view: CalendarPage, links: SlotLinks, renderer: PageRenderer) -> str:
    """Return the buttons of the times that are nearest to the lost one, each with its date."""
    return time_items(
        view.nearest,
        part=renderer.part(TIME),
        url=links.time,
        language=visit.language,
        hours=view.choices.hours,
        form=renderer.page.form_input_form_id,
        says_day=True,
    )


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


def _empty(visit: WidgetRequest, view: CalendarPage, links: SlotLinks) -> dict[str, Any] | None:
    """Return the text in place of the times, with a link to where there may be some; None when the page has some."""
    if view.largest_party is not None:
        return _party_too_large(view.largest_party, view, links)
    match view.empty:
        case EmptyReason.PAGE_FULL if view.first_free:
            return {
                "text": _with_limits(visit, _("There are no free times in the weeks shown."), view),
                "url": links.here(view.choices.replace(month=None, day=view.first_free)),
                "label": _("Next free day: %(date)s") % {"date": formatting.day_title(view.first_free, visit.language)},
            }
        case EmptyReason.NOTHING_FREE:
            later = view.searched_until + timedelta(days=1) if view.searched_until else None
            url = label = ""
            if later:
                # By its day, not as a month: the first page from there on that has a free day is shown.
                url, label = links.here(view.choices.replace(month=None, day=later)), _("See later dates")
            elif view.searched_from:
                url, label = links.here(view.choices.replace(month=None, day=None)), pgettext("button", "Earlier times")
            return {"text": _with_limits(visit, _nothing_free(visit, view), view), "url": url, "label": label}
    return None


def _party_too_large(largest: int, view: CalendarPage, links: SlotLinks) -> dict[str, Any]:
    """Return the text for a party that no time has room for, with a link to the times for the largest one."""
    text = ngettext(
        "Each time has room for only %(count)s person.",
        "No time has room for more than %(count)s people.",
        largest,
    )
    label = ngettext("Times for %(count)s person", "Times for %(count)s people", largest)
    url = links.here(_choices_from_shown_day(view).replace(party_size=largest))
    return {"text": text % {"count": largest}, "url": url, "label": label % {"count": largest}}


def _nothing_free(visit: WidgetRequest, view: CalendarPage) -> str:
    """Return the text for a page that found nothing free. It says which days were looked at, unless it was all."""

    def written(day: date | None) -> str:
        return formatting.month_day(day, visit.language) if day else ""

    dates = {"start": written(view.searched_from), "end": written(view.searched_until)}
    if view.searched_from and view.searched_until:
        # Translators: start and end are dates, such as "March 31".
        return _("There are no free times from %(start)s to %(end)s.") % dates
    if view.searched_until:
        # Translators: end is a date, such as "March 31".
        return _("There are no free times until %(end)s.") % dates
    if view.searched_from:
        # Translators: start is a date, such as "March 31".
        return _("There are no free times from %(start)s on.") % dates
    return _("There are no free times at the moment. Please check again later.")


def _with_limits(visit: WidgetRequest, text: str, view: CalendarPage) -> str:
    """Append for whom was looked, where there may be times for others."""
    limits = [text]
    if host := _provider_name(view):
        limits.append(_("Only times with %(host)s were looked at.") % {"host": host})
    if label := describe_time_of_day(view.choices, visit.language):
        # Translators: limit is a time of day, such as "after 3:00 PM" or "2:00 PM - 4:00 PM".
        limits.append(_("Only times of this part of the day were looked at: %(limit)s.") % {"limit": label})
    if view.choices.party_size > 1:
        count = view.choices.party_size
        limits.append(
            ngettext(
                "Only times for %(count)s person were looked at.",
                "Only times for %(count)s people were looked at.",
                count,
            )
            % {"count": count}
        )
    return " ".join(limits)


def _next_free_notice(visit: WidgetRequest, view: CalendarPage) -> str:
    """Return the notice that later weeks are shown than those of the chosen day; "" where it is these."""
    if not view.is_next_free or not view.day:
        return ""
    date, host = formatting.day_title(view.day, visit.language), _provider_name(view)
    if host:
        # Translators: host is the name of a person or team, date such as "Tuesday, December 1".
        return _("The next free time with %(host)s is %(date)s.") % {"host": host, "date": date}
    # Translators: date is such as "Tuesday, December 1".
    return _("The next free time is %(date)s.") % {"date": date}


def _provider_name(view: CalendarPage) -> str:
    """Return the name of the chosen host or team, or both; "" when there is none, or the host's isn't known."""
    host = _name_of(view.choices.host_id, view.hosts)
    if view.choices.host_id and not host:
        return ""
    return provider_text(host, _name_of(view.choices.team_id, view.teams))


def _name_of(chosen: str | None, providers: Sequence[Host | Team]) -> str:
    return next((each.name for each in providers if query_id(each.id) == chosen and each.name), "")


def _choices_from_shown_day(view: CalendarPage) -> Choices:
    """Return the choices for a link that changes what is free: they name a day and no month.

    A page stays shown though it is empty, because the visitor has turned to it. From a day, it goes on to the next free
    one.
    """
    return view.choices.replace(month=None, day=view.day or (view.start if view.choices.month else view.choices.day))


def choices_for_return(view: CalendarPage) -> Choices:
    """Return the choices for a link that leads back to this page: what is shown, if the visitor chose where to look."""
    return _choices_for_same_page(view) if view.choices.requested_date() else view.choices


def _choices_for_same_page(view: CalendarPage) -> Choices:
    """Return the choices that show this page again."""
    return view.choices.replace(month=view.month, day=view.day) if view.day else view.choices


def _clock(
    visit: WidgetRequest,
    view: CalendarPage,
    same_page: _SamePage,
    clocks: ShownClocks,
    labels: _Labels,
    *,
    is_visitors_zone: bool,
) -> dict[str, Any]:
    """Return the sentence that says by which clock the times are, and the link to the other one if it differs."""
    moments = [time.start for time in view.times] or [visit.now]
    city = clock_city(clocks.shown, visit.language, moments[0])
    if clocks.other is None:
        return {"text": clock_text(city, visit.language), "switch": None}
    other = clock_city(clocks.other, visit.language, moments[0])
    difference = clock_difference(moments, clocks.shown, clocks.other)
    is_visitors = is_visitors_zone and clocks.other == clocks.visitor
    text = clock_text(city, visit.language, difference, other_city=other, is_visitors=is_visitors)
    if difference == timedelta():
        return {"text": text, "switch": None}
    chosen = "visitor" if clocks.other == clocks.visitor else "business"
    # A day of the other clock: the first time that is shown here is shown there as well.
    there = moments[0].astimezone(get_timezone(clocks.other)).date()
    day = there if view.day and same_page.follows_clock else view.choices.day
    url = same_page.here(same_page.choices.replace(clock=chosen, day=day))
    return {"text": text, "switch": {"url": url, "label": labels.other_clock % {"city": other}}}


def _hours(visit: WidgetRequest, view: CalendarPage, same_page: _SamePage, labels: _Labels) -> dict[str, str]:
    """Return the link to the other hour format."""
    here = same_page.choices
    now = view.choices.hours or formatting.default_hours(visit.language)
    if now == "12":
        return {"url": same_page.here(here.replace(hours="24")), "label": labels.hours_24}
    return {"url": same_page.here(here.replace(hours="12")), "label": labels.hours_12}


def _watch(
    visit: WidgetRequest, view: CalendarPage, links: SlotLinks, requested: RequestedDays | None
) -> dict[str, str]:
    """Return the URL that an open page polls, and a version to compare: a hash of what is free, and not of texts."""
    # Month and day: an open page must not turn to other weeks by itself, so empty ones stay.
    shown = view.choices.replace(month=view.start, day=view.day) if view.day else view.choices
    after = _after(visit)
    more = {"later": format_start(after)} if after else {}
    if requested:
        # What was asked for stays, and so does the page that it leads to.
        shown, more = visit.choices, more | dict(requested.query_items()) | page_queries(visit)
    here = links.here(shown)
    fingerprint = [
        f"{view.start}",
        *[day.isoformat() for day, _times in view.free_days],
        f"{view.day}",
        *[f"{format_start(time.start)}-{format_start(time.end)}-{time.free}" for time in view.times],
    ]
    return {
        "url": f"{here}{'&' if '?' in here else '?'}{urlencode(more, safe=':')}" if more else here,
        "version": blake2b(" ".join(fingerprint).encode(), digest_size=8).hexdigest(),
    }


def _after(visit: WidgetRequest) -> datetime | None:
    """Return the start after which the times of the day are shown, from the link to the later ones."""
    return parse_start(visit.query.get("later", ""))


def describe_age(visit: WidgetRequest, cached: Cached[Any], *, min_age_seconds: float = inf) -> str:
    """Return a notice when the data is degraded (Kordless can't be asked) or `min_age_seconds` old; else ""."""
    age = int(visit.now.timestamp() - cached.fetched_at)
    if not cached.degraded and age < min_age_seconds:
        return ""
    minutes, hours = max(1, age // 60), age // 3600
    if hours >= NOTICE_IN_HOURS_FROM:
        text = ngettext(
            "Last checked %(hours)s hour ago. Times may have changed; we’ll check again when you book.",
            "Last checked %(hours)s hours ago. Times may have changed; we’ll check again when you book.",
            hours,
        )
        return text % {"hours": hours}
    text = ngettext(
        "Last checked %(minutes)s minute ago. Times may have changed; we’ll check again when you book.",
        "Last checked %(minutes)s minutes ago. Times may have changed; we’ll check again when you book.",
        minutes,
    )
    return text % {"minutes": minutes}
