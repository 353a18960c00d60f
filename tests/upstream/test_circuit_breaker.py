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


class CircuitScenario:
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
def scenario() -> CircuitScenario:
    """Return new processes around an empty cache."""
    return CircuitScenario()


@pytest.mark.parametrize("failure", [None, BROKEN, ResponseMeta(200, failed=True)])
def test_it_opens_after_five_failures_in_a_row_for_every_process(
    scenario: CircuitScenario, failure: ResponseMeta | None
) -> None:
    """Silence, 5xx and rubbish count, whichever process met them."""
    processes = [scenario.process() for _ in range(3)]
    for number in range(5):
        scenario.call(processes[number % 3], failure)
    assert [scenario.refused(process) for process in processes] == [15, 15, 15]
    scenario.time.pass_(10)
    assert scenario.refused(processes[0]) == 5


def test_it_opens_although_whoever_met_the_fifth_failure_died(scenario: CircuitScenario) -> None:
    """All failures are counted and the circuit is not open yet: the next failure opens it."""
    circuit = scenario.process()
    for key in circuit.keys()[2:]:
        scenario.cache.add(key, 1, 600)
    scenario.call(circuit, None)
    assert scenario.refused(circuit) == 15


def test_a_success_takes_back_one_failure(scenario: CircuitScenario) -> None:
    """Four failures, a success and a failure leave four: closed. One more opens it."""
    circuit = scenario.process()
    for answer in (None, None, None, None, FINE, None):
        scenario.call(circuit, answer)
    scenario.call(circuit, None)
    assert scenario.refused(circuit) == 15


def test_failures_of_parallel_calls_are_not_counted(scenario: CircuitScenario) -> None:
    """A cold page that makes four calls at once while Kordless stumbles counts as one failure, not as four."""
    circuit = scenario.process()
    for _ in range(12):
        circuit.record(scenario.admit(circuit), None, parallel=True)
    assert scenario.admit(circuit) == Admission(probe=False, failure_key=None)
    for _ in range(4):
        scenario.call(circuit, None)
    for _ in range(4):
        circuit.record(scenario.admit(circuit), FINE, parallel=True)
    assert scenario.admit(circuit) == Admission(probe=False, failure_key=None)


def test_a_failed_probe_opens_it_again_also_as_a_parallel_call(scenario: CircuitScenario) -> None:
    """Nobody else would say so."""
    circuit = scenario.process()
    for _ in range(5):
        scenario.call(circuit, None)
    scenario.time.pass_(15)
    circuit.record(scenario.admit(circuit), None, parallel=True)
    assert scenario.refused(circuit) == 15


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
def test_a_no_shows_that_kordless_is_alive(scenario: CircuitScenario, no: ResponseMeta) -> None:
    """A rejection is a response, not a failure: it takes back a failure as a success does."""
    circuit = scenario.process()
    for answer in (None, None, None, None, *[no] * 4, None, None, None, None):
        scenario.call(circuit, answer)
    scenario.admit(circuit)


def test_it_opens_when_more_calls_fail_than_succeed_in_all_processes(scenario: CircuitScenario) -> None:
    """Two failures for each success are an outage too, if never five in a row and whichever process met them."""
    processes = [scenario.process() for _ in range(4)]
    for number, answer in enumerate([*[None, None, FINE] * 3, None]):
        scenario.call(processes[number % 4], answer)
    scenario.call(processes[0], None)
    assert [scenario.refused(process) for process in processes] == [15] * 4


@pytest.mark.parametrize("failures", [1, 2, 4])
def test_it_stays_closed_while_as_many_calls_succeed_as_fail(scenario: CircuitScenario, failures: int) -> None:
    """However long that lasts, and however the failures are grouped below five."""
    circuit = scenario.process()
    for _ in range(30):
        for answer in [None] * failures + [FINE] * failures:
            scenario.call(circuit, answer)
    scenario.admit(circuit)


def test_failures_long_ago_do_not_count(scenario: CircuitScenario) -> None:
    """Ten minutes after each it is no longer counted."""
    circuit = scenario.process()
    for _ in range(20):
        scenario.call(circuit, None)
        scenario.time.pass_(circuit_breaker.FAILURE_TTL_SECONDS / 4)
    scenario.admit(circuit)


