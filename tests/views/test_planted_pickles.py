"""Somebody can write to the site's cache server: nothing that is planted there runs, and visitors book on."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.core.cache import caches
from django.core.signals import request_finished
from django.test import Client
from pytest_django import Settings

from kordless_booking.conf import get_account
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.registry import background_worker, services_for
from tests.support.memcached_server import MEMCACHED, WHY_NO_MEMCACHED, running_memcached
from tests.support.planted_pickles import Memcached, Redis, Server, trap
from tests.support.redis_server import REDIS, WHY_NOT, running_redis
from tests.support.visitor import JANE, Visitor

pytestmark = pytest.mark.django_db

DJANGO = "django.core.cache.backends"
REQUIRED = os.environ.get("KORDLESS_SERVERS") == "required"


@pytest.fixture(params=["redis.RedisCache", "memcached.PyMemcacheCache"])
def server(request: pytest.FixtureRequest, site: Settings, tmp_path: Path) -> Iterator[Server]:
    """The server of the site's cache; skips, or fails where it is required, when it is missing."""
    is_redis = request.param.startswith("redis")
    found, why_not = (REDIS, WHY_NOT) if is_redis else (MEMCACHED, WHY_NO_MEMCACHED)
    if not found:
        (pytest.fail if REQUIRED else pytest.skip)(why_not)
    with ExitStack() as stack:
        folder = tmp_path / "server"
        folder.mkdir()
        location = stack.enter_context(running_redis(folder) if is_redis else running_memcached())
        one: Server = Redis(location) if is_redis else Memcached(location)
        stack.callback(one.close)
        site.CACHES = {"default": {"BACKEND": f"{DJANGO}.{request.param}", "LOCATION": location}}
        yield one
        background_worker.join()
        request_finished.send(Client)
        site.CACHES = {"default": {"BACKEND": f"{DJANGO}.locmem.LocMemCache"}}


def as_a_new_process(site: Settings) -> None:
    """Empty this process's own memory."""
    background_worker.join()
    site.KORDLESS_BOOKING = dict(site.KORDLESS_BOOKING)


def book_move_and_cancel(client: Client) -> Visitor:
    """All that a visitor does: book, look the booking up, move and cancel it; and what monitors ask."""
    any_visitor = Visitor(client)
    any_visitor.open("/book/")
    booked = any_visitor.book()
    assert booked.number, booked.text
    any_visitor.send(any_visitor.open("/book/manage/"), "Find booking", number=booked.number, contact=JANE["email"])
    manage = next(url for url in booked.links().values() if re.search("/manage/.{20}", url)).partition("?")[0]
    any_visitor.open(list(any_visitor.open(f"{manage}reschedule/").times.values())[-1])
    any_visitor.send(any_visitor.open(f"{manage}cancel/"), "Cancel booking")
    assert client.get("/book/health/booking/").json()["cache"] == "ok"
    return any_visitor


@pytest.mark.long
def test_planted_pickles_are_never_run_and_visitors_book_on(
    server: Server, site: Settings, client: Client, sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Under every key that a whole visit leaves behind, not once but three times over."""
    marker = tmp_path / "ran"
    book_move_and_cancel(client)
    background_worker.join()
    assert len(server.values()) > 15
    assert not [key for key, value in server.values().items() if value.startswith(b"\x80")]
    key = next(iter(server.values()))
    server.plant(key, trap(marker))
    caches["default"].get(key.removeprefix(":1:"))
    assert marker.is_dir(), "the trap doesn't work"
    marker.rmdir()
    for number in range(2, 5):
        for key in server.values():
            server.plant(key, trap(marker))
        as_a_new_process(site)
        with caplog.at_level(logging.ERROR, "kordless_booking"):
            any_visitor = book_move_and_cancel(client)
        assert not marker.exists()
        assert [(page.url, page.status) for page in any_visitor.responses if page.status >= 400] == []
        assert len(sandbox.bookings()) == number
        assert services_for(get_account(None)).cache.up
    assert {record.getMessage().partition(" req=")[0] for record in caplog.records} == {"event=cache_value_unreadable"}
    assert len(caplog.records) == 3, "said once a minute by each process"


@pytest.mark.long
def test_planted_values_of_other_kinds_are_no_trouble(
    server: Server, site: Settings, client: Client, sandbox: Sandbox
) -> None:
    """Values that our serializer does read, each under a key that should have another."""
    book_move_and_cancel(client)
    for value in (b"7", b"-1", b"9" * 19, b"stext", b"b", b"b{}", b"b[1]", b"b\x80\x04", b'b{"version":1}'):
        for key in server.values():
            server.plant(key, value)
        as_a_new_process(site)
        any_visitor = Visitor(client)
        for url in ("/book/", "/book/haircut/", "/book/manage/", "/book/health/booking/"):
            assert any_visitor.open(url).status in {200, 429, 503}, (value, url)
            assert "That was our mistake" not in any_visitor.responses[-1].text
