"""One try at booking: its body, its hash, its keys, its states."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as fast
from hypothesis import strategies as st

from kordless_booking.api.resources import Contact, NewBooking
from kordless_booking.booking.attempt import Attempt, idempotency_key, is_body_hash
from kordless_booking.models import BookingAttempt
from tests.conftest import NOW

NEW = NewBooking(
    service_slug="haircut",
    start=NOW,
    end=NOW.replace(hour=16),
    timezone="Europe/Paris",
    contact=Contact(name="Zzqx Canary", email="canary+7f3a@example.com", phone="+15550107777"),
    notes="Side door",
)


@pytest.mark.parametrize(
    ("state", "is_open"),
    [
        (BookingAttempt.State.PLACING, True),
        (BookingAttempt.State.OUTCOME_UNKNOWN, True),
        (BookingAttempt.State.WAITING, True),
        (BookingAttempt.State.PLACED, False),
        (BookingAttempt.State.REJECTED, False),
    ],
)
def test_the_open_states_may_still_become_a_booking(state, is_open):
    """And the two others are final."""
    assert state.is_open is is_open
    assert len(BookingAttempt.State) == 5


@fast(max_examples=100, deadline=None)
@given(name=st.text(min_size=1, max_size=120), notes=st.none() | st.text(max_size=300))
def test_a_body_reads_as_the_same_attempt(name, notes):
    """Any text comes back as it was, and is written as the same text again."""
    attempt = Attempt("nonce", msgspec.structs.replace(NEW, contact=Contact(name=name), notes=notes))
    again = Attempt.from_body("nonce", attempt.body())
    assert again == attempt
    assert again.body() == attempt.body()
    assert again.body_hash() == attempt.body_hash()


@pytest.mark.parametrize(
    "change",
    [
        {"notes": "Front door"},
        {"notes": None},
        {"party_size": 2},
        {"host_id": "host_sarah"},
        {"timezone": "UTC"},
        {"contact": Contact(name="Zzqx Canary", email="canary+7f3a@example.com")},
    ],
)
def test_any_change_of_the_form_is_another_hash(change):
    """Whatever the visitor edits is noticed."""
    assert Attempt("nonce", msgspec.structs.replace(NEW, **change)).body_hash() != Attempt("nonce", NEW).body_hash()


def test_a_hash_can_not_be_guessed_from_a_known_contact(settings):
    """It depends on SECRET_KEY, and shows nothing of the body."""
    first = Attempt("nonce", NEW).body_hash()
    assert re.fullmatch(r"[0-9a-f]{64}", first)
    settings.SECRET_KEY = "another one, 4aG7pQ9sWz2k"
    assert Attempt("nonce", NEW).body_hash() != first


@fast(max_examples=100, deadline=None)
@given(
    names=st.tuples(*[st.text(min_size=1, max_size=20)] * 2), notes=st.tuples(*[st.none() | st.text(max_size=9)] * 2)
)
def test_a_hash_is_of_one_body_only(names, notes):
    """A row's hash is recognized by the digest of the same body, and by no other's."""
    first, second = (
        Attempt("nonce", msgspec.structs.replace(NEW, contact=Contact(name=name), notes=note))
        for name, note in zip(names, notes, strict=True)
    )
    assert is_body_hash(first.body_hash(), first.body_digest())
    assert is_body_hash(first.body_hash(), second.body_digest()) is (first.request == second.request)


@pytest.mark.parametrize("rotated", [True, False])
def test_a_hash_is_recognized_while_the_secret_key_rotates(settings, rotated):
    """Under the old key as long as that is among the fallbacks."""
    known = Attempt("nonce", NEW).body_hash()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if rotated else []
    settings.SECRET_KEY = "another one, 4aG7pQ9sWz2k"
    assert is_body_hash(known, Attempt("nonce", NEW).body_digest()) is rotated


@pytest.mark.parametrize("known", ["", "f" * 64, "\N{SNOWMAN}"])
def test_no_body_has_the_hash_of_an_emptied_row(known):
    """Nor one that was made up."""
    assert not is_body_hash(known, Attempt("nonce", NEW).body_digest())


def test_each_generation_has_a_key_of_its_own():
    """The first and every later one; always the same for the same generation."""
    assert idempotency_key("abc", 1) == "kb-abc-1"
    assert len({idempotency_key("abc", generation) for generation in range(1, 30)}) == 29


def test_a_repr_tells_nothing_personal():
    """Only what is booked and when."""
    said = repr(Attempt("nonce", NEW))
    assert "haircut" in said
    assert not [private for private in ("Zzqx", "canary", "5550107777", "door") if private in said]
