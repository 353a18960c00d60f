"""Django's cache, or this process's own memory for as long as that one fails.

Nothing is ever unpickled from a cache that a network leads to (see `own_backend`), and what lies under a key of ours
without being a number, a text or bytes is removed and counts as absent.

Nothing here ever raises: a cache that refuses, times out or is full costs freshness and a log line, never a
page. After a failure the cache is left alone for a few seconds, because asking a hanging one costs each
visitor a time-out. It is believed again once a write has gone through; one that reads but can't write
(Redis: OOM) would grant every lock.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, TypeVar

from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache

from kordless_booking.logs import say

from .keys import cache_key
from .memory import Memory, Storable
from .own_backend import OwnBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from django.core.cache.backends.base import BaseCache

    from .clock import Clock

__all__ = ["SteadyCache", "counts_for_all"]

logger = logging.getLogger(__name__)

LEFT_ALONE = 5.0
SAID_EVERY = 60.0
AWAKE = cache_key("", "awake")
_STORABLE = (bytes, str, int)

T = TypeVar("T")


def counts_for_all(cache: BaseCache | Memory) -> bool:
    """Say whether `cache.add` has one winner among all processes: not in LocMem, files (they race) or Dummy."""
    return not isinstance(cache, LocMemCache | FileBasedCache | DummyCache)


class SteadyCache:
    """The cache operations of the catalog, on a cache or, while that fails, on this process's memory.

    `cache` is the alias of a Django cache, so that each thread uses a connection of its own; a backend will do
    if threads may share it. None is for memory alone.
    """

    def __init__(self, cache: str | BaseCache | Memory | None, clock: Clock) -> None:
        self._cache = OwnBackend(cache) if isinstance(cache, str) else cache
        self._clock = clock
        self._memory = Memory(clock)
        self._guard = threading.Lock()
        self._trusted = True
        self._again_at = 0.0
        self._say_at: float | None = None
        self._unreadable_at: float | None = None

    @property
    def up(self) -> bool:
        """Whether the next operation goes to the cache, not to memory."""
        return self._cache is not None and (self._trusted or self._woken())

    def for_counting(self) -> SteadyCache:
        """Return a cache whose `add` has one winner among all processes while it is up; else memory alone.

        Memory counts in steady time; LocMem, by the wall clock, would let a minute pass when that is stepped.
        """
        if self._cache is None or counts_for_all(self._backend()):
            return self
        return SteadyCache(None, self._clock)

    def get(self, key: str) -> Storable | None:
        """Return what is kept under one key."""
        value = self._on(lambda cache: cache.get(key))
        return None if value is None else self._readable({key: value}).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, Storable]:
        """Return what is kept, by key, in one round trip."""
        wanted = list(keys)
        return self._readable(self._on(lambda cache: cache.get_many(wanted)))

    def add(self, key: str, value: Storable, timeout: int) -> bool:
        """Keep `value` for `timeout` whole seconds (at least 1) unless the key is taken; True for the
        winner.
        """
        return self._on(lambda cache: cache.add(key, value, max(1, timeout)))

    def set(self, key: str, value: Storable, timeout: int) -> None:
        """Keep `value` for `timeout` whole seconds (at least 1)."""
        self._on(lambda cache: cache.set(key, value, max(1, timeout)))

    def delete_many(self, keys: Iterable[str]) -> None:
        """Drop these keys."""
        unwanted = list(keys)
        self._on(lambda cache: cache.delete_many(unwanted))

    def _backend(self) -> BaseCache | Memory:
        if isinstance(self._cache, OwnBackend):
            return self._cache()
        return self._memory if self._cache is None else self._cache

    def _readable(self, found: Mapping[str, object]) -> dict[str, Storable]:
        """Leave out what we can't have written, and remove it: it would stand in the way of `add` for ever."""
        readable = {key: value for key, value in found.items() if isinstance(value, _STORABLE)}
        if len(readable) < len(found):
            self._say_unreadable()
            self.delete_many(found.keys() - readable.keys())
        return readable

    def _say_unreadable(self) -> None:
        with self._guard:
            now = self._clock.steady()
            aloud = self._unreadable_at is None or now >= self._unreadable_at
            if aloud:
                self._unreadable_at = now + SAID_EVERY
        if aloud:
            say(logger, logging.ERROR, "cache_value_unreadable")

    def _on(self, operation: Callable[[BaseCache | Memory], T]) -> T:
        if self.up:
            try:
                return operation(self._backend())
            except Exception as error:  # noqa: BLE001 - backends raise anything
                self._fell(error)
        return operation(self._memory)

    def _woken(self) -> bool:
        with self._guard:
            now = self._clock.steady()
            if now < self._again_at:
                return False
            # One thread tries; while it waits for a time-out the others go on with memory.
            self._again_at = now + LEFT_ALONE
        try:
            self._backend().set(AWAKE, 1, 10)
        except Exception as error:  # noqa: BLE001 - as above
            self._fell(error)
            return False
        self._trusted = True
        return True

    def _fell(self, error: Exception) -> None:
        with self._guard:
            now = self._clock.steady()
            self._trusted = False
            self._again_at = now + LEFT_ALONE
            aloud = self._say_at is None or now >= self._say_at
            if aloud:
                self._say_at = now + SAID_EVERY
        if aloud:
            say(logger, logging.ERROR, "cache_unavailable", error=type(error).__name__)
