"""Export as a command: all that is stored about a person as JSON, and nothing of anybody else."""

from __future__ import annotations

import io
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from kordless_booking import hooks
from kordless_booking.consent import Consent
from kordless_booking.erasure.base import Person
from kordless_booking.erasure.run import TARGETS, erase_person, export_person
from kordless_booking.models import Appointment, BookingAttempt, ConsentProof, OutgoingMail, WebhookDelivery
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.mail_settings import MAIL
from tests.support.personal_data import CANARY, OTHER, book, deliver_event, lose

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hooked")]

EMAIL = "canary@example.com"
RULES = {"name": "rules", "label": "I have read the rules.", "version": "1"}
TICK = {"consent_rules": Consent(**RULES).fingerprint}


@pytest.fixture
def lived(client: Client, sandbox: Sandbox, site: Settings) -> str:
    """Two people have booked with a box ticked and get mail, one lost an answer, and Kordless has delivered it all."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **MAIL, "CONSENT": [RULES]}
    number = book(client, {**CANARY, **TICK})
    deliver_event(client, number)
    deliver_event(client, book(client, {**OTHER, **TICK}, "?day=2026-12-11"), OTHER)
    lose(client, sandbox, {**CANARY, **TICK})
    return number


def export(*arguments: str, typed: str = "") -> tuple[int, dict[str, Any], str]:
    """Exit code, document and what stands on standard error, after somebody has typed something."""
    output, noted, status = io.StringIO(), io.StringIO(), 0
    try:
        call_command("kordless_export", *arguments, stdout=output, stderr=noted, stdin=io.StringIO(typed))
    except SystemExit as ended:
        status = int(str(ended.code))
    return status, json.loads(output.getvalue()), noted.getvalue()


def test_everything_about_a_person_is_exported(lived: str, caplog: pytest.LogCaptureFixture):
    """Requests, bookings, mails, deliveries, published states and proofs, decrypted; the log has numbers alone."""
    caplog.set_level(logging.INFO)
    status, document, noted = export("--contact", "CANARY@example.com")
    assert status == 0
    assert document["exported"] == "2026-12-01T15:00:00+00:00"
    stored = document["stored"]
    assert list(stored) == [target.name for target in TARGETS[:5]]
    placed, opened = stored["booking attempts"]
    assert placed["booking"]["confirmation_number"] == lived
    assert opened["request"]["contact"] == {
        "name": CANARY["name"],
        "email": "Canary@example.com",
        "phone": "+12125550147",
    }
    assert opened["request"]["notes"] == CANARY["notes"]
    assert opened["consents"][0]["text"] == RULES["label"]
    [delivered] = stored["webhook deliveries"]
    assert delivered["body"]["data"]["booking"]["contact"]["name"] == CANARY["name"]
    [appointment] = stored["appointments with mail"]
    assert appointment["booking"]["contact"]["name"] == CANARY["name"]
    for preferences in (opened["preferences"], appointment["preferences"]):
        assert preferences["terms"]["service"] == "haircut"
    assert [mail["kind"] for mail in appointment["mails"]] == ["confirmed"]
    [proof] = stored["proofs of consent"]
    assert (proof["name"], proof["version"], proof["text"]) == ("rules", "1", RULES["label"])
    assert proof["given"] == NOW.isoformat()
    [published] = stored["booking projections"]
    assert published["created"] is True
    text = json.dumps(document)
    assert "other@example.com" not in text.casefold()
    assert "_hash" not in text
    assert "Kordless stores bookings too" in noted
    [line] = [record.getMessage() for record in caplog.records if record.name == "kordless_booking.erasure"]
    assert line == (
        "event=data_exported booking_attempts=2 webhook_deliveries=1 appointments_with_mail=1 proofs_of_consent=1 "
        "booking_projections=1 unreadable=0"
    )


def test_each_table_with_something_personal_is_exported_and_erased(lived: str):
    """The models that have encrypted texts or hashes of a contact: after the export, an erasure leaves none of them."""
    personal = {
        model: [target for target in TARGETS if model in target.models]
        for model in {model for target in TARGETS for model in target.models}
        if {"encrypted", "email_hash", "number_hash"} & {field.name for field in model._meta.get_fields()}
    }
    assert set(personal) > {BookingAttempt, WebhookDelivery, Appointment, ConsentProof}
    person = Person.from_texts([EMAIL], frozenset())
    exported = export_person(person)
    assert {target.name for [target] in personal.values()} == exported.keys()
    # Of what was erased, nothing is left to export but what the rows need against duplicates.
    later = NOW + timedelta(days=30)
    erase_person(Person.from_texts([EMAIL], frozenset()), later, including_open=True)
    assert export_person(Person.from_texts([EMAIL], frozenset())) == {}
    assert ConsentProof.objects.count() == Appointment.objects.count() == OutgoingMail.objects.count() == 1


def test_an_export_changes_nothing(lived: str):
    """It only reads: no statement writes."""
    written = []

    def watch(execute: Any, sql: str, *given: Any) -> Any:
        if not sql.lstrip().upper().startswith("SELECT"):
            written.append(sql)
        return execute(sql, *given)

    with connection.execute_wrapper(watch):
        export("--contact", EMAIL)
    assert written == []


def test_the_contact_may_be_typed_and_any_spelling_will_do(lived: str):
    """A dash reads lines, which leaves nothing in the shell's history; a phone number finds the same rows."""
    for given in ("(212) 555-0147\n", " Canary@EXAMPLE.com \n\n"):
        _status, document, _noted = export("--contact", "-", typed=given)
        assert len(document["stored"]["booking attempts"]) == 2


def test_one_account_alone_is_exported(lived: str):
    """As with an erasure; nobody's data is an empty document."""
    assert export("--contact", EMAIL, "--account", "default")[1]["stored"]
    assert export("--contact", EMAIL, "--account", "elsewhere")[1]["stored"] == {}
    assert export("--contact", "nobody@example.com")[1]["stored"] == {}


def test_what_can_not_be_decrypted_is_counted(lived: str, settings: Settings):
    """Exit code 1: with the old key, there may be more. Nothing personal of what can't be read is said."""
    settings.SECRET_KEY = "another-secret-key-for-this-test-0123456789"
    status, document, noted = export("--contact", EMAIL)
    assert status == 1
    assert document["stored"] == {}
    assert "webhook deliveries: 2 can't be decrypted" in noted


@pytest.mark.parametrize("contact", ["", "canary", "@", "x" * 2000])
def test_a_contact_that_is_none_is_rejected_without_repeating_it(contact: str):
    """Exit code 2, and no document."""
    with pytest.raises(
        CommandError, match=r"neither an email address nor a phone number\. Nothing was exported"
    ) as error:
        export("--contact", contact)
    assert error.value.returncode == 2
    assert "canary" not in str(error.value)


class Broken:
    """Target of an extension that returns what it is given, or raises."""

    name = "preferences"

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def export_person(self, person: Person, *, accounts: list[str] | None) -> Any:
        if isinstance(self.rows, Exception):
            raise self.rows
        return self.rows


@pytest.mark.parametrize("rows", [LookupError("canary"), [{"at": NOW}]], ids=["raises", "not JSON"])
def test_an_extension_that_fails_stops_the_export(lived: str, rows: Any):
    """Half of the data would look like all of it."""
    with hooks.temporary_hooks():
        hooks.export_targets.register("preferences", Broken(rows))
        with pytest.raises(CommandError, match="Nothing was exported") as error:
            export("--contact", EMAIL)
    assert error.value.returncode == 2
    assert "canary" not in str(error.value)
