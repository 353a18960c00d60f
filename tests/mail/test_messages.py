"""Messages to phones: who gets which, each at most once, whatever the site's function does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking import messenger as public_messenger
from kordless_booking.api.resources import Contact
from kordless_booking.changes import BookingChange
from kordless_booking.conf import get_account
from kordless_booking.mail import messenger
from kordless_booking.mail.outbox import mark_stuck_as_unknown, requeue, send_due
from kordless_booking.mail.reminders import queue_reminders
from kordless_booking.messenger import MessageNotSent, MessageRejected
from kordless_booking.models import Appointment, OutgoingMail
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.deliveries import delivery, event_body
from tests.support.mail_events import MOVED, hook, page, send_from_twenty_threads
from tests.support.mail_reader import sent
from tests.support.phone_messages import PHONE, failing, received, texted
from tests.support.visitor import Visitor
from tests.support.wait_until import wait_until

pytestmark = pytest.mark.django_db

BY_PHONE = Contact(name="Canary Bird", phone=PHONE)
STATES = OutgoingMail.State


def state() -> tuple[str, int]:
    """Return the state of the only message and the number of tries."""
    row = OutgoingMail.objects.get()
    return row.state, row.tries


def raising(error: BaseException) -> Callable[[], None]:
    """Return a function that raises the error."""

    def fail() -> None:
        raise error

    return fail


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """Return a function that lists the log messages about mails."""
    caplog.set_level(logging.INFO, "kordless_booking.mail")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "kordless_booking.mail"]


def test_each_change_of_a_booking_by_phone_alone_is_one_message(texting: Settings, client: Client, sandbox: Sandbox):
    """Booked, moved, canceled, all with the same link; and not again when a form is sent twice."""
    visitor = Visitor(client)
    confirmation = visitor.book("haircut", "?day=2026-12-09", email="", phone="(212) 555-0147")
    [first] = texted()
    assert (first.to, first.kind) == (PHONE, "confirmed")
    assert first.text.startswith("Acme Salon\nConfirmed: Haircut, Wed, Dec 9, ")
    assert first.booking.confirmation_number == confirmation.number
    managed = visitor.open(first.link)
    assert managed.number == confirmation.number
    moved = visitor.send(visitor.open(list(visitor.send(managed, "Reschedule").times.values())[-1]), "Reschedule")
    question = visitor.send(moved, "Cancel booking")
    assert len(texted()) == 2
    visitor.send(question, "Cancel booking")
    visitor.send(question, "Cancel booking")
    assert [message.kind for message in texted()] == ["confirmed", "rescheduled", "cancelled"]
    assert len({message.link for message in received()}) == 1
    assert mail.outbox == []


def test_the_confirmation_says_that_a_message_is_on_its_way(texting: Settings, client: Client, sandbox: Sandbox):
    """To the end of the number, in place of "keep this number"."""
    page = Visitor(client).book("haircut", "?day=2026-12-09", email="", phone=PHONE)
    assert "We’ve sent a text message with your link to …\u206047." in page.text
    assert "Keep this number" not in page.text


@pytest.mark.parametrize("first", [page, hook])
@pytest.mark.parametrize("change", [change for change in BookingChange if change.mail_kind])
def test_the_page_and_the_webhook_are_one_message(texting: Settings, first: Callable[..., None], change: BookingChange):
    """In either order, and however often both come."""
    second = hook if first is page else page
    start = MOVED if change is BookingChange.RESCHEDULED else NOW + timedelta(days=1)
    for report in (first, second, second, first):
        report(change, start=start, contact=BY_PHONE)
    assert len(texted()) == 1


def test_the_same_delivery_twenty_times_is_one_message(texting: Settings, client: Client):
    """And the same change under another id."""
    contact = {"name": "Canary Bird", "phone": PHONE}
    one = delivery(event_body(contact=contact))
    for _ in range(20):
        assert one.post(client).status_code == 200
    delivery(event_body(contact=contact, attempt=2)).post(client)
    assert [message.to for message in texted()] == [PHONE]


@pytest.mark.parametrize(
    ("mails", "for_whom", "contact", "counts"),
    [
        (True, "without_email", Contact(email="canary@example.com", phone=PHONE), (1, 0)),
        (True, "without_email", Contact(phone=PHONE), (0, 1)),
        (True, "without_email", Contact(email="canary@localhost", phone=PHONE), (0, 1)),
        (True, "all", Contact(email="canary@example.com", phone=PHONE), (1, 1)),
        (True, "all", Contact(email="canary@example.com"), (1, 0)),
        (False, "without_email", Contact(email="canary@example.com", phone=PHONE), (0, 0)),
        (False, "all", Contact(email="canary@example.com", phone=PHONE), (0, 1)),
        (False, "all", Contact(), (0, 0)),
    ],
)
def test_who_gets_mails_and_messages(
    texting: Settings, mails: bool, for_whom: str, contact: Contact, counts: tuple[int, int]
):
    """Those without a usable email address get a message, or all; by each channel once."""
    texting.KORDLESS_BOOKING = {**texting.KORDLESS_BOOKING, "MAIL": mails, "MESSENGER_FOR": for_whom}
    for _ in range(2):
        page(BookingChange.CREATED, contact=contact)
    assert (len(sent()), len(received())) == counts


@pytest.mark.parametrize(
    ("number", "region", "to"),
    [
        ("+4915112345678", "", "+4915112345678"),
        ("0151 12345678", "DE", "+4915112345678"),
        ("(212) 555-0147 ext. 9", "US", PHONE),
        ("+19005550123", "", ""),  # premium rate: whoever types it earns with each message
        ("+18005550123", "", ""),
        ("+493012345678", "", ""),  # a landline
        ("+1", "", ""),
        ("2125550147", "", ""),
        ("+1212555014\uff17\u202e", "US", PHONE),
        ("+12125550147\r\nBcc: x@example.com", "", ""),
        ("+12125550147,+12125550148", "", ""),
        ("A" * 5000, "", ""),
        ("\x00+12125550147", "", PHONE),
    ],
)
def test_a_message_goes_to_one_cell_phone_or_to_none(texting: Settings, lines: Any, number: str, region: str, to: str):
    """Whatever Kordless has as the number: the function gets E.164 or isn't called, and no line says it."""
    texting.KORDLESS_BOOKING = {**texting.KORDLESS_BOOKING, "PHONE_REGION": region}
    page(BookingChange.CREATED, contact=Contact(name="Canary", phone=number))
    assert [message.to for message in texted()] == [to][: bool(to)]
    if not to:
        assert lines() == ["event=message_without_number account=default"]
    assert not any(digits in line for line in lines() for digits in ("5550", "1234567"))


