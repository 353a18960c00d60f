"""Services, places and bookings as templates show them."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import RequestFactory
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.api.resources import CalendarSettings, CancellationPolicy, Location, Price, PriceKind, Service
from kordless_booking.presentation import texts
from kordless_booking.presentation.clocks import PlaceClock
from kordless_booking.presentation.timezones import get_timezone, timezones_by_country
from kordless_booking.views import display
from kordless_booking.views.request import WidgetRequest
from tests.support.spaces import plain_spaces

SALON = PlaceClock("America/New_York", counts=True)
START, END = datetime(2026, 12, 1, 23, 0, tzinfo=UTC), datetime(2026, 12, 2, 0, 0, tzinfo=UTC)


@pytest.fixture
def visit(site: Settings) -> WidgetRequest:
    """A visit by a visitor who chose nothing."""
    return WidgetRequest.from_http(RequestFactory().get("/book/"))


@pytest.mark.parametrize(
    ("kind", "value", "text", "url"),
    [
        ("onsite", "123 Main St", "123 Main St", "https://www.google.com/maps/"),
        ("onsite", "javascript:alert(1)", "javascript:alert(1)", "https://www.google.com/maps/"),
        ("phone", "+12125550123", "By phone: +1 212-555-0123", "tel:+12125550123"),
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
def test_a_location_is_written_and_safely_linked(kind: str, value: str, text: str, url: str | None):
    """The business's own words stand there; they are a link only where that is safe."""
    place = texts.describe_location(Location(type=kind, value=value))
    assert place is not None
    assert place.text == text
    assert place.kind in {"onsite", "phone", "meet_url", "custom"}
    assert (place.url or "").startswith(url or "")
    assert (place.url is None) is (url is None)


@pytest.mark.parametrize("location", [None, Location(type="onsite", value=""), Location(type="custom", value=" ")])
def test_no_place_is_none(location: Location | None):
    """Where nothing is said, nothing is shown."""
    assert texts.describe_location(location) is None


@given(kind=st.sampled_from(["onsite", "phone", "meet_url", "custom", "other"]), value=st.text(max_size=80))
def test_no_place_is_unsafe(kind: str, value: str):
    """Whatever the business writes, a link starts with a scheme that only opens."""
    place = texts.describe_location(Location(type=kind, value=value))
    assert place is None or place.url is None or place.url.startswith(("https://", "http://", "tel:+"))


def test_a_policy_is_the_business_own_words():
    """The business's text comes first, then its notice in ours, then nothing."""
    assert texts.policy_text(CancellationPolicy(notice_hours=24, text="  Be kind. ")) == "Be kind."
    assert texts.policy_text(CancellationPolicy(notice_hours=1, text="")) == "Please cancel at least 1 hour in advance."
    assert (
        texts.policy_text(CancellationPolicy(notice_hours=48, text=None))
        == "Please cancel at least 48 hours in advance."
    )
    assert texts.policy_text(CancellationPolicy(notice_hours=0, text=None)) == ""
    assert texts.policy_text(None) == ""


def test_the_party_size_is_written_from_two_on():
    """One person needs no words."""
    assert (texts.party_text(1), texts.party_text(2)) == ("", "2 people")


@pytest.mark.parametrize("status", ["pending", "canceled", "waitlisted", "", "CONFIRMED"])
def test_only_confirmed_is_called_confirmed(status: str):
    """No other status may sound as if the appointment were certain."""
    status_text = texts.status_texts(status)
    assert "confirmed" not in f"{status_text.headline} {status_text.lead}".lower()
    assert "booked" not in status_text.headline.lower()


def test_times_are_written_in_the_visitors_zone(visit: WidgetRequest):
    """The full date and both clock times are the zone's own; the zone's name says its offset then."""
    times = display.display_times(visit, START, END, "Asia/Kathmandu", None)
    assert plain_spaces(times.when) == "Wednesday, December 2, 2026, 4:45 AM \u2013 5:45 AM"
    assert display.format_timezone(visit, "Asia/Kathmandu", START) == "Kathmandu\xa0· GMT+5:45"


def test_the_clock_on_site_comes_first_where_it_differs(visit: WidgetRequest):
    """Both with their zones; the visitor's own date is said where it is another one."""
    times = display.display_times(visit, START, END, "Asia/Kathmandu", SALON)
    assert (plain_spaces(times.when), times.zone) == (
        "Tuesday, December 1, 2026, 6:00 PM \u2013 7:00 PM local time",
        "New York\xa0· GMT-5",
    )
    assert (plain_spaces(times.other), times.other_zone, times.timezone) == (
        "Wednesday, December 2, 2026, 4:45 AM \u2013 5:45 AM your time",
        "Kathmandu\xa0· GMT+5:45",
        "America/New_York",
    )
    assert times.line == f"{times.when}\xa0· {times.other}"
    times = display.display_times(visit, START, END, "America/Chicago", SALON)
    assert plain_spaces(times.other) == "5:00 PM \u2013 6:00 PM your time"


