"""The times of a day as ready HTML: what each says of the visitor's clock and of the one on site."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from kordless_booking.api.resources import Slot
from kordless_booking.booking.availability import free_times
from kordless_booking.presentation.formatting import short_day
from kordless_booking.presentation.timezones import get_timezone, selectable_timezones
from kordless_booking.presentation.vtimezone import utc_offset_changes
from kordless_booking.views.cells import TIME, time_items
from kordless_booking.views.package_templates import find_package_templates
from kordless_booking.views.skeletons import PackagePart
from tests.support.spaces import plain_spaces
from tests.support.visitor import text_of

NOW = datetime(2026, 10, 1, tzinfo=UTC)


def told(start: datetime, own: str, site: str | None) -> str:
    """Return the text of a slot that starts then, on a 24-hour clock."""
    slot = Slot(start=start, end=start + timedelta(minutes=15), host=None, available=1, capacity=1)
    [times] = free_times([slot], zone=get_timezone(own), now=NOW).values()
    package = find_package_templates(TIME)
    assert package is not None
    html = time_items(
        times,
        part=PackagePart(package),
        url="/?start=",
        language="en",
        hours="24",
        venue_zone=get_timezone(site) if site else None,
    )
    [item] = LexborHTMLParser(html).css("li")
    return text_of(item)


def test_the_clock_on_site_shows_an_hour_twice():
    """When the clocks go back there and nowhere else, the offset tells its two equal hours apart."""
    first = datetime(2026, 11, 1, 5, tzinfo=UTC)
    said = [told(first + timedelta(hours=hour), "Europe/London", "America/New_York") for hour in (0, 1, 2)]
    assert said == [
        "05:00 your time 01:00 (GMT-4) local time",
        "06:00 your time 01:00 (GMT-5) local time",
        "07:00 your time 02:00 local time",
    ]


def test_a_whole_day_may_lie_between():
    """Kiritimati is a day ahead of Niue, and the quarter hours of Chatham are kept."""
    moment = datetime(2026, 12, 1, 10, 30, tzinfo=UTC)
    assert told(moment, "Pacific/Kiritimati", "Pacific/Niue") == "00:30 your time Mon, Nov 30, 23:30 local time"
    assert told(moment, "Asia/Kathmandu", "Pacific/Chatham") == "16:15 your time Wed, Dec 2, 00:15 local time"


@pytest.mark.long
@given(data=st.data(), own=st.sampled_from(selectable_timezones()), site=st.sampled_from(selectable_timezones()))
@settings(max_examples=150)
def test_each_clock_is_its_zones_own(data: st.DataObject, own: str, site: str):
    """For every two zones, around each change of their clocks: told twice exactly where they differ, and rightly."""
    near = [
        *utc_offset_changes(own, NOW, NOW + timedelta(days=400)),
        *utc_offset_changes(site, NOW, NOW + timedelta(days=400)),
    ]
    around = data.draw(st.sampled_from(near or [NOW + timedelta(days=60)]))
    start = around + timedelta(minutes=15 * data.draw(st.integers(-100, 100)))
    if start <= NOW:
        start = NOW + timedelta(minutes=15)
    here, there = start.astimezone(get_timezone(own)), start.astimezone(get_timezone(site))
    said = told(start, own, site)
    assert said.startswith(f"{here:%H:%M}")
    assert said.endswith(" local time") is (here.utcoffset() != there.utcoffset())
    if said.endswith(" local time"):
        assert f"{there:%H:%M}" in said.partition(" your time ")[2]
        assert (plain_spaces(short_day(there, "en")) in said) is (here.date() != there.date())
