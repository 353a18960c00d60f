"""The minimum fill time: a form that is posted early is held, and its own page books it. Nothing sleeps."""

import time

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Limits, Sandbox
from tests.support.received_requests import count_requests
from tests.support.visitor import HTMX, JANE, Page, Visitor

pytestmark = pytest.mark.django_db

HELD = "Your booking will be placed in a moment."


@pytest.fixture
def quick(site: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings of a site on which a form takes at least five seconds, and where nothing may sleep."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "MINIMUM_FILL_SECONDS": 5}

    def sleep(_seconds: float) -> None:
        raise AssertionError("a worker sleeps")

    monkeypatch.setattr(time, "sleep", sleep)
    return site


def at_address(address: str) -> Visitor:
    """Return a visitor with a client address of their own."""
    return Visitor(Client(REMOTE_ADDR=address))


def post_early(visitor: Visitor, query: str = "", **answers: str) -> Page:
    """Choose a time and post the form in the same moment."""
    return visitor.send(visitor.choose("haircut", query), "Book appointment", **{**JANE, **answers})


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["without JavaScript", "htmx"])
def test_a_form_posted_early_is_held_and_its_page_books_it(
    quick: Settings, client: Client, sandbox: Sandbox, clock: Traveller, headers: dict[str, str]
):
    """The page asks again by itself when the time is over; before that nothing is sent, however often it asks."""
    visitor = Visitor(client, headers)
    page = post_early(visitor)
    assert page.status == 200
    assert HELD in page.text
    if not headers:
        assert page.refresh == 5
    clock.shift(4)
    assert HELD in visitor.reload().text
    assert count_requests(sandbox, "create") == 0
    clock.shift(1)
    assert visitor.reload().heading == "You’re booked"
    assert count_requests(sandbox, "create") == len(sandbox.bookings()) == 1


def test_the_page_of_a_form_posted_early_refreshes_after_a_second(quick: Settings, visitor: Visitor, clock: Traveller):
    """With the minimum that a site has by default."""
    quick.KORDLESS_BOOKING = {**quick.KORDLESS_BOOKING, "MINIMUM_FILL_SECONDS": 1.0}
    assert post_early(visitor).refresh == 1
    clock.shift(1)
    assert visitor.reload().heading == "You’re booked"


def test_a_form_filled_in_for_long_enough_is_sent_at_once(quick: Settings, visitor: Visitor, clock: Traveller):
    """The waiting page is for those who were early."""
    form = visitor.choose()
    clock.shift(5)
    assert visitor.send(form, "Book appointment", **JANE).heading == "You’re booked"


def test_nobody_is_queued_behind_forms_that_are_held(quick: Settings, sandbox: Sandbox, clock: Traveller):
    """A script posts twenty forms in a moment: other visitors get their pages, and their bookings at once."""
    quick.KORDLESS_BOOKING = {**quick.KORDLESS_BOOKING, "CREATIONS_PER_MINUTE": 10, "BOOKINGS_PER_CONTACT": 0}
    sandbox.limits = Limits()
    honest = at_address("198.51.100.7")
    form = honest.choose("haircut", "?day=2026-12-10")
    clock.shift(5)
    script = at_address("203.0.113.5")
    held = [post_early(script, f"?day=2026-12-{9 + number % 2:02}") for number in range(20)]
    assert all(HELD in page.text for page in held)
    assert honest.send(form, "Book appointment", **{**JANE, "email": "honest@example.com"}).heading == "You’re booked"
    assert count_requests(sandbox, "create") == 1


def test_a_held_form_whose_tab_was_closed_is_sent_when_its_page_comes_back(
    quick: Settings, visitor: Visitor, sandbox: Sandbox, clock: Traveller
):
    """As one that waits in the queue is: it is never lost, and never sent without its page."""
    page = post_early(visitor)
    clock.shift(1800)
    at_address("198.51.100.7").open("/book/")
    assert sandbox.bookings() == []
    assert visitor.open(page.url).heading == "You’re booked"
    assert len(sandbox.bookings()) == 1


def test_a_held_form_that_is_posted_again_is_one_booking(
    quick: Settings, visitor: Visitor, sandbox: Sandbox, clock: Traveller
):
    """A double click leads to the same waiting page, and what follows is sent once."""
    form = visitor.choose()
    pages = [visitor.send(form, "Book appointment", **JANE) for _ in range(2)]
    clock.shift(5)
    assert [visitor.open(page.url).heading for page in pages] == 2 * ["You’re booked"]
    assert count_requests(sandbox, "create") == len(sandbox.bookings()) == 1
    assert BookingAttempt.objects.count() == 1
