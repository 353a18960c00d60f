"""The wire's gate: asked before and told after every single try. Three round trips to the cache for each."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kordless_booking.exceptions import TooMany

from .background import beside
from .budget import Allowance, Budget, Ticket, Usage
from .circuit import Admission, Circuit, CircuitState
from .clock import Clock
from .skew import Skew

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kordless_booking.api.wire import Answer

    from .memory import Storable
    from .steady import SteadyCache

__all__ = ["CatalogGate", "GateState"]

BROWSING = frozenset({"organization", "service", "availability"})


@dataclass(frozen=True, slots=True)
class GateState:
    """How an API key stands. `shared`: all processes are counted together, not this one alone."""

    circuits: tuple[CircuitState, ...]
    usage: Usage
    shared: bool


class CatalogGate:
    """Budget and circuits of one API key, as the `Gate` that `api.wire` knows.

    `before` and `after` of one try must be called in one thread. Accounts that share an API key must share
    `account`.
    """

    def __init__(
        self,
        cache: SteadyCache,
        *,
        account: str,
        allowance: Allowance | None = None,
        processes: int = 1,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or Clock()
        whole, cache = cache, cache.for_counting()
        self._counts_for_all = cache is whole
        self._cache = cache
        self._budget = Budget(cache, account=account, clock=clock, allowance=allowance, processes=processes)
        self._browse = Circuit(cache, account=account, name="browse", clock=clock)
        self._booking = Circuit(cache, account=account, name="booking", clock=clock)
        self._skew = Skew(clock)
        self._under_way = threading.local()

    def before(self, operation: str) -> None:
        """Raise CircuitOpen or TooMany unless this try may go."""
        circuit = self._circuit(operation)
        found = self._cache.get_many([*circuit.keys(), *self._budget.keys()])
        admission = circuit.admit(operation, found)
        try:
            ticket = self._budget.claim(operation, found)
        except TooMany:
            circuit.withdraw(admission)
            raise
        self._under_way.call = (admission, ticket)

    def after(self, operation: str, answer: Answer | None) -> None:
        """Note how it went; `answer` is None when there was no usable one."""
        call: tuple[Admission, Ticket] | None = getattr(self._under_way, "call", None)
        if call is None:
            return
        self._under_way.call = None
        admission, ticket = call
        self._budget.settle(ticket, operation, answer)
        self._circuit(operation).record(admission, answer, beside=beside.get())
        if answer is not None:
            self._skew.note(answer)

    def resting(self) -> dict[str, int]:
        """For which class of calls ("browse", "booking") Kordless is left alone now, and for how many seconds."""
        found = self._cache.get_many([*self._browse.keys(), *self._booking.keys()])
        return {state.name: state.seconds for state in self._states(found) if state.seconds}

    def takes_several(self) -> bool:
        """Whether calls may be made at the same time. After an outage a single one tries, and turns others away."""
        return self._browse.state(self._cache.get_many(self._browse.keys())).state == "closed"

    def state(self) -> GateState:
        """How circuits and budget stand, at one look into the cache. Takes nothing, and asks nobody."""
        found = self._cache.get_many([*self._budget.keys(), *self._browse.keys(), *self._booking.keys()])
        return GateState(
            circuits=self._states(found),
            usage=self._budget.usage(found),
            shared=self._counts_for_all and self._cache.up,
        )

    def _states(self, found: Mapping[str, Storable]) -> tuple[CircuitState, ...]:
        return self._browse.state(found), self._booking.state(found)

    def _circuit(self, operation: str) -> Circuit:
        return self._browse if operation in BROWSING else self._booking
