"""Days: slots on the visitor's own calendar, in every zone and over every change of the clocks."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.api.resources import Host, Slot, Team
from kordless_booking.booking import availability
from kordless_booking.booking.availability import (
    PAGE,
    WEEKS_SHOWN,
    CalendarPage,
    CalendarPages,
    EmptyReason,
    PartOfDay,
    calendar_page,
    calendar_pages,
    free_days,
    free_times,
    page_weeks,
    parts_of_day,
    slots_to_move_to,
    unique_hosts,
    unique_lengths,
    unique_teams,
)
from kordless_booking.booking.choices import Choices
from kordless_booking.limits import MAX_PARTY_SIZE
from kordless_booking.presentation.timezones import get_timezone
from kordless_booking.presentation.vtimezone import utc_offset_changes
from tests.support.call_counter import count_calls
from tests.support.timezones import EVERY_ZONE

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SARAH, TOM = Host(id="host_sarah", name="Sarah"), Host(id="host_tom", name="Tom")
CUT, COLOR = Team(id="team_cut", name="Cut"), Team(id="team_color", name="Color")
HOUR = timedelta(hours=1)


def at(text):
    """A UTC instant from "2026-03-29 01:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slot(start, *, minutes=60, host=None, team=None, free=1, capacity=1):
    """A slot that starts at an instant or a text of one."""
    start = at(start) if isinstance(start, str) else start
    end = start + timedelta(minutes=minutes)
    return Slot(start=start, end=end, host=host, team=team, available=free, capacity=capacity)


def clocks(times):
    """Return the local start times as the visitor's clock shows them."""
    return [moment.local_start.strftime("%H:%M") for moment in times]


def flat(days):
    """All times of all days, in order."""
    return [moment for times in days.values() for moment in times]


def test_times_stand_on_the_visitors_own_date():
    """One instant is Tuesday on Kiritimati and Monday on Niue."""
    slots = [slot("2026-12-01 10:30")]
    assert list(free_times(slots, zone=get_timezone("Pacific/Kiritimati"), now=NOW)) == [date(2026, 12, 2)]
    assert list(free_times(slots, zone=get_timezone("Pacific/Niue"), now=NOW)) == [date(2026, 11, 30)]


def test_dates_and_times_come_in_order_whatever_kordless_says():
    """Unsorted slots come out sorted by instant."""
    slots = [slot("2026-12-02 09:00"), slot("2026-12-01 15:00"), slot("2026-12-01 09:00")]
    days = free_times(slots, zone=UTC, now=NOW)
    assert list(days) == [date(2026, 12, 1), date(2026, 12, 2)]
    assert clocks(days[date(2026, 12, 1)]) == ["09:00", "15:00"]


def test_what_has_begun_is_gone():
    """A slot is offered until the second it starts."""
    slots = [slot(NOW - HOUR), slot(NOW), slot(NOW + timedelta(seconds=1))]
    assert [moment.start for moment in flat(free_times(slots, zone=UTC, now=NOW))] == [slots[2].start]


def test_a_naive_now_is_rejected():
    """Guessing the zone of `now` would hide or show the wrong times."""
    with pytest.raises(ValueError, match="aware"):
        free_times([], zone=UTC, now=datetime(2026, 3, 1))  # noqa: DTZ001 (what is tested)


@pytest.mark.parametrize("free", [0, -1])
def test_a_full_slot_is_not_offered(free):
    """Full, and fuller than full, is not free."""
    assert free_times([slot("2026-12-01 09:00", free=free, capacity=8)], zone=UTC, now=NOW) == {}


def test_a_slot_that_ends_before_it_starts_is_not_offered():
    """Rubbish is dropped without taking the others with it."""
    slots = [slot("2026-12-01 09:00", minutes=0), slot("2026-12-01 10:00", minutes=-5), slot("2026-12-01 11:00")]
    assert clocks(flat(free_times(slots, zone=UTC, now=NOW))) == ["11:00"]


def test_a_party_needs_its_seats_with_one_host():
    """Two hosts with three seats each can't take four people."""
    slots = [
        slot("2026-12-01 09:00", host=SARAH, free=3, capacity=8),
        slot("2026-12-01 09:00", host=TOM, free=3, capacity=8),
        slot("2026-12-01 10:00", host=TOM, free=4, capacity=8),
    ]
    assert clocks(flat(free_times(slots, zone=UTC, now=NOW, party_size=4))) == ["10:00"]
    assert clocks(flat(free_times(slots, zone=UTC, now=NOW, party_size=3))) == ["09:00", "10:00"]


def test_the_same_time_with_several_hosts_is_one_time():
    """One button for nine o'clock, with everybody behind it by name and the best host's seats."""
    slots = [
        slot("2026-12-01 09:00", host=TOM, free=5, capacity=8),
        slot("2026-12-01 09:00"),
        slot("2026-12-01 09:00", host=SARAH, free=2, capacity=4),
        slot("2026-12-01 09:00", host=Host(id="host_x")),
    ]
    (moment,) = flat(free_times(slots, zone=UTC, now=NOW))
    assert [s.host for s in moment.slots] == [SARAH, TOM, Host(id="host_x"), None]
    assert (moment.free, moment.capacity) == (5, 8)


@given(st.permutations([(h, f) for h in (SARAH, TOM, None) for f in (1, 2)]))
@settings(max_examples=30)
def test_the_order_of_the_answer_does_not_matter(order):
    """Duplicates are merged, and hosts stand the same way however Kordless lists them."""
    slots = [slot("2026-12-01 09:00", host=host, free=free, capacity=2) for host, free in order]
    (moment,) = flat(free_times(slots, zone=UTC, now=NOW))
    assert [(s.host, s.available) for s in moment.slots] == [(SARAH, 2), (TOM, 2), (None, 2)]


