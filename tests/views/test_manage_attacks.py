"""Attacks on the pages of a booking: nobody who looks up, cancels or moves takes browsing or booking from others."""

from collections import Counter

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking.sandbox import Limits, Sandbox
from tests.support.booking_pages import find
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db

FAR = "?day=2026-12-09"
DOCUMENTED = {"REQUESTS_PER_MINUTE": 60, "CREATIONS_PER_MINUTE": 10}


def visitor_at(address: str) -> Visitor:
    """Return a visitor with a client address of their own."""
    return Visitor(Client(REMOTE_ADDR=address))


@pytest.fixture
def limited(site: Settings, sandbox: Sandbox) -> Sandbox:
    """Return a Kordless with its documented limits, and let the site know them."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **DOCUMENTED}
    sandbox.limits = Limits()
    return sandbox


def assert_others_browse_and_book(sandbox: Sandbox) -> None:
    """Let a visitor from another address read a service that isn't cached, and book another one."""
    other = visitor_at("203.0.113.77")
    assert other.open("/book/beard-trim/").status == 200
    assert other.book("haircut", FAR, time=1).heading == "You're booked"
    assert 429 not in [request.status for request in sandbox.requests if request.operation != "lookup"]


def test_a_429_on_a_look_up_stops_neither_browsing_nor_booking(limited: Sandbox) -> None:
    """Kordless refuses look-ups for two minutes; it says nothing about what the key may do."""
    limited.faults.add("status", "lookup", status=429, retry_after=120, times=1)
    assert find(visitor_at("198.51.100.1"), "BOOK_AB12").status == 503
    assert_others_browse_and_book(limited)


def test_a_low_remainder_on_a_look_up_stops_neither_browsing_nor_booking(limited: Sandbox) -> None:
    """Look-ups are limited per number in Kordless; that none remains for one is no remainder of the key."""
    limited.limits = Limits(contact=1)
    find(visitor_at("198.51.100.1"), "BOOK_AB12")
    assert_others_browse_and_book(limited)


def test_failed_look_ups_stop_neither_browsing_nor_booking(limited: Sandbox) -> None:
    """More failures than open a circuit: the one of look-ups opens, and everything with a key goes on."""
    limited.faults.add("status", "lookup", status=500)
    for number in range(6):
        assert find(visitor_at(f"198.51.100.{number}"), f"BOOK_{number}").status == 503
    sent = Counter(request.operation for request in limited.requests)
    assert sent["lookup"] <= 6
    assert_others_browse_and_book(limited)


def test_failing_reads_and_creations_stop_no_look_up(limited: Sandbox) -> None:
    """The other way round: a customer manages a booking while nothing else of Kordless works."""
    customer = visitor_at("198.51.100.1")
    manage = customer.book("haircut", FAR).link("Change or cancel")
    for operation in ("organization", "service", "availability", "create"):
        limited.faults.add("status", operation, status=500)
    for slug in ("full-color", "beard-trim", "bridal-styling", "styling-class", "head-spa", "color-consultation"):
        visitor_at("198.51.100.2").open(f"/book/{slug}/")
    page = customer.open(manage)
    assert (page.status, page.heading) == (200, "Your booking")
