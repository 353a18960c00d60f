"""Erasure and export of a guest, who stands in what is stored of somebody else's booking."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.booking.attempt import ENCRYPTED_BODY_TTL
from kordless_booking.booking.placement import find_answers
from kordless_booking.erasure.base import ErasureResult, Person
from kordless_booking.erasure.guests import Guests, remove_person
from kordless_booking.mail.appointment_data import AppointmentData
from kordless_booking.models import Appointment, BookingAttempt
from kordless_booking.questions.answers import Answer
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.mail_settings import MAIL
from tests.support.personal_data import everything_stored, lose
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db

ADA = Person.from_texts(["Ada@Example.com"], frozenset({"US"}))
TYPED = {
    "answer_guests": "Ada Lovelace <ada@example.com>\nBob",
    "answer_who": "Ask ada@example.com, or xada@example.com",
}


@pytest.fixture
def hosting(site: Settings, account_settings: dict[str, Any]) -> Settings:
    """A site that asks for guests and for something else, and sends mail."""
    question = {"name": "who", "label": "Who else?", "kind": "text"}
    site.KORDLESS_BOOKING = {**account_settings, **MAIL, "GUESTS": 3, "QUESTIONS": {"*": [question]}}
    return site


def appointment_answers() -> tuple[Answer, ...]:
    """Return the answers that the only appointment has."""
    return AppointmentData.from_row(Appointment.objects.get()).answers


def test_a_guest_goes_from_the_bookings_of_others_and_the_rest_stays(hosting: Settings, client: Client):
    """From the attempt and the appointment: with their name, and their address in another answer; nobody else's."""
    number = Visitor(client).book(**TYPED).number
    assert Guests().erase_person(ADA, NOW, accounts=["north"], including_open=True) == ErasureResult()
    assert Guests().erase_person(ADA, NOW, accounts=None, including_open=False) == ErasureResult(emptied=2)
    for answers in (find_answers("default", NOW, number=number), appointment_answers()):
        found = {answer.name: (answer.value, answer.text) for answer in answers}
        assert found["guests"] == ([{"name": "Bob", "email": ""}], "Bob")
        assert found["who"][0] == "Ask \u2026, or xada@example.com"
    assert "lovelace" not in everything_stored()
    assert ADA.numbers == set()
    assert Guests().erase_person(ADA, NOW, accounts=None, including_open=False) == ErasureResult()


def test_an_export_has_the_guest_alone(hosting: Settings, client: Client):
    """And nothing of the booker's."""
    Visitor(client).book(**TYPED)
    exported = list(Guests().export_person(ADA, accounts=None))
    assert len(exported) == 2
    assert [found["answer"] for found in exported[0]["named_in"]] == [
        [{"name": "Ada Lovelace", "email": "ada@example.com"}],
        "Ask ada@example.com, or xada@example.com",
    ]
    assert "jane" not in json.dumps(exported).casefold()
    assert "bob" not in json.dumps(exported).casefold()


def test_who_books_is_no_guest_of_their_own_booking(hosting: Settings, client: Client):
    """Their row is another target's."""
    Visitor(client).book(email="ada@example.com", **TYPED)
    assert Guests().erase_person(ADA, NOW, accounts=None, including_open=True) == ErasureResult()


def test_a_guest_of_an_open_attempt_stays_and_is_reported(hosting: Settings, client: Client, sandbox: Sandbox):
    """It is sent again as it was: a changed one could book twice. Not even with including_open: it isn't theirs."""
    lose(client, sandbox, {"name": "Jane", "email": "jane@example.com", **TYPED})
    before = BookingAttempt.objects.get().encrypted
    result = Guests().erase_person(ADA, NOW, accounts=None, including_open=True)
    assert (result.emptied, result.kept_personal) == (0, 1)
    assert BookingAttempt.objects.get().encrypted == before


def test_erasing_a_guest_keeps_nothing_for_longer(hosting: Settings, client: Client, clock: Traveller):
    """What is left of the row can be read as long as it could be before."""
    number = Visitor(client).book(**TYPED).number
    clock.shift(ENCRYPTED_BODY_TTL - 10)
    Guests().erase_person(ADA, NOW, accounts=None, including_open=False)
    assert find_answers("default", NOW, number=number)
    clock.shift(20)
    assert find_answers("default", datetime.now(UTC), number=number) == ()


def test_the_command_says_what_it_can_not_find_of_a_guest(hosting: Settings, client: Client):
    """Only where guests or answers are asked for."""
    Visitor(client).book(**TYPED)
    output = StringIO()
    call_command("kordless_erase", "--contact", "ada@example.com", stdout=output)
    assert "guests of others: 0 deleted, 2 emptied" in output.getvalue()
    assert "One with a name alone" in output.getvalue()
    hosting.KORDLESS_BOOKING = {**hosting.KORDLESS_BOOKING, "GUESTS": 0, "QUESTIONS": {}}
    output = StringIO()
    call_command("kordless_erase", "--contact", "ada@example.com", stdout=output)
    assert "One with a name alone" not in output.getvalue()


@given(before=st.text(max_size=40), after=st.text(max_size=40))
def test_an_address_is_removed_from_any_text_around_it(before: str, after: str):
    """And the text stays otherwise as it was typed."""
    text = f"{before} <ada@example.com>, {after}"
    answer = Answer(name="who", kind="text", title="Who", text=text, value=text)
    left = remove_person(answer, ADA)
    assert left is not None
    assert "<ada@example.com>" not in str(left.value)
    assert str(left.value).endswith(after.rsplit("ada@example.com", maxsplit=1)[-1])


@pytest.mark.parametrize(
    ("kind", "value"),
    [("phone", "+12125550147"), ("number", 3), ("yes_no", True), ("choice", "ada@example.com"), ("choices", ["a"])],
)
def test_only_what_was_typed_is_a_contact(kind: str, value: Any):
    """The site's own choices stay, whatever they say; a phone number that is the person's goes with its answer."""
    answer = Answer(name="who", kind=kind, title="Who", text=str(value), value=value)
    person = Person.from_texts(["ada@example.com", "(212) 555-0147"], frozenset({"US"}))
    assert remove_person(answer, person) == (None if kind == "phone" else answer)
