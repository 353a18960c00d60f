"""Request-scoped view of the read-through cache.

Each item is read once per request, and several in one round trip. All reads are recorded, so that the rendered page can
be served again for as long as reading again would give the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

    from kordless_booking.exceptions import KeyRefused

    from .entries import Cached, CacheItem, LocalEntry
    from .read_through import ReadThroughCache

T = TypeVar("T")


class RequestView:
    """Request-scoped view of the cache: what was read stays the same until this request itself invalidates something.

    With `at_hand`, only cached values are read, and nothing is fetched from Kordless.
    """

    def __init__(self, shelf: ReadThroughCache, *, at_hand: bool = False) -> None:
        self._shelf = shelf
        self._at_hand = at_hand
        self.changes_before = invalidation_count()
        self._looked: dict[tuple[str, ...], LocalEntry] = {}
        self._begun: dict[tuple[str, ...], Future[LocalEntry | None]] = {}
        self._read: dict[tuple[str, ...], tuple[CacheItem[Any], Cached[Any]]] = {}

    @property
    def fetches_ahead(self) -> bool:
        """True, unless nothing may be fetched at all (`at_hand`)."""
        return not self._at_hand

    def lookup(self, *items: CacheItem[Any]) -> list[LocalEntry]:
        """Load all of these in one round trip, so that reading them needs none of its own."""
        looked = self._looked
        if new := [item for item in items if item.parts not in looked]:
            looked |= {item.parts: held for item, held in zip(new, self._shelf.lookup(*new), strict=True)}
        return [looked[item.parts] for item in items]

    def needs_fetch(self, item: CacheItem[Any]) -> bool:
        """Return True if `read` would have to fetch, and nobody in this process is fetching the item yet."""
        if self._at_hand or item.parts in self._read or item.parts in self._begun:
            return False
        return self._shelf.needs_fetch(item, self.lookup(item)[0])

    def is_fetching(self, item: CacheItem[Any]) -> bool:
        """Return True if this process is fetching the item, as `ReadThroughCache.is_under_way` does."""
        return self._shelf.is_fetching(item)

    def start_fetch(self, item: CacheItem[Any]) -> Future[LocalEntry | None] | None:
        """Start to fetch an item that `must_fetch`, as `ReadThroughCache.begin` does. `read` then waits for it."""
        begun = self._shelf.start_fetch(item)
        if begun is not None:
            self._begun[item.parts] = begun
        return begun

    def read(self, item: CacheItem[T]) -> Cached[T]:
        """Return the value of `ReadThroughCache.read`, or of `read_cached` with `at_hand`; in later reads, the same.

        Raises KordlessError. An error isn't remembered: the next read tries again.
        """
        read = self._read
        noted = read.get(item.parts)
        if noted is None:
            noted = read[item.parts] = item, self._read_one(item)
        kept: Cached[T] = noted[1]
        return kept

    def _read_one(self, item: CacheItem[T]) -> Cached[T]:
        held = self._looked.get(item.parts)
        if self._at_hand:
            return self._shelf.read_cached(item, held)
        if held is not None and self._shelf.needs_wait(item, held):
            # While this request waits, fetches of other pages may bring what was missing, so look again afterward.
            self._looked = {}
        return self._shelf.read(item, held, self._begun.get(item.parts))

    def invalidate(self, *group: str) -> None:
        """Invalidate a group, as `ReadThroughCache.invalidate` does, and drop all that this request has read."""
        self._changed()
        self._shelf.invalidate(*group)

    def mark_key_refused(self, error: KeyRefused) -> None:
        """Mark the key as refused, as `ReadThroughCache.mark_key_refused` does."""
        self._changed()
        self._shelf.mark_key_refused(error)

    def snapshot(self) -> ReadSnapshot:
        """Return what has been read so far, to be validated later."""
        return ReadSnapshot(self._shelf, list(self._read.values()))

    def _changed(self) -> None:
        global _invalidation_count  # noqa: PLW0603 (one number for the whole process)
        # Not locked: it is compared for equality only, so two invalidations at once may count as one.
        _invalidation_count += 1
        # New dicts instead of `clear()`: a fetch that was begun may invalidate something from its own thread, while
        # this request's thread still uses the old dicts.
        self._looked, self._begun, self._read = {}, {}, {}


class ReadSnapshot:
    """Record of the reads that a page was rendered from, without the values, to check later if they are current."""

    def __init__(self, shelf: ReadThroughCache, reads: list[tuple[CacheItem[Any], Cached[Any]]]) -> None:
        self._shelf = shelf
        # The values are not needed to compare, and a stored page would keep them alive.
        self._reads = [(item, replace(kept, value=None)) for item, kept in reads]

    def is_current(self, *, refresh: bool = True) -> bool:
        """Return True when reading all of it again would give the same.

        Costs at most two round trips to the cache. With `refresh`, what is due is fetched in the background.
        """
        return self._shelf.is_current(self._reads, refresh=refresh)


def invalidation_count() -> int:
    """Return how often this process has invalidated something.

    Pages stored before an invalidation of this process are not served after it: a visitor who books must see the change
    at once.
    """
    return _invalidation_count


_invalidation_count = 0
