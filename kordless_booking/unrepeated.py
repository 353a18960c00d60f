"""Keeps what a site's receiver says when it fails out of Django's own log.

`Signal.send_robust` logs the error with its message and traceback, under "django.dispatch". Our receivers are given
bookings, so the message may well repeat whose. Our own line says what failed, and where.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["unrepeated"]

_telling: ContextVar[bool] = ContextVar("kordless_booking.unrepeated", default=False)


@contextmanager
def unrepeated() -> Iterator[None]:
    """Inside, Django's lines about receivers that failed have the kind of the error alone."""
    token = _telling.set(True)
    try:
        yield
    finally:
        _telling.reset(token)


def _without_message(record: logging.LogRecord) -> bool:
    if _telling.get() and isinstance(record.args, tuple):
        record.args = tuple(type(said).__name__ if isinstance(said, Exception) else said for said in record.args)
        record.exc_info = None
    return True


logging.getLogger("django.dispatch").addFilter(_without_message)
