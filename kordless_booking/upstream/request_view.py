"""Request-scoped view of the read-through cache.

Each item is read once per request, and several in one round trip. All reads are recorded, so that the rendered page can
be served again for as long as reading again would give the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from .entries import Cached
from .worker import in_background

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future

    from kordless_booking.exceptions import KeyRefused

    from .entries import CacheItem, LocalEntry
    from .read_through import ReadThroughCache

T = TypeVar("T")

OPEN_PAGE_SECONDS: Final = 30
"""Interval at which an open page asks whether its times are still as it shows them (parts/watch.html)."""


class RequestView:
    """Request-scoped view of the cache: what was read stays the same until this request itself invalidates something.

    With `cached_only`, only cached values are read, and nothing is fetched from Kordless.
    """

    def __init__(self, cache: ReadThroughCache, *, cached_only: bool = False) -> None:
        self._cache = cache
        self._cached_only = cached_only
        # From before the first read: an invalidation since then makes the page outdated.
        self._invalidations = cache.invalidations
        self._entries: dict[tuple[str, ...], LocalEntry] = {}
        self._started: dict[tuple[str, ...], Future[LocalEntry | None]] = {}
        self._read: dict[tuple[str, ...], tuple[CacheItem[Any], Cached[Any]]] = {}
        self._missing: dict[tuple[str, ...], CacheItem[Any]] = {}

    @property
    def fetches_in_parallel(self) -> bool:
        """True, unless nothing may be fetched at all (`cached_only`), or nobody waits: other threads have no priority.

        A fetch in another thread would take a visitor's permit, also on behalf of a reader of low priority.
        """
        return not self._cached_only and not in_background.get()

    def lookup(self, *items: CacheItem[Any]) -> list[LocalEntry]:
        """Load all of these in one round trip, so that reading them needs none of its own."""
        entries = self._entries
        if new := [item for item in items if item.parts not in entries]:
            entries |= {item.parts: entry for item, entry in zip(new, self._cache.lookup(*new), strict=True)}
        return [entries[item.parts] for item in items]

    def needs_fetch(self, item: CacheItem[Any]) -> bool:
        """Return True if `read` would have to fetch, and nobody in this process is fetching the item yet."""
        if self._cached_only or item.parts in self._read or item.parts in self._started:
            return False
        return self._cache.needs_fetch(item, self.lookup(item)[0])

    def local_value(self, item: CacheItem[T]) -> T | None:
        """Return the value that the local cache has of the item, as `ReadThroughCache.local_value` does."""
        return self._cache.local_value(item)

    def is_fetching(self, item: CacheItem[Any]) -> bool:
        """Return True if this process is fetching the item, as `ReadThroughCache.is_fetching` does."""
        return self._cache.is_fetching(item)

    def start_fetch(self, item: CacheItem[Any]) -> Future[LocalEntry | None] | None:
        """Start to fetch an item that `needs_fetch`, as `ReadThroughCache.start_fetch` does.

        `read` then waits for it.
        """
        started = self._cache.start_fetch(item)
        if started is not None:
            self._started[item.parts] = started
        return started

    def read(self, item: CacheItem[T]) -> Cached[T]:
        """Return the value of `ReadThroughCache.read` (with `cached_only`, of `read_cached`), the same in each call.

        Raises KordlessError. An error isn't recorded: the next read tries again.
        """
        read = self._read
        recorded = read.get(item.parts)
        if recorded is None:
            recorded = read[item.parts] = item, self._read_one(item)
        cached: Cached[T] = recorded[1]
        return cached

    def _read_one(self, item: CacheItem[T]) -> Cached[T]:
        entry = self._entries.get(item.parts)
        if self._cached_only:
            return self._cache.read_cached(item, entry)
        if entry is not None and self._cache.needs_wait(item, entry):
            # While this request waits, fetches of other pages may bring what was missing, so look again afterward.
            self._entries = {}
        return self._cache.read(item, entry, self._started.get(item.parts))

    def record_missing(self, item: CacheItem[Any]) -> None:
        """Record that the page is made without this item: it is outdated as soon as a value is cached."""
        self._missing[item.parts] = item

    def invalidate(self, *group: str) -> None:
        """Invalidate a group, as `ReadThroughCache.invalidate` does, and drop all that this request has read."""
        self._clear()
        self._cache.invalidate(*group)

    def mark_key_refused(self, error: KeyRefused) -> None:
        """Mark the key as refused, as `ReadThroughCache.mark_key_refused` does."""
        self._clear()
        self._cache.mark_key_refused(error)

    def is_overdue(self, now: float) -> bool:
        """Return True if something that was read should have been refreshed by now. `now`: Unix seconds."""
        return _is_overdue(self._read.values(), now)

    def snapshot(self) -> ReadSnapshot:
        """Return what has been read so far, to be validated later. The view then forgets it.

        The items of the snapshot refer to this view, and a stored page would keep all of its values alive.
        """
        reads, missing = list(self._read.values()), tuple(self._missing.values())
        self._clear()
        return ReadSnapshot(self._cache, reads, self._invalidations, missing)

    def _clear(self) -> None:
        # New dicts instead of `clear()`: a fetch that was started may invalidate something from its own thread, while
        # this request's thread still uses the old dicts.
        self._entries, self._started, self._read = {}, {}, {}


class ReadSnapshot:
    """Record of the reads that a page was rendered from, without the values, to check later if they are current."""

    def __init__(
        self,
        cache: ReadThroughCache,
        reads: list[tuple[CacheItem[Any], Cached[Any]]],
        invalidations: int,
        missing: tuple[CacheItem[Any], ...] = (),
    ) -> None:
        self._cache = cache
        self._invalidations = invalidations
        self._missing = missing
        # The values are not needed to compare, and a stored page would keep them alive.
        self._reads = [
            (item, Cached(None, cached.fetched_at, cached.stale, cached.degraded, cached.serial))
            for item, cached in reads
        ]

    @property
    def is_invalidated(self) -> bool:
        """True if this process has invalidated something of the account since the request began. No round trip.

        A page is not served again after that: a visitor who books must see the change at once. Nor is one that did
        without an item, once this process has a value of it.
        """
        if self._cache.invalidations != self._invalidations:
            return True
        # The usual page lacks nothing.
        return bool(self._missing) and any(self._cache.local_value(item) is not None for item in self._missing)

    def is_overdue(self, now: float) -> bool:
        """Return True if something that was read should have been refreshed by now. `now`: Unix seconds."""
        return _is_overdue(self._reads, now)

    def is_current(self, *, refresh: bool = True) -> bool:
        """Return True when reading all of it again would give the same.

        Costs at most two round trips to the cache. With `refresh`, what is due is fetched in the background.
        """
        return self._cache.is_current(self._reads, missing=self._missing, refresh=refresh)


def _is_overdue(reads: Iterable[tuple[CacheItem[Any], Cached[Any]]], now: float) -> bool:
    return any(now - cached.fetched_at >= max(item.lifetime.fresh, OPEN_PAGE_SECONDS) for item, cached in reads)
