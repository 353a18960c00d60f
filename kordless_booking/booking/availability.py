"""Availability: from Kordless's slots in UTC to the free times on the dates of the visitor's calendar.

All arithmetic is done on instants (UTC), and only the results are converted to local time. So days with 23, 24, 24½ or
25 hours come out right without special cases. Nothing here knows texts, links or requests, nothing is read or fetched,
and `now` is always an argument.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum, StrEnum, auto
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from kordless_booking.api.resources import Host, NewBooking, Slot, Team
from kordless_booking.api.times import is_same_length, is_same_time
from kordless_booking.booking.choices import query_id
from kordless_booking.booking.slot_cache import cached_by_slots
from kordless_booking.limits import MAX_PARTY_SIZE, MAX_WINDOW_DAYS
from kordless_booking.presentation.formatting import crosses_midnight
from kordless_booking.presentation.search import normalize_words
from kordless_booking.presentation.timezones import is_ambiguous

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from zoneinfo import ZoneInfo

    from kordless_booking.booking.choices import Choices
    from kordless_booking.booking.requested_days import DateRange

WEEKS_SHOWN = 5
"""Weeks of one page of the calendar. Beginning with the current week they show at least the next 29 days, as people
know a month, and five rows leave room for the first times on a phone. The same number on each page: nothing jumps."""
PAGE = timedelta(weeks=WEEKS_SHOWN)


_NameKey = tuple[bool, str, str, str]


class Opening(NamedTuple):
    """A bookable time in UTC: the part of an `AvailableTime` that is the same for all visitors."""

    start: datetime
    end: datetime
    slots: tuple[Slot, ...]
    free: int
    capacity: int


class AvailableTime(msgspec.Struct, frozen=True, kw_only=True):
    """A bookable time in the visitor's time zone, with everybody who is free then."""

    start: datetime
    """UTC, as is `end`."""
    end: datetime
    local_start: datetime
    """The same instants in the visitor's time zone, as is `local_end`."""
    local_end: datetime
    slots: tuple[Slot, ...]
    """The slots of this time: one for each host and team, by the names of host and team, those without a host last."""
    free: int
    """Seats left with the host who has most: a booking can't be split between hosts."""
    capacity: int
    """All seats with that host, taken ones included."""
    ambiguous: bool = False
    """The clocks go back and show this start twice (PEP 495), so the page has to show its offset."""
    crosses_midnight: bool = False
    """Ends on a later date than it starts. Ending at midnight sharp does not count."""


class EmptyReason(Enum):
    """Reason why a page of the calendar has no free day."""

    PAGE_FULL = auto()
    """A later page has one, see `CalendarPage.first_free`."""
    NOTHING_FREE = auto()
    """No page that was looked at has one, see `CalendarPage.searched_from` and `searched_until`."""


class CalendarPages(msgspec.Struct, frozen=True, kw_only=True):
    """The pages of the calendar: `WEEKS_SHOWN` weeks each, without a gap, from the current week on.

    A page is known by its first day. All dates are of the visitor's calendar.
    """

    today: date
    last: date
    """Last day that can be booked."""
    first_weekday: int
    """Day with which weeks begin; 0 is Monday."""
    first: date
    """The first day of the current week, with which the first page begins: weeks that are over aren't shown."""

    def to_open(self, choices: Choices) -> date:
        """Return the page to open first: the one that begins with the week of the chosen month, moved into the bounds.

        Without a chosen month it is the page that has the chosen day, else the first. Whoever turns pages from the
        first on sees the same ones.
        """
        if choices.month is None:
            return self.page_with(choices.day or self.today)
        return max(self.first, min(_week_of(choices.month, self.first_weekday), self.page_with(self.last)))

    def page_with(self, day: date) -> date:
        """Return the page that has a day, in the order of turning from the first; the nearest page for one outside."""
        within = min(max(day, self.today), self.last)
        return self.first + (within - self.first) // PAGE * PAGE

    def before(self, page: date) -> date | None:
        """Return the page before; None for the first, and as far as weeks that are over would be shown the first."""
        return max(self.first, page - PAGE) if page > self.first else None

    def after(self, page: date) -> date | None:
        """Return the page after; None where nothing of it can be booked."""
        return page + PAGE if page + PAGE <= self.last else None


class CalendarPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the calendar with its free times, and one of its days. All dates are those of its `zone`."""

    choices: Choices
    """The choices that it was made for; without the chosen host and team, if `provider_unavailable`."""
    start: date
    """First day of the page."""
    last: date
    """Last day of the page that can be booked."""
    month: date | None
    """Month to name in links to another day, so that they stay on this page; None where the day is enough."""
    free_days: tuple[tuple[date, int], ...]
    """The days of the page that can be chosen, in order, each with the number of times that the party can book with the
    host."""
    today: date
    """May lie on another page."""
    day: date | None
    """The day whose times are shown: the chosen one if it is free, else the first free one."""
    times: tuple[AvailableTime, ...]
    """All free times of that day, in order."""
    nearest: tuple[AvailableTime, ...]
    """The free times of the page that are nearest to the one that was asked about, in order; empty without any."""
    previous: date | None
    """First day of the page before; None where nothing can be booked, as for `next`."""
    next: date | None
    first_free: date | None
    """First free day, of this page or of a later one that was looked at."""
    empty: EmptyReason | None
    """None when the page has a free day."""
    is_next_free: bool
    """A later page than the chosen day's is shown, because that one has no free day."""
    searched_from: date | None
    """First day that was looked at, when earlier ones can be booked too; else None."""
    searched_until: date | None
    """Last day that was looked at, when later ones can be booked too; else None."""
    provider_unavailable: bool
    """The chosen host or team has no slot at all on the pages that were looked at, so everyone's times are shown."""
    hosts: tuple[Host, ...]
    """Hosts to choose from: those with a name and any slot on the page, by name. Empty when there is no choice, also
    among the teams."""
    teams: tuple[Team, ...]
    """Teams to choose from, by name: those with a name and a slot on the page that names no host, and the chosen one.
    """
    host_teams: Mapping[str, str]
    """Names of the teams in which hosts work, by the host's id: only of hosts who always have the same team."""
    party_sizes: range
    """Party sizes to choose from. Empty when every time has one seat."""
    largest_party: int | None
    """Seats of the largest time that is known, when the chosen party is larger; else None."""
    misses_date_range: bool = False
    """No time fits the days and the time of day that were asked for: `nearest` has those that come closest."""
    zone: ZoneInfo
    """The zone of all dates and times: the visitor's, or that of the place which they come to."""


