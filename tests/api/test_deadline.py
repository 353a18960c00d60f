"""Deadlines over real sockets: every call ends in time, and every network failure has its own reason."""

import gzip
import json
import math
import multiprocessing
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpcore
import pytest

from kordless_booking.api.client import Kordless
from kordless_booking.api.deadline import deadline, seconds_left, with_same_deadline
from kordless_booking.api.network import DeadlineBackend, Resolver
from kordless_booking.api.session import MAX_CONNECTIONS, DeadlineTransport
from kordless_booking.exceptions import KordlessError, OutcomeUnknown, SlotTaken, TooMany, Unreachable
from tests.support.api_clients import DOCUMENTS, KEY, NEW, NUMBER, RecordingGate
from tests.support.loopback_server import Line, Script, answer, certificate, serving
from tests.support.matrix import thinned
from tests.support.reserved_port import reserved_port

BODY = json.dumps(DOCUMENTS["organization"]).encode()
PLENTY = 20.0
"""Seconds for a call that is not about time, so that a busy machine is not taken for a slow server."""
BUDGET = 0.8
"""Seconds for one that is: enough to connect on a busy machine."""
GRACE = 5.0
"""Seconds after which a call that was to end is late, while the servers here would dawdle for at least ten."""


Door = Callable[..., Kordless]


@pytest.fixture
def door() -> Iterator[Door]:
    """Makes clients over real sockets, and closes them."""
    made: list[Kordless] = []

    def make(url: str, **options: Any) -> Kordless:
        settings: dict[str, Any] = {"api_key": KEY, "org_slug": "acme-salon", "browse_seconds": PLENTY}
        made.append(Kordless(**settings | options, base_url=url))
        return made[-1]

    yield make
    for client in made:
        client.close()


def silent(line: Line) -> None:
    """Accepts, reads, says nothing."""
    line.request()
    line.hold()


def deaf(line: Line) -> None:
    """Accepts and does not even read."""
    line.hold()


def slow_head(line: Line) -> None:
    """Drips its headers."""
    line.request()
    line.drip(answer(BODY))


def slow_body(line: Line) -> None:
    """Headers at once, the body byte by byte."""
    line.request()
    line.send(answer(b"", b"Content-Length: %d" % len(BODY)))
    line.drip(BODY)


def endless_chunks(line: Line) -> None:
    """A chunked body of blanks that never ends."""
    line.request()
    line.send(answer(b"", b"Transfer-Encoding: chunked"))
    line.drip(b"1\r\n \r\n" * 10_000, every=0.02)


def endless_hints(line: Line) -> None:
    """One informational answer after the other, never a real one."""
    line.request()
    line.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000, every=0.005)


def slow_gzip(line: Line) -> None:
    """A compressed body byte by byte."""
    line.request()
    packed = gzip.compress(BODY)
    line.send(answer(b"", b"Content-Encoding: gzip", b"Content-Length: %d" % len(packed)))
    line.drip(packed)


@pytest.mark.long
@pytest.mark.parametrize("script", [silent, deaf, slow_head, slow_body, endless_chunks, endless_hints, slow_gzip])
@pytest.mark.parametrize("operation", thinned(["create", "organization"]))
def test_everything_ends_in_time(door: Door, script: Script, operation: str) -> None:
    """However a server dawdles, the call ends at its deadline, as an unknown outcome, after one try."""
    watch = RecordingGate()
    with serving(script) as server:
        client = door(server.url, gate=watch, browse_seconds=BUDGET, booking_seconds=BUDGET)
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown) as caught:
            client.organization() if operation == "organization" else client.create(NEW, idempotency_key="k")
        took = time.monotonic() - began
        client.close()
    assert BUDGET - 0.1 <= took <= BUDGET + GRACE
    assert caught.value.reason in {"read_timeout", "deadline"}
    assert (len(server.lines), watch.finished) == (1, [(operation, None)])


def test_a_caller_may_choose_another_deadline(door: Door) -> None:
    """`seconds` of a call counts instead of the client's."""
    with serving(silent) as server:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            door(server.url, browse_seconds=20).organization(seconds=0.3)
        assert time.monotonic() - began < 10


def test_no_time_means_no_try(door: Door) -> None:
    """With nothing left, nothing is sent and the gate isn't asked."""
    watch = RecordingGate()
    with serving(silent) as server, pytest.raises(Unreachable) as caught:
        door(server.url, gate=watch).organization(seconds=0)
    assert caught.value.reason == "deadline"
    assert (server.lines, watch.started) == ([], [])


