"""The sandbox's own clock, kept in the store: real, shifted, or standing still."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .store import Store


class Clock:
    """Tells the business's time. Every process on the same file sees the same clock."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.fromtimestamp(self.stamp(), UTC)

    def stamp(self) -> float:
        """The present moment as Unix seconds."""
        kept = self._store.setting("clock") or {}
        if "frozen" in kept:
            return float(kept["frozen"])
        return time.time() + float(kept.get("shift", 0.0))

    def set(self, moment: datetime, *, frozen: bool = True) -> None:
        """Go to this moment and stand still there, or run on from it. Raises ValueError for a naive one."""
        if moment.tzinfo is None:
            raise ValueError("the clock needs an aware datetime")
        stamp = moment.timestamp()
        self._store.keep("clock", {"frozen": stamp} if frozen else {"shift": stamp - time.time()})

    def advance(self, by: timedelta) -> None:
        """Go forward (or back) by this much; the minute of the rate limits passes along with it."""
        seconds = by.total_seconds()
        with self._store.write():
            kept = self._store.setting("clock") or {}
            name = "frozen" if "frozen" in kept else "shift"
            self._store.keep("clock", {name: float(kept.get(name, 0.0)) + seconds})
            self._store.keep("advanced", self.advanced() + seconds)

    def real(self) -> None:
        """Back to the real time."""
        self._store.keep("clock", None)

    def advanced(self) -> float:
        """By how many seconds `advance` has moved this clock in all.

        Rate limits run on real time plus this: a clock that stands still doesn't close the door for ever.
        """
        return float(self._store.setting("advanced") or 0.0)
