"""The built-in server: real HTTP/1.1 on loopback."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from kordless_booking.sandbox import SANDBOX_KEY
from tests.support.sandbox_api import PATIENCE_SECONDS, Api

PATIENTLY: dict[str, Any] = {"headers": {"x-kordless-key": SANDBOX_KEY}, "timeout": PATIENCE_SECONDS}


def raw(base: str, text: str) -> bytes:
    url = urlsplit(base)
    with socket.create_connection((url.hostname, url.port), timeout=PATIENCE_SECONDS) as line:
        line.sendall(text.encode())
        found = b""
        while chunk := line.recv(4096):
            found += chunk
    return found


def test_connections_stay_open_between_requests(api: Api) -> None:
    """Several requests go over one connection, errors and empty bodies among them."""
    url_paths = ("/org/acme-salon", "/nothing", "/org/acme-salon/service/haircut")
    with api.sandbox.serve() as base, httpx.Client(**PATIENTLY) as http:
        answers = [http.get(base + path) for path in url_paths]
        streams = {answer.extensions["network_stream"] for answer in answers}
        api.sandbox.faults.add("empty", times=1, status=204)
        assert http.get(base + "/org/acme-salon").status_code == 204
        assert http.get(base + "/org/acme-salon").status_code == 200
    assert [answer.status_code for answer in answers] == [200, 404, 200]
    assert len(streams) == 1
    assert answers[0].http_version == "HTTP/1.1"
    assert "Date" in answers[0].headers


def test_the_whole_way_over_http(api: Api) -> None:
    """Book, look up, cancel."""
    body = api.body()
    with api.sandbox.serve() as base, httpx.Client(base_url=base, **PATIENTLY) as http:
        number = http.post("/bookings", json=body).json()["booking"]["confirmation_number"]
        at = f"/bookings/confirmation/{number}"
        assert http.get(at, params={"contact": "+12125550123"}).status_code == 200
        assert (
            http.post(at + "/cancel", params={"contact": "jane@example.com"}).json()["booking"]["status"] == "canceled"
        )


@pytest.mark.long
def test_many_at_once(api: Api) -> None:
    """Forty clients at the same time all get their answer."""
    with api.sandbox.serve() as base, ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: httpx.get(f"{base}/org/acme-salon", **PATIENTLY).status_code, range(40)))
    assert found == [200] * 40


def test_odd_requests_are_rejected_and_closed(api: Api) -> None:
    """No length, a wrong one, chunks or too long a body: an answer, no crash, no confusion with the next request."""
    with api.sandbox.serve() as base:
        path = urlsplit(base).path
        head = f"POST {path}/bookings HTTP/1.1\r\nHost: x\r\nx-kordless-key: {SANDBOX_KEY}\r\n"
        assert b" 411 " in raw(base, head + "Content-Length: nine\r\n\r\n")
        assert b" 411 " in raw(base, head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        assert b" 413 " in raw(base, head + "Content-Type: application/json\r\nContent-Length: 999999\r\n\r\n")
        head = f"HEAD {path}/org/acme-salon HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert raw(base, head).endswith(b"\r\n\r\n")


def test_nothing_is_printed_by_default(api: Api, capsys: object) -> None:
    """Paths hold numbers and contacts: they aren't logged."""
    with api.sandbox.serve() as base:
        httpx.get(
            f"{base}/bookings/confirmation/BOOK_X", params={"contact": "jane@example.com"}, timeout=PATIENCE_SECONDS
        )
    captured = capsys.readouterr()  # type: ignore[attr-defined]
    assert (captured.out, captured.err) == ("", "")
