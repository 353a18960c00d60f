"""Log throttling: a failure that hits every visitor alerts once, instead of flooding the log.

The first line of a kind in a period keeps its level. The lines that follow are lowered to INFO instead of dropped, so
every refused visitor still has a line and can be counted.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kordless_booking.clock import Clock

__all__ = ["LogThrottle"]

QUIET_SECONDS: Final = {logging.WARNING: 60.0, logging.ERROR: 60.0, logging.CRITICAL: 300.0}
"""Level to the seconds for which more lines of the same kind are lowered to INFO. Other levels are not throttled."""


class LogThrottle:
    """Log throttle of one account in one process: each process alerts once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[tuple[str, int], float] = {}
        self._lock = threading.Lock()

    def level_for(self, kind: str, level: int) -> int:
        """Return the level to log the event `kind` at now: `level`, or INFO while it is throttled at `level`."""
        if level not in QUIET_SECONDS:
            return level
        now = self._clock.now()
        with self._lock:
            told = self._told.get((kind, level))
            # abs(): after the wall clock is set back, the next line must not stay quiet until it catches up.
            if told is not None and abs(now - told) < QUIET_SECONDS[level]:
                return logging.INFO
            self._told[kind, level] = now
        return level
