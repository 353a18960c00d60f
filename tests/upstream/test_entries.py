"""Rules of age, failed refreshes and invalidation."""

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

LIFETIME = Lifetime(fresh=15, stale_while_revalidate=300, stale_if_error=1800)
VALUE = Envelope(version=VERSION, fetched_at=1000.0, fresh=15.0, payload=msgspec.Raw(b"1"))
GONE = Envelope(version=VERSION, fetched_at=1000.0, fresh=30.0, failure=Failure.from_error(NotFound()))
REFUSED = Envelope(version=VERSION, fetched_at=1000.0, fresh=30.0, failure=Failure.from_error(KeyRefused()))


@pytest.mark.parametrize(
    ("age", "settled", "servable"),
    [(0, True, True), (14.9, True, True), (15, False, True), (299, False, True), (300, False, False)],
)
def test_age_alone_decides_about_a_plain_value(age: float, settled: bool, servable: bool) -> None:
    """Fresh, stale, too old."""
    entry = LocalEntry(VALUE, 1)
    assert entry.needs_no_fetch(1000 + age) is settled
    assert entry.is_servable(1000 + age, LIFETIME) is servable


def test_an_empty_entry_needs_a_fetch_and_is_not_servable() -> None:
    """Reading it raises Unavailable."""
    entry = LocalEntry()
    assert not entry.is_servable(1000, LIFETIME)
    with pytest.raises(Unavailable):
        entry.as_cached(1000, LIFETIME)


def test_an_invalidated_value_is_served_only_on_error() -> None:
    """It may still be shown, with a notice, when Kordless fails."""
    entry = LocalEntry(VALUE, 1, generation="changed")
    assert not entry.is_servable(1001, LIFETIME)
    assert entry.value_within(1001, LIFETIME.stale_if_error) is VALUE
    cached = entry.as_cached(1001, LIFETIME)
    assert (cached.stale, cached.degraded) == (True, True)


def test_a_cached_error_is_raised_until_it_expires_and_is_never_a_value() -> None:
    """It holds no value to serve as stale."""
    entry = LocalEntry(GONE)
    assert entry.needs_no_fetch(1029)
    assert not entry.is_servable(1030, LIFETIME)
    assert entry.value_within(1001, LIFETIME.stale_if_error) is None
    with pytest.raises(NotFound):
        entry.as_cached(1001, LIFETIME)


def test_a_rejected_api_key_outranks_a_fresh_value() -> None:
    """No value is served, neither fresh nor stale."""
    entry = LocalEntry(VALUE, 1, key_refusal=REFUSED)
    assert entry.needs_no_fetch(1001)
    assert not entry.is_servable(1031, LIFETIME)
    assert entry.value_within(1001, LIFETIME.stale_if_error) is None
    with pytest.raises(KeyRefused):
        entry.as_cached(1001, LIFETIME)


@given(now=st.floats(0, 1e10), retry_at=st.floats(0, 1e10))
def test_no_clock_can_put_off_a_refresh_for_long(now: float, retry_at: float) -> None:
    """Half a minute at most after a failed one."""
    entry = LocalEntry(msgspec.structs.replace(VALUE, retry_at=retry_at, fetched_at=-100.0), 1)
    if entry.needs_no_fetch(now):
        assert retry_at - now <= MAX_RETRY_DELAY_SECONDS


@given(age=st.floats(0, 4000), again_in=st.floats(-100, 100), invalidated=st.booleans(), degraded=st.booleans())
def test_only_valid_values_within_their_lifetime_are_not_degraded(
    age: float, again_in: float, invalidated: bool, degraded: bool
) -> None:
    """A value that is invalidated, was not refreshed or is too old is degraded."""
    now = 1000.0 + age
    envelope = msgspec.structs.replace(VALUE, retry_at=now + again_in, degraded=degraded)
    cached = LocalEntry(envelope, 1, generation="other" if invalidated else "").as_cached(now, LIFETIME)
    assert cached.degraded == (invalidated or degraded or age >= 300)
    assert cached.stale == (invalidated or now - 1000.0 >= 15)


def test_items_are_invalidated_by_their_first_two_parts() -> None:
    """All months and parties of a service together."""
    item = CacheItem(("slots", "haircut", "2026-12", "1"), int, str.encode, int, LIFETIME)
    assert item.group == ("slots", "haircut")
    assert CacheItem(("organization",), int, str.encode, int, LIFETIME).group == ("organization",)
