"""Retry policy: at most one retry, only where it can't repeat a side effect, and only with enough time left."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

import stamina

from kordless_booking.api.deadline import seconds_left
from kordless_booking.exceptions import OutcomeUnknown, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kordless_booking.api.requests import Call

__all__ = ["attempts"]

ENOUGH: Final = 0.4
"""Minimum share of the time budget (0 to 1) that must be left for a retry."""

PAUSE: Final = 0.3
"""Maximum backoff in seconds before the retry. Half is fixed and half is random ("equal jitter"), so that processes
that failed together don't retry together.
"""

_PASSING_STATUS: Final = frozenset({502, 503, 504})
"""Transient statuses, of a gateway or an overloaded server."""
_CUT: Final = frozenset({"cut", "protocol_error"})
"""Reasons that mean a broken connection. A timeout is not among them: it has used up the time for a retry."""
_CERTAIN: Final = frozenset({"tls", "deadline", "pool_timeout"})
"""Reasons for having no connection that a retry can't change."""


def attempts(call: Call[Any], seconds: float) -> Iterator[stamina.Attempt]:
    """Return one or two stamina attempts at `call`, which has `seconds` in all.

    Retry rules:

    - reads: after a failed or broken connection, and after a 502, 503 or 504 without Retry-After;
    - create: only after a failed connection, when nothing was sent, with the same idempotency key;
    - cancel and reschedule: never.
    """

    def again(error: Exception) -> bool | float:
        pause = PAUSE / 2 + random.uniform(0, PAUSE / 2)  # noqa: S311 (jitter, not a secret)
        if not _harmless(call, error) or seconds_left() - pause < ENOUGH * seconds:
            return False
        return pause  # stamina takes a number from the hook as the backoff

    # No timeout of stamina's own: the deadline around the call already limits both attempts.
    return iter(stamina.retry_context(again, attempts=2, timeout=None))


def _harmless(call: Call[Any], error: Exception) -> bool:
    if isinstance(error, Unreachable):
        # Of the writes only a create always carries an idempotency key. TooMany and CircuitOpen are not Unreachable,
        # so a retry never ignores the rate limiter or the circuit breaker.
        return error.reason not in _CERTAIN and (call.reads_only or call.operation == "create")
    if isinstance(error, OutcomeUnknown) and call.reads_only:
        # With Retry-After the server asks for at least a second, which is longer than the backoff.
        return error.reason in _CUT or (error.status in _PASSING_STATUS and error.retry_after is None)
    return False
