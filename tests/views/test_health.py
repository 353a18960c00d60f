"""Health checks for machines: cheap, not logged, and without requests to Kordless."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from kordless_booking.sandbox import Sandbox
from tests.support.counting_cache import trips
from tests.support.site_cache import empty_cache

ALIVE, ABLE = "/book/health/", "/book/health/booking/"


@pytest.fixture(params=[OperationalError, InterfaceError])
def no_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """A database that can't be reached."""

    def gone(*_args: object) -> None:
        raise request.param("could not connect to server: db.internal")

    with connection.execute_wrapper(gone):
        yield


def test_a_process_that_can_serve(site: Settings, client: Client, sandbox: Sandbox):
    """200 without a query, a look at the cache or a word to Kordless."""
    site.CACHES = {"default": {"BACKEND": "tests.support.counting_cache.CountingCache", "LOCATION": "counting"}}
    del trips[:]
    answer = client.get(ALIVE)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies
    assert trips == []
    assert sandbox.requests == []


@pytest.mark.django_db
def test_a_site_that_can_book(
    site: Settings, client: Client, sandbox: Sandbox, django_assert_num_queries: DjangoAssertNumQueries
):
    """200 for one query, two looks at the cache and nothing at Kordless."""
    site.CACHES = {"default": {"BACKEND": "tests.support.counting_cache.CountingCache", "LOCATION": "counting"}}
    client.get(ABLE)
    del trips[:]
    with django_assert_num_queries(1):
        answer = client.get(ABLE)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "cache": "ok", "kordless": "ok"})
    assert not answer.cookies
    assert len(trips) <= 2
    assert sandbox.requests == []


@pytest.mark.django_db
@pytest.mark.usefixtures("no_database")
def test_without_its_database(site: Settings, client: Client):
    """Pages can still be given, a booking can't be taken; nothing is shown of where the database is."""
    assert client.get(ALIVE).status_code == 200
    answer = client.get(ABLE)
    assert answer.status_code == 503
    assert answer.json() == {"status": "failing", "database": "down", "cache": "ok", "kordless": "ok"}
    assert answer["Retry-After"] == "30"


@pytest.mark.django_db
def test_without_its_cache(settings: Settings, account_settings: dict[str, Any], client: Client):
    """Both go on: each process has its own memory."""
    redis = "django.core.cache.backends.redis.RedisCache"
    settings.KORDLESS_BOOKING = account_settings
    settings.CACHES = {"default": {"BACKEND": redis, "LOCATION": "redis://127.0.0.1:1/0"}}
    assert client.get(ALIVE).status_code == 200
    answer = client.get(ABLE)
    assert (answer.status_code, answer.json()["cache"]) == (200, "down")


@pytest.mark.django_db
def test_health_during_an_outage_of_kordless(site: Settings, client: Client, sandbox: Sandbox):
    """It is said, and is no reason to take visitors away."""
    sandbox.faults.add("status", status=503, retry_after=60)
    client.get("/book/")
    request_count = len(sandbox.requests)
    answer = client.get(ABLE)
    assert (answer.status_code, answer.json()["kordless"]) == (200, "circuit_open")
    assert answer.json()["circuits"] == "browse"
    assert len(sandbox.requests) == request_count


def test_without_settings(settings: Settings, client: Client):
    """503 for both, and nothing of what is wrong with them."""
    settings.KORDLESS_BOOKING = {"API_KEY": "canary-key"}
    for address in (ALIVE, ABLE):
        answer = client.get(address)
        assert answer.status_code == 503
        assert answer.json() == {"status": "failing", "settings": "unusable"}


@pytest.mark.parametrize("address", [ALIVE, ABLE])
@pytest.mark.django_db
def test_methods(site: Settings, client: Client, caplog: pytest.LogCaptureFixture, address: str):
    """HEAD says as much as GET; methods that change something are rejected."""
    caplog.set_level(logging.INFO)
    head = client.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert client.options(address)["Allow"] == "GET, HEAD, OPTIONS"
    ways: list[Callable[..., Any]] = [client.post, client.put, client.delete]
    assert [way(address).status_code for way in ways] == [405] * 3
    assert client.get(f"{address}?anything=1").status_code == 200


@pytest.mark.django_db
def test_behind_a_login_wall(site: Settings, client: Client):
    """A machine has no login."""
    site.MIDDLEWARE = [*site.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    assert [client.get(address).status_code for address in (ALIVE, ABLE)] == [200, 200]


@pytest.mark.django_db
def test_each_account_for_itself(two_accounts: Settings, client: Client, sandbox: Sandbox):
    """The circuit breaker of one account does not affect the health of another."""
    sandbox.faults.add("status", status=503, retry_after=60, times=1)
    client.get("/north/")
    states = [client.get(f"/{name}/health/booking/").json()["kordless"] for name in ("north", "south")]
    assert states == ["circuit_open", "ok"]
    empty_cache()


@pytest.mark.usefixtures("no_database")
@pytest.mark.django_db
def test_it_leaves_the_log_alone(site: Settings, client: Client, caplog: pytest.LogCaptureFixture):
    """It is asked every few seconds, and who asks hears what is wrong."""
    caplog.set_level(logging.INFO)
    for _ in range(3):
        client.get(ABLE)
    assert [record for record in caplog.records if record.name.startswith("django.request")] == []
