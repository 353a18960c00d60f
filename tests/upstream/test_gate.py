"""The gate: circuit breaker and rate limiter behind the two calls that the HTTP session makes."""

from __future__ import annotations

import threading

import pytest

from kordless_booking.api.responses import ResponseMeta
from kordless_booking.api.session import Gate
from kordless_booking.exceptions import CircuitOpen, TooMany
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.gate import UpstreamGate
from kordless_booking.upstream.rate_limiter import Quota
from tests.support.controlled_cache import HandTime, SharedMemory


class GateScenario:
    """Gates of several processes around one cache."""

    def __init__(self) -> None:
        self.time = HandTime()
        self.memory = SharedMemory(self.time.clock)

    def process(self, quota: Quota | None = None) -> UpstreamGate:
        clock = self.time.clock
        return UpstreamGate(FallbackCache(self.memory, clock), account="key", quota=quota, clock=clock)


@pytest.fixture
def scenario() -> GateScenario:
    """Return new processes around an empty cache."""
    return GateScenario()


def pass_through(gate: Gate, operation: str = "availability", answer: ResponseMeta | None = None) -> None:
    """Make one attempt as the HTTP session does."""
    gate.before(operation)
    gate.after(operation, answer)


def test_an_attempt_costs_three_round_trips(scenario: GateScenario) -> None:
    """One read, one `add`, one `set`: for each call to Kordless, never for each visitor."""
    gate = scenario.process()
    pass_through(gate, answer=ResponseMeta(200, limit=60, remaining=59))
    before = scenario.memory.trips
    pass_through(gate, answer=ResponseMeta(200, limit=60, remaining=58))
    assert scenario.memory.trips == before + 3


def test_a_dead_kordless_opens_browsing_and_leaves_booking(scenario: GateScenario) -> None:
    """Five attempts without a response, then no permit is taken anymore."""
    gate, other = scenario.process(), scenario.process()
    for _ in range(5):
        pass_through(gate)
    with pytest.raises(CircuitOpen):
        other.before("service")
    pass_through(other, "create", ResponseMeta(201))
    assert gate.open_circuits() == other.open_circuits() == {"browse": 15}
    scenario.time.pass_(15)
    assert gate.open_circuits() == {}


def test_failed_lookups_open_neither_browsing_nor_booking(scenario: GateScenario) -> None:
    """Five without a response: lookups and changes pause, everything with a key goes on; and the other way round."""
    gate = scenario.process()
    for _ in range(5):
        pass_through(gate, "lookup")
    assert gate.open_circuits() == {"contact": 15}
    for operation in ("lookup", "cancel", "reschedule"):
        with pytest.raises(CircuitOpen):
            gate.before(operation)
    for operation in ("organization", "service", "availability", "create"):
        pass_through(gate, operation, ResponseMeta(200))
    for _ in range(5):
        pass_through(gate, "create")
    scenario.time.pass_(14)
    assert list(gate.open_circuits()) == ["booking", "contact"]
    scenario.time.pass_(1)
    pass_through(gate, "lookup", ResponseMeta(200))
    pass_through(gate)


def test_several_calls_are_taken_only_while_all_is_well(scenario: GateScenario) -> None:
    """Open nothing goes, half open a single call: until that has succeeded, others would be turned away."""
    gate = scenario.process()
    assert gate.takes_several()
    for _ in range(5):
        pass_through(gate)
    assert not gate.takes_several()
    scenario.time.pass_(15)
    assert not gate.takes_several()
    pass_through(gate, answer=ResponseMeta(200))
    assert gate.takes_several()


def test_a_probe_without_a_permit_is_canceled(scenario: GateScenario) -> None:
    """Half open and no permit left: the next call may still probe, as soon as there is a permit."""
    gate = scenario.process(Quota(2, 1))
    for _ in range(4):
        pass_through(gate)
        scenario.time.pass_(61)
    pass_through(gate)
    scenario.time.pass_(50)
    with pytest.raises(TooMany):
        gate.before("availability")
    scenario.time.pass_(12)
    pass_through(gate, answer=ResponseMeta(200))


