"""Threaded HTTP/1.1 server for the sandbox, with keep-alive and connections that faults can really cut.

wsgiref's own server closes each connection after one request, and can't send a TCP reset.
"""

from __future__ import annotations

import io
import re
import socket
import struct
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from .request import MAX_BODY_BYTES, PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIApplication


class SandboxServer(ThreadingMixIn, WSGIServer):
    """HTTP server with one thread per connection. `quiet=False` prints a line per request: operation, status, ms."""

    daemon_threads = True  # a fault that hangs must not keep the process from exiting
    request_queue_size = 256
    """Pending connections. The standard library's 5 would refuse a burst of visitors."""

    def __init__(self, app: WSGIApplication, host: str, port: int, *, quiet: bool = True) -> None:
        self.quiet = quiet
        super().__init__((host, port), _RequestHandler)
        self.wsgi_app = app

    def server_bind(self) -> None:
        """Bind without the reverse name lookup of the standard library, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore connections that the client closed; print other errors."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _RequestHandler(WSGIRequestHandler):
    """One connection with any number of requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # the fault `drip` sends single bytes, which must leave at once
    timeout = 75
    """Seconds after which an idle connection is closed."""
    server: SandboxServer

    def handle(self) -> None:
        """Process requests until the connection is closed; wsgiref's own method processes one."""
        BaseHTTPRequestHandler.handle(self)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it overrides
        """Log nothing: the standard line contains the path, and thus confirmation numbers and contacts."""

    def _handle_request(self) -> None:
        """Process one request."""
        length = self.headers.get("Content-Length", "0")
        if not re.fullmatch("[0-9]{1,15}", length) or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self.send_error(411)
            return
        environ = self.get_environ()
        environ["kordless.over_socket"] = True
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(int(length)) if int(length) <= MAX_BODY_BYTES else b"")
        if int(length) > MAX_BODY_BYTES:
            # The unread body would be taken for the next request.
            self.close_connection = True
        began = time.perf_counter()
        try:
            status = self._answer(environ)
        except ConnectionResetError:  # raised by faults.connection, or by the socket when the client is gone
            status = "cut"
            self._reset_connection()
        if not self.server.quiet:
            spent = round((time.perf_counter() - began) * 1000)
            operation = environ.get("kordless.operation", "control")
            print(f"{operation} {status} {spent} ms", flush=True)  # noqa: T201 - the server's log

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_OPTIONS = _handle_request  # noqa: N815 - its names

    def _answer(self, environ: dict[str, Any]) -> str:
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
            started.extend((status, headers))

        chunks = self.server.wsgi_app(environ, start_response)
        status, headers = started
        names = {name.lower() for name, _ in headers}
        lines = [f"HTTP/1.1 {status}", "Server: kordless-sandbox"]
        if "date" not in names:
            lines.append(f"Date: {self.date_time_string()}")
        if "content-length" not in names:
            # Without a length, only the end of the connection ends the body.
            self.close_connection = True
        if self.close_connection:
            lines.append("Connection: close")
        lines += [f"{name}: {value}" for name, value in headers]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        bodiless = self.command == "HEAD" or status[:3] in ("204", "304")
        for chunk in chunks:
            # The head goes out with the first chunk: a cut before it (`reset` with 0 bytes) sends nothing at all.
            self.wfile.write(head if bodiless else head + chunk)
            head = b""
        self.wfile.flush()
        return str(status[:3])

    def _reset_connection(self) -> None:
        """Close the connection with a TCP reset, which the client can't mistake for the end of the body."""
        self.close_connection = True
        # SO_LINGER on, with 0 seconds.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


@contextmanager
def serving(app: WSGIApplication, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve in a background thread and yield the API's base URL. Port 0 picks a free port."""
    with SandboxServer(app, host, port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{server.server_port}{PREFIX}"
        finally:
            server.shutdown()
            thread.join()
