"""Clock skew between Kordless and this machine, by the Date header of responses.

Nothing that a visitor sees depends on Kordless's clock. But a webhook's timestamp is compared with our clock, and a
clock that is minutes off makes every delivery fail. So the skew is logged before anybody has to search for it.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from kordless_booking.logs import log_event

if TYPE_CHECKING:
    from kordless_booking.api.session import ResponseMeta
    from kordless_booking.clock import Clock

__all__ = ["MAX_SKEW_SECONDS", "ClockSkewMonitor", "seconds_ahead"]

logger = logging.getLogger(__name__)

MAX_SKEW_SECONDS: Final = 120
"""Seconds that the two clocks may differ before it is logged."""
LOG_INTERVAL_SECONDS: Final = 3600.0
"""Seconds between two log lines of one process."""


def seconds_ahead(answer: ResponseMeta, now: float) -> float | None:
    """Return by how many seconds Kordless's clock is ahead of `now` (Unix seconds), negative when behind.

    None when the response has no Date.
    """
    return None if answer.date is None else answer.date - now


class ClockSkewMonitor:
    """Logs `event=clock_off` at most once an hour in each process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._say_at = float("-inf")
        self._guard = threading.Lock()

    def check(self, answer: ResponseMeta) -> None:
        """Check the clock of one response."""
        ahead = seconds_ahead(answer, self._clock.now())
        if ahead is None or abs(ahead) <= MAX_SKEW_SECONDS:
            return
        with self._guard:
            # Monotonic: the wall clock is the suspect here.
            steady = self._clock.monotonic()
            if steady < self._say_at:
                return
            self._say_at = steady + LOG_INTERVAL_SECONDS
        log_event(logger, logging.WARNING, "clock_off", seconds=round(ahead))
