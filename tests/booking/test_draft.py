"""Drafts: signed, of one account, for their time, and with one nonce for as long as they live."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from django.core import signing
from hypothesis import given
from hypothesis import settings as fast
from hypothesis import strategies as st

from kordless_booking.booking.draft import (
    MAX_TOKEN,
    Draft,
    ExpiredDraft,
    InvalidDraft,
    sign,
    sign_fields,
    unsign,
    unsign_fields,
)
from kordless_booking.booking.terms import Terms
from kordless_booking.presentation.timezones import timezones_by_country
from tests.support.clock import NOW
from tests.support.terms import make_terms

STAMP = NOW.timestamp()
DRAFT = Draft(terms=make_terms(host_id="host_sarah", host_name="Sarah"), issued_at=STAMP)
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2900, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 (Hypothesis wants naive bounds)
    lambda moment: moment.replace(microsecond=0)
)


def opened(token, account="default", max_age=7200, now=STAMP):
    """The draft in a token, as the contact form reads it."""
    return unsign(token, account, max_age=max_age, now=now)


@fast(max_examples=120, deadline=None)
@given(
    zone=st.sampled_from(sorted(timezones_by_country())),
    start=MOMENTS,
    minutes=st.integers(1, 1440),
    service=st.text(min_size=1, max_size=60),
    host=st.none() | st.text(max_size=60),
    party_size=st.integers(1, 50),
)
def test_a_draft_comes_back_as_it_was(zone, start, minutes, service, host, party_size):
    """Any zone, any moment, any text, and the nonce with it."""
    terms = Terms(
        service=service, start=start, end=start + timedelta(minutes=minutes), timezone=zone,
        host_id=host, host_name=host, team_id=host, team_name=host, party_size=party_size,
    )  # fmt: skip
    draft = Draft(terms=terms, issued_at=STAMP)
    assert opened(sign(draft, "default")) == draft


def test_a_moment_of_another_zone_comes_back_in_utc():
    """The instant counts, not how it was written."""
    terms = DRAFT.terms
    there = timezone(timedelta(hours=5, minutes=30))
    local = replace(
        DRAFT,
        terms=msgspec.structs.replace(terms, start=terms.start.astimezone(there), end=terms.end.astimezone(there)),
    )
    assert opened(sign(local, "default")).terms.start.utcoffset() == timedelta(0)
    assert opened(sign(local, "default")) == DRAFT


def test_every_draft_has_a_nonce_of_its_own():
    """32 hex digits that nobody can guess; an encrypted draft keeps it through every reload."""
    nonces = {Draft(terms=make_terms()).nonce for _ in range(50)}
    assert len(nonces) == 50
    assert {len(nonce) for nonce in nonces} == {32}
    assert opened(sign(DRAFT, "default")).nonce == opened(sign(DRAFT, "default")).nonce == DRAFT.nonce


def test_another_account_refuses_it():
    """A draft of one business is nothing to the other."""
    with pytest.raises(InvalidDraft) as caught:
        opened(sign(DRAFT, "north"), "south")
    assert not isinstance(caught.value, ExpiredDraft)


@pytest.mark.long
@fast(max_examples=100, deadline=None)
@given(place=st.integers(0, 10_000), other=st.characters(codec="latin-1"))
def test_no_character_can_be_changed_added_or_taken_away(place, other):
    """The signature covers all of it."""
    token = sign(DRAFT, "default")
    at = place % len(token)
    changed = {token[:at] + other + token[at + 1 :], token[:at] + other + token[at:], token[:at] + token[at + 1 :]}
    for forged in [*changed - {token}, token + other]:
        with pytest.raises(InvalidDraft):
            opened(forged)


@fast(max_examples=100, deadline=None)
@given(
    junk=st.text(max_size=200)
    | st.binary(max_size=200).map(lambda b: b.decode("latin-1"))
    | st.from_regex(r"\.?[\w-]+:[\w-]+:[\w-]+")
)
def test_junk_is_a_broken_draft_and_nothing_else(junk):
    """Whatever is posted."""
    with pytest.raises(InvalidDraft):
        opened(junk)


@pytest.mark.parametrize("junk", ["", ":", "::", "a:b:c", "\ud800:\ud800:\ud800", "\0", "x" * (MAX_TOKEN + 1)])
def test_chosen_junk_is_a_broken_draft(junk):
    """Empty, only separators, lone surrogates, NUL, too long."""
    with pytest.raises(InvalidDraft):
        opened(junk)


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        {"a": 1},
        [3, *range(10)],
        [1, *range(9)],
        [2, "n", 0, []],
        [2, "n", 0, None],
        [2, 0, 0, ["haircut"]],
        "text",
        7,
    ],
)
def test_a_payload_of_another_version_is_a_broken_draft(payload):
    """Signed by us, but not as this version writes it."""
    token = signing.dumps(payload, salt="kordless_booking.draft:default")
    with pytest.raises(InvalidDraft):
        opened(token)


def test_another_salt_of_the_same_site_is_rejected():
    """A session cookie or any other signed value is no draft."""
    with pytest.raises(InvalidDraft):
        opened(signing.dumps([2, "n", 0, msgspec.to_builtins(DRAFT.terms)]))


def test_an_age_is_exact():
    """It lives to its last second; an old one still tells what was chosen."""
    token = sign(DRAFT, "default")
    assert opened(token, now=STAMP + 7200) == DRAFT
    with pytest.raises(ExpiredDraft) as caught:
        opened(token, now=STAMP + 7200.5)
    assert caught.value.draft == DRAFT
    assert issubclass(ExpiredDraft, InvalidDraft)


def test_secret_keys_can_be_rotated(settings):
    """A draft signed with the old key opens only while that key is a fallback."""
    token = sign(DRAFT, "default")
    old, settings.SECRET_KEY = settings.SECRET_KEY, "the next one, 8sKq2LmV0x"
    with pytest.raises(InvalidDraft):
        opened(token)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert opened(token) == DRAFT


def test_a_host_with_an_endless_name_can_still_be_booked():
    """The name is what a token can do without; the id stays."""
    name = "".join(chr(0x4E00 + (n * n * 31) % 20000) for n in range(3000))
    wordy = replace(DRAFT, terms=msgspec.structs.replace(DRAFT.terms, host_name=name))
    token = sign(wordy, "default")
    assert len(token) <= MAX_TOKEN
    assert opened(token) == replace(wordy, terms=DRAFT.terms.without_names())


@fast(max_examples=100, deadline=None)
@given(junk=st.text(max_size=80), place=st.integers(0, 100), other=st.characters())
def test_names_of_fields_are_read_for_the_draft_that_they_were_signed_for(junk, place, other):
    """Not for another draft or account, and not after any change."""
    token = sign_fields(["email", "phone"], DRAFT, "default")
    assert unsign_fields(token, DRAFT, "default") == ["email", "phone"]
    assert unsign_fields(token, replace(DRAFT, nonce="0" * 32), "default") == []
    assert unsign_fields(token, DRAFT, "north") == []
    place %= len(token)
    for forged in (junk, f"email:{junk}", f"email{token}", f"{token}=", token[:place] + other + token[place + 1 :]):
        assert forged == token or unsign_fields(forged, DRAFT, "default") == []
