"""TCP proxy to a site, whose connections a test can cut at any byte, and restore.

Own code, because the kept proxies for this are servers in other languages, which Debian 12 doesn't package.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from urllib.parse import urlsplit


class Relay:
    """Passes on what comes to `url`, byte by byte, until it is cut: then every line breaks and nobody answers."""

    def __init__(self, behind: str) -> None:
        parts = urlsplit(behind)
        self._behind = parts.hostname or "", parts.port or 80
        self._lines: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._start()

    def cut(self) -> None:
        """As when the server's power fails."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for line in self._lines:
            with suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self._lines.clear()

    def mend(self) -> None:
        """At the same address."""
        self._listening = socket.create_server(("127.0.0.1", self._port))
        self._start()

    def _start(self) -> None:
        Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listening.accept()
                far = socket.create_connection(self._behind)
                self._lines += (near, far)
                for source, target in ((near, far), (far, near)):
                    Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def relayed(behind: str) -> Iterator[Relay]:
    """A relay to the site behind, cut at the end."""
    relay = Relay(behind)
    try:
        yield relay
    finally:
        relay.cut()