def test_a_probe_that_was_never_sent_leaves_the_next_call_to_probe(scenario: GateScenario) -> None:
    """Half open and no connection free: the permit is back, and the next call probes at once."""
    gate = scenario.process()
    for _ in range(5):
        pass_through(gate)
    scenario.time.pass_(61)
    gate.before("availability")
    gate.cancel("availability")
    assert gate.state().usage.requests == 0
    gate.cancel("availability")
    pass_through(gate, answer=ResponseMeta(200))
    assert gate.takes_several()


def test_after_without_before_changes_nothing(scenario: GateScenario) -> None:
    """A second `after`, or one after a refusal, touches no permit."""
    gate = scenario.process()
    pass_through(gate, answer=ResponseMeta(200))
    before = scenario.memory.trips
    gate.after("availability", None)
    assert scenario.memory.trips == before


def test_attempts_in_several_threads_do_not_mix(scenario: GateScenario) -> None:
    """Two threads between before and after have a permit each."""
    gate = scenario.process(Quota(3, 1))
    barrier = threading.Barrier(2, timeout=30)
    outcomes: list[str] = []

    def try_() -> None:
        gate.before("lookup")
        barrier.wait()
        gate.after("lookup", ResponseMeta(200))
        outcomes.append("done")

    threads = [threading.Thread(target=try_) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert outcomes == ["done", "done"]
    pass_through(gate, "lookup", ResponseMeta(200))
    with pytest.raises(TooMany):
        gate.before("lookup")
    scenario.time.pass_(60.5)
    with pytest.raises(TooMany):
        gate.before("lookup")
    scenario.time.pass_(0.5)
    gate.before("lookup")


def test_with_the_cache_down_calls_still_go_within_the_part(scenario: GateScenario) -> None:
    """No page waits for a dead cache, and none is rejected for it."""
    scenario.memory.broken = True
    gate = scenario.process()
    for _ in range(58):
        pass_through(gate, answer=ResponseMeta(200))
    with pytest.raises(TooMany):
        gate.before("availability")


def test_state_costs_one_round_trip_and_no_permit(scenario: GateScenario) -> None:
    """It counts the permits of all processes, creations separately."""
    one, other = scenario.process(), scenario.process()
    pass_through(one, answer=ResponseMeta(200))
    pass_through(one, "lookup", ResponseMeta(200))
    pass_through(other, "create", ResponseMeta(200))
    for _ in range(100):
        before = scenario.memory.trips
        state = other.state()
        assert scenario.memory.trips == before + 1
    assert (state.usage.requests, state.usage.of_requests) == (1, 50)
    assert (state.contact_usage.requests, state.contact_usage.of_requests) == (1, 60)
    assert (state.usage.creations, state.usage.of_creations) == (1, 10)
    assert state.shared
    assert [(circuit.name, circuit.state) for circuit in state.circuits] == [
        ("browse", "closed"),
        ("booking", "closed"),
        ("contact", "closed"),
    ]
    scenario.time.pass_(120)
    assert (other.state().usage.requests, other.state().usage.creations) == (0, 0)


def test_state_reports_each_circuit(scenario: GateScenario) -> None:
    """Failures so far, then open for so long, then half open; the other class stands by itself."""
    gate = scenario.process()
    for _ in range(3):
        pass_through(gate)
    assert gate.state().circuits[0].failures == 3
    for _ in range(2):
        pass_through(gate)
    browse, booking, contact = scenario.process().state().circuits
    assert (browse.state, browse.seconds) == ("open", 15)
    assert booking.state == contact.state == "closed"
    scenario.time.pass_(16)
    assert gate.state().circuits[0].state == "half open"
    pass_through(gate, answer=ResponseMeta(200))
    assert gate.state().circuits[0].state == "closed"


def test_state_reports_a_block_until_it_ends(scenario: GateScenario) -> None:
    """With the seconds that are left."""
    gate = scenario.process()
    pass_through(gate, answer=ResponseMeta(429, retry_after=40))
    scenario.time.pass_(10)
    assert gate.state().usage.blocked_seconds == 30
    scenario.time.pass_(31)
    assert gate.state().usage.blocked_seconds == 0


def test_with_the_cache_down_state_counts_this_process_alone(scenario: GateScenario) -> None:
    """And says so."""
    gate = scenario.process()
    scenario.memory.broken = True
    pass_through(gate, answer=ResponseMeta(200))
    state = gate.state()
    assert not state.shared
    assert state.usage.requests == 1
