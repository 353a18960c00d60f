"""Answers that are unusual but legal: nobody waits for ever, no row is empty, and nothing vanishes."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking.api.session import wsgi_transport
from kordless_booking.sandbox import Sandbox
from tests.support.booking_pages import rows
from tests.support.odd_answers import OddAnswers
from tests.support.signal_receiver import record_signals
from tests.support.site_cache import empty_cache
from tests.support.visitor import JANE, Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.long]

Install = Callable[..., OddAnswers]


@pytest.fixture
def odd(site: Settings, sandbox: Sandbox) -> Install:
    """Return a function that puts these changes between the site and its Kordless."""

    def install(**changes: Any) -> OddAnswers:
        kordless = OddAnswers(sandbox, **changes)
        site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "TRANSPORT": wsgi_transport(kordless)}
        return kordless

    return install


def of_booking(**fields: Any) -> Callable[[dict[str, Any], dict[str, str]], dict[str, Any]]:
    """Return a change that sets fields of a booking, or removes those that are `...`."""

    def change(document: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        booking = document.get("booking", document)
        for name, value in fields.items():
            if value is ...:
                del booking[name]
            else:
                booking[name] = value
        return document

    return change


def of_service(**fields: Any) -> Callable[[dict[str, Any], dict[str, str]], dict[str, Any]]:
    """Return a change that sets fields of the first service of an organization, or of the one service."""

    def change(document: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        (document["services"][0] if "services" in document else document["service"]).update(fields)
        return document

    return change


NUMBERS = [
    "7",
    "AB 12",
    "2026/0042",
    "№ 42-é",
    "100%",
    "A?b=c&d#e",
    "<b>1</b>",
    "..",
    "BOOK.AB12~x;y,z\\\"'",
    "予約" * 40,
    "X" * 200,
]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_of_any_form_is_shown_managed_and_canceled(
    odd: Install, sandbox: Sandbox, client: Client, number: str
):
    """The visitor gets the number, and its link and both changes work, however it has to be written in a path."""
    change = of_booking(confirmation_number=number)
    kordless = odd(create=change, lookup=change, cancel=change, reschedule=change)
    visitor = Visitor(client)
    page = visitor.book()
    assert page.status == 200
    assert page.number == number.strip()
    real = sandbox_number(sandbox)
    back = {"confirmation/" + number: "confirmation/" + real}
    kordless.before = lambda environ: environ.update(PATH_INFO=replaced(environ["PATH_INFO"], back))
    if number == "..":  # can't stand in a path: said as for an unknown number, and Kordless isn't asked
        assert visitor.follow("/manage/").status == 404
        return
    page = visitor.follow("/manage/")
    assert (page.status, page.number) == (200, number)
    page = visitor.send(visitor.send(page, "Cancel booking"), "Cancel booking")
    assert (page.heading, page.number) == ("Booking canceled", number)


def sandbox_number(sandbox: Sandbox) -> str:
    """Return the confirmation number that the sandbox itself gave to the one booking."""
    with sandbox.store.read() as db:
        return str(db.execute("SELECT number FROM bookings").fetchone()[0])


def replaced(path: str, words: dict[str, str]) -> str:
    """Return a path with these words replaced, in the encoding of WSGI or as the transport decodes it."""
    for old, new in words.items():
        path = path.replace(old, new).replace(old.encode().decode("latin-1"), new)
    return path


@pytest.mark.parametrize(
    "fields",
    [
        {"start_at": "2026-12-01T15:30:00.123456Z", "end_at": "2026-12-01T16:30:00.123456Z"},
        {"start_at": "2026-12-01T15:29:59.999Z", "end_at": "2026-12-01T16:29:59.999Z"},
        {"end_at": ...},
        {"end_at": None},
        {"end_at": "soon"},
        {"start_at": ..., "end_at": ...},
        {"location": None},
        {"location": {"type": "onsite", "value": None}},
        {"location": {"type": None, "value": None}},
        {"service_name": None},
        {"organization_name": None, "id": None},
        {"confirmation_number": 4711},
    ],
    ids=repr,
)
def test_an_unusual_answer_to_a_booking_is_a_confirmation(odd: Install, client: Client, fields: dict[str, Any]):
    """A visitor who is booked is told so at once, with the time that was chosen, and no row of the page is empty."""
    odd(create=of_booking(**fields))
    visitor = Visitor(client)
    page = visitor.book()
    assert page.heading == "You’re booked"
    assert page.number
    assert re.search(r"December 1, 2026, 10:30 AM . 11:30 AM", rows(page)["When"])
    assert all(rows(page).values())
    assert page.texts(".kb-what") == ["Haircut"]


@pytest.mark.parametrize(
    ("status", "heading", "row"),
    [
        (..., "Your booking", None),
        (None, "Your booking", None),
        ("", "Your booking", None),
        ({}, "Your booking", None),
        ("CONFIRMED", "You’re booked", "Confirmed"),
        ("Pending", "Request sent", "Awaiting confirmation"),
        ("waitlisted", "Your booking", "waitlisted"),
    ],
)
def test_a_booking_of_any_status_shows_what_is_known(
    odd: Install, client: Client, status: object, heading: str, row: str | None
):
    """Only a confirmed booking is called confirmed; a status that isn't said has no row, and the booking can change."""
    change = of_booking(status=status)
    odd(create=change, lookup=change)
    visitor = Visitor(client)
    page = visitor.book()
    assert page.heading == heading
    # Kordless answered 201: a page that says neither status nor this would leave the visitor in doubt.
    assert ("Your booking has been received." in page.text) == (heading == "Your booking")
    # The heading says that it is confirmed.
    assert rows(page).get("Status") == (None if row == "Confirmed" else row)
    assert all(rows(page).values())
    page = visitor.follow("/manage/")
    assert rows(page).get("Status") == row
    assert ("Cancel booking" in page.text) == (row != "waitlisted")
    assert ("This booking can’t be changed online." in page.text) == (row == "waitlisted")


