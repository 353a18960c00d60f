"""What a link asks for besides the choices: parsed safely, written so that it reads the same again."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.booking.choices import Choices, parse_quarter, to_quarter
from kordless_booking.booking.requested_days import REQUESTED_DAYS_NAMES, DateRange, RequestedDays

TODAY, LAST = date(2026, 12, 1), date(2027, 1, 30)
REQUESTED_DAYS = st.builds(
    RequestedDays,
    until=st.none() | st.dates(date(1970, 1, 1), date(9000, 12, 31)),
    excluded_weekdays=st.frozensets(st.integers(0, 6)),
)


@given(requested=REQUESTED_DAYS)
def test_what_is_requested_survives_its_link(requested: RequestedDays):
    """Also when all of it was removed: the page still shows host and party then."""
    assert RequestedDays.from_query(dict(requested.query_items())) == requested


@given(query=st.dictionaries(st.sampled_from(sorted(REQUESTED_DAYS_NAMES)), st.text(max_size=12)))
def test_any_query_asks_for_nothing_or_for_something_safe(query: dict[str, str]):
    """Nothing raises, and days are found within those that can be booked."""
    requested = RequestedDays.from_query(query)
    date_range = requested.date_range(Choices(), TODAY, LAST) if requested else None
    assert date_range is None or TODAY <= date_range.first <= date_range.last <= LAST


@pytest.mark.parametrize(
    ("choices", "requested", "expected"),
    [
        (Choices(), RequestedDays(), None),
        (Choices(day=date(2026, 12, 5)), RequestedDays(date(2026, 12, 6)), (date(2026, 12, 5), date(2026, 12, 6))),
        (Choices(day=date(2026, 11, 5)), RequestedDays(date(2026, 12, 6)), (TODAY, date(2026, 12, 6))),
        (Choices(day=date(2026, 11, 5)), RequestedDays(date(2026, 11, 6)), None),
        (Choices(day=date(2026, 12, 5)), RequestedDays(date(2028, 12, 6)), (date(2026, 12, 5), LAST)),
        (Choices(day=date(2028, 12, 5)), RequestedDays(date(2028, 12, 6)), None),
        (Choices(month=date(2026, 12, 1)), RequestedDays(date(2026, 12, 6)), None),
        (Choices(), RequestedDays(excluded_weekdays=frozenset({0})), (TODAY, LAST)),
    ],
)
def test_a_date_range_lies_within_what_can_be_booked(
    choices: Choices, requested: RequestedDays, expected: tuple[date, date] | None
):
    """Days that are over are cut off; nothing of it left is no date range, and so is a page that was turned to."""
    date_range = requested.date_range(choices, TODAY, LAST)
    assert (date_range and date_range[:2]) == expected


def test_a_date_range_leaves_weekdays_out():
    """ "This week, not on Wednesday"."""
    date_range = DateRange(TODAY, TODAY + timedelta(days=3), frozenset({2}))
    assert [date_range.contains(TODAY + timedelta(days=day)) for day in range(-1, 5)] == [
        False,
        True,
        False,
        True,
        True,
        False,
    ]


@given(moment=st.times())
def test_times_of_day_are_quarters_of_an_hour(moment: time):
    """96 values, whatever a query says: a visitor can't make up more pages. Rounding never cuts a fitting time off."""
    low, high = to_quarter(moment.replace(second=0, microsecond=0)), to_quarter(moment, round_up=True)
    assert low is None or (low.minute % 15 == 0 and low <= moment)
    assert high is None or (high.minute % 15 == 0 and high >= moment.replace(second=0, microsecond=0))


@given(text=st.text(max_size=8) | st.from_regex(r"[0-9]{2}:[0-9]{2}", fullmatch=True))
def test_any_text_is_a_time_of_day_or_none(text: str):
    """Nothing raises, and what is read is written as it is read."""
    found = parse_quarter(text)
    assert found is None or parse_quarter(f"{found:%H:%M}") == found
