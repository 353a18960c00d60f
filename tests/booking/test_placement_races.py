"""Placing when processes die, freeze, or come at the same time."""

import contextlib
import json
import subprocess
import sys

import pytest
from django.db import connection

from kordless_booking.booking.placement import LEASE, Pending, Placed, place_booking, resume
from kordless_booking.conf import find_errors
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Limits, Sandbox
from tests.support.clock import NOW
from tests.support.placement import KEY, JustBefore, booked, client_of, creates, killed, later, row, unsure

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("sent", [True, False])
def test_a_killed_process_is_waited_out_and_then_asked_for(sandbox, network, client, attempt, sent):
    """The row says PLACING until the lease runs out; then the same request follows, as after a lost answer."""
    killed(network, client, attempt, sent=sent)
    assert resume("default", client, KEY, attempt.body_digest(), later(NOW, 1)) == Pending(seconds=2)
    assert place_booking("default", client, attempt, later(NOW, LEASE.total_seconds() - 1)) == Pending(seconds=2)
    assert len(creates(sandbox)) == sent
    outcome = resume("default", client, KEY, attempt.body_digest(), NOW + LEASE)
    assert isinstance(outcome, Placed)
    assert row().outcome_unknown
    assert [booking["number"] for booking in sandbox.bookings()] == [outcome.booking.confirmation_number]
    assert len({request.body for request in creates(sandbox)}) == 1


def test_a_claim_outlasts_every_create():
    """Nobody may send while another still may be waiting: the settings allow no longer waiting."""
    assert find_errors({"SANDBOX": True, "BOOKING_SECONDS": 12}) == []
    assert find_errors({"SANDBOX": True, "BOOKING_SECONDS": LEASE.total_seconds() - 3}) != []


def test_a_post_during_the_send_waits_for_it(sandbox, network, client, attempt):
    """The second of two equal posts sees that one is under way, and sends nothing."""
    seen = []
    network.before = lambda: seen.append(place_booking("default", client_of(sandbox), attempt, NOW))
    assert isinstance(place_booking("default", client, attempt, NOW), Placed)
    assert seen == [Pending(seconds=2)]
    assert len(creates(sandbox)) == 1


def test_a_late_success_is_recorded_though_another_process_has_asked_meanwhile(sandbox, network, client, attempt):
    """A sender that was frozen past its lease comes back with the yes: that is the truth, whatever came since."""
    sandbox.faults.add("status", "create", times=1, status=500)

    def overtaken() -> None:
        network.before = lambda: None
        assert isinstance(resume("default", client_of(sandbox), KEY, attempt.body_digest(), NOW + LEASE), Pending)

    network.before = overtaken
    outcome = place_booking("default", client, attempt, NOW)
    assert isinstance(outcome, Placed)
    assert row().state == BookingAttempt.State.PLACED
    assert booked(resume("default", client, KEY, attempt.body_digest(), NOW + LEASE)) == booked(outcome)


def test_a_late_no_does_not_undo_a_yes(sandbox, network, client, attempt):
    """The frozen sender's refusal comes after another has placed the booking."""

    def overtaken() -> None:
        network.before = lambda: None
        assert isinstance(resume("default", client_of(sandbox), KEY, attempt.body_digest(), NOW + LEASE), Placed)
        sandbox.faults.add("status", "create", times=1, status=409)

    network.before = overtaken
    place_booking("default", client, attempt, NOW)
    assert row().state == BookingAttempt.State.PLACED
    assert isinstance(resume("default", client, KEY, attempt.body_digest(), NOW + LEASE), Placed)
    assert len(sandbox.bookings()) == 1


@pytest.mark.parametrize(
    "again",
    [
        lambda client, attempt, now: place_booking("default", client, attempt, now),
        lambda client, attempt, now: resume("default", client, attempt.key, attempt.body_digest(), now),
    ],
    ids=["place", "resume"],
)
def test_only_one_of_two_that_see_it_due_sends(sandbox, client, attempt, again):
    """Both have read the row; raising its claim decides."""
    unsure(sandbox, client, attempt)
    now, first = later(NOW, 2), []

    def other() -> None:
        first.append(resume("default", client, KEY, attempt.body_digest(), now))

    with connection.execute_wrapper(JustBefore("UPDATE", other)):
        second = again(client, attempt, now)
    assert isinstance(first[0], Placed)
    assert second == Pending(seconds=2)
    assert len(creates(sandbox)) == 2


def test_only_one_of_two_renews_a_rejected_attempt(sandbox, client, attempt):
    """Two posts of the form after a no: one new generation, one booking."""
    sandbox.faults.add("status", "create", times=1, status=422)
    place_booking("default", client, attempt, NOW)
    now, first = later(NOW, 2), []

    def other() -> None:
        first.append(place_booking("default", client, attempt, now))

    # Inside a test's transaction the renewal has a savepoint of its own, and what came after that would be undone.
    with connection.execute_wrapper(JustBefore("SAVEPOINT", other, nth=2)):
        second = place_booking("default", client, attempt, now)
    assert isinstance(first[0], Placed)
    assert booked(second) == booked(first[0])
    assert booked(resume("default", client, KEY, attempt.body_digest(), later(now, 1))) == booked(first[0])
    assert row().generation == 2
    assert len(sandbox.bookings()) == 1


@pytest.mark.long
def test_threads_of_two_processes_place_one_booking(tmp_path):
    """Eight equal posts at one moment, in two processes on one database file: one create request, one booking."""
    sandbox = Sandbox(str(tmp_path / "sandbox.sqlite3"), now=NOW, limits=Limits.off())
    command = [
        sys.executable,
        "-m",
        "tests.support.racing_process",
        str(tmp_path / "site.sqlite3"),
        sandbox.store.path,
        "4",
    ]
    with contextlib.ExitStack() as stack:
        racers = []
        for _ in range(2):
            racer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 (ours)
            racers.append(stack.enter_context(racer))
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            racer.stdin.write("go\n")
            racer.stdin.flush()
        outcomes = [each for racer in racers for each in json.loads(racer.communicate(timeout=30)[0])]
    numbers = [booking["number"] for booking in sandbox.bookings()]
    assert len(outcomes) == 8
    assert len(numbers) == len(creates(sandbox)) == 1
    assert set(outcomes) <= {numbers[0], repr(Pending(seconds=2))}
    sandbox.close()
