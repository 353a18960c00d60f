"""Gate of the HTTP session: applies rate limiters and circuit breakers to every single HTTP attempt, retries included.

Each attempt costs three round trips to the cache: one read, one `add` for the permit, one `set` to release it.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kordless_booking.api.responses import CONTACT_AUTHENTICATED
from kordless_booking.clock import Clock
from kordless_booking.exceptions import TooMany
from kordless_booking.logs import LogThrottle, log_event
from kordless_booking.upstream.circuit_breaker import Admission, CircuitBreaker, CircuitState
from kordless_booking.upstream.rate_limiter import BrowsePermits, Permit, Quota, RateLimiter, Usage
from kordless_booking.upstream.waiting_list import WaitingList
from kordless_booking.upstream.warming_limiter import WarmingLimiter, is_warming
from kordless_booking.upstream.worker import is_parallel_fetch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kordless_booking.api.session import ResponseMeta
    from kordless_booking.upstream.fallback_cache import FallbackCache
    from kordless_booking.upstream.memory_cache import Storable

logger = logging.getLogger(__name__)

MAX_SKEW_SECONDS: Final = 120
"""Seconds that the two clocks may differ before it is logged."""
LOG_INTERVAL_SECONDS: Final = 3600.0
"""Minimum seconds between two log lines of one process about clock skew."""


def seconds_ahead(response: ResponseMeta, now: float) -> float | None:
    """Return by how many seconds Kordless's clock is ahead of `now` (Unix seconds), negative when behind.

    None when the response has no Date.
    """
    return None if response.date is None else response.date - now


BROWSE_OPERATIONS = frozenset({"organization", "service", "availability"})
"""Operations of the "browse" circuit: when reading is slow, booking must not be cut off. A creation is "booking"; the
operations that are authenticated by a contact are "contact", because their troubles say nothing about the key's.
"""


@dataclass(frozen=True, slots=True)
class GateState:
    """State of an API key: circuits and quota."""

    circuits: tuple[CircuitState, ...]
    usage: Usage
    """Of the key's quota."""
    contact_usage: Usage
    """Of the quota of lookups and changes, which carry no key."""
    shared: bool
    """All processes are counted together; False when this process counts alone."""