def calendar_page(
    slots: Iterable[tuple[date, tuple[Slot, ...]]],
    choices: Choices,
    now: datetime,
    *,
    zone: ZoneInfo,
    pages: CalendarPages,
    keep_provider: bool = False,
    seats: int = 1,
    near: datetime | None = None,
    date_range: DateRange | None = None,
    excluded_weekdays: Collection[int] = frozenset(),
) -> CalendarPage:
    """Return the view of a page of the calendar.

    `slots` are pairs of a page (its first day) and the slots around it, in order. The first one is what `pages.to_open`
    returns. Another one is taken only while no page has a free day, so that an iterator can fetch each when it is
    needed. If the visitor chose no month, the first one with a free day is shown, also when the chosen day is on
    another; else the chosen one, though it may be empty.

    A chosen host or team that turns out to have no slot at all is left, unless `keep_provider`. When neither month nor
    day was chosen, only one page is searched for them, if others have free times on it: its four weeks and a day are
    longer than most holidays.

    `seats` is the capacity that the service itself names. No further page is taken for a party above it and above the
    capacity of all slots that were read: it is ruled out, and reading on may cost a request to Kordless.

    `near` is a start that the visitor wanted and lost; the view has the free times nearest to it. With `date_range`,
    the first day in it that is free is shown, also on a later page, and without one the nearest day and the nearest
    times at any time of day. No day of `excluded_weekdays` (0 is Monday) counts as free.

    Raises ValueError if `slots` is empty or `now` is naive.
    """

    def find_days(page: date, listed: tuple[Slot, ...], choices: Choices) -> dict[date, list[Opening]]:
        days = free_days(page, listed, choices, now, zone)
        if not excluded_weekdays:
            return days
        return {day: found for day, found in days.items() if day.weekday() not in excluded_weekdays}

    read: list[tuple[date, tuple[Slot, ...]]] = []
    found: list[tuple[date, tuple[Slot, ...], dict[date, list[Opening]]]] = []
    may_leave = not keep_provider and (choices.host_id is not None or choices.team_id is not None)
    is_open = choices.month is None and choices.day is None
    for candidate, its_slots in slots:
        read.append((candidate, its_slots))
        days = find_days(candidate, its_slots, choices)
        found.append((candidate, its_slots, days))
        may_fit_later = (
            date_range is not None and date_range.last >= candidate + PAGE and not _find_day(days, date_range)
        )
        if (days and not may_fit_later) or _largest_party(read, choices.party_size, seats):
            break
        if may_leave and is_open and _is_provider_unavailable(read, choices, now, zone):
            break
    if not read:
        raise ValueError("slots of at least one page are needed")
    provider_unavailable = may_leave and _is_provider_unavailable(read, choices, now, zone)
    if provider_unavailable:
        choices = _for_anyone(choices)
        found = [(page, listed, find_days(page, listed, choices)) for page, listed in read]
    with_free_days = [each for each in found if each[2]]
    first_free = next(iter(with_free_days[0][2])) if with_free_days else None
    fitting = [each for each in found if date_range and _find_day(each[2], date_range)]
    misses_date_range = date_range is not None and not fitting
    candidates = fitting or with_free_days
    page, listed, free = candidates[0] if candidates and choices.month is None else found[0]
    if date_range:
        day = _find_day(free, date_range) or min(
            free, key=lambda each: (abs(each - date_range.first), each), default=None
        )
    else:
        day = choices.day if choices.day in free else next(iter(free), None)
    nearest: list[Opening] = []
    if misses_date_range and date_range:
        # At any time of day: half an hour too early may be better than another day.
        any_time = choices.replace(after=None, before=None)
        all_days = [find_days(each, its_slots, any_time) for each, its_slots in read]
        wanted = datetime.combine(date_range.first, choices.after or choices.before or time(12), zone)
        nearest = _nearest({day: found for days in all_days for day, found in days.items()}, wanted)
    elif near:
        nearest = _nearest(free, near)
    times = localize(free[day], zone) if day else ()
    facts = _facts(_ByIdentity(listed))
    hosts, teams = _providers_to_choose(listed, facts, choices)
    last_read = read[-1][0] + PAGE - timedelta(days=1)
    return CalendarPage(
        choices=choices,
        start=page,
        last=min(page + PAGE - timedelta(days=1), pages.last),
        month=None if page == pages.page_with(page) else page,
        free_days=tuple([(each, len(openings)) for each, openings in free.items()]),
        today=pages.today,
        day=day,
        times=times,
        nearest=localize(nearest, zone),
        previous=pages.before(page),
        next=pages.after(page),
        first_free=first_free,
        empty=None if free else EmptyReason.PAGE_FULL if first_free else EmptyReason.NOTHING_FREE,
        is_next_free=choices.day is not None and page != read[0][0] and date_range is None,
        searched_from=read[0][0] if read[0][0] > pages.today else None,
        searched_until=last_read if last_read < pages.last else None,
        provider_unavailable=provider_unavailable,
        hosts=hosts,
        teams=teams,
        host_teams=facts.host_teams,
        party_sizes=_party_sizes(facts, choices.party_size),
        largest_party=_largest_party(read, choices.party_size, seats),
        misses_date_range=misses_date_range,
        zone=zone,
    )


NEAREST_TIMES = 3
"""Times that are offered to who lost one: they stand in one row on a phone."""


