"""Cost of a page view: no query, few round trips to the cache, and hardly ever a request to Kordless."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.registry import fetch_pool
from kordless_booking.views import skeletons
from tests.support.counting_cache import trips
from tests.support.site_cache import empty_cache

PAGES = [
    "/book/",
    "/book/?tz=Asia/Tokyo",
    "/book/haircut/",
    "/book/haircut/?tz=Europe/Paris",
    "/book/haircut/?tz=Asia/Kathmandu&day=2026-12-09&hours=24",
    "/book/styling-class/?month=2027-01&party=3",
    "/book/head-spa/",
]
"""The last one is booked out for so long that its first free day is in another month."""


@pytest.fixture(params=[0, 1], ids=["the cache alone", "a second of memory"])
def counted(request: pytest.FixtureRequest, site: Settings) -> Iterator[Settings]:
    """The plain site on a cache that counts, with and without a memory of its own."""
    site.CACHES = {"default": {"BACKEND": "tests.support.counting_cache.CountingCache", "LOCATION": "counting"}}
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOCAL_CACHE_SECONDS": request.param}
    empty_cache()
    yield site
    empty_cache()


def get_page(client: Client, path: str, **headers: Any) -> int:
    """Open a page and count what it cost, once nothing is under way anymore for the page before."""
    fetch_pool.join()
    del trips[:]
    assert client.get(path, **headers).status_code == 200
    return len(trips)


@pytest.mark.django_db
@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize("path", PAGES)
def test_a_page_costs_no_query_and_two_round_trips(
    client: Client, path: str, django_assert_num_queries: DjangoAssertNumQueries
):
    """While what it is made from lies in the cache, whether or not somebody has asked for the page before."""
    client.get(path)
    get_page(client, path)  # the first to find there what the page before has fetched looks once more
    with django_assert_num_queries(0):
        assert get_page(client, path) <= 2
        assert get_page(client, path, headers={"Accept-Language": "en;q=0.5"}) <= 2
        assert get_page(client, f"{path}{'&' if '?' in path else '?'}scheme=dark") <= 2


@pytest.mark.django_db
def test_a_page_asked_for_before_costs_one_short_look(
    client: Client, counted: Settings, monkeypatch: pytest.MonkeyPatch
):
    """Or none at all within the second of memory."""
    # The second is one of real time, which can pass between two requests on a busy machine.
    stopped = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: stopped)
    client.get("/book/haircut/")
    get_page(client, "/book/haircut/")
    assert get_page(client, "/book/haircut/") == (1 if counted.KORDLESS_BOOKING["LOCAL_CACHE_SECONDS"] == 0 else 0)


@pytest.mark.long
@pytest.mark.django_db
@pytest.mark.usefixtures("counted")
def test_a_thousand_pages_from_all_over_the_world_cost_three_requests(client: Client, sandbox: Sandbox):
    """Whatever the zone, the hours and the day, and with the same data for all of them."""
    zones = ("Europe/Paris", "Asia/Tokyo", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu")
    for number in range(200):
        zone, day = zones[number % 5], 2 + number % 20
        client.get(f"/book/haircut/?tz={zone}&day=2026-12-{day:02}&hours={12 + number % 2 * 12}")
    fetch_pool.join()
    assert sorted(request.operation for request in sandbox.requests) == ["availability", "organization", "service"]


@pytest.mark.parametrize("path", ["/book/haircut/zone/", "/book/haircut/", "/book/styling-class/?party=2", "/book/"])
def test_a_page_is_rendered_once_for_all_time_zones(client: Client, path: str):
    """No part of its skeleton's key is a visitor's own: fields that carry choices on are filled in, too."""
    joined = "&" if "?" in path else "?"
    client.get(f"{path}{joined}tz=Europe/Berlin")
    skeletons._pages.clear()
    for zone in ("Europe/Paris", "Europe/Madrid", "Europe/Rome"):
        assert client.get(f"{path}{joined}tz={zone}").status_code == 200
    assert len(skeletons._pages) == 1