def test_a_host_can_be_chosen():
    """Only that host's times stay; slots of nobody in particular are nobody's."""
    slots = [
        slot("2026-12-01 09:00", host=SARAH),
        slot("2026-12-01 10:00", host=TOM),
        slot("2026-12-01 11:00"),
    ]
    assert clocks(flat(free_times(slots, zone=UTC, now=NOW, host_id="host_tom"))) == ["10:00"]
    assert free_times(slots, zone=UTC, now=NOW, host_id="") == {}


def test_a_team_can_be_chosen_with_its_hosts_and_without():
    """All of the team's times stay, whoever is the host; host and team together are one person's times in it."""
    slots = [
        slot("2026-12-01 09:00", host=SARAH, team=CUT),
        slot("2026-12-01 10:00", team=CUT),
        slot("2026-12-01 11:00", host=SARAH, team=COLOR),
        slot("2026-12-01 12:00", host=SARAH),
    ]
    assert clocks(flat(free_times(slots, zone=UTC, now=NOW, team_id="team_cut"))) == ["09:00", "10:00"]
    both = free_times(slots, zone=UTC, now=NOW, host_id="host_sarah", team_id="team_color")
    assert clocks(flat(both)) == ["11:00"]
    assert free_times(slots, zone=UTC, now=NOW, team_id="") == {}


@given(st.permutations([(h, t, f) for h in (SARAH, None) for t in (CUT, COLOR, None) for f in (1, 2)]))
@settings(max_examples=30)
def test_one_time_has_one_slot_for_each_host_and_team(order):
    """A host in two teams, a team without a host and nobody in particular are four filters, not one."""
    slots = [slot("2026-12-01 09:00", host=h, team=t, free=f, capacity=2) for h, t, f in order]
    (moment,) = flat(free_times(slots, zone=UTC, now=NOW))
    pairs = [(SARAH, COLOR), (SARAH, CUT), (SARAH, None), (None, COLOR), (None, CUT), (None, None)]
    assert [(s.host, s.team, s.available) for s in moment.slots] == [(host, team, 2) for host, team in pairs]


def test_an_id_with_any_characters_can_be_chosen():
    """As it is, and as a query carries it."""
    odd = Host(id="Sarah / Müller", name="Sarah")
    slots = [slot("2026-12-01 09:00", host=odd), slot("2026-12-01 10:00", host=TOM)]
    for chosen in (odd.id, Choices(host_id=odd.id).host_id):
        assert clocks(flat(free_times(slots, zone=UTC, now=NOW, host_id=chosen))) == ["09:00"]


def test_teams_are_offered_where_hosts_have_no_names():
    """A team whose hosts all have names is chosen by them."""
    slots = [
        slot("2026-12-01 09:00", host=SARAH, team=CUT),
        slot("2026-12-01 10:00", team=COLOR),
        slot("2026-12-01 11:00", host=Host(id="nameless"), team=Team(id="team_nail", name="Nails")),
        slot("2026-12-01 12:00", team=Team(id="unnamed")),
    ]
    assert [team.id for team in unique_teams(slots)] == ["team_color", "team_nail", "unnamed"]


def test_everybody_with_a_slot_is_listed_once():
    """Hosts come by name, the nameless last."""
    slots = [slot("2026-12-01 09:00", host=h) for h in (TOM, Host(id="a"), SARAH, TOM, None)]
    assert unique_hosts(slots) == (SARAH, TOM, Host(id="a"))


def test_names_with_accents_stand_among_the_others():
    """In a list of forty nobody looks for Élise and Łukasz after Zoe."""
    names = ["Zoe", "Łukasz", "Élise", "Elisa", "Mia", "émile", "Dvořák"]
    slots = [slot("2026-12-01 09:00", host=Host(id=name, name=name)) for name in names]
    assert [host.name for host in unique_hosts(slots)] == [
        "Dvořák", "Elisa", "Élise", "émile", "Łukasz", "Mia", "Zoe",
    ]  # fmt: skip


def test_the_hour_that_comes_twice_is_marked():
    """New York, November 1: 01:30 twice, both marked and in order; 00:30 and 02:30 are as ever."""
    slots = [slot(f"2026-11-01 {utc}") for utc in ("04:30", "05:30", "06:30", "07:30")]
    times = free_times(slots, zone=get_timezone("America/New_York"), now=NOW)[date(2026, 11, 1)]
    assert clocks(times) == ["00:30", "01:30", "01:30", "02:30"]
    assert [moment.ambiguous for moment in times] == [False, True, True, False]
    assert times[1].local_start.utcoffset() - times[2].local_start.utcoffset() == HOUR


def test_the_hour_that_never_comes_is_not_shown():
    """Berlin, March 29: after 01:30 comes 03:30."""
    slots = [slot("2026-03-29 00:30"), slot("2026-03-29 01:30")]
    times = free_times(slots, zone=get_timezone("Europe/Berlin"), now=NOW)[date(2026, 3, 29)]
    assert clocks(times) == ["01:30", "03:30"]
    assert not any(moment.ambiguous for moment in times)


def test_half_an_hour_can_come_twice():
    """Lord Howe goes back by thirty minutes."""
    slots = [slot("2026-04-04 14:45"), slot("2026-04-04 15:15"), slot("2026-04-04 15:45")]
    times = flat(free_times(slots, zone=get_timezone("Australia/Lord_Howe"), now=NOW))
    assert clocks(times) == ["01:45", "01:45", "02:15"]
    assert [moment.ambiguous for moment in times] == [True, True, False]


def test_a_slot_over_the_change_keeps_its_length():
    """An hour from 01:30 ends at 01:30 when the clocks go back, and the instants stay an hour apart."""
    (moment,) = flat(free_times([slot("2026-11-01 05:30")], zone=get_timezone("America/New_York"), now=NOW))
    assert moment.local_end.strftime("%H:%M") == "01:30"
    assert moment.end - moment.start == HOUR