def _nearest(free: Mapping[date, list[Opening]], start: datetime) -> list[Opening]:
    """Return the openings that begin nearest to a start, in order of time; of equally near ones the earlier."""
    openings = [opening for listed in free.values() for opening in listed]
    nearest = sorted(openings, key=lambda opening: (abs(opening.start - start), opening.start))
    return sorted(nearest[:NEAREST_TIMES], key=lambda opening: (opening.start, opening.end))


def _find_day(free: Iterable[date], date_range: DateRange) -> date | None:
    return next((day for day in free if date_range.contains(day)), None)


def _is_provider_unavailable(
    pages: list[tuple[date, tuple[Slot, ...]]], choices: Choices, now: datetime, zone: tzinfo
) -> bool:
    """Return True if the chosen host or team has no slot on these pages, free or not, while others have free times."""
    anyone = _for_anyone(choices)
    return not any(_has_slot(listed, choices) for _, listed in pages) and any(
        free_days(page, listed, anyone, now, zone) for page, listed in pages
    )


def _has_slot(slots: tuple[Slot, ...], choices: Choices) -> bool:
    # Of both, the host decides: it would not be true to say that a host of another team isn't available.
    return any(
        _is_chosen(host, choices.host_id) if choices.host_id else _is_chosen(team, choices.team_id)
        for host, team in _facts(_ByIdentity(slots)).providers
    )


def _for_anyone(choices: Choices) -> Choices:
    return choices.replace(host_id=None, team_id=None)


def provider_name(slots: Iterable[Slot], choices: Choices) -> str:
    """Return the name of the chosen host, else that of the chosen team, if these slots have it; else ""."""
    chosen = choices.host_id or choices.team_id
    if not chosen:
        return ""
    providers = (slot.host if choices.host_id else slot.team for slot in slots)
    return next((each.name for each in providers if each and each.name and _is_chosen(each, chosen)), "")


def free_days(
    page: date, slots: tuple[Slot, ...], choices: Choices, now: datetime, zone: tzinfo
) -> dict[date, list[Opening]]:
    """Return the openings on the free days of a page, in order.

    `slots` may reach beyond the page, as the catalog's do, so that no zone's page is cut. Days of other pages are left
    out: the results of several pages can be put together, and no day comes twice.
    """
    days = free_openings(
        slots,
        zone=zone,
        now=now,
        host_id=choices.host_id,
        team_id=choices.team_id,
        party_size=choices.party_size,
    )
    end = page + PAGE
    days = {day: found for day, found in days.items() if page <= day < end}
    if choices.after or choices.before:
        days = {day: _at_time_of_day(found, choices, zone) for day, found in days.items()}
        days = {day: found for day, found in days.items() if found}
    return days


def _at_time_of_day(openings: list[Opening], choices: Choices, zone: tzinfo) -> list[Opening]:
    """Return the openings that begin at the time of day that the visitor wants, by the clock of the zone."""
    after, before = choices.after or time(), choices.before or time.max
    starts = [opening.start.astimezone(zone).time() for opening in openings]
    # An end before the beginning is on the next morning: the day has the times of two nights.
    joins = all if after < before else any
    return [opening for opening, start in zip(openings, starts, strict=True) if joins((after <= start, start < before))]


def free_times(
    slots: Iterable[Slot],
    *,
    zone: tzinfo,
    now: datetime,
    host_id: str | None = None,
    team_id: str | None = None,
    party_size: int = 1,
) -> dict[date, tuple[AvailableTime, ...]]:
    """Return the times that `party_size` people can still book, by the visitor's date; dates and times in order.

    Left out are times that have begun, have too few seats for the whole party with one host, belong to another host
    than `host_id` or to another team than `team_id` (either in full, or as `query_id` writes it), or end before they
    start. Slots with the same start and end are one time. Raises ValueError if `now` is naive.
    """
    openings = free_openings(slots, zone=zone, now=now, host_id=host_id, team_id=team_id, party_size=party_size)
    return {day: localize(found, zone) for day, found in openings.items()}


