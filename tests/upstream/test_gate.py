"""The gate: circuit and budget behind the two calls that the wire makes."""

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


class Scene:
    """Gates of several processes around one cache."""

    def __init__(self) -> None:
        self.time = HandTime()
        self.memory = SharedMemory(self.time.clock)

    def process(self, allowance: Quota | None = None) -> UpstreamGate:
        clock = self.time.clock
        return UpstreamGate(FallbackCache(self.memory, clock), account="key", allowance=allowance, clock=clock)


@pytest.fixture
def scene() -> Scene:
    """One stage for each test."""
    return Scene()


def pass_through(gate: Gate, operation: str = "availability", answer: ResponseMeta | None = None) -> None:
    """One try, as the wire makes it."""
    gate.before(operation)
    gate.after(operation, answer)


def test_a_try_costs_three_round_trips(scene: Scene) -> None:
    """One look, one ticket, one return: paid for each call to Kordless, never for each visitor."""
    gate = scene.process()
    pass_through(gate, answer=ResponseMeta(200, limit=60, remaining=59))
    before = scene.memory.trips
    pass_through(gate, answer=ResponseMeta(200, limit=60, remaining=58))
    assert scene.memory.trips == before + 3


def test_a_dead_kordless_opens_browsing_and_leaves_booking(scene: Scene) -> None:
    """Five tries without an answer, then no ticket is spent any more."""
    gate, other = scene.process(), scene.process()
    for _ in range(5):
        pass_through(gate)
    with pytest.raises(CircuitOpen):
        other.before("service")
    pass_through(other, "create", ResponseMeta(201))
    assert gate.open_circuits() == other.open_circuits() == {"browse": 15}
    scene.time.pass_(15)
    assert gate.open_circuits() == {}


def test_several_calls_are_taken_only_while_all_is_well(scene: Scene) -> None:
    """Open nothing goes, half open a single call: until that has succeeded, others would be turned away."""
    gate = scene.process()
    assert gate.takes_several()
    for _ in range(5):
        pass_through(gate)
    assert not gate.takes_several()
    scene.time.pass_(15)
    assert not gate.takes_several()
    pass_through(gate, answer=ResponseMeta(200))
    assert gate.takes_several()


def test_a_probe_without_a_ticket_is_given_back(scene: Scene) -> None:
    """Half open and out of allowance: the next one may still probe, as soon as there is a ticket."""
    gate = scene.process(Quota(3, 1))
    for _ in range(4):
        pass_through(gate)
        scene.time.pass_(61)
    pass_through(gate)
    scene.time.pass_(50)
    with pytest.raises(TooMany):
        gate.before("availability")
    scene.time.pass_(12)
    pass_through(gate, answer=ResponseMeta(200))


def test_an_answer_without_a_question_changes_nothing(scene: Scene) -> None:
    """Told twice, or told after being refused: no ticket is touched."""
    gate = scene.process()
    pass_through(gate, answer=ResponseMeta(200))
    before = scene.memory.trips
    gate.after("availability", None)
    assert scene.memory.trips == before


def test_tries_in_several_threads_do_not_mix(scene: Scene) -> None:
    """Two threads between before and after hold a ticket each."""
    gate = scene.process(Quota(4, 1))
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
        thread.join(5)
    assert outcomes == ["done", "done"]
    pass_through(gate, "lookup", ResponseMeta(200))
    with pytest.raises(TooMany):
        gate.before("lookup")
    scene.time.pass_(60.5)
    with pytest.raises(TooMany):
        gate.before("lookup")
    scene.time.pass_(0.5)
    gate.before("lookup")


def test_with_the_cache_down_calls_still_go_within_the_part(scene: Scene) -> None:
    """No page waits for a dead cache, and none is refused for it."""
    scene.memory.broken = True
    gate = scene.process()
    for _ in range(45):
        pass_through(gate, answer=ResponseMeta(200))
    with pytest.raises(TooMany):
        gate.before("availability")


def test_how_it_stands_is_told_by_one_look_that_takes_nothing(scene: Scene) -> None:
    """What any process took is counted for all, creations by themselves; looking a hundred times costs no ticket."""
    one, other = scene.process(), scene.process()
    pass_through(one, answer=ResponseMeta(200))
    pass_through(one, "lookup", ResponseMeta(200))
    pass_through(other, "create", ResponseMeta(200))
    for _ in range(100):
        before = scene.memory.trips
        state = other.state()
        assert scene.memory.trips == before + 1
    assert (state.usage.requests, state.usage.of_requests) == (2, 50)
    assert (state.usage.creations, state.usage.of_creations) == (1, 10)
    assert state.shared
    assert [(circuit.name, circuit.state) for circuit in state.circuits] == [
        ("browse", "closed"),
        ("booking", "closed"),
    ]
    scene.time.pass_(120)
    assert (other.state().usage.requests, other.state().usage.creations) == (0, 0)


def test_how_a_circuit_stands_is_told(scene: Scene) -> None:
    """Failures in a row, then open for so long, then half open; the other class stands by itself."""
    gate = scene.process()
    for _ in range(3):
        pass_through(gate)
    assert gate.state().circuits[0].strikes == 3
    for _ in range(2):
        pass_through(gate)
    browse, booking = scene.process().state().circuits
    assert (browse.state, browse.seconds) == ("open", 15)
    assert booking.state == "closed"
    scene.time.pass_(16)
    assert gate.state().circuits[0].state == "half open"
    pass_through(gate, answer=ResponseMeta(200))
    assert gate.state().circuits[0].state == "closed"


def test_too_many_is_told_for_as_long_as_it_holds(scene: Scene) -> None:
    """With the seconds that are left."""
    gate = scene.process()
    pass_through(gate, answer=ResponseMeta(429, retry_after=40))
    scene.time.pass_(10)
    assert gate.state().usage.blocked_seconds == 30
    scene.time.pass_(31)
    assert gate.state().usage.blocked_seconds == 0


def test_with_the_cache_down_it_tells_of_this_process(scene: Scene) -> None:
    """And says so."""
    gate = scene.process()
    scene.memory.broken = True
    pass_through(gate, answer=ResponseMeta(200))
    state = gate.state()
    assert not state.shared
    assert state.usage.requests == 1