class UpstreamGate:
    """Rate limiters and circuit breakers of one API key, as the `Gate` that the HTTP session knows.

    The operations without a key have a limiter and a breaker of their own.

    Call `before` and `after`, or `cancel`, of one attempt in the same thread. Accounts that share an API key must share
    `account`.
    """

    def __init__(
        self,
        cache: FallbackCache,
        *,
        account: str,
        quota: Quota | None = None,
        processes: int = 1,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or Clock()
        # Permits and probes need an atomic `add`. Where the cache has none, this process counts alone in its memory.
        whole, cache = cache, cache.atomic_view()
        self._counts_for_all = cache is whole
        self._cache = cache
        quota = quota or Quota()
        self._rate_limiter = RateLimiter(cache, account=account, clock=clock, quota=quota, processes=processes)
        self._contact_limiter = RateLimiter(
            cache,
            account=account,
            clock=clock,
            quota=quota.without_creations(),
            processes=processes,
            ledger="contact",
        )
        self.waiting_list = WaitingList(cache, self._rate_limiter, account=account, clock=clock)
        """Waiting list of the visitors whom the quota has refused."""
        self._warming = WarmingLimiter(cache, account=account, clock=clock, processes=processes)
        self._browse = CircuitBreaker(cache, account=account, name="browse", clock=clock)
        self._booking = CircuitBreaker(cache, account=account, name="booking", clock=clock)
        self._contact = CircuitBreaker(cache, account=account, name="contact", clock=clock)
        self._clock = clock
        self._log_throttle = LogThrottle(clock)
        # `Gate` has no handle to pass from `before` to `after`: the thread is what connects the two.
        self._in_flight = threading.local()

    def before(self, operation: str) -> None:
        """Raise CircuitOpen or TooMany unless this attempt may go."""
        circuit, rate_limiter = self._circuit(operation), self._limiter(operation)
        warming_keys = self._warming.keys() if is_warming.get() else []
        found = self._cache.get_many([*circuit.keys(), *rate_limiter.keys(), *warming_keys])
        admission = circuit.allow(operation, found)
        try:
            if warming_keys:
                self._warming.acquire(operation, found, self._rate_limiter.browse_permits(found))
            permit = rate_limiter.acquire(operation, found)
        except TooMany:
            # Without this, a probe that found no permit would keep the circuit half open until the probe's key expires.
            circuit.cancel(admission)
            raise
        self._in_flight.call = (admission, permit)

    def after(self, operation: str, response: ResponseMeta | None) -> None:
        """Record how the attempt went; `response` is None when there was no usable response."""
        call: tuple[Admission, Permit] | None = getattr(self._in_flight, "call", None)
        # No matching `before`, or a second `after`: there is nothing to release.
        if call is None:
            return
        self._in_flight.call = None
        admission, permit = call
        self._limiter(operation).release(permit, operation, response)
        self._circuit(operation).record(admission, response, parallel=is_parallel_fetch.get())
        if response is not None:
            self._log_clock_skew(response)

    def cancel(self, operation: str) -> None:
        """Undo `before` of an attempt that was never sent: it says nothing about Kordless, and costs nothing there."""
        call: tuple[Admission, Permit] | None = getattr(self._in_flight, "call", None)
        if call is None:
            return
        self._in_flight.call = None
        admission, permit = call
        self._limiter(operation).cancel(permit)
        self._circuit(operation).cancel(admission)

    def mark_draft_open(self) -> None:
        """Mark that somebody fills in a contact form or waits with one, so that no creation's permit is lent."""
        self._rate_limiter.mark_draft_open()

    def open_circuits(self) -> dict[str, int]:
        """Return the open circuits ("browse", "booking", "contact") and for how many more seconds each is open."""
        found = self._cache.get_many(self._circuit_keys())
        return {state.name: state.seconds for state in self._states(found) if state.seconds}

    def takes_several(self) -> bool:
        """Return True if calls may be made in parallel. After an outage one call probes, and others are refused."""
        return self._browse.state(self._cache.get_many(self._browse.keys())).state == "closed"

    def browse_permits(self) -> BrowsePermits:
        """Return how many permits pages may still take, with one cache read. Takes none and sends nothing."""
        return self._rate_limiter.browse_permits(self._cache.get_many(self._rate_limiter.keys()))

    def may_warm(self) -> bool:
        """Return True if a call for warming may be made now, with one cache read. Takes no permit and sends nothing.

        Never in an outage: such a call would be a probe, or mark what is cached as degraded.
        """
        keys = [*self._browse.keys(), *self._rate_limiter.keys(), *self._warming.keys()]
        found = self._cache.get_many(keys)
        is_closed = self._browse.state(found).state == "closed"
        return is_closed and self._warming.may_call(found, self._rate_limiter.browse_permits(found))

    def state(self) -> GateState:
        """Return the state of circuits and quota with one cache read. Takes no permit and sends nothing."""
        permits = [*self._rate_limiter.keys(), *self._contact_limiter.keys()]
        found = self._cache.get_many([*permits, *self._circuit_keys()])
        return GateState(
            circuits=self._states(found),
            usage=self._rate_limiter.usage(found),
            contact_usage=self._contact_limiter.usage(found),
            shared=self._counts_for_all and self._cache.up,
        )

    def _log_clock_skew(self, response: ResponseMeta) -> None:
        ahead = seconds_ahead(response, self._clock.now())
        if (
            ahead is not None
            and abs(ahead) > MAX_SKEW_SECONDS
            and self._log_throttle.is_due("clock_skew", LOG_INTERVAL_SECONDS)
        ):
            log_event(logger, logging.WARNING, "clock_skew", seconds=round(ahead))

    def _states(self, found: Mapping[str, Storable]) -> tuple[CircuitState, ...]:
        return self._browse.state(found), self._booking.state(found), self._contact.state(found)

    def _circuit_keys(self) -> list[str]:
        return [*self._browse.keys(), *self._booking.keys(), *self._contact.keys()]

    def _circuit(self, operation: str) -> CircuitBreaker:
        if operation in CONTACT_AUTHENTICATED:
            return self._contact
        return self._browse if operation in BROWSE_OPERATIONS else self._booking

    def _limiter(self, operation: str) -> RateLimiter:
        return self._contact_limiter if operation in CONTACT_AUTHENTICATED else self._rate_limiter