def test_a_booking_without_a_name_of_its_service_has_the_services_own(odd: Install, client: Client):
    """On the manage page too, where only the slug is known."""
    odd(lookup=of_booking(service_name=None))
    visitor = Visitor(client)
    visitor.book()
    assert visitor.follow("/manage/").texts(".kb-what") == ["Haircut"]


def test_a_booking_of_a_service_that_nobody_names_has_no_empty_line(odd: Install, client: Client):
    """Neither Kordless nor the list of services has a name."""
    odd(lookup=of_booking(service_name=None, service_slug=None, service_id=None))
    visitor = Visitor(client)
    visitor.book()
    page = visitor.follow("/manage/")
    assert page.texts(".kb-what") == []
    assert all(rows(page).values())
    own = page
    page = visitor.send(page, "Reschedule")
    assert (page.status, page.heading) == (404, "This service isn’t available")
    assert "has already begun" not in page.text
    assert visitor.open(page.link("Back to your booking")).number == own.number


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Eastern Standard Time", "New York · GMT-5"),
        ("america/new_york", "New York · GMT-5"),
        ("US/Eastern ", "New York · GMT-5"),
        ("GMT+2", "GMT+2"),
    ],
)
def test_a_business_zone_as_people_type_it_is_the_zone_of_the_times(
    odd: Install, client: Client, caplog: pytest.LogCaptureFixture, typed: str, shown: str
):
    """Times, summary and confirmation are in it, and not in UTC."""
    odd(service=of_calendar(timezone=typed))
    visitor = Visitor(client)
    page = visitor.book()
    assert rows(page)["When"].endswith(shown)
    assert "timezone_unknown" not in caplog.text


def test_a_business_zone_that_nobody_knows_is_utc_and_logged_once(
    odd: Install, client: Client, caplog: pytest.LogCaptureFixture
):
    """The operator learns of it; the visitor sees which zone the times are in."""
    odd(service=of_calendar(timezone="Our time"))
    visitor = Visitor(client)
    assert rows(visitor.book())["When"].endswith("UTC · GMT")
    empty_cache()
    visitor.open("/book/haircut/")
    lines = [record.getMessage() for record in caplog.records if "timezone_unknown" in record.getMessage()]
    assert len(lines) == 1
    assert "timezone='Our time'" in lines[0]


