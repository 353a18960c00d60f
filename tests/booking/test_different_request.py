"""Another body under a used key is a conflict at once in every state, and changes nothing about the first attempt."""

import re

import pytest
from django.db import connection

from kordless_booking.api.resources import Contact
from kordless_booking.booking import attempt as drawing
from kordless_booking.booking.attempt import Attempt
from kordless_booking.booking.placement import (
    LEASE,
    DifferentRequest,
    Pending,
    Placed,
    Rejected,
    has_attempt,
    place_booking,
    resume,
)
from kordless_booking.models import BookingAttempt
from tests.support.clock import NOW
from tests.support.placement import (
    KEY,
    JustBefore,
    booked,
    creates,
    edited,
    keys_sent,
    killed,
    later,
    place_it,
    row,
    unsure,
)

pytestmark = pytest.mark.django_db

ELSE = Contact(name="Somebody Else", email="else@example.com")


def _being_sent(_sandbox, network, client, attempt):
    killed(network, client, attempt, sent=True)


def _never_sent(_sandbox, network, client, attempt):
    killed(network, client, attempt, sent=False)


def _placed(sandbox, _network, client, attempt):
    place_it(sandbox, client, attempt)


def _unsure(sandbox, _network, client, attempt):
    unsure(sandbox, client, attempt)


def _waiting(sandbox, _network, client, attempt):
    sandbox.faults.add("status", "create", times=1, status=429, retry_after=20)
    assert place_booking("default", client, attempt, NOW) == Pending(seconds=20, waiting=True)


def _held(_sandbox, _network, client, attempt):
    outcome = place_booking("default", client, attempt, NOW, hold_until=later(NOW, 5))
    assert outcome == Pending(seconds=5)


def _waiting_in_doubt(sandbox, _network, client, attempt):
    unsure(sandbox, client, attempt)
    sandbox.faults.add("status", "create", times=1, status=429, retry_after=20)
    resume("default", client, KEY, attempt.body_digest(), later(NOW, 2))


LEASE_SECONDS = LEASE.total_seconds()
STANDS = [
    pytest.param(reach, state, seconds, id=f"{state}, {when}")
    for reach, state, moments in (
        (_being_sent, BookingAttempt.State.PLACING, {"being sent": 1, "lease ran out": LEASE_SECONDS + 1}),
        (_never_sent, BookingAttempt.State.PLACING, {"about to be sent": 1, "never sent": LEASE_SECONDS + 1}),
        (_placed, BookingAttempt.State.PLACED, {"just now": 1, "answer kept no longer": 31 * 86400}),
        (_unsure, BookingAttempt.State.OUTCOME_UNKNOWN, {"not due": 1, "due": 40, "too old": 86401}),
        (_waiting, BookingAttempt.State.WAITING, {"not its turn": 1, "its turn": 40}),
        (_held, BookingAttempt.State.HELD, {"held": 1, "held long enough": 40}),
        (_waiting_in_doubt, BookingAttempt.State.WAITING, {"in doubt, not its turn": 3, "in doubt, its turn": 40}),
    )
    for when, seconds in moments.items()
]


def test_the_drawing_has_every_state_and_each_is_tested_here():
    """The picture in attempt.py names the states that there are; all but REJECTED hold their key for one body."""
    picture = (drawing.__doc__ or "").partition("::")[2].partition("The key comes")[0]
    assert set(re.findall(r"\b[A-Z_]{4,}\b", picture)) == {state.name for state in BookingAttempt.State}
    assert {stand.values[1] for stand in STANDS} == set(BookingAttempt.State) - {BookingAttempt.State.REJECTED}


