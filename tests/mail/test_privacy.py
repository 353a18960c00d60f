"""Personal data with mail on: it is in the mails and nowhere else."""

from __future__ import annotations

import json

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.mail.outbox import send_due
from kordless_booking.models import OutgoingMail
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.mail_reader import sent
from tests.support.privacy_scenario import CANARY, SECRETS, TOKENS, customer_journey
from tests.support.smtp_server import mail_server, use
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db


@pytest.mark.long
def test_nothing_personal_is_logged_or_stored_unencrypted(
    client: Client, writing: Settings, sandbox: Sandbox, clock: Traveller, caplog: pytest.LogCaptureFixture
):
    """Bookings, faults, moves, cancellations, and mail servers that accept, reject and repeat the address."""
    caplog.set_level("DEBUG")
    customer_journey(Visitor(client), sandbox, clock, writing)
    assert sent()
    OutgoingMail.objects.filter(state="sent").update(state="queued", due_at=NOW)
    with mail_server(RCPT=f"550 no such {CANARY['email']}") as server:
        use(writing, server.port)
        send_due()
    lines = [f"{record.getMessage()} {record.args!r}" for record in caplog.records if record.name != "django.template"]
    logged = "\n".join(lines)
    assert "event=mail_attempted state=sent" in logged
    assert "event=mail_attempted state=failed" in logged
    assert not SECRETS.search(logged)
    assert not TOKENS.search(logged)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM kordless_booking_appointment")
        stored = json.dumps(cursor.fetchall(), default=str)
        cursor.execute("SELECT * FROM kordless_booking_outgoingmail")
        stored += json.dumps(cursor.fetchall(), default=str)
    assert not SECRETS.search(stored)
    assert any(SECRETS.search(message.body) for message in mail.outbox)
