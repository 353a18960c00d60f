"""The benchmark's visitors do what a browser does with a page that asks for patience."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import ClassVar

import pytest

from benchmarks.crowds import Came, address_of, come, come_and_wait

TIMES = '<main data-kb-step="slot">times</main>'
WAITING = '<noscript><meta http-equiv="refresh" content="{}"></noscript><main data-kb-step="problem">busy</main>'


class _Handler(BaseHTTPRequestHandler):
    """A site that shows times to an address at its third request, and to nobody at /never/."""

    seen: ClassVar[dict[str, int]] = {}
    lock: ClassVar[Lock] = Lock()

    def do_GET(self) -> None:
        address = self.headers["X-Forwarded-For"]
        with self.lock:
            number = self.seen[address] = self.seen.get(address, 0) + 1
        shown = number >= 3 and self.path != "/never/"
        refresh = "0; url=/again/?x=1&amp;y=2" if number == 2 else "0"
        body = (TIMES if shown else "sorry" if self.path == "/never/" else WAITING.format(refresh)).encode()
        self.send_response(200 if shown else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """Serve such a site on a free port; its URL."""
    _Handler.seen.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_visitor_reloads_until_times_are_shown(server: str):
    """Each is served at the third page, and one whose page says nothing of a reload is turned away at the first."""
    served, turned_away = come_and_wait(server, [(0.0, "/service/"), (0.01, "/never/")])
    assert (served.served, served.pages, served.status) == (True, 3, 200)
    assert (turned_away.served, turned_away.pages, turned_away.status) == (False, 1, 503)


def test_each_visitor_of_a_crowd_has_an_address_of_its_own(server: str):
    """No limit for one address is met by a crowd of many."""
    come(server, lambda _number: "/", visitors=20, within=0)
    assert set(_Handler.seen) == {address_of(number) for number in range(20)}
    assert len({address_of(number) for number in range(-100, 5000)}) == 5100


@pytest.mark.parametrize(
    ("text", "reload"),
    [
        ('<meta http-equiv="refresh" content="17">', (17, "")),
        ('<meta http-equiv="refresh" content="5; url=/a/?b=1&amp;c=2">', (5, "/a/?b=1&c=2")),
        ('<meta http-equiv="refresh" content="5;url=/a/">', (5, "/a/")),
        ("<p>Please try again in 5 seconds.</p>", None),
    ],
)
def test_the_reload_of_a_page_is_read_as_a_browser_reads_it(text: str, reload: tuple[int, str] | None):
    """Seconds, and the address where it is another one."""
    assert Came(503, 0.1, text).reload == reload
