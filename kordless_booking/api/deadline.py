"""A limit in wall-clock time for everything inside a `with deadline(seconds)`, without a thread per call.

A read time-out starts anew with every byte that drips in. So each socket operation gets no more time than the
whole call has left. The deadline is a context variable, because the stream that reads was opened long before
by another call.

Only looking up a name has no time-out in the operating system: `Resolver` asks in a thread that may be left
behind, one per name however many wait, and only when a new connection is opened.
"""

from __future__ import annotations

import ipaddress
import math
import socket
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeVar

import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["PunctualBackend", "Resolver", "deadline", "seconds_left", "with_same_deadline"]

T = TypeVar("T")

_ends: ContextVar[float] = ContextVar("kordless_booking.api.deadline", default=math.inf)
_ADDRESSES: Final = 4
_SHORTEST_TRY: Final = 0.5


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Whatever is inside ends within `seconds`. Nested deadlines only ever shorten."""
    token = _ends.set(min(_ends.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _ends.reset(token)


def seconds_left() -> float:
    """Seconds until the running deadline, negative when it is past, infinite when there is none."""
    return _ends.get() - time.monotonic()


def with_same_deadline(work: Callable[[], T]) -> Callable[[], T]:
    """Return `work` bound to the deadline that runs now, for a thread that would know of none."""
    ends = _ends.get()

    def bound() -> T:
        token = _ends.set(ends)
        try:
            return work()
        finally:
            _ends.reset(token)

    return bound


def _within(timeout: float | None, late: type[Exception]) -> float | None:
    left = seconds_left()
    if left <= 0:
        raise late("deadline")
    shorter = left if timeout is None else min(timeout, left)
    return None if math.isinf(shorter) else shorter


class Resolver:
    """Addresses of a host, within a time limit. Raises OSError, or TimeoutError when the limit passes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[str, Future[list[str]]] = {}

    def addresses(self, host: str, port: int, timeout: float | None) -> list[str]:
        """At most four addresses, in the system's order of preference."""
        try:
            return [str(ipaddress.ip_address(host.strip("[]")))]
        except ValueError:
            pass
        with self._lock:
            answer = self._asked.get(host)
            if answer is None:
                answer = self._asked[host] = Future()
                threading.Thread(target=self._ask, args=(host, port, answer), name="kordless-dns", daemon=True).start()
        return answer.result(timeout)

    def look_up(self, host: str, port: int) -> list[str]:
        """Asks the operating system, for as long as that takes."""
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(row[4][0]) for row in rows))[:_ADDRESSES]

    def _ask(self, host: str, port: int, answer: Future[list[str]]) -> None:
        found: list[str] = []
        failure: OSError | None = None
        try:
            found = self.look_up(host, port)
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "not a host name")
        finally:
            with self._lock:
                del self._asked[host]
            if failure is None:
                answer.set_result(found)
            else:
                answer.set_exception(failure)


class PunctualStream(httpcore.NetworkStream):
    """A connection whose every read and write ends before the running deadline."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _within(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _within(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        limit = _within(timeout, httpcore.ConnectTimeout)
        return PunctualStream(self._stream.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class PunctualBackend(httpcore.NetworkBackend):
    """Opens connections within `timeout`, the name's lookup and all tried addresses included."""

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
                # A dead first address (often IPv6) must not eat the time of the second.
                share = max(seconds_left() / (len(addresses) - index), _SHORTEST_TRY)
                limit = _within(share, httpcore.ConnectTimeout)
                try:
                    stream = self._sockets.connect_tcp(address, port, limit, local_address, socket_options)
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                    failure = error
                else:
                    return PunctualStream(stream)
            raise failure

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            return self._resolver.addresses(host, port, _within(None, httpcore.ConnectTimeout))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("name lookup") from error
        except OSError as error:
            raise httpcore.ConnectError(error) from error
