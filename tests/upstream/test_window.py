"""The stretch of time that one month asks about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.upstream.window import Days, by_month, days_window, is_near, month_window, near_window

NOW = datetime(2026, 12, 10, 15, 30, tzinfo=UTC)


def utc(*parts: int) -> datetime:
    """A moment in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("month", "days", "window"),
    [
        (date(2026, 12, 1), 60, (utc(2026, 12, 10), utc(2027, 1, 2))),
        (date(2027, 1, 1), 60, (utc(2026, 12, 31), utc(2027, 2, 2))),
        (date(2027, 1, 31), 60, (utc(2026, 12, 31), utc(2027, 2, 2))),
        (date(2027, 2, 1), 60, (utc(2027, 1, 31), utc(2027, 2, 9))),
        (date(2027, 3, 1), 60, None),
        (date(2027, 3, 1), None, (utc(2027, 2, 28), utc(2027, 4, 2))),
        (date(2026, 11, 1), 60, None),
        (date(2026, 12, 1), 0, (utc(2026, 12, 10), utc(2026, 12, 11))),
        (date(2026, 12, 1), -3, (utc(2026, 12, 10), utc(2026, 12, 11))),
        (date(2028, 6, 1), 10_000, None),
        (date(1, 1, 1), 60, None),
        (date(9999, 12, 31), None, None),
    ],
)
def test_a_month_asks_for_itself_and_a_day_on_both_sides(
    month: date, days: int | None, window: tuple[datetime, datetime] | None
) -> None:
    """Cut at today and at the booking window; absurd months ask for nothing."""
    assert month_window(month, NOW, days) == window


def test_on_the_first_of_a_month_the_last_one_is_still_some_visitors() -> None:
    """In Honolulu it is still November."""
    assert month_window(date(2026, 11, 1), utc(2026, 12, 1, 3), 60) == (utc(2026, 12, 1), utc(2026, 12, 2))


def test_a_naive_present_is_rejected() -> None:
    """Nobody's midnight would be right."""
    with pytest.raises(ValueError, match="aware"):
        month_window(date(2026, 12, 1), datetime(2026, 12, 1), 60)  # noqa: DTZ001 - the point of the test


@given(
    month=st.dates(),
    now=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    days=st.none() | st.integers(-5, 100_000),
)
def test_every_window_is_short_and_between_today_and_a_year(month: date, now: datetime, days: int | None) -> None:
    """Whole UTC days, never above 62 of them, and any month of the calendar will do."""
    window = month_window(month, now, days)
    if window is not None:
        start, end = window
        assert timedelta(days=1) <= end - start <= timedelta(days=33)
        assert now - timedelta(days=1) < start
        assert end <= now + timedelta(days=367)
        assert start.time() == end.time() == datetime.min.time()


@given(
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    zone=st.sampled_from(["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "America/New_York"]),
    ahead=st.integers(0, 90 * 24 * 60),
)
def test_the_month_a_visitor_sees_holds_every_bookable_moment(moment: datetime, zone: str, ahead: int) -> None:
    """Whatever the zone: a slot within the booking window is in the window of the visitor's own month for it."""
    slot = moment + timedelta(minutes=ahead)
    local = slot.astimezone(ZoneInfo(zone)).date()
    window = month_window(local.replace(day=1), moment, 90)
    assert window is not None
    assert window[0] <= slot <= window[1]


@given(
    fetched=st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    later=st.integers(0, 86_400),
    days=st.none() | st.integers(0, 400),
    month=st.dates(date(2026, 1, 1), date(2029, 12, 31)),
)
def test_near_days_fetched_before_midnight_have_all_that_is_near_after_it(
    fetched: datetime, later: int, days: int | None, month: date
) -> None:
    """Up to a day later: a month that counts as near lies wholly within what was asked for."""
    start, end = near_window(fetched, days)
    assert timedelta(days=2) <= end - start <= timedelta(days=62)
    now = fetched + timedelta(seconds=later)
    window = month_window(month, now, days)
    if window is not None and is_near(window, now):
        assert start <= window[0]
        assert window[1] <= end


def test_sixty_days_ahead_are_all_near() -> None:
    """Everything that can be booked at the usual booking window is in one request, on each day of a year."""
    for number in range(366):
        now = NOW + timedelta(days=number)
        months = {(now + timedelta(days=ahead)).date().replace(day=1) for ahead in range(61)}
        windows = [window for month in months if (window := month_window(month, now, 60))]
        assert all(is_near(window, now) for window in windows)


@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    length=st.integers(1, 120),
)
def test_a_window_is_read_from_the_blocks_of_its_months_without_a_gap(start: datetime, length: int) -> None:
    """Each part lies within what the block of its month has, and no month is read for a single day at an end."""
    start = start.replace(hour=0, minute=0, second=0, microsecond=0)
    window = (start, start + timedelta(days=length))
    parts = by_month(window)
    assert [part[0] for _, part in parts] == [start, *[part[1] for _, part in parts[:-1]]]
    assert parts[-1][1][1] == window[1]
    for month, (begin, end) in parts:
        block = month_window(month, start - timedelta(days=1), 366)
        assert block is not None
        assert block[0] <= begin < end <= block[1]
    inner = {(start + timedelta(days=number)).date().replace(day=1) for number in range(1, length - 1)}
    assert {month for month, _ in parts} <= inner | {parts[0][0]}


def test_the_first_page_of_the_calendar_is_near_on_each_day() -> None:
    """Five weeks from the current one on come with one request, whatever day the week begins with."""
    for number in range(400):
        now = NOW + timedelta(days=number)
        for weekday in range(7):
            monday = now.date() - timedelta(days=(now.weekday() - weekday) % 7)
            window = days_window(Days(monday, monday + timedelta(days=34)), now, 365)
            assert window is not None
            assert is_near(window, now)
