"""The test booking of --book: asked for, canceled whatever happens, and what can't be canceled is said."""

from __future__ import annotations

import io
import signal
import sys
from typing import Any

import pytest
from django.core.management import CommandError
from time_machine import Traveller

from kordless_booking.conf import get_account
from kordless_booking.doctor.contract import booking
from kordless_booking.doctor.contract.facts import Findings
from kordless_booking.doctor.contract.prober import PACE_SECONDS, Prober
from kordless_booking.doctor.contract.reading import RESERVED_EMAIL
from kordless_booking.doctor.contract.run import ContractRun
from kordless_booking.sandbox import Sandbox
from tests.support.contract import open_bookings, run_comparison

pytestmark = pytest.mark.django_db

BOOK = ("--json", "--book", "--service", "haircut")


def test_it_asks_before_it_books(limited: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Anything but yes, and a closed input, sends nothing."""
    for typed in ("no\n", "", "y\n"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(CommandError, match="Nothing was booked") as raised:
            run_comparison(*BOOK)
        assert raised.value.returncode == 2
    assert limited.requests == []
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    found = run_comparison(*BOOK)
    assert "This books the last free time of haircut in your Kordless account, as Contract check" in found.warnings
    assert (found.status, len(limited.bookings())) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("--book",), "--service"), (("--delivery", "/no/such/file"), "can't be read")],
)
def test_wrong_options_are_refused_before_anything_is_sent(limited: Sandbox, arguments: tuple[str, ...], message: str):
    """With what is missing."""
    with pytest.raises(CommandError, match=message):
        run_comparison(*arguments)
    assert limited.requests == []


def test_a_service_that_can_not_be_booked_ends_the_run(limited: Sandbox):
    """Nothing is booked instead of it."""
    found = run_comparison("--json", "--book", "--yes", "--service", "staff-training")
    assert found.status == 2
    assert "can be booked" in found.document["stopped"]
    assert found.fact("created")["observation"] == "the run ended before it"
    assert limited.bookings() == []


def test_the_booked_time_can_be_canceled(limited: Sandbox):
    """Beyond the notice of the service, even where that is enforced; the contact is one that reaches nobody."""
    found = run_comparison("--json", "--book", "--yes", "--service", "full-color")
    assert (found.status, open_bookings(limited)) == (0, [])
    [row] = limited.bookings()
    assert row["email"] == RESERVED_EMAIL
    assert row["phone"] == "+12125550143"


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("create", {"kind": "status", "status": 500, "carried_out": True, "times": 1}),
        ("create", {"kind": "reset", "times": 1}),
        ("lookup", {"kind": "status", "status": 503}),
        ("cancel", {"kind": "status", "status": 500, "times": 2}),
        ("cancel", {"kind": "status", "status": 500, "carried_out": True}),
        ("lookup", {"kind": "status", "status": 429}),
    ],
)
def test_the_booking_is_canceled_after_an_error(limited: Sandbox, operation: str, fault: dict[str, Any]):
    """Of each request, carried out or not."""
    limited.faults.add(operation=operation, **fault)
    found = run_comparison(*BOOK, "--yes")
    assert open_bookings(limited) == []
    assert found.warnings == ""


def test_a_cancel_waits_for_the_quota(limited: Sandbox, clock: Traveller):
    """A 429 closes the gate for a while; the attempts go on for longer than a minute."""
    limited.faults.add("status", operation="cancel", status=429, retry_after=50, times=1)
    warnings: list[str] = []

    def pause(seconds: float) -> None:
        clock.shift(seconds)

    prober = Prober(get_account("default"), Findings(), pause=pause)
    contact = booking.TestContact("Contract check", RESERVED_EMAIL, "")
    run = ContractRun(get_account("default"), prober, prober.findings)
    run.run(service_slug="haircut", contact=contact, warn=warnings.append)
    assert (open_bookings(limited), warnings) == ([], [])


def test_a_booking_that_can_not_be_canceled_is_reported_with_its_number(limited: Sandbox):
    """To the operator alone: the report, which is passed on, doesn't have it."""
    limited.faults.add("status", operation="cancel", status=500)
    found = run_comparison(*BOOK, "--yes")
    [number] = open_bookings(limited)
    assert number in found.warnings
    assert number not in found.report
    assert found.status == 2


def test_a_booking_whose_number_is_not_known_is_reported_with_its_time(limited: Sandbox):
    """A creation whose answers are all lost was asked for twice, with one key, so there is one at most."""
    limited.faults.add("status", operation="create", status=500, carried_out=True)
    found = run_comparison(*BOOK, "--yes")
    assert len(open_bookings(limited)) == 1
    assert "look in Kordless for haircut at 20" in found.warnings
    assert found.status == 2


def test_a_number_with_escape_sequences_does_not_reach_the_terminal(limited: Sandbox):
    """Kordless is trusted with bookings, not with what a terminal obeys."""
    limited.faults.add(
        "field_changed", operation="create", name="confirmation_number", value="B\x1b]0;canary\x07\x1b[2J\r\n1"
    )
    limited.faults.add("status", operation="cancel", status=500)
    found = run_comparison(*BOOK, "--yes")
    assert "The test booking B?]0;canary??[2J??1 could not be canceled" in found.warnings
    assert "\x1b" not in found.warnings + found.report


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_told_to_end_cancels(limited: Sandbox, monkeypatch: pytest.MonkeyPatch, number: int):
    """By systemd, a closed terminal or a time limit, as by Ctrl+C. Afterwards the process has its own handlers."""
    before = signal.getsignal(number)
    monkeypatch.setattr(booking, "look_up", lambda *_: signal.raise_signal(number))
    with pytest.raises(KeyboardInterrupt):
        run_comparison(*BOOK, "--yes")
    assert [each["status"] for each in limited.bookings()] == ["canceled"]
    assert signal.getsignal(number) is before


def test_an_interrupted_run_cancels(limited: Sandbox, monkeypatch: pytest.MonkeyPatch):
    """Ctrl+C between two requests, and within a creation, of which only the time can be said."""

    def interrupt(*_arguments: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(booking, "look_up", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_comparison(*BOOK, "--yes")
    assert [each["status"] for each in limited.bookings()] == ["canceled"]
    monkeypatch.setattr(booking.BookingRun, "_send_create", interrupt)
    warnings: list[str] = []
    run = ContractRun(get_account("default"), Prober(get_account("default"), Findings(), pace=0), Findings())
    contact = booking.TestContact("Contract check", RESERVED_EMAIL, "")
    with pytest.raises(KeyboardInterrupt):
        run.run(service_slug="haircut", contact=contact, warn=warnings.append)
    assert "may exist" in warnings[0]


def test_requests_are_paced(limited: Sandbox):
    """A pause before each but the first, so that a third of a minute's quota is left to visitors."""
    pauses: list[float] = []
    findings = Findings()
    prober = Prober(get_account("default"), findings, pause=pauses.append)
    run = ContractRun(get_account("default"), prober, findings)
    run.run(warn=pytest.fail)
    assert pauses == [PACE_SECONDS] * (prober.requests - 1)
    assert prober.requests == len(limited.requests)
    assert get_account("default").requests_per_minute * 2 / 3 >= 60 / PACE_SECONDS
