"""Wait for what another thread does."""

from __future__ import annotations

import threading
from collections.abc import Callable


def wait_until(happened: Callable[[], bool]) -> None:
    """Look again until it has, at most a minute: nothing says how soon a busy machine gets to it."""
    turn = threading.Event()
    for _ in range(3000):
        if happened():
            return
        turn.wait(0.02)
    raise AssertionError("it has not happened")
