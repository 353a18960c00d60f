"""Structured logging: one logfmt line for each event, with the same values as a dict on the record.

    event=throttled scope=book seconds=60 req=8f0c2a91d3e4b576

The dict is the record's attribute `kordless`; `JsonFormatter` writes it as JSON. `req` is the request id of the
visitor's request. The page and its X-Request-ID header show it, and every call to Kordless on behalf of this visitor
logs it, calls from the background worker included.

Never pass form input, a key or a token to `log_event`. A test triggers every event and searches the log for them.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kordless_booking.clock import Clock

request_id: ContextVar[str] = ContextVar("kordless_booking.request_id", default="")
"""Request id of the visitor's request that is being processed; empty outside of a request."""

_UNQUOTED: Final = re.compile(r"[!#-&(-~]+")
"""Text that needs no quotes in logfmt: printable ASCII without spaces and quotation marks."""
_MAX_FRAMES: Final = 5
"""Number of innermost stack frames that an error location keeps."""
_VALUES: Final = (bool, int, float, str, type(None))
"""Types that JSON has too. Values of other types become text."""


def log_event(logger: logging.Logger, level: int, event: str, **said: object) -> None:
    """Log `event=… name=value …`, and append `req=…` inside a request unless the caller passes its own.

    Leaves out values that are None. Quotes and escapes texts with spaces, so an event is always one line.
    """
    if "req" not in said and request_id.get():
        said["req"] = request_id.get()
    values = {"event": event} | {name: value for name, value in said.items() if value is not None}
    line = " ".join(f"{name}={_format_value(value)}" for name, value in values.items())
    # "%s": a percent sign in a value must not be read as a format. stacklevel=2: the record names the caller's line.
    logger.log(level, "%s", line, extra={"kordless": values}, stacklevel=2)


def error_location(error: BaseException) -> dict[str, str]:
    """Return `error` (the class name) and `at` (`module:line<module:line…`, innermost first) for `log_event`.

    Omits the error's message, because it may repeat an argument and thus form input.
    """
    lines, trace = [], error.__traceback__
    while trace is not None:
        lines.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return {"error": type(error).__name__, "at": "<".join(lines[::-1][:_MAX_FRAMES]) or "?"}


def _format_value(value: object) -> str:
    text = str(value)
    # ascii() quotes and escapes newlines, so a value can neither break the line nor forge another event.
    return text if _UNQUOTED.fullmatch(text) else ascii(text) if text else "-"


class JsonFormatter(logging.Formatter):
    """Formatter that writes each record as one line of JSON, without third-party packages.

    Every line has `time` (UTC, ISO 8601, milliseconds), `level` and `logger`. Records of `log_event` add their values
    at the top level. Other records have `message`, and `req` inside a visitor's request. `trace` is a traceback.
    The output is ASCII, so it does not depend on the stream's encoding.
    """

    def format(self, record: logging.LogRecord) -> str:
        written: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        said = getattr(record, "kordless", None)
        if isinstance(said, dict):
            written |= {name: value if isinstance(value, _VALUES) else str(value) for name, value in said.items()}
        else:
            written["message"] = record.getMessage()
            if request_id.get():
                written["req"] = request_id.get()
        if record.exc_info:
            written["trace"] = self.formatException(record.exc_info)
        # json.dumps escapes everything beyond ASCII by default, newlines in the trace included.
        return json.dumps(written)


QUIET_SECONDS: Final = {logging.WARNING: 60.0, logging.ERROR: 60.0, logging.CRITICAL: 300.0}
"""Level to the seconds for which more lines of the same kind are lowered to INFO. Other levels are not throttled."""


class LogThrottle:
    """Limit how often one process logs an event. Safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._logged_at: dict[Hashable, float] = {}
        self._lock = threading.Lock()

    def is_due(self, kind: Hashable, seconds: float) -> bool:
        """Return True at most once in `seconds` for each `kind`; the caller then logs."""
        # Monotonic: after the wall clock is set back, the next line must not wait until it catches up.
        now = self._clock.monotonic()
        with self._lock:
            logged_at = self._logged_at.get(kind)
            if logged_at is not None and now - logged_at < seconds:
                return False
            self._logged_at[kind] = now
        return True

    def level_for(self, kind: str, level: int) -> int:
        """Return the level to log the event `kind` at now: `level`, or INFO while it is throttled at `level`."""
        if level not in QUIET_SECONDS or self.is_due((kind, level), QUIET_SECONDS[level]):
            return level
        return logging.INFO


_redacting: ContextVar[bool] = ContextVar("kordless_booking.unrepeated", default=False)


@contextmanager
def redacted_dispatch_log() -> Iterator[None]:
    """Reduce Django's records about failing receivers to the error's class name inside the `with` block."""
    token = _redacting.set(True)
    try:
        yield
    finally:
        _redacting.reset(token)


def _redact(record: logging.LogRecord) -> bool:
    if _redacting.get() and isinstance(record.args, tuple):
        # Django passes the receiver and the exception as arguments of the format string.
        record.args = tuple(type(said).__name__ if isinstance(said, Exception) else said for said in record.args)
        record.exc_info = None  # the traceback ends with the message
    # True in any case: the filter edits records and never drops one.
    return True


# On the logger, not on a handler: the site configures its own handlers. Without effect outside of the `with` block.
logging.getLogger("django.dispatch").addFilter(_redact)
