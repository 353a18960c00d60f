"""Placement when the response is lost or the rate limit used up: sent again with the same key and the same bytes."""

import random
from datetime import timedelta

import httpx
import msgspec
import pytest

from kordless_booking import exceptions
from kordless_booking.booking.attempt import Attempt
from kordless_booking.booking.placement import (
    DifferentRequest,
    Pending,
    Placed,
    Rejected,
    has_attempt,
    place_booking,
    resume,
)
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Limits
from tests.support.clock import NOW
from tests.support.placement import KEY, attempt_at, creates, edited, keys_sent, later, row, unsure

pytestmark = pytest.mark.django_db


LOST = [
    ("status", {"status": 500}, False),
    ("status", {"status": 500, "carried_out": True}, True),
    ("status", {"status": 502, "html": True, "carried_out": True}, True),
    ("status", {"status": 503, "retry_after": 3600}, False),
    ("hang", {}, False),
    ("hang", {"carried_out": True}, True),
    ("reset", {"after_bytes": 20}, True),
    ("empty", {}, True),
    ("broken_json", {}, True),
    ("html", {}, True),
    ("deep", {}, True),
    ("redirect", {}, False),
]


@pytest.mark.parametrize(("kind", "options", "carried_out"), LOST)
def test_a_lost_answer_is_asked_for_again_with_the_same_bytes(sandbox, client, attempt, kind, options, carried_out):
    """The same key and body are sent again, the true outcome is found, and there is one booking, carried out or not."""
    sandbox.faults.add(kind, "create", times=1, **options)
    assert place_booking("default", client, attempt, NOW) == Pending(seconds=2)
    assert len(sandbox.bookings()) == carried_out
    written = row()
    assert (written.state, written.outcome_unknown, written.retry_at) == ("outcome_unknown", True, later(NOW, 2))
    outcome = resume("default", client, KEY, attempt.body_digest(), later(NOW, 2))
    assert isinstance(outcome, Placed)
    first, second = creates(sandbox)
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == f"kb-{KEY}-1"
    assert [booking["number"] for booking in sandbox.bookings()] == [outcome.booking.confirmation_number]
    assert row().state == BookingAttempt.State.PLACED


def test_nothing_is_sent_before_it_is_due(sandbox, client, attempt):
    """However often the page asks, Kordless is asked again only when the pause is over."""
    unsure(sandbox, client, attempt)
    assert resume("default", client, KEY, attempt.body_digest(), later(NOW, 0.5)) == Pending(seconds=2)
    assert resume("default", client, KEY, attempt.body_digest(), later(NOW, 1.5)) == Pending(seconds=1)
    assert place_booking("default", client, attempt, later(NOW, 1.9)) == Pending(seconds=1)
    assert len(creates(sandbox)) == 1


def test_the_pauses_grow_to_half_a_minute(sandbox, client, attempt):
    """2, 4, 8, 16 and then 30 seconds for ever."""
    sandbox.faults.add("status", "create", status=500)
    now, pauses = NOW, []
    outcome = place_booking("default", client, attempt, now)
    for _ in range(6):
        assert isinstance(outcome, Pending)
        pauses.append(outcome.seconds)
        now = later(now, outcome.seconds)
        outcome = resume("default", client, KEY, attempt.body_digest(), now)
    assert pauses == [2, 4, 8, 16, 30, 30]
    assert len(set(keys_sent(sandbox))) == 1


