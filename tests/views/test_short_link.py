"""The link in messages to phones: leads to the booking, and can't be guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.mail import short_link
from kordless_booking.mail.enqueue import delete_past
from kordless_booking.models import Appointment
from kordless_booking.sandbox import Sandbox
from kordless_booking.views import manage
from tests.support.phone_messages import PHONE, TEXTING, clear_messages, texted
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def texting(site: Settings, account_settings: dict[str, Any]) -> Iterator[Settings]:
    """Return the settings of the plain site with messages to phones."""
    clear_messages()
    site.KORDLESS_BOOKING = {**account_settings, **TEXTING}
    yield site
    clear_messages()


@pytest.fixture
def path(texting: Settings, client: Client, sandbox: Sandbox) -> str:
    """The path of the link in the message about a booking by phone alone, made in German."""
    visitor = Visitor(client)
    form = visitor.choose("haircut", "?day=2026-12-09&lang=de")
    visitor.send(form, "Termin buchen", name="Canary Bird", email="", phone=PHONE, notes="")
    [message] = texted()
    assert message.text.startswith("Acme Salon\n")
    return message.link.removeprefix("https://salon.example")


def test_the_link_leads_to_the_booking_in_its_language(path: str, client: Client):
    """No store, no referrer for other sites, nothing personal in the address, and no permission to index."""
    assert re.fullmatch(r"/book/m/[0-9a-hjkmnp-tv-z]{16}", path)
    response = client.get(path)
    assert response.status_code == 303
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "same-origin"
    assert "noindex" in response["X-Robots-Tag"]
    assert not response.cookies
    page = Visitor(client).open(path)
    assert page.heading == "Ihre Buchung"
    assert "lang=de" in page.url
    assert page.response["Referrer-Policy"] == "same-origin"
    assert "no-store" in page.response["Cache-Control"]
    assert not any(secret in f"{path}{page.url}" for secret in ("5550147", "Canary", page.number))


def test_the_link_can_be_typed_in_any_case(path: str, client: Client):
    """A phone begins a typed line with a capital letter."""
    before, _, code = path.rpartition("/")
    assert client.get(f"{before}/{code.upper()}").status_code == 303


def test_looking_changes_nothing(path: str, client: Client, sandbox: Sandbox):
    """Programs that show a preview of links open them, too; other methods are refused."""
    rows = list(Appointment.objects.values())
    for _ in range(3):
        assert client.get(path).status_code == 303
    assert client.post(path).status_code == 405
    assert list(Appointment.objects.values()) == rows
    assert [row["status"] for row in sandbox.bookings()] == ["confirmed"]


def test_the_link_ends_with_the_row(path: str, client: Client, clock: Traveller):
    """A day after the appointment's end, whether the row is still there or not."""
    end = Appointment.objects.get().end
    clock.move_to(end + timedelta(hours=23))
    assert client.get(path).status_code == 303
    clock.move_to(end + short_link.LINK_WORKS_AFTER_END)
    assert client.get(path).status_code == 404
    assert delete_past(end + timedelta(days=2)) == 1
    assert client.get(path).status_code == 404


def test_the_link_is_erased_with_its_person(path: str, client: Client):
    """By the phone number."""
    call_command("kordless_erase", "--contact", PHONE, verbosity=0)
    assert not Appointment.objects.exists()
    response = client.get(path)
    assert response.status_code == 404
    assert "This link doesn’t work" in response.content.decode()


def test_the_link_outlives_a_new_secret_key(path: str, client: Client, texting: Settings):
    """While the old one is among the fallbacks; afterwards it is a link like any other that doesn't work."""
    old, texting.SECRET_KEY = texting.SECRET_KEY, "another key for tests only: 9fK2mX7qW4zT8vB3"
    assert client.get(path).status_code == 404
    texting.SECRET_KEY_FALLBACKS = [old]
    assert client.get(path).status_code == 303


