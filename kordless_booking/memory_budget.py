"""Memory budgets: caches in this process that are bounded by their bytes, some of them together.

A number of entries bounds nothing: a page of 300 services is a hundred times a page of three, and fifty accounts have
fifty caches. So each entry is charged with an estimate of its bytes, and the oldest entries go first, whichever cache
of the budget they are in.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any, Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

ENTRY_BYTES: Final = 1024
"""Charged for each entry beside its content: key, record and bookkeeping."""


class MemoryBudget:
    """Bytes that all `BoundedDict`s of this budget have together. Safe to share between threads."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        # In the order of insertion. The dicts are weakly referenced: one that is dropped frees its entries by itself.
        self._charges: dict[tuple[int, Any], tuple[weakref.ref[BoundedDict[Any, Any]], int]] = {}
        self._used = 0
        self._guard = threading.RLock()

    @property
    def used_bytes(self) -> int:
        """Bytes that are charged now."""
        return self._used

    def _put(self, owner: BoundedDict[K, V], key: K, value: V, size: int) -> None:
        with self._guard:
            self._remove(owner, key)
            # Larger than everything together: not stored, rather than to evict all others for it.
            if size > self.max_bytes:
                return
            owner._entries[key] = value
            self._charges[id(owner), key] = (weakref.ref(owner), size)
            self._used += size
            if len(owner._entries) > owner.max_entries:
                self._remove(owner, next(iter(owner._entries)))
            while self._used > self.max_bytes:
                oldest = next(iter(self._charges))
                found, charged = self._charges.pop(oldest)
                self._used -= charged
                if (other := found()) is not None:
                    other._entries.pop(oldest[1], None)

    def _remove(self, owner: BoundedDict[K, V], key: K) -> V | None:
        with self._guard:
            _owner, charged = self._charges.pop((id(owner), key), (None, 0))
            self._used -= charged
            return owner._entries.pop(key, None)


class BoundedDict(Generic[K, V]):
    """Dict with at most `max_entries`, whose bytes are charged to a budget. The oldest entry is evicted first.

    Reading takes no lock, and doesn't make an entry younger.
    """

    def __init__(self, budget: MemoryBudget, *, max_entries: int = sys.maxsize) -> None:
        self.max_entries = max_entries
        self._budget = budget
        self._entries: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """Return the value, or None."""
        return self._entries.get(key)

    def put(self, key: K, value: V, size: int) -> None:
        """Store a value as the newest entry. `size` is its bytes."""
        self._budget._put(self, key, value, size + ENTRY_BYTES)

    def pop(self, key: K) -> V | None:
        """Remove and return the value, or None."""
        return self._budget._remove(self, key)

    def clear(self) -> None:
        """Remove everything."""
        for key in list(self._entries):
            self.pop(key)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[K]:
        # A copy: another thread may change the dict meanwhile.
        return iter(list(self._entries))

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._entries!r})"


def text_bytes(*values: object) -> int:
    """Return the bytes of values made of texts, numbers, lists and tuples. What occurs several times counts once."""
    size, seen, waiting = 0, set[int](), list(values)
    while waiting:
        value = waiting.pop()
        # A class is there anyway. Names of fields are the same objects in each of a hundred dicts.
        if isinstance(value, type) or id(value) in seen:
            continue
        seen.add(id(value))
        # `getsizeof` knows that a text of Arabic takes two bytes for each character, and one with an emoji four.
        size += sys.getsizeof(value)
        if isinstance(value, tuple | list):
            waiting += value
    return size
