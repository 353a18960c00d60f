"""The sandbox's clock, kept in the store: real, shifted or frozen."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .store import Store


class Clock:
    """Clock of the businesses, shared by all processes on the same store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def now(self) -> datetime:
        """Return the sandbox's current time in UTC."""
        return datetime.fromtimestamp(self.unix_seconds(), UTC)

    def unix_seconds(self) -> float:
        """Return the sandbox's current time in Unix seconds."""
        stored = self._store.get_setting("clock") or {}
        if "frozen" in stored:
            return float(stored["frozen"])
        return time.time() + float(stored.get("shift", 0.0))

    def set(self, moment: datetime, *, frozen: bool = True) -> None:
        """Set the clock, and freeze it or let it run on. Raises ValueError for a naive datetime."""
        if moment.tzinfo is None:
            raise ValueError("the clock needs an aware datetime")
        stamp = moment.timestamp()
        self._store.set_setting("clock", {"frozen": stamp} if frozen else {"shift": stamp - time.time()})

    def advance(self, by: timedelta) -> None:
        """Move the clock by `by`, forward or back. The windows of the rate limits move along."""
        seconds = by.total_seconds()
        with self._store.write():  # one transaction, so that no process sees half of it
            stored = self._store.get_setting("clock") or {}
            name = "frozen" if "frozen" in stored else "shift"
            self._store.set_setting("clock", {name: float(stored.get(name, 0.0)) + seconds})
            self._store.set_setting("advanced", self.advanced() + seconds)

    def use_real_time(self) -> None:
        """Return to real time."""
        self._store.set_setting("clock", None)  # "advanced" stays: the rate limiter's time must not jump back

    def advanced(self) -> float:
        """Return the total seconds by which `advance` has moved the clock.

        The rate limiter runs on real time plus this. On a frozen clock its window would never end.
        """
        return float(self._store.get_setting("advanced") or 0.0)
