"""What looking costs: no query, a word with the cache, and Kordless hardly ever."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from time_machine import Traveller

from kordless_booking.sandbox import Sandbox
from tests.conftest import NOW
from tests.views.counting import trips

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
    site.CACHES = {"default": {"BACKEND": "tests.views.counting.CountingCache", "LOCATION": "counting"}}
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "MEMORY_SECONDS": request.param}
    caches["default"].clear()
    yield site
    caches["default"].clear()


def look(client: Client, path: str, **headers: Any) -> int:
    """Open a page and count what it cost."""
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
    with django_assert_num_queries(0):
        assert look(client, path) <= 2
        assert look(client, path, headers={"Accept-Language": "en;q=0.5"}) <= 2
        assert look(client, f"{path}{'&' if '?' in path else '?'}scheme=dark") <= 2


@pytest.mark.django_db
def test_a_page_asked_for_before_costs_one_short_look(client: Client, counted: Settings):
    """Or none at all within the second of memory."""
    client.get("/book/haircut/")
    client.get("/book/haircut/")
    assert look(client, "/book/haircut/") == (1 if counted.KORDLESS_BOOKING["MEMORY_SECONDS"] == 0 else 0)


@pytest.mark.django_db
@pytest.mark.usefixtures("counted")
def test_a_thousand_pages_from_all_over_the_world_cost_three_requests(client: Client, sandbox: Sandbox):
    """Whatever the zone, the hours and the day, and with the same data for all of them."""
    zones = ("Europe/Paris", "Asia/Tokyo", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu")
    for number in range(200):
        zone, day = zones[number % 5], 2 + number % 20
        client.get(f"/book/haircut/?tz={zone}&day=2026-12-{day:02}&hours={12 + number % 2 * 12}")
    assert [request.operation for request in sandbox.requests] == ["organization", "service", "availability"]


@pytest.mark.django_db
@pytest.mark.usefixtures("counted")
def test_a_page_given_again_is_not_older_than_its_minute(client: Client, clock: Traveller):
    """The clock on it goes on, and a time that has begun is gone."""
    before = client.get("/book/haircut/?tz=Europe/Paris").content.decode()
    clock.move_to(NOW + timedelta(seconds=59))
    assert client.get("/book/haircut/?tz=Europe/Paris").content.decode() == before
    clock.move_to(NOW + timedelta(seconds=60))
    after = client.get("/book/haircut/?tz=Europe/Paris").content.decode()
    assert "4:00 PM" in before
    assert "4:01 PM" in after


@pytest.mark.django_db
@pytest.mark.usefixtures("counted")
def test_each_answer_is_its_own(client: Client):
    """What a middleware writes on one answer stands on no other, and each has its own request id."""
    client.get("/book/haircut/")
    first, second = client.get("/book/haircut/"), client.get("/book/haircut/")
    assert first["X-Request-ID"] != second["X-Request-ID"]
    first["X-Written-On"] = "the first"
    assert "X-Written-On" not in client.get("/book/haircut/")
    assert first["Content-Security-Policy"] == second["Content-Security-Policy"]


@pytest.mark.django_db
@pytest.mark.usefixtures("counted")
def test_who_asks_in_other_words_gets_another_page(client: Client):
    """The language of the browser, an htmx request and a query are part of what was asked."""
    pages = {
        client.get("/book/haircut/").content,
        client.get("/book/haircut/", headers={"HX-Request": "true", "HX-Target": "kb-stage"}).content,
        client.get("/book/haircut/", headers={"HX-Request": "true", "HX-Target": "kb-inline-side"}).content,
        client.get("/book/haircut/", headers={"Accept-Language": "de"}).content,
        client.get("/book/haircut/?hours=24").content,
        client.get("/book/haircut/", headers={"Accept-Language": "fr"}).content,
    }
    assert len(pages) == 6


@pytest.mark.django_db
@pytest.mark.usefixtures("two_accounts")
def test_two_businesses_never_share_a_page(client: Client):
    """The same words at another mount are another business's page."""
    for _again in range(2):
        assert "North Dental" in client.get("/north/check-up/").content.decode()
        assert "Acme Salon" in client.get("/south/haircut/").content.decode()
        assert client.get("/south/check-up/").status_code == 404


@pytest.mark.django_db
@pytest.mark.usefixtures("counted")
def test_what_travels_for_one_visitor_is_kept_for_nobody(client: Client):
    """A page that carries what somebody typed is made for them alone."""
    mine = client.get("/book/haircut/?kept=sealed-text-of-mine").content.decode()
    assert "sealed-text-of-mine" in mine
    assert "sealed-text-of-mine" not in client.get("/book/haircut/").content.decode()
    assert look(client, "/book/haircut/?kept=sealed-text-of-mine") <= 2