def test_a_message_is_sent_when_a_request_is_received_and_when_it_is_accepted(texting: Settings):
    """By staff in Kordless, whose webhook says so."""
    page(BookingChange.CREATED, status="pending", contact=BY_PHONE)
    assert [message.kind for message in texted()] == ["requested"]
    hook(BookingChange.CREATED, 60, contact=BY_PHONE)
    assert [message.kind for message in texted()] == ["requested", "confirmed"]


def test_a_newer_message_replaces_one_that_waits(texting: Settings):
    """On its own channel and on the other: nobody gets two messages about what is over."""
    texting.KORDLESS_BOOKING = {**texting.KORDLESS_BOOKING, "MAIL": True, "MESSENGER_FOR": "all"}
    page(BookingChange.CREATED)
    page(BookingChange.CANCELLED, status="canceled")
    assert [message.kind for message in texted()] == ["cancelled"]
    assert len(mail.outbox) == 1
    assert OutgoingMail.objects.filter(state=STATES.SUPERSEDED).count() == 2


def test_a_reminder_is_a_message_too(texting: Settings, client: Client, sandbox: Sandbox, clock: Traveller):
    """Once, after a lookup with the phone number; its link works."""
    booked = Visitor(client).book("haircut", "?day=2026-12-09", email="", phone=PHONE)
    assert len(texted()) == 1
    clock.move_to(Appointment.objects.get().start - timedelta(hours=23))
    for _ in range(2):
        queue_reminders(get_account(None), datetime.now(UTC))
    [_, reminder] = texted()
    assert reminder.kind == "reminder"
    assert "Reminder: Haircut, Wed, Dec 9, " in reminder.text
    assert Visitor(client).open(reminder.link).number == booked.number