def test_the_link_of_another_account_does_not_work(path: str):
    """Codes lead to the bookings of their own account alone."""
    account = Appointment.objects.get().account
    Appointment.objects.update(account=f"not-{account}")
    assert Client().get(path).status_code == 404


def test_guessing_is_throttled_and_finding_is_not(path: str, client: Client, texting: Settings, sandbox: Sandbox):
    """Twenty wrong codes in ten minutes; a right one costs nothing, and Kordless is asked for none of the wrong."""
    texting.KORDLESS_BOOKING = {**texting.KORDLESS_BOOKING, "LOOKUPS_PER_ADDRESS": 3}
    sandbox.clear_requests()
    for _ in range(5):
        assert client.get(path).status_code == 303
    wrong = [client.get(f"/book/m/{number:016}") for number in range(5)]
    assert [response.status_code for response in wrong] == [404, 404, 404, 429, 429]
    assert int(wrong[-1]["Retry-After"]) > 0
    assert client.get(path).status_code == 429
    assert [request for request in sandbox.requests if request.operation == "lookup"] == []


@hypothesis_settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(code=st.text(alphabet=st.characters(exclude_characters="/?#", codec="utf-8"), max_size=40))
def test_whatever_stands_in_the_place_of_a_code_is_no_booking(texting: Settings, code: str):
    """A page that says so, or another page of the widget; never an error."""
    texting.KORDLESS_BOOKING = {**texting.KORDLESS_BOOKING, "LOOKUPS_PER_ADDRESS": 0}
    assert Client().get(f"/book/m/{code}").status_code in {200, 301, 302, 303, 308, 404}


def test_codes_are_random_and_long_enough():
    """80 bits at least, none twice, and none that looks like another."""
    assert len(short_link._ALPHABET) ** short_link.CODE_LENGTH >= 2**80
    assert len(set(short_link._ALPHABET)) == len(short_link._ALPHABET)
    assert not {"i", "l", "o", "u"} & set(short_link._ALPHABET)


def test_a_service_that_is_called_m_keeps_its_pages(texting: Settings, client: Client, sandbox: Sandbox):
    """Its addresses end with a slash."""
    assert client.get("/book/m/").status_code == 404
    assert "/book/m/" not in client.get("/book/").content.decode()


@pytest.mark.parametrize("tail", ["%0Axyz", "%0D%0Axyz", "/%0A"])
def test_a_code_before_a_line_break_is_in_no_log(
    path: str, client: Client, caplog: pytest.LogCaptureFixture, tail: str
):
    """Our own 404 page answers for every path below the mount; Django's would log it."""
    response = client.get(path + tail)
    assert response.status_code == 404
    assert b"kb-" in response.content
    assert path.rpartition("/")[2] not in caplog.text


@pytest.mark.parametrize("phone", ["+881612345678", "+870773111632", "+88213300655", "+883510000000094"])
def test_no_message_goes_to_a_number_of_no_country(texting: Settings, client: Client, phone: str):
    """Satellite phones and international networks: a message there costs many times as much."""
    visitor = Visitor(client)
    form = visitor.choose("haircut", "?day=2026-12-09")
    visitor.send(form, "Book appointment", name="Jane", email="", phone=phone, notes="")
    assert texted() == []


def test_a_database_that_fails_costs_no_guess(
    path: str, client: Client, texting: Settings, monkeypatch: pytest.MonkeyPatch
):
    """A right code opens its booking as soon as the database is back."""
    texting.KORDLESS_BOOKING = {**texting.KORDLESS_BOOKING, "LOOKUPS_PER_ADDRESS": 3}

    def fail(*_: object) -> None:
        raise DatabaseError

    with monkeypatch.context() as patched:
        patched.setattr(manage, "find_link", fail)
        assert [client.get(path).status_code for _ in range(4)] == [503] * 4
    assert client.get(path).status_code == 303
