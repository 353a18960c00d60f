"""A small in-process cache, for when there is no better one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kordless_booking.clock import Clock

Storable = bytes | str | int
"""Types that every cache backend returns unchanged."""


class MemoryCache:
    """In-memory cache with the cache operations that the catalog uses. Safe to share between threads.

    Expiry is measured in monotonic seconds, so a stepped clock changes nothing. Holds at most `size` entries; the one
    written longest ago is evicted first.
    """

    def __init__(self, clock: Clock, *, size: int = 2048) -> None:
        self._clock = clock
        self._size = size
        self._entries: dict[str, tuple[Storable, float]] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Storable | None:
        """Return the value under one key, or None."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, Storable]:
        """Return values by key; absent and expired keys are left out."""
        now = self._clock.monotonic()
        with self._lock:
            found = [(key, self._entries[key]) for key in keys if key in self._entries]
        return {key: value for key, (value, expires) in found if now < expires}

    def add(self, key: str, value: Storable, timeout: int) -> bool:
        """Store `value` for `timeout` seconds unless the key is taken. Return True for the one caller who stored it."""
        with self._lock:
            _, expires = self._entries.get(key, (b"", 0.0))
            if self._clock.monotonic() < expires:
                return False
            self._put(key, value, timeout)
            return True

    def set(self, key: str, value: Storable, timeout: int) -> None:
        """Store `value` for `timeout` seconds."""
        with self._lock:
            self._put(key, value, timeout)

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete these keys."""
        with self._lock:
            for key in keys:
                self._entries.pop(key, None)

    def _put(self, key: str, value: Storable, timeout: int) -> None:
        # A dict keeps the place of a key that is overwritten: popping it moves it to the end, away from eviction.
        self._entries.pop(key, None)
        if len(self._entries) >= self._size:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = (value, self._clock.monotonic() + timeout)
