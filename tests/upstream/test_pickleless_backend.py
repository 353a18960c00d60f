"""The site's cache backends as we use them: on its servers, under its keys, and without pickle."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches, close_caches
from django.core.cache.backends.redis import RedisCache
from django.core.signals import request_finished
from pytest_django import Settings

from kordless_booking.clock import Clock
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.pickleless_backend import PicklelessBackend, may_unpickle
from tests.support.memcached_server import MEMCACHED, WHY_NO_MEMCACHED, running_memcached
from tests.support.planted_pickles import Memcached, Redis, Server, trap
from tests.support.redis_server import REDIS, WHY_NOT, running_redis
from tests.support.site_cache import empty_cache

pytestmark = pytest.mark.django_db  # the end of a request concerns the database too

DJANGO = "django.core.cache.backends"
BACKENDS = [
    f"{DJANGO}.redis.RedisCache",
    "tests.upstream.test_pickleless_backend.SitesOwnRedisCache",
    "django_redis.cache.RedisCache",
    "django_valkey.cache.ValkeyCache",
    f"{DJANGO}.memcached.PyMemcacheCache",
    f"{DJANGO}.memcached.PyLibMCCache",
]
REQUIRED = os.environ.get("KORDLESS_SERVERS") == "required"


class SitesOwnRedisCache(RedisCache):
    """As a site may write its own."""


@pytest.fixture(scope="module", autouse=True)
def _as_without_valkey() -> Iterator[None]:
    """Undo what the import of django-valkey does: its receiver is async, so each later request would start a loop."""
    yield
    if valkey := sys.modules.get("django_valkey.base"):
        request_finished.disconnect(valkey.close_async_caches)
        request_finished.connect(close_caches)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """A Redis and a Memcached; skips, or fails where they are required, when one is missing."""
    missing = [why for found, why in ((REDIS, WHY_NOT), (MEMCACHED, WHY_NO_MEMCACHED)) if not found]
    if missing:
        (pytest.fail if REQUIRED else pytest.skip)("; ".join(missing))
    with running_redis(tmp_path_factory.mktemp("redis")) as redis_url, running_memcached() as memcached_at:
        both: dict[str, Server] = {"redis": Redis(redis_url), "memcached": Memcached(memcached_at)}
        yield both
        for server in both.values():
            server.close()


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest, servers: dict[str, Server], settings: Settings) -> Iterator[Server]:
    """A server with nothing on it, which the site's default cache is on, with each backend in turn."""
    if "PyLibMC" in request.param:
        pytest.importorskip("pylibmc")  # not in the test group: it must be compiled on some machines
    found = servers["memcached" if "memcached" in request.param else "redis"]
    location = found.location.replace("redis://", "valkey://") if "valkey" in request.param else found.location
    settings.CACHES = {"default": {"BACKEND": request.param, "LOCATION": location, "KEY_PREFIX": "site"}}
    empty_cache()
    yield found
    caches["default"].close()


@pytest.fixture
def cache(server: Server) -> Iterator[FallbackCache]:
    """Our cache on that server, its connections ended as at the end of a request."""
    steady = FallbackCache("default", Clock())
    yield steady
    request_finished.send(type(server))


def test_every_operation_works_without_pickle(server: Server, cache: FallbackCache) -> None:
    """Values come back with their types, `add` has one winner, and the bytes on the server are readable."""
    cache.set("bytes", b'{"a":1}', 60)
    cache.set("text", "text", 60)
    assert cache.add("number", 1_800_000_000_000, 60)
    assert not cache.add("number", 2, 60)
    expected = {"bytes": b'{"a":1}', "text": "text", "number": 1_800_000_000_000}
    assert cache.get_many([*expected, "nothing"]) == expected
    assert [cache.get(key) for key in (*expected, "nothing")] == [*expected.values(), None]
    assert server.values() == {
        "site:1:bytes": b'b{"a":1}',
        "site:1:text": b"stext",
        "site:1:number": b"1800000000000",
    }
    cache.delete_many(["bytes", "text"])
    assert cache.get_many(expected) == {"number": 1_800_000_000_000}
    assert cache.up


