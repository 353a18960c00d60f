"""Mail that waits: moves replace each other, a recipient gets so many a day, and a busy database loses nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.changes import BookingChange
from kordless_booking.mail import outbox
from kordless_booking.mail.enqueue import RESCHEDULED_DELAY
from kordless_booking.mail.outbox import BUSY_SECONDS, UNREACHABLE_SECONDS, send_due
from kordless_booking.models import Appointment, OutgoingMail
from tests.support.clock import NOW
from tests.support.mail_events import FIRST, MOVED, hook, page
from tests.support.mail_reader import Letter, opened
from tests.support.mail_settings import MAIL
from tests.support.reserved_port import reserved_port
from tests.support.smtp_server import use
from tests.support.visitor import Visitor
from tests.support.wait_until import wait_until

pytestmark = pytest.mark.django_db
State = OutgoingMail.State


@pytest.fixture
def scheduled(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds for which the timer of this process was set."""
    seconds: list[float] = []
    monkeypatch.setattr(outbox.timer, "schedule", seconds.append)
    return seconds


def letters() -> list[Letter]:
    """Return all mails that have left."""
    return [opened(message) for message in mail.outbox]


def states() -> list[str]:
    """Return the states of all mails, oldest first."""
    return list(OutgoingMail.objects.order_by("pk").values_list("state", flat=True))


@pytest.fixture
def booked(writing: Settings) -> None:
    """A booking whose confirmation has been sent."""
    page(BookingChange.CREATED)
    assert send_due() == {State.SENT: 1}
    mail.outbox.clear()


@pytest.mark.usefixtures("booked")
def test_three_moves_within_a_minute_send_one_mail_about_the_last(clock: Traveller) -> None:
    """It says where the appointment was before the first of them, as the customer knows it."""
    for number in range(3):
        hook(BookingChange.RESCHEDULED, 20 * number, start=MOVED + timedelta(hours=number))
        assert send_due() == {}
        clock.shift(10)
    clock.shift(RESCHEDULED_DELAY)
    assert send_due() == {State.SENT: 1}
    [letter] = letters()
    assert letter.start == MOVED + timedelta(hours=2)
    last = OutgoingMail.objects.latest("pk")
    assert (last.before_start, states()) == (FIRST, ["sent", "superseded", "superseded", "sent"])
    clock.shift(timedelta(hours=1))
    assert send_due() == {}


def test_a_customer_who_moves_a_booking_often_gets_one_mail(visitor: Visitor, clock: Traveller) -> None:
    """Eight moves in three seconds were eight mails: played on the pages, as anybody with a manage link can."""
    page = visitor.book("haircut", "?day=2026-12-09")
    send_due()
    page = visitor.open(page.link("Change or cancel"))
    for time in range(1, 5):
        choices = visitor.send(page, "Reschedule")
        page = visitor.send(visitor.open(list(choices.times.values())[time]), "Reschedule")
        assert page.status == 200
        clock.shift(0.5)
        send_due()
    clock.shift(RESCHEDULED_DELAY)
    send_due()
    subjects = [letter.subject.rpartition(": ")[2] for letter in letters()]
    assert subjects == ["confirmed", "rescheduled"]


@pytest.mark.usefixtures("booked")
def test_a_cancellation_does_not_wait_behind_a_move() -> None:
    """It replaces the mail about the move, and is sent at once."""
    hook(BookingChange.RESCHEDULED, 10, start=MOVED)
    hook(BookingChange.CANCELLED, 20, start=MOVED)
    assert send_due() == {State.SENT: 1}
    assert letters()[0].calendar["method"] == "CANCEL"
    assert states() == ["sent", "superseded", "sent"]


@pytest.mark.usefixtures("booked")
def test_a_move_to_a_time_that_begins_soon_is_mailed_at_once() -> None:
    """A minute later the appointment might have begun."""
    hook(BookingChange.RESCHEDULED, 10, start=NOW + timedelta(seconds=100))
    assert send_due() == {State.SENT: 1}


