"""Which mails there are: one for each change, whoever hears of it first and however often, and no others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.api.resources import Contact
from kordless_booking.booking.hashes import contact_hash
from kordless_booking.booking.preferences import VisitorPreferences
from kordless_booking.changes import BookingChange, publish_change
from kordless_booking.mail.appointment_data import AppointmentData
from kordless_booking.mail.enqueue import CLEANUP_EVERY, enqueue
from kordless_booking.models import Appointment, OutgoingMail
from kordless_booking.sandbox import Sandbox
from kordless_booking.signals import booking_created
from tests.support.clock import NOW
from tests.support.deliveries import delivery, event_body
from tests.support.failing_database import refused_writes
from tests.support.lost_answers import lose_answers
from tests.support.mail_events import FIRST, GERMAN, MOVED, TERMS, booking, hook, page
from tests.support.mail_reader import sent
from tests.support.mail_settings import MAIL
from tests.support.visitor import JANE, Visitor

pytestmark = pytest.mark.django_db


def mail_kinds() -> list[str]:
    """Of all mails that were queued, oldest first."""
    return list(OutgoingMail.objects.order_by("pk").values_list("kind", flat=True))


def test_off_by_default_nothing_is_sent_or_stored(site: Settings, client: Client, sandbox: Sandbox):
    """Kordless writes to customers itself."""
    Visitor(client).book("haircut", "?day=2026-12-09")
    assert sent() == []
    assert not Appointment.objects.exists()


def test_each_change_on_our_pages_is_one_mail(visitor: Visitor, sandbox: Sandbox):
    """Booked, moved, cancelled; and not again when a form is sent twice."""
    confirmation = visitor.book("haircut", "?day=2026-12-09")
    assert [letter.subject[:21] for letter in sent()] == ["Haircut, Wed, Dec 9, "]
    manage = visitor.open(confirmation.link("Change or cancel"))
    moved = visitor.send(visitor.open(list(visitor.send(manage, "Reschedule").times.values())[-1]), "Reschedule")
    question = visitor.send(moved, "Cancel booking")
    assert len(sent()) == 2
    visitor.send(question, "Cancel booking")
    visitor.send(question, "Cancel booking")
    statuses = [letter.subject.rpartition(": ")[2] for letter in sent()]
    assert statuses == ["confirmed", "rescheduled", "canceled"]
    assert {letter.message["To"] for letter in sent()} == {"jane@example.com"}


@pytest.mark.parametrize("first", [page, hook])
@pytest.mark.parametrize("change", [change for change in BookingChange if change.mail_kind])
def test_the_page_and_the_webhook_are_one_mail(writing: Settings, first: Callable[..., None], change: BookingChange):
    """In either order, and however often both come."""
    second = hook if first is page else page
    start = MOVED if change is BookingChange.RESCHEDULED else FIRST
    for report in (first, second, second, first):
        report(change, start=start)
    assert len(sent()) == 1


def test_a_mail_is_in_the_language_of_the_attempt_when_the_webhook_is_quicker(
    visitor: Visitor, client: Client, sandbox: Sandbox, clock: Traveller
):
    """The answer to the form is lost; what the visitor chose was written down before it was sent."""
    lose_answers(sandbox)
    waiting = visitor.send(visitor.choose("haircut", "?tz=Europe/Kyiv&lang=de&hours=12"), "Termin buchen", **JANE)
    assert sent() == []
    [row] = sandbox.bookings()
    starts = f"{NOW.fromtimestamp(row['starts'], NOW.tzinfo):%Y-%m-%dT%H:%M:%SZ}"
    ends = f"{NOW.fromtimestamp(row['ends'], NOW.tzinfo):%Y-%m-%dT%H:%M:%SZ}"
    contact = {"email": JANE["email"], "name": JANE["name"]}
    body = event_body(confirmation_number=row["number"], startsAt=starts, endsAt=ends, contact=contact)
    assert delivery(body).post(client).json() == {"received": "processed"}
    [letter] = sent()
    assert "Ihre Buchung ist bestätigt." in letter.text
    assert "Kiew" in letter.text
    sandbox.faults.clear()
    clock.shift(timedelta(minutes=2))
    assert visitor.open(waiting.url).number == row["number"]
    assert len(sent()) == 1


def test_what_the_page_knows_comes_late_but_holds(writing: Settings):
    """The webhook announced the creation; the mail about the cancellation is in the visitor's language all the same."""
    hook(BookingChange.CREATED)
    page(BookingChange.CREATED)
    hook(BookingChange.CANCELLED, 60)
    row = Appointment.objects.get()
    assert AppointmentData.from_row(row).preferences == GERMAN
    assert "storniert" in sent()[-1].text


