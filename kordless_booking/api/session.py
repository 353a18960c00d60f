"""HTTP session: sends one operation and returns one struct or raises one KordlessError, within a deadline.

Requests go to a transport directly, without `httpx.Client`. So redirects are never followed, cookies are never kept,
and httpx logs no URLs. Each HTTP request, a retry included, passes the gate and writes one line to the call log.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
import socket
import ssl
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NoReturn, Protocol, TypeVar, cast

import httpcore
import httpx

from kordless_booking.api.base_url import validated_base_url
from kordless_booking.api.call_log import CallRecord, log_call
from kordless_booking.api.deadline import LOCAL_SHORTAGES, deadline, seconds_left
from kordless_booking.api.documented import REQUESTS_PER_MINUTE
from kordless_booking.api.network import DeadlineBackend
from kordless_booking.api.responses import (
    MAX_BODY_BYTES,
    ResponseMeta,
    error_from_response,
    parse_json_strict,
    parse_response_meta,
    read_body,
)
from kordless_booking.api.retries import retrying
from kordless_booking.api.secret import Secret
from kordless_booking.exceptions import KordlessError, OutcomeUnknown, Unreachable
from kordless_booking.logs import request_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIApplication

    from kordless_booking.api.requests import Operation

__all__ = [
    "DeadlineTransport",
    "Gate",
    "ResponseMeta",
    "Session",
    "Transport",
    "request_id",
    "validated_base_url",
    "wsgi_transport",
]

T = TypeVar("T")

Transport = httpx.BaseTransport
"""Carrier of requests: the network, a WSGI application, or a test double."""

CONNECT_SECONDS: Final = 1.5
"""Limit for opening one connection, name lookup included; the TLS handshake gets as much again. A retry still fits into
BROWSE_SECONDS.
"""
MAX_CONNECTIONS: Final = REQUESTS_PER_MINUTE
"""Maximum connections of a pool: as many as the documented quota lets be sent in a minute, which is longer than any
deadline. So with that quota, no thread of a server with many finds no connection while Kordless is slow.
"""
POOL_SECONDS: Final = 0.5
"""Limit for waiting until a connection of the pool is free."""
MAX_ERROR_BODY_BYTES: Final = 64 * 1024
"""Maximum bytes to read of an error response. Its body only refines the log."""


class Gate(Protocol):
    """Admission gate around every HTTP request, retries included. Rate limiter and circuit breaker stand behind it."""

    def before(self, operation: str) -> None:
        """Admit a request, or raise TooMany or CircuitOpen: then nothing is sent and `after` is not called."""

    def after(self, operation: str, response: ResponseMeta | None) -> None:
        """Report the result, once for each admitted request. None: no complete response (timeout, cut, TLS)."""

    def cancel(self, operation: str) -> None:
        """Take the admission back, instead of `after`: for want of a connection or time nothing was sent."""


class NoGate:
    """Null object: a gate that admits everything."""

    def before(self, operation: str) -> None: ...

    def after(self, operation: str, response: ResponseMeta | None) -> None: ...

    def cancel(self, operation: str) -> None: ...


def wsgi_transport(app: WSGIApplication) -> httpx.BaseTransport:
    """Return a transport to a WSGI application in this process. An exception from it counts as a lost response."""
    return httpx.WSGITransport(app, raise_app_exceptions=False)


@functools.cache
def _default_ssl_context() -> ssl.SSLContext:
    """Return the default TLS context. Loading the certificate authorities takes about 40 ms, so it is cached."""
    return httpx.create_ssl_context()


class DeadlineTransport(httpx.BaseTransport):
    """HTTP/1.1 over a connection pool, with each socket operation limited by the current deadline.

    `ssl_context` replaces the default trust store (certifi, or SSL_CERT_FILE). Raises ValueError if it doesn't verify.
    """

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        context = _default_ssl_context() if ssl_context is None else ssl_context
        if context.verify_mode is not ssl.CERT_REQUIRED or not context.check_hostname:
            raise ValueError("TLS must be verified.")
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=10,
            # Seconds. Shorter than the idle limit of common servers, so that a create, which is not retried once it
            # was sent, seldom meets a connection that the server is closing.
            keepalive_expiry=4.0,
            network_backend=DeadlineBackend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        # No read or write timeout: DeadlineStream limits both. 0.001: the deadline may have passed just now.
        timeouts = {"connect": CONNECT_SECONDS, "pool": min(POOL_SECONDS, max(seconds_left(), 0.001))}
        with _map_httpcore_exceptions():
            response = self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    url,
                    headers=request.headers.raw,
                    content=cast("httpx.SyncByteStream", request.stream),
                    extensions={"timeout": timeouts},
                )
            )
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _map_httpcore_exceptions():
            yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


@contextlib.contextmanager
def _map_httpcore_exceptions() -> Iterator[None]:
    """Raise httpcore's exceptions as httpx's exceptions of the same name, so that all transports fail alike."""
    try:
        yield
    except (
        httpcore.NetworkError,
        httpcore.TimeoutException,
        httpcore.ProtocolError,
        httpcore.ProxyError,
    ) as error:
        # The nearest class in the MRO that httpx has too: a subclass that only httpcore has becomes its parent.
        names = [kind.__name__ for kind in type(error).__mro__ if hasattr(httpx, kind.__name__)]
        raise getattr(httpx, names[0])(str(error)) from error


class _RedactedRequest(httpx.Request):
    """Request whose repr hides the URL from error reports that show local variables."""

    def __repr__(self) -> str:
        return "<Request>"


class Session:
    """HTTP session. Without a given `transport`, each process builds its own, so a fork shares no socket.

    Reading, booking and the operations without a key have a connection pool each: when one of them is slow and holds
    all of its connections, the others still have theirs.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        transport: httpx.BaseTransport | None,
        gate: Gate | None,
        user_agent: str,
    ) -> None:
        self._base_url = validated_base_url(base_url)
        self._key = Secret(api_key)
        self._callers_transport = transport  # never closed here: it belongs to the caller
        self._gate: Gate = NoGate() if gate is None else gate
        self._built: dict[int, dict[str, httpx.BaseTransport]] = {}  # by process id and pool
        self._locks: dict[int, threading.Lock] = {}  # by process id
        if not re.fullmatch(r"[\x20-\x7e]{1,200}", user_agent):
            raise ValueError("The user agent must be printable ASCII.")
        self._user_agent = user_agent

    def __repr__(self) -> str:
        return f"Wire({self._base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A connection to Kordless is never pickled or copied.")

    def send(self, call: Operation[T], seconds: float) -> T:
        """Send `call` and return its parsed result within `seconds`, a retry included. Raises KordlessError."""
        with deadline(seconds):
            for attempt in retrying(call, seconds):
                with attempt:
                    result = self._attempt(call)
        return result

    def close(self) -> None:
        """Close idle connections. A later call opens new ones."""
        for transport in self._built.pop(os.getpid(), {}).values():
            transport.close()

    def _transport(self, call: Operation[T]) -> httpx.BaseTransport:
        if self._callers_transport is not None:
            return self._callers_transport
        pid = os.getpid()
        # One lock per process: a lock that another thread holds during a fork stays locked in the child for ever.
        with self._locks.setdefault(pid, threading.Lock()):
            pools = self._built.setdefault(pid, {})
            pool = ("read" if call.is_safe else "book") if call.needs_api_key else "contact"
            if pool not in pools:
                pools[pool] = DeadlineTransport()
            return pools[pool]

    def _attempt(self, call: Operation[T]) -> T:
        if seconds_left() <= 0:
            raise Unreachable("no time left to connect", operation=call.operation, reason="deadline")
        self._gate.before(call.operation)
        record = CallRecord(call.operation)
        result: T | None = None
        try:
            result = self._exchange(call, record)
        except KordlessError as error:
            record.failure = error
        except Exception as error:  # noqa: BLE001 (a transport may raise anything)
            record.failure = _error_from_transport(error)
        except BaseException:
            # KeyboardInterrupt, or SystemExit when the server stops a slow worker: the gate needs its permit back.
            record.failure = OutcomeUnknown("interrupted", reason="interrupted")
            raise
        finally:
            if isinstance(record.failure, Unreachable) and record.failure.reason in LOCAL_SHORTAGES:
                self._gate.cancel(call.operation)
            else:
                self._gate.after(call.operation, _response_for_gate(record))
            log_call(record)
        if record.failure is None:
            return cast("T", result)
        record.failure.operation = call.operation
        record.failure.status = record.failure.status or record.status
        # Raised outside of the handlers, so no chained exception carries the URL into an error report.
        raise record.failure

    def _exchange(self, call: Operation[T], record: CallRecord) -> T:
        # Again, after the gate: it may have waited for a slow cache.
        if seconds_left() <= 0:
            raise Unreachable("no time left to connect", reason="deadline")
        response = self._transport(call).handle_request(self._request(call))
        with contextlib.closing(response):
            record.status = response.status_code
            record.upstream_id = response.headers.get("x-request-id", "")
            record.response = parse_response_meta(response.status_code, response.headers, now=time.time())
            body = read_response(response)
        refused = error_from_response(call.operation, record.response, body)
        if refused is not None:
            raise refused
        typed = call.parse_typed(body) if call.parse_typed is not None else None
        return typed if typed is not None else call.parse(parse_json_strict(body), record.skipped)

    def _request(self, call: Operation[T]) -> httpx.Request:
        # Only gzip: servers disagree about "deflate" (RFC 9110, section 8.4.1.2), and "br" needs another package.
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": self._user_agent}
        if call.needs_api_key:
            headers["x-kordless-key"] = self._key.reveal()
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        if call.idempotency_key is not None:
            headers["Idempotency-Key"] = call.idempotency_key
        url = f"{self._base_url}{call.path}" + (f"?{call.query}" if call.query else "")
        return _RedactedRequest(call.method, url, headers=headers, content=call.body)


