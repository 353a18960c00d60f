"""The breaker: opens on repeated failures, lets one probe through, closes by itself, for all processes."""

from __future__ import annotations

import logging

import pytest

from kordless_booking.api.responses import ResponseMeta
from kordless_booking.exceptions import CircuitOpen
from kordless_booking.upstream import circuit_breaker
from kordless_booking.upstream.circuit_breaker import Admission, CircuitBreaker
from kordless_booking.upstream.fallback_cache import FallbackCache
from tests.support.controlled_cache import HandTime, SharedMemory

FINE, GONE, BROKEN = ResponseMeta(200), ResponseMeta(404), ResponseMeta(500, failed=True)


class Scene:
    """Processes that share the breaker of one account."""

    def __init__(self) -> None:
        self.time = HandTime()
        self.memory = SharedMemory(self.time.clock)
        self.cache = FallbackCache(self.memory, self.time.clock)

    def process(self, name: str = "browse", account: str = "key") -> CircuitBreaker:
        return CircuitBreaker(self.cache, account=account, name=name, clock=self.time.clock)

    def admit(self, circuit: CircuitBreaker) -> Admission:
        return circuit.allow("availability", self.cache.get_many(circuit.keys()))

    def call(self, circuit: CircuitBreaker, answer: ResponseMeta | None = FINE) -> None:
        circuit.record(self.admit(circuit), answer)

    def refused(self, circuit: CircuitBreaker) -> int:
        with pytest.raises(CircuitOpen) as caught:
            self.admit(circuit)
        assert caught.value.operation == "availability"
        return caught.value.retry_after or 0


@pytest.fixture
def scene() -> Scene:
    """One stage for each test."""
    return Scene()


@pytest.mark.parametrize("failure", [None, BROKEN, ResponseMeta(200, failed=True)])
def test_it_opens_after_five_failures_in_a_row_for_every_process(scene: Scene, failure: ResponseMeta | None) -> None:
    """Silence, 5xx and rubbish count, whichever process met them."""
    processes = [scene.process() for _ in range(3)]
    for number in range(5):
        scene.call(processes[number % 3], failure)
    assert [scene.refused(process) for process in processes] == [15, 15, 15]
    scene.time.pass_(10)
    assert scene.refused(processes[0]) == 5


def test_it_opens_although_whoever_met_the_fifth_failure_died(scene: Scene) -> None:
    """All strikes are there and the circuit is not open yet: the next failure opens it."""
    circuit = scene.process()
    for key in circuit.keys()[2:]:
        scene.cache.add(key, 1, 600)
    scene.call(circuit, None)
    assert scene.refused(circuit) == 15


def test_a_success_in_between_starts_the_row_anew(scene: Scene) -> None:
    """Four failures, one success, four failures: closed."""
    circuit = scene.process()
    for answer in (None, None, None, None, FINE, None, None, None, None):
        scene.call(circuit, answer)
    scene.call(circuit)


def test_calls_beside_another_are_no_failures_of_their_own(scene: Scene) -> None:
    """A cold page that makes four calls at once while Kordless stumbles counts as one failure, not as four."""
    circuit = scene.process()
    for _ in range(12):
        circuit.record(scene.admit(circuit), None, beside=True)
    assert scene.admit(circuit) == Admission(probe=False, has_failures=False)
    for _ in range(4):
        scene.call(circuit, None)
    circuit.record(scene.admit(circuit), FINE, beside=True)
    assert scene.admit(circuit) == Admission(probe=False, has_failures=False)


def test_a_failed_probe_opens_it_again_also_beside_another_call(scene: Scene) -> None:
    """Nobody else would say so."""
    circuit = scene.process()
    for _ in range(5):
        scene.call(circuit, None)
    scene.time.pass_(15)
    circuit.record(scene.admit(circuit), None, beside=True)
    assert scene.refused(circuit) == 15


@pytest.mark.parametrize(
    "no",
    [
        GONE,
        ResponseMeta(401),
        ResponseMeta(409),
        ResponseMeta(409, failed=True),
        ResponseMeta(422),
        ResponseMeta(429, retry_after=3),
    ],
)
def test_a_no_shows_that_kordless_is_alive(scene: Scene, no: ResponseMeta) -> None:
    """Being refused is an answer, not a failure."""
    circuit = scene.process()
    for answer in (None, None, None, None, no, None, None, None, None):
        scene.call(circuit, answer)
    scene.admit(circuit)


