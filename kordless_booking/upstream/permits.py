"""Permits: numbered keys in the cache, each of which can be taken once in a time window.

With n keys, no more than n uses fit into the window. `cache.add` has one winner among all processes, so there is no
counter that could drift, and a permit that is never released expires by itself. The rate limiter counts the requests of
an API key in this way, and the throttle of the forms the requests of a visitor.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .fallback_cache import FallbackCache
    from .memory_cache import Storable


def take_permit(
    cache: FallbackCache, keys: Iterable[str], found: Mapping[str, Storable], *, free_at: float, timeout: int
) -> str | None:
    """Take a free permit and return its key; None if all of `keys` are taken.

    `found` is what the cache holds under `keys`. The permit expires after `timeout` seconds. `free_at`, in Unix
    seconds, is stored in it for `first_free_at`.
    """
    free = [key for key in keys if key not in found]
    # Processes that read the same snapshot would otherwise all try for the same permit.
    random.shuffle(free)
    # `found` may be out of date by now: `add` decides who gets a permit, and the loser tries the next one.
    return next((key for key in free if cache.add(key, to_millis(free_at), timeout)), None)


def first_free_at(keys: Iterable[str], found: Mapping[str, Storable], default: float) -> float:
    """Return when the first of these permits will be free, in Unix seconds.

    `default` if `found` has no time: others have taken all permits since it was read.
    """
    moments = [found[key] for key in keys if isinstance(found.get(key), int)]
    return min(map(from_millis, moments), default=default)


def to_millis(moment: float) -> int:
    """Convert Unix seconds to milliseconds: an integer, because every cache backend returns integers unchanged."""
    return round(moment * 1000)


def from_millis(stored: Storable | None) -> float:
    """Convert back to Unix seconds, whatever the sign. 0.0 for anything but an integer, which we didn't write."""
    return abs(stored) / 1000 if isinstance(stored, int) else 0.0
