"""Erasure as a command: what was done, what had to stay, and nobody's name on the screen."""

from __future__ import annotations

import io
import logging

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.erasure.run import TARGETS
from kordless_booking.models import BookingAttempt, BookingProjection, WebhookDelivery
from kordless_booking.sandbox import Sandbox
from tests.support.personal_data import CANARY, OTHER, book, deliver_event, everything_stored, lose

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hooked")]

EMAIL = "canary@example.com"


@pytest.fixture
def lived(client: Client, sandbox: Sandbox) -> str:
    """Two people have booked, one of them lost an answer, and Kordless has delivered all of it."""
    number = book(client)
    deliver_event(client, number)
    deliver_event(client, "BOOK_PHONE001")
    deliver_event(client, book(client, OTHER, "?day=2026-12-11"), OTHER)
    lose(client, sandbox)
    return number


def forget(*arguments: str, typed: str = "") -> tuple[int, str]:
    """Exit code and output, after somebody has typed something."""
    output, status = io.StringIO(), 0
    try:
        call_command("kordless_erase", *arguments, stdout=output, stdin=io.StringIO(typed))
    except SystemExit as ended:
        status = int(str(ended.code))
    text = output.getvalue()
    assert "canary" not in text.casefold()
    assert "5550147" not in text
    return status, text


def test_nothing_of_a_person_is_left(lived: str, caplog: pytest.LogCaptureFixture):
    """Opened with the site's own key, no row knows them; everybody else is as before."""
    caplog.set_level(logging.INFO)
    status, text = forget("--contact", EMAIL, "--including-open")
    assert status == 0
    assert "booking attempts: 0 deleted, 2 emptied" in text
    assert "webhook deliveries: 0 deleted, 2 emptied" in text
    kept = everything_stored()
    assert "canary" not in kept
    assert "5550147" not in kept
    assert lived.casefold() not in kept
    assert "other@example.com" in kept
    [line] = [record.getMessage() for record in caplog.records if record.name == "kordless_booking.erasure"]
    assert line.startswith("event=data_erased booking_attempts=2 webhook_deliveries=2 appointments_with_mail=0 ")
    assert line.endswith(" kept=0")


def test_open_attempts_are_reported_and_stay(lived: str):
    """Exit code 1: somebody has to decide."""
    status, text = forget("--contact", EMAIL)
    assert status == 1
    assert "1 kept: may still become a booking; --including-open erases them too" in text
    assert "canary" in everything_stored()


def test_a_dry_run_changes_nothing(lived: str, caplog: pytest.LogCaptureFixture):
    """It counts what the real one then does."""
    caplog.set_level(logging.INFO)
    before = everything_stored()
    _, would = forget("--contact", EMAIL, "--including-open", "--dry-run")
    assert everything_stored() == before
    assert "data_erased" not in caplog.text
    _, did = forget("--contact", EMAIL, "--including-open")
    assert would.replace("Would be erased:", "Erased:") == did


def test_several_at_once_and_from_standard_input(lived: str):
    """So that nobody's address stands in a shell's history or in a list of processes."""
    typed = f"{OTHER['email']}\n\n(212) 555-0147\n"
    status, text = forget("--contact", "-", "--including-open", typed=typed)
    assert status == 0
    assert "booking attempts: 0 deleted, 3 emptied" in text
    assert "other@example.com" not in everything_stored()


def test_what_is_old(lived: str, clock: Traveller):
    """A line for cron: rows of bookings that have passed are gone, and what is new stays."""
    assert forget("--older-than", "90")[1].count("0 deleted, 0 emptied") == len(TARGETS)
    clock.shift(91 * 86400)
    status, text = forget("--older-than", "90d")
    assert status == 0
    assert "booking attempts: 3 deleted" in text
    assert not BookingAttempt.objects.exists()
    assert not WebhookDelivery.objects.exists()
    assert not BookingProjection.objects.exists()


