"""Placing against the real sandbox: yes and no, each once, whoever asks again."""

import logging
from datetime import timedelta

import httpx
import pytest
from django.db import DatabaseError, OperationalError, connection

from kordless_booking import exceptions
from kordless_booking.booking.placement import LEASE, DifferentRequest, Placed, Rejected, place_booking, resume
from kordless_booking.booking.tokens import decrypt_token
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import NORTH_KEY, NORTH_ORG
from tests.support.clock import NOW
from tests.support.placement import (
    EMAIL,
    KEY,
    NAME,
    PHONE,
    attempt_at,
    booked,
    client_of,
    creates,
    edited,
    keys_sent,
    later,
    place_it,
    row,
    unsure,
)

pytestmark = pytest.mark.django_db


def test_a_yes_is_written_down_without_the_contact(sandbox, client, attempt):
    """The row then holds the answer, and nothing of what the visitor typed."""
    outcome = place_booking("default", client, attempt, NOW)
    assert isinstance(outcome, Placed)
    assert [booking["number"] for booking in sandbox.bookings()] == [outcome.booking.confirmation_number]
    written = row()
    assert (written.state, written.generation, written.claim, written.outcome_unknown) == ("placed", 1, 1, False)
    answer = str(decrypt_token("answer", "default", written.encrypted, max_age=60, now=NOW.timestamp()))
    assert outcome.booking.confirmation_number in answer
    assert not [private for private in (EMAIL, PHONE, NAME) if private in answer]


def test_a_contact_in_the_response_is_not_stored(client, network, attempt):
    """Even when Kordless repeats the contact, the row and the outcome leave it out."""
    document = {
        "booking": {
            "confirmation_number": "BOOK_AB12",
            "status": "confirmed",
            "start_at": attempt.request.start.isoformat(),
            "end_at": attempt.request.end.isoformat(),
            "contact": {"name": NAME, "email": EMAIL},
        }
    }
    network.after = lambda: httpx.Response(201, json=document)
    outcome = place_booking("default", client, attempt, NOW)
    assert EMAIL not in str(decrypt_token("answer", "default", row().encrypted, max_age=60, now=NOW.timestamp()))
    remembered = resume("default", client, KEY, attempt.body_digest(), NOW)
    assert booked(remembered) == booked(outcome)
    assert isinstance(remembered, Placed)
    assert remembered.booking.contact is None


def test_the_same_form_twice_is_one_booking(sandbox, client, attempt):
    """The second post sends nothing and sees the first one's confirmation."""
    first = place_booking("default", client, attempt, NOW)
    second = place_booking("default", client, attempt, later(NOW, 5))
    assert booked(first) == booked(second)
    assert booked(resume("default", client, KEY, attempt.body_digest(), later(NOW, 60))) == booked(first)
    assert len(creates(sandbox)) == len(sandbox.bookings()) == 1


def test_an_answer_can_be_read_for_thirty_days(sandbox, client, attempt):
    """After that the row tells nothing anymore, and still nothing is sent again."""
    first = place_booking("default", client, attempt, NOW)
    assert booked(resume("default", client, KEY, attempt.body_digest(), NOW + timedelta(days=30))) == booked(first)
    outcome = resume("default", client, KEY, attempt.body_digest(), NOW + timedelta(days=30, seconds=1))
    assert isinstance(outcome, Rejected)
    assert outcome.after_unknown_outcome
    assert len(creates(sandbox)) == 1