@pytest.mark.parametrize(
    ("start", "minutes", "crosses"),
    [
        ("23:30", 60, True),
        ("23:00", 60, False),
        ("22:00", 60, False),
        ("00:00", 1440, False),
        ("00:00", 1441, True),
        ("12:00", 2880, True),
    ],
)
def test_a_slot_over_midnight_is_marked(start, minutes, crosses):
    """Ending at midnight sharp still belongs to the day; a minute more does not."""
    (moment,) = flat(free_times([slot(f"2026-12-01 {start}", minutes=minutes)], zone=UTC, now=NOW))
    assert moment.crosses_midnight is crosses


def test_the_ends_of_the_calendar_do_no_harm():
    """A slot in the last hours of the year 9999 has no local time and is dropped alone."""
    slots = [Slot(start=at("9999-12-31 22:00"), end=at("9999-12-31 23:00")), slot("2026-12-01 09:00")]
    assert len(flat(free_times(slots, zone=get_timezone("Pacific/Kiritimati"), now=NOW))) == 1


@given(
    st.sampled_from(EVERY_ZONE),
    st.lists(st.integers(0, 2 * 365 * 96), min_size=1, max_size=12),
    st.integers(5, 600),
)
@settings(max_examples=150, deadline=None)
def test_every_slot_stands_where_its_zone_says(name, quarters, minutes):
    """In every zone: nothing lost, nothing twice, dates as the wall calendar has them, instants untouched."""
    slots = [slot(NOW + timedelta(minutes=15 * (quarter + 1)), minutes=minutes) for quarter in quarters]
    days = free_times(slots, zone=get_timezone(name), now=NOW)
    assert [moment.start for moment in flat(days)] == sorted({s.start for s in slots})
    for day, times in days.items():
        for moment in times:
            assert moment.local_start.date() == day
            assert moment.local_start.astimezone(UTC) == moment.start
            assert moment.local_end.astimezone(UTC) == moment.end
            last = (moment.end - timedelta(microseconds=1)).astimezone(get_timezone(name)).date()
            assert moment.crosses_midnight == (last > day)


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_times_are_distinct_around_every_clock_change(data):
    """In every zone that changes: two times that read the same are both marked, and only such pairs are."""
    name = data.draw(st.sampled_from(EVERY_ZONE))
    found = list(utc_offset_changes(name, NOW, NOW + timedelta(days=800)))
    if not found:
        return
    change = data.draw(st.sampled_from(found))
    first = change - timedelta(hours=4)
    slots = [slot(first + timedelta(minutes=15 * step), minutes=15) for step in range(32)]
    times = flat(free_times(slots, zone=get_timezone(name), now=NOW))
    walls = [moment.local_start.replace(tzinfo=None, fold=0) for moment in times]
    for moment, wall in zip(times, walls, strict=True):
        assert moment.ambiguous == (walls.count(wall) == 2)
    assert len({(wall, moment.local_start.utcoffset()) for moment, wall in zip(times, walls, strict=True)}) == 32


def test_parts_of_the_day_follow_the_visitors_clock():
    """Night, morning, afternoon and evening in this order, and only those with times."""
    slots = [slot(f"2026-12-01 {hour:02}:00") for hour in (0, 4, 5, 11, 12, 16, 17, 23)]
    parts = parts_of_day(free_times(slots, zone=UTC, now=NOW)[date(2026, 12, 1)])
    assert [(part, clocks(times)) for part, times in parts] == [
        (PartOfDay.NIGHT, ["00:00", "04:00"]),
        (PartOfDay.MORNING, ["05:00", "11:00"]),
        (PartOfDay.AFTERNOON, ["12:00", "16:00"]),
        (PartOfDay.EVENING, ["17:00", "23:00"]),
    ]
    assert parts_of_day([]) == []


DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))


@given(DAYS, st.integers(0, 6), st.integers(0, 400))
def test_pages_of_the_calendar_have_each_date_once_in_whole_weeks(today, first_weekday, window):
    """From the current week on, whose first day is the locale's, to the last day that can be booked."""
    now = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    pages = calendar_pages(now, UTC, window, first_weekday)
    turned = [pages.first]
    while following := pages.after(turned[-1]):
        turned.append(following)
    rows = [week for page in turned for week in page_weeks(page)]
    assert len(rows) == WEEKS_SHOWN * len(turned)
    assert all(len(week) == 7 and week[0].weekday() == first_weekday for week in rows)
    dates = [day for week in rows for day in week]
    assert dates == [dates[0] + timedelta(days=number) for number in range(len(dates))]
    assert today in rows[0]
    assert pages.last in dates
    # No page is empty of days that can be booked, and turning back is the same way.
    assert all(page <= pages.last and page + PAGE > today for page in turned)
    assert [pages.before(page) for page in turned] == [None, *turned[:-1]]


@given(DAYS, st.integers(0, 6), st.integers(0, 400), DAYS, st.booleans())
def test_every_date_of_the_calendar_opens_a_page_that_has_it(today, first_weekday, window, wanted, is_day):
    """As a day or as a month; what lies outside opens the nearest page, and the way back leads to the first."""
    now = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    pages = calendar_pages(now, UTC, window, first_weekday)
    opened = pages.to_open(Choices(day=wanted) if is_day else Choices(month=wanted))
    assert opened.weekday() == first_weekday
    if pages.today <= wanted <= pages.last:
        assert opened <= wanted < opened + PAGE
    assert pages.first <= opened <= pages.last
    while opened != pages.first:
        previous = pages.before(opened)
        assert opened - PAGE <= previous < opened
        opened = previous
    assert pages.before(opened) is None


