"""What a link asks for besides the choices: parsed safely, written so that it reads the same again."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.booking.asked import ASKED_NAMES, Asked, Span
from kordless_booking.booking.choices import Choices, parse_quarter, to_quarter

TODAY, LAST = date(2026, 12, 1), date(2027, 1, 30)
ASKED = st.builds(
    Asked,
    until=st.none() | st.dates(date(1970, 1, 1), date(9000, 12, 31)),
    excluded_weekdays=st.frozensets(st.integers(0, 6)),
)


@given(asked=ASKED)
def test_what_is_asked_for_survives_its_link(asked: Asked):
    """Also when all of it was removed: the page still says back host and party then."""
    assert Asked.from_query(dict(asked.query_items())) == asked


@given(query=st.dictionaries(st.sampled_from(sorted(ASKED_NAMES)), st.text(max_size=12)))
def test_any_query_asks_for_nothing_or_for_something_safe(query: dict[str, str]):
    """Nothing raises, and days are found within those that can be booked."""
    asked = Asked.from_query(query)
    span = asked.span(Choices(), TODAY, LAST) if asked else None
    assert span is None or TODAY <= span.first <= span.last <= LAST


@pytest.mark.parametrize(
    ("choices", "asked", "expected"),
    [
        (Choices(), Asked(), None),
        (Choices(day=date(2026, 12, 5)), Asked(date(2026, 12, 6)), (date(2026, 12, 5), date(2026, 12, 6))),
        (Choices(day=date(2026, 11, 5)), Asked(date(2026, 12, 6)), (TODAY, date(2026, 12, 6))),
        (Choices(day=date(2026, 11, 5)), Asked(date(2026, 11, 6)), None),
        (Choices(day=date(2026, 12, 5)), Asked(date(2028, 12, 6)), (date(2026, 12, 5), LAST)),
        (Choices(day=date(2028, 12, 5)), Asked(date(2028, 12, 6)), None),
        (Choices(month=date(2026, 12, 1)), Asked(date(2026, 12, 6)), None),
        (Choices(), Asked(excluded_weekdays=frozenset({0})), (TODAY, LAST)),
    ],
)
def test_a_span_lies_within_what_can_be_booked(choices: Choices, asked: Asked, expected: tuple[date, date] | None):
    """Days that are over are cut off; nothing of it left is no span, and so is a page that was turned to."""
    span = asked.span(choices, TODAY, LAST)
    assert (span and span[:2]) == expected


def test_a_span_leaves_weekdays_out():
    """ "This week, not on Wednesday"."""
    span = Span(TODAY, TODAY + timedelta(days=3), frozenset({2}))
    assert [span.holds(TODAY + timedelta(days=day)) for day in range(-1, 5)] == [False, True, False, True, True, False]


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