def test_a_planted_pickle_is_not_run_and_counts_as_absent(
    server: Server, cache: FallbackCache, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Django's own instance of the cache runs it; ours removes it, says so once, and goes on."""
    marker = tmp_path / "ran"
    server.plant("site:1:control", trap(marker))
    caches["default"].get("control")
    assert marker.is_dir(), "the trap doesn't work"
    marker.rmdir()
    for key in ("one", "two", "three"):
        server.plant(f"site:1:{key}", trap(marker))
    with caplog.at_level(logging.ERROR):
        assert cache.get("one") is None
        assert cache.get_many(["two", "three"]) == {}
    assert [record.getMessage() for record in caplog.records] == ["event=cache_value_unreadable"]
    assert cache.add("one", 1, 60)
    assert cache.add("three", 1, 60)
    assert cache.get_many(["one", "two", "three"]) == {"one": 1, "three": 1}
    assert cache.up
    assert not marker.exists()


def test_connections_end_with_the_request_as_djangos_do(server: Server, cache: FallbackCache) -> None:
    """And the next request opens them again."""
    cache.set("a", 1, 60)
    request_finished.send(type(server))
    assert cache.get("a") == 1
    assert cache.up


def test_a_serializer_of_the_site_is_for_its_own_values(servers: dict[str, Server], settings: Settings) -> None:
    """Other OPTIONS stay in force, and the site's own instance stays as it is."""
    options = {"serializer": f"{DJANGO}.redis.RedisSerializer", "socket_timeout": 1}
    redis = {"BACKEND": f"{DJANGO}.redis.RedisCache", "LOCATION": servers["redis"].location, "OPTIONS": options}
    settings.CACHES = {"default": redis}
    FallbackCache("default", Clock()).set("a", "text", 60)
    assert servers["redis"].values()[":1:a"] == b"stext"
    caches["default"].set("b", "text", 60)
    assert servers["redis"].values()[":1:b"].startswith(b"\x80")
    assert options.keys() == {"serializer", "socket_timeout"}


def test_a_list_under_a_key_of_ours_is_no_outage(servers: dict[str, Server], settings: Settings) -> None:
    """Redis refuses to read it as a value; the cache is up all the same."""
    settings.CACHES = {"default": {"BACKEND": f"{DJANGO}.redis.RedisCache", "LOCATION": servers["redis"].location}}
    server: Any = servers["redis"]
    server._client.rpush(":1:listed", "x")
    cache = FallbackCache("default", Clock())
    assert cache.get_many(["listed"]) == {}
    assert cache.get("listed") is None
    assert cache.add("listed", 1, 60)
    assert cache.up


@pytest.mark.parametrize(
    ("backend", "unpickles"),
    [
        (f"{DJANGO}.locmem.LocMemCache", False),
        (f"{DJANGO}.dummy.DummyCache", False),
        (f"{DJANGO}.redis.RedisCache", False),
        (f"{DJANGO}.memcached.PyMemcacheCache", False),
        (f"{DJANGO}.memcached.PyLibMCCache", False),
        ("django_redis.cache.RedisCache", False),
        (f"{DJANGO}.filebased.FileBasedCache", True),
        (f"{DJANGO}.db.DatabaseCache", True),
        ("tests.support.wall_clock_cache.WallClockCache", True),
    ],
)
def test_it_is_known_which_caches_unpickle(settings: Settings, backend: str, unpickles: bool) -> None:
    """An unknown backend is assumed to unpickle."""
    settings.CACHES = {"default": {"BACKEND": backend}}
    assert may_unpickle("default") is unpickles


def test_caches_of_this_process_alone_are_used_as_they_are(settings: Settings) -> None:
    """There is nobody else to write to them."""
    assert PicklelessBackend("default")() is caches["default"]
