"""Cache of what is computed from a month of slots, bounded by the number of slots that it keeps alive."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from kordless_booking.api.resources import Slot

P = ParamSpec("P")
T = TypeVar("T")

MAX_ENTRIES: Final = 128
"""Entries of one cache, each for a service's month and, for instance, a host and a party size."""
MAX_CACHED_SLOTS: Final = 200_000
"""Slots in all entries of one cache, about 25 MB. Without this limit, a business with 15,000 slots a month would fill
the entries with outdated months of 2 MB each: every refresh brings a new one.
"""


class SlotsKey(Protocol):
    """Cache key that stands for a tuple of slots."""

    @property
    def slots(self) -> tuple[Slot, ...]: ...

    def __hash__(self) -> int: ...


K = TypeVar("K", bound=SlotsKey)


def cached_by_slots(compute: Callable[Concatenate[K, P], T]) -> Callable[Concatenate[K, P], T]:
    """Cache the results of a function by its arguments; the least recently used go first.

    The first argument is the key of the slots.
    """
    entries: OrderedDict[tuple[Hashable, ...], tuple[T, int]] = OrderedDict()
    lock = threading.Lock()
    size = 0

    @functools.wraps(compute)
    def cached(slots: K, /, *args: P.args, **kwargs: P.kwargs) -> T:
        nonlocal size
        key: tuple[Hashable, ...] = (slots, *args, *sorted(kwargs.items())) if kwargs else (slots, *args)
        with lock:
            found = entries.get(key)
            if found is not None:
                entries.move_to_end(key)
                return found[0]
        result = compute(slots, *args, **kwargs)
        with lock:
            if key not in entries:
                entries[key] = result, len(slots.slots)
                size += len(slots.slots)
            # Never the entry that was just added: the next visitor needs it.
            while len(entries) > 1 and (len(entries) > MAX_ENTRIES or size > MAX_CACHED_SLOTS):
                size -= entries.popitem(last=False)[1][1]
        return result

    return cached