def of_calendar(**fields: Any) -> Callable[[dict[str, Any], dict[str, str]], dict[str, Any]]:
    """Return a change that sets calendar settings of a service."""

    def change(document: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        document["calendarSettings"].update(fields)
        return document

    return change


@pytest.mark.parametrize(
    "slug", ["Hair.Cut", "hair cut", "naïve-cut", "美容", "50% off?&#", "<b>cut", "manage", "x" * 200]
)
def test_a_slug_of_any_characters_is_listed_and_can_be_booked(odd: Install, client: Client, slug: str):
    """From the list of services to the confirmation and the snippet, percent-encoded in every path."""
    own = of_service(slug=slug, key="haircut")
    kordless = odd(organization=own, service=own, lookup=of_booking(service_slug=slug))
    kordless.rename = {slug: "haircut"}
    visitor = Visitor(client)
    page = visitor.open("/book/")
    page = visitor.follow("Haircut")
    assert page.status == 200
    page = visitor.open(next(iter(page.times.values())))
    page = visitor.send(page, "Book appointment", **JANE)
    assert page.heading == "You’re booked"
    page = visitor.send(visitor.follow("/manage/"), "Reschedule")
    assert page.times


METADATA = {"room": "Blue <b>room</b>", "sort": 3, "tags": ["new", None, 1.5], "deep": {"er": {"est": 1}}}


def test_metadata_of_a_service_reaches_templates_and_signals(
    odd: Install, site: Settings, client: Client, tmp_path: Path
):
    """Of the cards, the head of the times, the summary, the confirmation and the manage page; and the receivers'."""
    parts = tmp_path / "kordless_booking" / "parts"
    parts.mkdir(parents=True)
    for name, value in (
        ("service_card", "service"),
        ("service_head", "service"),
        ("summary", "summary"),
        ("booking", "booking"),
    ):
        (parts / f"{name}.html").write_text(f"<p class='of-{name}'>{{{{ {value}.metadata.room }}}}</p>")
    (engine,) = site.TEMPLATES
    site.TEMPLATES = [{**engine, "DIRS": [tmp_path]}]
    change = of_service(metadata=METADATA)
    odd(organization=change, service=change)
    visitor = Visitor(client)
    shown = ["Blue <b>room</b>"]
    assert visitor.open("/book/").texts(".of-service_card")[:2] == [*shown, ""]
    assert visitor.open("/book/haircut/").texts(".of-service_head") == shown
    page = visitor.choose()
    assert page.texts(".of-summary") == shown
    with record_signals() as recorder:
        page = visitor.send(page, "Book appointment", **JANE)
    assert page.texts(".of-booking") == shown
    [arguments] = recorder.arguments
    assert arguments["service"].name == "Haircut"
    assert dict(arguments["service"].metadata) == METADATA
    with pytest.raises(TypeError):
        arguments["service"].metadata["room"] = "another"
    arguments["service"].metadata["tags"].clear()
    assert arguments["service"].metadata["tags"] == METADATA["tags"]


def test_metadata_costs_the_packages_own_templates_nothing(odd: Install, client: Client):
    """Pages that show none of it are the same with it, and shared by all visitors."""
    visitor = Visitor(client)
    plain = visitor.open("/book/").text
    empty_cache()
    change = of_service(metadata=METADATA)
    odd(organization=change, service=change)
    assert visitor.open("/book/").text == plain
    assert visitor.book().heading == "You’re booked"


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"price": "45,00", "currency": "usd"}, "$45.00"),
        ({"price": "45.00", "currency": " eur "}, "€45.00"),
        ({"price": "1,250.50"}, "$1,250.50"),
        ({"price": "1.250,50"}, "$1,250.50"),
        ({"price": "45,-"}, ""),
        ({"price": 45, "currency": None}, "45"),
        ({"price": -5}, ""),
        ({"price": 45, "duration": -30}, "$45"),
        ({"price": 45, "duration": 10**12}, "$45"),
        ({"price": 45, "duration": "60 min"}, "$45"),
        ({"price": 45, "description": None, "category": None, "name": None}, "$45"),
    ],
    ids=repr,
)
def test_an_unusual_service_is_listed_with_what_is_known(
    odd: Install, client: Client, fields: dict[str, Any], shown: str
):
    """Prices as people type them; a length that can't be is not shown."""
    change = of_service(**fields)
    odd(organization=change, service=change)
    visitor = Visitor(client)
    # Without a category, the card is among the last ones, under "More"; without a name it has the slug.
    [card] = [text for text in visitor.open("/book/").texts(".kb-service") if text.lower().startswith("haircut")]
    assert shown in card
    assert not re.search(r"-5|-30|1000000000000", card)
    assert visitor.open("/book/haircut/").status == 200
