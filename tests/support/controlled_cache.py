"""Clock and cache under the control of a test. Both are real parts of the catalog, only controlled or observed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from kordless_booking.clock import Clock
from kordless_booking.conf import Account
from kordless_booking.upstream.memory_cache import MemoryCache, Storable

WAITS: Final = {"max_wait_seconds": Account.browse_seconds, "local_seconds": Account.local_cache_seconds}
"""Arguments of the read-through cache that come from the account's settings, with the default values."""


class HandTime:
    """Clock that a test advances; `step` moves only the wall clock, as an operator or NTP would."""

    def __init__(self) -> None:
        self.steady = 1_000.0
        self.wall = 1_800_000_000.0
        self.tick = 0.0
        """Seconds that pass with each look at the time; 0 while it stands still."""
        self.while_sleeping: Callable[[], object] = lambda: None
        self.clock = Clock(now=self._now, monotonic=lambda: self.steady, sleep=self.sleep)

    def _now(self) -> float:
        self.pass_(self.tick)
        return self.wall

    def sleep(self, seconds: float) -> None:
        """Advance both clocks, then call `while_sleeping`, which acts for other threads and processes."""
        self.pass_(seconds)
        self.while_sleeping()

    def pass_(self, seconds: float) -> None:
        """Advance both clocks."""
        self.steady += seconds
        self.wall += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back."""
        self.wall += seconds


class SharedMemory(MemoryCache):
    """Cache that several "processes" of a test share: counts round trips, and fails on demand."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.trips = 0
        self.broken = False
        self.read_only = False
        self.meanwhile: Callable[[], object] = lambda: None

    def get_many(self, keys: Iterable[str]) -> dict[str, Storable]:
        self._arrive()
        return super().get_many(keys)

    def add(self, key: str, value: Storable, timeout: int) -> bool:
        self._arrive(writing=True)
        return super().add(key, value, timeout)

    def set(self, key: str, value: Storable, timeout: int) -> None:
        self._arrive(writing=True)
        super().set(key, value, timeout)

    def delete_many(self, keys: Iterable[str]) -> None:
        self._arrive(writing=True)
        super().delete_many(keys)

    def _arrive(self, *, writing: bool = False) -> None:
        self.trips += 1
        self.meanwhile()
        if self.broken or (self.read_only and writing):
            raise ConnectionError("redis://:secret@cache.example is down")


def at_once(job: Callable[[], object]) -> bool:
    """Run a background job at once, in the calling thread."""
    job()
    return True
