"""Popularity of services: page views, halved every hour, in bounded memory."""

from __future__ import annotations

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.funnel.popularity import MAX_SERVICES, Popularity


def test_a_page_view_counts_half_an_hour_later_and_is_forgotten_after_another(clock: time_machine.Traveller) -> None:
    """What nobody looks at loses its popularity by itself."""
    popularity = Popularity()
    for _ in range(4):
        popularity.add("north", "cut")
    popularity.add("south", "cut")
    assert popularity.services("north") == {"cut": 4.0}
    clock.shift(3600)
    assert popularity.services("north") == {"cut": 2.0}
    popularity.add("north", "cut")
    assert popularity.services("north") == {"cut": 3.0}
    clock.shift(3 * 3600)
    assert popularity.services("north") == popularity.services("south") == {}
    assert popularity._views == {}


@given(seconds=st.floats(-1e9, 1e9))
def test_a_stepped_clock_makes_nothing_more_popular(seconds: float) -> None:
    """A clock that is set back doesn't multiply what was counted before."""
    with time_machine.travel(2_000_000_000, tick=False) as clock:
        popularity = Popularity()
        popularity.add("north", "cut")
        clock.shift(seconds)
        assert popularity.services("north").get("cut", 0.0) <= 1.0


def test_the_services_in_memory_are_bounded() -> None:
    """The one that wasn't viewed for the longest time goes."""
    popularity = Popularity()
    for number in range(MAX_SERVICES + 10):
        popularity.add("north", f"service-{number}")
        popularity.add("north", "service-0")
    assert len(popularity._views) == MAX_SERVICES
    assert popularity.services("north").keys() >= {"service-0", f"service-{MAX_SERVICES + 9}"}
    assert popularity.services("north")["service-0"] == pytest.approx(MAX_SERVICES + 11, rel=0.01)
