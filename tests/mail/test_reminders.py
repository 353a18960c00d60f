"""Reminders: once, in time, and only of what still stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.conf import get_account
from kordless_booking.mail.reminders import queue_reminders
from kordless_booking.models import Appointment, OutgoingMail
from kordless_booking.sandbox import Sandbox
from tests.support.mail_reader import Letter, sent
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def remind(most: int = 20) -> int:
    """One run of the cron's first half."""
    return queue_reminders(get_account(None), datetime.now(UTC), most)


def reminders() -> list[Letter]:
    """All that were sent."""
    return [letter for letter in sent() if letter.subject.endswith(": reminder")]


@pytest.fixture
def booked(visitor: Visitor, sandbox: Sandbox, clock: Traveller) -> tuple[str, datetime]:
    """A haircut eight days ahead, confirmed by mail: its number and its start. The clock stands 25 hours before it."""
    number = visitor.book("haircut", "?day=2026-12-09").number
    assert len(sent()) == 1
    start = Appointment.objects.get().start
    clock.move_to(start - 25 * HOUR)
    sandbox.clear_requests()
    return number, start


def test_a_reminder_comes_once_when_it_is_due(booked: tuple[str, datetime], clock: Traveller, sandbox: Sandbox):
    """Not an hour too early, one day before, and never again, however often cron runs."""
    assert remind() == 0
    assert sandbox.requests == []
    clock.shift(HOUR)
    assert [remind(), remind()] == [1, 0]
    [letter] = reminders()
    assert letter.subject.startswith("Haircut, Wed, Dec 9, ")
    assert "See you soon" in letter.words
    assert "This is a reminder of your booking." in letter.text
    assert letter.event["uid"].startswith(booked[0].lower())
    clock.shift(HOUR)
    assert remind() == 0
    assert len(reminders()) == 1
    assert [request.operation for request in sandbox.requests].count("lookup") == 1


def test_cancelled_elsewhere(booked: tuple[str, datetime], clock: Traveller, sandbox: Sandbox):
    """Without a webhook the lookup before the reminder finds it."""
    sandbox.set_status(booked[0], "canceled")
    clock.shift(2 * HOUR)
    assert remind() == 0
    assert Appointment.objects.get().status == "canceled"
    assert remind() == 0
    assert [request.operation for request in sandbox.requests].count("lookup") == 1


def test_moved_elsewhere(booked: tuple[str, datetime], clock: Traveller, sandbox: Sandbox):
    """The reminder follows, to the new time and with it."""
    later = sandbox.free("haircut", booked[1] + timedelta(days=2), booked[1] + timedelta(days=5))[0]
    sandbox.move(booked[0], later)
    clock.shift(2 * HOUR)
    assert remind() == 0
    assert Appointment.objects.get().start == later
    clock.move_to(later - 23 * HOUR)
    assert [remind(), remind()] == [1, 0]
    [letter] = reminders()
    assert letter.start == later
    assert letter.event["sequence"] > 0


def test_moved_to_another_hour_of_the_same_day(booked: tuple[str, datetime], clock: Traveller, sandbox: Sandbox):
    """It says the new hour at once."""
    sandbox.move(booked[0], booked[1] + HOUR)
    clock.shift(2 * HOUR)
    assert remind() == 1
    assert reminders()[0].start == booked[1] + HOUR


def test_who_has_moved_after_a_reminder_is_reminded_of_the_new_time(
    booked: tuple[str, datetime], visitor: Visitor, clock: Traveller
):
    """Once for each time that an appointment has."""
    clock.shift(2 * HOUR)
    assert remind() == 1
    manage = visitor.open(next(link for link in reminders()[0].links if "manage" in link).partition("example")[2])
    choices = visitor.open(f"{visitor.send(manage, 'Reschedule').url.partition('?')[0]}?day=2026-12-16")
    visitor.send(visitor.open(next(iter(choices.times.values()))), "Reschedule")
    assert sent()[-1].subject.endswith(": rescheduled")
    clock.move_to(Appointment.objects.get().start - 23 * HOUR)
    assert [remind(), remind()] == [1, 0]
    assert len(reminders()) == 2


def test_who_has_just_booked_is_not_reminded(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """An appointment within the day was confirmed a moment ago."""
    visitor.book("haircut", "?day=2026-12-02")
    assert len(sent()) == 1
    clock.shift(12 * HOUR)
    assert remind() == 0


def test_a_request_that_nobody_has_accepted_is_no_appointment(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """Nobody is reminded of it."""
    visitor.book("bridal-styling", "?day=2026-12-09")
    clock.move_to(Appointment.objects.get().start - HOUR)
    assert remind() == 0


@pytest.mark.parametrize("trouble", [{"kind": "status", "status": 503}, {"kind": "status", "status": 429}])
def test_reminders_wait_during_an_outage_of_kordless(
    booked: tuple[str, datetime],
    clock: Traveller,
    sandbox: Sandbox,
    writing: Settings,
    caplog: pytest.LogCaptureFixture,
    trouble: dict[str, Any],
):
    """Of what may be cancelled; the next run that gets an answer does it."""
    clock.shift(2 * HOUR)
    sandbox.faults.add(**trouble)
    assert remind() == 0
    assert "event=reminders_postponed account=default" in caplog.text
    sandbox.faults.clear()
    clock.shift(timedelta(minutes=5))
    writing.KORDLESS_BOOKING = dict(writing.KORDLESS_BOOKING)
    assert remind() == 1


def test_a_booking_that_is_gone(booked: tuple[str, datetime], clock: Traveller, sandbox: Sandbox):
    """Nobody is reminded, and Kordless isn't asked again."""
    sandbox.reset()
    clock.shift(2 * HOUR)
    assert [remind(), remind()] == [0, 0]
    assert Appointment.objects.get().status == "missing"
    assert [request.operation for request in sandbox.requests].count("lookup") == 1


@pytest.mark.long
def test_visitors_keep_their_share(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """One run looks at so many bookings; the next goes on with the others."""
    for _ in range(3):
        visitor.book("haircut", "?day=2026-12-09")
    sent()
    clock.move_to(Appointment.objects.latest("start").start - 23 * HOUR)
    assert [remind(2), remind(2), remind(2)] == [2, 1, 0]


def test_other_hours(booked: tuple[str, datetime], clock: Traveller, writing: Settings):
    """As the settings say."""
    writing.KORDLESS_BOOKING = {**writing.KORDLESS_BOOKING, "REMINDER_HOURS": 2}
    clock.shift(2 * HOUR)
    assert remind() == 0
    clock.move_to(booked[1] - timedelta(minutes=90))
    assert remind() == 1
    assert OutgoingMail.objects.filter(kind="reminder").count() == 1


def test_moved_while_kordless_was_asked(booked: tuple[str, datetime], clock: Traveller):
    """Another change came in between; the next run looks again."""
    clock.shift(2 * HOUR)

    def between(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SAVEPOINT"):
            Appointment.objects.update(revision=7)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(between):
        assert remind() == 0
    assert remind() == 1
