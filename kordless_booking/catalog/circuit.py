"""A breaker for each account and class of operation: a dead Kordless costs visitors milliseconds, not
seconds.

::

    closed ── 5 failures in a row, or more than half of at least 10 in 30 s ──▶ open, for 15 s
       ▲                                                                         │         ▲
       └────────── it succeeds ────────── half open: one call may try ◀──────────┘         │
                                                     └────────────── it fails ─────────────┘

Failures in a row are counted in the cache, for all processes, as numbered strikes that `add` puts there one
by one; the rate is counted in each process. Whether the circuit is open is read together with the budget,
so that a call that succeeds costs nothing extra. Nothing compares clocks: what has lapsed is gone from the
cache.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from kordless_booking.api.answers import LONGEST_WAIT
from kordless_booking.exceptions import CircuitOpen
from kordless_booking.logs import say

from .keys import cache_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kordless_booking.api.wire import Answer

    from .clock import Clock
    from .memory import Storable
    from .steady import SteadyCache

__all__ = ["Admission", "Circuit", "CircuitState"]

logger = logging.getLogger(__name__)

STRIKES = 5
OPEN = 15
LONGEST_OPEN = LONGEST_WAIT
PROBING = 30
REMEMBERED = 600
RATE_WINDOW = 30.0
RATE_LEAST = 10


@dataclass(frozen=True, slots=True)
class Admission:
    """A call that may go: whether it is the probe, and whether there are failures that its success would
    clear.
    """

    probe: bool
    blemished: bool


@dataclass(frozen=True, slots=True)
class CircuitState:
    """How a circuit stands: "closed", "open" for so many more `seconds`, or "half open". `strikes` are the failures in
    a row so far, of `STRIKES` that open it.
    """

    name: str
    state: str
    seconds: int = 0
    strikes: int = 0


class Circuit:
    """The breaker of one class of operations, such as "browse" or "booking"."""

    def __init__(self, cache: SteadyCache, *, account: str, name: str, clock: Clock) -> None:
        self._cache = cache
        self._name = name
        self._clock = clock
        self._open = cache_key(account, "circuit", name, "open")
        self._tripped = cache_key(account, "circuit", name, "tripped")
        self._probe = cache_key(account, "circuit", name, "probe")
        self._strikes = [cache_key(account, "circuit", name, "strike", str(n)) for n in range(STRIKES)]
        self._lock = threading.Lock()
        self._recent: deque[tuple[float, bool]] = deque()

    def keys(self) -> list[str]:
        """What to look up, in one round trip, before asking for admission."""
        return [self._open, self._tripped, *self._strikes]

    def admit(self, operation: str, found: Mapping[str, Storable]) -> Admission:
        """Let a call go, given what was `found` under `keys`. Raises CircuitOpen with the seconds to wait."""
        if retry_after := self.seconds_open(found):
            raise CircuitOpen(operation=operation, reason="circuit_open", retry_after=retry_after)
        if self._tripped not in found:
            return Admission(probe=False, blemished=any(strike in found for strike in self._strikes))
        if not self._cache.add(self._probe, 1, PROBING):
            raise CircuitOpen(operation=operation, reason="circuit_probing", retry_after=1)
        return Admission(probe=True, blemished=True)

    def state(self, found: Mapping[str, Storable]) -> CircuitState:
        """How it stands, given what was `found` under `keys`. Changes nothing."""
        strikes = sum(strike in found for strike in self._strikes)
        if seconds := self.seconds_open(found):
            return CircuitState(self._name, "open", seconds, strikes)
        return CircuitState(self._name, "half open" if self._tripped in found else "closed", 0, strikes)

    def seconds_open(self, found: Mapping[str, Storable]) -> int:
        """For how long nothing is sent, given what was `found` under `keys`; 0 when the circuit is not open."""
        if self._open not in found:
            return 0
        until = found[self._open]
        seconds = until - self._clock.now() if isinstance(until, int) else OPEN
        return max(1, min(LONGEST_OPEN, ceil(seconds)))

    def withdraw(self, admission: Admission) -> None:
        """The call was not made after all: leave the probe to somebody else."""
        if admission.probe:
            self._cache.delete_many([self._probe])

    def record(self, admission: Admission, answer: Answer | None, *, beside: bool = False) -> None:
        """Note how the call went. No answer and 5xx are failures; a no from Kordless shows that it is
        alive. `beside` another call of the same page only success counts: else one cold page would open the circuit.
        """
        failed = answer is None or (answer.failed and not 400 <= answer.status < 500)
        if failed and beside and not admission.probe:
            return
        ailing = self._ailing(failed=failed)
        if not failed:
            if admission.blemished:
                self._close(admission)
        elif answer is not None and answer.status == 503 and answer.retry_after:
            self._trip(min(answer.retry_after, LONGEST_OPEN))
        elif admission.probe or ailing or self._struck_out():
            self._trip(OPEN)

    def _struck_out(self) -> bool:
        """Add a strike where none is yet; True when that was the last free place, or none was free: whoever took
        the last one may be slow to open the circuit, or have died.
        """
        added = next((key for key in self._strikes if self._cache.add(key, 1, REMEMBERED)), None)
        return added in {self._strikes[-1], None}

    def _ailing(self, *, failed: bool) -> bool:
        now = self._clock.steady()
        with self._lock:
            self._recent.append((now, failed))
            while self._recent[0][0] <= now - RATE_WINDOW:
                self._recent.popleft()
            failures = sum(failure for _, failure in self._recent)
            return len(self._recent) >= RATE_LEAST and failures * 2 > len(self._recent)

    def _trip(self, seconds: int) -> None:
        say(logger, logging.WARNING, "circuit_opened", **{"class": self._name}, seconds=seconds)
        self._cache.set(self._open, ceil(self._clock.now() + seconds), seconds)
        self._cache.set(self._tripped, 1, REMEMBERED)
        self._cache.delete_many([self._probe, *self._strikes])
        with self._lock:
            self._recent.clear()

    def _close(self, admission: Admission) -> None:
        if admission.probe:
            say(logger, logging.WARNING, "circuit_closed", **{"class": self._name})
        self._cache.delete_many([self._tripped, self._probe, *self._strikes])