@pytest.mark.parametrize(("reach", "state", "seconds"), STANDS)
def test_another_body_is_a_conflict_at_once_and_changes_nothing(
    sandbox, network, client, attempt, reach, state, seconds
):
    """Nothing is sent, not a column of the row changes, and the first attempt goes on as if nobody had come."""
    reach(sandbox, network, client, attempt)
    before, sent = BookingAttempt.objects.values().get(), len(creates(sandbox))
    now = later(NOW, seconds)
    for other in (
        edited(attempt, contact=ELSE),
        edited(attempt, contact=Contact(name=attempt.request.contact.name, email="corrected@example.com")),
        edited(attempt, notes="Now with a note"),
    ):
        assert place_booking("default", client, other, now) == DifferentRequest()
        assert resume("default", client, KEY, other.body_digest(), now) == DifferentRequest()
    assert BookingAttempt.objects.values().get() == before
    assert before["state"] == state
    assert len(creates(sandbox)) == sent
    assert booked(resume("default", client, KEY, attempt.body_digest(), later(NOW, 50)))
    assert [booking["name"] for booking in sandbox.bookings()] == [attempt.request.contact.name]


@pytest.mark.parametrize(("reach", "state", "seconds"), STANDS)
def test_a_used_key_is_known_by_one_query(
    sandbox, network, client, attempt, django_assert_num_queries, reach, state, seconds
):
    """In every state but REFUSED, and only in its own account."""
    assert not has_attempt("default", KEY)
    reach(sandbox, network, client, attempt)
    with django_assert_num_queries(1):
        assert has_attempt("default", KEY)
    assert not has_attempt("north", KEY)


def refused(sandbox, client, attempt):
    """Bring the attempt into REFUSED."""
    sandbox.faults.add("status", "create", times=1, status=422)
    outcome = place_booking("default", client, attempt, NOW)
    assert isinstance(outcome, Rejected)
    assert not has_attempt("default", KEY)


def test_after_a_no_another_body_takes_the_key_over(sandbox, client, attempt):
    """It goes out as a new generation, and from then on the first one is the different request."""
    refused(sandbox, client, attempt)
    other = edited(attempt, contact=ELSE)
    assert booked(place_booking("default", client, other, later(NOW, 5)))
    assert keys_sent(sandbox) == [f"kb-{KEY}-1", f"kb-{KEY}-2"]
    assert place_booking("default", client, attempt, later(NOW, 6)) == DifferentRequest()
    assert resume("default", client, KEY, attempt.body_digest(), later(NOW, 6)) == DifferentRequest()
    assert [booking["name"] for booking in sandbox.bookings()] == [ELSE.name]


def test_a_receipt_of_a_renewed_attempt_does_not_show_the_other_ones_no(sandbox, client, attempt):
    """Both were rejected, in turn: each gets its own result only."""
    refused(sandbox, client, attempt)
    other = edited(attempt, contact=ELSE)
    refused(sandbox, client, other)
    assert row().generation == 2
    assert resume("default", client, KEY, attempt.body_digest(), later(NOW, 6)) == DifferentRequest()
    assert isinstance(resume("default", client, KEY, other.body_digest(), later(NOW, 6)), Rejected)


def test_whoever_is_sent_again_goes_to_the_end_of_the_line(sandbox, client, attempt):
    """A form that was rejected overtakes nobody who waits since."""
    refused(sandbox, client, attempt)
    waiter = Attempt("f" * 32, edited(attempt, contact=ELSE).request)
    sandbox.faults.add("status", "create", times=1, status=429, retry_after=20)
    assert place_booking("default", client, waiter, later(NOW, 1)) == Pending(seconds=20, waiting=True)
    sent = len(creates(sandbox))
    assert place_booking("default", client, attempt, later(NOW, 2), creations_per_minute=1) == Pending(
        seconds=20 + 61, waiting=True
    )
    assert len(creates(sandbox)) == sent
    assert resume("default", client, waiter.key, waiter.body_digest(), later(NOW, 3)) == Pending(19, waiting=True)
    renewed = BookingAttempt.objects.get(key=KEY)
    assert (renewed.generation, renewed.state, renewed.created_at) == (2, BookingAttempt.State.WAITING, later(NOW, 2))


