"""The times of a day as ready HTML: each by one clock."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from kordless_booking.api.resources import Slot
from kordless_booking.booking.availability import free_times
from kordless_booking.presentation.formatting import crosses_midnight
from kordless_booking.presentation.timezones import get_timezone, timezones_by_country
from kordless_booking.presentation.vtimezone import utc_offset_changes
from kordless_booking.views.cells import TIME, time_items
from kordless_booking.views.package_templates import find_package_templates
from kordless_booking.views.skeletons import PackagePart, SiteTemplatePart
from tests.support.visitor import text_of

NOW = datetime(2026, 10, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def text_at(start: datetime, zone: str) -> str:
    """Return the text of a slot that starts then, on a 24-hour clock."""
    slot = Slot(start=start, end=start + timedelta(minutes=15), host=None, available=1, capacity=1)
    [times] = free_times([slot], zone=get_timezone(zone), now=NOW).values()
    package = find_package_templates(TIME)
    assert package is not None
    html = time_items(
        times,
        part=PackagePart(package),
        url="/?start=",
        language="en",
        hours="24",
    )
    [item] = LexborHTMLParser(html).css("li")
    return text_of(item)


def test_an_hour_that_comes_twice_says_its_offset():
    """When the clocks go back, it tells the two equal hours apart."""
    first = datetime(2026, 11, 1, 5, tzinfo=UTC)
    texts = [text_at(first + timedelta(hours=hour), "America/New_York") for hour in (0, 1, 2)]
    assert texts == ["01:00 GMT-4", "01:00 GMT-5", "02:00"]


@pytest.mark.parametrize("form", ["", "kb-form"])
def test_times_from_skeletons_are_as_the_template_renders_them(form: str) -> None:
    """With any URL, with details of every width, and for those that start together."""
    start = datetime(2026, 11, 1, 5, tzinfo=UTC)
    slots = [
        Slot(
            start=start + timedelta(hours=hour), end=start + timedelta(hours=hour + length), available=2, capacity=seats
        )
        for hour, length, seats in [(0, 1, 1), (1, 1, 3), (1, 40, 3), (20, 1, 1), (21, 9, 3)]
    ]
    package = find_package_templates(TIME)
    assert package is not None
    for times in free_times(slots, zone=get_timezone("America/New_York"), now=NOW).values():
        skeletons, rendered = (
            time_items(times, part=part, url="/?a='<b>'&start=", language="en", hours=None, form=form)
            for part in (PackagePart(package), SiteTemplatePart(TIME, {}))
        )
        assert skeletons == rendered


@pytest.mark.long
@given(data=st.data(), zone=st.sampled_from(timezones_by_country()))
@settings(max_examples=150)
def test_each_time_is_by_one_clock(data: st.DataObject, zone: str):
    """For every zone, around each change of its clock: one clock time stands there, the zone's own."""
    near = [*utc_offset_changes(zone, NOW, NOW + timedelta(days=400))]
    around = data.draw(st.sampled_from(near or [NOW + timedelta(days=60)]))
    start = around + timedelta(minutes=15 * data.draw(st.integers(-100, 100)))
    if start <= NOW:
        start = NOW + timedelta(minutes=15)
    here = start.astimezone(get_timezone(zone))
    text = text_at(start, zone)
    assert text.startswith(f"{here:%H:%M}")
    if not crosses_midnight(here, (start + timedelta(minutes=15)).astimezone(get_timezone(zone))):
        assert len(re.findall("[0-9]{2}:[0-9]{2}(?![0-9])", text.partition(" GMT")[0])) == 1
