"""Limits by client address: behind proxies, in IPv6 networks, and for whoever forges a header."""

from __future__ import annotations

import ipaddress
import logging
from typing import Any

import pytest
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.booking.hashes import address_hash, client_hash
from kordless_booking.clock import Clock
from kordless_booking.logs import LogThrottle
from kordless_booking.sandbox import Sandbox
from kordless_booking.views import abuse, client_address
from kordless_booking.views.client_address import OUTER_FACTORS, SITE, SITE_FACTOR, client_buckets
from tests.support.received_requests import count_requests

pytestmark = pytest.mark.django_db

FORM = {"number": "BOOK_AAAAAAAA", "contact": "jane@example.com"}


def look_up(number: int = 0, **meta: Any) -> int:
    """Look a booking up from somewhere, and return the status. Each number is another booking's."""
    return Client().post("/book/manage/", {**FORM, "number": f"BOOK_{number:08}"}, **meta).status_code


@pytest.fixture(autouse=True)
def _log_throttle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was logged yet in this process."""
    monkeypatch.setattr(client_address, "_log_throttle", LogThrottle(Clock()))


@pytest.fixture
def limited(site: Settings) -> Settings:
    """A site with three lookups per address."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOOKUPS_PER_ADDRESS": 3}
    return site


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.2", ""])
@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("X-Forwarded-For", "{}"),
        ("X-Forwarded-For", "198.51.100.1, {}:4711"),
        ("Forwarded", 'for="{}";proto=https'),
        ("X-Real-IP", "{}"),
    ],
)
def test_behind_an_unknown_proxy_one_visitor_uses_up_nothing_of_others(
    limited: Settings, peer: str, header: str, text: str
) -> None:
    """20 lookups of one visitor locked the page for the whole site."""
    busy = {"REMOTE_ADDR": peer, "headers": {header: text.format("203.0.113.1")}}
    other = {"REMOTE_ADDR": peer, "headers": {header: text.format("203.0.113.2")}}
    assert [look_up(number, **busy) for number in range(5)] == [404, 404, 404, 429, 429]
    assert look_up(**other) == 404


def test_forged_headers_do_not_buy_unlimited_use(limited: Settings, sandbox: Sandbox) -> None:
    """The whole site has a ceiling for addresses that nobody vouches for, and no more reaches Kordless."""
    ceiling = 3 * SITE_FACTOR
    statuses = [
        look_up(number, REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": f"198.51.100.{number}"})
        for number in range(ceiling + 15)
    ]
    assert statuses.count(404) == count_requests(sandbox, "lookup") == ceiling
    assert statuses[-1] == 429
    assert look_up(REMOTE_ADDR="203.0.113.8") == 404, "a direct visitor is in no ceiling"


def test_a_header_from_a_public_address_is_not_counted_by(limited: Settings) -> None:
    """It is no proxy of the site: the client has written it itself."""
    statuses = [
        look_up(number, REMOTE_ADDR="203.0.113.1", headers={"X-Forwarded-For": f"198.51.100.{number}"})
        for number in range(4)
    ]
    assert statuses == [404, 404, 404, 429]


def test_with_trusted_proxies_the_header_is_no_longer_forgeable(limited: Settings) -> None:
    """Entries on the left are the client's own; and there is no ceiling."""
    limited.KORDLESS_BOOKING = {**limited.KORDLESS_BOOKING, "TRUSTED_PROXIES": 1}
    statuses = [
        look_up(number, REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.1"})
        for number in range(4)
    ]
    assert statuses == [404, 404, 404, 429]
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "203.0.113.1:99"}, REMOTE_ADDR="127.0.0.1")
    assert [bucket.identity for bucket in client_buckets(request, 1)] == ["203.0.113.1"]