def free_openings(
    slots: Iterable[Slot],
    *,
    zone: tzinfo,
    now: datetime,
    host_id: str | None = None,
    team_id: str | None = None,
    party_size: int = 1,
) -> dict[date, list[Opening]]:
    """Return the free openings by the visitor's date: enough to know which dates are free, at a tenth of the cost.

    `localize` makes times of them. Pass the same tuple of slots again, as the catalog does for all visitors, and only
    what depends on the zone and on `now` is computed again. Raises ValueError if `now` is naive.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    whole = slots if isinstance(slots, tuple) else tuple(slots)
    key = _ByIdentity(whole)
    # Visitors can ask for any party, host and team. One that no slot has gets no entry of the cache.
    if party_size > 1 and party_size > _facts(key).max_seats:
        return {}
    if (host_id is not None or team_id is not None) and not any(
        _is_chosen(host, host_id) and _is_chosen(team, team_id) for host, team in _facts(key).providers
    ):
        return {}
    openings, starts = _openings(key, host_id, team_id, party_size)
    days: dict[date, list[Opening]] = {}
    begin = bisect_right(starts, now)
    # One conversion per month, or per date where the clock is set in it, instead of one per slot: the slots of a date
    # are found by bisecting the next midnight.
    while begin < len(starts):
        try:
            local = starts[begin].astimezone(zone)
            month, number = _local_month(zone, local.year, local.month), local.day
            midnight = month.ends[number - 1]
        except (OverflowError, IndexError):  # the day after 9999-12-31 does not exist
            break
        # At least one further: where midnight comes twice, it may lie before this start, and the loop would not end.
        end = bisect_left(starts, midnight, begin + 1)
        days.setdefault(local.date(), []).extend(openings[begin:end])
        while month.is_regular and end < len(starts) and number < len(month.ends):
            begin, number = end, number + 1
            end = bisect_left(starts, month.ends[number - 1], begin)
            if begin < end:
                days[date(local.year, local.month, number)] = openings[begin:end]
        begin = end
    return days


def localize(openings: Iterable[Opening], zone: tzinfo) -> tuple[AvailableTime, ...]:
    """Convert the openings of one date to local times, in order."""
    times: list[AvailableTime] = []
    changing: dict[date, bool] = {}
    for start, end, slots, free, capacity in openings:
        try:
            local_start, local_end = start.astimezone(zone), end.astimezone(zone)
            day = local_start.date()
            if day not in changing:
                changing[day] = _may_be_ambiguous(day, zone)
        except OverflowError:  # as above
            continue
        found = AvailableTime(
            start=start,
            end=end,
            local_start=local_start,
            local_end=local_end,
            slots=slots,
            free=free,
            capacity=capacity,
            ambiguous=changing[day] and is_ambiguous(local_start),
            crosses_midnight=crosses_midnight(local_start, local_end),
        )
        times.append(found)
    return tuple(times)


class _ByIdentity:
    """Cache key for a tuple of slots, compared by identity.

    Hashing a month of slots costs more than the cache saves.
    """

    __slots__ = ("slots",)

    def __init__(self, slots: tuple[Slot, ...]) -> None:
        self.slots = slots

    def __hash__(self) -> int:
        # Safe, because the cache holds the tuple: its id can't be given to another one.
        return id(self.slots)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.slots is self.slots


@cached_by_slots
def _openings(
    slot_key: _ByIdentity, host_id: str | None, team_id: str | None, party_size: int
) -> tuple[list[Opening], list[datetime]]:
    """Return the openings that a party can book with a host or team, in order of start, and the list of their starts.

    Independent of zone and `now`. The slots of one time become one opening.
    """
    by_time: dict[tuple[datetime, datetime], list[Slot]] = {}
    for slot in slot_key.slots:
        # Kordless may list full slots (unknown), so they are left out here.
        if slot.available < party_size or slot.available < 1 or slot.end <= slot.start:
            continue
        if not (_is_chosen(slot.host, host_id) and _is_chosen(slot.team, team_id)):
            continue
        by_time.setdefault((slot.start, slot.end), []).append(slot)
    openings = [_opening(start, end, slots) for (start, end), slots in sorted(by_time.items(), key=_first)]
    return openings, [opening.start for opening in openings]


def _opening(start: datetime, end: datetime, listed: list[Slot]) -> Opening:
    slots = _one_per_host_and_team(listed) if len(listed) > 1 else tuple(listed)
    best = max(slots, key=lambda slot: slot.available)
    # More free seats than seats is nonsense that Kordless may send: "5 of 1" is never shown.
    return Opening(start, end, slots, best.available, max(best.capacity, best.available))


def _is_chosen(provider: Host | Team | None, chosen: str | None) -> bool:
    """Return True for the host or team whose id was chosen, in full or as `query_id` writes it. None is any of them."""
    return chosen is None or (provider is not None and chosen in (provider.id, query_id(provider.id)))


class _LocalMonth(NamedTuple):
    """A month of a time zone."""

    ends: tuple[datetime, ...]
    """For each day when it ends, in UTC: where the clock skips midnight, the instant of the skip."""
    is_regular: bool
    """All of its days have 24 hours: no clock is set."""


# Two months of each time zone, which all services share.
@lru_cache(maxsize=1024)
def _local_month(zone: tzinfo, year: int, month: int) -> _LocalMonth:
    """Return a month, without the last day of the year 9999, which has no end."""
    begin = datetime(year, month, 1, tzinfo=zone)
    ends: list[datetime] = []
    is_regular = False
    with suppress(OverflowError):
        for number in range(1, monthrange(year, month)[1] + 1):
            following = date(year, month, number) + timedelta(days=1)
            end = datetime(following.year, following.month, following.day, tzinfo=zone)
            ends.append(end.astimezone(UTC))
        is_regular = all(end - start == timedelta(days=1) for start, end in pairwise([begin.astimezone(UTC), *ends]))
    return _LocalMonth(tuple(ends), is_regular)


def unique_hosts(slots: Iterable[Slot]) -> tuple[Host, ...]:
    """Return each host who has a slot once, by name; those without a name last."""
    return _facts(_ByIdentity(slots if isinstance(slots, tuple) else tuple(slots))).hosts


def unique_teams(slots: Iterable[Slot]) -> tuple[Team, ...]:
    """Return each team once that has a slot without a named host, by name; those without a name last.

    Where all slots of a team name their hosts, visitors choose among these.
    """
    return _facts(_ByIdentity(slots if isinstance(slots, tuple) else tuple(slots))).teams


def unique_lengths(slots: tuple[Slot, ...]) -> tuple[timedelta, ...]:
    """Return each length of the free slots once, the shortest first."""
    return _facts(_ByIdentity(slots)).lengths


def has_slot_for(slots: Iterable[Slot], request: NewBooking) -> bool:
    """Return True when one of the slots is the one that the request asks for, with room for its party."""
    return any(
        is_same_time(slot.start, request.start)
        and is_same_time(slot.end, request.end)
        and slot.available >= (request.party_size or 1)
        and (request.host_id is None or (slot.host is not None and slot.host.id == request.host_id))
        and (request.team_id is None or (slot.team is not None and slot.team.id == request.team_id))
        for slot in slots
    )


def slots_to_move_to(
    slots: tuple[Slot, ...], start: datetime, end: datetime, *, refused: datetime | None = None
) -> tuple[Slot, ...]:
    """Return the slots that a booking from `start` to `end` may move to.

    Left out are slots of another length, which Kordless refuses, the booking's own time, at which a group may have
    seats left, and slots that begin at `refused`. Bookings have whole seconds, and slots may have fractions.
    """
    found = tuple(
        slot
        for slot in slots
        if is_same_length(slot.end - slot.start, end - start)
        and not (is_same_time(slot.start, start) and is_same_time(slot.end, end))
        and slot.start != refused
    )
    # The same tuple where nothing is left out: what is cached for it, by its identity, is then used here as well.
    return slots if len(found) == len(slots) else found


def _largest_party(pages: list[tuple[date, tuple[Slot, ...]]], chosen: int, seats: int) -> int | None:
    """Return the capacity that is known from these pages and `seats`, if the chosen party is larger; else None."""
    # Without any slot it isn't known: a page may be empty because all of its times are taken.
    if chosen <= max(1, seats) or not any(listed for _, listed in pages):
        return None
    known = max(1, seats, *(max_party_size(listed) for _, listed in pages))
    return known if chosen > known else None


def max_party_size(slots: tuple[Slot, ...]) -> int:
    """Return the largest party that any of these slots could take if it were empty; 1 when there are none."""
    return _facts(_ByIdentity(slots)).max_seats


def _providers_to_choose(
    slots: tuple[Slot, ...], facts: _SlotFacts, choices: Choices
) -> tuple[tuple[Host, ...], tuple[Team, ...]]:
    hosts, named = facts.named_hosts, facts.named_teams
    if choices.team_id is not None:
        chosen = {slot.team.id: slot.team for slot in slots if slot.team and _is_chosen(slot.team, choices.team_id)}
        teams = {team.id: team for team in facts.teams} | chosen
        named = tuple(sorted((team for team in teams.values() if team.name), key=_by_name))
    # A chosen one can be left, though nobody else has a slot. Its own name isn't known if it has none itself.
    if len(hosts) + len(named) > 1 or choices.host_id or choices.team_id:
        return hosts, named
    return (), ()


def _party_sizes(facts: _SlotFacts, chosen: int) -> range:
    largest = max(min(facts.max_seats, MAX_PARTY_SIZE), chosen)
    return range(1, largest + 1) if largest > 1 else range(0)


class _SlotFacts:
    """Facts about some slots, whoever asks for them and when, each computed when it is first read."""

    def __init__(self, slots: tuple[Slot, ...]) -> None:
        self._slots = slots

    @cached_property
    def hosts(self) -> tuple[Host, ...]:
        """See `unique_hosts`."""
        return tuple(sorted({s.host.id: s.host for s in self._slots if s.host is not None}.values(), key=_by_name))

    @cached_property
    def named_hosts(self) -> tuple[Host, ...]:
        return tuple(host for host in self.hosts if host.name)

    @cached_property
    def teams(self) -> tuple[Team, ...]:
        """See `unique_teams`."""
        found = {s.team.id: s.team for s in self._slots if s.team is not None and not (s.host and s.host.name)}
        return tuple(sorted(found.values(), key=_by_name))

    @cached_property
    def named_teams(self) -> tuple[Team, ...]:
        return tuple(team for team in self.teams if team.name)

    @cached_property
    def providers(self) -> frozenset[tuple[Host | None, Team | None]]:
        return frozenset((slot.host, slot.team) for slot in self._slots)

    @cached_property
    def host_teams(self) -> Mapping[str, str]:
        """See `CalendarPage.host_teams`."""
        names: dict[str, set[str]] = {}
        for slot in self._slots:
            if slot.host is not None:
                names.setdefault(slot.host.id, set()).add((slot.team.name or "") if slot.team else "")
        return {host: name for host, (name, *others) in names.items() if name and not others}

    @cached_property
    def lengths(self) -> tuple[timedelta, ...]:
        """See `unique_lengths`."""
        return tuple(sorted({s.end - s.start for s in self._slots if s.available > 0 and s.end > s.start}))

    @cached_property
    def max_seats(self) -> int:
        """See `max_party_size`."""
        # More free seats than seats is nonsense that Kordless may send, and they are offered all the same.
        return max((max(slot.capacity, slot.available) for slot in self._slots), default=1)


@cached_by_slots
def _facts(slot_key: _ByIdentity) -> _SlotFacts:
    return _SlotFacts(slot_key.slots)


class PartOfDay(StrEnum):
    """Part of the visitor's day: night until 5, morning until 12, afternoon until 17, then evening."""

    NIGHT = "night"
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