def test_a_link_to_a_month_begins_with_its_first_week():
    """Also where turning pages would show that month in two parts."""
    pages = calendar_pages(at("2026-11-29 12:00"), UTC, 200, 0)
    assert pages.to_open(Choices()) == date(2026, 11, 23)
    assert pages.to_open(Choices(month=date(2026, 12, 1))) == date(2026, 11, 30)
    assert pages.to_open(Choices(month=date(2027, 2, 1))) == date(2027, 2, 1)
    assert pages.before(date(2026, 11, 30)) == date(2026, 11, 23)


def test_the_current_week_is_the_visitors_own():
    """On the last evening of the year it is January on Kiritimati and December on Niue."""
    now = at("2026-12-31 20:00")
    assert calendar_pages(now, get_timezone("Pacific/Kiritimati"), 5, 4).first == date(2027, 1, 1)
    assert calendar_pages(now, get_timezone("Pacific/Niue"), 5, 4).first == date(2026, 12, 25)


@pytest.mark.parametrize(
    ("window", "last"),
    [(0, date(2026, 3, 1)), (60, date(2026, 4, 30)), (-5, date(2026, 3, 1)), (None, date(2027, 3, 2))],
)
def test_pages_open_as_far_as_can_be_booked(window, last):
    """The window is counted from the visitor's own today; an unknown or absurd one is a year."""
    assert calendar_pages(NOW, UTC, window, 0).last == last
    assert calendar_pages(NOW, UTC, 10**9, 0).last == date(2027, 3, 2)


def test_twice_as_many_slots_are_twice_the_work():
    """Counted in calls, for 500 and 1,000 slots in any order; 3,000 at once are all found."""
    order = random.Random(7)  # noqa: S311 (only an order)

    def work(starts: int) -> int:
        first = at("2026-12-01 00:00")
        slots = [slot(first + timedelta(minutes=30 * n), host=h) for n in range(starts) for h in (TOM, SARAH)]
        order.shuffle(slots)
        return count_calls(lambda: free_times(slots, zone=get_timezone("America/New_York"), now=NOW))

    work(1)  # what is done once for a time zone
    assert work(500) < 2.2 * work(250) < 40_000
    many = [slot(at("2026-12-01 00:00") + timedelta(minutes=n)) for n in range(3000)]
    assert len(flat(free_times(many, zone=get_timezone("Asia/Kathmandu"), now=NOW))) == 3000


SUNDAY = 6
MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 5), date(2026, 5, 10)
"""The pages from `NOW` on, named by the month of which they have most."""
PAGES = CalendarPages(today=MARCH, first=MARCH, last=date(2026, 6, 13), first_weekday=SUNDAY)


def view(*pages_of_slots, now=NOW, zone="UTC", near=None, **choices) -> CalendarPage:
    """Return the view of pages from March on, each given by its slots, for a visitor with these choices."""
    given = Choices(**choices)
    pages = calendar_pages(now, get_timezone(zone), (PAGES.last - MARCH).days, SUNDAY)
    starts = [MARCH + number * PAGE for number in range(len(pages_of_slots))]
    first = pages.to_open(given)
    return calendar_page(
        [(page, tuple(slots)) for page, slots in zip(starts, pages_of_slots, strict=True) if page >= first],
        given,
        now,
        zone=get_timezone(zone),
        pages=pages,
        near=near,
    )


def free_on(shown):
    """Return the number of free times by date, without the days that have none."""
    return dict(shown.free_days)


def test_a_calendar_page_has_its_free_days_in_order():
    """Each with its number of times; days without a free time aren't in it."""
    shown = view([slot("2026-03-10 09:00"), slot("2026-03-10 10:00"), slot("2026-03-31 23:00")])
    assert shown.free_days == ((date(2026, 3, 10), 2), (date(2026, 3, 31), 1))
    assert (shown.start, shown.today, shown.empty) == (MARCH, date(2026, 3, 1), None)


def test_the_first_free_day_is_shown_when_no_day_was_chosen():
    """Its times are the view's times."""
    shown = view([slot("2026-03-12 09:00"), slot("2026-03-10 10:00"), slot("2026-03-10 09:00")])
    assert (shown.day, shown.first_free) == (date(2026, 3, 10), date(2026, 3, 10))
    assert clocks(shown.times) == ["09:00", "10:00"]


def test_the_chosen_day_is_shown_when_it_is_free():
    """The first free day is still known."""
    shown = view([slot("2026-03-12 09:00"), slot("2026-03-10 10:00")], day=date(2026, 3, 12))
    assert (shown.day, shown.first_free, clocks(shown.times)) == (date(2026, 3, 12), date(2026, 3, 10), ["09:00"])


@pytest.mark.parametrize("day", [date(2026, 3, 11), date(2026, 2, 10), date(1970, 1, 1)])
def test_a_chosen_day_that_is_not_free_or_outside_the_months_gives_the_first_free_one(day):
    """Full days, days of the past and days before the first month."""
    assert view([slot("2026-03-10 10:00")], day=day).day == date(2026, 3, 10)


def test_a_chosen_day_of_another_month_than_the_chosen_one_is_not_shown():
    """The month decides."""
    shown = view([slot("2026-03-10 10:00")], [slot("2026-04-10 10:00")], month=APRIL, day=date(2026, 3, 10))
    assert (shown.start, shown.day) == (APRIL, date(2026, 4, 10))


def test_slots_around_the_month_are_left_out():
    """The catalog gives a day more on both sides."""
    around = [slot("2026-04-04 23:00"), slot("2026-04-05 00:00"), slot("2026-05-09 23:00"), slot("2026-05-10 00:00")]
    assert list(free_on(view([], around, month=APRIL))) == [date(2026, 4, 5), date(2026, 5, 9)]
    assert list(free_on(view([], around, month=APRIL, timezone="Asia/Tokyo", zone="Asia/Tokyo"))) == [date(2026, 4, 5)]


