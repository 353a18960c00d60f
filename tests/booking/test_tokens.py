"""Encrypted tokens: only ours, only for their purpose and account, only unchanged, only for their time."""

import re

import pytest
import time_machine
from hypothesis import given
from hypothesis import settings as fast
from hypothesis import strategies as st

from kordless_booking.booking.tokens import MAX_TOKEN, ExpiredToken, InvalidToken, decrypt_token, encrypt_token
from tests.support.clock import NOW

STAMP = int(NOW.timestamp())
URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PAYLOAD = {"contact": "canary+7f3a@example.com", "zone": "Europe/Paris"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)


def opened(token, purpose="receipt", account="default", max_age=3600, now=STAMP, **options):
    """The payload of a token, as the usual reader sees it."""
    return decrypt_token(purpose, account, token, max_age=max_age, now=now, **options)


@pytest.fixture
def token(clock) -> str:
    """A token of PAYLOAD, encrypted at NOW."""
    return encrypt_token("receipt", "default", PAYLOAD)


@fast(max_examples=60, deadline=None)
@given(payload=st.dictionaries(st.text(max_size=9), JSON, max_size=4))
def test_an_encrypted_payload_comes_back(payload):
    """Any JSON object, in any script."""
    with time_machine.travel(NOW, tick=False):
        assert opened(encrypt_token("receipt", "default", payload)) == payload


def test_a_token_fits_a_path_segment_and_tells_nothing(token):
    """Letters, digits, - and _ only; the contact can't be read in it."""
    assert re.fullmatch(r"[\w-]+", token, re.ASCII)
    assert "canary" not in token
    assert encrypt_token("receipt", "default", PAYLOAD) != token


@pytest.mark.parametrize(
    ("purpose", "account"), [("manage", "default"), ("receipt", "north"), ("receipt\0", "default")]
)
def test_another_purpose_or_account_does_not_open_it(token, purpose, account):
    """A token of one is nothing to the other."""
    with pytest.raises(InvalidToken):
        opened(token, purpose, account)


@fast(max_examples=100, deadline=None)
@given(place=st.integers(0, 10_000), other=st.sampled_from(URL_SAFE + "=+/ .\n\0"))
def test_no_character_can_be_changed_added_or_taken_away(place, other):
    """Not even the last one, whose spare bits Base64 would ignore, and none that it would skip."""
    with time_machine.travel(NOW, tick=False):
        token = encrypt_token("receipt", "default", PAYLOAD)
    at = place % len(token)
    changed = {token[:at] + other + token[at + 1 :], token[:at] + other + token[at:], token[:at] + token[at + 1 :]}
    for forged in [*changed - {token}, token + other, token + "="]:
        with pytest.raises(InvalidToken):
            opened(forged)


@pytest.mark.parametrize("last", URL_SAFE)
def test_the_last_character_has_one_spelling(token, last):
    """All 64 of them, one is right."""
    if last != token[-1]:
        with pytest.raises(InvalidToken):
            opened(token[:-1] + last)


@fast(max_examples=100, deadline=None)
@given(
    junk=st.text(max_size=200)
    | st.text(URL_SAFE, max_size=200)
    | st.binary(max_size=90).map(lambda b: b.decode("latin-1"))
)
def test_junk_is_an_invalid_token_and_nothing_else(junk):
    """Whatever stands in the URL."""
    with pytest.raises(InvalidToken):
        opened(junk)


@pytest.mark.parametrize("junk", ["", "\ud800", "é" * 50, "gAAAAA", "A" * (MAX_TOKEN + 1), "=" * 8, "%00", "A" * 101])
def test_chosen_junk_is_an_invalid_token(junk):
    """Empty, lone surrogates, too long, only padding, an impossible length."""
    with pytest.raises(InvalidToken):
        opened(junk)


def test_an_age_is_exact_to_the_second(token):
    """It opens at its last second and is old right after; an old one is a broken one too."""
    assert opened(token, max_age=60, now=STAMP + 60) == PAYLOAD
    with pytest.raises(ExpiredToken):
        opened(token, max_age=60, now=STAMP + 60.001)
    assert issubclass(ExpiredToken, InvalidToken)


def test_a_clock_that_was_set_back_does_no_harm(token):
    """Servers disagree about the time: a token from the near future opens."""
    assert opened(token, now=STAMP - 300) == PAYLOAD


def test_secret_keys_can_be_rotated(settings, token):
    """A token encrypted with the old key opens only while that key is a fallback; a fresh token opens without it."""
    old, settings.SECRET_KEY = settings.SECRET_KEY, "the next one, 8sKq2LmV0x"
    with pytest.raises(InvalidToken):
        opened(token)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert opened(token) == PAYLOAD
    fresh = encrypt_token("receipt", "default", PAYLOAD)
    settings.SECRET_KEY_FALLBACKS = []
    assert opened(fresh) == PAYLOAD


def test_a_secret_key_may_be_bytes(settings):
    """As Django allows."""
    settings.SECRET_KEY = b"bytes are fine, 8sKq2LmV0x"
    with time_machine.travel(NOW, tick=False):
        assert opened(encrypt_token("receipt", "default", PAYLOAD)) == PAYLOAD


def test_only_a_row_may_hold_a_long_one(clock):
    """A URL's token has 4,096 characters at most; who keeps them elsewhere says so."""
    long = encrypt_token(
        "receipt", "default", {"notes": "".join(chr(0x4E00 + (n * n * 31) % 20000) for n in range(4000))}
    )
    assert len(long) > MAX_TOKEN
    with pytest.raises(InvalidToken):
        opened(long)
    assert len(opened(long, max_length=len(long))["notes"]) == 4000


def test_a_payload_that_is_no_object_is_rejected(clock):
    """Nothing of ours encrypts a list, so nobody has to expect one."""
    with pytest.raises(InvalidToken):
        opened(encrypt_token("receipt", "default", ["a", "list"]))


def test_the_error_of_an_invalid_token_does_not_repeat_it(token):
    """No message, no cause, no context that would end up in a log."""
    with pytest.raises(InvalidToken) as caught:
        opened(token[:-3])
    assert str(caught.value) == ""
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
