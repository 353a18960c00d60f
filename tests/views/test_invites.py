"""Bookings as calendar entries."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.test import Client, RequestFactory
from icalendar import Calendar
from pytest_django import Settings

from kordless_booking.api.resources import Booking, Location
from kordless_booking.presentation.calendar_event import CalendarEvent
from kordless_booking.sandbox import Sandbox
from kordless_booking.views.invites import calendar_event_for, calendar_links, calendar_response
from kordless_booking.views.request import WidgetRequest
from tests.support.visitor import Visitor

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


@pytest.mark.parametrize("page", ["confirmation", "manage page"])
def test_no_entry_has_the_requests_host(
    site: Settings, account_settings: dict[str, Any], client: Client, sandbox: Sandbox, page: str
):
    """Whatever name the site was asked under: in the file and in the links, the manage link begins with SITE_URL."""
    site.ALLOWED_HOSTS = ["*"]
    site.KORDLESS_BOOKING = {**account_settings, "SITE_URL": "https://salon.example"}
    visitor = Visitor(client, {"Host": "evil.example"})
    shown = visitor.book("haircut", "?day=2026-12-09&host=host_sarah")
    if page == "manage page":
        shown = visitor.open(shown.link("Change or cancel"))
    file = visitor.open(shown.link("Apple (.ics)")).html
    calendar = Calendar.from_ical(file)
    [event] = calendar.walk("VEVENT")
    [url] = re.findall(r"https://salon\.example/book/manage/[\w-]{60,}/$", event["description"])
    assert Visitor(client).open(url.removeprefix("https://salon.example")).number == shown.number
    assert event["url"].startswith("https://salon.example/book/manage/")
    assert "method" not in calendar
    assert "evil" not in file
    for name in ("Google", "Outlook", "Yahoo"):
        link = unquote(shown.link(name))
        assert "https://salon.example/book/manage/" in link
        assert "evil" not in link


def test_the_entry_of_a_new_booking_says_what_was_booked(client: Client, site: Settings, sandbox: Sandbox):
    """In the visitor's language: the service, whom it is with, the number, and the link to change it."""
    visitor = Visitor(client)
    page = visitor.book("haircut", "?day=2026-12-09&host=host_sarah")
    [event] = Calendar.from_ical(visitor.open(page.link("Apple (.ics)")).html).walk("VEVENT")
    assert event["description"].startswith("Service: Haircut\nWith: Sarah\n")
    assert f"\nConfirmation number: {page.number}\n\nChange or cancel your booking here:\n" in event["description"]
    [details] = parse_qs(urlsplit(page.link("Google")).query)["details"]
    assert details.startswith("Service: Haircut\nWith: Sarah\n")


def test_links_to_calendars_are_https(site: Settings):
    """Google, Outlook and Yahoo get the same moment; the file stays with us."""
    links = calendar_links(entry(), "/book/x/booking.ics")
    assert links["ics_url"] == "/book/x/booking.ics"
    for name in ("google", "outlook", "yahoo"):
        assert links[name].startswith("https://")
        assert "Haircut" in links[name]
