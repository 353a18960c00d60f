"""Mail to staff: one about each booking that was made, moved or canceled, in the site's language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.api.resources import Contact
from kordless_booking.changes import BookingChange, mark_change_in_progress, publish_change
from kordless_booking.conf import find_errors, get_account
from kordless_booking.erasure.base import Person
from kordless_booking.erasure.run import erase_person, export_person
from kordless_booking.mail.reminders import queue_reminders
from kordless_booking.models import Appointment
from kordless_booking.questions.answers import Answer
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.registry import services_for
from tests.support.clock import NOW
from tests.support.deliveries import NEW, delivery, event_body
from tests.support.mail_events import GERMAN, MOVED, booking, hook, page
from tests.support.mail_reader import Letter, sent
from tests.support.mail_settings import MAIL, SITE
from tests.support.visitor import Visitor

pytestmark = pytest.mark.django_db

DESK = "desk@salon.example"
STAFF_ONLY: dict[str, Any] = {**MAIL, "MAIL": False, "STAFF_EMAIL": DESK}


@pytest.fixture
def desk(site: Settings, account_settings: dict[str, Any]) -> Callable[..., Settings]:
    """Return a function that has staff mail sent, and none to customers, with other settings as given."""

    def configure(**more: Any) -> Settings:
        site.KORDLESS_BOOKING = {**account_settings, **STAFF_ONLY, **more}
        return site

    return configure


def to_desk() -> list[Letter]:
    """Send what is due, and return the mails to staff."""
    return [letter for letter in sent() if letter.message["To"] == DESK]


def change_page(visitor: Visitor, page: Any, button: str, reason: str) -> Any:
    """Send the form of a change with a reason, whose field stands outside of it."""
    _method, action, fields = page.form(button)
    return visitor.open(action, {**fields, "reason": reason})


def test_each_change_of_a_booking_is_one_mail_to_staff(desk: Callable[..., Settings], client: Client, sandbox: Sandbox):
    """Made, moved with a reason, canceled with another: each with what changed, and the reason of that change alone."""
    desk(ASK_REASON="optional", QUESTIONS={"*": [{"name": "allergies", "label": "Any allergies?", "kind": "text"}]})
    visitor = Visitor(client)
    confirmation = visitor.book("haircut", "?day=2026-12-09", answer_allergies="Nuts")
    [created] = to_desk()
    assert created.subject.startswith("New booking: Haircut, Wed, Dec 9, ")
    assert created.parts == ["text/plain"]
    assert created.text.startswith("New booking\n\nHaircut\nWednesday, December 9")
    for line in ("Any allergies: Nuts", "Name: Jane Doe", "Email: jane@example.com"):
        assert line in created.text.splitlines()
    assert f"Confirmation number: {confirmation.number}" in created.text
    assert created.message["Reply-To"] == "jane@example.com"
    assert "Reason" not in created.text
    assert "\n\n\n" not in created.text
    managed = visitor.open(confirmation.link("Change or cancel"))
    question = visitor.open(list(visitor.send(managed, "Reschedule").times.values())[-1])
    moved = change_page(visitor, question, "Reschedule", "My train\nis late")
    [_first, rescheduled] = to_desk()
    assert rescheduled.subject.startswith("Rescheduled: Haircut, ")
    assert "Reason: My train / is late" in rescheduled.text
    assert "Previous time: Wednesday, December 9" in rescheduled.text
    assert "Any allergies: Nuts" in rescheduled.text
    change_page(visitor, visitor.send(moved, "Cancel booking"), "Cancel booking", "")
    [_first, _second, canceled] = to_desk()
    assert canceled.subject.startswith("Canceled: Haircut, ")
    assert "Reason" not in canceled.text
    # The customer's mails are another switch.
    assert len(mail.outbox) == 3


def test_staff_mail_is_off_by_default_and_stores_nothing(site: Settings, client: Client):
    """Neither a mail nor an appointment."""
    Visitor(client).book()
    assert not Appointment.objects.exists()
    assert sent() == []


def test_the_page_and_the_webhook_are_one_mail_to_staff(desk: Callable[..., Settings]):
    """Whoever is quicker; and one copy each with mail to the customer, under different ids."""
    desk(MAIL=True)
    page(BookingChange.CREATED)
    hook(BookingChange.CREATED)
    letters = sent()
    assert sorted(letter.message["To"] for letter in letters) == ["canary@example.com", DESK]
    assert len({letter.message["Message-ID"] for letter in letters}) == 2


def test_staff_read_their_own_language_clock_and_choices(desk: Callable[..., Settings], sandbox: Sandbox):
    """A customer who reads Arabic in Berlin is told of in German, at the time of New York."""
    question = {
        "name": "length",
        "kind": "choice",
        "label": {"de": "Haare", "ar": "الشعر"},
        "choices": [["short", {"de": "Kurz", "ar": "قصير"}], ["long", {"de": "Lang", "ar": "طويل"}]],
    }
    settings = desk(QUESTIONS={"haircut": [question]})
    settings.LANGUAGE_CODE = "de"

    answer = Answer(name="length", kind="choice", title="الشعر", text="طويل", value="long")
    publish_change(BookingChange.CREATED, booking(), account="default", now=NOW, preferences=GERMAN, answers=(answer,))
    [letter] = to_desk()
    assert "Haare: Lang" in letter.text
    assert "Sarah" in letter.text
    assert "New York" in letter.text


def test_staff_get_one_mail_about_a_request_to_accept(desk: Callable[..., Settings]):
    """Its acceptance is theirs, and no news to them; a request that still waits then is told as it is now."""
    desk()
    page(BookingChange.CREATED, status="pending")
    assert [letter.subject.split(":")[0] for letter in to_desk()] == ["New request"]
    hook(BookingChange.CREATED, 5, status="confirmed")
    assert len(to_desk()) == 1


def test_the_mail_to_staff_of_a_request_is_not_lost_when_it_is_accepted_first(desk: Callable[..., Settings]):
    """The mail to the customer about the acceptance replaces that to the customer alone."""
    desk(MAIL=True)
    page(BookingChange.CREATED, status="pending")
    hook(BookingChange.CREATED, 5, status="confirmed")
    assert [letter.subject.split(":")[0] for letter in to_desk()] == ["New booking"]


def test_nobody_is_reminded_of_a_booking_that_is_kept_for_staff(
    desk: Callable[..., Settings], sandbox: Sandbox, clock: Traveller
):
    """A customer who gets no mail costs no lookup either, and those who get one are found behind them."""
    desk(MAIL=True)
    page(BookingChange.CREATED, contact=Contact(name="Canary Bird", phone="+12125550147"))
    assert len(to_desk()) == 1
    sandbox.clear_requests()
    account = get_account(None)
    Appointment.objects.update(notified_at=NOW - timedelta(days=3))
    assert queue_reminders(account, NOW + timedelta(hours=1)) == 0
    assert sandbox.requests == []


def test_staff_get_a_mail_about_a_booking_by_phone_whatever_the_customers_channels(desk: Callable[..., Settings]):
    """No usable contact at all is staff's business, too."""
    desk()
    page(BookingChange.CREATED, contact=None)
    [letter] = to_desk()
    assert "Name" not in letter.text
    assert letter.message["Reply-To"] is None


