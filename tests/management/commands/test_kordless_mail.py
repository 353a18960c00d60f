"""`manage.py kordless_mail`, as cron runs it."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.changes import BookingChange
from kordless_booking.models import Appointment, OutgoingMail
from kordless_booking.sandbox import Sandbox
from tests.support.mail_events import hook, page
from tests.support.mail_reader import sent
from tests.support.smtp_server import mail_server, use
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db


def run(**options: int) -> str:
    """Run the command and return its output."""
    output = io.StringIO()
    call_command("kordless_mail", stdout=output, **options)
    return output.getvalue().strip()


def test_where_mail_is_off_it_says_so(site: Settings):
    """And does nothing."""
    assert run() == 'Mail is off: set "MAIL": True in KORDLESS_BOOKING.'


def test_it_sends_what_is_left_and_what_is_due(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """A confirmation that is still queued; a day before the reminder; twice run, nothing twice."""
    visitor.book("haircut", "?day=2026-12-09")
    assert run() == "reminders=0 sent=1 later=0 superseded=0 lost=0 deleted=0"
    clock.move_to(Appointment.objects.get().start - timedelta(hours=23))
    assert run() == "reminders=1 sent=1 later=0 superseded=0 lost=0 deleted=0"
    assert run() == "reminders=0 sent=0 later=0 superseded=0 lost=0 deleted=0"
    assert len(sent()) == 2


def test_no_reminders_where_they_are_off(visitor: Visitor, writing: Settings, sandbox: Sandbox, clock: Traveller):
    """Zero hours."""
    writing.KORDLESS_BOOKING = {**writing.KORDLESS_BOOKING, "REMINDER_HOURS": 0}
    visitor.book("haircut", "?day=2026-12-09")
    clock.move_to(Appointment.objects.get().start - timedelta(hours=1))
    assert run().startswith("reminders=0 sent=1")


def test_past_appointments_are_deleted(writing: Settings, clock: Traveller):
    """A day after its end, with all that was personal."""
    page(BookingChange.CREATED)
    run()
    clock.shift(timedelta(days=2))
    assert run().endswith("deleted=0")
    clock.shift(timedelta(hours=2))
    assert run().endswith("deleted=1")
    assert not Appointment.objects.exists()
    assert not OutgoingMail.objects.exists()


def test_it_complains_of_what_is_lost(writing: Settings, clock: Traveller):
    """With an exit code, so that cron tells somebody; once."""
    page(BookingChange.CREATED)
    hook(BookingChange.CREATED, confirmation_number="BOOK_STUCK")
    OutgoingMail.objects.filter(pk=OutgoingMail.objects.latest("pk").pk).update(state=OutgoingMail.State.SENDING)
    clock.shift(timedelta(minutes=20))
    with mail_server(RCPT="550 nobody") as server:
        use(writing, server.port)
        with pytest.raises(CommandError, match="2 mails were given up"):
            run()
        assert run() == "reminders=0 sent=0 later=0 superseded=0 lost=0 deleted=0"


def test_it_can_be_silent(writing: Settings):
    """For cron, which sends whatever is said."""
    assert run(verbosity=0) == ""