def test_a_conflict_is_a_rejection_and_erases_the_body(sandbox, client, attempt):
    """409: the slot is somebody else's, and what was typed does not stay in the database."""
    sandbox.book_by_phone("haircut", attempt.request.start, host_id=attempt.request.host_id)
    outcome = place_booking("default", client, attempt, NOW)
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, exceptions.SlotTaken)
    assert not outcome.after_unknown_outcome
    written = row()
    assert (written.state, written.rejection, written.encrypted) == ("rejected", "SlotTaken", "")


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("status", {"status": 400}, exceptions.BadRequest),
        ("status", {"status": 422}, exceptions.Refused),
        ("status", {"status": 403}, exceptions.KeyRefused),
        ("key_revoked", {}, exceptions.KeyRefused),
        ("service_removed", {"service": "haircut"}, exceptions.NotFound),
    ],
)
def test_every_rejection_is_returned_and_stored(sandbox, client, attempt, kind, options, expected):
    """The exception is the same at once and when the page is reloaded, which sends nothing."""
    sandbox.faults.add(kind, "create", **options)
    for outcome in (
        place_booking("default", client, attempt, NOW),
        resume("default", client, KEY, attempt.body_digest(), later(NOW, 90)),
    ):
        assert isinstance(outcome, Rejected)
        assert type(outcome.error) is expected
        assert not outcome.after_unknown_outcome
    assert (row().state, row().encrypted) == ("rejected", "")
    assert len(creates(sandbox)) == 1


def test_no_connection_is_a_no_because_nothing_was_sent(sandbox, network, client, attempt):
    """A rejected connection leaves no doubt; the same form may simply be sent again."""

    def refuse() -> None:
        raise httpx.ConnectError("refused")

    network.before = refuse
    outcome = place_booking("default", client, attempt, NOW)
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, exceptions.Unreachable)
    assert row().state == BookingAttempt.State.REJECTED
    network.before = lambda: None
    assert isinstance(place_booking("default", client, attempt, later(NOW, 3)), Placed)
    assert keys_sent(sandbox) == [f"kb-{KEY}-2"]


def test_after_a_no_the_edited_form_is_a_new_generation(sandbox, client, attempt):
    """A new body never goes out under the old key."""
    taker = sandbox.book_by_phone("haircut", attempt.request.start, host_id=attempt.request.host_id)
    place_booking("default", client, attempt, NOW)
    sandbox.set_status(taker, "canceled")
    other = edited(attempt, notes="Now with a note")
    outcome = place_booking("default", client, other, later(NOW, 5))
    assert isinstance(outcome, Placed)
    assert keys_sent(sandbox) == [f"kb-{KEY}-1", f"kb-{KEY}-2"]
    assert (row().generation, row().body_hash) == (2, other.body_hash())
    assert booked(resume("default", client, KEY, other.body_digest(), later(NOW, 6))) == booked(outcome)


def test_a_refusal_that_a_later_version_wrote_is_still_a_no(client, attempt):
    """An unknown name in the row reads as Refused."""
    place_booking("default", client, attempt, NOW)
    BookingAttempt.objects.update(state=BookingAttempt.State.REJECTED, rejection="SomethingNew")
    outcome = resume("default", client, KEY, attempt.body_digest(), NOW)
    assert isinstance(outcome, Rejected)
    assert type(outcome.error) is exceptions.Refused


def test_another_accounts_attempt_is_not_seen(sandbox, client, attempt):
    """The same key in another account is another attempt, and can't be resumed from there."""
    first = place_booking("default", client, attempt, NOW)
    north = client_of(sandbox, NORTH_KEY, NORTH_ORG)
    assert resume("north", north, KEY, attempt.body_digest(), NOW) is None
    second = place_booking("north", north, attempt_at(north, "check-up"), NOW)
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert first.booking.confirmation_number != second.booking.confirmation_number
    assert BookingAttempt.objects.count() == 2


def test_an_unknown_attempt_is_none(client):
    """Nothing is made up for a key that nobody placed."""
    assert resume("default", client, "f" * 32, "0" * 64, NOW) is None


def broken(statement: str):
    """A database that fails at one kind of statement."""

    def wrapper(execute, sql, params, many, context):
        if sql.startswith(statement):
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    return connection.execute_wrapper(wrapper)


def test_what_cannot_be_written_down_is_not_sent(sandbox, client, attempt):
    """Without a row there is no request."""
    with broken("INSERT"), pytest.raises(DatabaseError):
        place_booking("default", client, attempt, NOW)
    assert creates(sandbox) == []
    assert BookingAttempt.objects.count() == 0


