"""Webhook receiver over real HTTP that records deliveries and responds with given statuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Receiver:
    """Record of received deliveries, and the statuses to respond with."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    """(headers, body) of each delivery."""
    answers: list[int] = field(default_factory=list)
    """Statuses of the next responses; 200 after these."""
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released once for each delivery, so a test can wait for one."""

    @property
    def ids(self) -> list[str]:
        """Ids of the deliveries, in the order of arrival."""
        return [headers["X-Kordless-Webhook-Id"] for headers, _ in self.got]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen on a free port while the context lasts."""
    receiver = Receiver()

    class Exchange(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((dict(self.headers), body))
            status = receiver.answers.pop(0) if receiver.answers else 200
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            receiver.arrived.release()

        def log_message(self, *_args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Exchange) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook/?from=sandbox"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield receiver
        finally:
            server.shutdown()
