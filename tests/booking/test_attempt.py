"""One try at booking: its body, its hash, its keys, its states."""

import re
from datetime import timedelta

import msgspec
import pytest
import time_machine
from hypothesis import given
from hypothesis import settings as fast
from hypothesis import strategies as st

from kordless_booking.api.resources import Contact, NewBooking
from kordless_booking.booking.attempt import ENCRYPTED_BODY_TTL, Attempt, idempotency_key, is_body_hash
from kordless_booking.booking.preferences import VisitorPreferences
from kordless_booking.booking.tokens import ExpiredToken, InvalidToken, encrypt_token
from kordless_booking.models import BookingAttempt
from tests.support.clock import NOW
from tests.support.terms import make_terms

NEW = NewBooking(
    service_slug="haircut",
    start=NOW,
    end=NOW.replace(hour=16),
    timezone="Europe/Paris",
    contact=Contact(name="Zzqx Canary", email="canary+7f3a@example.com", phone="+15550107777"),
    notes="Side door",
)


def row_of(attempt: Attempt) -> BookingAttempt:
    """Build an unsaved row with the encrypted attempt."""
    return BookingAttempt(account="default", key=attempt.key, encrypted=attempt.encrypted("default"))


@pytest.mark.parametrize(
    ("state", "is_open"),
    [
        (BookingAttempt.State.PLACING, True),
        (BookingAttempt.State.OUTCOME_UNKNOWN, True),
        (BookingAttempt.State.WAITING, True),
        (BookingAttempt.State.HELD, True),
        (BookingAttempt.State.PLACED, False),
        (BookingAttempt.State.REJECTED, False),
    ],
)
def test_the_open_states_may_still_become_a_booking(state, is_open):
    """And the two others are final."""
    assert state.is_open is is_open
    assert len(BookingAttempt.State) == 6


@fast(max_examples=100, deadline=None)
@given(name=st.text(min_size=1, max_size=120), notes=st.none() | st.text(max_size=300))
def test_a_body_reads_as_the_same_attempt(name, notes):
    """Any text comes back as it was, and is written as the same text again."""
    attempt = Attempt("nonce", msgspec.structs.replace(NEW, contact=Contact(name=name), notes=notes))
    again = Attempt.from_row(row_of(attempt), NOW)
    assert again == attempt
    assert again.body() == attempt.body()
    assert again.body_hash() == attempt.body_hash()


def test_a_row_holds_the_attempt_with_its_preferences():
    """For as long as it may be decrypted; erasure decrypts it at any age."""
    preferences = VisitorPreferences(language="de", timezone="Europe/Berlin", terms=make_terms(host_name="Sarah"))
    row = row_of(Attempt("nonce", NEW, {"utm_source": "news"}, preferences))
    later = NOW + timedelta(seconds=ENCRYPTED_BODY_TTL + 60)
    for now in (NOW, None):
        found = Attempt.from_row(row, now)
        assert (found.request, found.attribution, found.preferences) == (NEW, {"utm_source": "news"}, preferences)
    with time_machine.travel(NOW, tick=False):
        row = row_of(Attempt("nonce", NEW))
    with pytest.raises(ExpiredToken):
        Attempt.from_row(row, later)
    assert Attempt.from_row(row, None).request == NEW


@pytest.mark.parametrize(
    "preferences", [None, {}, 7, {"language": None}, {"language": "de", "terms": {"service": "haircut"}}]
)
def test_unreadable_preferences_do_not_lose_the_request(preferences):
    """They are only for mails, and may be of another release."""
    body = Attempt("nonce", NEW).body()
    encrypted = encrypt_token("attempt", "default", {"body": body, "preferences": preferences})
    found = Attempt.from_row(BookingAttempt(account="default", key="nonce", encrypted=encrypted), None)
    assert (found.request, found.preferences) == (NEW, None)


@pytest.mark.parametrize("payload", [{}, {"body": None}, {"body": "{"}, {"body": "{}"}, {"body": '{"start": 7}'}])
def test_an_unreadable_request_is_an_invalid_token(payload):
    """Of another release, or emptied."""
    for encrypted in (encrypt_token("attempt", "default", payload), encrypt_token("attempt", "north", payload), ""):
        with pytest.raises(InvalidToken):
            Attempt.from_row(BookingAttempt(account="default", key="nonce", encrypted=encrypted), None)


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
    text = repr(Attempt("nonce", NEW))
    assert "haircut" in text
    assert not [private for private in ("Zzqx", "canary", "5550107777", "door") if private in text]