def test_no_connection_after_an_unknown_outcome_stays_unknown(sandbox, network, client, attempt):
    """A refused connection proves nothing about the earlier request, which may have been carried out."""
    unsure(sandbox, client, attempt)

    def refuse() -> None:
        raise httpx.ConnectError("refused")

    network.before = refuse
    assert resume("default", client, KEY, attempt.body_digest(), later(NOW, 2)) == Pending(seconds=4)
    assert row().state == BookingAttempt.State.OUTCOME_UNKNOWN
    network.before = lambda: None
    assert isinstance(resume("default", client, KEY, attempt.body_digest(), later(NOW, 6)), Placed)
    assert len(sandbox.bookings()) == 1


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("key_revoked", {}, exceptions.KeyRefused),
        ("status", {"status": 404}, exceptions.NotFound),
        ("status", {"status": 400}, exceptions.BadRequest),
    ],
)
def test_a_rejection_for_another_reason_leaves_an_unknown_outcome_open(
    sandbox, client, attempt, kind, options, expected
):
    """A rejected API key doesn't tell the result of the send before: the outcome is unknown until it is resolved."""
    unsure(sandbox, client, attempt)
    sandbox.faults.add(kind, "create", times=1, **options)
    outcome = resume("default", client, KEY, attempt.body_digest(), later(NOW, 2))
    assert isinstance(outcome, Rejected)
    assert type(outcome.error) is expected
    assert outcome.after_unknown_outcome
    assert row().state == BookingAttempt.State.OUTCOME_UNKNOWN
    sandbox.faults.clear()
    assert isinstance(place_booking("default", client, attempt, later(NOW, 60)), Placed)
    assert len(sandbox.bookings()) == 1
    assert set(keys_sent(sandbox)) == {f"kb-{KEY}-1"}


def test_taken_after_an_unknown_outcome_may_be_our_own_booking(sandbox, client, attempt):
    """A Kordless without the idempotency key answers 409 for its own booking; the outcome does not pretend to know."""
    unsure(sandbox, client, attempt)
    with sandbox.store.write() as db:
        db.execute("DELETE FROM replays")
    outcome = resume("default", client, KEY, attempt.body_digest(), later(NOW, 2))
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.error, exceptions.SlotTaken)
    assert outcome.after_unknown_outcome
    again = resume("default", client, KEY, attempt.body_digest(), later(NOW, 3))
    assert isinstance(again, Rejected)
    assert again.after_unknown_outcome
    assert (row().state, row().encrypted) == ("rejected", "")
    assert len(sandbox.bookings()) == 1


@pytest.mark.parametrize("status", [409, 422])
def test_a_form_whose_first_send_may_be_booked_is_never_sent_under_another_key(sandbox, client, status):
    """The send after it was refused, which is no proof that the first one was: there are seats for both."""
    attempt = attempt_at(client, "styling-class")
    unsure(sandbox, client, attempt)
    sandbox.faults.add("status", "create", times=1, status=status)
    refused = resume("default", client, KEY, attempt.body_digest(), later(NOW, 2))
    assert isinstance(refused, Rejected)
    assert refused.after_unknown_outcome
    again = place_booking("default", client, attempt, later(NOW, 10))
    assert isinstance(again, Rejected)
    assert (type(again.error), again.after_unknown_outcome) == (type(refused.error), True)
    other = edited(attempt, notes="By the window, please.")
    assert place_booking("default", client, other, later(NOW, 20)) == DifferentRequest()
    assert has_attempt("default", KEY)
    assert len(sandbox.bookings()) == 1
    assert set(keys_sent(sandbox)) == {f"kb-{KEY}-1"}


def test_long_notes_in_any_script_survive_an_unknown_outcome(sandbox, client, attempt):
    """A thousand characters that hardly compress fit the row, though they would not fit a URL."""
    dice = random.Random(7)  # noqa: S311 (no secret)
    notes = "".join(chr(dice.randrange(0x10000, 0xE0000)) for _ in range(1000))
    long = edited(attempt, notes=notes)
    unsure(sandbox, client, long)
    assert len(row().encrypted) > 4096
    assert isinstance(resume("default", client, KEY, long.body_digest(), later(NOW, 2)), Placed)
    assert len({request.body for request in creates(sandbox)}) == 1


