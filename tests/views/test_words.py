"""Services, places and bookings in the visitor's words."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.api.resources import CancellationPolicy, Location, Price, PriceKind, Service
from kordless_booking.views import words
from kordless_booking.views.visit import Visit

START, END = datetime(2026, 12, 1, 23, 0, tzinfo=UTC), datetime(2026, 12, 2, 0, 0, tzinfo=UTC)


@pytest.fixture
def visit(site: Settings) -> Visit:
    """A visit by a visitor who chose nothing."""
    return Visit(RequestFactory().get("/book/"))


@pytest.mark.parametrize(
    ("kind", "value", "text", "url"),
    [
        ("onsite", "123 Main St", "123 Main St", "https://www.google.com/maps/"),
        ("onsite", "javascript:alert(1)", "javascript:alert(1)", "https://www.google.com/maps/"),
        ("phone", "+12125550123", "+12125550123", "tel:+12125550123"),
        ("phone", "", "By phone: we will call you", None),
        ("phone", "call me maybe", "call me maybe", None),
        ("meet_url", "https://meet.example.com/x", "Video call", "https://meet.example.com/x"),
        ("meet_url", "", "Video call", None),
        ("meet_url", "javascript:alert(1)", "javascript:alert(1)", None),
        ("meet_url", "//evil.example/x", "//evil.example/x", None),
        ("custom", "At your place", "At your place", None),
        ("custom", "https://example.com/where", "https://example.com/where", "https://example.com/where"),
        ("hologram", "Deck 7", "Deck 7", None),
    ],
)
def test_a_place_is_said_and_safely_linked(kind: str, value: str, text: str, url: str | None):
    """The business's own words stand there; they are a link only where that is safe."""
    place = words.place(Location(type=kind, value=value))
    assert place is not None
    assert place.text == text
    assert place.kind in words.KNOWN_PLACES
    assert (place.url or "").startswith(url or "")
    assert (place.url is None) is (url is None)


@pytest.mark.parametrize("location", [None, Location(type="onsite", value=""), Location(type="custom", value=" ")])
def test_no_place_is_none(location: Location | None):
    """Where nothing is said, nothing is shown."""
    assert words.place(location) is None


@given(kind=st.sampled_from(["onsite", "phone", "meet_url", "custom", "other"]), value=st.text(max_size=80))
def test_no_place_is_unsafe(kind: str, value: str):
    """Whatever the business writes, a link starts with a scheme that only opens."""
    place = words.place(Location(type=kind, value=value))
    assert place is None or place.url is None or place.url.startswith(("https://", "http://", "tel:+"))


def test_a_policy_is_the_business_own_words():
    """The business's text comes first, then its notice in ours, then nothing."""
    assert words.policy_text(CancellationPolicy(notice_hours=24, text="  Be kind. ")) == "Be kind."
    assert words.policy_text(CancellationPolicy(notice_hours=1, text="")) == "Please cancel at least 1 hour before."
    assert (
        words.policy_text(CancellationPolicy(notice_hours=48, text=None)) == "Please cancel at least 48 hours before."
    )
    assert words.policy_text(CancellationPolicy(notice_hours=0, text=None)) == ""
    assert words.policy_text(None) == ""


def test_a_party_is_said_when_it_is_one():
    """One person needs no words."""
    assert (words.party_text(1), words.party_text(2)) == ("", "2 people")


@pytest.mark.parametrize("status", ["pending", "canceled", "waitlisted", "", "CONFIRMED"])
def test_only_confirmed_is_called_confirmed(status: str):
    """No other status may sound as if the appointment were certain."""
    said = words.status_words(status)
    assert "confirmed" not in f"{said.headline} {said.lead}".lower()
    assert "booked" not in said.headline.lower()


def test_when_is_said_in_the_visitors_zone(visit: Visit):
    """The full date and both clock times are the zone's own; the zone's name says its offset then."""
    assert words.when(visit, START, END, "Asia/Kathmandu") == "Wednesday, December 2, 2026, 4:45 AM \u2013 5:45 AM"
    assert words.zone_text(visit, "Asia/Kathmandu", START) == "Kathmandu · GMT+5:45"


def test_the_business_clock_is_said_only_when_it_differs(visit: Visit):
    """A second clock stands there only for visitors whose own shows something else."""
    said = words.business_when(visit, START, END, "Asia/Kathmandu", "America/New_York")
    assert said == "Tuesday, December 1, 2026, 6:00 PM \u2013 7:00 PM (New York · GMT-5)"
    assert words.business_when(visit, START, END, "America/Toronto", "America/New_York") == ""
    for unknown in (None, "", "Nowhere/Atlantis"):
        assert words.business_when(visit, START, END, "Asia/Kathmandu", unknown) == ""


def test_a_card_says_what_is_known():
    """Length and price are said where they are known, and left out where not."""
    bare = Service(slug="x", name="X")
    assert (words.service_card(bare, "en").price, words.service_card(bare, "en").description) == ("", "")
    price = Price(kind=PriceKind.FIXED, amount=Decimal("1234.5"), currency="EUR")
    full = Service(slug="x", name="X", duration_minutes=90, price=price)
    card = words.service_card(full, "en", "/x/")
    assert (card.duration, card.price, card.url) == ("1 hr 30 min", "€1,234.50", "/x/")
