"""A shortage of this process's own connections, threads or time says nothing about Kordless and costs nothing there."""

from __future__ import annotations

import errno
import json
import socket
import threading
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

import httpx
import pytest

from kordless_booking.api.client import Kordless
from kordless_booking.api.network import Resolver
from kordless_booking.api.session import MAX_CONNECTIONS
from kordless_booking.clock import Clock
from kordless_booking.exceptions import NotSent, Unreachable
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.gate import UpstreamGate
from kordless_booking.upstream.rate_limiter import Quota
from tests.support.api_clients import CALLS, DOCUMENTS, KEY, caused_by, client
from tests.support.loopback_server import Line, answer, serving

READERS = MAX_CONNECTIONS + 12


def own_gate(quota: Quota | None = None) -> UpstreamGate:
    """Return a gate of one process."""
    return UpstreamGate(FallbackCache(None, Clock()), account="key", quota=quota)


def operation_of(head: bytes) -> str:
    """Return the operation of a request."""
    method, path = head.split(b" ", 2)[:2]
    if b"/availability" in path:
        return "availability"
    return "create" if method == b"POST" else "lookup" if b"/confirmation/" in path else "organization"


@pytest.mark.long
def test_slow_availability_takes_no_connection_from_booking_and_opens_no_circuit() -> None:
    """More threads wait for times than there are connections: twelve find none, and others book at once."""
    over = threading.Event()

    def script(line: Line) -> None:
        while head := line.request():
            operation = operation_of(head)
            if operation == "availability":
                over.wait(30)
                return
            line.send(answer(json.dumps(DOCUMENTS[operation]).encode()))

    gate = own_gate(Quota(requests=600))
    with serving(script) as server, ThreadPoolExecutor(READERS) as threads:
        kordless = Kordless(
            api_key=KEY, org_slug="acme-salon", base_url=server.url, gate=gate, browse_seconds=25, booking_seconds=25
        )
        reads: list[Future[object]] = [threads.submit(CALLS["availability"], kordless) for _ in range(READERS)]
        refused = []
        for ended in as_completed(reads):
            refused.append(ended.exception())
            if len(refused) == READERS - MAX_CONNECTIONS:
                break
        assert [getattr(error, "reason", None) for error in refused] == ["pool_timeout"] * len(refused)
        state = gate.state()
        assert [(circuit.state, circuit.failures) for circuit in state.circuits] == [("closed", 0)] * 3
        assert state.usage.requests == MAX_CONNECTIONS
        for operation in ("create", "lookup"):
            CALLS[operation](kordless)
        over.set()
        kordless.close()


@pytest.mark.long
def test_no_reader_within_the_quota_is_refused_a_connection_while_kordless_is_slow() -> None:
    """As many as the quota of a minute lets read wait at one moment, and each has its answer when that comes."""
    quota = Quota()
    readers = quota.requests - quota.creations
    over = threading.Event()

    def script(line: Line) -> None:
        while line.request():
            over.wait(30)
            line.send(answer(json.dumps(DOCUMENTS["availability"]).encode()))

    with serving(script) as server, ThreadPoolExecutor(readers) as threads:
        kordless = Kordless(
            api_key=KEY, org_slug="acme-salon", base_url=server.url, gate=own_gate(quota), browse_seconds=25
        )
        reads = [threads.submit(CALLS["availability"], kordless) for _ in range(readers)]
        while len(server.lines) < readers and not any(read.done() for read in reads):
            threading.Event().wait(0.01)
        over.set()
        assert [read.exception() for read in reads] == [None] * readers
        kordless.close()


SHORTAGES = {
    "no place in the pool": httpx.PoolTimeout("secret detail"),
    "no file descriptor": caused_by(httpx.ConnectError, OSError(errno.EMFILE, "too many open files")),
    "no local port": caused_by(httpx.ConnectError, OSError(errno.EADDRNOTAVAIL, "cannot assign")),
}


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("shortage", SHORTAGES.values(), ids=SHORTAGES)
def test_what_was_never_sent_is_neither_judged_nor_charged(operation: str, shortage: Exception) -> None:
    """More often than opens a circuit, and more often than a quota allows: the next call still goes."""
    gate, failing = own_gate(), [True]

    def handle(request: httpx.Request) -> httpx.Response:
        if failing[0]:
            raise shortage
        return httpx.Response(200, json=DOCUMENTS[operation])

    kordless = client(handle, gate=gate)
    for _ in range(70):
        with pytest.raises(Unreachable):
            CALLS[operation](kordless)
    state = gate.state()
    assert (state.usage.requests, state.usage.creations, state.contact_usage.requests) == (0, 0, 0)
    failing[0] = False
    CALLS[operation](kordless)
    assert not gate.open_circuits()


def test_a_call_without_time_left_after_the_gate_is_not_sent_and_not_charged() -> None:
    """The cache behind the gate was slow: the deadline has passed before the request could be sent."""

    class SlowGate(UpstreamGate):
        def before(self, operation: str) -> None:
            super().before(operation)
            threading.Event().wait(0.2)

    gate = SlowGate(FallbackCache(None, Clock()), account="key")
    sent: list[httpx.Request] = []
    kordless = client(lambda request: sent.append(request) or httpx.Response(200), gate=gate, browse_seconds=0.1)
    with pytest.raises(Unreachable) as caught:
        kordless.organization()
    assert (caught.value.reason, sent, gate.state().usage.requests) == ("deadline", [], 0)
    assert gate.state().circuits[0].failures == 0


def test_a_dead_kordless_is_still_judged() -> None:
    """No connection because nobody listens there is about Kordless: the circuit opens as ever."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise caused_by(httpx.ConnectError, ConnectionRefusedError(errno.ECONNREFUSED, "refused"))

    gate = own_gate()
    for _ in range(3):
        with pytest.raises(NotSent):  # the last retry finds the circuit open
            client(refuse, gate=gate).organization()
    assert list(gate.open_circuits()) == ["browse"]


def test_a_name_lookup_without_a_thread_fails_at_once_and_the_next_one_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a lookup that no thread does, neither now nor later."""
    resolver = Resolver()
    monkeypatch.setattr(resolver, "getaddrinfo", lambda host, port: ["192.0.2.1"])

    def refuse_to_start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse_to_start)
        with pytest.raises(OSError, match="no thread for the name lookup") as caught:
            resolver.addresses("kordless.example", 443, 5)
    assert caught.value.errno == errno.EAGAIN
    assert not isinstance(caught.value, socket.gaierror)
    assert resolver.addresses("kordless.example", 443, 5) == ["192.0.2.1"]
