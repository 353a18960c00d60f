"""Rate limits of the sandbox: a sliding-window log, so no 60 seconds ever contain more requests than the limit.

Kordless documents the numbers but not the kind of window. A sliding window is the strictest kind: a client that stays
within it also stays within fixed windows.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from .response import ApiError

if TYPE_CHECKING:
    from .clock import Clock
    from .store import Store


@dataclass(frozen=True)
class Limits:
    """Maximum numbers of requests per window. None: no limit."""

    general: int | None = 60
    """Requests per API key, creations included. Documented by Kordless."""
    creations: int | None = 10
    """Booking creations per API key. Documented by Kordless."""
    contact: int | None = 30
    """Requests per confirmation number, existing or not, in the operations without a key. Assumed."""
    window: float = 60.0
    """Seconds."""
    retry_after: bool = False
    """True: add Retry-After to a 429. Undocumented by Kordless."""

    @classmethod
    def off(cls) -> Limits:
        """Return limits that limit nothing."""
        return cls(general=None, creations=None, contact=None)


class Limiter:
    """Rate limiter that counts in the store, for all processes. Refused requests don't count."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @property
    def limits(self) -> Limits:
        """The limits in force, shared by all processes on the store."""
        return Limits(**(self._store.get_setting("limits") or {}))

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._store.set_setting("limits", asdict(limits))

    def keyed(self, key: str, *, creation: bool) -> dict[str, str]:
        """Count a request with an API key, and return the headers of its narrowest limit. Raises ApiError (429)."""
        limits = self.limits
        buckets = [(f"key {key}", limits.general)]
        if creation:
            buckets.append((f"creations {key}", limits.creations))
        return self._count(buckets, limits)

    def contact(self, number: str) -> dict[str, str]:
        """Count a request about a confirmation number, and return its headers. Raises ApiError (429)."""
        limits = self.limits
        # Cut and in upper case, as numbers are case-insensitive: spellings of one number share a bucket.
        return self._count([(f"number {number[:40].upper()}", limits.contact)], limits)

    def _count(self, buckets: list[tuple[str, int | None]], limits: Limits) -> dict[str, str]:
        headers: dict[str, str] = {}
        with self._store.write() as db:
            advanced = self._clock.advanced()
            now = time.time() + advanced
            # "at > now + 1" is left over from before the clock was moved back.
            db.execute("DELETE FROM hits WHERE at <= ? OR at > ?", (now - limits.window, now + 1))
            full = False
            for bucket, limit in buckets:
                if limit is None:
                    continue
                # The last bucket's headers are sent, or those of the first full one.
                found = db.execute("SELECT count(*), min(at) FROM hits WHERE bucket = ?", (bucket,)).fetchone()
                used, oldest = int(found[0]), float(found[1] or now)
                headers = {
                    "X-RateLimit-Limit": str(limit),
                    "X-RateLimit-Remaining": str(max(0, limit - used - 1)),
                    # When the oldest request leaves the window, in the client's (real) time.
                    "X-RateLimit-Reset": str(math.ceil(oldest + limits.window - advanced)),
                }
                full = used >= limit
                if full:
                    break
            if not full:
                db.executemany("INSERT INTO hits VALUES (?, ?)", [(bucket, now) for bucket, _ in buckets])
        # Outside of the transaction: an exception inside would roll back the deletions above.
        if full:
            if limits.retry_after:
                headers["Retry-After"] = str(max(1, int(headers["X-RateLimit-Reset"]) - int(time.time())))
            raise ApiError(429, "too many requests, slow down", headers)
        return headers
