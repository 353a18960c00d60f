"""Fallback cache: uses Django's cache, and this process's memory for as long as that one fails.

No operation raises. A cache that refuses, times out or is full costs freshness and a log line, never a page. After a
failure the cache isn't used for `RETRY_SECONDS`, because each operation on a hanging cache costs a visitor a timeout.
Then one thread probes it with a write: a cache that reads but can't write (Redis out of memory) would grant every lock.

Nothing is unpickled from a cache server (see `pickleless_backend`). A value under one of our keys that isn't an
integer, a string or bytes is deleted and counts as absent.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, TypeVar

from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache

from kordless_booking.logs import LogThrottle, log_event

from .keys import cache_key
from .memory_cache import MemoryCache, Storable
from .pickleless_backend import PicklelessBackend
from .throttle_store import ThrottleStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from django.core.cache.backends.base import BaseCache

    from kordless_booking.clock import Clock

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
"""Seconds after a failure before the cache is probed."""
LOG_INTERVAL_SECONDS = 60.0
"""Minimum seconds between two log lines of one process about the same trouble."""
PROBE_KEY = cache_key("", "awake")
"""Key that the probe writes."""
_STORABLE = (bytes, str, int)

T = TypeVar("T")


def has_shared_atomic_add(cache: BaseCache | MemoryCache) -> bool:
    """Return True if `cache.add` has one winner among all processes.

    Not so in LocMemCache (each process has its own), FileBasedCache (its `add` is a race) and DummyCache.
    """
    return not isinstance(cache, LocMemCache | FileBasedCache | DummyCache)


class FallbackCache:
    """Cache that falls back to this process's memory while the given cache fails. Safe to share between threads.

    `cache`: the alias of a Django cache, for which each thread gets its own connection; or a backend that threads may
    share; or None for memory alone.
    """

    def __init__(self, cache: str | BaseCache | MemoryCache | None, clock: Clock) -> None:
        self._cache = PicklelessBackend(cache) if isinstance(cache, str) else cache
        self._clock = clock
        self._memory = MemoryCache(clock)
        self._guard = threading.Lock()
        self._trusted = True
        self._again_at = 0.0
        self._log_throttle = LogThrottle(clock)
        self._throttle_view: FallbackCache | None = None

    @property
    def up(self) -> bool:
        """True if the next operation goes to the cache, False if it goes to memory. May send a probe."""
        return self._cache is not None and (self._trusted or self._probe())

    def atomic_view(self) -> FallbackCache:
        """Return this cache if its `add` has one winner among all processes, else one in memory alone.

        In memory and not in LocMemCache, although both belong to one process: memory expires by the monotonic clock.
        LocMemCache expires by the wall clock, so a stepped clock would end the minute of every permit.
        """
        if self._cache is None or has_shared_atomic_add(self._backend()):
            return self
        return FallbackCache(None, self._clock)

    def throttle_view(self) -> FallbackCache:
        """Return this cache if it is shared, else one for throttles in memory, always the same one.

        LocMemCache evicts at random when visitors fill it, and a file cache holds 300 values by default: there a flood
        of made-up keys would end the limits of others.
        """
        if self._cache is None or has_shared_atomic_add(self._backend()):
            return self
        with self._guard:
            if self._throttle_view is None:
                self._throttle_view = FallbackCache(ThrottleStore(self._clock), self._clock)
            return self._throttle_view

    def get(self, key: str) -> Storable | None:
        """Return the value under one key, or None."""
        value = self._on(lambda cache: cache.get(key))
        return value if value is None or isinstance(value, _STORABLE) else self._readable({key: value}).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, Storable]:
        """Return values by key, in one round trip. Absent keys are left out."""
        wanted = list(keys)
        return self._readable(self._on(lambda cache: cache.get_many(wanted)))

    def add(self, key: str, value: Storable, timeout: int) -> bool:
        """Store `value` for `timeout` whole seconds (at least 1) unless the key is taken. Return True if stored."""
        # At least 1: a timeout of 0 or less makes Django's backends store nothing, or delete the key.
        return self._on(lambda cache: cache.add(key, value, max(1, timeout)))

    def set(self, key: str, value: Storable, timeout: int) -> None:
        """Store `value` for `timeout` whole seconds (at least 1)."""
        self._on(lambda cache: cache.set(key, value, max(1, timeout)))

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete these keys."""
        unwanted = list(keys)
        self._on(lambda cache: cache.delete_many(unwanted))

    def _backend(self) -> BaseCache | MemoryCache:
        if isinstance(self._cache, PicklelessBackend):
            return self._cache()
        return self._memory if self._cache is None else self._cache

    def _readable(self, found: Mapping[str, object]) -> dict[str, Storable]:
        """Leave out values that we can't have written, and delete them, because they would block `add` for ever."""
        readable = {key: value for key, value in found.items() if isinstance(value, _STORABLE)}
        if len(readable) < len(found):
            if self._log_throttle.is_due("cache_value_unreadable", LOG_INTERVAL_SECONDS):
                log_event(logger, logging.ERROR, "cache_value_unreadable")
            self.delete_many(found.keys() - readable.keys())
        return readable

    def _on(self, operation: Callable[[BaseCache | MemoryCache], T]) -> T:
        if self.up:
            try:
                return operation(self._backend())
            except Exception as error:  # noqa: BLE001 - backends raise anything
                self._mark_down(error)
        # The failed operation is done in memory at once: the caller never notices.
        return operation(self._memory)

    def _probe(self) -> bool:
        with self._guard:
            now = self._clock.monotonic()
            if now < self._again_at:
                return False
            # Moved ahead first, so that one thread probes. While it waits for a timeout, the others use memory.
            self._again_at = now + RETRY_SECONDS
        try:
            # For 10 seconds: only that the write succeeds matters.
            self._backend().set(PROBE_KEY, 1, 10)
        except Exception as error:  # noqa: BLE001 - as above
            self._mark_down(error)
            return False
        self._trusted = True
        return True

    def _mark_down(self, error: Exception) -> None:
        with self._guard:
            self._trusted = False
            self._again_at = self._clock.monotonic() + RETRY_SECONDS
        if self._log_throttle.is_due("cache_unavailable", LOG_INTERVAL_SECONDS):
            log_event(logger, logging.ERROR, "cache_unavailable", error=type(error).__name__)