def test_a_claim_that_cannot_be_written_down_is_not_sent(sandbox, client, attempt):
    """The same when it is asked for again."""
    unsure(sandbox, client, attempt)
    with broken("UPDATE"), pytest.raises(DatabaseError):
        resume("default", client, KEY, attempt.body_digest(), later(NOW, 2))
    assert len(creates(sandbox)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_success_is_returned_even_when_it_cannot_be_stored(sandbox, client, attempt, caplog):
    """The visitor sees the booking; after the lease the row learns of it from Kordless."""
    with broken("UPDATE"), caplog.at_level(logging.ERROR):
        first = place_booking("default", client, attempt, NOW)
    assert isinstance(first, Placed)
    assert "event=attempt_outcome_not_recorded" in caplog.text
    assert row().state == BookingAttempt.State.PLACING
    assert booked(resume("default", client, KEY, attempt.body_digest(), NOW + LEASE)) == booked(first)
    assert row().state == BookingAttempt.State.PLACED
    assert len(sandbox.bookings()) == 1


def test_a_rotated_secret_key_loses_nothing(settings, sandbox, client, attempt):
    """With the old key among the fallbacks an open attempt goes on."""
    unsure(sandbox, client, attempt)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one, 4aG7pQ9sWz2k"
    assert isinstance(resume("default", client, KEY, attempt.body_digest(), later(NOW, 2)), Placed)


def test_a_body_that_cannot_be_read_is_not_sent(sandbox, client, attempt, caplog):
    """Nothing is assumed: the visitor gets an unknown outcome."""
    unsure(sandbox, client, attempt)
    BookingAttempt.objects.update(encrypted="cut off")
    outcome = resume("default", client, KEY, attempt.body_digest(), later(NOW, 2))
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, exceptions.OutcomeUnknown)
    assert outcome.after_unknown_outcome
    assert "event=attempt_unreadable" in caplog.text
    assert len(creates(sandbox)) == 1


@pytest.mark.parametrize("reach", [place_it, unsure])
def test_a_lost_secret_key_makes_no_second_booking(settings, sandbox, client, attempt, reach):
    """Without the old key nobody can tell whether the body is the same: nothing is sent, and nothing is shown."""
    reach(sandbox, client, attempt)
    settings.SECRET_KEY = "another one, 4aG7pQ9sWz2k"
    assert place_booking("default", client, attempt, later(NOW, 40)) == DifferentRequest()
    assert resume("default", client, KEY, attempt.body_digest(), later(NOW, 40)) == DifferentRequest()
    assert len(creates(sandbox)) == 1


@pytest.mark.parametrize("kind", ["ok", "lost", "taken", "revoked"])
def test_nothing_personal_is_logged_printed_or_stored_readable(sandbox, client, attempt, caplog, kind):
    """Logs, reprs, rows: nowhere the name, the e-mail, the phone, or the API key."""
    caplog.set_level(logging.DEBUG)
    match kind:
        case "lost":
            sandbox.faults.add("status", "create", times=1, status=500, carried_out=True)
        case "taken":
            sandbox.book_by_phone("haircut", attempt.request.start, host_id=attempt.request.host_id)
        case "revoked":
            sandbox.faults.add("key_revoked", "create")
    outcomes = [
        place_booking("default", client, attempt, NOW),
        resume("default", client, KEY, attempt.body_digest(), later(NOW, 2)),
    ]
    columns = {name: value for name, value in vars(row()).items() if name != "_state"}
    texts = f"{caplog.text} {outcomes!r} {outcomes!s} {attempt!r} {row()!r} {row()} {columns}"
    assert not [private for private in (EMAIL, PHONE, NAME, "sandbox-key") if private in texts]


def test_the_moment_of_asking_is_the_callers(client, attempt):
    """All times in the row come from the given clock, not from the machine's."""
    then = later(NOW, 7)
    place_booking("default", client, attempt, then)
    assert (row().created_at, row().changed_at, row().claimed_until) == (then, then, then)
