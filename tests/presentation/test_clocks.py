"""The clock that counts, and the sentence that says how far the other one is from it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.api.resources import Location
from kordless_booking.presentation.clocks import (
    PlaceClock,
    clock_city,
    clock_difference,
    clock_text,
    place_clock,
    shown_clocks,
)
from kordless_booking.presentation.timezones import get_timezone, timezones_by_country
from tests.support.spaces import plain_spaces

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"
ZONES = st.sampled_from(timezones_by_country())


@pytest.mark.parametrize(
    ("kind", "counts"),
    [("onsite", True), ("phone", None), ("meet_url", None), ("custom", False), ("hologram", False), (None, False)],
)
def test_the_clock_of_the_place_counts_where_the_visitor_travels(kind: str | None, counts: bool | None):
    """For a call the business's clock is nobody's; where nothing is known it is told after the visitor's."""
    place = place_clock(Location(type=kind, value="x") if kind else None, "US/Eastern")
    assert place == (None if counts is None else PlaceClock(NEW_YORK, counts))


@pytest.mark.parametrize("zone", [None, "", "Nowhere/Atlantis"])
def test_a_place_without_a_known_zone_has_no_clock(zone: str | None):
    """Then the visitor's own is all there is."""
    assert place_clock(Location(type="onsite", value="123 Main St"), zone) is None


@pytest.mark.parametrize(
    ("place", "chosen", "shown", "other", "follows"),
    [
        (None, None, BERLIN, None, True),
        (None, "business", BERLIN, None, True),
        (PlaceClock(NEW_YORK, True), None, NEW_YORK, BERLIN, False),
        (PlaceClock(NEW_YORK, True), "business", NEW_YORK, BERLIN, False),
        (PlaceClock(NEW_YORK, True), "visitor", BERLIN, NEW_YORK, True),
        (PlaceClock(NEW_YORK, False), None, BERLIN, NEW_YORK, True),
        (PlaceClock(NEW_YORK, False), "business", NEW_YORK, BERLIN, False),
        (PlaceClock(BERLIN, True), None, BERLIN, None, False),
    ],
)
def test_times_are_by_one_clock_and_the_other_can_be_chosen(
    place: PlaceClock | None, chosen: str | None, shown: str, other: str | None, follows: bool
):
    """The visitor's choice goes before the rule; where there is one clock, there is nothing to choose."""
    clocks = shown_clocks(BERLIN, place, chosen=chosen)
    assert (clocks.shown, clocks.visitor, clocks.other, clocks.follows_visitor) == (shown, BERLIN, other, follows)


@pytest.mark.parametrize(
    ("zone", "other", "text"),
    [
        (NEW_YORK, BERLIN, "Times in New York. You’re 6 hours ahead."),
        (BERLIN, NEW_YORK, "Times in Berlin. You’re 6 hours behind."),
        ("Europe/London", BERLIN, "Times in London. You’re 1 hour ahead."),
        (BERLIN, "Europe/London", "Times in Berlin. You’re 1 hour behind."),
        (NEW_YORK, "Asia/Kolkata", "Times in New York. You’re 10 hr 30 min ahead."),
        ("Asia/Kathmandu", "UTC", "Times in Kathmandu. You’re 5 hr 45 min behind."),
        ("Australia/Adelaide", "Australia/Darwin", "Times in Adelaide. You’re 1 hour behind."),
        ("Australia/Sydney", "Australia/Adelaide", "Times in Sydney. You’re 30 min behind."),
        ("Pacific/Niue", "Pacific/Kiritimati", "Times in Niue. You’re 25 hours ahead."),
        (BERLIN, "Europe/Paris", "Times in Berlin."),
    ],
)
def test_one_sentence_says_how_far_the_visitors_clock_is(zone: str, other: str, text: str):
    """In hours, or with minutes where they aren't whole; nothing where both clocks show the same."""
    with translation.override("en"):
        difference = clock_difference([NOON], zone, other)
        found = clock_text(clock_city(zone, "en", NOON), "en", difference, other_city="X", is_visitors=True)
        assert plain_spaces(found) == text


@pytest.mark.parametrize(
    ("zone", "other", "text"),
    [
        (BERLIN, NEW_YORK, "Times in Berlin. It’s 6 hours earlier in New York."),
        (NEW_YORK, BERLIN, "Times in New York. It’s 6 hours later in Berlin."),
        ("Europe/London", BERLIN, "Times in London. It’s 1 hour later in Berlin."),
        (BERLIN, "Europe/London", "Times in Berlin. It’s 1 hour earlier in London."),
        ("Asia/Kolkata", NEW_YORK, "Times in Kolkata. It’s 10 hr 30 min earlier in New York."),
        (NEW_YORK, "Asia/Kolkata", "Times in New York. It’s 10 hr 30 min later in Kolkata."),
        ("Etc/GMT-2", "Europe/London", "Times in GMT+2. It’s 2 hours earlier in London."),
    ],
)
def test_a_clock_that_may_not_be_the_visitors_is_named(zone: str, other: str, text: str):
    """The business's, and a customer's whose page somebody else may read."""
    with translation.override("en"):
        cities = [clock_city(each, "en", NOON) for each in (zone, other)]
        found = clock_text(cities[0], "en", clock_difference([NOON], zone, other), other_city=cities[1])
        assert plain_spaces(found) == text


def test_a_difference_that_changes_between_the_times_is_left_out():
    """In the night when New York's clocks go back and Berlin's don't, no one number would be true."""
    before, after = datetime(2026, 11, 1, 5, tzinfo=UTC), datetime(2026, 11, 1, 7, tzinfo=UTC)
    assert clock_difference([before], NEW_YORK, BERLIN) == timedelta(hours=5)
    assert clock_difference([after], NEW_YORK, BERLIN) == timedelta(hours=6)
    assert clock_difference([before, after], NEW_YORK, BERLIN) is None
    with translation.override("en"):
        assert clock_text("New York", "en", None, other_city="Berlin", is_visitors=True) == "Times in New York."


def test_a_difference_that_changes_and_changes_back_is_left_out():
    """Between the hours in which the clocks of New York and Chicago go back, both show the same."""
    moments = [datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6, 7)]
    assert clock_difference([moments[0], moments[2]], NEW_YORK, "America/Chicago") == timedelta(hours=-1)
    assert clock_difference(moments, NEW_YORK, "America/Chicago") is None


@given(
    zone=ZONES,
    other=ZONES,
    day=st.integers(0, 3 * 365),
    minutes=st.lists(st.integers(0, 1440), min_size=1, max_size=4).map(sorted),
)
def test_the_difference_holds_at_each_of_the_times(zone: str, other: str, day: int, minutes: list[int]):
    """For every two zones: adding it to one clock gives the other one, at all moments of a day; and back again."""
    moments = [NOON + timedelta(days=day, minutes=each) for each in minutes]
    difference = clock_difference(moments, zone, other)
    back = clock_difference(moments, other, zone)
    here, there = get_timezone(zone), get_timezone(other)
    gaps = {
        moment.astimezone(there).replace(tzinfo=None) - moment.astimezone(here).replace(tzinfo=None)
        for moment in moments
    }
    if len(gaps) > 1:
        assert difference is back is None
    else:
        assert gaps == {difference}
        assert back is not None
        assert -back == difference