def test_the_next_month_with_a_free_day_opens_when_none_was_chosen():
    """Hosts and parties are that month's."""
    shown = view([slot("2026-03-10 10:00", free=0, capacity=9, host=TOM)], [], [slot("2026-05-10 10:00")])
    assert (shown.start, shown.day, shown.empty) == (MAY, date(2026, 5, 10), None)
    assert not shown.party_sizes


@pytest.mark.parametrize("choice", [{"month": MARCH}, {"month": MARCH, "day": date(2026, 3, 9)}])
def test_a_chosen_month_without_a_free_day_names_the_next_one(choice):
    """It is shown as it is: empty."""
    shown = view([], [slot("2026-04-10 10:00")], **choice)
    assert (shown.start, shown.day, shown.times, free_on(shown)) == (MARCH, None, (), {})
    assert (shown.first_free, shown.empty, shown.is_next_free) == (date(2026, 4, 10), EmptyReason.PAGE_FULL, False)


def test_a_chosen_day_in_a_month_without_a_free_day_opens_the_next_free_one():
    """The visitor has chosen no month, only where to look."""
    shown = view([], [slot("2026-04-10 10:00")], day=date(2026, 3, 9))
    assert (shown.start, shown.day, shown.empty, shown.is_next_free) == (APRIL, date(2026, 4, 10), None, True)
    assert not view([], [slot("2026-04-10 10:00")]).is_next_free
    assert not view([slot("2026-03-10 10:00")], day=date(2026, 3, 9)).is_next_free


@pytest.mark.parametrize(
    ("months", "choice", "searched"),
    [
        (3, {}, (None, None)),
        (2, {}, (None, date(2026, 5, 9))),
        (3, {"month": APRIL}, (APRIL, None)),
        (2, {"day": date(2026, 4, 9)}, (APRIL, date(2026, 5, 9))),
    ],
)
def test_a_search_says_what_it_left_out(months, choice, searched):
    """None where nothing bookable was left out on that side."""
    shown = view(*[[]] * months, **choice)
    assert (shown.empty, (shown.searched_from, shown.searched_until)) == (EmptyReason.NOTHING_FREE, searched)


def test_a_host_without_any_slot_is_left_when_others_are_free():
    """The times are everyone's, and the choices have no host."""
    months = [slot("2026-03-10 10:00", host=SARAH)], [slot("2026-04-10 10:00", host=TOM)]
    shown = view(*months, host_id="nobody")
    assert (shown.provider_unavailable, shown.choices.host_id, shown.day) == (True, None, date(2026, 3, 10))
    shown = view(*months, host_id="nobody", month=APRIL)
    assert (shown.provider_unavailable, shown.start, shown.day) == (True, APRIL, date(2026, 4, 10))


@pytest.mark.parametrize(
    "months",
    [
        ([slot("2026-03-10 10:00", host=TOM), slot("2026-03-10 10:00", host=SARAH, free=0)], []),
        ([], []),
        ([slot("2026-03-10 10:00", host=TOM, free=0)], []),
    ],
)
def test_a_host_with_a_full_slot_or_where_nobody_is_free_is_not_left(months):
    """A host who is booked out does the service, and an empty calendar says nothing about the host."""
    shown = view(*months, host_id="host_sarah")
    assert (shown.provider_unavailable, shown.choices.host_id) == (False, "host_sarah")
    assert shown.empty is EmptyReason.NOTHING_FREE


def test_a_team_without_any_slot_is_left_and_a_host_of_another_team_is_not():
    """Of both, the host decides."""
    slots = [slot("2026-03-10 10:00", host=SARAH, team=CUT), slot("2026-03-11 10:00", host=TOM)]
    assert view(slots, team_id="nobody").choices.team_id is None
    assert view(slots, team_id="nobody", host_id="nobody").choices == Choices()
    assert not view(slots, team_id="team_cut").provider_unavailable
    shown = view(slots, team_id="nobody", host_id="host_sarah")
    assert (shown.provider_unavailable, shown.empty) == (False, EmptyReason.NOTHING_FREE)


def test_the_search_for_a_host_ends_when_a_page_of_others_was_seen():
    """Unless the visitor has chosen a month or a day: then it goes on as for any host."""
    listed = [(MARCH, (slot("2026-03-25 10:00", host=TOM),)), (APRIL, ()), (MAY, (slot("2026-05-12", host=SARAH),))]

    def read(**choice):
        pages = iter(listed)
        given = Choices(host_id="host_sarah", **choice)
        shown = calendar_page(pages, given, NOW, zone=get_timezone("UTC"), pages=PAGES)
        return shown.provider_unavailable, 3 - len(list(pages))

    assert read() == (True, 1)
    assert read(day=date(2026, 3, 3)) == read(month=MARCH) == (False, 3)


def test_the_host_of_a_booking_is_never_left():
    """Nobody else can take it over."""
    months = [(MARCH, (slot("2026-03-10 10:00", host=SARAH),))]
    given = Choices(host_id="nobody")
    shown = calendar_page(months, given, NOW, zone=get_timezone("UTC"), pages=PAGES, keep_provider=True)
    assert (shown.provider_unavailable, shown.choices, shown.times) == (False, given, ())


def test_nothing_free_in_any_month_is_its_own_reason():
    """The first month is shown."""
    shown = view([], [], [])
    assert (shown.start, shown.first_free, shown.empty) == (MARCH, None, EmptyReason.NOTHING_FREE)


