"""Faults of the connection over real sockets: delay, drip, reset."""

from __future__ import annotations

import queue
import threading

import httpx
import pytest

from kordless_booking.sandbox import SANDBOX_KEY, Limits, Sandbox
from tests.support.sandbox_api import NOW, PATIENCE_SECONDS, Api

KEY = {"x-kordless-key": SANDBOX_KEY}


def test_reset_mid_body_after_carrying_out(api: Api) -> None:
    """The client reads a few bytes and then a reset; the booking is made."""
    body = api.body()
    api.sandbox.faults.add("reset", times=1, after_bytes=5)
    with api.sandbox.serve() as base, pytest.raises(httpx.TransportError):
        httpx.post(f"{base}/bookings", json=body, headers=KEY, timeout=PATIENCE_SECONDS)
    assert len(api.sandbox.bookings()) == 1


def test_reset_without_a_byte(api: Api) -> None:
    """Not even a status line comes."""
    api.sandbox.faults.add("reset", times=1, after_bytes=0)
    with api.sandbox.serve() as base, pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        httpx.get(f"{base}/org/acme-salon", headers=KEY, timeout=PATIENCE_SECONDS)


def test_hang_says_nothing() -> None:
    """The client's own time limit ends it; then the line is cut."""
    let_go = threading.Event()
    sandbox = Sandbox(now=NOW, limits=Limits.off(), sleep=lambda _: let_go.wait(30) and None)
    sandbox.faults.add("hang", times=1)
    with sandbox.serve() as base:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{base}/org/acme-salon", headers=KEY, timeout=httpx.Timeout(30, read=0.2))
        let_go.set()
        assert httpx.get(f"{base}/org/acme-salon", headers=KEY, timeout=PATIENCE_SECONDS).status_code == 200


def test_drip_outlasts_a_read_timeout() -> None:
    """The body comes in small pieces, with a wait after each that no read time limit notices."""
    waited: queue.Queue[float] = queue.Queue()
    sandbox = Sandbox(now=NOW, limits=Limits.off(), sleep=waited.put)
    sandbox.faults.add("drip", times=1, seconds=0.02, size=100)
    with sandbox.serve() as base:
        answer = httpx.get(f"{base}/org/acme-salon", headers=KEY, timeout=PATIENCE_SECONDS)
    assert answer.json()["organization"]["name"] == "Acme Salon"
    pieces = len(answer.content) // 100 + 1
    # The client has all of it before the last wait begins.
    assert [waited.get(timeout=30) for _ in range(pieces)] == [0.02] * pieces
    assert waited.empty()


def test_reset_deep_inside_a_stream(api: Api) -> None:
    """A huge body may break off after many chunks."""
    api.sandbox.faults.add("huge", times=1, megabytes=2)
    api.sandbox.faults.add("reset", times=1, after_bytes=1_000_000)
    found: list[bytes] = []
    with (
        api.sandbox.serve() as base,
        httpx.stream("GET", f"{base}/org/acme-salon", headers=KEY, timeout=PATIENCE_SECONDS) as answer,
    ):
        pieces = answer.iter_raw()
        with pytest.raises(httpx.TransportError):
            found.extend(pieces)
    assert 0 < sum(map(len, found)) <= 1_000_000
