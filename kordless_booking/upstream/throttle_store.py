"""Store for the permits of throttles, where Django's cache can't hold them safely."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from .memory_cache import MemoryCache

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kordless_booking.clock import Clock

    from .memory_cache import Storable

MAX_PERMITS: Final = 10_000
"""Permits that a process holds at most: 6 MB where each is in a bucket of its own, which was measured."""
PURGE_SECONDS: Final = 10.0
"""Minimum seconds between two searches of a full store for what has expired."""


class ThrottleStore(MemoryCache):
    """Memory for numbered permits, with the operations of MemoryCache. No flood of made-up identities can wipe it.

    LocMemCache evicts among all that the site caches, so filling it would end everybody's limits. When this store is
    full, a permit of the bucket with the fewest permits goes, of the oldest one among equals: a flood of buckets with
    one use each evicts itself, and never a bucket that is near its limit.

    A bucket is what a key has before its last colon. Expiry is by the wall clock, as the time that a visitor is told.
    """

    def __init__(self, clock: Clock, *, size: int = MAX_PERMITS) -> None:
        super().__init__(clock, size=size)
        self._store_lock = threading.Lock()
        self._permits: dict[str, dict[str, tuple[Storable, float]]] = {}
        """Values and times of expiry by key, by bucket."""
        self._by_count: dict[int, dict[str, None]] = {}
        """Buckets by their number of permits, in the order in which they came to it."""
        self._total = 0
        self._purged_at = float("-inf")

    def get_many(self, keys: Iterable[str]) -> dict[str, Storable]:
        """Return values by key; absent and expired keys are left out."""
        now, found = self._clock.now(), {}
        with self._store_lock:
            for key in keys:
                value, expires = self._permits.get(_bucket(key), {}).get(key, (b"", 0.0))
                if now < expires:
                    found[key] = value
        return found

    def add(self, key: str, value: Storable, timeout: int) -> bool:
        """Store `value` for `timeout` seconds unless the key is taken. Return True for the one caller who stored it."""
        with self._store_lock:
            _, expires = self._permits.get(_bucket(key), {}).get(key, (b"", 0.0))
            if self._clock.now() < expires:
                return False
            self._store(key, value, timeout)
            return True

    def set(self, key: str, value: Storable, timeout: int) -> None:
        """Store `value` for `timeout` seconds."""
        with self._store_lock:
            self._store(key, value, timeout)

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete these keys."""
        with self._store_lock:
            for key in keys:
                self._remove(key)

    def _store(self, key: str, value: Storable, timeout: int) -> None:
        now, bucket = self._clock.now(), _bucket(key)
        self._remove(key)
        if self._total >= self._size:
            self._make_room(now)
        permits = self._permits.setdefault(bucket, {})
        permits[key] = (value, now + timeout)
        self._total += 1
        self._file(bucket, len(permits) - 1, len(permits))

    def _remove(self, key: str) -> None:
        bucket = _bucket(key)
        permits = self._permits.get(bucket, {})
        if permits.pop(key, None) is None:
            return
        self._total -= 1
        self._file(bucket, len(permits) + 1, len(permits))
        if not permits:
            del self._permits[bucket]

    def _file(self, bucket: str, before: int, after: int) -> None:
        """Move a bucket to those with `after` permits."""
        with_as_many = self._by_count.get(before, {})
        with_as_many.pop(bucket, None)
        if not with_as_many:
            self._by_count.pop(before, None)
        if after:
            self._by_count.setdefault(after, {})[bucket] = None

    def _make_room(self, now: float) -> None:
        # Not each time: while the store is full of what hasn't expired, searching it all would slow every request down.
        if not 0 <= now - self._purged_at < PURGE_SECONDS:
            self._purged_at = now
            kept = self._permits.values()
            for key in [key for permits in kept for key, (_, expires) in permits.items() if expires <= now]:
                self._remove(key)
        if self._total >= self._size:
            smallest = next(iter(self._by_count[min(self._by_count)]))
            self._remove(next(iter(self._permits[smallest])))


def _bucket(key: str) -> str:
    return key.rpartition(":")[0]