@pytest.mark.parametrize(("bits", "pattern"), [(56, "2001:db8:0:{:x}::1"), (48, "2001:db8:1:{:x}00::1")])
def test_an_ipv6_network_does_not_buy_unlimited_use(
    limited: Settings, sandbox: Sandbox, bits: int, pattern: str
) -> None:
    """A subscriber has thousands of /64s; a visitor of another network isn't touched."""
    most = 3 * OUTER_FACTORS[bits]
    statuses = [look_up(number, REMOTE_ADDR=pattern.format(number)) for number in range(most + 10)]
    assert statuses.count(404) == count_requests(sandbox, "lookup") <= most
    assert statuses.count(404) >= most * 3 // 4, "sampling may end it a little early, not much"
    assert look_up(REMOTE_ADDR="2001:db8:77::1") == 404
    assert look_up(REMOTE_ADDR="203.0.113.1") == 404


@pytest.mark.parametrize("peer", ["2001:db8::1", "2001:db8::ffff:1"])
def test_an_ipv6_household_is_one_address(limited: Settings, peer: str) -> None:
    """Its devices change their addresses within the /64 every day."""
    assert [look_up(number, REMOTE_ADDR=f"2001:db8::{number}") for number in range(4)] == [404, 404, 404, 429]
    assert look_up(REMOTE_ADDR=peer) == 429


@given(st.ip_addresses(v=6))
def test_outer_buckets_contain_the_inner_ones(address: Any) -> None:
    """The /64 first, then /56 and /48, each with a higher limit."""
    buckets = client_buckets(RequestFactory().get("/", REMOTE_ADDR=str(address)), 0)
    if address.ipv4_mapped:
        assert [bucket.factor for bucket in buckets] == [1]
        return
    assert [bucket.identity.rpartition("/")[2] for bucket in buckets] == ["64", "56", "48"]
    assert [bucket.factor for bucket in buckets] == [1, 4, 16]
    assert all(address in ipaddress.ip_network(bucket.identity) for bucket in buckets)


def test_the_known_function_is_still_where_its_users_look(rf: RequestFactory) -> None:
    """`abuse.client_address` is the identity of the first bucket."""
    assert abuse.client_address is client_address.client_address
    assert abuse.client_address(rf.get("/", REMOTE_ADDR="2001:db8::1"), 0) == "2001:db8::/64"
    assert abuse.client_address(rf.get("/", REMOTE_ADDR="unix:"), 0) == "unknown"
    behind = rf.get("/", REMOTE_ADDR="", headers={"X-Real-IP": "203.0.113.4"})
    assert abuse.client_address(behind, 0) == "203.0.113.4"
    assert client_buckets(behind, 0)[-1] == (SITE, SITE_FACTOR)


def test_hashes_of_an_address_for_two_purposes_have_nothing_in_common(settings: Settings) -> None:
    """A row of the queue tells nothing of a cache key of the throttle; each depends on SECRET_KEY."""
    address = "203.0.113.4"
    hashes = [client_hash(purpose, address) for purpose in ("queue", "requester", "throttle")]
    assert hashes[0] == address_hash(address)
    settings.SECRET_KEY = "another"
    hashes += [client_hash("queue", address), client_hash("queue", "203.0.113.5")]
    assert len({each[:32] for each in hashes}) == len({each[32:] for each in hashes}) == len(hashes) == 5
    assert all(len(each) == 64 and address not in each for each in hashes)


def test_an_unknown_proxy_is_logged_once_an_hour_without_the_address(
    limited: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once per process, however many visitors come through it."""
    passed = [0.0]
    monkeypatch.setattr(client_address, "_log_throttle", LogThrottle(Clock(monotonic=lambda: passed[0])))
    caplog.set_level(logging.WARNING, "kordless_booking.views")
    for seconds in (0, 1, 3598, 1):
        passed[0] += seconds
        look_up(REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": "203.0.113.1"})
    lines = [record.getMessage() for record in caplog.records if "proxy" in record.getMessage()]
    assert len(lines) == 2
    assert all(line.startswith("event=proxy_not_trusted setting=TRUSTED_PROXIES req=") for line in lines)
