"""Parties that no time has room for, and others: what they cost Kordless, and what is left for everybody else."""

from collections import Counter
from datetime import UTC, datetime
from itertools import product

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking.api.client import Kordless
from kordless_booking.api.session import wsgi_transport
from kordless_booking.booking.availability import free_times
from kordless_booking.sandbox import SANDBOX_KEY, SANDBOX_ORG, Limits, Sandbox
from kordless_booking.upstream.registry import fetch_pool
from kordless_booking.views import response_cache
from tests.support.clock import NOW
from tests.support.matrix import thinned
from tests.support.site_cache import empty_cache
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db

ATTACKER, OTHER = "198.51.100.7", "203.0.113.9"


def request_counts(sandbox: Sandbox) -> Counter[str]:
    """Return the number of requests to Kordless, by operation."""
    fetch_pool.join()
    return Counter(request.operation for request in sandbox.requests)


def test_made_up_parties_leave_the_quota_to_other_visitors(client: Client, site: Settings, sandbox: Sandbox):
    """Ten parties for a service with one seat cost what one page costs, and cold pages of others are served."""
    sandbox.limits = Limits()
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "REQUESTS_PER_MINUTE": 60, "CREATIONS_PER_MINUTE": 10}
    for party in range(2, 12):
        assert client.get(f"/book/haircut/?party={party}", REMOTE_ADDR=ATTACKER).status_code == 200
    assert request_counts(sandbox) == {"organization": 1, "service": 1, "availability": 1}
    for service in ("beard-trim", "styling-class", "full-color", "makeover", "head-spa"):
        assert client.get(f"/book/{service}/", REMOTE_ADDR=OTHER).status_code == 200


@pytest.mark.parametrize("service", thinned(["haircut", "head-spa"]))
@pytest.mark.parametrize("query", thinned(["", "&month=2027-01", "&day=2027-01-20", "&host=host_sarah"]))
def test_a_party_without_room_costs_no_more_than_one_person(
    client: Client, site: Settings, sandbox: Sandbox, service: str, query: str
):
    """No look-ahead beyond the page for one person: the next parties, and the page for one, find all in the cache."""
    assert client.get(f"/book/{service}/?party=50{query}").status_code == 200
    costs = request_counts(sandbox)
    for party in range(2, 50):
        client.get(f"/book/{service}/?party={party}{query}")
    assert request_counts(sandbox) == costs
    empty_cache()
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOCAL_CACHE_SECONDS": 0}
    sandbox.clear_requests()
    client.get(f"/book/{service}/?{query}")
    assert costs <= request_counts(sandbox)


def test_made_up_parties_and_hosts_evict_no_warm_page(
    client: Client, site: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """They aren't stored, so the pages that others look at stay."""
    monkeypatch.setattr(response_cache, "MAX_RESPONSES", 5)
    client.get("/book/haircut/")
    stored = list(response_cache._responses)
    assert len(stored) == 1
    for number in range(2, 30):
        assert client.get(f"/book/haircut/?party={number}").status_code == 200
        assert client.get(f"/book/haircut/?host=made-up-{number}").status_code == 200
    assert list(response_cache._responses) == stored


def test_the_page_of_a_party_without_room_says_so_and_leads_on(any_visitor: Visitor):
    """How many a time has places for, with a link to the times for so many; the form can put it right as well."""
    page = any_visitor.open("/book/haircut/?party=4&day=2026-12-09")
    assert not page.times
    assert "Each time has room for only 1 person." in page.text
    assert any_visitor.open(page.link("Times for 1 person")).times
    assert any_visitor.send(page, "Update", party="1").times
    page = any_visitor.open("/book/styling-class/?party=9")
    assert "No time has room for more than 8 people." in page.text
    assert "party=8" in page.link("Times for 8 people")


def test_a_time_is_not_chosen_for_a_party_without_room(visitor: Visitor, sandbox: Sandbox):
    """The contact form isn't shown, and Kordless isn't asked again."""
    first = next(iter(visitor.open("/book/haircut/").times.values()))
    costs = request_counts(sandbox)
    page = visitor.open(first.replace("?", "?party=5&"))
    assert page.heading != "Your details"
    assert sandbox.bookings() == []
    assert request_counts(sandbox) == costs


def test_every_party_has_the_times_that_kordless_lists_for_it(sandbox: Sandbox):
    """The answer for one person, filtered by the seats left, is Kordless's own answer for the party."""
    kordless = Kordless(
        api_key=SANDBOX_KEY,
        org_slug=SANDBOX_ORG,
        base_url="http://localhost/api/calendar/v1/public",
        transport=wsgi_transport(sandbox),
    )
    span = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 31, tzinfo=UTC)
    for service in ("haircut", "styling-class"):
        for_one = kordless.availability(service, *span)
        for party in range(1, 11):
            exact = kordless.availability(service, *span, party_size=party)
            filtered = free_times(for_one, zone=UTC, now=NOW, party_size=party)
            assert [time.slots for day in filtered.values() for time in day] == [
                time.slots for day in free_times(exact, zone=UTC, now=NOW).values() for time in day
            ]


def test_all_parties_of_a_class_cost_one_request_for_times(client: Client, site: Settings, sandbox: Sandbox):
    """Two months and eight parties: organization, service and one availability."""
    for party in range(1, 9):
        for month in ("2026-12", "2027-01"):
            assert client.get(f"/book/styling-class/?party={party}&month={month}").status_code == 200
    assert request_counts(sandbox) == {"organization": 1, "service": 1, "availability": 1}


def test_months_and_parties_of_a_service_cost_two_requests(client: Client, site: Settings, sandbox: Sandbox):
    """72 pages of 6 services: one request for the details of each and one for its near days."""
    sandbox.limits = Limits()
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "REQUESTS_PER_MINUTE": 60, "CREATIONS_PER_MINUTE": 10}
    services = (
        "haircut",
        "full-color",
        "beard-trim",
        "styling-class",
        "color-consultation",
        "makeover",
    )
    for service, month, party in product(services, ("2026-12", "2027-01"), range(1, 7)):
        assert client.get(f"/book/{service}/?month={month}&party={party}").status_code == 200
    assert request_counts(sandbox) == {"organization": 1, "service": 6, "availability": 6}