def test_it_opens_when_more_than_half_of_ten_fail_within_half_a_minute(scene: Scene) -> None:
    """Two failures for each success are an outage too, if never five in a row."""
    circuit = scene.process()
    answers = [None, None, FINE] * 3
    for answer in answers:
        scene.call(circuit, answer)
    scene.call(circuit, None)
    assert scene.refused(circuit) == 15


def test_failures_long_ago_do_not_count_towards_the_rate(scene: Scene) -> None:
    """The same answers over many minutes are just a bad day."""
    circuit = scene.process()
    for _ in range(5):
        for answer in (None, None, FINE):
            scene.time.pass_(11)
            scene.call(circuit, answer)
    scene.admit(circuit)


def test_half_open_one_probe_goes_and_its_success_closes(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """After fifteen seconds one call of all processes may try."""
    first, second = scene.process(), scene.process()
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            scene.call(first, None)
        scene.time.pass_(15)
        probe = scene.admit(second)
        assert scene.refused(first) == 1
        second.record(probe, FINE)
    for _ in range(4):
        scene.call(first, None)
    scene.admit(first)
    assert [record.getMessage() for record in caplog.records] == [
        "event=circuit_opened class=browse seconds=15",
        "event=circuit_closed class=browse",
    ]


def test_a_probe_that_fails_opens_it_again(scene: Scene) -> None:
    """A dead Kordless is asked once every fifteen seconds."""
    circuit = scene.process()
    asked = 0
    for _ in range(240):
        try:
            scene.call(circuit, None)
        except CircuitOpen:
            pass
        else:
            asked += 1
        scene.time.pass_(0.25)
    assert asked == 5 + 3


def test_a_probe_that_was_not_made_is_left_to_the_next(scene: Scene) -> None:
    """The budget had no ticket for it."""
    circuit = scene.process()
    for _ in range(5):
        scene.call(circuit, None)
    scene.time.pass_(15)
    circuit.cancel(scene.admit(circuit))
    assert scene.admit(circuit).probe


def test_a_prober_that_crashed_is_waited_for_half_a_minute(scene: Scene) -> None:
    """Its right expires by itself."""
    circuit = scene.process()
    for _ in range(5):
        scene.call(circuit, None)
    scene.time.pass_(15)
    scene.admit(circuit)
    scene.time.pass_(29)
    scene.refused(circuit)
    scene.time.pass_(1)
    assert scene.admit(circuit).probe


@pytest.mark.parametrize(("asked", "heeded"), [(60, 60), (5, 5), (3600, 120)])
def test_maintenance_opens_it_for_as_long_as_kordless_says(scene: Scene, asked: int, heeded: int) -> None:
    """One 503 with Retry-After is enough, up to two minutes."""
    circuit = scene.process()
    scene.call(circuit, ResponseMeta(503, retry_after=asked, failed=True))
    assert scene.refused(circuit) == heeded


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_a_stepped_clock_keeps_it_open_no_longer(scene: Scene, step: float) -> None:
    """The cache's own expiry counts."""
    circuit = scene.process()
    for _ in range(5):
        scene.call(circuit, None)
    scene.time.step(step)
    assert 1 <= scene.refused(circuit) <= 120
    scene.time.pass_(15)
    scene.call(circuit)
    scene.call(circuit)


def test_a_call_that_succeeds_costs_no_round_trip(scene: Scene) -> None:
    """Nothing is written while all is well."""
    circuit = scene.process()
    admission, before = scene.admit(circuit), scene.memory.trips
    circuit.record(admission, FINE)
    assert scene.memory.trips == before


def test_classes_and_accounts_break_apart(scene: Scene) -> None:
    """Browsing being dead does not stop booking, nor another account."""
    circuit = scene.process()
    for _ in range(5):
        scene.call(circuit, None)
    scene.admit(scene.process("booking"))
    scene.admit(scene.process(account="another"))


def test_the_drawing_has_the_numbers_of_the_code() -> None:
    """The module opens with a picture of its states and says when they change."""
    drawn = " ".join((circuit_breaker.__doc__ or "").split())
    assert f"{circuit_breaker.FAILURE_THRESHOLD} failures in a row" in drawn
    assert (
        f"more than half of at least {circuit_breaker.MIN_CALLS} in {circuit_breaker.RATE_WINDOW_SECONDS:g} s" in drawn
    )
    assert f"open, for {circuit_breaker.OPEN_SECONDS} s" in drawn
