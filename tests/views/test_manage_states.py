"""A booking's page in each of its states: truthful, calm, and never a dead end."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.api.session import wsgi_transport
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.booking_cache import VIEW_SECONDS
from tests.support.booking_pages import find, rows
from tests.support.mail_settings import MAIL
from tests.support.odd_answers import OddAnswers
from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.django_db

PHONE = "+1 212 555 0100"
HERE = "?day=2026-12-09&tz=America/New_York"


@pytest.fixture
def reachable(site: Settings) -> Settings:
    """Return the settings of a site whose business can be called."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "SUPPORT_PHONE": PHONE}
    return site


def own_page(visitor: Visitor, service: str = "haircut", query: str = HERE) -> Page:
    """Book, and follow the manage link."""
    return visitor.open(visitor.book(service, query).link("Change or cancel"))


def query_of(url: str) -> dict[str, str]:
    """Return the query of an address, without the visitor's zone."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items() if name != "tz"}


def cancel(visitor: Visitor, page: Page) -> Page:
    """Cancel the booking of a page: the page after it."""
    return visitor.send(visitor.send(page, "Cancel booking"), "Cancel booking")


def test_keeping_the_booking_is_the_first_choice_of_the_cancel_page(any_visitor: Visitor, sandbox: Sandbox):
    """It comes first and stands out; canceling is a button of its own, said in full."""
    question = any_visitor.send(own_page(any_visitor), "Cancel booking")
    assert question.texts(".kb-row :is(a, button)") == ["Keep booking", "Cancel booking"]
    assert question.texts(".kb-row .kb-primary") == ["Keep booking"]
    assert question.texts(".kb-row .kb-danger") == ["Cancel booking"]
    assert any_visitor.open(question.link("Keep booking")).heading == "Your booking"
    assert sandbox.bookings()[0]["status"] == "confirmed"


def test_a_canceled_booking_says_so_once(any_visitor: Visitor):
    """In its heading: no success box beside a red word, no policy, no calendar, nothing to change."""
    page = own_page(any_visitor)
    done = cancel(any_visitor, page)
    for shown in (done, any_visitor.open(page.url)):
        assert shown.heading == "Booking canceled"
        assert shown.texts(".kb-notice") == []
        assert " ".join(shown.texts("[data-kb-step]")).count("anceled") == 1
        assert shown.texts(".kb-text, form button") == []
        assert "Status" not in rows(shown)
        assert shown.texts(".kb-policy") == []
        assert shown.texts(".kb-summary s") == shown.texts(".kb-summary dd strong")
        assert "Apple (.ics)" not in shown.text


def test_book_again_leads_to_the_same_service_host_and_party(any_visitor: Visitor):
    """By a plain link, without a day: what was free then may not be now."""
    own = own_page(any_visitor, query=f"{HERE}&host=host_miguel")
    link = cancel(any_visitor, own).link("Book again")
    assert urlsplit(link).path == "/book/haircut/"
    assert query_of(link) == {"host": "host_miguel"}
    assert any_visitor.open(link).times
    party = own_page(any_visitor, "styling-class", "?party=3&tz=America/New_York")
    assert query_of(cancel(any_visitor, party).link("Book again")) == {"host": "host_aisha", "party": "3"}


def test_book_again_leads_to_all_services_where_the_service_is_gone(
    visitor: Visitor, sandbox: Sandbox, clock: Traveller
):
    """And says so."""
    page = own_page(visitor)
    sandbox.faults.add("service_removed", service="haircut")
    clock.shift(timedelta(days=2))
    done = cancel(visitor, visitor.open(page.url))
    assert visitor.open(done.link("See all services")).heading == "What would you like to book?"


@pytest.mark.parametrize(
    ("shift", "sentence"),
    [
        (timedelta(days=9), "This booking is over"),
        (timedelta(days=8, minutes=-29), "This booking has already begun"),
    ],
)
def test_a_booking_that_has_begun_leads_on(
    reachable: Settings, client: Client, clock: Traveller, shift: timedelta, sentence: str
):
    """Why it can't be changed, how to reach the business, and a way to book again; nothing to press in vain."""
    visitor = Visitor(client)
    page = own_page(visitor)
    clock.shift(shift)
    page = visitor.open(page.url)
    assert sentence in page.text
    assert page.texts(".kb-notice, form button, .kb-policy") == []
    assert f"You can also reach us directly: {PHONE}" in page.text
    assert visitor.open(page.link("Book again")).times
    assert ("Apple (.ics)" in page.text) == (sentence == "This booking has already begun")


