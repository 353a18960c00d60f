"""Stored data of a customer: never less than before, never older."""

from datetime import timedelta

import pytest

from kordless_booking.api.resources import Contact
from kordless_booking.booking.preferences import VisitorPreferences
from kordless_booking.booking.tokens import InvalidToken, encrypt_token
from kordless_booking.mail.appointment_data import AppointmentData, usable_email
from kordless_booking.models import Appointment
from tests.support.clock import NOW
from tests.support.mail_events import FIRST, GERMAN, MOVED, booking


def test_newer_data_replaces_and_missing_fields_stay():
    """A webhook that names neither service nor phone takes neither away."""
    known = AppointmentData(booking=booking(service_name="Haircut"), preferences=GERMAN)
    reported = booking(start=MOVED, service_slug=None, contact=Contact(name="Canary B", email="other@example.com"))
    merged = known.merged_with(reported, None, is_new=True)
    assert (merged.booking.start, merged.booking.service_name, merged.booking.service_slug) == (
        MOVED,
        "Haircut",
        "haircut",
    )
    assert merged.contact == Contact(name="Canary B", email="other@example.com", phone="+12125550147")
    assert merged.preferences == GERMAN


def test_older_data_adds_fields_but_changes_none():
    """The time and the status stay."""
    known = AppointmentData(booking=booking(service_name=None))
    merged = known.merged_with(booking(start=MOVED, status="canceled", service_name="Haircut"), GERMAN, is_new=False)
    assert (merged.booking.start, merged.booking.status, merged.booking.service_name) == (
        FIRST,
        "confirmed",
        "Haircut",
    )
    assert merged.preferences == GERMAN


def test_the_rows_own_times_count():
    """The contact is read from the encrypted data, start and status from the columns of the row."""
    row = Appointment(account="default", start=MOVED, end=MOVED + timedelta(hours=1), status="pending", notified_at=NOW)
    row.encrypted = AppointmentData(booking=booking(), preferences=VisitorPreferences(language="he")).encrypt("default")
    read = AppointmentData.from_row(row)
    assert (read.booking.start, read.booking.status, read.email) == (MOVED, "pending", "canary@example.com")
    assert read.preferences == VisitorPreferences(language="he")


def test_what_nobody_can_read():
    """Another account's, or of another shape."""
    row = Appointment(account="default", start=FIRST, end=MOVED, status="confirmed")
    for encrypted in (
        "",
        "x",
        AppointmentData(booking=booking()).encrypt("north"),
        encrypt_token("appointment", "default", {"a": 1}),
    ):
        row.encrypted = encrypted
        with pytest.raises(InvalidToken):
            AppointmentData.from_row(row)


@pytest.mark.parametrize(
    "text", [None, "", "nobody", "a@b", "a@b.example\n", "a b@c.example", "a@b.example,c@d.example"]
)
def test_what_is_no_address(text: str | None):
    """Nothing is sent there. (A line end behind it is none of its own.)"""
    assert usable_email(text) == ("a@b.example" if text == "a@b.example\n" else "")
