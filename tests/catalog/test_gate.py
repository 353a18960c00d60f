"""The gate: circuit and budget behind the two calls that the wire makes."""

from __future__ import annotations

import threading

import pytest

from kordless_booking.api.answers import Answer
from kordless_booking.api.wire import Gate
from kordless_booking.catalog.budget import Allowance
from kordless_booking.catalog.gate import CatalogGate
from kordless_booking.catalog.steady import SteadyCache
from kordless_booking.exceptions import CircuitOpen, TooMany
from tests.catalog.stand_ins import HandTime, SharedMemory


class Scene:
    """Gates of several processes around one cache."""

    def __init__(self) -> None:
        self.time = HandTime()
        self.memory = SharedMemory(self.time.clock)

    def process(self, allowance: Allowance | None = None) -> CatalogGate:
        clock = self.time.clock
        return CatalogGate(SteadyCache(self.memory, clock), account="key", allowance=allowance, clock=clock)


@pytest.fixture
def scene() -> Scene:
    """One stage for each test."""
    return Scene()


def pass_through(gate: Gate, operation: str = "availability", answer: Answer | None = None) -> None:
    """One try, as the wire makes it."""
    gate.before(operation)
    gate.after(operation, answer)


def test_a_try_costs_three_round_trips(scene: Scene) -> None:
    """One look, one ticket, one return: paid for each call to Kordless, never for each visitor."""
    gate = scene.process()
    pass_through(gate, answer=Answer(200, limit=60, remaining=59))
    before = scene.memory.trips
    pass_through(gate, answer=Answer(200, limit=60, remaining=58))
    assert scene.memory.trips == before + 3


def test_a_dead_kordless_opens_browsing_and_leaves_booking(scene: Scene) -> None:
    """Five tries without an answer, then no ticket is spent any more."""
    gate, other = scene.process(), scene.process()
    for _ in range(5):
        pass_through(gate)
    with pytest.raises(CircuitOpen):
        other.before("service")
    pass_through(other, "create", Answer(201))
    assert gate.resting() == other.resting() == {"browse": 15}
    scene.time.pass_(15)
    assert gate.resting() == {}


def test_a_probe_without_a_ticket_is_given_back(scene: Scene) -> None:
    """Half open and out of allowance: the next one may still probe, as soon as there is a ticket."""
    gate = scene.process(Allowance(3, 1))
    for _ in range(4):
        pass_through(gate)
        scene.time.pass_(61)
    pass_through(gate)
    scene.time.pass_(50)
    with pytest.raises(TooMany):
        gate.before("availability")
    scene.time.pass_(12)
    pass_through(gate, answer=Answer(200))


def test_an_answer_without_a_question_changes_nothing(scene: Scene) -> None:
    """Told twice, or told after being refused: no ticket is touched."""
    gate = scene.process()
    pass_through(gate, answer=Answer(200))
    before = scene.memory.trips
    gate.after("availability", None)
    assert scene.memory.trips == before


def test_tries_in_several_threads_do_not_mix(scene: Scene) -> None:
    """Two threads between before and after hold a ticket each."""
    gate = scene.process(Allowance(4, 1))
    barrier = threading.Barrier(2, timeout=5)
    outcomes: list[str] = []

    def try_() -> None:
        gate.before("lookup")
        barrier.wait()
        gate.after("lookup", Answer(200))
        outcomes.append("done")

    threads = [threading.Thread(target=try_) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert outcomes == ["done", "done"]
    pass_through(gate, "lookup", Answer(200))
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
        pass_through(gate, answer=Answer(200))
    with pytest.raises(TooMany):
        gate.before("availability")
