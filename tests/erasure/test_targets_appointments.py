"""Erasure of the appointments that mail is sent for."""

from datetime import timedelta

import pytest
from django.test import Client

from kordless_booking.erasure.base import ErasureResult, Person
from kordless_booking.erasure.targets import Appointments
from kordless_booking.models import Appointment, OutgoingMail
from tests.mail.conftest import writing  # noqa: F401 (a fixture)
from tests.support.clock import NOW
from tests.support.personal_data import CANARY, OTHER, deliver_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hooked", "writing")]


def person(contact: str) -> Person:
    """Somebody in a site where numbers are American."""
    return Person.from_texts([contact], frozenset({"US"}))


@pytest.mark.parametrize("contact", [CANARY["email"], "+12125550147"])
def test_a_person_by_either_contact(client: Client, contact: str):
    """Appointment and mails are gone, whatever is still to come, and the number is passed on; others stay."""
    deliver_event(client, "BOOK_AAAA0001")
    deliver_event(client, "BOOK_AAAA0002", OTHER)
    assert OutgoingMail.objects.count() == 2
    who = person(contact)
    assert Appointments().erase_person(who, NOW, accounts=["north"], including_open=True) == ErasureResult()
    assert Appointments().erase_person(who, NOW, accounts=None, including_open=False) == ErasureResult(deleted=1)
    assert who.numbers == {"BOOK_AAAA0001"}
    assert (Appointment.objects.count(), OutgoingMail.objects.count()) == (1, 1)


def test_what_is_old(client: Client):
    """By the end of the appointment, not by when it was made."""
    deliver_event(client, "BOOK_AAAA0001")
    end = Appointment.objects.get().end
    assert Appointments().erase_older_than(end, NOW, accounts=None) == ErasureResult()
    assert Appointments().erase_older_than(end + timedelta(seconds=1), NOW, accounts=None) == ErasureResult(deleted=1)
