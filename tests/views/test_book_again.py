"""The same appointment some weeks later, offered with the confirmation and on the page of a booking."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.sandbox import Sandbox
from kordless_booking.views.book_again import same_time_later
from tests.support.spaces import plain_spaces
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db

AGAIN = "Book again: Tue, Dec 29"
NEAREST = ["9:00 AM Tue, Dec 29", "12:00 PM Tue, Dec 29", "3:00 PM Tue, Dec 29"]
"""Free times of anyone's that are nearest to the usual 10:30 AM, which is taken."""


@pytest.fixture
def weeks(site: Settings) -> Settings:
    """Return the plain site that offers the same again four weeks later."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "BOOK_AGAIN_WEEKS": 4}
    return site


def nearest(page) -> list[str]:
    return [plain_spaces(text) for text in page.texts(".kb-nearest li")]


def test_a_confirmation_offers_the_same_again_some_weeks_later(weeks: Settings, any_visitor: Visitor):
    """The same service, host, weekday and time of day: the nearest free times stand first, each with its date."""
    booked = any_visitor.book("haircut", "?hours=12&tz=Europe/Paris&host=host_sarah")
    link = booked.link(AGAIN)
    assert parse_qs(urlsplit(link).query) == {
        "tz": ["Europe/Paris"],
        "day": ["2026-12-29"],
        "host": ["host_sarah"],
        "hours": ["12"],
        "from": ["20261229T153000Z"],
    }
    page = any_visitor.open(link)
    assert page.heading == "Haircut"
    assert nearest(page)[1] == "12:00 PM Tue, Dec 29"
    assert page.texts("[role=alert]") == []
    form = any_visitor.open(page.links(".kb-nearest a")["12:00 PM Tue, Dec 29"])
    assert "December 29" in plain_spaces(form.text)
    assert "Sarah" in form.text


def test_the_page_of_a_booking_offers_the_same_again(weeks: Settings, any_visitor: Visitor):
    """While it can be changed, and after it was canceled, beside the link for any day."""
    managed = any_visitor.open(any_visitor.book().link("Change or cancel"))
    assert AGAIN in managed.links()
    assert "Book again" not in managed.links()
    canceled = any_visitor.send(any_visitor.send(managed, "Cancel booking"), "Cancel booking")
    assert canceled.heading == "Booking canceled"
    links = canceled.links()
    assert {"Book again", AGAIN} <= links.keys()
    assert nearest(any_visitor.open(links[AGAIN])) == NEAREST


def test_a_booking_that_is_over_is_offered_again_in_the_future(weeks: Settings, any_visitor: Visitor, clock: Traveller):
    """As many periods later as lead there."""
    managed = any_visitor.book().link("Change or cancel")
    clock.shift(timedelta(days=40))
    assert "Book again: Tue, Jan 26" in any_visitor.open(managed).links()


def test_without_the_setting_nothing_offers_the_same_again(site: Settings, any_visitor: Visitor):
    """Nor does a page have another byte."""
    booked = any_visitor.book()
    managed = any_visitor.open(booked.link("Change or cancel"))
    assert not [name for page in (booked, managed) for name in page.links() if name.startswith("Book again")]


def test_what_lies_beyond_the_booking_window_is_not_offered_again(site: Settings, any_visitor: Visitor):
    """A link to it would lead to a page without times."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "BOOK_AGAIN_WEEKS": 52}
    assert not [name for name in any_visitor.book().links() if name.startswith("Book again")]


def test_a_host_who_is_gone_leaves_the_same_time_with_others(weeks: Settings, any_visitor: Visitor):
    """The page says so, and shows everyone's times, the nearest ones first."""
    link = any_visitor.book("haircut", "?host=host_sarah").link(AGAIN).replace("host_sarah", "host_gone")
    page = any_visitor.open(link)
    assert "Here are everyone’s times." in page.text
    assert nearest(page) == NEAREST


def test_a_party_that_no_longer_fits_is_told_how_many_can_come(weeks: Settings, any_visitor: Visitor):
    """As on any page of times."""
    link = any_visitor.book("styling-class", "?party=3").link("Book again: ")
    assert "party=3" in link
    assert any_visitor.open(link.replace("party=3", "party=50")).status == 200
    assert "3" in any_visitor.open(link).tree.css_first("select[name=party] option[selected]").text()


@pytest.mark.parametrize(
    "value",
    ["", "x", "20260101T000000Z", "99991231T235959Z", "20261301T000000Z", "20261229T153000", "%00", "1" * 5000],
)
def test_a_made_up_usual_time_is_ignored(site: Settings, any_visitor: Visitor, sandbox: Sandbox, value: str):
    """What is no time that can be booked changes nothing on the page, and costs nothing."""
    plain = any_visitor.open("/book/haircut/")
    sent = len(sandbox.requests)
    page = any_visitor.open(f"/book/haircut/?from={value}")
    assert page.status == 200
    assert nearest(page) == []
    assert page.times == plain.times
    assert len(sandbox.requests) == sent


def test_a_page_with_a_usual_time_is_stored_for_nobody(weeks: Settings, any_visitor: Visitor):
    """No link carries the usual time on but the one to a page that leads back; the page without it is another one."""
    page = any_visitor.open("/book/haircut/?from=20261229T153000Z")
    assert nearest(page)
    assert not [url for url in page.hrefs() if "from=" in url and "/zone/" not in url]
    assert nearest(any_visitor.open("/book/haircut/")) == []


@pytest.mark.parametrize(
    ("start", "zone", "later"),
    [
        # Clocks go back on November 1 in New York, and forward on March 14.
        ("2026-10-20T13:00+00:00", "America/New_York", "2026-11-17T14:00+00:00"),
        ("2027-03-02T15:00+00:00", "America/New_York", "2027-03-30T14:00+00:00"),
        ("2026-10-20T13:00+00:00", "UTC", "2026-11-17T13:00+00:00"),
    ],
)
def test_the_time_of_day_stays_over_a_change_of_clocks(start: str, zone: str, later: str):
    """By the clock of the business."""
    begin = datetime.fromisoformat(start)
    found = same_time_later(begin, timedelta(weeks=4), ZoneInfo(zone), begin)
    assert found == datetime.fromisoformat(later)


@given(
    start=st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31)),  # noqa: DTZ001
    now=st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001
    weeks=st.integers(1, 52),
)
def test_the_same_time_later_is_ahead_and_on_the_same_weekday(start: datetime, now: datetime, weeks: int):
    """For any start: never in the past by more than a change of clocks, and None only at the end of the calendar."""
    zone = ZoneInfo("America/New_York")
    later = same_time_later(start, timedelta(weeks=weeks), zone, now)
    if later is None:
        assert start.year >= 9998
        return
    assert later > max(start, now) - timedelta(hours=1)
    same_clock = later.astimezone(zone), start.astimezone(zone)
    assert same_clock[0].weekday() == same_clock[1].weekday()
