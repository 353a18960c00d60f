"""The rules of age, trouble and forgetting."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.exceptions import KeyRefused, NotFound, Unavailable
from kordless_booking.upstream.entries import (
    MAX_RETRY_DELAY_SECONDS,
    VERSION,
    CacheItem,
    Envelope,
    Failure,
    Lifetime,
    LocalEntry,
)

LIFETIME = Lifetime(fresh=15, stale=300, on_error=1800)
VALUE = Envelope(version=VERSION, fetched_at=1000.0, fresh=15.0, payload=msgspec.Raw(b"1"))
GONE = Envelope(version=VERSION, fetched_at=1000.0, fresh=30.0, failure=Failure.of(NotFound()))
REFUSED = Envelope(version=VERSION, fetched_at=1000.0, fresh=30.0, failure=Failure.of(KeyRefused()))


@pytest.mark.parametrize(
    ("age", "settled", "servable"),
    [(0, True, True), (14.9, True, True), (15, False, True), (299, False, True), (300, False, False)],
)
def test_age_alone_decides_about_a_plain_value(age: float, settled: bool, servable: bool) -> None:
    """Fresh, stale, too old."""
    held = LocalEntry(VALUE, 1)
    assert held.needs_no_fetch(1000 + age) is settled
    assert held.is_servable(1000 + age, LIFETIME) is servable


def test_nothing_held_is_neither_settled_nor_servable() -> None:
    """And answering with it says that waiting was in vain."""
    held = LocalEntry()
    assert not held.is_servable(1000, LIFETIME)
    with pytest.raises(Unavailable):
        held.as_cached(1000, LIFETIME)


def test_a_forgotten_value_is_not_servable_but_known() -> None:
    """It may still be shown, with a notice, when Kordless fails."""
    held = LocalEntry(VALUE, 1, generation="changed")
    assert not held.is_servable(1001, LIFETIME)
    assert held.value_within(1001, LIFETIME.on_error) is VALUE
    kept = held.as_cached(1001, LIFETIME)
    assert (kept.stale, kept.degraded) == (True, True)


def test_a_remembered_no_is_raised_until_it_lapses_and_is_never_a_value() -> None:
    """There is nothing to fall back on in it."""
    held = LocalEntry(GONE)
    assert held.needs_no_fetch(1029)
    assert not held.is_servable(1030, LIFETIME)
    assert held.value_within(1001, LIFETIME.on_error) is None
    with pytest.raises(NotFound):
        held.as_cached(1001, LIFETIME)


def test_a_refused_key_outranks_a_fresh_value() -> None:
    """Neither served nor fallen back on, whatever its age."""
    held = LocalEntry(VALUE, 1, key_refusal=REFUSED)
    assert held.needs_no_fetch(1001)
    assert not held.is_servable(1031, LIFETIME)
    assert held.value_within(1001, LIFETIME.on_error) is None
    with pytest.raises(KeyRefused):
        held.as_cached(1001, LIFETIME)


@given(now=st.floats(0, 1e10), retry_at=st.floats(0, 1e10))
def test_no_clock_can_put_off_a_refresh_for_long(now: float, retry_at: float) -> None:
    """Half a minute at most after a failed one."""
    held = LocalEntry(msgspec.structs.replace(VALUE, retry_at=retry_at, fetched_at=-100.0), 1)
    if held.needs_no_fetch(now):
        assert retry_at - now <= MAX_RETRY_DELAY_SECONDS


@given(age=st.floats(0, 4000), again_in=st.floats(-100, 100), forgotten=st.booleans(), troubled=st.booleans())
def test_what_is_not_troubled_is_acceptable(age: float, again_in: float, forgotten: bool, troubled: bool) -> None:
    """Without a notice nothing forgotten, troubled or older than the stale age is shown."""
    now = 1000.0 + age
    envelope = msgspec.structs.replace(VALUE, retry_at=now + again_in, degraded=troubled)
    kept = LocalEntry(envelope, 1, generation="other" if forgotten else "").as_cached(now, LIFETIME)
    assert kept.degraded == (forgotten or troubled or age >= 300)
    assert kept.stale == (forgotten or now - 1000.0 >= 15)


def test_items_are_forgotten_by_their_first_two_parts() -> None:
    """All months and parties of a service together."""
    item = CacheItem(("slots", "haircut", "2026-12", "1"), int, str.encode, int, LIFETIME)
    assert item.group == ("slots", "haircut")
    assert CacheItem(("offer",), int, str.encode, int, LIFETIME).group == ("offer",)