# The part for each of the 24 hours.
_PART_BY_HOUR = [PartOfDay.NIGHT] * 5 + [PartOfDay.MORNING] * 7 + [PartOfDay.AFTERNOON] * 5 + [PartOfDay.EVENING] * 7


def parts_of_day(times: Iterable[AvailableTime]) -> list[tuple[PartOfDay, tuple[AvailableTime, ...]]]:
    """Group one day's times by part of the day, in the order of the clock; empty parts are left out."""
    parts: dict[PartOfDay, list[AvailableTime]] = {}
    for moment in times:
        parts.setdefault(_PART_BY_HOUR[moment.local_start.hour], []).append(moment)
    return [(part, tuple(parts[part])) for part in PartOfDay if part in parts]


def page_weeks(page: date) -> list[list[date]]:
    """Return the rows of a page's table: its weeks, seven days each."""
    dates = _dates(page)
    return [list(dates[row : row + 7]) for row in range(0, len(dates), 7)]


@lru_cache(maxsize=64)
def _dates(page: date) -> tuple[date, ...]:
    """Return every date of a page. Cached, because all visitors look at the same few pages."""
    return tuple(page + timedelta(days=number) for number in range(PAGE.days))


def calendar_pages(now: datetime, zone: tzinfo, window_days: int | None, first_weekday: int) -> CalendarPages:
    """Return the pages that may be opened, by the visitor's own today.

    `window_days` is how many days ahead can be booked: a year when unknown, and at most. `first_weekday`: 0 is Monday.
    """
    return _pages_from(now.astimezone(zone).date(), _window(window_days), first_weekday)


