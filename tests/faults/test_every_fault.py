"""Every fault in every step that it can hit."""

import pytest

from tests.faults.expected import FAULTS, Fault, cells
from tests.support.fault_scenario import ACTS, FaultScenario
from tests.support.matrix import thinned
from tests.support.page_invariants import check_log, check_page


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "act"),
    thinned(
        cells(FAULTS),
        lambda cell: cell[1] in {"slots", "create"},
        unpack=True,
        ids=lambda cell: f"{cell[0].name}-{cell[1]}",
    ),
)
def test_a_fault_is_a_page_and_a_line(
    scenario: FaultScenario, caplog: pytest.LogCaptureFixture, fault: Fault, act: str
):
    """The visitor gets plain words and a way on, the operator one line, and Kordless no storm of requests."""
    step = ACTS[act]
    do = step.prepare(scenario)
    scenario.sandbox.faults.clear()
    scenario.sandbox.faults.add(fault.kind, step.operation, **fault.options)
    scenario.sandbox.clear_requests()
    caplog.clear()
    caplog.set_level("DEBUG")
    page = do()
    operations = [request.operation for request in scenario.sandbox.requests]
    assert operations.count(step.operation) <= step.most
    assert len(operations) <= 6
    check_page(page, fault, act)
    check_log(caplog, fault, act)
