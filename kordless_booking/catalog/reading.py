"""Request-scoped view of the read-through cache.

Each item is read once per request, and several in one round trip. All reads are recorded, so that the rendered page can
be served again for as long as reading again would give the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from kordless_booking.exceptions import KeyRefused

    from .kept import Held, Item, Kept
    from .shelf import Shelf

__all__ = ["AsRead", "Reading", "changes"]

T = TypeVar("T")


class Reading:
    """Request-scoped view of the cache: what was read stays the same until this request itself invalidates something.

    With `at_hand`, only cached values are read, and nothing is fetched from Kordless.
    """

    def __init__(self, shelf: Shelf, *, at_hand: bool = False) -> None:
        self._shelf = shelf
        self._read_one: Callable[[Item[Any], Held | None], Kept[Any]] = shelf.lying if at_hand else shelf.read
        self._looked: dict[tuple[str, ...], Held] = {}
        self._read: dict[tuple[str, ...], tuple[Item[Any], Kept[Any]]] = {}

    def look(self, *items: Item[Any]) -> None:
        """Load all of these in one round trip, so that reading them needs none of its own."""
        new = [item for item in items if item.parts not in self._looked]
        for item, held in zip(new, self._shelf.look(*new), strict=True):
            self._looked[item.parts] = held

    def read(self, item: Item[T]) -> Kept[T]:
        """Return the value as `ReadThroughCache.read` does (or `read_cached`), but only once per request."""
        noted = self._read.get(item.parts)
        if noted is None:
            noted = self._read[item.parts] = item, self._read_one(item, self._looked.get(item.parts))
        kept: Kept[T] = noted[1]
        return kept

    def forget(self, *group: str) -> None:
        """Invalidate a group, as `ReadThroughCache.invalidate` does, and drop all that this request has read."""
        self._changed()
        self._shelf.forget(*group)

    def refuse(self, error: KeyRefused) -> None:
        """Mark the key as refused, as `ReadThroughCache.mark_key_refused` does."""
        self._changed()
        self._shelf.refuse(error)

    def as_read(self) -> AsRead:
        """Return what has been read so far, to be validated later."""
        return AsRead(self._shelf, list(self._read.values()))

    def _changed(self) -> None:
        global _count  # noqa: PLW0603 (one number for the whole process)
        # Not locked: it is compared for equality only, so two invalidations at once may count as one.
        _count += 1
        self._looked.clear()
        self._read.clear()


class AsRead:
    """Snapshot of what a page was made from, without the values themselves."""

    def __init__(self, shelf: Shelf, reads: list[tuple[Item[Any], Kept[Any]]]) -> None:
        self._shelf = shelf
        # The values are not needed to compare, and a stored page would keep them alive.
        self._reads = [(item, replace(kept, value=None)) for item, kept in reads]

    def still(self, *, refresh: bool = True) -> bool:
        """Return True when reading all of it again would give the same.

        Costs at most two round trips to the cache. With `refresh`, what is due is fetched in the background.
        """
        return self._shelf.unchanged(self._reads, refresh=refresh)


def changes() -> int:
    """Return how often this process has invalidated something.

    Pages stored before an invalidation of this process are not served after it: who books must see the change at once.
    """
    return _count


_count = 0
