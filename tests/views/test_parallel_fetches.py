"""Parallel fetches of a page: waits that add up would use up the page's own time."""

import logging
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.registry import fetch_pool
from tests.support.parallel_calls import cold_in_rounds
from tests.support.site_cache import empty_cache, use_wall_clock_cache
from tests.support.visitor import Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.long]

FAR = "?day=2026-12-09"


def at(moment: datetime, clock: time_machine.Traveller, sandbox: Sandbox) -> None:
    """Let it be that moment here and at Kordless."""
    clock.move_to(moment)
    sandbox.clock.set(moment)


def request_counts(sandbox: Sandbox) -> Counter[str]:
    """Return the number of requests to Kordless, by operation."""
    return Counter(request.operation for request in sandbox.requests)


@pytest.mark.parametrize("query", ["", "?tz=Asia/Tokyo", FAR, "?month=2027-01&party=3"])
def test_a_cold_page_of_times_asks_for_all_it_needs_at_once(
    visitor: Visitor, site: Settings, sandbox: Sandbox, query: str
):
    """The business, the service and the month, and not one request more."""
    with cold_in_rounds(site, sandbox, 3):
        page = visitor.open(f"/book/styling-class/{query}")
        assert (page.status, bool(page.times)) == (200, True)
    assert request_counts(sandbox) == {"organization": 1, "service": 1, "availability": 1}


@pytest.mark.parametrize(
    ("moment", "query"),
    [
        (datetime(2026, 11, 28, 20, tzinfo=UTC), ""),
        (datetime(2026, 12, 1, 3, tzinfo=UTC), ""),
        (datetime(2027, 2, 1, 4, 55, tzinfo=UTC), ""),
        (datetime(2027, 2, 1, 4, 55, tzinfo=UTC), "?tz=America/New_York"),
        (datetime(2027, 1, 31, 22, 55, tzinfo=UTC), "?tz=Europe/Berlin"),
        (datetime(2028, 2, 29, 23, 55, tzinfo=UTC), ""),
    ],
)
def test_at_a_months_end_the_same_three_requests_bring_the_next_month(
    visitor: Visitor,
    site: Settings,
    sandbox: Sandbox,
    clock: time_machine.Traveller,
    moment: datetime,
    query: str,
):
    """On the last evening nothing is left in the month that it is where the business is."""
    at(moment, clock, sandbox)
    with cold_in_rounds(site, sandbox, 3):
        page = visitor.open(f"/book/haircut/{query}")
        assert (page.status, bool(page.times)) == (200, True)


