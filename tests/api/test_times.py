"""Times and lengths to the second, in spite of fractions."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.api.times import is_same_length, is_same_time, round_to_second

MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 (bounds)
LENGTHS = st.timedeltas(timedelta(0), timedelta(days=3))


@given(MOMENTS)
def test_a_rounded_time_is_the_same_time(moment: datetime) -> None:
    """Rounding changes no time, and rounding again changes nothing."""
    rounded = round_to_second(moment)
    assert rounded.microsecond == 0
    assert is_same_time(rounded, moment)
    assert round_to_second(rounded) == rounded


def test_the_last_half_second_of_all_times_is_rounded_down() -> None:
    """The last second of the year 9999 has no later one."""
    assert round_to_second(datetime.max.replace(tzinfo=UTC)) == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_a_second_makes_another_time_but_no_other_length() -> None:
    """Two ends of a length are rounded, of a time only the time itself."""
    second, now = timedelta(seconds=1), datetime(2026, 12, 1, 14, tzinfo=UTC)
    assert not is_same_time(now, now + second)
    assert is_same_length(second * 60, second * 61)
    assert not is_same_length(second * 60, second * 62)


@given(MOMENTS, LENGTHS)
def test_rounding_both_ends_keeps_the_length(start: datetime, length: timedelta) -> None:
    """A booking with rounded ends has the length of its slot."""
    if start <= datetime(9999, 12, 1, tzinfo=UTC):
        assert is_same_length(round_to_second(start + length) - round_to_second(start), length)