@pytest.mark.parametrize(("status", "expected"), [(b"409 Conflict", SlotTaken), (b"429 Too Many Requests", TooMany)])
def test_a_no_counts_before_its_body_has_come(door: Door, status: bytes, expected: type[KordlessError]) -> None:
    """The status of a refusal decides even when its body drips or breaks off."""

    def script(line: Line) -> None:
        line.request()
        line.send(answer(b'{"detail"', b"Content-Length: 500", status=status))
        line.reset()

    with serving(script) as server, pytest.raises(expected):
        door(server.url).create(NEW, idempotency_key="k")


def cut_before_headers(line: Line) -> None:
    """Reads and hangs up."""
    line.request()


def reset_before_headers(line: Line) -> None:
    """Reads and resets."""
    line.request()
    line.reset()


def reset_in_body(line: Line) -> None:
    """Half a body, then a reset."""
    line.request()
    line.send(answer(BODY[:50], b"Content-Length: %d" % len(BODY)))
    line.reset()


def end_in_body(line: Line) -> None:
    """Half a body, then an orderly end."""
    line.request()
    line.send(answer(BODY[:50], b"Content-Length: %d" % len(BODY)))


def no_http(line: Line) -> None:
    """Speaks another protocol."""
    line.request()
    line.send(b"220 mail.example ESMTP\r\n" * 3)


@pytest.mark.parametrize("script", [cut_before_headers, reset_before_headers, reset_in_body, end_in_body, no_http])
def test_a_cut_is_an_unknown_outcome(door: Door, script: Script) -> None:
    """A read is tried twice, a create once, and both end as OutcomeUnknown with the gate recording no response."""
    watch = RecordingGate()
    with serving(script) as server:
        with pytest.raises(OutcomeUnknown) as caught:
            door(server.url, gate=watch).organization(seconds=PLENTY)
        assert caught.value.reason in {"cut", "protocol_error"}
        assert (len(server.lines), watch.finished) == (2, [("organization", None)] * 2)
        with pytest.raises(OutcomeUnknown):
            door(server.url).create(NEW, idempotency_key="k")
        assert len(server.lines) == 3


def test_a_cut_once_is_healed_for_a_read(door: Door) -> None:
    """The second try answers."""
    first = threading.Event()

    def script(line: Line) -> None:
        line.request()
        if first.is_set():
            line.send(answer(BODY))
        first.set()

    with serving(script) as server:
        assert door(server.url).organization(seconds=PLENTY).organization.slug == "acme-salon"


def test_a_rejected_connection_is_unreachable(door: Door) -> None:
    """Nobody listens: Unreachable, at once, after two tries."""
    watch = RecordingGate()
    began = time.monotonic()
    with reserved_port() as port, pytest.raises(Unreachable) as caught:
        door(f"http://127.0.0.1:{port}/v1", gate=watch).organization(seconds=PLENTY)
    assert caught.value.reason == "refused"
    assert watch.finished == [("organization", None)] * 2
    assert time.monotonic() - began < PLENTY / 2


@pytest.mark.long
def test_a_full_pool_is_unreachable(door: Door) -> None:
    """When every connection is taken, the next call waits half a second at most and was not sent."""
    over = threading.Event()

    def script(line: Line) -> None:
        line.request()
        over.wait(30)

    with serving(script) as server, ThreadPoolExecutor(MAX_CONNECTIONS) as pool:
        client = door(server.url)
        busy = [pool.submit(client.organization, seconds=25) for _ in range(MAX_CONNECTIONS)]
        while len(server.lines) < MAX_CONNECTIONS:
            threading.Event().wait(0.01)
        with pytest.raises(Unreachable) as caught:
            client.organization(seconds=PLENTY)
        assert caught.value.reason == "pool_timeout"
        over.set()  # now every line is cut, the one of the second try too
        for call in busy:
            assert isinstance(call.exception(), OutcomeUnknown)


def test_one_connection_serves_many_calls(door: Door) -> None:
    """Calls after one another share a connection, until it is closed."""

    def script(line: Line) -> None:
        while line.request():
            line.send(answer(BODY))

    with serving(script) as server:
        client = door(server.url)
        for _ in range(3):
            client.organization()
        assert len(server.lines) == 1
        client.close()
        client.organization()
        assert len(server.lines) == 2
        client.close()


def test_a_compressed_answer_is_read(door: Door) -> None:
    """gzip is asked for and understood."""

    def script(line: Line) -> None:
        assert b"accept-encoding: gzip" in line.request().lower()
        line.send(answer(gzip.compress(BODY), b"Content-Encoding: gzip"))

    with serving(script) as server:
        assert door(server.url).organization().organization.slug == "acme-salon"


