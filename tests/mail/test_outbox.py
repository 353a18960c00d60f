"""Sending: each mail at most once, whatever the mail server does and whoever dies in between."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.changes import BookingChange
from kordless_booking.mail.connection import state_after_error
from kordless_booking.mail.outbox import BACKOFF_MINUTES, BATCH_SIZE, mark_stuck_as_unknown, send_due
from kordless_booking.models import Appointment, OutgoingMail
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.deliveries import delivery
from tests.support.mail_events import booking, hook, page, send_from_twenty_threads
from tests.support.mail_reader import sent
from tests.support.reserved_port import reserved_port
from tests.support.smtp_server import mail_server, use
from tests.support.visitor import Visitor
from tests.support.wait_until import wait_until

pytestmark = pytest.mark.django_db


def state() -> tuple[str, int]:
    """Return the state of the only mail and the number of tries."""
    row = OutgoingMail.objects.get()
    return row.state, row.tries


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """Return a function that lists the log messages about mails."""
    caplog.set_level(logging.INFO, "kordless_booking.mail")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "kordless_booking.mail"]


def test_a_real_mail_server_gets_it_once(writing: Settings, lines: Any):
    """Over SMTP; the second time nothing is due."""
    page(BookingChange.CREATED)
    with mail_server() as server:
        use(writing, server.port)
        assert send_due() == {OutgoingMail.State.SENT: 1}
        assert send_due() == {}
    [taken] = server.accepted
    assert b"To: canary@example.com" in taken
    assert state() == ("sent", 1)
    [line] = lines()
    assert line.startswith("event=mail_attempted state=sent mail=")
    assert line.endswith("kind=confirmed account=default tries=1")


def test_many_mails_go_over_one_connection(writing: Settings):
    """Opened with the first."""
    for number in range(3):
        hook(BookingChange.CREATED, confirmation_number=f"BOOK_{number}")
    with mail_server() as server:
        use(writing, server.port)
        assert send_due() == {OutgoingMail.State.SENT: 3}
    assert (len(server.accepted), server.sessions) == (3, 1)


@pytest.fixture
def nobodys_port() -> Iterator[int]:
    """Where nothing listens."""
    with reserved_port() as port:
        yield port


def test_an_unreachable_server_is_tried_again_later(writing: Settings, clock: Traveller, lines: Any, nobodys_port: int):
    """After a minute, five, a quarter of an hour, …; then it goes out once."""
    page(BookingChange.CREATED)
    use(writing, nobodys_port)
    for tries, minutes in enumerate([*BACKOFF_MINUTES, BACKOFF_MINUTES[-1]], 1):
        assert send_due() == {OutgoingMail.State.QUEUED: 1}
        assert state() == ("queued", tries)
        assert send_due() == {}
        clock.shift(timedelta(minutes=minutes))
    with mail_server() as server:
        use(writing, server.port)
        send_due()
    assert len(server.accepted) == 1
    assert lines()[0].endswith("error=ConnectionRefusedError")


def test_what_nobody_takes_for_two_days_is_given_up(writing: Settings, clock: Traveller, nobodys_port: int):
    """It would be outdated."""
    page(BookingChange.CREATED, start=NOW + timedelta(days=9))
    use(writing, nobodys_port)
    send_due()
    clock.shift(timedelta(days=2, minutes=1))
    assert send_due() == {OutgoingMail.State.FAILED: 1}
    clock.shift(timedelta(days=1))
    assert send_due() == {}


def test_an_unreachable_server_is_not_asked_for_each_mail(writing: Settings, nobodys_port: int):
    """The others stay as they are."""
    for number in range(3):
        hook(BookingChange.CREATED, confirmation_number=f"BOOK_{number}")
    use(writing, nobodys_port)
    assert send_due() == {OutgoingMail.State.QUEUED: 1}
    assert sorted(OutgoingMail.objects.values_list("tries", flat=True)) == [0, 0, 1]


@pytest.mark.parametrize(
    ("answers", "ended", "code"),
    [
        ({"RCPT": "450 try later"}, "queued", ""),
        ({"RCPT": "550 no such canary@example.com"}, "failed", ""),
        ({"MAIL": "451 busy"}, "queued", "451"),
        ({"MAIL": "550 not from you"}, "failed", "550"),
        ({"DATA": "452 full"}, "queued", "452"),
        ({"DATA": "554 spam"}, "failed", "554"),
        ({"MAIL_DATA": "451 try later"}, "queued", "451"),
        ({"MAIL_DATA": "554 spam for canary@example.com"}, "failed", "554"),
        ({"MAIL_DATA": ""}, "outcome_unknown", ""),
        ({"DATA": ""}, "outcome_unknown", ""),
        ({"CONNECT": "554 go away"}, "queued", "554"),
    ],
)
def test_what_a_mail_server_says(writing: Settings, lines: Any, answers: dict[str, str], ended: str, code: str):
    """Later, never, or nobody knows; what nobody knows is never sent again. No line repeats the address."""
    page(BookingChange.CREATED)
    with mail_server(**answers) as server:
        use(writing, server.port)
        send_due()
        assert state() == (ended, 1)
        send_due()
    assert len(server.accepted) <= 1
    [line] = lines()
    assert line.endswith(f" code={code}") if code else " code=" not in line
    assert "canary" not in line
    assert "555" not in line.replace("code=554", "")


def test_the_page_does_not_care(visitor: Visitor, writing: Settings, sandbox: Sandbox, nobodys_port: int):
    """The visitor is booked, quickly, while the mail server is away."""
    use(writing, nobodys_port)
    assert visitor.book("haircut", "?day=2026-12-09").heading == "You’re booked"
    assert state() == ("queued", 0)


def test_a_sender_that_dies_in_the_middle_is_not_followed(writing: Settings, clock: Traveller, lines: Any):
    """Nobody knows whether the mail went out: it is left, said so, and never sent again."""
    page(BookingChange.CREATED)

    class Killed(BaseException):
        """An exception that stands for the death of the process."""

    def kill(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("UPDATE") and "sent" in params:
            raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(kill), pytest.raises(Killed):
        send_due()
    assert len(mail.outbox) == 1
    assert state() == ("sending", 1)
    assert mark_stuck_as_unknown(NOW) == 0
    for _ in range(2):
        clock.shift(timedelta(minutes=16))
        assert send_due() == {}
        mark_stuck_as_unknown(NOW + timedelta(minutes=16))
    assert state() == ("outcome_unknown", 1)
    assert len(mail.outbox) == 1
    assert lines() == ["event=mail_stuck mails=1"]


def test_a_process_that_dies_before_sending_leaves_it_to_the_next(writing: Settings, client: Client):
    """The delivery was taken in and committed; nothing else happened. Whoever comes next sends it, once."""
    delivery().post(client)
    assert state() == ("queued", 0)
    assert len(sent()) == 1
    assert len(sent()) == 1


def test_a_broken_template_of_the_sites_is_tried_again(writing: Settings, tmp_path: Path, clock: Traveller):
    """Somebody mends it, and the mail goes out."""
    (tmp_path / "kordless_booking" / "mail").mkdir(parents=True)
    broken = tmp_path / "kordless_booking" / "mail" / "mail.html"
    broken.write_text("{% nonsense %}")
    writing.TEMPLATES = [{**writing.TEMPLATES[0], "DIRS": [tmp_path]}]
    page(BookingChange.CREATED)
    assert send_due() == {OutgoingMail.State.QUEUED: 1}
    broken.write_text("<p>{{ headline }}</p>")
    writing.TEMPLATES = [{**writing.TEMPLATES[0]}]
    clock.shift(timedelta(minutes=2))
    assert len(sent()) == 1


def test_a_new_key_makes_old_rows_unreadable(writing: Settings, lines: Any):
    """Then nobody can be written to; with the old one among the fallbacks all is well."""
    page(BookingChange.CREATED)
    old = writing.SECRET_KEY
    writing.SECRET_KEY = "another key for tests only: 9fK2mX7qW4zT8vB3"
    assert send_due() == {OutgoingMail.State.FAILED: 1}
    assert "error=InvalidToken" in lines()[0]
    OutgoingMail.objects.update(state=OutgoingMail.State.QUEUED, due_at=NOW)
    writing.SECRET_KEY_FALLBACKS = [old]
    assert send_due() == {OutgoingMail.State.SENT: 1}


def test_what_began_is_over_before_it_is_sent(writing: Settings, clock: Traveller):
    """A confirmation after the appointment is of no use."""
    page(BookingChange.CREATED)
    clock.shift(timedelta(days=1, minutes=1))
    assert send_due() == {OutgoingMail.State.SUPERSEDED: 1}
    assert mail.outbox == []


def test_mail_that_is_switched_off_waits(writing: Settings):
    """And goes out when it is on again."""
    page(BookingChange.CREATED)
    on = writing.KORDLESS_BOOKING
    writing.KORDLESS_BOOKING = {**on, "MAIL": False}
    assert send_due() == {}
    writing.KORDLESS_BOOKING = on
    assert send_due() == {OutgoingMail.State.SENT: 1}


def test_an_appointment_that_is_erased_meanwhile(writing: Settings):
    """Its mails are gone with it."""
    page(BookingChange.CREATED)
    Appointment.objects.all().delete()
    assert send_due() == {}


def test_no_run_takes_on_too_much(writing: Settings):
    """The rest is for the next."""
    for number in range(3):
        hook(BookingChange.CREATED, confirmation_number=f"BOOK_{number}")
    assert send_due(limit=2) == {OutgoingMail.State.SENT: 2}
    assert BATCH_SIZE >= 20


@pytest.mark.parametrize("meanwhile", ["somebody else sends it", "it is erased", "a newer try has its time"])
def test_what_happens_between_two_looks(writing: Settings, meanwhile: str):
    """A mail that was due a moment ago is somebody else's, or gone; then nothing is sent here."""
    page(BookingChange.CREATED)
    done = []

    def between(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        ours = sql.startswith("UPDATE") and "sending" in params and not done
        if ours:
            done.append(sql)
            if meanwhile == "somebody else sends it":
                OutgoingMail.objects.update(state=OutgoingMail.State.SENDING)
            if meanwhile == "a newer try has its time":
                OutgoingMail.objects.update(due_at=NOW + timedelta(minutes=1))
        answer = execute(sql, params, many, context)
        if ours and meanwhile == "it is erased":
            Appointment.objects.all().delete()
        return answer

    with connection.execute_wrapper(between):
        assert send_due() == {}
    assert done
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("error", "left"),
    [
        (smtplib.SMTPNotSupportedError("SMTPUTF8"), OutgoingMail.State.FAILED),
        (smtplib.SMTPRecipientsRefused({"a": (450, b""), "b": (550, b"")}), OutgoingMail.State.OUTCOME_UNKNOWN),
        (smtplib.SMTPRecipientsRefused({}), OutgoingMail.State.OUTCOME_UNKNOWN),
        (smtplib.SMTPResponseException(-1, "?"), OutgoingMail.State.OUTCOME_UNKNOWN),
        (TimeoutError(), OutgoingMail.State.OUTCOME_UNKNOWN),
        (RuntimeError(), OutgoingMail.State.OUTCOME_UNKNOWN),
    ],
)
def test_ambiguous_errors_leave_the_outcome_unknown(error: Exception, left: OutgoingMail.State):
    """Backends raise anything; only a clear no may be tried again."""
    assert state_after_error(error) is left


@pytest.mark.django_db(transaction=True)
def test_a_mail_goes_out_by_itself_soon_after(writing: Settings):
    """In the background, when the transaction is committed: nobody waits for it."""
    with mail_server() as server:
        use(writing, server.port)
        page(BookingChange.CREATED)
        wait_until(lambda: OutgoingMail.objects.get().state == "sent")
    assert len(server.accepted) == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time; make test-postgres runs it")
@pytest.mark.django_db(transaction=True)
def test_twenty_senders_at_once_send_it_once(writing: Settings):
    """The database lets one of them turn it into a mail that is being sent."""
    with mail_server() as server:
        use(writing, server.port)
        page(BookingChange.CREATED)
        send_from_twenty_threads()
        wait_until(lambda: state() == ("sent", 1))
    assert len(server.accepted) == 1


def test_bookings_are_distinguished(writing: Settings):
    """Two customers, two mails."""
    page(BookingChange.CREATED)
    page(BookingChange.CREATED, confirmation_number="BOOK_OTHER", contact=booking().contact)
    assert len(sent()) == 2
