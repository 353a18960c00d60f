"""How loud a line in the log is: a fault that hits everybody should be heard, not drown the log.

Of one kind the first line in a minute (five minutes for CRITICAL) is as loud as it deserves; those that follow are
INFO, so that each refused visitor still has a line and can be counted.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kordless_booking.catalog.clock import Clock

__all__ = ["Loudness"]

QUIET: Final = {logging.WARNING: 60.0, logging.ERROR: 60.0, logging.CRITICAL: 300.0}
"""Seconds for which lines of a kind that was just told aloud are INFO."""


class Loudness:
    """Remembers what was told aloud, for one account in one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[tuple[str, int], float] = {}
        self._lock = threading.Lock()

    def of(self, kind: str, level: int) -> int:
        """The level at which to tell of `kind` now: `level`, or INFO when that was told a moment ago."""
        if level not in QUIET:
            return level
        now = self._clock.now()
        with self._lock:
            told = self._told.get((kind, level))
            if told is not None and abs(now - told) < QUIET[level]:
                return logging.INFO
            self._told[kind, level] = now
        return level
