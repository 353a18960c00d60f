"""Deadlines: a wall-clock limit for all network I/O inside `with deadline(seconds)`, without a thread per call.

The timeouts of httpx and httpcore apply to each socket operation: a server that drips one byte at a time restarts the
read timeout with each byte and can hold a call for minutes. Here each socket operation may only take the time that
the whole call has left.

`network.py` applies it to sockets.
"""

from __future__ import annotations

import math
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# A context variable, not an argument: a pooled connection outlives the call that opened it, so it has to look up the
# deadline of the call that is using it now.
_deadline: ContextVar[float] = ContextVar("kordless_booking.api.deadline", default=math.inf)


class deadline:  # noqa: N801 (used as a function; one that yields takes three times as long)
    """Limit the network I/O in the `with` block to `seconds`. A nested deadline can only shorten the outer one."""

    __slots__ = ("_seconds", "_token")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._token = _deadline.set(min(_deadline.get(), time.monotonic() + self._seconds))

    def __exit__(self, *_error: object) -> None:
        _deadline.reset(self._token)


def seconds_left() -> float:
    """Return the seconds until the current deadline: negative when it has passed, infinite when there is none."""
    return _deadline.get() - time.monotonic()


def with_same_deadline(work: Callable[[], T]) -> Callable[[], T]:
    """Return `work` bound to the current deadline, to be called in another thread, which has no deadline of its own."""
    ends = _deadline.get()

    def bound() -> T:
        token = _deadline.set(ends)
        try:
            return work()
        finally:
            _deadline.reset(token)

    return bound


LOCAL_SHORTAGES: Final = frozenset({"pool_timeout", "deadline", "no_socket"})
"""Reasons of Unreachable that are about this process and not about Kordless."""
