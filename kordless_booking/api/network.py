"""Network below httpx: sockets and name lookups that end with the deadline of the current call.

Name lookup is the one step without a timeout in the operating system. `Resolver` runs it in a thread that is left
behind when the deadline passes.
"""

from __future__ import annotations

import errno
import ipaddress
import math
import socket
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

import httpcore

from kordless_booking.api.deadline import deadline, seconds_left

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

_MAX_ADDRESSES: Final = 4
"""Number of addresses of a host that are tried."""
_MIN_CONNECT_SECONDS: Final = 0.5
"""Minimum seconds for connecting to one address, if the deadline leaves as much."""


def _clamp_timeout(timeout: float | None, late: type[Exception]) -> float | None:
    """Return the shorter of `timeout` and the time left, or None for no limit. Raises `late` if no time is left."""
    left = seconds_left()
    if left <= 0:
        raise late("deadline")
    shorter = left if timeout is None else min(timeout, left)
    # socket.settimeout() rejects infinity.
    return None if math.isinf(shorter) else shorter


class Resolver:
    """DNS lookup with a time limit. Callers that wait for the same host name share one thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[str, Future[list[str]]] = {}

    def addresses(self, host: str, port: int, timeout: float | None) -> list[str]:
        """Return at most four addresses, in the operating system's order of preference.

        Raises OSError if the lookup fails, or with EAGAIN if no thread can be started for it, and TimeoutError after
        `timeout` seconds.
        """
        try:
            return [str(ipaddress.ip_address(host.strip("[]")))]  # a literal address needs no thread
        except ValueError:
            pass
        with self._lock:
            result = self._pending.get(host)
            if result is None:
                result = self._pending[host] = Future()
                # Daemon: a lookup that hangs must not keep the process from exiting.
                thread = threading.Thread(target=self._run, args=(host, port, result), name="kordless-dns", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # no thread is left: nobody would ever set the result
                    del self._pending[host]
                    raise OSError(errno.EAGAIN, "no thread for the name lookup") from error
        return result.result(timeout)

    def getaddrinfo(self, host: str, port: int) -> list[str]:
        """Return the operating system's addresses, without a time limit. Tests replace this method."""
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # A dict removes duplicates and keeps the order.
        return list(dict.fromkeys(str(row[4][0]) for row in rows))[:_MAX_ADDRESSES]

    def _run(self, host: str, port: int, result: Future[list[str]]) -> None:
        found: list[str] = []
        failure: OSError | None = None
        try:
            found = self.getaddrinfo(host, port)
        except (OSError, UnicodeError) as error:
            # UnicodeError: Python's IDNA codec rejects the name, for example a label of more than 63 characters.
            failure = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "not a host name")
        finally:
            # Removed before the result is set: a caller that comes now starts a new lookup instead of an old answer.
            with self._lock:
                del self._pending[host]
            if failure is None:
                result.set_result(found)
            else:
                result.set_exception(failure)


class DeadlineStream(httpcore.NetworkStream):
    """Connection whose reads and writes end before the deadline of the current call."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _clamp_timeout(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _clamp_timeout(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        limit = _clamp_timeout(timeout, httpcore.ConnectTimeout)
        # httpcore goes on with the stream that is returned here, so it has to be wrapped again.
        return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class DeadlineBackend(httpcore.NetworkBackend):
    """Network backend that opens connections within `timeout` in all: name lookup and every address included."""

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._sockets = httpcore.SyncBackend()
        self._resolver = resolver or Resolver()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        with deadline(math.inf if timeout is None else timeout):
            addresses = self._addresses(host, port)
            failure: Exception = httpcore.ConnectError("no address")
            for index, address in enumerate(addresses):
                # An unreachable first address (often IPv6) must not use up the time of the next ones.
                share = max(seconds_left() / (len(addresses) - index), _MIN_CONNECT_SECONDS)
                limit = _clamp_timeout(share, httpcore.ConnectTimeout)
                try:
                    stream = self._sockets.connect_tcp(address, port, limit, local_address, socket_options)
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                    failure = error  # the last address's error is raised
                else:
                    return DeadlineStream(stream)
            raise failure

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            return self._resolver.addresses(host, port, _clamp_timeout(None, httpcore.ConnectTimeout))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("name lookup") from error
        except OSError as error:
            raise httpcore.ConnectError(error) from error
