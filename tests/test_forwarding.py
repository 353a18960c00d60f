"""Addresses in the headers of proxies: every spelling that proxies use, and nothing else."""

from __future__ import annotations

import ipaddress

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.forwarding import forwarded_address, has_untrusted_proxy, parse_address, trusted_address

ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
HEADERS = ("X-Forwarded-For", "Forwarded", "X-Real-IP")


def request(peer: str = "127.0.0.1", **headers: str):
    """A request from a peer, with headers whose names have underscores here."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return RequestFactory().get("/book/", headers=named, REMOTE_ADDR=peer)


@given(address=ADDRESSES, port=st.integers(0, 65535), quote=st.booleans())
def test_an_address_is_found_with_and_without_its_port(address, port: int, quote: bool) -> None:
    """Alone, as ip:port, as [v6]:port, in brackets, in quotes."""
    host = f"[{address}]" if address.version == 6 else str(address)
    expected = (address.ipv4_mapped if address.version == 6 else None) or address
    for written in (str(address), host, f"{host}:{port}", f"  {host}:{port} "):
        assert parse_address(f'"{written}"' if quote else written) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unknown",
        "_hidden",
        "localhost",
        "1.2.3",
        "1.2.3.4:http",
        "[::1",
        "[::1]x",
        "[::1]:",
        "1.2.3.4:1234567",
        "٣.1.1.1",
    ],
)
def test_whatever_is_no_address_is_none(text: str) -> None:
    """Obfuscated names, damaged ports, other digits."""
    assert parse_address(text) is None


@given(st.text(max_size=80), st.text(max_size=80), st.integers(0, 3))
def test_no_header_makes_the_parsing_fail(text: str, other: str, proxies: int) -> None:
    """Any text is an address or none; a page never ends in an error because of it."""
    parse_address(text)
    request = RequestFactory().get("/book/", REMOTE_ADDR=other)
    for header in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"):
        request.META[header] = text
    forwarded_address(request)
    trusted_address(request, proxies)
    has_untrusted_proxy(request, proxies)


def test_the_zone_of_a_link_local_address_is_left_out() -> None:
    """It is this machine's name of an interface."""
    assert parse_address("fe80::1%eth0") == ipaddress.ip_address("fe80::1")


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"X_Forwarded_For": "203.0.113.9"}, "203.0.113.9"),
        ({"X_Forwarded_For": "198.51.100.1, 203.0.113.9:4711"}, "203.0.113.9"),
        ({"X_Forwarded_For": "forged, [2001:db8::7]:443"}, "2001:db8::7"),
        ({"Forwarded": "for=198.51.100.1;proto=http;by=10.0.0.1, For=203.0.113.9;proto=https"}, "203.0.113.9"),
        ({"Forwarded": 'for=_hidden, for="[2001:db8::7]:4711"'}, "2001:db8::7"),
        ({"Forwarded": "proto=https;for=203.0.113.9"}, "203.0.113.9"),
        ({"X_Real_IP": "203.0.113.9"}, "203.0.113.9"),
        ({"X_Forwarded_For": "unknown", "Forwarded": "for=unknown", "X_Real_IP": "203.0.113.9"}, "203.0.113.9"),
        ({"X_Forwarded_For": "203.0.113.9", "X_Real_IP": "198.51.100.1"}, "203.0.113.9"),
        ({"X_Forwarded_For": "203.0.113.9, unknown"}, None),
        ({"Forwarded": "proto=https;before=203.0.113.9"}, None),
        ({}, None),
    ],
)
def test_the_right_most_forwarded_address_is_found(headers: dict[str, str], address: str | None) -> None:
    """The one that the nearest proxy has written."""
    found = forwarded_address(request(**headers))
    assert (str(found) if found else None) == address


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(
    ("peer", "internal"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.1.2.3", True),
        ("172.18.0.3", True),
        ("192.168.1.1", True),
        ("100.64.0.1", True),
        ("fd00::1", True),
        ("fe80::1%eth0", True),
        ("", True),
        ("203.0.113.9", False),
        ("172.32.0.1", False),
        ("2001:db8::1", False),
    ],
)
def test_a_proxy_is_known_by_an_internal_peer_and_a_header(header: str, peer: str, internal: bool) -> None:
    """A header from a public peer is a visitor's own; TRUSTED_PROXIES settles it."""
    forwarded = request(peer, **{header: "203.0.113.77"})
    assert has_untrusted_proxy(forwarded, 0) is internal
    assert not has_untrusted_proxy(forwarded, 1)
    assert not has_untrusted_proxy(request(peer), 0)


@pytest.mark.parametrize(
    ("header", "proxies", "address"),
    [
        ("forged, 203.0.113.9", 1, "203.0.113.9"),
        ("forged, 203.0.113.9:50123", 1, "203.0.113.9"),
        ("203.0.113.9, 10.0.0.7", 2, "203.0.113.9"),
        ("[2001:db8::7]:443", 1, "2001:db8::7"),
        ("203.0.113.9", 2, "10.0.0.1"),
        ("203.0.113.9", 0, "10.0.0.1"),
    ],
)
def test_the_outermost_trusted_proxy_says_the_address(header: str, proxies: int, address: str) -> None:
    """Counted from the right; the peer where the header is too short."""
    assert str(trusted_address(request("10.0.0.1", X_Forwarded_For=header), proxies)) == address
