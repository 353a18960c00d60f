"""Guesses of a booking's contact: few for everybody, and its owner is never locked out."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.sandbox import Sandbox
from kordless_booking.views.client_address import OUTER_FACTORS
from kordless_booking.views.guesses import WINDOW_SECONDS
from tests.support.matrix import thinned
from tests.support.received_requests import count_requests
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db

OWNER = "203.0.113.200"


def guess(number: str, contact: str, address: str, **meta: Any) -> int:
    """Look a booking up, and return the status: 303 when it was found."""
    return (
        Client().post("/book/manage/", {"number": number, "contact": contact}, REMOTE_ADDR=address, **meta).status_code
    )


@pytest.fixture
def number(visitor: Visitor) -> str:
    """The number of a booking of jane@example.com."""
    return visitor.book().number


def test_wrong_guesses_of_others_never_lock_the_owner_out(number: str) -> None:
    """Ten wrong guesses locked everybody out of a booking for an hour."""
    for attacker in range(8):
        for _ in range(6):
            guess(number, "else@example.com", f"198.51.100.{attacker}")
    assert guess(number, "jane@example.com", OWNER) == 303
    assert guess(number, "jane@example.com", OWNER) == 303, "found lookups don't count"


def test_an_address_has_five_wrong_guesses_of_a_number_in_an_hour(
    number: str, sandbox: Sandbox, clock: Traveller
) -> None:
    """The sixth isn't sent, and the right contact from there neither; another number is another matter."""
    before = count_requests(sandbox, "lookup")
    assert [guess(number, f"x{n}@example.com", "198.51.100.1") for n in range(7)] == [404] * 5 + [429] * 2
    assert guess(number, "jane@example.com", "198.51.100.1") == 429
    assert count_requests(sandbox, "lookup") - before == 5
    assert guess("BOOK_ZZZZZZZZ", "jane@example.com", "198.51.100.1") == 404
    clock.shift(WINDOW_SECONDS + 1)
    assert guess(number, "jane@example.com", "198.51.100.1") == 303


def test_many_addresses_together_have_thirty_guesses_and_one_each(number: str, sandbox: Sandbox) -> None:
    """A number whose failures are used up leaves one lookup to an address that has had none."""
    before = count_requests(sandbox, "lookup")
    for address in range(6):
        assert [guess(number, "else@example.com", f"198.51.100.{address}") for _ in range(5)] == [404] * 5
    for address in range(6, 12):
        assert [guess(number, "else@example.com", f"198.51.100.{address}") for _ in range(3)] == [404, 429, 429]
    assert count_requests(sandbox, "lookup") - before == 36


def test_the_households_of_one_ipv6_network_guess_together(number: str, site: Settings, sandbox: Sandbox) -> None:
    """A subscriber with 256 networks has four times the guesses of one, and the owner elsewhere isn't concerned."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOOKUPS_PER_ADDRESS": 0, "LOOKUPS_PER_NUMBER": 1000}
    before = count_requests(sandbox, "lookup")
    statuses = [guess(number, "else@example.com", f"2001:db8:0:{household:x}::1") for household in range(40)]
    assert statuses.count(404) == count_requests(sandbox, "lookup") - before == 5 * OUTER_FACTORS[56]
    assert guess(number, "jane@example.com", "2001:db8:7::1") == 303


def test_right_contacts_are_not_counted(number: str, site: Settings) -> None:
    """The owner may look as often as an address may look at all."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOOKUPS_PER_ADDRESS": 0}
    assert {guess(number, "jane@example.com", OWNER) for _ in range(40)} == {303}


def test_an_outage_of_kordless_is_no_wrong_guess(number: str, sandbox: Sandbox, site: Settings) -> None:
    """Nobody was told whether the contact was right."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOOKUPS_PER_NUMBER_AND_ADDRESS": 2}
    sandbox.faults.add("status", "lookup", status=500)
    assert [guess(number, "jane@example.com", OWNER) for _ in range(4)] == [503] * 4
    sandbox.faults.clear()
    assert guess(number, "jane@example.com", OWNER) == 303


def test_a_found_booking_gives_only_its_own_permits_back(number: str) -> None:
    """Wrong guesses before it still count."""
    for _ in range(4):
        guess(number, "else@example.com", "198.51.100.1")
    assert guess(number, "jane@example.com", "198.51.100.1") == 303
    assert [guess(number, "else@example.com", "198.51.100.1") for _ in range(2)] == [404, 429]


@pytest.mark.parametrize("flooded", thinned(["LocMemCache", "throttles"]))
def test_a_flood_does_not_end_the_limits_of_others(number: str, site: Settings, flooded: str) -> None:
    """LocMemCache evicts at random among 300 values: made-up numbers and cached pages wiped the counters."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOOKUPS_PER_ADDRESS": 0}
    assert [guess(number, "else@example.com", "198.51.100.1") for _ in range(6)] == [404] * 5 + [429]
    if flooded == "LocMemCache":
        for value in range(1000):
            caches["default"].set(f"made-up-{value}", 1)
    else:
        for made_up in range(160):  # two permits each
            guess(f"BOOK_X{made_up}", "else@example.com", "198.51.100.9")
    assert guess(number, "jane@example.com", "198.51.100.1") == 429