def test_a_reminder_of_a_booking_from_before_the_setting_has_a_link(
    writing: Settings, client: Client, sandbox: Sandbox, clock: Traveller
):
    """The row had no code until then."""
    Visitor(client).book("haircut", "?day=2026-12-09", phone=PHONE)
    assert len(sent()) == 1
    assert Appointment.objects.get().link_hash == ""
    changed = {"MESSENGER": "tests.support.phone_messages.send", "MESSENGER_FOR": "all"}
    writing.KORDLESS_BOOKING = {**writing.KORDLESS_BOOKING, **changed}
    clock.move_to(Appointment.objects.get().start - timedelta(hours=23))
    before = len(received())
    queue_reminders(get_account(None), datetime.now(UTC))
    reminder = texted()[before]
    assert Visitor(client).open(reminder.link).status == 200


@pytest.mark.parametrize(
    ("error", "ended", "name"),
    [
        (MessageNotSent("busy"), "queued", "MessageNotSent"),
        (MessageRejected(f"no phone {PHONE}"), "failed", "MessageRejected"),
        (TimeoutError(f"to {PHONE}"), "outcome_unknown", "TimeoutError"),
        (SystemExit(1), "outcome_unknown", "RuntimeError"),
    ],
)
def test_what_the_function_raises_decides(texting: Settings, lines: Any, error: BaseException, ended: str, name: str):
    """Later, never, or nobody knows; what nobody knows is never sent again. No line repeats the number."""
    page(BookingChange.CREATED, contact=BY_PHONE)
    with failing(raising(error)):
        send_due()
    assert state() == (ended, 1)
    send_due()
    assert received() == []
    [line] = lines()
    assert f"kind=confirmed channel=phone account=default tries=1 error={name} at=" in line
    # The line that raised, unless the exception is one that stands for another.
    assert name == "RuntimeError" or "tests.mail.test_messages:" in line
    assert "555" not in line


def test_the_exceptions_of_a_messenger_are_public():
    """A site's function imports them, and nothing else of the module is promised."""
    assert public_messenger.__all__ == ["MessageNotSent", "MessageRejected"]


def test_a_message_that_was_not_sent_is_tried_again_and_sent_once(texting: Settings, clock: Traveller):
    """A minute later."""
    page(BookingChange.CREATED, contact=BY_PHONE)
    with failing(raising(MessageNotSent())):
        send_due()
    assert send_due() == {}
    clock.shift(timedelta(minutes=1))
    assert send_due() == {STATES.SENT: 1}
    assert len(texted()) == 1


def test_a_function_that_hangs_is_left_alone(texting: Settings, monkeypatch: pytest.MonkeyPatch, clock: Traveller):
    """The outcome is unknown, the others wait, and nothing is called while it hangs."""
    monkeypatch.setattr(messenger, "MESSENGER_SECONDS", 0.05)
    for number in range(3):
        page(BookingChange.CREATED, confirmation_number=f"BOOK_{number}", contact=BY_PHONE)
    goes_on = threading.Event()
    with failing(lambda: goes_on.wait(60)):
        assert send_due() == {STATES.OUTCOME_UNKNOWN: 1}
        assert send_due() == {STATES.QUEUED: 1}
        assert received() == []
        [late] = messenger._late
        goes_on.set()
        late.join()
    clock.shift(timedelta(minutes=1))
    monkeypatch.setattr(messenger, "MESSENGER_SECONDS", 60)
    assert send_due() == {STATES.SENT: 2}
    # The one that hung has been sent after all, and not again.
    assert len(texted()) == 3


@pytest.mark.parametrize("path", ["tests.support.phone_messages.gone", "tests.support.phone_messages.send_async"])
def test_a_function_that_cannot_be_called_is_tried_again(texting: Settings, clock: Traveller, path: str):
    """Nothing was sent; the others aren't tried one by one."""
    works = texting.KORDLESS_BOOKING
    for number in range(2):
        page(BookingChange.CREATED, confirmation_number=f"BOOK_{number}", contact=BY_PHONE)
    texting.KORDLESS_BOOKING = {**works, "MESSENGER": path}
    assert send_due() == {STATES.QUEUED: 1}
    texting.KORDLESS_BOOKING = works
    clock.shift(timedelta(minutes=1))
    assert send_due() == {STATES.SENT: 2}


def test_mails_and_messages_do_not_wait_for_each_other(texting: Settings, monkeypatch: pytest.MonkeyPatch):
    """A mail server that is away holds up no message, and a messenger no mail."""
    texting.KORDLESS_BOOKING = {**texting.KORDLESS_BOOKING, "MAIL": True, "MESSENGER_FOR": "all"}
    page(BookingChange.CREATED)
    texting.EMAIL_BACKEND = "nowhere.Backend"
    assert send_due() == {STATES.QUEUED: 1, STATES.SENT: 1}
    assert len(received()) == 1


