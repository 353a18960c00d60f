"""Attacks on the pages of a booking: nobody who looks up, cancels or moves takes browsing or booking from others."""

from collections import Counter

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.sandbox import Limits, Sandbox
from kordless_booking.upstream.booking_cache import BookingCache
from tests.support.booking_pages import find
from tests.support.deliveries import NEW, delivery, event_body
from tests.support.received_requests import count_requests
from tests.support.site_cache import finish_fetches
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
    assert other.book("haircut", FAR, time=1).heading == "You’re booked"
    finish_fetches()  # the status of a request that is under way isn't known yet
    assert 429 not in [request.status for request in sandbox.requests if request.operation != "lookup"]


def test_a_429_on_a_lookup_stops_neither_browsing_nor_booking(limited: Sandbox) -> None:
    """Kordless refuses lookups for two minutes; it says nothing about what the key may do."""
    limited.faults.add("status", "lookup", status=429, retry_after=120, times=1)
    assert find(visitor_at("198.51.100.1"), "BOOK_AB12").status == 503
    assert_others_browse_and_book(limited)


def test_a_low_remainder_on_a_lookup_stops_neither_browsing_nor_booking(limited: Sandbox) -> None:
    """Lookups are limited per number in Kordless; that none remains for one is no remainder of the key."""
    limited.limits = Limits(contact=1)
    find(visitor_at("198.51.100.1"), "BOOK_AB12")
    assert_others_browse_and_book(limited)


def test_failed_lookups_stop_neither_browsing_nor_booking(limited: Sandbox) -> None:
    """More failures than open a circuit: the one of lookups opens, and everything with a key goes on."""
    limited.faults.add("status", "lookup", status=500)
    for number in range(6):
        assert find(visitor_at(f"198.51.100.{number}"), f"BOOK_{number}").status == 503
    sent = Counter(request.operation for request in limited.requests)
    assert sent["lookup"] <= 6
    assert_others_browse_and_book(limited)


def test_failing_reads_and_creations_stop_no_lookup(limited: Sandbox) -> None:
    """The other way round: a customer manages a booking while nothing else of Kordless works."""
    customer = visitor_at("198.51.100.1")
    manage = customer.book("haircut", FAR).link("Change or cancel")
    for operation in ("organization", "service", "availability", "create"):
        limited.faults.add("status", operation, status=500)
    for slug in ("full-color", "beard-trim", "bridal-styling", "styling-class", "head-spa", "color-consultation"):
        visitor_at("198.51.100.2").open(f"/book/{slug}/")
    page = customer.open(manage)
    assert (page.status, page.heading) == (200, "Your booking")


def test_55_views_of_ones_own_booking_cost_one_lookup(limited: Sandbox) -> None:
    """Within ten seconds the page is made of what is cached, for as many addresses as have the link."""
    owner = visitor_at("198.51.100.1")
    manage = owner.book("haircut", FAR).link("Change or cancel")
    for number in range(55):
        assert visitor_at(f"198.51.100.{number % 5}").open(manage).heading == "Your booking"
    assert count_requests(limited, "lookup") == 1
    assert_others_browse_and_book(limited)


def test_an_address_that_opens_many_bookings_leaves_lookups_for_other_customers(
    site: Settings, sandbox: Sandbox, clock: Traveller
) -> None:
    """Somebody with twenty-five bookings opens all of them: from then on this address waits, and nobody else does."""
    attacker, customer = visitor_at("198.51.100.1"), visitor_at("203.0.113.5")
    # So that one address can make as many bookings at one moment.
    ordinary, site.KORDLESS_BOOKING = site.KORDLESS_BOOKING, {**site.KORDLESS_BOOKING, "FETCHES_PER_ADDRESS": 0}
    links = [
        attacker.book("styling-class", f"?day=2026-12-{day:02}", time=0).link("Change or cancel")
        for day in range(7, 32)
        if day not in {13, 20, 25, 27}
    ]
    links += [attacker.book("haircut", FAR, time=time).link("Change or cancel") for time in range(6)]
    own = customer.book("haircut", FAR, time=1).link("Change or cancel")
    site.KORDLESS_BOOKING = {**ordinary, **DOCUMENTED}
    sandbox.limits = Limits()
    clock.shift(70)
    sandbox.clear_requests()
    pages = [attacker.open(link) for link in links]
    assert Counter(page.status for page in pages) == {200: 20, 429: len(links) - 20}
    assert pages[-1].heading == "Too many attempts"
    assert pages[-1].response["Retry-After"]
    assert count_requests(sandbox, "lookup") == 20
    assert customer.open(own).heading == "Your booking"
    assert_others_browse_and_book(sandbox)


