"""TCP proxy to a site, whose connections a test can cut at any byte, and restore.

Own code, because the kept proxies for this are servers in other languages, which Debian 12 doesn't package.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from urllib.parse import urlsplit

from tests.support.reserved_port import reserved_port


class Relay:
    """Passes on what comes to `url`, byte by byte, until it is cut: then every line breaks and nobody answers."""

    def __init__(self, behind: str, port: int) -> None:
        """Listen on a port that stays reserved while the relay is cut."""
        parts = urlsplit(behind)
        self._behind = parts.hostname or "", parts.port or 80
        self._lines: list[socket.socket] = []
        self._listening: socket.socket | None = None
        self._guard = Lock()
        self._port = port
        self.url = f"http://127.0.0.1:{port}"
        self.mend()

    def cut(self) -> None:
        """As when the server's power fails."""
        with self._guard:
            listening, self._listening = self._listening, None
        if listening:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for line in self._lines:
            _break_off(line)
        self._lines.clear()

    def mend(self) -> None:
        """At the same address."""
        listening = self._listening = socket.create_server(("127.0.0.1", self._port))
        Thread(target=self._accept, args=(listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listening.accept()
                try:
                    far = socket.create_connection(self._behind)
                except OSError:  # one visitor's bad luck, and not the end of the relay
                    _break_off(near)
                    continue
                with self._guard:
                    if self._listening is not listening:
                        # Accepted just before the cut, which has not seen it: it would live on.
                        _break_off(near)
                        _break_off(far)
                        return
                    self._lines += (near, far)
                for source, target in ((near, far), (far, near)):
                    Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _break_off(line: socket.socket) -> None:
    """Reset the connection."""
    with suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.shutdown(socket.SHUT_RDWR)
    line.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    # Also after a reset: a server resets a kept connection whose time is over while the next request comes in. Browsers
    # then ask on another one; without the end they would wait until they give up.
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def relayed(behind: str) -> Iterator[Relay]:
    """A relay to the site behind, cut at the end."""
    with reserved_port() as port:
        relay = Relay(behind, port)
        try:
            yield relay
        finally:
            relay.cut()
