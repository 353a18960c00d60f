"""Where columns stand, for any numbers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.staff.funnel import HEIGHT, build_chart

DAYS = st.lists(st.tuples(st.just("day"), st.integers(0, 10**9), st.integers(0, 10**9)), max_size=90)


@given(DAYS)
def test_every_column_is_inside_and_in_order(days):
    """None higher than the chart, none over another, and as high as its number says."""
    made = build_chart(days)
    top, half, zero = made.ticks
    assert (half * 2, zero) == (top, 0)
    for (_, many, few), column in zip(days, made.columns, strict=True):
        assert 0 <= column.many <= HEIGHT
        assert 0 <= column.few <= HEIGHT
        assert abs(column.many - many / top * HEIGHT) < 0.01
        assert abs(column.top_of_few - (HEIGHT - few / top * HEIGHT)) < 0.01
    places = [column.x for column in made.columns]
    assert all(two - one >= made.column for one, two in pairwise(places))
    assert not places or places[-1] + made.column <= made.width


def test_the_scale_is_of_round_numbers():
    """Whose half is whole too, and which is nowhere near twice too high."""
    for most, top in ((0, 2), (1, 2), (3, 4), (7, 10), (11, 20), (23, 40), (95, 100), (101, 200)):
        assert build_chart([("day", most, 0)]).ticks[0] == top