def test_of_two_bodies_in_one_moment_the_insert_decides(sandbox, client, attempt):
    """The other one's row comes right before ours: ours is a conflict, and nothing of it is sent."""
    # Inside a test's transaction the insert has a savepoint of its own, and what came after that would be undone.
    other, first = edited(attempt, contact=ELSE), []
    with connection.execute_wrapper(
        JustBefore("SAVEPOINT", lambda: first.append(place_booking("default", client, other, NOW)))
    ):
        second = place_booking("default", client, attempt, NOW)
    assert booked(first[0])
    assert second == DifferentRequest()
    assert [booking["name"] for booking in sandbox.bookings()] == [ELSE.name]
    assert len(creates(sandbox)) == 1


def test_another_body_during_the_send_does_not_wait_for_it(sandbox, network, client, attempt):
    """The conflict is returned while the first request is still being sent."""
    seen = []
    network.before = lambda: seen.append(place_booking("default", client, edited(attempt, contact=ELSE), NOW))
    assert isinstance(place_booking("default", client, attempt, NOW), Placed)
    assert seen == [DifferentRequest()]
    assert len(creates(sandbox)) == 1


def test_the_body_that_loses_the_renewal_is_a_conflict(sandbox, client, attempt):
    """Two bodies after a no: the one that raised the claim is booked, the other is not led to its page."""
    refused(sandbox, client, attempt)
    other, first = edited(attempt, contact=ELSE), []
    with connection.execute_wrapper(
        JustBefore("SAVEPOINT", lambda: first.append(place_booking("default", client, other, later(NOW, 2))), nth=2)
    ):
        second = place_booking("default", client, attempt, later(NOW, 2))
    assert booked(first[0])
    assert second == DifferentRequest()
    assert [booking["name"] for booking in sandbox.bookings()] == [ELSE.name]


def test_the_body_that_loses_the_renewal_to_a_rejected_one_is_sent(sandbox, client, attempt):
    """The winner is rejected as well before the loser looks: the key is free again."""
    refused(sandbox, client, attempt)
    other = edited(attempt, contact=ELSE)

    def lose() -> None:
        sandbox.faults.add("status", "create", times=1, status=422)
        assert isinstance(place_booking("default", client, other, later(NOW, 2)), Rejected)

    with connection.execute_wrapper(JustBefore("SAVEPOINT", lose, nth=2)):
        assert booked(place_booking("default", client, attempt, later(NOW, 2)))
    assert keys_sent(sandbox) == [f"kb-{KEY}-{generation}" for generation in (1, 2, 3)]
    assert [booking["name"] for booking in sandbox.bookings()] == [attempt.request.contact.name]


@pytest.mark.parametrize("reach", [_placed, _unsure, _waiting])
def test_the_same_body_is_known_while_the_secret_key_rotates(settings, sandbox, network, client, attempt, reach):
    """With the old key among the fallbacks a double click is one, and another body is still another."""
    reach(sandbox, network, client, attempt)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one, 4aG7pQ9sWz2k"
    assert place_booking("default", client, edited(attempt, contact=ELSE), later(NOW, 40)) == DifferentRequest()
    number = booked(place_booking("default", client, attempt, later(NOW, 40)))
    assert booked(resume("default", client, KEY, attempt.body_digest(), later(NOW, 41))) == number
    assert len(sandbox.bookings()) == 1


def test_an_emptied_row_is_nobodys_and_stays_used(sandbox, client, attempt):
    """A person whose data was erased: no form is booked under that key again, and its page says that nobody knows."""
    place_it(sandbox, client, attempt)
    BookingAttempt.objects.update(encrypted="", body_hash="", email_hash="", phone_hash="")
    assert place_booking("default", client, attempt, later(NOW, 5)) == DifferentRequest()
    outcome = resume("default", client, KEY, attempt.body_digest(), later(NOW, 5))
    assert isinstance(outcome, Rejected)
    assert outcome.after_unknown_outcome
    assert len(creates(sandbox)) == 1


def test_a_different_request_tells_nothing():
    """There is no room in it for anything of the first attempt."""
    assert vars(DifferentRequest()) == {}
    assert repr(DifferentRequest()) == "DifferentRequest()"
