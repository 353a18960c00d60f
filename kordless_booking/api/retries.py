"""Retry policy: at most one retry, only where it can't repeat a side effect, and only with enough time left."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

import stamina

from kordless_booking.api.deadline import seconds_left
from kordless_booking.exceptions import OutcomeUnknown, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kordless_booking.api.requests import Operation

MIN_TIME_SHARE: Final = 0.4
"""Minimum share of the time budget (0 to 1) that must be left for a retry."""

BACKOFF_SECONDS: Final = 0.3
"""Maximum backoff in seconds before the retry. Half is fixed and half is random ("equal jitter"), so that processes
that failed together don't retry together.
"""

_TRANSIENT_STATUSES: Final = frozenset({502, 503, 504})
"""Transient statuses, of a gateway or an overloaded server."""
_BROKEN_CONNECTION_REASONS: Final = frozenset({"cut", "protocol_error"})
"""Reasons that mean a broken connection. A timeout is not among them: it has used up the time for a retry."""
_PERMANENT: Final = frozenset({"tls", "deadline", "pool_timeout", "no_socket"})
"""Reasons for having no connection that a retry can't change."""


def retrying(call: Operation[Any], seconds: float) -> Iterator[stamina.Attempt]:
    """Return one or two stamina attempts at `call`, which has `seconds` in all.

    Retry rules:

    - reads: after a failed or broken connection, and after a 502, 503 or 504 without Retry-After;
    - create: only after a failed connection, when nothing was sent, with the same idempotency key;
    - cancel and reschedule: never.
    """

    def again(error: Exception) -> bool | float:
        pause = BACKOFF_SECONDS / 2 + random.uniform(0, BACKOFF_SECONDS / 2)  # noqa: S311 (jitter, not a secret)
        if not _is_retryable(call, error) or seconds_left() - pause < MIN_TIME_SHARE * seconds:
            return False
        return pause  # stamina takes a number from the hook as the backoff

    # No timeout of stamina's own: the deadline around the call already limits both attempts.
    return iter(stamina.retry_context(again, attempts=2, timeout=None))


def _is_retryable(call: Operation[Any], error: Exception) -> bool:
    if isinstance(error, Unreachable):
        # Of the writes only a create always carries an idempotency key. TooMany and CircuitOpen are not Unreachable,
        # so a retry never ignores the rate limiter or the circuit breaker.
        return error.reason not in _PERMANENT and (call.is_safe or call.operation == "create")
    if isinstance(error, OutcomeUnknown) and call.is_safe:
        # With Retry-After the server asks for at least a second, which is longer than the backoff.
        return error.reason in _BROKEN_CONNECTION_REASONS or (
            error.status in _TRANSIENT_STATUSES and error.retry_after is None
        )
    return False
