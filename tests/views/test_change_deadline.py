"""Until when a booking can be changed, on its pages, and what happens afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.booking_cache import VIEW_SECONDS
from tests.support.odd_businesses import use_odd_business
from tests.support.visitor import HTMX, Page, Visitor

pytestmark = pytest.mark.django_db

SUPPORT = {"SUPPORT_PHONE": "+1 212 555 0100"}
UNTIL = "You can change or cancel until"
TOO_LATE = "It’s too late to change or cancel this booking online."
FAR = "?day=2026-12-09"


@pytest.fixture
def enforcing(site: Settings) -> Settings:
    """A site that takes no change within the notice period, with a phone to call."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **SUPPORT, "ENFORCE_NOTICE": True}
    return site


def own_page(visitor: Visitor, query: str = FAR) -> Page:
    """Book a haircut, which has a notice of 24 hours, and follow the manage link."""
    return visitor.open(visitor.book("haircut", query).link("Change or cancel"))


def changes(sandbox: Sandbox) -> list[str]:
    """The changes that Kordless was asked for."""
    return [request.operation for request in sandbox.requests if request.operation in {"cancel", "reschedule"}]


def test_confirmation_and_booking_say_until_when_it_can_be_changed(any_visitor: Visitor):
    """By the clock that the page shows first, here the only one."""
    page = any_visitor.book("haircut", f"{FAR}&tz=America/New_York")
    assert f"{UNTIL} Tuesday, December 8, 2026, 9:00 AM." in page.text
    assert f"{UNTIL} Tuesday, December 8, 2026, 9:00 AM." in any_visitor.open(page.link("Change or cancel")).text


def test_with_two_clocks_the_deadline_names_the_city_of_its_clock(visitor: Visitor):
    """Whoever travels to New York reads the deadline by its clock, which counts."""
    page = visitor.book("haircut", f"{FAR}&tz=Europe/Kyiv&hours=24")
    assert f"{UNTIL} Tuesday, December 8, 2026, 09:00 (New York)." in page.text


def test_a_service_without_notice_says_no_deadline(visitor: Visitor):
    """Nothing is said, and the business's policy stays where there is one."""
    assert UNTIL not in visitor.book("beard-trim", FAR).text


def test_our_own_sentence_about_the_notice_gives_way_to_the_deadline(site: Settings, sandbox: Sandbox, client: Client):
    """Both would say the same: the deadline says it more exactly."""
    use_odd_business(site, sandbox, "odd-times")
    page = Visitor(client).book("ninety-minutes-notice", time=-1)
    assert UNTIL in page.text
    assert "in advance" not in page.text


def test_after_the_deadline_nothing_says_until_when(visitor: Visitor, clock: Traveller):
    """A deadline that has passed helps nobody: the page says instead that it may be too late."""
    page = own_page(visitor)
    clock.shift(timedelta(days=7, hours=2))
    page = visitor.open(page.url)
    assert UNTIL not in page.text
    assert "may be too late" in page.text
    assert {"Reschedule", "Cancel booking"} <= set(page.texts("form button"))


def test_past_the_deadline_a_site_that_enforces_it_shows_its_phone_instead_of_the_buttons(
    enforcing: Settings, client: Client, clock: Traveller
):
    """Up to the last second the buttons are there."""
    visitor = Visitor(client)
    page = own_page(visitor, f"{FAR}&tz=America/New_York")
    # Booked at 9:00 AM on December 9: the notice of 24 hours begins at 9:00 AM on December 8.
    clock.move_to("2026-12-08T14:00:00+00:00")
    page = visitor.open(page.url)
    assert {"Reschedule", "Cancel booking"} <= set(page.texts("form button"))
    clock.shift(VIEW_SECONDS + 1)
    page = visitor.open(page.url)
    assert page.status == 200
    assert f"{TOO_LATE} Please contact us directly: {SUPPORT['SUPPORT_PHONE']}" in page.text
    assert page.texts("form button") == []
    assert page.number
    enforcing.KORDLESS_BOOKING = {**enforcing.KORDLESS_BOOKING, "SUPPORT_PHONE": ""}
    assert visitor.open(page.url).texts(".kb-text")[-1] == f"{TOO_LATE} Please contact us directly."


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_form_that_was_open_when_the_deadline_passed_changes_nothing(
    enforcing: Settings, sandbox: Sandbox, client: Client, clock: Traveller, headers: dict[str, str]
):
    """The booking's page says so, with a way to reach the business, and Kordless hears nothing of it."""
    visitor = Visitor(client, headers)
    page = own_page(visitor)
    question = visitor.send(page, "Cancel booking")
    slots = visitor.send(page, "Reschedule")
    chosen = visitor.open(list(slots.times.values())[-1])
    clock.shift(timedelta(days=7, hours=2))
    for form, button in ((question, "Cancel booking"), (chosen, "Reschedule")):
        answer = visitor.send(form, button)
        assert (answer.status, answer.number) == (409, page.number)
        assert TOO_LATE in answer.alert
        assert SUPPORT["SUPPORT_PHONE"] in answer.text
        assert answer.texts("form button") == []
    assert changes(sandbox) == []


def test_links_to_changes_lead_to_the_booking_after_the_deadline(enforcing: Settings, client: Client, clock: Traveller):
    """An old tab, or a link that was kept, shows the booking as it is."""
    visitor = Visitor(client)
    page = own_page(visitor)
    links = [visitor.send(page, "Cancel booking").url]
    links.append(visitor.send(page, "Reschedule").url)
    links.append(visitor.open(list(visitor.page.times.values())[-1]).url)
    clock.shift(timedelta(days=7, hours=2))
    for link in links:
        answer = visitor.open(link)
        assert (answer.status, answer.number) == (200, page.number)
        assert TOO_LATE in answer.text


def test_while_the_notice_is_unknown_kordless_decides(
    enforcing: Settings, sandbox: Sandbox, client: Client, clock: Traveller
):
    """A service that was removed has no notice that anybody knows: the change goes to Kordless."""
    visitor = Visitor(client)
    page = own_page(visitor)
    question = visitor.send(page, "Cancel booking")
    clock.shift(timedelta(days=7, hours=2))
    sandbox.faults.add("service_removed", service="haircut")
    answer = visitor.send(question, "Cancel booking")
    assert changes(sandbox) == ["cancel"]
    assert TOO_LATE not in answer.text
