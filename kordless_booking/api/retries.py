"""When an operation may be sent a second time: where that is harmless, and enough time is left."""

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
"""The share of the time budget that must be left for a second try."""

PAUSE: Final = 0.3
"""Seconds before the second try: half fixed, half random, so that processes don't knock together."""

_PASSING_STATUS: Final = frozenset({502, 503, 504})
_CUT: Final = frozenset({"cut", "protocol_error"})
_CERTAIN: Final = frozenset({"tls", "deadline", "pool_timeout"})
"""Reasons for having no connection that a second try can't change."""


def attempts(call: Call[Any], seconds: float) -> Iterator[stamina.Attempt]:
    """One or two attempts at `call`, which has `seconds` in all.

    Reads are tried again after a failed connection, a cut and a 502, 503 or 504 without Retry-After; a create
    only after a failed connection, when nothing was sent, with the same idempotency key; a cancel and a
    reschedule never.
    """

    def again(error: Exception) -> bool | float:
        pause = PAUSE / 2 + random.uniform(0, PAUSE / 2)  # noqa: S311 (jitter, not a secret)
        if not _harmless(call, error) or seconds_left() - pause < ENOUGH * seconds:
            return False
        return pause

    return iter(stamina.retry_context(again, attempts=2, timeout=None))


def _harmless(call: Call[Any], error: Exception) -> bool:
    if isinstance(error, Unreachable):
        return error.reason not in _CERTAIN and (call.reads_only or call.operation == "create")
    if isinstance(error, OutcomeUnknown) and call.reads_only:
        return error.reason in _CUT or (error.status in _PASSING_STATUS and error.retry_after is None)
    return False
