"""Requests a minute, in a true sliding window: no sixty seconds ever have more than the limit."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from .answers import Refusal

if TYPE_CHECKING:
    from .clock import Clock
    from .store import Store


@dataclass(frozen=True)
class Limits:
    """How many in `window` seconds; None is no limit.

    `general` counts every request of a key, `creations` its POSTs of bookings (these count in both), `contact` the
    keyless ones for one confirmation number, known or not. Undocumented upstream: `contact`, and the Retry-After
    header that `retry_after` adds to a 429.
    """

    general: int | None = 60
    creations: int | None = 10
    contact: int | None = 30
    window: float = 60.0
    retry_after: bool = False

    @classmethod
    def off(cls) -> Limits:
        """No limits at all."""
        return cls(general=None, creations=None, contact=None)


class Limiter:
    """Counts in the store. A refused request doesn't count."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @property
    def limits(self) -> Limits:
        """The limits in force, shared by all processes on the file."""
        return Limits(**(self._store.setting("limits") or {}))

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._store.keep("limits", asdict(limits))

    def keyed(self, key: str, *, creation: bool) -> dict[str, str]:
        """Count a request of a key; answers the headers of its narrowest bucket. Raises Refusal (429)."""
        limits = self.limits
        buckets = [(f"key {key}", limits.general)]
        if creation:
            buckets.append((f"creations {key}", limits.creations))
        return self._count(buckets, limits)

    def contact(self, number: str) -> dict[str, str]:
        """Count a keyless request for a confirmation number. Raises Refusal (429)."""
        limits = self.limits
        return self._count([(f"number {number[:40].upper()}", limits.contact)], limits)

    def _count(self, buckets: list[tuple[str, int | None]], limits: Limits) -> dict[str, str]:
        headers: dict[str, str] = {}
        with self._store.write() as db:
            advanced = self._clock.advanced()
            now = time.time() + advanced
            db.execute("DELETE FROM hits WHERE at <= ? OR at > ?", (now - limits.window, now + 1))
            full = False
            for bucket, limit in buckets:
                if limit is None:
                    continue
                found = db.execute("SELECT count(*), min(at) FROM hits WHERE bucket = ?", (bucket,)).fetchone()
                used, oldest = int(found[0]), float(found[1] or now)
                headers = {
                    "X-RateLimit-Limit": str(limit),
                    "X-RateLimit-Remaining": str(max(0, limit - used - 1)),
                    "X-RateLimit-Reset": str(math.ceil(oldest + limits.window - advanced)),
                }
                full = used >= limit
                if full:
                    break
            if not full:
                db.executemany("INSERT INTO hits VALUES (?, ?)", [(bucket, now) for bucket, _ in buckets])
        if full:
            if limits.retry_after:
                headers["Retry-After"] = str(max(1, int(headers["X-RateLimit-Reset"]) - int(time.time())))
            raise Refusal(429, "too many requests, slow down", headers)
        return headers
