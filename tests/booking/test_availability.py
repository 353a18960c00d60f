"""Days: slots on the visitor's own calendar, in every zone and over every change of the clocks."""

import random
import time as stopwatch
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.api.resources import Host, Slot
from kordless_booking.booking.availability import (
    PartOfDay,
    free_times,
    month_weeks,
    months_in_window,
    parts_of_day,
    unique_hosts,
)
from kordless_booking.presentation.timezones import get_timezone
from kordless_booking.presentation.vtimezone import utc_offset_changes
from tests.support.timezones import EVERY_ZONE

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SARAH, TOM = Host(id="host_sarah", name="Sarah"), Host(id="host_tom", name="Tom")
HOUR = timedelta(hours=1)


def at(text):
    """A UTC instant from "2026-03-29 01:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slot(start, *, minutes=60, host=None, free=1, capacity=1):
    """A slot that starts at an instant or a text of one."""
    start = at(start) if isinstance(start, str) else start
    return Slot(start=start, end=start + timedelta(minutes=minutes), host=host, available=free, capacity=capacity)


def clocks(times):
    """What the visitor's clock shows at each start."""
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


def test_a_naive_now_is_refused():
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
    assert moment.hosts == (SARAH, TOM, Host(id="host_x"))
    assert [s.host for s in moment.slots] == [SARAH, TOM, Host(id="host_x"), None]
    assert (moment.free, moment.capacity) == (5, 8)


@given(st.permutations([(h, f) for h in (SARAH, TOM, None) for f in (1, 2)]))
@settings(max_examples=30)
def test_the_order_of_the_answer_does_not_matter(order):
    """Duplicates are merged, and hosts stand the same way however Kordless lists them."""
    slots = [slot("2026-12-01 09:00", host=host, free=free, capacity=2) for host, free in order]
    (moment,) = flat(free_times(slots, zone=UTC, now=NOW))
    assert moment.hosts == (SARAH, TOM)
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


def test_everybody_with_a_slot_is_listed_once():
    """Hosts come by name, the nameless last."""
    slots = [slot("2026-12-01 09:00", host=h) for h in (TOM, Host(id="a"), SARAH, TOM, None)]
    assert unique_hosts(slots) == (SARAH, TOM, Host(id="a"))


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
def test_around_every_change_of_the_clocks_each_time_can_be_told_apart(data):
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


def test_parts_of_the_day_have_names():
    """Each part is a heading of its own."""
    assert [str(part.label) for part in PartOfDay] == ["Night", "Morning", "Afternoon", "Evening"]


@given(st.integers(1, 9999), st.integers(1, 12), st.integers(0, 6))
@settings(max_examples=150)
def test_a_month_is_a_table_of_whole_weeks(year, month, first_weekday):
    """Every day once, in the column of its weekday, rows of seven, to the ends of the calendar."""
    weeks = month_weeks(date(year, month, 1), first_weekday)
    assert all(len(week) == 7 for week in weeks)
    days = [day for week in weeks for day in week if day]
    assert days[0] == date(year, month, 1)
    assert [day.day for day in days] == list(range(1, len(days) + 1))
    assert len(days) in (28, 29, 30, 31)
    for week in weeks:
        assert all(day is None or day.weekday() == (first_weekday + column) % 7 for column, day in enumerate(week))


@pytest.mark.parametrize(
    ("window", "last"),
    [(0, date(2026, 1, 1)), (1, date(2026, 2, 1)), (60, date(2026, 4, 1)), (-5, date(2026, 1, 1))],
)
def test_months_open_as_far_as_can_be_booked(window, last):
    """The window is counted from the visitor's own today."""
    now = at("2026-01-31 12:00")
    assert months_in_window(now, UTC, window) == (date(2026, 1, 1), last)


def test_the_first_month_is_the_visitors_own():
    """On the last evening of the year it is January on Kiritimati and December on Niue."""
    now = at("2026-12-31 20:00")
    assert months_in_window(now, get_timezone("Pacific/Kiritimati"), 5)[0] == date(2027, 1, 1)
    assert months_in_window(now, get_timezone("Pacific/Niue"), 5)[0] == date(2026, 12, 1)


@pytest.mark.parametrize("window", [None, 10**9])
def test_no_window_opens_more_than_a_year(window):
    """An unknown or absurd window is a year."""
    assert months_in_window(NOW, UTC, window) == (date(2026, 3, 1), date(2027, 3, 1))


def test_a_thousand_slots_take_little_time():
    """1,000 slots take some 5 ms of CPU (the limit leaves room for slow machines), and 3,000 do no harm."""
    order = random.Random(7)  # noqa: S311 (only an order)
    slots = [slot(at("2026-12-01 00:00") + timedelta(minutes=30 * n), host=h) for n in range(500) for h in (TOM, SARAH)]
    order.shuffle(slots)
    taken = []
    for _ in range(5):
        begun = stopwatch.process_time()
        free_times(slots, zone=get_timezone("America/New_York"), now=NOW)
        taken.append(stopwatch.process_time() - begun)
    assert min(taken) < 0.05
    many = [slot(at("2026-12-01 00:00") + timedelta(minutes=n)) for n in range(3000)]
    assert len(flat(free_times(many, zone=get_timezone("Asia/Kathmandu"), now=NOW))) == 3000
