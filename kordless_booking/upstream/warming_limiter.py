"""Limit of warming: how much of the quota may be used for values that nobody waits for.

Each call has to take one of 20 numbered permits, as calls take those of the rate limiter: so all processes together
send at most 20 in a minute. And most of the permits for pages must be free, so that warming ends before visitors need
them.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from kordless_booking.exceptions import TooMany

from .keys import cache_key
from .permits import first_free_at, take_permit
from .rate_limiter import PERMIT_SECONDS, exhausted_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kordless_booking.clock import Clock

    from .fallback_cache import FallbackCache
    from .memory_cache import Storable
    from .rate_limiter import BrowsePermits

CALLS_PER_MINUTE: Final = 20
"""Calls a minute, of all processes together: a third of the documented quota."""
RESERVED_FOR_PAGES: Final = 25
"""Permits for pages that warming leaves alone; of a small quota five ninths."""

is_warming: ContextVar[bool] = ContextVar("is_warming", default=False)
"""True while values are warmed. The gate limits such calls further."""


class WarmingLimiter:
    """Hands out the permits of warming, for one API key. A process that counts alone has one part in `processes`."""

    def __init__(self, cache: FallbackCache, *, account: str, clock: Clock, processes: int = 1) -> None:
        self._cache = cache
        self._clock = clock
        self._permit_keys = [cache_key(account, "warming", str(number)) for number in range(CALLS_PER_MINUTE)]
        self._part = max(1, CALLS_PER_MINUTE // processes)
        self._exhausted = exhausted_key(account)

    def keys(self) -> list[str]:
        """Return the cache keys to read, in one round trip, before `may_call` or `acquire`."""
        return [*self._permit_keys, self._exhausted]

    def may_call(self, found: Mapping[str, Storable], permits: BrowsePermits) -> bool:
        """Return True if a call may be made now. `found` is what the cache holds under `keys()`. Takes nothing."""
        reserved = min(RESERVED_FOR_PAGES, permits.total * 5 // 9)
        return (
            self._exhausted not in found
            and permits.free > reserved
            and any(permit not in found for permit in self._permits())
        )

    def acquire(self, operation: str, found: Mapping[str, Storable], permits: BrowsePermits) -> None:
        """Take a permit for a call that is made at once. Raises TooMany."""
        now = self._clock.now()
        free_at = now + PERMIT_SECONDS
        if not self.may_call(found, permits) or not take_permit(
            self._cache, self._permits(), found, free_at=free_at, timeout=PERMIT_SECONDS
        ):
            seconds = max(1, round(first_free_at(self._permits(), found, now) - now))
            raise TooMany(operation=operation, reason="warming", retry_after=seconds)

    def _permits(self) -> list[str]:
        return self._permit_keys if self._cache.up else self._permit_keys[: self._part]
