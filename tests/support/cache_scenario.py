"""Processes around one cache, one source and one clock, for tests of the read-through cache and its views."""

from __future__ import annotations

import json
from collections.abc import Callable

from kordless_booking.upstream.entries import CacheItem, Lifetime
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.read_through import ReadThroughCache
from tests.support.controlled_cache import WAITS, HandTime, SharedMemory, at_once

LIFETIME = Lifetime(fresh=15, stale_while_revalidate=300, stale_if_error=1800)


class Source:
    """Stand-in for Kordless: each call returns its own number, or raises `error`. `meanwhile` runs during each call."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None
        self.meanwhile: Callable[[], object] = lambda: None

    def __call__(self) -> int:
        self.calls += 1
        answer, error = self.calls, self.error
        self.meanwhile()
        if error is not None:
            raise error
        return answer


class CacheScenario:
    """Processes that share one cache, one source and one clock."""

    def __init__(self) -> None:
        self.time = HandTime()
        self.memory = SharedMemory(self.time.clock)
        self.source = Source()
        self.item = self.named("slots", "haircut", "2026-12", "1")

    def named(self, *parts: str) -> CacheItem[int]:
        """Describe an item of the source by the parts of its key."""
        return CacheItem(parts, self.source, lambda value: json.dumps(value).encode(), json.loads, LIFETIME)

    def process(
        self, *, account: str = "north", run: Callable[[Callable[[], object]], bool] = at_once
    ) -> ReadThroughCache:
        """Return the cache of a new process, which has read nothing yet. Background jobs run at once by default."""
        clock = self.time.clock
        return ReadThroughCache(FallbackCache(self.memory, clock), account=account, run=run, clock=clock, **WAITS)