def test_after_an_empty_page_the_next_ones_are_asked_for_together(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """A service that is booked out for weeks: two waits, and only what the first request has not brought."""
    with cold_in_rounds(site, sandbox, 3, 1):
        page = visitor.open("/book/head-spa/")
        assert page.texts(".kb-month .kb-sub") == ["January \u2013 February 2027"]


def test_months_beyond_the_usual_booking_window_are_asked_for_together(
    visitor: Visitor, site: Settings, sandbox: Sandbox, clock: time_machine.Traveller
):
    """A page that begins within that window, of a service with a longer one, whose next times are cached."""
    at(datetime(2026, 12, 27, 15, tzinfo=UTC), clock, sandbox)
    with cold_in_rounds(site, sandbox, 3, 2):
        visitor.open("/book/bridal-styling/")
        page = visitor.open("/book/bridal-styling/?month=2027-02-21")
        assert page.texts(".kb-month .kb-sub") == ["February \u2013 March 2027"]


def test_a_crowd_at_a_months_end_costs_what_one_visitor_costs(
    site: Settings, sandbox: Sandbox, clock: time_machine.Traveller
):
    """Those who come while the first page waits find its fetches under way, and begin none of their own."""
    at(datetime(2027, 2, 1, 4, 55, tzinfo=UTC), clock, sandbox)
    with cold_in_rounds(site, sandbox, 3), ThreadPoolExecutor(12) as crowd:
        pages = list(crowd.map(lambda _: Visitor(Client()).open("/book/haircut/"), range(12)))
    assert {page.status for page in pages} == {200}


def test_at_a_months_end_the_next_month_is_cached_with_this_one(
    visitor: Visitor, sandbox: Sandbox, clock: time_machine.Traveller
):
    """Both are on the first page of the calendar, which is shown without a request to Kordless."""
    at(datetime(2026, 11, 27, 15, tzinfo=UTC), clock, sandbox)
    visitor.open("/book/haircut/?month=2026-11")
    sandbox.clear_requests()
    page = visitor.open("/book/haircut/")
    assert page.texts(".kb-month .kb-sub") == ["November \u2013 December 2026"]
    assert request_counts(sandbox) == {}


def test_a_chosen_time_is_looked_for_together_with_its_service(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """On the way to the contact form, and on the form itself when it is loaded again."""
    first = next(iter(visitor.open(f"/book/haircut/{FAR}").times.values()))
    with cold_in_rounds(site, sandbox, 3):
        form = visitor.open(first)
        assert form.heading == "Your details"
    with cold_in_rounds(site, sandbox, 2):
        assert visitor.open(form.url).heading == "Your details"


def test_the_choice_of_a_zone_asks_for_business_and_service_together(
    visitor: Visitor, site: Settings, sandbox: Sandbox
):
    """Nothing else stands on it."""
    with cold_in_rounds(site, sandbox, 2):
        assert visitor.open("/book/haircut/zone/").heading == "Choose your time zone"


def test_a_confirmation_asks_for_business_and_service_together(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """The booking itself stands in the address."""
    confirmation = visitor.book("haircut", FAR)
    with cold_in_rounds(site, sandbox, 2):
        assert visitor.open(confirmation.url).number == confirmation.number


def test_a_booking_is_looked_up_while_the_business_is_asked_for(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """Its service can't be asked for before the booking has named it; its times come together with that."""
    own = visitor.open(visitor.book("haircut", FAR).link("Change or cancel"))
    with cold_in_rounds(site, sandbox, 2, 1):
        page = visitor.open(own.url)
        assert page.heading == "Your booking"
    with cold_in_rounds(site, sandbox, 2, 2):
        times = visitor.send(page, "Reschedule")
        assert times.times
    with cold_in_rounds(site, sandbox, 2, 2):
        assert visitor.open(list(times.times.values())[-1]).heading == "Reschedule your booking?"


def test_a_made_up_service_costs_nothing_while_the_list_is_known(
    visitor: Visitor, sandbox: Sandbox, clock: time_machine.Traveller
):
    """However old that list is: only the list is asked for anew."""
    visitor.open("/book/")
    clock.shift(3600 * 20)
    sandbox.clear_requests()
    for number in range(20):
        assert visitor.open(f"/book/made-up-{number}/").status == 404
    assert request_counts(sandbox) == {"organization": 1}


def test_of_many_made_up_services_at_once_one_is_asked_for(client: Client, site: Settings, sandbox: Sandbox):
    """While the list is on its way, only the page that asks for it asks for a name beside it."""
    empty_cache()
    for number in range(20):
        assert client.get(f"/book/made-up-{number}/").status_code == 404
    fetch_pool.join()  # the first page knows from the list, and doesn't wait for what was asked for beside it
    assert request_counts(sandbox)["organization"] == 1
    # None, when the list has come by the time that the page has claimed it.
    assert request_counts(sandbox)["service"] == request_counts(sandbox)["availability"] <= 1


@pytest.mark.django_db(transaction=True)
def test_of_many_made_up_services_that_arrive_together_one_is_asked_for(site: Settings, sandbox: Sandbox):
    """The list is claimed before a name is asked for, not when the page comes to read it."""
    empty_cache()
    begin = threading.Barrier(12, timeout=20)

    def open_made_up(number: int) -> int:
        begin.wait()
        return Client().get(f"/book/made-up-{number}/").status_code

    with ThreadPoolExecutor(12) as visitors:
        assert set(visitors.map(open_made_up, range(12))) == {404}
    fetch_pool.join()
    assert request_counts(sandbox)["organization"] == 1
    assert request_counts(sandbox)["service"] <= 1


@pytest.mark.parametrize("backend", ["dummy.DummyCache", "locmem.LocMemCache"])
def test_a_cold_page_costs_three_requests_whatever_the_cache(
    visitor: Visitor, site: Settings, sandbox: Sandbox, backend: str
):
    """Data fetched in parallel reaches the page even where nothing can be cached."""
    site.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOCAL_CACHE_SECONDS": 0}
    with cold_in_rounds(site, sandbox, 3):
        assert visitor.open("/book/haircut/").times


def test_the_first_page_after_an_outage_is_whole(
    visitor: Visitor, site: Settings, sandbox: Sandbox, clock: time_machine.Traveller
):
    """One call tries whether Kordless is back, and would turn away all that are made at the same time."""
    use_wall_clock_cache(site)
    sandbox.faults.add("status", status=503)
    for _ in range(4):
        assert visitor.open("/book/haircut/").status == 503
        fetch_pool.join()  # else a call that is still to be tried again would be the one that looks for Kordless
        clock.shift(3)
    sandbox.faults.clear()
    clock.shift(16)
    assert visitor.open("/book/haircut/").times


def test_what_is_asked_beside_a_page_carries_its_request_id(
    visitor: Visitor, sandbox: Sandbox, site: Settings, caplog: pytest.LogCaptureFixture
):
    """So that the log tells whose calls they were."""
    with caplog.at_level(logging.INFO, logger="kordless_booking.api"), cold_in_rounds(site, sandbox, 3):
        visitor.open("/book/haircut/", **{"X-Request-ID": "cold-page-1234"})
    calls = [record.getMessage() for record in caplog.records if record.name == "kordless_booking.api"]
    assert len(calls) == 3
    assert all("req=cold-page-1234" in line for line in calls)


def test_times_beyond_the_booking_window_are_not_offered_when_it_was_unknown(
    visitor: Visitor, site: Settings, sandbox: Sandbox
):
    """The month is asked for together with the service that says how far ahead it can be booked."""
    last = visitor.open("/book/haircut/?month=2027-01").days
    with cold_in_rounds(site, sandbox, 3):
        assert visitor.open("/book/haircut/?month=2027-01").days == last