def read_response(response: httpx.Response) -> bytes:
    """Return the body of a response, decompressed and within the limits of its kind."""
    refused = response.status_code >= 400
    encoding = response.headers.get("content-encoding", "")
    chunks = cast("httpx.SyncByteStream", response.stream)  # raw: read_body decompresses within its own limits
    try:
        return read_body(chunks, encoding=encoding, largest=MAX_ERROR_BODY_BYTES if refused else MAX_BODY_BYTES)
    except (httpx.TransportError, OutcomeUnknown, OSError):
        # The status of an error response decides alone, so a broken body doesn't matter.
        if refused:
            return b""
        raise


def _response_for_gate(record: CallRecord) -> ResponseMeta | None:
    """Return what the gate gets: None if there was no complete response, `failed` set if the response was unusable."""
    failure = record.failure
    if record.response is None:
        return None
    # A business with many free times is no failing Kordless: they are requested again in parts.
    in_parts = record.operation == "availability" and failure is not None and failure.reason == "too_large"
    if in_parts or not isinstance(failure, OutcomeUnknown):
        return replace(record.response, skipped=record.skipped.count) if record.skipped.count else record.response
    return None if failure.reason in _NO_COMPLETE_RESPONSE else replace(record.response, failed=True)


def _error_from_transport(error: Exception) -> KordlessError:
    """Map an exception of the transport to ours. Of its text, only the verdict on a TLS certificate is repeated."""
    causes = _causes(error)
    if isinstance(error, (httpx.ConnectError, httpx.ProxyError)):
        for cause in causes:
            if isinstance(cause, ssl.SSLError):
                verdict = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "handshake failed"
                return Unreachable(f"TLS: {verdict}", reason="tls")
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return Unreachable("name not found", reason="dns")
        if any(isinstance(cause, OSError) and cause.errno in _NO_SOCKET_ERRNOS for cause in causes):
            return Unreachable("no socket", reason="no_socket")
        refused = any(isinstance(cause, ConnectionRefusedError) for cause in causes)
        return Unreachable("no connection", reason="refused" if refused else "connect_error")
    for kind, reason in _NOT_SENT_REASONS.items():
        if isinstance(error, kind):
            return Unreachable(reason.replace("_", " "), reason=reason)
    for kind, reason in _OUTCOME_UNKNOWN_REASONS.items():
        if isinstance(error, kind):
            return OutcomeUnknown(reason.replace("_", " "), reason=reason)
    return OutcomeUnknown(f"the transport raised {type(error).__name__}", reason="transport_error")


_NO_SOCKET_ERRNOS: Final = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EAGAIN}
)
"""Errors of this machine: no file descriptor, no memory, no local port, no thread for the name lookup."""

# Both tables are searched in order, subclasses before their base classes.
_NOT_SENT_REASONS: Final[dict[type[Exception], str]] = {
    httpx.ConnectTimeout: "connect_timeout",
    httpx.PoolTimeout: "pool_timeout",
    httpx.UnsupportedProtocol: "unsupported_protocol",
}
_OUTCOME_UNKNOWN_REASONS: Final[dict[type[Exception], str]] = {
    httpx.ReadTimeout: "read_timeout",
    httpx.TimeoutException: "timeout",
    httpx.NetworkError: "cut",
    httpx.ProtocolError: "protocol_error",
    TimeoutError: "timeout",
    OSError: "cut",
}
_NO_COMPLETE_RESPONSE: Final = frozenset(
    {*_OUTCOME_UNKNOWN_REASONS.values(), "transport_error", "deadline", "interrupted"}
)


def _causes(error: BaseException) -> list[BaseException]:
    """Return the exception and its whole chain. Follows `__context__` even where `from None` hides it."""
    # `not in` also ends a chain that is a cycle.
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found