def test_too_many_waits_as_long_as_kordless_says(sandbox, client, attempt):
    """429 with Retry-After: 20 is placed by itself after 20 seconds, with the key that was rejected."""
    sandbox.faults.add("status", "create", times=1, status=429, retry_after=20)
    assert place_booking("default", client, attempt, NOW) == Pending(seconds=20, waiting=True)
    assert (row().state, row().outcome_unknown) == ("waiting", False)
    assert resume("default", client, KEY, attempt.body_digest(), later(NOW, 10)) == Pending(seconds=11, waiting=True)
    assert len(creates(sandbox)) == 1
    assert isinstance(resume("default", client, KEY, attempt.body_digest(), later(NOW, 20)), Placed)
    assert keys_sent(sandbox) == [f"kb-{KEY}-1"] * 2
    assert not row().outcome_unknown


def test_the_documented_rate_limit_makes_the_eleventh_wait(sandbox, client):
    """Ten creations a minute, and the eleventh gets the seconds to wait."""
    sandbox.limits = Limits(general=None)
    slots = [slot for slot in client.availability("haircut", NOW, NOW + timedelta(days=14)) if slot.available]
    template = attempt_at(client)
    outcomes = []
    for index in range(11):
        slot = slots[5 * index]
        new = {"start": slot.start, "end": slot.end, "host_id": slot.host.id}
        one = Attempt(f"{index:032x}", msgspec.structs.replace(template.request, **new))
        outcomes.append(place_booking("default", client, one, NOW))
    assert len(creates(sandbox)) == 11
    assert isinstance(outcomes[-1], Pending)
    assert outcomes[-1].waiting
    assert 1 <= outcomes[-1].seconds <= 61


def test_a_rate_limit_after_an_unknown_outcome_leaves_it_unknown(sandbox, network, client, attempt):
    """Waiting for its turn, its outcome is still unknown; no connection then doesn't make it a rejection."""
    unsure(sandbox, client, attempt)
    sandbox.faults.add("status", "create", times=1, status=429, retry_after=20)
    assert resume("default", client, KEY, attempt.body_digest(), later(NOW, 2)) == Pending(seconds=20, waiting=True)
    assert (row().state, row().outcome_unknown) == ("waiting", True)

    def refuse() -> None:
        raise httpx.ConnectError("refused")

    network.before = refuse
    outcome = resume("default", client, KEY, attempt.body_digest(), later(NOW, 22))
    assert isinstance(outcome, Pending)
    assert not outcome.waiting
    assert row().state == BookingAttempt.State.OUTCOME_UNKNOWN


def test_no_connection_when_the_turn_has_come_keeps_the_place(sandbox, network, client, attempt):
    """Rejected with 429 and then never reached: it stays in line, as was promised, and is placed once that works."""
    sandbox.faults.add("status", "create", times=1, status=429, retry_after=20)
    place_booking("default", client, attempt, NOW)

    def refuse() -> None:
        raise httpx.ConnectError("refused")

    network.before = refuse
    assert resume("default", client, KEY, attempt.body_digest(), later(NOW, 20)) == Pending(seconds=10)
    assert (row().state, row().outcome_unknown) == (BookingAttempt.State.WAITING, False)
    network.before = lambda: None
    assert isinstance(resume("default", client, KEY, attempt.body_digest(), later(NOW, 30)), Placed)
    assert len(sandbox.bookings()) == 1


def test_an_attempt_with_unknown_outcome_is_sent_for_a_day(sandbox, client, attempt):
    """After a day Kordless may have deleted the key: nothing is sent anymore, and nothing is claimed."""
    unsure(sandbox, client, attempt)
    sent = len(creates(sandbox))
    outcome = resume("default", client, KEY, attempt.body_digest(), later(NOW, 86_401))
    assert isinstance(outcome, Rejected)
    assert outcome.after_unknown_outcome
    assert len(creates(sandbox)) == sent
    assert isinstance(resume("default", client, KEY, attempt.body_digest(), later(NOW, 86_399)), Placed)