def test_who_has_opened_bookings_too_often_can_still_cancel_one_and_is_told_one_wait(
    site: Settings, limited: Sandbox, clock: Traveller
) -> None:
    """A page is refused, with its wait in seconds and no other; the form that is open already cancels."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "MANAGE_VIEWS_PER_ADDRESS": 2}
    customer = visitor_at("198.51.100.1")
    manage = customer.book("haircut", FAR).link("Change or cancel")
    question = customer.send(customer.open(manage), "Cancel booking")
    for _ in range(2):
        clock.shift(11)
        refused = customer.open(manage)
    assert refused.status == 429
    seconds = int(refused.response["Retry-After"])
    assert f"Please try again in {seconds} second" in refused.text
    assert refused.text.count("try again") == 1
    assert customer.send(question, "Cancel booking").heading == "Booking canceled"


def test_a_link_to_a_booking_that_is_gone_takes_no_lookups_from_others_however_many_have_it(limited: Sandbox) -> None:
    """Kordless doesn't know the booking anymore, so nothing can be cached: the link waits, others don't."""
    customer = visitor_at("203.0.113.5")
    gone = customer.book("haircut", FAR).link("Change or cancel")
    own = customer.book("haircut", FAR, time=1).link("Change or cancel")
    limited.faults.add("status", "lookup", status=404)
    statuses = Counter(visitor_at(f"198.51.100.{number}").open(gone).status for number in range(45))
    assert statuses == {404: 20, 429: 25}
    limited.faults.clear()
    assert customer.open(own).heading == "Your booking"


def test_an_open_page_of_moving_costs_no_lookup_while_it_is_kept_current(limited: Sandbox, clock: Traveller) -> None:
    """It asks every half minute for nine minutes; the list of time zones costs none either."""
    customer = visitor_at("203.0.113.5")
    manage = customer.open(customer.book("haircut", FAR).link("Change or cancel"))
    slots = customer.send(manage, "Reschedule")
    limited.clear_requests()
    for _ in range(18):
        clock.shift(30)
        assert customer.once(slots.url, **{"KB-Seen": slots.response["KB-Version"]}).status == 204
    customer.responses.append(slots)
    assert customer.follow("/zone/").heading == "Choose your time zone"
    assert count_requests(limited, "lookup") == 0


def test_a_lookup_is_never_spared_before_a_change(limited: Sandbox) -> None:
    """Canceled elsewhere a moment ago, without a webhook: the post finds out, and sends nothing."""
    customer = visitor_at("203.0.113.5")
    manage = customer.open(customer.book("haircut", FAR).link("Change or cancel"))
    question = customer.send(manage, "Cancel booking")
    limited.set_status(manage.number, "canceled")
    assert customer.send(question, "Cancel booking").heading == "Booking canceled"
    assert count_requests(limited, "cancel") == 0


def test_a_change_shows_at_once_on_pages_that_were_opened_before(limited: Sandbox) -> None:
    """Canceled on one device, the next look from another one says so, within the ten seconds."""
    customer, phone = visitor_at("203.0.113.5"), visitor_at("203.0.113.6")
    manage = customer.open(customer.book("haircut", FAR).link("Change or cancel"))
    phone.open(manage.url)
    customer.send(customer.send(manage, "Cancel booking"), "Cancel booking")
    assert phone.open(manage.url).heading == "Booking canceled"


def test_a_change_that_a_webhook_tells_of_shows_at_once(limited: Sandbox, site: Settings) -> None:
    """The business cancels in Kordless: the page that was cached is gone with the delivery."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "WEBHOOK_SECRETS": [NEW]}
    customer = visitor_at("203.0.113.5")
    manage = customer.open(customer.book("haircut", FAR).link("Change or cancel"))
    limited.set_status(manage.number, "canceled")
    assert customer.open(manage.url).heading == "Your booking"
    body = event_body("booking.cancelled", confirmation_number=manage.number, status="canceled")
    assert delivery(body).post(Client()).status_code == 200
    assert customer.open(manage.url).heading == "Booking canceled"


def test_the_page_after_a_change_is_true_where_the_invalidation_was_lost(
    limited: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache was down, or isn't shared after all: the page that says what was done looks the booking up itself."""
    customer = visitor_at("203.0.113.5")
    manage = customer.open(customer.book("haircut", FAR).link("Change or cancel"))
    question = customer.send(manage, "Cancel booking")
    monkeypatch.setattr(BookingCache, "invalidate", lambda self, number: None)
    monkeypatch.setattr(BookingCache, "refresh", lambda self, number, contact, look_up: look_up())
    assert customer.send(question, "Cancel booking").heading == "Booking canceled"


def test_nothing_is_cached_of_a_booking_that_other_processes_could_not_drop(limited: Sandbox, site: Settings) -> None:
    """Four processes with a cache each: every page asks Kordless."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "PROCESSES": 4}
    customer = visitor_at("203.0.113.5")
    manage = customer.open(customer.book("haircut", FAR).link("Change or cancel"))
    limited.clear_requests()
    customer.open(manage.url)
    customer.open(manage.url)
    assert count_requests(limited, "lookup") == 2
