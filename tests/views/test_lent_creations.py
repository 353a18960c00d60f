"""Attacks on what creations lend to browsing: whoever books finds what was promised, whatever a crowd has read."""

from collections import Counter

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.sandbox import Limits, Sandbox
from tests.support.received_requests import count_requests
from tests.support.scarce_site import open_scarce_salon
from tests.support.site_cache import finish_fetches
from tests.support.visitor import JANE, Page, Visitor

pytestmark = pytest.mark.django_db

DAYS = [f"?day=2026-12-{day:02}" for day in (7, 8, 9, 10, 11, 14, 15, 16, 17, 18, 21)]
"""Days for one booking each, so that none takes another's time."""
READS = ("organization", "service", "availability")


def visitor_at(address: str) -> Visitor:
    """Return a visitor with a client address of their own."""
    return Visitor(Client(REMOTE_ADDR=address))


@pytest.fixture
def limited(site: Settings) -> Sandbox:
    """Return the Kordless of a salon with a hundred services, with its documented limits; the site knows them."""
    return open_scarce_salon(site, 100)


def read_all_that_goes(sandbox: Sandbox) -> int:
    """Let a crowd read what isn't cached until it is refused twenty times. Return how many requests reached Kordless.

    One service after another, from an address of each reader's own.
    """
    refused = 0
    for number in range(99):
        page = visitor_at(f"198.51.100.{number}").open(f"/book/treat-{number}/")
        refused += page.status == 503
        if refused == 20:
            break
    return sum(count_requests(sandbox, operation) for operation in READS)


def start_new_process(site: Settings) -> None:
    """Let everything go that a process counts in its memory, as after the minutes that the test leaves out."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING}


def send(form: Page, visitor: Visitor) -> Page:
    """Send a contact form."""
    return visitor.send(form, "Book appointment", **JANE)


def test_a_crowd_borrows_requests_while_nobody_books_and_two_can_still_book_at_once(
    limited: Sandbox, site: Settings, clock: Traveller
) -> None:
    """Two whose forms are open for longer than five minutes, in the very minute that the crowd has used up."""
    patient = [visitor_at(f"203.0.113.{number}") for number in range(3)]
    forms = [visitor.choose("haircut", DAYS[number]) for number, visitor in enumerate(patient)]
    clock.shift(400)
    start_new_process(site)
    limited.clear_requests()
    assert read_all_that_goes(limited) <= 58
    outcomes = [send(form, visitor).heading for form, visitor in zip(forms, patient, strict=True)]
    assert outcomes[:2] == ["You’re booked"] * 2
    assert patient[2].page.refresh
    clock.shift(62)
    start_new_process(site)
    assert patient[2].reload().heading == "You’re booked"
    finish_fetches()  # the status of a request that is under way isn't known yet
    assert Counter(request.status for request in limited.requests).keys() == {200, 201}


@pytest.mark.long
def test_a_crowd_borrows_nothing_while_a_contact_form_is_open(limited: Sandbox) -> None:
    """Ten who have opened a form just before the crowd came are sent at once; none waits."""
    visitors = [visitor_at(f"203.0.113.{number}") for number in range(10)]
    forms = [visitor.choose("haircut", DAYS[number]) for number, visitor in enumerate(visitors)]
    assert read_all_that_goes(limited) <= 50
    outcomes = [send(form, visitor) for form, visitor in zip(forms, visitors, strict=True)]
    assert [page.refresh for page in outcomes] == [None] * 10
    assert count_requests(limited, "create") == 10
    finish_fetches()
    assert 429 not in [request.status for request in limited.requests]


@pytest.mark.long
def test_a_booking_that_waits_keeps_creations_from_being_lent(
    limited: Sandbox, site: Settings, clock: Traveller
) -> None:
    """Its page asks again and again, also where no form was opened for long."""
    visitors = [visitor_at(f"203.0.113.{number}") for number in range(11)]
    forms = [visitor.choose("haircut", DAYS[number]) for number, visitor in enumerate(visitors)]
    pages = [send(form, visitor) for form, visitor in zip(forms, visitors, strict=True)]
    assert pages[-1].refresh
    clock.shift(5)
    start_new_process(site)
    limited.limits = Limits.off()
    assert visitors[-1].reload().refresh
    limited.clear_requests()
    assert 40 < read_all_that_goes(limited) <= 50
