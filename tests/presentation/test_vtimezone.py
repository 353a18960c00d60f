"""Rules in calendar files: whoever reads only them gets the same instants as the zone database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.presentation.timezones import get_timezone
from kordless_booking.presentation.vtimezone import utc_offset_changes, zone_rules
from tests.support.timezones import EVERY_ZONE

START = datetime(2020, 1, 1, tzinfo=UTC)


def read_by_rules(rules, local):
    """The offset that a calendar without a zone database gives to a local time: RFC 5545, 3.6.5."""
    begun = [part for part in rules.subcomponents if part["dtstart"].dt <= local]
    return max(begun, key=lambda part: part["dtstart"].dt)["tzoffsetto"].td


def shape(rules):
    """The observances as (STANDARD or DAYLIGHT, local start, offset before, offset after)."""
    return [
        (p.name, p["dtstart"].dt.isoformat(" ", "minutes"), p["tzoffsetfrom"].to_ical(), p["tzoffsetto"].to_ical())
        for p in rules.subcomponents
    ]


def test_a_change_starts_by_the_clock_before_it():
    """New York goes to summer time at 02:00 EST and back at 02:00 EDT, whatever the clock shows after."""
    moment = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert shape(zone_rules("America/New_York", moment, moment)) == [
        ("DAYLIGHT", "2025-06-30 08:00", "-0400", "-0400"),
        ("STANDARD", "2025-11-02 02:00", "-0400", "-0500"),
        ("DAYLIGHT", "2026-03-08 02:00", "-0500", "-0400"),
        ("STANDARD", "2026-11-01 02:00", "-0400", "-0500"),
        ("DAYLIGHT", "2027-03-14 02:00", "-0500", "-0400"),
    ]


def test_a_zone_without_changes_has_one_rule():
    """Kathmandu is at +5:45 for ever."""
    moment = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert [rule[2:] for rule in shape(zone_rules("Asia/Kathmandu", moment, moment))] == [("+0545", "+0545")]


def test_changes_are_found_to_the_second():
    """Berlin changes at 01:00 UTC on the last Sundays of March and October."""
    found = list(
        utc_offset_changes("Europe/Berlin", datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    )
    assert found == [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)]


@given(st.sampled_from(EVERY_ZONE), st.integers(0, 12 * 365 * 24 * 4))
@settings(max_examples=120, deadline=None)
def test_the_rules_agree_with_the_database(name, quarters):
    """In every zone and at every quarter of an hour that a clock shows once, the rules give the real offset."""
    moment = START + timedelta(minutes=15 * quarters)
    local = moment.astimezone(get_timezone(name))
    if local.fold:
        return  # a local time in a file means the first of two
    rules = zone_rules(name, moment, moment + timedelta(hours=1))
    assert read_by_rules(rules, local.replace(tzinfo=None)) == local.utcoffset()


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_the_rules_agree_around_every_change(data):
    """The same in the hours around a change of the clocks, where mistakes live."""
    name = data.draw(st.sampled_from(EVERY_ZONE))
    found = list(utc_offset_changes(name, START, START + timedelta(days=2500)))
    if not found:
        return
    change = data.draw(st.sampled_from(found))
    rules = zone_rules(name, change, change)
    for step in range(-16, 17):
        local = (change + timedelta(minutes=15 * step)).astimezone(get_timezone(name))
        if not local.fold:
            assert read_by_rules(rules, local.replace(tzinfo=None)) == local.utcoffset()


def test_unknown_zones_and_the_ends_of_the_calendar_raise():
    """The caller decides what to write instead."""
    moment = datetime(2026, 7, 1, 12, tzinfo=UTC)
    with pytest.raises(ValueError, match="not a time zone"):
        zone_rules("../../etc/passwd", moment, moment)
    with pytest.raises(OverflowError):
        zone_rules("Europe/Berlin", moment, datetime(9999, 12, 31, tzinfo=UTC))
