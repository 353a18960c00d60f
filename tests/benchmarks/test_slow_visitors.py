"""The benchmark's slow visitors are bounded, and those who aren't slow are measured beside them."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from threading import Thread

import pytest

from benchmarks import slow_visitors
from benchmarks.running import SERVERS
from benchmarks.slow_visitors import LOADS, SETUPS, SlowVisitor, measure_others, send_slowly

PAGE = b'<main data-kb-step="slot">times</main>' + b"." * 20_000


class _Handler(BaseHTTPRequestHandler):
    """A site that shows times at once, as soon as it has read the request."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def parse_request(self) -> bool:
        """Answer as a server of today, which ends the first line so."""
        self.protocol_version = "HTTP/1.1"
        return super().parse_request()

    def handle(self) -> None:
        """Serve one request; whoever has gone away by then is no error."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def finish(self) -> None:
        """As above."""
        try:
            super().finish()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *_args: object) -> None:
        """Print nothing."""


def serve(server: HTTPServer) -> Iterator[str]:
    """Serve on a free port; yield the URL."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def threads() -> Iterator[str]:
    """Serve each visitor in a thread of their own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        yield from serve(server)


@pytest.fixture
def one_thread() -> Iterator[str]:
    """Serve one visitor after the other."""
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        yield from serve(server)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure for a moment, with patience enough for a busy machine."""
    monkeypatch.setattr(slow_visitors, "SECONDS", 0.5)
    monkeypatch.setattr(slow_visitors, "DRIP_SECONDS", 0.1)
    monkeypatch.setattr(slow_visitors, "PROMPT_SECONDS", 60.0)
    monkeypatch.setattr(slow_visitors, "PATIENCE_SECONDS", 60.0)


@pytest.mark.parametrize("load", LOADS.values(), ids=[load.__name__ if load else "nothing" for load in LOADS.values()])
def test_all_others_have_their_page_where_slow_visitors_hold_nothing(threads: str, load: SlowVisitor | None):
    """A thread for each visitor is what no load can take away, and the slow ones end with the measurement."""
    others = measure_others(threads, load, visitors=5)
    assert others.prompt == 1
    assert 0 < others.median <= others.p95 < slow_visitors.PATIENCE_SECONDS


def test_others_wait_behind_slow_senders_where_one_thread_serves_all(one_thread: str, monkeypatch: pytest.MonkeyPatch):
    """Nobody is served in the time that the first slow sender takes, and whoever isn't counts as not served."""
    monkeypatch.setattr(slow_visitors, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(slow_visitors, "SECONDS", 1.0)
    others = measure_others(one_thread, send_slowly, visitors=20)
    assert others.median == slow_visitors.PATIENCE_SECONDS
    assert "p50 never" in str(others)


def test_every_setup_of_the_slow_visitors_names_a_server():
    """A title of its own each, and a server that the benchmark can start."""
    assert {setup.server for setup in SETUPS} <= SERVERS.keys()
    assert len({setup.title for setup in SETUPS}) == len(SETUPS)
