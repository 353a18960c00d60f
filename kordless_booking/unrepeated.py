"""Redaction of Django's own log records about failing signal receivers.

`Signal.send_robust` logs a receiver's error with message and traceback under "django.dispatch". Receivers of our
signals get bookings, so the message may repeat personal data. Our own log line says what failed and where.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["redacted_dispatch_log"]

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
