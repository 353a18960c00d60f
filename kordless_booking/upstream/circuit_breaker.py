"""Circuit breaker for each account and class of operation: a dead Kordless costs visitors milliseconds, not seconds.

::

    closed ── 5 more calls have failed than succeeded ──▶ open, for 15 s
       ▲                                                   │         ▲
       └── it succeeds ── half open: one call may try ◀────┘         │
                                       └────────── it fails ─────────┘

One rule covers two kinds of outage: five failures in a row, and more than half of the calls failing, if never five in a
row. A failure adds a numbered key to the cache, and a success deletes one. So all processes count together, `cache.add`
loses no failure as a read-modify-write could, and nothing is written while all is well. The keys are read in the same
round trip as those of the rate limiter, so a call that succeeds costs nothing extra. No clocks of different machines
are compared: a state ends when its key expires from the cache.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from kordless_booking.api.responses import MAX_WAIT_SECONDS
from kordless_booking.exceptions import CircuitOpen
from kordless_booking.logs import log_event

from .keys import cache_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kordless_booking.api.session import ResponseMeta
    from kordless_booking.clock import Clock

    from .fallback_cache import FallbackCache
    from .memory_cache import Storable

logger = logging.getLogger(__name__)

FAILURE_THRESHOLD = 5
"""By how many calls the failures must outnumber the successes to open the circuit."""
OPEN_SECONDS = 15
"""Seconds that the circuit stays open, unless Kordless named a time (503 with Retry-After)."""
MAX_OPEN_SECONDS = MAX_WAIT_SECONDS
"""Maximum seconds that a Retry-After may keep the circuit open."""
PROBE_SECONDS = 30
"""Seconds after which another call may probe if the first probe never reported. Above the 25 seconds that the settings
allow for a call at most.
"""
FAILURE_TTL_SECONDS = 600
"""Seconds until a failure no longer counts, and until an open circuit that nobody probed closes by itself."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Permission for one call, to be given back to `record` or `cancel`."""

    probe: bool
    """The circuit is half open, and this is the one call that tries."""
    failure_key: str | None = None
    """Key of the last counted failure, which a success of this call deletes."""


@dataclass(frozen=True, slots=True)
class CircuitState:
    """State of a circuit, for the doctor and the health check."""

    name: str
    state: str
    """ "closed", "open" or "half open"."""
    seconds: int = 0
    """Seconds for which it stays open; 0 when it is not."""
    failures: int = 0
    """By how many calls the failures outnumber the successes so far, of the `FAILURE_THRESHOLD` that open it."""


class CircuitBreaker:
    """Circuit breaker of one class of operations, such as "browse", "booking" or "contact"."""

    def __init__(self, cache: FallbackCache, *, account: str, name: str, clock: Clock) -> None:
        self._cache = cache
        self._name = name
        self._clock = clock
        self._open = cache_key(account, "circuit", name, "open")
        # Outlives `_open`: tripped without open means half open.
        self._tripped = cache_key(account, "circuit", name, "tripped")
        self._probe = cache_key(account, "circuit", name, "probe")
        self._failure_keys = [cache_key(account, "circuit", name, "failure", str(n)) for n in range(FAILURE_THRESHOLD)]

    def keys(self) -> list[str]:
        """Return the cache keys to read, in one round trip, before `allow`."""
        return [self._open, self._tripped, *self._failure_keys]

    def allow(self, operation: str, found: Mapping[str, Storable]) -> Admission:
        """Admit a call, given what was `found` under `keys()`. Raises CircuitOpen with the seconds to wait."""
        if retry_after := self.seconds_open(found):
            raise CircuitOpen(operation=operation, reason="circuit_open", retry_after=retry_after)
        if self._tripped not in found:
            failure_key = next((key for key in reversed(self._failure_keys) if key in found), None)
            return Admission(probe=False, failure_key=failure_key)
        # One winner among all processes: the others stay out until the probe has reported.
        if not self._cache.add(self._probe, 1, PROBE_SECONDS):
            raise CircuitOpen(operation=operation, reason="circuit_probing", retry_after=1)
        return Admission(probe=True)

    def state(self, found: Mapping[str, Storable]) -> CircuitState:
        """Return the state, given what was `found` under `keys()`. Changes nothing."""
        failures = sum(key in found for key in self._failure_keys)
        if seconds := self.seconds_open(found):
            return CircuitState(self._name, "open", seconds, failures)
        return CircuitState(self._name, "half open" if self._tripped in found else "closed", 0, failures)

    def seconds_open(self, found: Mapping[str, Storable]) -> int:
        """Return for how many seconds nothing is sent; 0 when the circuit is not open.

        `found` is what the cache holds under `keys()`.
        """
        if self._open not in found:
            return 0
        until = found[self._open]
        # The key's presence alone opens the circuit. Its value is for Retry-After, and may come from a machine whose
        # clock is off, hence the bounds.
        seconds = until - self._clock.now() if isinstance(until, int) else OPEN_SECONDS
        return max(1, min(MAX_OPEN_SECONDS, ceil(seconds)))

    def cancel(self, admission: Admission) -> None:
        """Cancel an admission whose call was not made, so that another call may be the probe."""
        if admission.probe:
            self._cache.delete_many([self._probe])

    def record(self, admission: Admission, response: ResponseMeta | None, *, parallel: bool = False) -> None:
        """Record how the call went.

        No response and 5xx are failures. A 4xx is a success here: it shows that Kordless works. `parallel`: the call
        was one of several that a page made in parallel. Its failure isn't counted, or one cold page would open the
        circuit.
        """
        failed = response is None or (response.failed and not 400 <= response.status < 500)
        if failed and parallel and not admission.probe:
            return
        if not failed:
            if admission.probe:
                self._close()
            elif admission.failure_key:
                # Calls that succeed at the same moment may delete the same key, and count as one success.
                self._cache.delete_many([admission.failure_key])
        # One is enough: with a Retry-After, Kordless itself says that it is down, and for how long.
        elif response is not None and response.status == 503 and response.retry_after:
            self._trip(min(response.retry_after, MAX_OPEN_SECONDS))
        elif admission.probe or self._count_failure():
            self._trip(OPEN_SECONDS)

    def _count_failure(self) -> bool:
        """Count one failure. Return True when the circuit has to open.

        That is when this failure takes the last free key, and also when no key is free: the process that took the last
        one may be slow to open the circuit, or may have died.
        """
        added = next((key for key in self._failure_keys if self._cache.add(key, 1, FAILURE_TTL_SECONDS)), None)
        return added in {self._failure_keys[-1], None}

    def _trip(self, seconds: int) -> None:
        log_event(logger, logging.WARNING, "circuit_opened", **{"class": self._name}, seconds=seconds)
        self._cache.set(self._open, ceil(self._clock.now() + seconds), seconds)
        self._cache.set(self._tripped, 1, FAILURE_TTL_SECONDS)
        # The probe decides from now on: old failures must not open the circuit again after it.
        self._cache.delete_many([self._probe, *self._failure_keys])

    def _close(self) -> None:
        log_event(logger, logging.WARNING, "circuit_closed", **{"class": self._name})
        self._cache.delete_many([self._tripped, self._probe, *self._failure_keys])