def test_a_person_who_was_never_here(lived: str):
    """Nothing is done, and that is fine."""
    status, text = forget("--contact", "nobody@example.com")
    assert status == 0
    assert text.count("0 deleted, 0 emptied") == len(TARGETS)


def test_one_account_alone(lived: str):
    """By its name."""
    assert forget("--contact", EMAIL, "--account", "north")[1].count("0 deleted, 0 emptied") == len(TARGETS)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--contact", "canary"),
        ("--contact", EMAIL, "--older-than", "90"),
        ("--older-than", "0"),
        ("--older-than", "-5"),
        ("--older-than", "canary"),
        ("--older-than", "1.5"),
    ],
)
def test_what_can_not_be_meant(lived: str, arguments: tuple[str, ...]):
    """Nothing is done, and what was typed is not repeated by us."""
    before = everything_stored()
    with pytest.raises(CommandError):
        call_command("kordless_erase", *arguments)
    assert everything_stored() == before


def test_nobody_on_standard_input():
    """An empty list is a mistake, not everybody."""
    with pytest.raises(CommandError, match="Nothing was erased"):
        forget("--contact", "-", typed="\n")


def test_without_a_database(lived: str):
    """Nothing was done, and the exit code says so."""

    def gone(*_args: object) -> None:
        raise OperationalError("canary.internal is down")

    with connection.execute_wrapper(gone), pytest.raises(CommandError, match="OperationalError") as caught:
        call_command("kordless_erase", "--contact", EMAIL)
    assert caught.value.returncode == 2
    assert "internal" not in str(caught.value)


@pytest.mark.parametrize(
    "typed", ["(212) 555-0147", "001 212 555 0147", "+1 (212) 555\u20110147 ext. 3", "212.555.0147\u200b"]
)
def test_a_phone_in_any_spelling(lived: str, sandbox: Sandbox, typed: str):
    """Without a country code it is of the country of the business's time zone."""
    status, _text = forget("--contact", typed, "--including-open")
    assert status == 0
    assert "5550147" not in everything_stored()


def test_a_number_without_a_country_erases_nobody_else(two_accounts: Settings):
    """With accounts in several countries it says so; with one account it is of that account's country."""
    config = two_accounts.KORDLESS_BOOKING
    regions = {"north": "FR", "south": "NL"}
    accounts = {name: {**account, "PHONE_REGION": regions[name]} for name, account in config["ACCOUNTS"].items()}
    two_accounts.KORDLESS_BOOKING = {**config, "ACCOUNTS": accounts}
    with pytest.raises(CommandError, match="country code") as caught:
        call_command("kordless_erase", "--contact", "06 12 34 56 78")
    assert caught.value.returncode == 2
    assert "12 34" not in str(caught.value)
    assert forget("--contact", "06 12 34 56 78", "--account", "north")[0] == 0
    assert forget("--contact", "+31 6 12345678")[0] == 0


@pytest.mark.parametrize(
    "typed", ["cänary@münchen.de", "canary@münchen.de", "CANARY@XN--MNCHEN-3YA.DE", "can\u200bary@münchen.de"]
)
def test_an_email_in_any_spelling(client: Client, typed: str):
    """Whichever spelling the booking and the delivery had; but another name is another person."""
    number = book(client, {**CANARY, "email": "canary@xn--mnchen-3ya.de"})
    deliver_event(client, number, {**CANARY, "email": "canary@münchen.de"})
    forget("--contact", typed)
    assert ("canary" in everything_stored()) is typed.startswith("cä")


def test_an_email_costs_kordless_no_request(client: Client, sandbox: Sandbox):
    """Only a phone number needs to know where it is from."""
    forget("--contact", EMAIL)
    assert not sandbox.requests


def test_with_settings_that_are_broken(hooked: Settings):
    """Phone numbers need to know where they are from."""
    hooked.KORDLESS_BOOKING = {}
    with pytest.raises(CommandError, match="ImproperlyConfigured"):
        call_command("kordless_erase", "--contact", CANARY["email"])