def test_a_huge_answer_is_cut_off(door: Door) -> None:
    """200 MB are not read to their end."""
    sent = 0

    def script(line: Line) -> None:
        nonlocal sent
        line.request()
        line.send(answer(b"", b"Content-Length: 200000000"))
        while sent < 200_000_000:
            line.send(b" " * 1_000_000)
            sent += 1_000_000

    with serving(script) as server, pytest.raises(OutcomeUnknown) as caught:
        door(server.url).organization(seconds=PLENTY)
    assert caught.value.reason == "too_large"
    assert sent < 50_000_000


def test_the_plus_of_a_phone_travels_encoded(door: Door) -> None:
    """On the wire itself it is %2B, and no key is there."""
    heads: list[bytes] = []

    def script(line: Line) -> None:
        heads.append(line.request())
        line.send(answer(json.dumps(DOCUMENTS["lookup"]).encode()))

    with serving(script) as server:
        door(server.url).lookup(NUMBER, "+12125550123")
    assert heads[0].startswith(b"GET /v1/bookings/confirmation/BOOK_AB12?contact=%2B12125550123 HTTP/1.1\r\n")
    assert b"kordless-key" not in heads[0].lower()


def https(script: Script, folder: Path, check: Callable[[str, ssl.SSLContext], None], **options: Any) -> None:
    """Runs `check` with the address of a TLS server and a context that trusts its certificate."""
    server_context, client_context = certificate(folder, **options)
    with serving(script, server_context) as server:
        check(server.url, client_context)


def friendly(line: Line) -> None:
    """Answers properly."""
    line.request()
    line.send(answer(BODY))


def test_tls_works_when_trusted(door: Door, tmp_path: Path) -> None:
    """With the right authority the call goes through."""

    def check(url: str, trust: ssl.SSLContext) -> None:
        client = door(url, transport=DeadlineTransport(trust))
        assert client.organization(seconds=PLENTY).organization.slug == "acme-salon"

    https(friendly, tmp_path, check)


@pytest.mark.parametrize(
    ("options", "trusted", "words"),
    [
        ({}, False, "self-signed certificate"),
        ({"days": -1}, True, "certificate has expired"),
        ({"host": "elsewhere.example"}, True, "not valid for '127.0.0.1'"),
    ],
)
def test_tls_is_always_verified(door: Door, tmp_path: Path, options: Any, words: str, *, trusted: bool) -> None:
    """Unknown, expired and foreign certificates are Unreachable, after one try, with the verdict as message."""
    watch = RecordingGate()

    def check(url: str, trust: ssl.SSLContext) -> None:
        transport = DeadlineTransport(trust) if trusted else None
        with pytest.raises(Unreachable, match="TLS") as caught:
            door(url, transport=transport, gate=watch).organization(seconds=PLENTY)
        assert caught.value.reason == "tls"
        assert words in str(caught.value)

    https(friendly, tmp_path, check, **options)
    assert watch.finished == [("organization", None)]


def test_clear_text_where_tls_should_be_is_unreachable(door: Door) -> None:
    """A server that doesn't speak TLS gets nothing."""

    def script(line: Line) -> None:
        line.socket.recv(1)
        line.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with serving(script) as server, pytest.raises(Unreachable) as caught:
        door(server.url.replace("http:", "https:")).organization(seconds=PLENTY)
    assert caught.value.reason == "tls"


def test_a_silent_handshake_ends(door: Door) -> None:
    """TLS that never begins is a connect time-out within the deadline."""
    with serving(deaf) as server:
        began = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            door(server.url.replace("http:", "https:"), browse_seconds=BUDGET).organization()
        assert time.monotonic() - began <= BUDGET + GRACE
    assert caught.value.reason == "connect_timeout"


def test_slow_tls_ends_in_time(door: Door, tmp_path: Path) -> None:
    """A dripping body under TLS ends at the deadline too."""

    def check(url: str, trust: ssl.SSLContext) -> None:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            door(url, transport=DeadlineTransport(trust), browse_seconds=BUDGET).organization()
        assert time.monotonic() - began <= BUDGET + GRACE

    https(slow_body, tmp_path, check)


def child(client: Kordless, results: Any) -> None:
    """Run a forked worker."""
    offer = client.organization(seconds=PLENTY)
    results.put((os.getpid(), offer.organization.slug))


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_fork_shares_no_connection(door: Door) -> None:
    """Parent and child use the same client, each over its own connection."""

    def script(line: Line) -> None:
        while line.request():
            line.send(answer(BODY))

    fork = multiprocessing.get_context("fork")
    with serving(script) as server:
        client = door(server.url)
        client.organization()
        results = fork.SimpleQueue()
        worker = fork.Process(target=child, args=(client, results))
        worker.start()
        assert results.get() == (worker.pid, "acme-salon")
        worker.join(10)
        client.organization()
        client.close()
        assert len(server.lines) == 2