def test_a_move_in_another_language_keeps_host_and_party(writing: Settings):
    """They were chosen with the slot; the manage page doesn't know them."""
    page(BookingChange.CREATED)
    page(BookingChange.RESCHEDULED, VisitorPreferences(language="fr", timezone="Europe/Paris"), start=MOVED)
    preferences = AppointmentData.from_row(Appointment.objects.get()).preferences
    assert preferences == VisitorPreferences(language="fr", timezone="Europe/Paris", terms=TERMS)


def test_the_same_delivery_twenty_times(writing: Settings, client: Client):
    """And the same change under other ids: one mail, in the site's language and the business's zone."""
    one = delivery()
    for _ in range(20):
        assert one.post(client).status_code == 200
    delivery(event_body(attempt=2)).post(client)
    [letter] = sent()
    assert letter.message["To"] == "canary@example.com"
    assert "Haircut" in letter.subject
    assert "10:00 AM \u2013 11:00 AM (New York" in letter.text


def test_a_receiver_that_raises_takes_the_mail_with_it(
    writing: Settings, client: Client, django_capture_on_commit_callbacks: Any
):
    """Nothing is stored, nothing goes out; Kordless's next try finds nothing here, and then there is one mail."""

    def fall_over(**_arguments: Any) -> None:
        raise RuntimeError

    booking_created.connect(fall_over)
    try:
        with django_capture_on_commit_callbacks() as callbacks:
            assert delivery().post(client).status_code == 500
        assert callbacks == []
        assert sent() == []
        assert not Appointment.objects.exists()
    finally:
        booking_created.disconnect(fall_over)
    assert delivery().post(client).status_code == 200
    assert len(sent()) == 1


@pytest.mark.parametrize("trouble", [{"status": 409}, {"status": 422}, {"status": 503}, {"status": 400}])
def test_no_mail_on_a_failed_attempt(visitor: Visitor, sandbox: Sandbox, trouble: dict[str, int]):
    """Kordless said no, or nothing."""
    contact = visitor.choose()
    sandbox.faults.add("status", "create", **trouble)
    visitor.send(contact, "Book appointment", **JANE)
    assert sent() == []
    assert not Appointment.objects.exists()


