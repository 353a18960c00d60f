"""Attacks on the lookups that Kordless takes in a minute: what the owners of bookings get while they go on."""

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking.conf import Account, get_account
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.registry import services_for
from tests.support.received_requests import count_requests
from tests.support.site_cache import empty_cache, use_wall_clock_cache
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def limited(site: Settings) -> Settings:
    """Return the settings of a site with Kordless's own limits, and a cache that lives in the time of the test."""
    services_for(get_account("default")).client.close()
    use_wall_clock_cache(site)
    site.KORDLESS_BOOKING = {
        **site.KORDLESS_BOOKING,
        "REQUESTS_PER_MINUTE": Account.requests_per_minute,
        "CREATIONS_PER_MINUTE": Account.creations_per_minute,
        "LOOKUPS_PER_ADDRESS": Account.lookups_per_address,
    }
    empty_cache()
    return site


def test_guesses_of_many_addresses_leave_owners_the_look_ups_for_their_links(limited: Settings, sandbox: Sandbox):
    """Whoever has the link of a booking sees and cancels it; two thirds of a minute's lookups may be guesses."""
    owner = Visitor(Client(REMOTE_ADDR="198.51.100.7"))
    manage = owner.book("haircut", "?day=2026-12-09").link("Change or cancel").partition("?")[0]
    statuses = []
    for number in range(80):
        bot = Client(REMOTE_ADDR=f"203.0.113.{number % 4}")
        answer = bot.post("/book/manage/", {"number": f"BOOK_{number:04}", "contact": "jane@example.com"})
        statuses.append(answer.status_code)
    assert count_requests(sandbox, "lookup") == statuses.count(404) == 40
    assert owner.open(manage).heading == "Your booking"
    assert owner.send(owner.open(f"{manage}cancel/"), "Cancel booking").heading == "Booking canceled"
