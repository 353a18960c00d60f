"""The schedule: hours in the business's time zone, correct on clock-change days, deterministic."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.sandbox.model import Business, Calendar, Service, hours, yearly
from kordless_booking.sandbox.schedule import local_day, openings, window_end
from kordless_booking.sandbox.seeds import ACME, BUSINESSES, NORTH

ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Kiritimati")


def business(zone: str, calendar: Calendar, **more: object) -> tuple[Business, Service]:
    service = Service("s", "S", None, 30, (calendar,), ("onsite", "here"), **more)  # type: ignore[arg-type]
    return Business("o", "o", "O", "k", ZoneInfo(zone), {}, (service,), yearly()), service


def local(stamp: int, zone: str) -> str:
    return datetime.fromtimestamp(stamp, UTC).astimezone(ZoneInfo(zone)).strftime("%d %H:%M%z")


def grid(zone: str, day: date, *spans: str) -> list[str]:
    calendar = Calendar("c", hours(*spans, days="Mon Tue Wed Thu Fri Sat Sun"), occupancy_percent=0)
    place, service = business(zone, calendar)
    return [local(start, zone) for start, _ in openings(place, service, calendar, day, day)]


def test_the_hour_that_comes_twice() -> None:
    """On the autumn day in New York 01:00 and 01:30 are offered in both offsets."""
    assert grid("America/New_York", date(2026, 11, 1), "00:30-02:30") == [
        "01 00:30-0400", "01 01:00-0400", "01 01:30-0400", "01 01:00-0500", "01 01:30-0500", "01 02:00-0500",
    ]  # fmt: skip


def test_the_hour_that_is_skipped() -> None:
    """On the spring day in Berlin nothing is offered between 02:00 and 03:00."""
    assert grid("Europe/Berlin", date(2026, 3, 29), "01:00-04:00") == [
        "29 01:00+0100", "29 01:30+0100", "29 03:00+0200", "29 03:30+0200",
    ]  # fmt: skip


def test_half_an_hour_on_lord_howe() -> None:
    """Clocks there go back by half an hour only: 01:30 comes twice."""
    starts = grid("Australia/Lord_Howe", date(2026, 4, 5), "01:00-02:30")
    assert starts == ["05 01:00+1100", "05 01:30+1100", "05 01:30+1030", "05 02:00+1030"]


def test_evenings_run_past_midnight() -> None:
    """20:00-26:00 ends at two in the morning of the next day."""
    starts = grid("America/New_York", date(2026, 12, 4), "23:00-26:00")
    assert starts[0] == "04 23:00-0500"
    assert starts[-1] == "05 01:30-0500"


def test_hours_around_a_clock_change_stay_on_the_wall() -> None:
    """The salon opens at nine before and after the change."""
    service = ACME.services[0]
    sarah = service.calendars[0]
    for day in (date(2026, 10, 31), date(2026, 11, 3), date(2027, 3, 13), date(2027, 3, 16)):
        first = next(iter(openings(ACME, service, sarah, day, day)))[0]
        assert local(first, "America/New_York")[3:8] == "09:00"


def test_lunch_closed_days_and_holidays() -> None:
    """Nothing touches the lunch break, Monday, Thanksgiving or Christmas."""
    service, sarah = ACME.services[0], ACME.services[0].calendars[0]
    tuesday = {
        local(start, "America/New_York")[3:8] for start, _ in openings(ACME, service, sarah, *[date(2026, 12, 1)] * 2)
    }
    assert {"12:00", "14:00", "17:00"} <= tuesday
    assert not {"12:30", "13:00", "13:30", "17:30"} & tuesday
    for day in (date(2026, 11, 30), date(2026, 11, 26), date(2026, 12, 25), date(2027, 1, 1)):
        assert list(openings(ACME, service, sarah, day, day)) == []
    assert list(openings(NORTH, NORTH.services[0], NORTH.services[0].calendars[0], *[date(2026, 12, 24)] * 2)) == []


def test_the_two_hosts_have_different_hours() -> None:
    """Sarah begins in the morning, Miguel works later."""
    service = ACME.services[0]
    day = date(2026, 12, 2)
    sarah, miguel = ([start for start, _ in openings(ACME, service, each, day, day)] for each in service.calendars)
    assert sarah[0] < miguel[0]
    assert sarah[-1] < miguel[-1]


def test_months_look_real() -> None:
    """Of each bookable service between a fifth and nine tenths of the times are free in the long run."""
    for place in BUSINESSES:
        for service in place.services:
            for calendar in service.calendars:
                found = [seats for _, seats in openings(place, service, calendar, date(2027, 1, 1), date(2027, 6, 30))]
                assert 0.15 < sum(map(bool, found)) / len(found) < 0.95, (service.slug, calendar.id)


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    day=st.dates(date(2020, 1, 1), date(2035, 12, 31)),
    opens=st.integers(0, 20),
    length=st.integers(1, 6),
)
def test_the_grid_is_even_and_within_the_hours(zone: str, day: date, opens: int, length: int) -> None:
    """On any day anywhere the steps are half an hour of real time and all ends are at or before closing."""
    calendar = Calendar(
        "c", hours(f"{opens}:00-{opens + length}:00", days="Mon Tue Wed Thu Fri Sat Sun"), occupancy_percent=0
    )
    place, service = business(zone, calendar)
    starts = [start for start, _ in openings(place, service, calendar, day, day)]
    assert all(two - one == 1800 for one, two in pairwise(starts))
    closing = datetime.combine(day + timedelta((opens + length) // 24), datetime.min.time(), ZoneInfo(zone))
    closes = closing.replace(hour=(opens + length) % 24).timestamp()
    assert all(start + 1800 <= closes for start in starts)
    assert starts == [start for start, _ in openings(place, service, calendar, day, day)]


def test_window_ends_at_local_midnight() -> None:
    """The day after the last bookable day begins at midnight of the business."""
    service = ACME.services[0]
    today = local_day(ACME, datetime(2026, 11, 23, 2, 0, tzinfo=UTC).timestamp())
    assert today == date(2026, 11, 22)
    assert local(window_end(ACME, service, today), "America/New_York") == "22 00:00-0500"