def test_mails_that_no_server_takes_leave_room_for_messages(texting: Settings):
    """However many wait: a run takes so many of both together."""
    texting.KORDLESS_BOOKING = {**texting.KORDLESS_BOOKING, "MAIL": True}
    for number in range(3):
        page(BookingChange.CREATED, confirmation_number=f"BOOK_{number}")
    page(BookingChange.CREATED, contact=BY_PHONE)
    texting.EMAIL_BACKEND = "nowhere.Backend"
    assert send_due(limit=2) == {STATES.QUEUED: 1, STATES.SENT: 1}
    assert len(received()) == 1


@pytest.mark.parametrize("times", [1, 3])
def test_one_number_gets_so_many_messages_a_day(texting: Settings, times: int):
    """Whoever types somebody else's number; mails to its owner are counted apart."""
    texting.KORDLESS_BOOKING = {**texting.KORDLESS_BOOKING, "MAILS_PER_RECIPIENT": 2, "MAIL": True}
    hook(BookingChange.CREATED, confirmation_number="BOOK_MAIL")
    for number in range(times):
        hook(BookingChange.CREATED, confirmation_number=f"BOOK_{number}", contact=BY_PHONE)
    assert len(texted()) == min(times, 2)
    assert len(mail.outbox) == 1
    assert OutgoingMail.objects.filter(state=STATES.WITHHELD).count() == max(times - 2, 0)


def test_messages_that_are_switched_off_wait(texting: Settings):
    """And go out when they are on again, where staff may have asked for one once more."""
    page(BookingChange.CREATED, contact=BY_PHONE)
    on = texting.KORDLESS_BOOKING
    texting.KORDLESS_BOOKING = {**on, "MESSENGER": "", "MAIL": True}
    assert send_due() == {}
    assert not requeue(OutgoingMail.objects.get(), NOW)
    texting.KORDLESS_BOOKING = on
    assert requeue(OutgoingMail.objects.get(), NOW)
    assert send_due() == {STATES.SENT: 1}


def test_a_sender_that_dies_in_the_middle_sends_no_message_again(texting: Settings, clock: Traveller):
    """Nobody knows whether it went out."""
    page(BookingChange.CREATED, contact=BY_PHONE)

    class Killed(BaseException):
        """An exception that stands for the death of the process."""

    def kill(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("UPDATE") and "sent" in params:
            raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(kill), pytest.raises(Killed):
        send_due()
    clock.shift(timedelta(minutes=16))
    assert mark_stuck_as_unknown(NOW + timedelta(minutes=16)) == 1
    assert send_due() == {}
    assert len(received()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_message_goes_out_by_itself_soon_after(texting: Settings):
    """In the background, when the transaction is committed: nobody waits for it."""
    page(BookingChange.CREATED, contact=BY_PHONE)
    wait_until(lambda: OutgoingMail.objects.get().state == "sent")
    assert len(received()) == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time; make test-postgres runs it")
@pytest.mark.django_db(transaction=True)
def test_twenty_senders_at_once_send_one_message(texting: Settings):
    """The database lets one of them turn it into a message that is being sent."""
    page(BookingChange.CREATED, contact=BY_PHONE)
    send_from_twenty_threads()
    wait_until(lambda: OutgoingMail.objects.get().state == "sent")
    assert len(received()) == 1


def test_nothing_personal_is_stored_unencrypted_or_logged(
    texting: Settings, client: Client, caplog: pytest.LogCaptureFixture
):
    """Neither the number nor the code of the link, whether it is sent, fails or is opened."""
    caplog.set_level("DEBUG")
    page(BookingChange.CREATED, contact=BY_PHONE)
    with failing(raising(MessageNotSent(f"{PHONE} Canary"))):
        send_due()
    OutgoingMail.objects.update(due_at=NOW)
    link = texted()[0].link
    code = link.rpartition("/")[2]
    Visitor(client).open(link)
    Visitor(client).open(f"{link[:-1]}_")
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("kordless_booking"))
    assert "mail_attempted" in logged
    assert not any(secret in logged for secret in (code, PHONE[2:], "Canary", "BOOK_AB12"))
    stored = repr([*Appointment.objects.values(), *OutgoingMail.objects.values()])
    assert code not in stored
    assert PHONE[2:] not in stored
    assert "Canary" not in stored