@pytest.mark.parametrize(
    ("status", "shown"),
    [("completed", "Completed"), ("no_show", "Missed"), ("no-show", "Missed"), ("checked_in", "checked in")],
)
def test_a_status_that_is_not_documented_is_no_dead_end(
    reachable: Settings, sandbox: Sandbox, client: Client, status: str, shown: str
):
    """It is said in words, and its page leads on."""

    def change(document: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        document.get("booking", document)["status"] = status
        return document

    transport = wsgi_transport(OddAnswers(sandbox, lookup=change))
    reachable.KORDLESS_BOOKING = {**reachable.KORDLESS_BOOKING, "TRANSPORT": transport}
    visitor = Visitor(client)
    page = own_page(visitor)
    assert rows(page)["Status"] == shown
    assert page.texts("form button, .kb-notice") == []
    assert PHONE in page.text
    assert visitor.open(page.link("Book again")).times


def test_a_request_says_what_happens_next(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """Until the business has accepted it; then there is nothing to wait for."""
    page = own_page(visitor)
    sandbox.set_status(page.number, "pending")
    clock.shift(VIEW_SECONDS + 1)
    page = visitor.open(page.url)
    lead, until = page.texts(".kb-text")
    assert "has to be accepted" in lead
    assert until.startswith("You can change or cancel until ")
    assert {"Reschedule", "Cancel booking"} <= set(page.texts("form button"))
    sandbox.set_status(page.number, "confirmed")
    clock.shift(VIEW_SECONDS + 1)
    assert visitor.open(page.url).texts(".kb-text") == [until]


def test_within_the_notice_period_the_page_says_that_it_may_be_too_late(
    reachable: Settings, client: Client, clock: Traveller
):
    """And how to reach the business. The buttons stay, because only Kordless knows whether it takes a change."""
    visitor = Visitor(client)
    page = own_page(visitor)
    assert "may be too late" not in page.text
    assert PHONE not in page.text
    clock.shift(timedelta(days=7))
    page = visitor.open(page.url)
    assert "so it may be too late to change or cancel it online." in page.text
    assert PHONE in page.text
    assert {"Reschedule", "Cancel booking"} <= set(page.texts("form button"))


def test_a_booking_that_is_found_by_its_number_shows_its_host(
    site: Settings, account_settings: dict[str, Any], client: Client
):
    """Where the site writes mails and so knows with whom it is; then it moves to that host's times."""
    site.KORDLESS_BOOKING = {**account_settings, **MAIL}
    visitor = Visitor(client)
    number = visitor.book("haircut", f"{HERE}&host=host_miguel").number
    page = find(visitor, number)
    assert rows(page)["With"] == "Miguel (Hair team)"
    slots = visitor.send(page, "Reschedule")
    assert "These are the times with Miguel." in slots.texts(".kb-hint")


def test_a_page_has_no_link_to_itself(visitor: Visitor, clock: Traveller, site: Settings):
    """Neither in its foot, nor among its buttons, on all pages of finding and managing."""
    services = visitor.open("/book/")
    lookup = visitor.open("/book/manage/")
    assert lookup.texts(".kb-foot a") == ["All services"]
    assert services.texts(".kb-foot a") == ["Change or cancel a booking"]
    own = own_page(visitor)
    slots = visitor.send(own, "Reschedule")
    question = visitor.open(next(iter(slots.times.values())))
    cancel_question = visitor.send(own, "Cancel booking")
    done = visitor.send(cancel_question, "Cancel booking")
    for page in (services, lookup, own, slots, question, cancel_question, done):
        assert urlsplit(page.url).path not in [
            urlsplit(url).path for url in page.hrefs(".kb-foot a, .kb-back a, .kb-row a, .kb-narrow > a")
        ], page.heading


def test_too_many_views_of_a_booking_offer_to_try_again(visitor: Visitor, site: Settings, clock: Traveller):
    """No button "Back to your booking" on the page of the booking itself."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "MANAGE_VIEWS_PER_ADDRESS": 1}
    page = own_page(visitor)
    clock.shift(VIEW_SECONDS + 1)
    page = visitor.open(page.url)
    assert page.status == 429
    assert page.texts(".kb-row a")[0] == "Try again"
