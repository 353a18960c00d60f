"""Erasure of attempts: nothing personal stays, and nothing is ever booked twice for it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from time_machine import Traveller

from kordless_booking.booking.hashes import contact_hash
from kordless_booking.erasure import targets
from kordless_booking.erasure.base import ErasureResult, Person
from kordless_booking.erasure.targets import Attempts
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.personal_data import CANARY, OTHER, book, everything_stored, lose

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hooked")]

US = frozenset({"US"})
DAY = timedelta(days=1)


def erase(contact: str = CANARY["email"], *, later: timedelta = timedelta(0), **how: Any) -> ErasureResult:
    """Erase a person's attempts, so much later."""
    person = Person.from_texts([contact], US)
    given = {"accounts": None, "including_open": False, **how}
    return Attempts().erase_person(person, NOW + later, **given)


@pytest.mark.parametrize("contact", ["canary@example.com", "+12125550147", "212 555 0147"])
def test_a_booking_is_erased_by_either_contact(client: Client, contact: str):
    """In any spelling; somebody else's stays as it is."""
    book(client)
    book(client, OTHER, "?day=2026-12-10")
    assert "email_hash" in everything_stored()
    assert erase(contact) == ErasureResult(emptied=1)
    assert [row.encrypted == "" for row in BookingAttempt.objects.order_by("pk")] == [True, False]
    assert erase(contact) == ErasureResult()


def test_its_number_is_passed_on(client: Client):
    """Other stored data of the booking is found by it."""
    number = book(client)
    person = Person.from_texts([CANARY["email"]], US)
    Attempts().erase_person(person, NOW, accounts=None, including_open=False)
    assert person.numbers == {number}


def test_a_form_that_is_sent_again_books_nothing(client: Client, sandbox: Sandbox):
    """The emptied row still holds its form's key; the person in it is erased, so anybody's body is another one."""
    any_visitor = lose(client, sandbox)
    address, form = any_visitor.responses[-2], any_visitor.responses[-2]
    any_visitor.send(form, "Book appointment", **CANARY)
    assert BookingAttempt.objects.get().state == BookingAttempt.State.OUTCOME_UNKNOWN
    erase(including_open=True)
    assert "canary" not in everything_stored()
    again = any_visitor.send(address, "Book appointment", **CANARY)
    assert again.heading == "This time was already requested from this page"
    assert len([request for request in sandbox.requests if request.operation == "create"]) <= 1
    assert BookingAttempt.objects.count() == 1


def test_an_old_row_is_deleted(client: Client, clock: Traveller):
    """When no form can be sent again anymore."""
    book(client)
    assert erase(later=2 * DAY) == ErasureResult(emptied=1)
    book(client, query="?day=2026-12-10")
    assert erase(later=2 * DAY + timedelta(seconds=1)) == ErasureResult(deleted=1)


@pytest.mark.parametrize("state", [BookingAttempt.State.OUTCOME_UNKNOWN, BookingAttempt.State.WAITING])
def test_what_may_still_become_a_booking_stays(client: Client, sandbox: Sandbox, state: BookingAttempt.State):
    """Unless it is wanted all the same, or its day is over."""
    lose(client, sandbox, **({"status": 429, "retry_after": 60} if state is BookingAttempt.State.WAITING else {}))
    assert BookingAttempt.objects.get().state == state
    kept = erase()
    assert (kept.deleted, kept.emptied, kept.kept_personal) == (0, 0, 1)
    assert "may still become a booking" in next(iter(kept.kept))
    assert "canary" in everything_stored()
    assert erase(later=DAY) == ErasureResult(emptied=1)
    assert "canary" not in everything_stored()