def test_no_more_months_are_taken_than_needed():
    """An iterator fetches each month when it is asked for it."""
    months = iter([(MARCH, ()), (APRIL, (slot("2026-04-10 10:00"),)), (MAY, ())])
    calendar_page(months, Choices(), NOW, zone=get_timezone("UTC"), pages=PAGES)
    assert [month for month, _slots in months] == [MAY]


def test_a_calendar_page_needs_slots_of_a_page():
    """There is nothing to show otherwise."""
    with pytest.raises(ValueError, match="at least one"):
        calendar_page([], Choices(), NOW, zone=get_timezone("UTC"), pages=PAGES)


@pytest.mark.parametrize(
    ("month", "previous", "following"),
    [(MARCH, None, APRIL), (APRIL, MARCH, MAY), (MAY, APRIL, None)],
)
def test_the_months_beside_it_end_with_the_bounds(month, previous, following):
    """None stands for a month in which nothing can be booked."""
    shown = view([], [], [], month=month)
    assert (shown.previous, shown.next) == (previous, following)


@pytest.mark.parametrize(
    ("choice", "opened"),
    [
        ({}, MARCH),
        ({"month": APRIL}, APRIL),
        ({"month": date(2026, 4, 1)}, date(2026, 3, 29)),
        ({"day": date(2026, 4, 30)}, APRIL),
        ({"month": MAY, "day": date(2026, 4, 30)}, MAY),
        ({"month": date(2020, 1, 1)}, MARCH),
        ({"day": date(2030, 1, 31)}, MAY),
        ({"month": date(2026, 6, 1)}, MAY),
    ],
)
def test_the_page_to_open_is_the_chosen_one_within_the_bounds(choice, opened):
    """A day stands for its page, and near the end as much is shown as can be booked."""
    assert PAGES.to_open(Choices(**choice)) == opened


def test_links_name_a_month_only_on_a_page_that_a_day_would_not_open():
    """Such a page was opened by a link to a month; pages that are turned to are known by each of their days."""
    shown = view([], [], month=date(2026, 4, 1))
    assert (shown.start, shown.month) == (MARCH + PAGE, None)
    pages = [(date(2026, 3, 29), (slot("2026-04-01 10:00"),))]
    shown = calendar_page(pages, Choices(month=date(2026, 4, 1)), NOW, zone=get_timezone("UTC"), pages=PAGES)
    assert (shown.start, shown.month, shown.previous, shown.next) == (date(2026, 3, 29),) * 2 + (
        MARCH,
        date(2026, 5, 3),
    )


def test_the_last_day_of_a_page_is_one_that_can_be_booked():
    """The heading names no month of which nothing can be booked."""
    pages = CalendarPages(today=MARCH, first=MARCH, last=date(2026, 3, 31), first_weekday=SUNDAY)
    assert calendar_page([(MARCH, ())], Choices(), NOW, zone=get_timezone("UTC"), pages=pages).last == date(2026, 3, 31)
    assert view([], [], []).last == date(2026, 4, 4)


@given(
    free=st.lists(st.integers(1, 35 * 24 - 13), unique=True, max_size=12),
    lost=st.integers(-100, 2000),
)
def test_the_nearest_times_to_a_lost_one_are_offered_in_order(free, lost):
    """Three at most, of the page that is shown; no free time is nearer than those."""
    near = NOW + lost * HOUR
    shown = view([slot(NOW + hours * HOUR) for hours in free], near=near)
    starts = [time.start for time in shown.nearest]
    assert starts == sorted(starts)
    assert len(starts) == min(3, len(free))
    others = [NOW + hours * HOUR for hours in free if NOW + hours * HOUR not in starts]
    assert all(abs(start - near) <= abs(other - near) for start in starts for other in others)
    assert not view([slot(NOW + hours * HOUR) for hours in free]).nearest


def test_a_party_larger_than_the_seats_finds_nothing_and_can_be_made_smaller():
    """All sizes up to the chosen one are offered, though no time has as many seats."""
    shown = view([slot("2026-03-10 10:00", free=3, capacity=4)], party_size=6)
    assert (free_on(shown), shown.empty) == ({}, EmptyReason.NOTHING_FREE)
    assert list(shown.party_sizes) == [1, 2, 3, 4, 5, 6]


def test_party_sizes_reach_to_the_most_seats_of_a_time():
    """Taken seats count, a full time counts, and no party is larger than the limit."""
    slots = [slot("2026-03-10 10:00", free=0, capacity=4), slot("2026-03-11 10:00", capacity=2)]
    assert list(view(slots).party_sizes) == [1, 2, 3, 4]
    assert not view([slot("2026-03-10 10:00")]).party_sizes
    assert view([slot("2026-03-10 10:00", capacity=10**6)]).party_sizes[-1] == MAX_PARTY_SIZE


def test_a_chosen_host_filters_days_and_times_but_not_the_hosts_to_choose_from():
    """The other hosts stay, as the way back."""
    slots = [slot("2026-03-10 09:00", host=SARAH), slot("2026-03-10 10:00", host=TOM), slot("2026-03-11 10:00")]
    shown = view(slots, host_id="host_tom")
    assert (free_on(shown), clocks(shown.times)) == ({date(2026, 3, 10): 1}, ["10:00"])
    assert shown.hosts == view(slots).hosts == (SARAH, TOM)


def test_one_named_host_is_no_choice_unless_a_host_was_chosen():
    """A host without a name can't be chosen."""
    slots = [slot("2026-03-10 09:00", host=SARAH), slot("2026-03-10 10:00", host=Host(id="nameless"))]
    assert view(slots).hosts == ()
    assert view(slots, host_id="host_sarah").hosts == (SARAH,)
    assert view([], host_id="host_tom").hosts == ()


