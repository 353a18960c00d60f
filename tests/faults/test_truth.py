"""Cancel and reschedule when the answer is lost: the page says what is true, and doing it again never harms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from kordless_booking.api.session import wsgi_transport
from kordless_booking.sandbox import Sandbox
from tests.support.fault_scenario import LATER, START, FaultScenario, as_query
from tests.support.visitor import Page

LOST = {"status": 502, "html": True}
DENIALS = ("unchanged", "Nothing has been booked or changed")


def change_form(scenario: FaultScenario, what: str) -> tuple[Page, str]:
    """The page that asks whether to cancel or move, and its button."""
    number = scenario.booked()
    if what == "cancel":
        return scenario.visitor.open(scenario.manage(number, "cancel/")), "Cancel booking"
    return scenario.visitor.open(scenario.manage(number, f"reschedule/confirm/?start={as_query(LATER)}")), "Reschedule"


def state(scenario: FaultScenario) -> tuple[str, float]:
    """Status and start of the only booking."""
    [booking] = scenario.sandbox.bookings()
    return booking["status"], booking["starts"]


DONE = {"cancel": ("canceled", START.timestamp()), "reschedule": ("confirmed", LATER.timestamp())}
WORDS = {"cancel": "Booking canceled", "reschedule": "Your booking has been rescheduled."}


@pytest.mark.parametrize("what", ["cancel", "reschedule"])
def test_lost_but_carried_out_is_shown_as_done(scenario: FaultScenario, what: str):
    """The answer was lost, the booking says that it happened: so does the page. Sending it again changes nothing."""
    page, button = change_form(scenario, what)
    scenario.sandbox.faults.add("status", what, carried_out=True, **LOST)
    for _ in range(2):
        outcome = scenario.visitor.send(page, button)
        assert outcome.status == 200
        assert WORDS[what] in outcome.text
        assert state(scenario) == DONE[what]
    assert [request.operation for request in scenario.sandbox.requests].count(what) == 1


@pytest.mark.parametrize("what", ["cancel", "reschedule"])
def test_lost_and_not_done_can_be_sent_again(scenario: FaultScenario, what: str):
    """The booking still stands: that is not sold as success nor as a promise, and the same button finishes it."""
    page, button = change_form(scenario, what)
    before = state(scenario)
    scenario.sandbox.faults.add("status", what, times=1, **LOST)
    outcome = scenario.visitor.send(page, button)
    assert outcome.status == 503
    assert "couldn’t confirm" in outcome.alert
    assert not any(denial in outcome.text for denial in DENIALS)
    assert state(scenario) == before
    assert WORDS[what] in scenario.visitor.send(outcome, button).text
    assert state(scenario) == DONE[what]


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("what", ["cancel", "reschedule"])
def test_an_unknown_outcome_claims_nothing(scenario: FaultScenario, what: str, carried_out: bool):
    """Neither the change nor the look after it is answered: the page claims neither, and leads on to the truth."""
    page, button = change_form(scenario, what)
    scenario.sandbox.faults.add("status", what, carried_out=carried_out, **LOST)
    scenario.change(TRANSPORT=wsgi_transport(Falls(scenario.sandbox, f"/{what}")))
    outcome = scenario.visitor.send(page, button)
    assert outcome.status == 503
    assert "couldn’t confirm" in outcome.alert
    assert not any(denial in outcome.text for denial in DENIALS)
    assert WORDS[what] not in outcome.text
    scenario.change(TRANSPORT=wsgi_transport(scenario.sandbox))
    scenario.sandbox.faults.clear()
    assert WORDS[what] in scenario.visitor.send(outcome, button).text
    assert state(scenario) == DONE[what]
    assert len(scenario.sandbox.bookings()) == 1


@pytest.mark.parametrize("what", ["cancel", "reschedule"])
def test_not_sent_is_unchanged(scenario: FaultScenario, what: str):
    """Kordless said "too many": nothing happened, which is said, and the same button works when there is room."""
    page, button = change_form(scenario, what)
    before = state(scenario)
    scenario.sandbox.faults.add("status", what, times=1, status=429, retry_after=7)
    outcome = scenario.visitor.send(page, button)
    assert (outcome.status, outcome.response["Retry-After"]) == (503, "7")
    assert "Your booking is unchanged" in outcome.alert
    assert state(scenario) == before
    scenario.clock.shift(8)
    assert WORDS[what] in scenario.visitor.send(outcome, button).text


def test_taken_by_our_own_first_try(scenario: FaultScenario):
    """The move was made, and its repetition is answered with a taken time: by this very booking, so it has moved."""
    page, button = change_form(scenario, "reschedule")
    scenario.sandbox.faults.add("status", "reschedule", status=409, carried_out=True)
    assert WORDS["reschedule"] in scenario.visitor.send(page, button).text
    assert state(scenario) == DONE["reschedule"]


def test_an_address_alone_claims_nothing(scenario: FaultScenario):
    """Whoever writes "done" into the address of a confirmed booking gets no page that calls it canceled."""
    number = scenario.booked()
    for done, change in (("canceled", "canceled"), ("moved", "rescheduled")):
        assert f"has been {change}" not in scenario.visitor.open(scenario.manage(number, f"?done={done}")).text


class Falls:
    """A Kordless that answers no lookup anymore once it has been asked for a change."""

    def __init__(self, sandbox: Sandbox, change: str) -> None:
        self._sandbox = sandbox
        self._change = change
        self._fallen = False

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self._fallen:
            raise ConnectionResetError
        self._fallen = environ["PATH_INFO"].endswith(self._change)
        return self._sandbox(environ, start_response)