def test_many_threads_share_a_client(door: Door) -> None:
    """Forty calls in eight threads all get their answer, over few connections."""

    def script(line: Line) -> None:
        while line.request():
            line.send(answer(BODY))

    with serving(script) as server, ThreadPoolExecutor(8) as pool:
        client = door(server.url)
        offers = list(pool.map(lambda _: client.organization(seconds=PLENTY), range(40)))
        client.close()
    assert len({id(offer) for offer in offers}) == 40
    assert len(server.lines) <= 10


def test_nested_deadlines_only_shorten() -> None:
    """An inner deadline never gives more time than the outer one."""
    assert seconds_left() == math.inf
    with deadline(500):
        with deadline(5000):
            assert 400 < seconds_left() <= 500
        with deadline(100):
            assert seconds_left() <= 100
        assert 400 < seconds_left() <= 500
    assert seconds_left() == math.inf


class Stuck(Resolver):
    """A name service that takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.lookups = 0
        self.has_begun = threading.Event()
        self.go = threading.Event()

    def getaddrinfo(self, host: str, port: int) -> list[str]:
        self.lookups += 1
        self.has_begun.set()
        self.go.wait(10)
        return super().getaddrinfo("localhost", port)


def test_a_stuck_name_service_holds_nobody() -> None:
    """The lookup ends with the time-out, and however many ask for a name, it is asked for once."""
    resolver = Stuck()
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            resolver.addresses("api.kordless.example", 443, 0.05)
    assert time.monotonic() - began < 5
    assert resolver.has_begun.wait(5)  # its thread may be slower than the three time-outs
    assert resolver.lookups == 1
    resolver.go.set()
    assert "127.0.0.1" in resolver.addresses("api.kordless.example", 443, 5)


def test_addresses_need_no_name_service() -> None:
    """An address is its own answer."""
    resolver = Stuck()
    assert resolver.addresses("127.0.0.1", 80, 0) == ["127.0.0.1"]
    assert resolver.addresses("[::1]", 80, 0) == ["::1"]
    assert resolver.lookups == 0


@pytest.mark.parametrize("host", ["nobody.invalid", "a" * 300 + ".invalid"])
def test_an_unknown_name_is_a_connect_error(host: str) -> None:
    """A name that doesn't exist, or can't, fails as a connection."""
    with pytest.raises((httpcore.ConnectError, httpcore.ConnectTimeout)):
        DeadlineBackend().connect_tcp(host, 80, timeout=3)


class Several(Resolver):
    """Names with a dead address first."""

    def getaddrinfo(self, host: str, port: int) -> list[str]:
        return ["::1", "127.0.0.1"]


def test_a_dead_address_does_not_hide_a_live_one() -> None:
    """The next address of a name is tried."""
    with serving(friendly) as server:
        stream = DeadlineBackend(Several()).connect_tcp("api.kordless.example", server.port, timeout=PLENTY)
        stream.close()
    with reserved_port() as port, pytest.raises(httpcore.ConnectError):
        DeadlineBackend(Several()).connect_tcp("api.kordless.example", port, timeout=PLENTY)


def test_a_stuck_name_service_is_a_connect_timeout() -> None:
    """Waiting for a name counts as connecting."""
    resolver = Stuck()
    with pytest.raises(httpcore.ConnectTimeout):
        DeadlineBackend(resolver).connect_tcp("api.kordless.example", 80, timeout=0.05)
    resolver.go.set()


def test_past_its_deadline_a_connection_is_not_even_read() -> None:
    """Between two reads the deadline is looked at before the socket."""
    with serving(friendly) as server:
        stream = DeadlineBackend().connect_tcp("127.0.0.1", server.port, timeout=PLENTY)
        with deadline(-1):
            with pytest.raises(httpcore.ReadTimeout):
                stream.read(1)
            with pytest.raises(httpcore.WriteTimeout):
                stream.write(b"x")
        stream.close()


def test_another_thread_may_be_bound_to_the_same_deadline() -> None:
    """By itself it knows of none; afterwards it is free again."""
    with ThreadPoolExecutor(1) as pool:
        with deadline(500):
            bound = with_same_deadline(seconds_left)
        assert math.isinf(pool.submit(seconds_left).result())
        assert 0 < pool.submit(bound).result() <= 500
        assert math.isinf(pool.submit(seconds_left).result())