def test_no_number_of_bookings_withholds_a_mail_to_staff(desk: Callable[..., Settings]):
    """The limit is there for addresses that strangers type."""
    desk(MAILS_PER_RECIPIENT=1)
    for number in range(5):
        page(BookingChange.CREATED, confirmation_number=f"BOOK_{number:08d}")
    assert len(to_desk()) == 5


def test_hostile_texts_are_lines_of_their_own_in_the_mail_to_staff(desk: Callable[..., Settings]):
    """Nothing that is typed looks like another line, is a header, or turns the text round."""
    desk()
    page(
        BookingChange.CREATED,
        contact=Contact(name="Eve\nPhone: +1 900\u202e", email="eve@example.com\nBcc: all@example.com"),
        service_name="Cut\r\nBcc: all@example.com",
    )
    [letter] = to_desk()
    assert letter.message["Bcc"] is None
    assert letter.message["Reply-To"] is None
    assert "Name: Eve / Phone: +1 900" in letter.text.splitlines()
    assert "\u202e" not in letter.text


def test_the_link_in_the_mail_to_staff_holds_nothing_personal(desk: Callable[..., Settings]):
    """It leads to the page on which any booking is looked up; without SITE_URL there is none."""
    settings = desk()
    page(BookingChange.CREATED)
    [letter] = to_desk()
    [line] = [line for line in letter.text.splitlines() if "://" in line]
    assert line == f"{SITE}/book/manage/"
    settings.KORDLESS_BOOKING = {**settings.KORDLESS_BOOKING, "SITE_URL": ""}
    page(BookingChange.RESCHEDULED, start=MOVED)
    assert "://" not in to_desk()[1].text


def test_a_quicker_webhook_has_the_reason_for_staff(desk: Callable[..., Settings], client: Client, sandbox: Sandbox):
    """The page left it encrypted in the cache."""
    desk(ASK_REASON="optional", WEBHOOK_SECRETS=[NEW])
    page(BookingChange.CREATED)
    mark_change_in_progress(
        services_for(get_account(None)).cache, "default", "BOOK_AB12CD34", BookingChange.CANCELLED, "canary reason"
    )
    assert delivery(event_body("booking.cancelled", status="canceled")).post(client).status_code == 200
    [letter] = to_desk()
    assert letter.subject.startswith("Canceled: ")
    assert "Reason: canary reason" in letter.text
    assert "canary reason" not in str(Appointment.objects.values())


def test_erasure_and_export_cover_the_mail_to_staff(desk: Callable[..., Settings]):
    """The appointment goes with its mails, and the export has the reason."""
    desk(ASK_REASON="optional")

    page(BookingChange.CREATED)
    publish_change(BookingChange.RESCHEDULED, booking(start=MOVED), account="default", now=NOW, reason="canary reason")
    person = Person.from_texts(["canary@example.com"], frozenset())
    assert "canary reason" in str(export_person(person))
    erase_person(person, NOW)
    assert not Appointment.objects.exists()
    assert to_desk() == []


def test_kordless_mail_sends_to_staff_while_mail_to_customers_is_off(desk: Callable[..., Settings]):
    """The cron command is all that sends where no thread can run."""
    desk()
    page(BookingChange.CREATED)
    output = StringIO()
    call_command("kordless_mail", stdout=output)
    assert "sent=1" in output.getvalue()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    "value",
    ["desk", "Desk <desk@salon.example>", ["desk@salon.example", ""], [], ["a@b.example"] * 11, "a@b.example\nBcc: c"],
)
def test_wrong_addresses_of_staff_are_errors(account_settings: dict[str, Any], value: object):
    """Reported by name, and no mail is ever tried to them."""
    [error] = find_errors({**account_settings, "STAFF_EMAIL": value})
    assert "STAFF_EMAIL" in error.text


def test_staff_mail_from_webmaster_at_localhost_is_reported(desk: Callable[..., Settings]):
    """As mail to customers is."""
    settings = desk(MAIL_FROM="")
    settings.DEFAULT_FROM_EMAIL = "webmaster@localhost"
    assert "kordless_booking.W004" in [found.id for found in run_checks(tags=["kordless_booking"])]
