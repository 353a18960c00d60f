"""Wall clock, monotonic clock and sleep in one object, so that tests can replace time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Source of time. Values that several processes compare use `now`; durations within one process use `monotonic`."""

    now: Callable[[], float] = time.time
    """Unix seconds. An operator may step it, in either direction."""
    monotonic: Callable[[], float] = time.monotonic
    """Monotonic seconds: `monotonic` never runs backward."""
    sleep: Callable[[float], None] = time.sleep
    """Wait for so many seconds."""
