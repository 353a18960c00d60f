"""Bookings as calendar entries."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import RequestFactory
from icalendar import Calendar
from pytest_django import Settings

from kordless_booking.api.resources import Booking, Location
from kordless_booking.presentation.calendar_event import CalendarEvent
from kordless_booking.views.invites import calendar_event_for, calendar_links, calendar_response
from kordless_booking.views.request import WidgetRequest

pytestmark = pytest.mark.django_db

START = datetime(2026, 12, 9, 14, 0, tzinfo=UTC)


def entry(status: str = "confirmed", organization: str | None = "Acme Salon", sequence: int = 0) -> CalendarEvent:
    """The entry for a haircut with this status."""
    booking = Booking(
        confirmation_number="BOOK_AB12",
        status=status,
        start=START,
        end=START + timedelta(hours=1),
        organization_name=organization,
    )
    place = Location(type="onsite", value="123 Main St")
    visit = WidgetRequest.from_http(RequestFactory().get("/book/"))
    return calendar_event_for(
        visit,
        booking,
        timezone="Europe/Kyiv",
        title="Haircut",
        location=place,
        link="/book/manage/x/",
        sequence=sequence,
    )


@pytest.mark.parametrize(
    ("status", "shown"),
    [("confirmed", "CONFIRMED"), ("canceled", "CANCELLED"), ("pending", "TENTATIVE"), ("waitlisted", "TENTATIVE")],
)
def test_only_confirmed_is_confirmed(site: Settings, status: str, shown: str):
    """A calendar shows anything that isn't certain as tentative."""
    [event] = Calendar.from_ical(calendar_response(entry(status)).content).walk("VEVENT")
    assert event["STATUS"] == shown


def test_the_identity_is_the_booking(site: Settings):
    """Whenever and however often the file is made, it is the same entry of the same business."""
    first, later = entry(), entry(status="canceled", sequence=7)
    assert first.uid == later.uid == "book_ab12@acme-salon.kordless.ai"
    assert (first.sequence, later.sequence) == (0, 7)


def test_the_business_is_named_when_it_is_known(site: Settings):
    """The title says with whom: from the booking, else from the organization."""
    assert entry().title == "Haircut · Acme Salon"
    assert entry(organization=None).title == "Haircut · Acme Salon"


def test_the_link_is_absolute(site: Settings):
    """A calendar is opened elsewhere, so the way back is a whole address."""
    assert entry().url == "http://testserver/book/manage/x/"


def test_links_to_calendars_are_https(site: Settings):
    """Google, Outlook and Yahoo get the same moment; the file stays with us."""
    links = calendar_links(entry(), "/book/x/booking.ics")
    assert links["ics_url"] == "/book/x/booking.ics"
    for name in ("google", "outlook", "yahoo"):
        assert links[name].startswith("https://")
        assert "Haircut" in links[name]