def test_no_mail_on_an_unknown_attempt_until_it_is_known(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """The page that finds out tells it, once."""
    lose_answers(sandbox)
    waiting = visitor.send(visitor.choose(), "Book appointment", **JANE)
    assert sent() == []
    sandbox.faults.clear()
    clock.shift(timedelta(minutes=2))
    for _ in range(3):
        assert visitor.open(waiting.url).number
    assert len(sent()) == 1


@pytest.mark.parametrize("operation", ["cancel", "reschedule"])
def test_no_mail_on_a_change_that_failed(visitor: Visitor, sandbox: Sandbox, operation: str):
    """The booking stands as it was."""
    manage = visitor.open(visitor.book("haircut", "?day=2026-12-09").link("Change or cancel"))
    sandbox.faults.add("status", operation, status=422)
    if operation == "cancel":
        visitor.send(visitor.send(manage, "Cancel booking"), "Cancel booking")
    else:
        visitor.send(visitor.open(list(visitor.send(manage, "Reschedule").times.values())[-1]), "Reschedule")
    assert len(sent()) == 1


def test_a_request_and_its_acceptance_are_mailed(visitor: Visitor, sandbox: Sandbox):
    """Kordless says so with an update that moves nothing."""
    confirmation = visitor.book("bridal-styling", "?day=2026-12-09")
    [requested] = sent()
    assert requested.subject.startswith("Bridal styling, ")
    assert requested.subject.endswith(": request received")
    assert "still has to be accepted" in requested.text
    assert requested.event["status"] == "TENTATIVE"
    row = sandbox.bookings()[0]
    start = NOW.fromtimestamp(row["starts"], NOW.tzinfo)
    for _ in range(2):
        hook(BookingChange.RESCHEDULED, 60, confirmation_number=confirmation.number, start=start, status="confirmed")
    _, accepted = sent()
    assert accepted.subject.startswith("Bridal styling, ")
    assert accepted.subject.endswith(": confirmed")
    assert (accepted.event["status"], accepted.event["uid"]) == ("CONFIRMED", requested.event["uid"])
    assert accepted.event["sequence"] > requested.event["sequence"]


def test_what_waits_is_overtaken_by_what_is_newer(writing: Settings):
    """A mail server that was away for a while gets one mail about the booking, not its history."""
    hook(BookingChange.CREATED)
    hook(BookingChange.RESCHEDULED, 10, start=MOVED)
    hook(BookingChange.CANCELLED, 20, start=MOVED)
    assert mail_kinds() == ["confirmed", "rescheduled", "cancelled"]
    [letter] = sent()
    assert letter.subject.endswith(": canceled")


def test_a_creation_that_comes_after_its_move_says_nothing_new(writing: Settings):
    """The customer knows the new time already."""
    hook(BookingChange.RESCHEDULED, 20, start=MOVED)
    hook(BookingChange.CREATED, 0)
    assert mail_kinds() == ["rescheduled"]
    assert Appointment.objects.get().start == MOVED


def test_nothing_follows_a_cancellation(writing: Settings):
    """However it comes."""
    hook(BookingChange.CANCELLED)
    hook(BookingChange.CREATED, 10)
    hook(BookingChange.RESCHEDULED, 20, start=MOVED)
    page(BookingChange.RESCHEDULED, start=MOVED)
    assert mail_kinds() == ["cancelled"]


@pytest.mark.parametrize(
    "contact",
    [
        None,
        Contact(name="Canary", phone="+12125550147"),
        Contact(name="Canary", email="nobody"),
        Contact(name="Canary", email="a@b.example\nBcc: c@d.example"),
        Contact(name="Canary", email="x" * 250 + "@b.example"),
    ],
)
def test_without_an_address_there_is_no_mail_and_nothing_is_stored(writing: Settings, contact: Contact | None):
    """Or with something that is none."""
    hook(BookingChange.CREATED, contact=contact)
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("changes", [{"start": NOW - timedelta(hours=3)}, {"status": "no_show"}])
def test_what_is_over_or_unheard_of_is_not_written_about(writing: Settings, changes: dict[str, Any]):
    """Nobody needs mail about yesterday, and an unknown status has no text."""
    hook(BookingChange.CREATED, **changes)
    assert mail_kinds() == []


def test_a_change_that_can_not_be_stored_is_published_but_not_mailed(
    writing: Settings, caplog: pytest.LogCaptureFixture
):
    """Twice would be worse than not at all: Kordless writes as well."""
    with refused_writes("INSERT", "UPDATE"):
        page(BookingChange.CREATED)
    assert "event=change_not_recorded" in caplog.text
    assert sent() == []


def test_accounts_write_each_for_itself(site: Settings, account_settings: dict[str, Any]):
    """One writes, the other doesn't."""
    both = {name: account_settings[name] for name in ("API_KEY", "ORG_SLUG")}
    site.ROOT_URLCONF = "tests.projects.several.urls"
    site.KORDLESS_BOOKING = {
        "TRANSPORT": account_settings["TRANSPORT"],
        "ACCOUNTS": {"north": {**both, **MAIL}, "south": both},
    }
    for name in ("north", "south"):
        publish_change(BookingChange.CREATED, booking(), account=name, now=NOW, preferences=GERMAN)
    [letter] = sent()
    assert "https://salon.example/north/manage/" in letter.text


@pytest.fixture
def rows() -> Iterator[None]:
    """A look at what is kept, after the test."""
    yield
    kept = json.dumps([*Appointment.objects.values(), *OutgoingMail.objects.values()], default=str)
    assert "canary" not in kept.lower()
    assert "AB12" not in kept
    assert "2125550147" not in kept


@pytest.mark.usefixtures("rows")
def test_stored_appointments_are_encrypted_and_can_be_found_again(writing: Settings):
    """By a keyed hash of the address, in any case; deleting takes the mails along."""
    page(BookingChange.CREATED)
    row = Appointment.objects.get(email_hash=contact_hash("Canary@Example.com"))
    assert Appointment.objects.filter(phone_hash=contact_hash("+12125550147")).exists()
    for thing in (row, row.mails.get(), AppointmentData.from_row(row)):
        assert "anary" not in repr(thing) + str(thing)
    row.delete()
    assert not OutgoingMail.objects.exists()
    assert sent() == mail.outbox == []


def test_an_appointment_is_found_again_after_the_secret_key_was_rotated(writing: Settings):
    """A move and a cancellation change the same row, and are mailed as what they are."""
    page(BookingChange.CREATED)
    writing.SECRET_KEY, writing.SECRET_KEY_FALLBACKS = "a-new-key-for-this-test", [writing.SECRET_KEY]
    page(BookingChange.CREATED)
    page(BookingChange.RESCHEDULED, start=MOVED)
    assert Appointment.objects.count() == 1
    assert mail_kinds() == ["confirmed", "rescheduled"]
    writing.SECRET_KEY_FALLBACKS = []
    assert AppointmentData.from_row(Appointment.objects.get()).booking.start == MOVED


@pytest.mark.parametrize("name", ["\\ud800 half a character", "\\u0000\\u0007", "x" * 5000, "\\u202eevil"])
def test_a_strange_name_keeps_no_mail_back(writing: Settings, client: Client, name: str):
    """Whatever Kordless calls the customer."""
    contact = {"email": "canary@example.com", "name": json.loads(f'"{name}"'), "phone": None}
    assert delivery(event_body(contact=contact)).post(client).status_code == 200
    assert len(sent()) == 1


def test_a_row_that_nobody_can_read_begins_anew(writing: Settings):
    """With what is heard now."""
    page(BookingChange.CREATED)
    Appointment.objects.update(encrypted="damaged")
    hook(BookingChange.CANCELLED)
    assert AppointmentData.from_row(Appointment.objects.get()).contact.name == "Canary Bird"
    assert len(sent()) == 1


def test_a_mail_is_queued_once(writing: Settings):
    """The database refuses a second about the same revision."""
    page(BookingChange.CREATED)
    row = Appointment.objects.get()
    assert enqueue(row, OutgoingMail.Kind.REMINDER, now=NOW)
    assert not enqueue(row, OutgoingMail.Kind.REMINDER, now=NOW)


def test_where_no_cron_tidies_the_hundredth_does(writing: Settings):
    """Appointments that are over are deleted when one whose id is a multiple of CLEANUP_EVERY is written."""
    page(BookingChange.CREATED, confirmation_number="BOOK_OLD")
    long_ago = NOW - timedelta(days=9)
    Appointment.objects.update(start=long_ago, end=long_ago)
    page(BookingChange.CREATED)
    new = Appointment.objects.get(start=FIRST)
    new.mails.all().delete()
    Appointment.objects.filter(pk=new.pk).update(id=CLEANUP_EVERY * 7)
    hook(BookingChange.CANCELLED)
    assert Appointment.objects.get().pk == CLEANUP_EVERY * 7