# Two or three days of the week are today somewhere on earth.
@lru_cache(maxsize=64)
def _pages_from(today: date, window_days: int, first_weekday: int) -> CalendarPages:
    return CalendarPages(
        today=today,
        last=today + timedelta(days=window_days),
        first_weekday=first_weekday,
        first=_week_of(today, first_weekday),
    )


def _week_of(day: date, first_weekday: int) -> date:
    """Return the first day of a date's week."""
    return day - timedelta(days=(day.weekday() - first_weekday) % 7)


def _first(item: tuple[tuple[datetime, datetime], list[Slot]]) -> tuple[datetime, datetime]:
    return item[0]


def _by_name(provider: Host | Team) -> _NameKey:
    return provider.name is None, *_alphabetical(provider.name or ""), provider.id


# Called for each of up to thousands of slots, which have few names.
@lru_cache(maxsize=1024)
def _alphabetical(name: str) -> tuple[str, str]:
    """Return the sort key of a name. Without accents first: Élise stands beside Elise, and not after Zoe."""
    return normalize_words(name), name.casefold()


def _by_provider(slot: Slot) -> tuple[bool, _NameKey, bool, _NameKey]:
    nobody = (True, "", "", "")
    return (
        slot.host is None,
        _by_name(slot.host) if slot.host else nobody,
        slot.team is None,
        _by_name(slot.team) if slot.team else nobody,
    )


def _may_be_ambiguous(day: date, zone: tzinfo) -> bool:
    """Return True when some local time may come twice on a date. Checked once per date, because `utcoffset` is slow."""
    month = _local_month(zone, day.year, day.month)
    # The last day may end with a change that the month doesn't count.
    if month.is_regular and day.day < len(month.ends):
        return False
    begin = datetime(day.year, day.month, day.day, tzinfo=zone)
    # `fold=1`: when the clocks go back around midnight, the day ends at the second midnight.
    end = (begin + timedelta(days=1)).replace(fold=1)
    return begin.utcoffset() != end.utcoffset()


def _one_per_host_and_team(slots: list[Slot]) -> tuple[Slot, ...]:
    """Return the slot with most seats left for each host and team: Kordless may list one time of them repeatedly."""
    chosen: dict[tuple[str | None, str | None], Slot] = {}
    for slot in slots:
        key = slot.host.id if slot.host else None, slot.team.id if slot.team else None
        if key not in chosen or chosen[key].available < slot.available:
            chosen[key] = slot
    return tuple(sorted(chosen.values(), key=_by_provider))


def _window(days: int | None) -> int:
    return MAX_WINDOW_DAYS if days is None else min(max(days, 0), MAX_WINDOW_DAYS)
