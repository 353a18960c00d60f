"""Names and addresses as people type them, in mails: one canonical address, and no header or link of a visitor's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.api.resources import Contact, Location, NewBooking
from kordless_booking.booking.hashes import contact_hash
from kordless_booking.changes import BookingChange
from kordless_booking.conf import get_account
from kordless_booking.erasure.base import Person
from kordless_booking.erasure.targets import Appointments
from kordless_booking.mail.appointment_data import usable_email
from kordless_booking.mail.texts import greeting_name, one_line
from kordless_booking.models import Appointment
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.registry import services_for
from tests.support.clock import NOW
from tests.support.mail_events import hook, page
from tests.support.mail_reader import sent
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db

PERSIAN = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"


@pytest.mark.parametrize("typed", ["jane@münchen.de", "ja\u200bne@xn--mnchen-3ya.de\ufeff", " jane\uff20münchen.de"])
def test_mail_goes_to_the_canonical_address(writing: Settings, clock: Traveller, typed: str) -> None:
    """However the booking has it, and the row is found by the hash of each spelling."""
    page(BookingChange.CREATED, contact=Contact(name="Jane", email=typed))
    [letter] = sent()
    assert letter.message["To"] == "jane@xn--mnchen-3ya.de"
    assert Appointment.objects.get().email_hash == contact_hash("jane@münchen.de")


def test_the_link_in_a_mail_has_the_address_as_kordless_has_it(writing: Settings, sandbox: Sandbox) -> None:
    """Kordless compares texts: the canonical one would not open a booking that was made elsewhere with another."""
    start = NOW.replace(day=9, hour=15, minute=0)
    contact = Contact(name="Jane", email="jane@münchen.de")
    wanted = NewBooking(
        service_slug="haircut", start=start, end=start + timedelta(hours=1), timezone="Europe/Berlin", contact=contact
    )
    made = services_for(get_account(None)).client.create(wanted, idempotency_key="elsewhere")
    hook(BookingChange.CREATED, confirmation_number=made.confirmation_number, start=start, contact=contact)
    [letter] = sent()
    link = next(url for url in letter.links if "/manage/" in url)
    assert Visitor(Client()).open(link.removeprefix("https://salon.example")).number == made.confirmation_number


@pytest.mark.parametrize(
    "address", ["canary@localhost", "canary@[127.0.0.1]", "canary", "canary@example.com, x@y.example"]
)
def test_an_address_that_no_mail_reaches_is_one_line_in_the_log(
    writing: Settings, clock: Traveller, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    """Without the address; a booking without any address is no event."""
    assert usable_email(address) == ""
    caplog.set_level("INFO", "kordless_booking.mail")
    hook(BookingChange.CREATED, contact=Contact(name="Canary", phone="+12125550147"))
    assert not caplog.messages
    hook(BookingChange.CREATED, confirmation_number="BOOK_OTHER", contact=Contact(name="Canary", email=address))
    assert caplog.messages == ["event=mail_without_address account=default"]
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("typed", ["jane@xn--mnchen-3ya.de", "+1 212 555 0147"])
def test_an_appointment_with_an_older_hash_is_erased(writing: Settings, clock: Traveller, typed: str) -> None:
    """Erasure reads the contact as well: an earlier release hashed the address with what doesn't show."""
    page(BookingChange.CREATED, contact=Contact(name="Jane", email="ja\u200bne@münchen.de", phone="(212) 555-0147"))
    Appointment.objects.update(email_hash="0" * 64, phone_hash="0" * 64)
    other = Person.from_texts(["else@example.com"], frozenset({"US"}))
    assert Appointments().erase_person(other, NOW, accounts=None, including_open=False).deleted == 0
    person = Person.from_texts([typed], frozenset({"US"}))
    assert Appointments().erase_person(person, NOW, accounts=None, including_open=False).deleted == 1
    assert person.numbers == {"BOOK_AB12CD34"}


@pytest.mark.parametrize(
    "name",
    [
        "evil\u3002com",
        "evil\uff0ecom",
        "evil\uff61com",
        "evil\u2024com",
        "evil\ufe52com",
        "evil\u06d4com",
        "evil\ua4f8com",
        "evil\xb7com",
        "evil\u30fbcom",
        "evil\u200b.\u200bcom",
        "\uff45\uff56\uff49\uff4c\uff0e\uff43\uff4f\uff4d",
        "bit\uff0fx",
        "bit\u2044x",
        "bit\u2215x",
        "http\u2236 x",
        "a\uff20b",
        "\uff57\uff57\uff57 x",
        "call \u2460\u2461\u2462\u2463",
        "<\u200bb",
        "x\uff1a y",
    ],
)
def test_nobody_is_greeted_by_what_reads_as_a_link(name: str) -> None:
    """Whichever character stands for the dot, the slash or the colon."""
    assert greeting_name(name) == ""


@pytest.mark.parametrize(
    "name", [PERSIAN, "ジョン・スミス", "Gal\xb7la Pol", "J. R. Smith", "Нина", "O\u2019Neil", "李小龍", "Zoë\u00a0Doe"]
)
def test_people_are_greeted_by_their_names(name: str) -> None:
    """With the dots and the joiners that belong to a name."""
    assert greeting_name(name) == name.replace("\u00a0", " ")


def test_a_header_keeps_joiners_and_nothing_that_turns_the_text(writing: Settings, clock: Traveller) -> None:
    """In the subject and in the greeting."""
    assert one_line(f"\u202e{PERSIAN}\u200b\u2066 x\r\nBcc: y") == f"{PERSIAN} x Bcc: y"
    page(
        BookingChange.CREATED,
        service_name=f"\u202eHair\u200bcut {PERSIAN}",
        contact=Contact(name=f"\u2067{PERSIAN}", email="a@b.example"),
    )
    [letter] = sent()
    assert f"Haircut {PERSIAN}" in letter.subject
    greeting = letter.text.splitlines()[0]
    assert PERSIAN in greeting
    assert not set(letter.subject + greeting) & set("\u202e\u2067\u2066\u200b")


def test_a_phone_appointment_says_by_phone_in_mail_and_calendar(writing: Settings, clock: Traveller) -> None:
    """A bare number wouldn't say who calls or what for."""
    page(BookingChange.CREATED, location=Location(type="phone", value="+12125550123"))
    [letter] = sent()
    for words in (letter.text, letter.words, str(letter.event["location"])):
        assert "+1 212-555-0123" in words
        assert "+12125550123" not in words
