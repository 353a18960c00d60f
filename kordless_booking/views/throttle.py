"""Throttle: counts uses by permits (`upstream/permits.py`), in one or several buckets at once.

A use takes a permit in each of its buckets, or in none if one is full. It may be given back, for uses that turn out not
to count.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from kordless_booking.booking.hashes import client_hash
from kordless_booking.upstream.permits import first_free_at, take_permit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kordless_booking.upstream.fallback_cache import FallbackCache
    from kordless_booking.upstream.memory_cache import Storable
    from kordless_booking.views.client_address import Bucket

MAX_SAMPLE: Final = 32
"""Permits of a wide bucket that one use looks at, picked at random.

So no use reads hundreds of keys, and the limit still holds: it may be reached a little early. With nine of ten permits
taken, 3 % of the uses find none that is free.
"""


@dataclass(frozen=True)
class PermitKeys:
    """Keys of the permits of one bucket in the cache, as far as a use looks at them."""

    keys: tuple[str, ...]

    @classmethod
    def build(cls, scope: str, bucket: Bucket, limit: int) -> PermitKeys:
        """Build the keys. `scope` names account and rule; buckets of different scopes are counted separately."""
        # One hash for all keys: it takes longer than all the rest of a check.
        digest = client_hash("throttle", f"{scope}\0{bucket.identity}")[:40]
        size = limit * bucket.factor
        is_small = bucket.factor == 1 or size <= MAX_SAMPLE
        numbers = range(size) if is_small else random.sample(range(size), MAX_SAMPLE)
        return cls(tuple(f"kb:throttle:{digest}:{number}" for number in numbers))

    def is_full(self, found: Mapping[str, Storable]) -> bool:
        return all(key in found for key in self.keys)

    def is_empty(self, found: Mapping[str, Storable]) -> bool:
        return not any(key in found for key in self.keys)


@dataclass(frozen=True)
class Use:
    """One use that was asked for."""

    permits: tuple[str, ...] = ()
    """Keys of the permits that it has taken."""
    seconds: int = 0
    """0 when it is allowed, else the seconds until it may be."""
    cache: FallbackCache | None = None
    """Cache that holds the permits; None when there are none."""

    def release(self) -> None:
        """Give its permits back, because it doesn't count."""
        if self.cache is not None:
            self.cache.delete_many(self.permits)


def read_permits(cache: FallbackCache, buckets: Sequence[PermitKeys]) -> dict[str, Storable]:
    """Return what the cache holds of the buckets' permits, in one round trip."""
    return cache.get_many([key for bucket in buckets for key in bucket.keys])


def take_use(
    cache: FallbackCache,
    buckets: Sequence[PermitKeys],
    *,
    seconds: int,
    now: float,
    found: Mapping[str, Storable] | None = None,
) -> Use:
    """Take a permit for `seconds` in each bucket. `now` is in Unix seconds; `found` as of `read_permits`."""
    found = read_permits(cache, buckets) if found is None else found
    free_at = now + seconds
    # All are looked at before one is taken: a use that a wide bucket refuses must not use up the narrow one.
    if any(bucket.is_full(found) for bucket in buckets):
        return refuse_use(buckets, found, seconds=seconds, now=now)
    permits: list[str] = []
    for bucket in buckets:
        permit = take_permit(cache, bucket.keys, found, free_at=free_at, timeout=seconds)
        if permit is None:
            # Others were quicker since it was read.
            cache.delete_many(permits)
            return refuse_use([bucket], found, seconds=seconds, now=now)
        permits.append(permit)
    return Use(tuple(permits), cache=cache)


def refuse_use(buckets: Sequence[PermitKeys], found: Mapping[str, Storable], *, seconds: int, now: float) -> Use:
    """Return a refused use, with the time until all full buckets have a free permit."""
    full = [bucket for bucket in buckets if bucket.is_full(found)] or buckets
    free_at = max(first_free_at(bucket.keys, found, now + seconds) for bucket in full)
    return Use(seconds=min(max(1, ceil(free_at - now)), seconds))