def test_the_visitors_clock_comes_first_where_nobody_knows_that_they_travel(visit: WidgetRequest):
    """The business's stands after it, named by its city, with its own date."""
    place = PlaceClock("America/New_York", counts=False)
    times = display.display_times(visit, START, END, "Asia/Kathmandu", place)
    assert (plain_spaces(times.when), times.zone, times.timezone) == (
        "Wednesday, December 2, 2026, 4:45 AM \u2013 5:45 AM your time",
        "Kathmandu\xa0· GMT+5:45",
        "Asia/Kathmandu",
    )
    assert (plain_spaces(times.other), times.other_zone) == (
        "Tuesday, December 1, 2026, 6:00 PM \u2013 7:00 PM",
        "New York\xa0· GMT-5",
    )
    assert plain_spaces(times.line) == plain_spaces(f"{times.when} · {times.other} (New York · GMT-5)")


def test_a_zone_that_may_be_another_readers_says_for_you_to_nobody(visit: WidgetRequest):
    """The second time names the booking's zone when only that one is known, in one line as well."""
    times = display.display_times(visit, START, END, "America/Chicago", SALON, is_visitors=False)
    assert plain_spaces(times.when) == "Tuesday, December 1, 2026, 6:00 PM \u2013 7:00 PM local time"
    assert (plain_spaces(times.other), times.other_zone) == ("5:00 PM \u2013 6:00 PM", "Chicago\xa0· GMT-6")
    assert plain_spaces(times.line) == f"{plain_spaces(times.when)} · 5:00 PM \u2013 6:00 PM (Chicago · GMT-6)"


@pytest.mark.parametrize("site", [None, PlaceClock("America/Toronto", True), PlaceClock("America/Toronto", False)])
def test_one_clock_is_written_once(visit: WidgetRequest, site: PlaceClock | None):
    """The visitor's own is all there is where nobody comes, or the clock on site shows the same."""
    times = display.display_times(visit, START, END, "America/New_York", site)
    assert times.line == times.when
    assert plain_spaces(times.when) == "Tuesday, December 1, 2026, 6:00 PM \u2013 7:00 PM"
    assert (times.zone, times.other, times.other_zone) == ("New York\xa0· GMT-5", "", "")


@given(
    own=st.sampled_from(timezones_by_country()),
    site=st.sampled_from(timezones_by_country()),
    minutes=st.integers(0, 3 * 365 * 24 * 60),
)
def test_both_clocks_tell_the_same_moment(own: str, site: str, minutes: int):
    """For every two zones: two clocks are told exactly where they differ, and each is its zone's own."""
    start = START + timedelta(minutes=minutes)
    with translation.override("en"):
        visit = WidgetRequest.from_http(RequestFactory().get("/book/?hours=24"))
        times = display.display_times(visit, start, start + timedelta(minutes=50), own, PlaceClock(site, counts=True))
    here, there = start.astimezone(get_timezone(own)), start.astimezone(get_timezone(site))
    assert bool(times.other) is (here.utcoffset() != there.utcoffset())
    if times.other:
        assert f"{there:%H:%M} \u2013 " in plain_spaces(times.when)
        assert f"{here:%H:%M} \u2013 " in plain_spaces(times.other)
        # Midnight sharp still belongs to the evening before.
        last = (start + timedelta(minutes=50) - timedelta(microseconds=1)).astimezone(get_timezone(own))
        assert (f"{here:%Y}" in times.other) is (here.date() != there.date() or last.date() != here.date())


def test_a_card_says_what_is_known():
    """Length and price are said where they are known, and left out where not."""
    bare = Service(slug="x", name="X")
    assert (display.service_card(bare, "en").price, display.service_card(bare, "en").description) == ("", "")
    price = Price(kind=PriceKind.FIXED, amount=Decimal("1234.5"), currency="EUR")
    full = Service(slug="x", name="X", duration_minutes=90, price=price)
    card = display.service_card(full, "en", "/x/")
    assert (plain_spaces(card.duration), card.price, card.url) == ("1 hr 30 min", "€1,234.50", "/x/")


