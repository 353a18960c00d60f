"""Whether Kordless's clock and ours agree, by the Date of its answers.

Nothing that a visitor sees depends on Kordless's clock, but a webhook's timestamp is compared with ours: one that is
minutes off has every delivery refused. So it is said, before anybody wonders.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from kordless_booking.logs import say

if TYPE_CHECKING:
    from kordless_booking.api.wire import Answer

    from .clock import Clock

__all__ = ["MOST", "Skew", "seconds_ahead"]

logger = logging.getLogger(__name__)

MOST: Final = 120
"""Seconds that the two may differ by before it is said."""
SAID_EVERY: Final = 3600.0


def seconds_ahead(answer: Answer, now: float) -> float | None:
    """How far Kordless's clock is ahead of ours (`now`, Unix seconds), negative when behind; None without a Date."""
    return None if answer.date is None else answer.date - now


class Skew:
    """Says `event=clock_off` at most once an hour, in each process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._say_at = float("-inf")
        self._guard = threading.Lock()

    def note(self, answer: Answer) -> None:
        """Look at one answer."""
        ahead = seconds_ahead(answer, self._clock.now())
        if ahead is None or abs(ahead) <= MOST:
            return
        with self._guard:
            steady = self._clock.steady()
            if steady < self._say_at:
                return
            self._say_at = steady + SAID_EVERY
        say(logger, logging.WARNING, "clock_off", seconds=round(ahead))
