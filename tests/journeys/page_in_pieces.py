"""HTTP proxy that sends a site's pages in pieces, each when a test says so: a slow line that waits for its reader."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Thread

import httpx

CLOSELY_READ_LINES = 40
LINES_PER_PIECE = 20


def cut_into_pieces(html: str) -> list[str]:
    """Return a page in pieces: its head, the first lines of its body one by one, and the rest in blocks."""
    head, body = html.split("<body", 1)
    lines = f"<body{body}".splitlines(keepends=True)
    rest = lines[CLOSELY_READ_LINES:]
    blocks = ["".join(rest[n : n + LINES_PER_PIECE]) for n in range(0, len(rest), LINES_PER_PIECE)]
    return [head + lines[0], *lines[1:CLOSELY_READ_LINES], *blocks]


class SlowLine:
    """A proxy at `url`: `pieces` are those of the page that was asked for last, `send_next` lets one more through."""

    def __init__(self, behind: str) -> None:
        """Listen on a free port, for the site at the address `behind`."""
        self.pieces: list[str] = []
        self._gate: SimpleQueue[None] = SimpleQueue()
        line = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"  # the body ends where the connection does

            def do_GET(self) -> None:
                passed_on = ("Host", "Origin", "Content-Type")
                headers = {name: self.headers[name] for name in passed_on if name in self.headers}
                answer = httpx.request(
                    self.command,
                    behind + self.path,
                    headers={"Accept-Encoding": "identity", **headers},
                    content=self.rfile.read(int(self.headers["Content-Length"] or 0)),
                    timeout=120,
                )
                # What the page requests beside itself waits for nobody, in HTML too: it would take the pieces that were
                # let through for the page.
                is_page = self.headers["Sec-Fetch-Dest"] == "document"
                # Before the headers: with these, a browser has begun the page, and the test counts its pieces.
                if is_page:
                    line.pieces = cut_into_pieces(answer.text)
                self.send_response(answer.status_code)
                for name in ("content-type", "content-security-policy", "cache-control"):
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.end_headers()
                if not is_page:
                    self.wfile.write(answer.content)
                    return
                for piece in line.pieces:
                    line._gate.get()
                    self.wfile.write(piece.encode())
                    self.wfile.flush()

            do_POST = do_GET  # noqa: N815 (as http.server spells it)

            def log_message(self, *_: object) -> None:
                """Keep the output of the tests clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def send_next(self) -> None:
        """Let one more piece through."""
        self._gate.put(None)


@contextmanager
def slow_line(behind: str) -> Iterator[SlowLine]:
    """Serve a site through a slow line while inside."""
    line = SlowLine(behind)
    serving = Thread(target=line.server.serve_forever, daemon=True)
    serving.start()
    try:
        yield line
    finally:
        line.server.shutdown()
        serving.join()
        line.server.server_close()
