"""The three ways in which the catalog meets time, in one object so that tests can be the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Clock"]


@dataclass(frozen=True, slots=True)
class Clock:
    """`now` is Unix seconds and may be stepped by an operator; `steady` only runs forward; `sleep` waits.

    What several processes compare is told in `now`; what one process measures is measured in `steady`.
    """

    now: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
