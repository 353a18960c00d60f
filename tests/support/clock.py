"""One clock for a test and for all the processes that it starts: it runs on from a moment that the test sets.

`python -m tests.support.clock MODULE ARGUMENT…` runs a module, as `python -m` does, by the clock of whoever gave it the
environment. The product knows nothing of this: it reads the time as ever. Steady time (`time.monotonic`), which
measures how long something takes, is always the real one.
"""

from __future__ import annotations

import os
import runpy
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import time_machine

NOW: Final = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)
"""A Tuesday: ten in the morning in New York, where Acme Salon is."""
BUSINESS: Final = ZoneInfo("America/New_York")
_VARIABLE: Final = "TESTS_CLOCK_AHEAD"


def _moment() -> datetime:
    given = os.environ.get("KORDLESS_TEST_NOW")
    if not given:
        return NOW
    moment = datetime.fromisoformat(given)
    return (moment if moment.tzinfo else moment.replace(tzinfo=BUSINESS)).astimezone(UTC)


def _real() -> float:
    """The machine's own time, also while this process travels."""
    hatch = time_machine.escape_hatch
    return hatch.time.time() if hatch.is_travelling() else time.time()


MOMENT: Final = _moment()
"""When everything plays that works on any date: $KORDLESS_TEST_NOW (ISO 8601, New York unless it says otherwise)."""
AHEAD: Final = MOMENT.timestamp() - _real()
"""Seconds by which a clock is ahead of the machine's that showed MOMENT when this process began."""


def environment(ahead: float | None = None) -> dict[str, str]:
    """The variables by which another process goes by the clock of this one, or by one that is so many seconds ahead."""
    return {_VARIABLE: repr(time.time() - _real() if ahead is None else ahead)}


def running_from(ahead: float) -> time_machine.travel:
    """A clock that runs on, so many seconds ahead of the machine's."""
    return time_machine.travel(_real() + ahead, tick=True)


def follow(given: Mapping[str, str]) -> None:
    """Go by the clock of whoever made this environment, until this process ends."""
    if ahead := float(given.get(_VARIABLE, "0")):
        running_from(ahead).start()


if __name__ == "__main__":
    follow(os.environ)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
