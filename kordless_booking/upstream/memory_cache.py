"""A small in-process cache, for when there is no better one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kordless_booking.clock import Clock

Storable = bytes | str | int
"""Types that every cache backend returns unchanged."""
SMALL_BYTES = 4096
"""Bytes up to which a value is small: 2,048 of them, the most that there are, take 8 MB."""
MAX_LARGE_BYTES = 32 * 1024 * 1024
"""Bytes of all large values. A month of 5,000 slots has 0.1 MB, compressed, and a list of 300 services up to 0.3."""


class MemoryCache:
    """In-memory cache with the cache operations that the catalog uses. Safe to share between threads.

    Expiry is measured in monotonic seconds, so a stepped clock changes nothing. Holds at most `size` entries; the one
    written longest ago is evicted first. Of values with more than SMALL_BYTES, all together have at most `max_bytes`:
    permits and counters are small, and no amount of cached data evicts them by its bytes.
    """

    def __init__(self, clock: Clock, *, size: int = 2048, max_bytes: int = MAX_LARGE_BYTES) -> None:
        self._clock = clock
        self._size = size
        self._entries: dict[str, tuple[Storable, float]] = {}
        # Keys of the large values with their bytes, in the order in which they were written.
        self._max_bytes = max_bytes
        self._large: dict[str, int] = {}
        self._large_bytes = 0
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
                self._remove(key)

    def _put(self, key: str, value: Storable, timeout: int) -> None:
        # A dict keeps the place of a key that is overwritten: popping it moves it to the end, away from eviction.
        self._remove(key)
        if len(self._entries) >= self._size:
            self._remove(next(iter(self._entries)))
        size = 0 if isinstance(value, int) else len(value)
        if size > SMALL_BYTES:
            while self._large and self._large_bytes + size > self._max_bytes:
                self._remove(next(iter(self._large)))
            if size > self._max_bytes:
                return
            self._large[key] = size
            self._large_bytes += size
        self._entries[key] = (value, self._clock.monotonic() + timeout)

    def _remove(self, key: str) -> None:
        self._entries.pop(key, None)
        self._large_bytes -= self._large.pop(key, 0)