@pytest.mark.usefixtures("booked")
def test_the_timer_of_the_process_that_queued_it_is_set(
    scheduled: list[float], django_capture_on_commit_callbacks: Any
) -> None:
    """For a minute, after the commit; other mails go to the background thread at once."""
    with django_capture_on_commit_callbacks() as callbacks:
        hook(BookingChange.RESCHEDULED, 10, start=MOVED)
    for callback in callbacks:
        callback()
    assert scheduled == [RESCHEDULED_DELAY.total_seconds()]


@pytest.mark.usefixtures("booked")
def test_kordless_mail_sends_a_delayed_mail_when_its_minute_is_over(clock: Traveller) -> None:
    """Whoever comes first; the others find nothing left."""
    hook(BookingChange.RESCHEDULED, 10, start=MOVED)
    call_command("kordless_mail", verbosity=0)
    assert letters() == []
    clock.shift(RESCHEDULED_DELAY)
    call_command("kordless_mail", verbosity=0)
    assert len(letters()) == 1
    assert send_due() == {}


@pytest.mark.usefixtures("writing")
def test_the_next_request_sends_what_the_timer_could_not(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cached page too; and once."""
    now, ran = [0.0], []
    timer = outbox.EarliestTimer(lambda: ran.append(1), clock=lambda: now[0], thread=Silent)
    monkeypatch.setattr(outbox, "timer", timer)
    timer.schedule(60)
    client.get("/book/haircut/")
    assert ran == []
    now[0] = 60
    for _ in range(3):
        client.get("/book/haircut/")
    assert ran == [1]


class Silent:
    """A thread that never runs."""

    daemon = False

    def __init__(self, _seconds: float, _job: Any) -> None: ...

    def start(self) -> None: ...

    def cancel(self) -> None: ...


@pytest.mark.django_db(transaction=True)
def test_a_delayed_mail_goes_out_by_the_timer(writing: Settings, clock: Traveller, monkeypatch: pytest.MonkeyPatch):
    """A real thread of this process, and the background sender behind it."""
    page(BookingChange.CREATED)
    wait_until(lambda: states() == ["sent"])
    timer = outbox.EarliestTimer(outbox.send_in_background)
    monkeypatch.setattr(outbox, "timer", timer)
    monkeypatch.setattr("kordless_booking.mail.enqueue.RESCHEDULED_DELAY", timedelta(milliseconds=50))
    page(BookingChange.RESCHEDULED, start=MOVED)
    clock.shift(1)
    wait_until(lambda: states() == ["sent", "sent"])
    timer.reset()


@contextmanager
def busy(statement: str, value: str = "") -> Iterator[list[str]]:
    """A database that is locked for the next statement with this text and this value; yields what it refused."""
    refused: list[str] = []

    def locked(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if statement in sql and (not value or value in params) and not refused:
            refused.append(sql)
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(locked):
        yield refused


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("statement", "value", "delivered"),
    [
        ("SELECT", "", 0),
        ("UPDATE", "sending", 0),
        ('"kordless_booking_appointment"."encrypted"', "", 0),
        ('email_hash" = ', "", 0),
        ("UPDATE", "sent", 1),
        ("MIN(", "", 1),
    ],
    ids=["looking", "claiming", "reading", "counting", "recording", "scheduling"],
)
def test_a_busy_database_delays_a_mail_and_loses_none(
    writing: Settings,
    scheduled: list[float],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
    value: str,
    delivered: int,
) -> None:
    """Whatever query it refuses, the background sender tries again by itself, and the mail is sent exactly once."""
    monkeypatch.setattr("kordless_booking.mail.enqueue.send_in_background", lambda: None)
    page(BookingChange.CREATED)
    caplog.set_level(logging.INFO, "kordless_booking.mail")
    with busy(statement, value) as refused:
        outbox._send_and_schedule()
    assert refused
    assert len(mail.outbox) == delivered
    assert scheduled == [BUSY_SECONDS]
    assert "event=mail_postponed error=OperationalError" in caplog.text
    outbox._send_and_schedule()
    assert len(mail.outbox) == 1
    assert states() == ["sent"]
    assert not outbox._unrecorded


def test_a_result_that_comes_late_changes_no_later_claim(writing: Settings) -> None:
    """Another process may have claimed the mail again: the number of the try tells."""
    page(BookingChange.CREATED)
    row = OutgoingMail.objects.get()
    OutgoingMail.objects.update(state=State.SENDING, tries=2)
    outbox._record(outbox._Claimed(row.pk, 1), {"state": State.QUEUED})
    assert states() == ["sending"]
    outbox._record(outbox._Claimed(row.pk, 2), {"state": State.SENT})
    assert states() == ["sent"]


def test_a_mail_that_the_server_did_not_take_is_tried_again_by_the_timer(
    writing: Settings, scheduled: list[float]
) -> None:
    """After its minute, and what was left behind it after a minute as well."""
    with reserved_port() as port:
        use(writing, port)
        page(BookingChange.CREATED)
        outbox._send_and_schedule()
        assert scheduled == [60]
        hook(BookingChange.CREATED, confirmation_number="BOOK_2")
        hook(BookingChange.CREATED, confirmation_number="BOOK_3")
        outbox._send_and_schedule()
    assert scheduled == [60, UNREACHABLE_SECONDS]


def test_nothing_is_scheduled_when_no_mail_waits(writing: Settings, scheduled: list[float]) -> None:
    """An idle process does nothing."""
    page(BookingChange.CREATED)
    outbox._send_and_schedule()
    assert scheduled == []


def write(number: int, **changes: Any) -> None:
    """Book once more for the same address."""
    hook(BookingChange.CREATED, confirmation_number=f"BOOK_{number}", **changes)


def test_nobody_gets_more_mails_than_the_limit_in_a_day(
    writing: Settings, clock: Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    """Ten bookings for somebody else's address don't fill the mailbox; the log says it without the address."""
    writing.KORDLESS_BOOKING = {**writing.KORDLESS_BOOKING, **MAIL, "MAILS_PER_RECIPIENT": 4}
    for number in range(10):
        write(number, start=NOW + timedelta(days=9))
    caplog.set_level(logging.INFO, "kordless_booking.mail")
    assert send_due() == {State.SENT: 3, State.WITHHELD: 7}
    lines = [record.getMessage() for record in caplog.records if "state=withheld" in record.getMessage()]
    assert len(lines) == 7
    assert "canary" not in caplog.text
    assert {record.levelname for record in caplog.records if "withheld" in record.getMessage()} == {"WARNING"}
    clock.shift(timedelta(days=1, minutes=1))
    write(11, start=NOW + timedelta(days=9))
    assert send_due() == {State.SENT: 1}


def test_another_recipient_is_not_touched_by_a_limit(writing: Settings) -> None:
    """Counted by the keyed hash of each address."""
    writing.KORDLESS_BOOKING = {**writing.KORDLESS_BOOKING, "MAILS_PER_RECIPIENT": 1}
    write(1)
    write(2)
    Appointment.objects.filter(pk=Appointment.objects.latest("pk").pk).update(email_hash="somebody else's")
    assert send_due() == {State.SENT: 2}


def test_cancellations_and_reminders_have_the_last_places(writing: Settings) -> None:
    """The last quarter of the limit is kept for them."""
    writing.KORDLESS_BOOKING = {**writing.KORDLESS_BOOKING, "MAILS_PER_RECIPIENT": 4}
    for number in range(4):
        write(number)
    assert send_due() == {State.SENT: 3, State.WITHHELD: 1}
    for number in range(2):
        hook(BookingChange.CANCELLED, 10, confirmation_number=f"BOOK_{number}")
    assert send_due() == {State.SENT: 1, State.WITHHELD: 1}
    assert "canceled" in letters()[-1].subject


def test_without_a_limit_all_mails_are_sent(writing: Settings) -> None:
    """0 is no limit."""
    writing.KORDLESS_BOOKING = {**writing.KORDLESS_BOOKING, "MAILS_PER_RECIPIENT": 0}
    for number in range(25):
        write(number)
    assert send_due() == {State.SENT: 25}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="its plan is SQLite's")
def test_mails_to_a_recipient_are_counted_by_an_index(writing: Settings) -> None:
    """Not by reading all mails that were ever sent."""
    page(BookingChange.CREATED)
    plans: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SELECT"):
            with connection.cursor() as cursor:
                rows = cursor.cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()
                plans.extend(row[3] for row in rows)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        send_due()
    assert any("kb_appointment_email" in line for line in plans), plans
    assert not [line for line in plans if line.startswith("SCAN")]