@pytest.mark.parametrize("state", [BookingAttempt.State.WAITING, BookingAttempt.State.HELD])
def test_one_in_line_is_given_up(client: Client, sandbox: Sandbox, state: BookingAttempt.State):
    """It was never sent: who comes back to its page reads that nothing is booked, and may send the form anew."""
    any_visitor = lose(client, sandbox, status=429, retry_after=60)
    assert BookingAttempt.objects.get().address_hash
    BookingAttempt.objects.update(state=state)
    assert erase(including_open=True) == ErasureResult(emptied=1)
    row = BookingAttempt.objects.get()
    assert (row.state, row.rejection, row.address_hash) == (BookingAttempt.State.REJECTED, "NotSent", "")
    sandbox.clear_requests()
    any_visitor.open(any_visitor.responses[-1].response["Location"])
    assert [request for request in sandbox.requests if request.operation == "create"] == []


def test_what_is_being_sent_stays(client: Client, sandbox: Sandbox):
    """Whatever is asked for: its answer is a second away."""
    lose(client, sandbox)
    BookingAttempt.objects.update(state=BookingAttempt.State.PLACING, claimed_until=NOW + timedelta(seconds=20))
    kept = erase(including_open=True)
    assert kept.kept_personal == 1
    assert "at this moment" in next(iter(kept.kept))
    assert erase(including_open=True, later=timedelta(seconds=21)) == ErasureResult(emptied=1)
    assert BookingAttempt.objects.get().state == BookingAttempt.State.OUTCOME_UNKNOWN


def test_who_begins_to_send_at_the_same_time_wins(client: Client, sandbox: Sandbox):
    """A claim that was raised in between is left alone."""
    lose(client, sandbox)
    row = BookingAttempt.objects.get()
    BookingAttempt.objects.update(claim=F("claim") + 1)
    assert targets._empty(row, NOW) == 0
    assert "canary" in everything_stored()


def test_rows_from_before_there_were_hashes(client: Client, sandbox: Sandbox):
    """Open ones are opened to see whose they are."""
    lose(client, sandbox)
    lose(client, sandbox, OTHER)
    BookingAttempt.objects.update(email_hash="", phone_hash="")
    assert erase("212-555-0147", including_open=True) == ErasureResult(emptied=1)
    assert "canary" not in everything_stored()
    assert "other@example.com" in everything_stored()


def test_a_row_that_can_not_be_opened(client: Client, sandbox: Sandbox):
    """Says nothing of anybody, and is no accident."""
    lose(client, sandbox)
    BookingAttempt.objects.update(email_hash="", phone_hash="", encrypted="damaged")
    assert erase() == ErasureResult()
    BookingAttempt.objects.update(email_hash=contact_hash(CANARY["email"]), state=BookingAttempt.State.PLACED)
    assert erase() == ErasureResult(emptied=1)


def test_a_new_secret_key(client: Client, hooked: Any):
    """A row encrypted with the previous key is found as long as that key is a fallback."""
    book(client)
    old = hooked.SECRET_KEY
    hooked.SECRET_KEY, hooked.SECRET_KEY_FALLBACKS = "another key: nR6yTq0cVwZ3", [old]
    assert erase() == ErasureResult(emptied=1)


def test_one_account_alone(client: Client):
    """The other businesses of the site keep theirs."""
    book(client)
    assert erase(accounts=["north"]) == ErasureResult()
    assert erase(accounts=["default"]) == ErasureResult(emptied=1)


def test_what_is_old(client: Client, sandbox: Sandbox, clock: Traveller):
    """Whatever its state: deleted when its form is dead, emptied before; what changed since stays."""
    book(client)
    lose(client, sandbox)
    clock.shift(36 * 3600)
    book(client, OTHER, "?day=2026-12-11")
    kind, now = Attempts(), NOW + timedelta(hours=36)
    assert kind.erase_older_than(now - DAY, now, accounts=["north"]) == ErasureResult()
    assert kind.erase_older_than(now - DAY, now, accounts=None) == ErasureResult(emptied=2)
    assert kind.erase_older_than(now - DAY, now, accounts=None) == ErasureResult()
    assert "canary" not in everything_stored()
    later = now + 90 * DAY
    assert kind.erase_older_than(later - 89 * DAY, later, accounts=None) == ErasureResult(deleted=3)
    assert BookingAttempt.objects.count() == 0