def test_a_late_success_does_not_close_an_open_circuit(scenario: CircuitScenario) -> None:
    """A call that began before the circuit opened is not the probe."""
    circuit = scenario.process()
    for _ in range(4):
        scenario.call(circuit, None)
    slow = scenario.admit(circuit)
    scenario.call(circuit, None)
    circuit.record(slow, FINE)
    assert scenario.refused(circuit) == 15
    scenario.time.pass_(15)
    assert scenario.admit(circuit).probe


def test_half_open_one_probe_goes_and_its_success_closes(
    scenario: CircuitScenario, caplog: pytest.LogCaptureFixture
) -> None:
    """After fifteen seconds one call of all processes may try."""
    first, second = scenario.process(), scenario.process()
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            scenario.call(first, None)
        scenario.time.pass_(15)
        probe = scenario.admit(second)
        assert scenario.refused(first) == 1
        second.record(probe, FINE)
    for _ in range(4):
        scenario.call(first, None)
    scenario.admit(first)
    assert [record.getMessage() for record in caplog.records] == [
        "event=circuit_opened class=browse seconds=15",
        "event=circuit_closed class=browse",
    ]


def test_a_probe_that_fails_opens_it_again(scenario: CircuitScenario) -> None:
    """A dead Kordless is asked once every fifteen seconds."""
    circuit = scenario.process()
    calls = 0
    for _ in range(240):
        try:
            scenario.call(circuit, None)
        except CircuitOpen:
            pass
        else:
            calls += 1
        scenario.time.pass_(0.25)
    assert calls == 5 + 3


def test_a_probe_that_was_not_made_is_left_to_the_next(scenario: CircuitScenario) -> None:
    """The rate limiter had no permit for it."""
    circuit = scenario.process()
    for _ in range(5):
        scenario.call(circuit, None)
    scenario.time.pass_(15)
    circuit.cancel(scenario.admit(circuit))
    assert scenario.admit(circuit).probe


def test_a_prober_that_crashed_is_waited_for_half_a_minute(scenario: CircuitScenario) -> None:
    """Its right expires by itself."""
    circuit = scenario.process()
    for _ in range(5):
        scenario.call(circuit, None)
    scenario.time.pass_(15)
    scenario.admit(circuit)
    scenario.time.pass_(29)
    scenario.refused(circuit)
    scenario.time.pass_(1)
    assert scenario.admit(circuit).probe


@pytest.mark.parametrize(("retry_after", "seconds"), [(60, 60), (5, 5), (3600, 120)])
def test_maintenance_opens_it_for_as_long_as_kordless_says(
    scenario: CircuitScenario, retry_after: int, seconds: int
) -> None:
    """One 503 with Retry-After is enough, up to two minutes."""
    circuit = scenario.process()
    scenario.call(circuit, ResponseMeta(503, retry_after=retry_after, failed=True))
    assert scenario.refused(circuit) == seconds


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_a_stepped_clock_keeps_it_open_no_longer(scenario: CircuitScenario, step: float) -> None:
    """The cache's own expiry counts."""
    circuit = scenario.process()
    for _ in range(5):
        scenario.call(circuit, None)
    scenario.time.step(step)
    assert 1 <= scenario.refused(circuit) <= 120
    scenario.time.pass_(15)
    scenario.call(circuit)
    scenario.call(circuit)


def test_a_call_that_succeeds_costs_no_round_trip(scenario: CircuitScenario) -> None:
    """Nothing is written while all is well."""
    circuit = scenario.process()
    admission, before = scenario.admit(circuit), scenario.memory.trips
    circuit.record(admission, FINE)
    assert scenario.memory.trips == before


def test_classes_and_accounts_break_apart(scenario: CircuitScenario) -> None:
    """Browsing being dead does not stop booking, nor another account."""
    circuit = scenario.process()
    for _ in range(5):
        scenario.call(circuit, None)
    scenario.admit(scenario.process("booking"))
    scenario.admit(scenario.process(account="another"))


def test_the_drawing_has_the_numbers_of_the_code() -> None:
    """The module opens with a picture of its states and says when they change."""
    drawn = " ".join((circuit_breaker.__doc__ or "").split())
    assert f"{circuit_breaker.FAILURE_THRESHOLD} more calls have failed than succeeded" in drawn
    assert f"open, for {circuit_breaker.OPEN_SECONDS} s" in drawn