def test_one_named_host_or_team_is_no_choice_but_one_of_each_is():
    """Teams and hosts are one choice."""
    assert view([slot("2026-03-10 09:00", team=CUT)]).teams == ()
    shown = view([slot("2026-03-10 09:00", team=CUT), slot("2026-03-10 10:00", host=SARAH, team=COLOR)])
    assert (shown.hosts, shown.teams) == ((SARAH,), (CUT,))
    assert shown.host_teams == {"host_sarah": "Color"}
    assert view([slot("2026-03-10 09:00", team=CUT)], team_id="team_cut").teams == (CUT,)


def test_another_zone_moves_the_same_slots_to_its_own_dates():
    """One instant is on March 11 in Kiritimati and on March 9 in Niue; so is today."""
    slots = [slot("2026-03-10 10:30")]
    assert view(slots, zone="Pacific/Kiritimati").day == date(2026, 3, 11)
    assert view(slots, zone="Pacific/Niue").day == date(2026, 3, 9)
    assert view([], now=at("2026-03-01 02:00"), zone="Pacific/Niue").today == date(2026, 2, 28)


@pytest.mark.parametrize(
    ("zone", "day", "utc", "shown_as", "twice"),
    [
        ("Europe/Berlin", date(2026, 3, 29), ["00:30", "01:30"], ["01:30", "03:30"], [False, False]),
        ("America/New_York", date(2026, 3, 8), ["06:30", "07:30"], ["01:30", "03:30"], [False, False]),
        ("Australia/Lord_Howe", date(2026, 4, 5), ["14:45", "15:15"], ["01:45", "01:45"], [True, True]),
    ],
)
def test_days_on_which_the_clocks_change_keep_all_their_times(zone, day, utc, shown_as, twice):
    """An hour that is skipped is not shown, and one that comes twice is marked."""
    # Lord Howe is ahead of UTC: its Sunday morning is a Saturday there.
    utc_day = day - timedelta(days=1) if zone.startswith("Australia") else day
    shown = view(*[[slot(f"{utc_day} {clock}") for clock in utc]] * 2, zone=zone, day=day)
    assert (shown.day, clocks(shown.times)) == (day, shown_as)
    assert [moment.ambiguous for moment in shown.times] == twice


def test_free_days_of_several_pages_join_without_a_day_twice():
    """Each page's days come from its own slots."""
    slots = tuple(slot(at("2026-04-02 09:00") + timedelta(days=number)) for number in range(5))
    march, april = (free_days(page, slots, Choices(), NOW, UTC) for page in (MARCH, APRIL))
    assert list(march | april) == [date(2026, 4, 2) + timedelta(days=number) for number in range(5)]
    assert not march.keys() & april.keys()


@st.composite
def offers(draw):
    """Draw slots from February to June, of several hosts, teams and sizes, some full or ending before they start."""
    starts = draw(st.lists(st.integers(-28 * 96, 120 * 96), max_size=25))
    return tuple(
        slot(
            NOW + timedelta(minutes=15 * start),
            minutes=draw(st.sampled_from([-5, 0, 15, 60, 1500])),
            host=draw(st.sampled_from([None, SARAH, TOM, Host(id="nameless")])),
            team=draw(st.sampled_from([None, CUT, COLOR])),
            free=draw(st.integers(-1, 6)),
            capacity=draw(st.integers(0, 60)),
        )
        for start in starts
    )


@given(
    slots=offers(),
    zone=st.sampled_from(EVERY_ZONE),
    choices=st.builds(
        Choices,
        month=st.none() | st.sampled_from([date(2026, 1, 1), MARCH, APRIL, MAY, date(2027, 1, 1)]),
        day=st.none() | st.dates(date(2026, 2, 1), date(2026, 6, 30)),
        host_id=st.sampled_from([None, "host_sarah", "host_tom", "nobody"]),
        team_id=st.sampled_from([None, None, "team_cut", "nobody"]),
        party_size=st.integers(1, 8),
    ),
    first_weekday=st.integers(0, 6),
)
@settings(max_examples=200, deadline=None)
def test_a_calendar_page_accounts_for_every_slot(slots, zone, choices, first_weekday):
    """In every zone and for all choices: each bookable time of the page counts on its own date, and nothing else."""
    here = get_timezone(zone)
    pages = calendar_pages(NOW, here, 80, first_weekday)
    first = pages.to_open(choices)
    read = [first]
    while following := pages.after(read[-1]):
        read.append(following)
    shown = calendar_page(
        [(page, slots) for page in read],
        choices,
        NOW,
        zone=here,
        pages=pages,
    )
    if choices.host_id:
        has_slot = any(each.host and each.host.id == choices.host_id for each in slots)
    else:
        has_slot = choices.team_id is None or any(each.team and each.team.id == choices.team_id for each in slots)
    if not has_slot:
        # All pages have the same slots here, so one is as good as all to find out.
        anyone = choices.replace(host_id=None, team_id=None)
        assert shown.provider_unavailable is any(free_days(page, slots, anyone, NOW, here) for page in read)
        choices = anyone if shown.provider_unavailable else choices
    assert shown.choices == choices
    expected = {}
    for each in slots:
        day = each.start.astimezone(here).date()
        bookable = each.start > NOW and each.end > each.start and each.available >= choices.party_size
        bookable = bookable and (choices.team_id is None or (each.team and each.team.id == choices.team_id))
        if bookable and (choices.host_id is None or (each.host and each.host.id == choices.host_id)):
            expected.setdefault(day, set()).add((each.start, each.end))
    on_page = {day: times for day, times in expected.items() if shown.start <= day < shown.start + PAGE}
    assert free_on(shown) == {day: len(times) for day, times in on_page.items()}
    assert [day for day, _times in shown.free_days] == sorted(on_page)
    looked_at = [day for day in sorted(expected) if first <= day < read[-1] + PAGE]
    assert shown.first_free == next(iter(looked_at), None)
    skipped = (looked_at[0] - first) // PAGE if looked_at and not choices.month else 0
    assert shown.start == first + skipped * PAGE
    assert shown.is_next_free is (choices.day is not None and shown.start != first)
    assert (shown.empty is None) is bool(on_page)
    assert (shown.empty is EmptyReason.NOTHING_FREE) is (not looked_at)
    assert shown.day == (choices.day if choices.day in on_page else min(on_page, default=None))
    assert [(time.start, time.end) for time in shown.times] == sorted(on_page.get(shown.day, ()))
    assert all(time.local_start.date() == shown.day for time in shown.times)
    assert set(shown.hosts) <= {SARAH, TOM}
    assert not shown.party_sizes or choices.party_size in shown.party_sizes