def test_a_card_is_in_the_language_and_for_the_party_that_it_was_asked_for():
    """Whatever was asked for before, in whichever order."""
    price = Price(kind=PriceKind.FIXED, amount=Decimal(30), currency="EUR")
    service = Service(slug="x", name="X", price=price)
    calendar = CalendarSettings(location=Location(type="phone"))

    def said(language: str, party: int) -> tuple[str, str]:
        with translation.override(language):
            card = display.service_card(service, language, party=party, price_per="person", calendar=calendar)
        assert card.place
        return plain_spaces(card.price), card.place.text

    for _again in range(2):
        assert said("en", 1) == ("€30.00", "By phone")
        assert said("en", 2) == ("€30.00 per person, €60.00 in total", "By phone")
        assert said("de", 1) == ("30,00 €", "Telefonisch")


def test_what_a_template_changes_in_a_cards_metadata_is_its_own():
    """Visitors share the card: the next one has the metadata as it was."""
    service = Service(slug="x", name="X", metadata_json='{"tags": ["new"]}')
    display.service_card(service, "en").metadata["tags"].clear()
    assert display.service_card(service, "en").metadata == {"tags": ["new"]}


@pytest.mark.parametrize(
    ("kind", "value", "text", "icon"),
    [
        ("onsite", "123 Main Street, Brooklyn, NY 11201", "123 Main Street", "pin"),
        ("onsite", "Nordstraße 12, 10115 Berlin", "Nordstraße 12", "pin"),
        ("onsite", "123 Main Street\r\nBrooklyn", "123 Main Street", "pin"),
        ("onsite", "12, Rue de la Paix, Paris", "12, Rue de la Paix", "pin"),
        ("onsite", " \n, 5 Elm Street", "5 Elm Street", "pin"),
        ("onsite", "شارع الملك فهد ١٢، الرياض", "شارع الملك فهد ١٢", "pin"),
        (
            "onsite",
            "東京都渋谷区神南一丁目十九番十一号パークウェースクエア二階",
            "東京都渋谷区神南一丁目十九番十…",
            "pin",
        ),
        ("onsite", "The old mill behind the river bridge at the market", "The old mill behind the river…", "pin"),
        ("onsite", "<b>Here</b>", "<b>Here</b>", "pin"),
        ("custom", "At your place: we call you to arrange the details", "At your place: we call you to…", "pin"),
        ("phone", "+12125550123", "By phone", "phone"),
        ("phone", None, "By phone", "phone"),
        ("meet_url", "https://meet.example.com/x", "Video call", "video"),
        ("meet_url", "javascript:alert(1)", "Video call", "video"),
        ("hologram", "Deck 7", "Deck 7", "pin"),
    ],
)
def test_a_place_in_short_fits_on_one_line(kind: str, value: str | None, text: str, icon: str):
    """The beginning of an address, and of a call only that it is one."""
    with translation.override("en"):
        place = texts.short_place(Location(type=kind, value=value))
    assert place == texts.ShortPlace(text, icon)


@pytest.mark.parametrize(
    "location",
    [
        None,
        Location(type="onsite", value=" ,\n "),
        Location(type="onsite", value=None),
        Location(type="custom", value="https://example.com/where"),
    ],
)
def test_an_unknown_place_has_no_short_text(location: Location | None):
    """Neither has an address of a page: it would say nothing in few words."""
    assert texts.short_place(location) is None


@given(kind=st.sampled_from(["onsite", "phone", "meet_url", "custom", "other", ""]), value=st.text(max_size=300))
def test_a_short_place_is_one_short_line(kind: str, value: str):
    """Whatever the business writes: one line of half a phone's width, and nothing that the text doesn't have."""
    place = texts.short_place(Location(type=kind, value=value))
    if place is not None and place.icon == "pin":
        assert place.text
        assert len(place.text.splitlines()) == 1
        assert len(place.text) <= 33
        assert "".join(place.text.removesuffix("…").split()).replace(",", "") in re.sub(
            "[\\s,;\u060c\u3001\uff0c]+", "", value
        )


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (None, ""),
        (0, ""),
        (-3, ""),
        (1e9, ""),
        (0.5, "Cancel up to 30 min before"),
        (1, "Cancel up to 1 hour before"),
        (24, "Cancel up to 24 hours before"),
    ],
)
def test_a_notice_in_short_says_until_when_one_can_cancel(hours: float | None, text: str):
    """In hours as Kordless has them; what only a mistake can be is left out."""
    with translation.override("en"):
        assert plain_spaces(texts.short_notice(CancellationPolicy(notice_hours=hours, text="Be kind."))) == text
    assert texts.short_notice(None) == ""
