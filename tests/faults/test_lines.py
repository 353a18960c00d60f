"""Faults of the line itself, over real HTTP: nobody waits longer than the page's time, whatever the line does."""

import time
from collections.abc import Callable

import pytest

from tests.faults.expected import LINES, REFUSED, TLS, Fault, cells
from tests.support.fault_scenario import ACTS, READS, FaultScenario
from tests.support.loopback_server import Line, certificate, serving
from tests.support.matrix import thinned
from tests.support.page_invariants import check_log, check_page

TIMELY = {"slow", "hang", "drip"}
LEEWAY = 3.0
"""Seconds that a page may take beside waiting for Kordless: it takes 0.1, but this machine may be busy."""
PLENTY = 25.0
"""Seconds for a page that is not about time, so that a busy machine is not taken for a slow Kordless."""
PROMPTLY = 6.0
"""Seconds within which a page says that there is no connection at all, however much time it has."""


def struck(
    scenario: FaultScenario, caplog: pytest.LogCaptureFixture, fault: Fault, act: str, fall: Callable[[], None]
) -> None:
    """Do `act` once the fault has fallen, and look at page, log and time."""
    do = ACTS[act].prepare(scenario)
    browse, booking = (0.6, 0.8) if fault.name.split(",")[0] in TIMELY else (PLENTY, PLENTY)
    scenario.change(BROWSE_SECONDS=browse, BOOKING_SECONDS=booking)
    scenario.sandbox.faults.clear()
    if act in READS:
        scenario.cold()
    fall()
    caplog.clear()
    caplog.set_level("DEBUG")
    began = time.perf_counter()
    page = do()
    spent = time.perf_counter() - began
    check_page(page, fault, act)
    check_log(caplog, fault, act)
    within = PROMPTLY if fault in (REFUSED, TLS) else browse if act in READS else booking
    assert spent <= within + LEEWAY


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "act"),
    thinned(
        cells(LINES),
        lambda cell: cell[1] == "create",
        unpack=True,
        ids=lambda cell: f"{cell[0].name}-{cell[1]}",
    ),
)
def test_a_bad_line_is_a_page_in_time(
    http_scenario: FaultScenario, caplog: pytest.LogCaptureFixture, fault: Fault, act: str
):
    """A line that is slow, silent, dripping, cut or flooding costs the page's time at most, and one request or two."""
    scenario = http_scenario
    step = ACTS[act]

    def fall() -> None:
        scenario.sandbox.clear_requests()
        scenario.sandbox.faults.add(fault.kind, step.operation, **fault.options)

    struck(scenario, caplog, fault, act, fall)
    # Slots that are too large are asked for in shorter ranges: of 33, 17, 9, 5, 3, 2 days and of one.
    most = 7 if fault.kind == "huge" and act == "slots" else step.most
    assert [request.operation for request in scenario.sandbox.requests].count(step.operation) <= most


@pytest.mark.long
@pytest.mark.parametrize("act", sorted(ACTS))
def test_nobody_at_the_door_is_a_page_at_once(http_scenario: FaultScenario, caplog: pytest.LogCaptureFixture, act: str):
    """Where nothing listens, it is said at once; whatever was typed stays, and nothing is in doubt."""
    scenario = http_scenario

    def fall() -> None:
        scenario.change(BASE_URL="http://127.0.0.1:9/v1")

    struck(scenario, caplog, REFUSED, act, fall)


@pytest.mark.long
@pytest.mark.parametrize("act", sorted(ACTS))
def test_a_bad_certificate_is_never_accepted(
    http_scenario: FaultScenario, caplog: pytest.LogCaptureFixture, tmp_path, act: str
):
    """With a certificate that nobody vouches for, not a byte is said: no key, no contact."""
    requests: list[bytes] = []

    def script(line: Line) -> None:
        requests.append(line.request())

    scenario = http_scenario
    with serving(script, certificate(tmp_path)[0]) as server:

        def fall() -> None:
            scenario.change(BASE_URL=server.url)

        struck(scenario, caplog, TLS, act, fall)
    assert [request for request in requests if request] == []