def test_lengths_are_those_of_slots_that_can_be_booked():
    """Each once, the shortest first; full slots and those that end before they start don't count."""
    slots = (
        slot("2026-03-02 09:00", minutes=90),
        slot("2026-03-02 09:00", minutes=30),
        slot("2026-03-02 10:00", minutes=30),
        slot("2026-03-02 11:00", minutes=45, free=0),
        slot("2026-03-02 12:00", minutes=-5),
    )
    assert unique_lengths(slots) == (timedelta(minutes=30), timedelta(minutes=90))
    assert unique_lengths(()) == ()


def test_a_booking_moves_to_its_own_length_and_neither_to_its_own_time_nor_where_it_was_refused():
    """A slot that is left out is left out with all hosts."""
    start = at("2026-03-02 09:00")
    own = [slot(start, host=SARAH), slot(start, host=TOM)]
    other = [slot("2026-03-02 10:00"), slot("2026-03-02 11:00")]
    longer = [slot(start, minutes=90), slot("2026-03-02 10:00", minutes=90)]
    assert slots_to_move_to((*own, *other, *longer), start, start + HOUR) == tuple(other)
    assert slots_to_move_to((*own, *other), start, start + HOUR, refused=other[0].start) == (other[1],)


def test_slots_stay_one_tuple_where_a_booking_can_move_to_all_of_them():
    """The caches know slots by identity: most bookings then share what is computed for everybody."""
    slots = (slot("2026-03-02 10:00"), slot("2026-03-02 11:00"))
    start = at("2026-03-02 09:00")
    assert slots_to_move_to(slots, start, start + HOUR) is slots


@given(
    minutes=st.integers(1, 5 * 24 * 60),
    fractions=st.tuples(st.integers(0, 999_999), st.integers(0, 999_999)),
    lengths=st.lists(st.integers(1, 5 * 24 * 60), max_size=8),
)
def test_fractions_of_a_second_hide_no_slot_of_the_same_length(minutes, fractions, lengths):
    """Bookings are rounded to whole seconds, start and end each by itself; lengths are minutes."""

    def rounded(moment):
        return (moment + timedelta(microseconds=500_000)).replace(microsecond=0)

    begin, finish = (timedelta(microseconds=each) for each in fractions)
    start = at("2026-03-02 09:00")
    ends = start + timedelta(minutes=minutes)
    own = Slot(start=start + begin, end=ends + finish)
    days = [timedelta(days=7 * number) for number in range(1, len(lengths) + 1)]
    same = [Slot(start=own.start + day, end=own.end + day) for day in days]
    others = [
        Slot(start=own.start + day, end=own.end + day + timedelta(minutes=length))
        for day, length in zip(days, lengths, strict=True)
    ]
    assert slots_to_move_to((own, *same, *others), rounded(own.start), rounded(own.end)) == tuple(same)


def test_made_up_parties_and_hosts_evict_nothing_that_was_computed(monkeypatch: pytest.MonkeyPatch):
    """What no slot has is found out without an entry of the cache, however many ask for it."""
    slots = tuple(slot(NOW + HOUR * number, host=SARAH, team=CUT) for number in range(1, 5))
    assert free_times(slots, zone=UTC, now=NOW)
    monkeypatch.setattr(availability, "_opening", lambda *_: pytest.fail("computed again"))
    for number in range(2, 300):
        assert not free_times(slots, zone=UTC, now=NOW, party_size=number)
        assert not free_times(slots, zone=UTC, now=NOW, host_id=f"made-up-{number}")
        assert not free_times(slots, zone=UTC, now=NOW, team_id=f"made-up-{number}")
    assert free_times(slots, zone=UTC, now=NOW)


def test_a_party_above_every_capacity_ends_the_search_and_names_the_largest():
    """No further month is taken, because reading it may cost a request; the service's own seats count as well."""
    march = tuple(slot(f"2026-03-0{day} 09:00", capacity=3, free=2) for day in range(2, 6))

    def view(party: int, seats: int = 1) -> CalendarPage:
        pages = iter([(MARCH, march), (APRIL, ())])
        found = calendar_page(pages, Choices(party_size=party), NOW, zone=get_timezone("UTC"), pages=PAGES, seats=seats)
        assert (next(pages, None) is None) is (found.largest_party is None and not found.times)
        return found

    assert [view(party).largest_party for party in (1, 2, 3, 4, 50)] == [None, None, None, 3, 3]
    assert view(4, seats=6).largest_party is None
    assert view(7, seats=6).largest_party == 6
    assert view(4).empty is EmptyReason.NOTHING_FREE


def test_while_no_slot_is_known_a_large_party_is_not_ruled_out():
    """A month may be empty because all of its times are taken, and full ones aren't listed."""
    listed = [(MARCH, ()), (APRIL, (slot("2026-04-12 09:00", capacity=6, free=6),))]
    found = calendar_page(listed, Choices(party_size=5), NOW, zone=get_timezone("UTC"), pages=PAGES)
    assert (found.start, found.largest_party, len(found.times)) == (APRIL, None, 1)
