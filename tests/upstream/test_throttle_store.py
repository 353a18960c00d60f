"""The store of throttles in memory: bounded, and no flood ends the limits of others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.throttle_store import PURGE_SECONDS, ThrottleStore
from tests.support.controlled_cache import HandTime, SharedMemory


@pytest.fixture
def time() -> HandTime:
    """Return a clock that the test advances."""
    return HandTime()


def held(store: ThrottleStore, bucket: str, size: int = 50) -> int:
    """Return the number of permits of a bucket."""
    return len(store.get_many(f"{bucket}:{number}" for number in range(size)))


def test_a_flood_of_made_up_buckets_never_evicts_one_near_its_limit(time: HandTime) -> None:
    """The smallest buckets go first, so a flood evicts itself."""
    store = ThrottleStore(time.clock, size=100)
    for number in range(20):
        store.add(f"busy:{number}", 1, 3600)
    for made_up in range(10_000):
        store.add(f"made-up-{made_up}:0", 1, 3600)
    assert held(store, "busy") == 20
    assert held(store, "made-up-9999") == 1


def test_the_oldest_of_the_smallest_buckets_goes_first(time: HandTime) -> None:
    """As in a cache."""
    store = ThrottleStore(time.clock, size=3)
    for bucket in "abcd":
        store.add(f"{bucket}:0", 1, 60)
    assert [held(store, bucket) for bucket in "abcd"] == [0, 1, 1, 1]


def test_what_has_expired_makes_room_before_anything_else(time: HandTime) -> None:
    """Also a large bucket, once its permits no longer count."""
    store = ThrottleStore(time.clock, size=10)
    for number in range(9):
        store.add(f"old:{number}", 1, 5)
    store.add("new:0", 1, 60)
    time.pass_(5 + PURGE_SECONDS)
    for number in range(1, 10):
        store.add(f"new:{number}", 1, 60)
    assert held(store, "new") == 10


def test_a_permit_is_added_once_until_it_expires_or_is_deleted(time: HandTime) -> None:
    """The operations of MemoryCache."""
    store = ThrottleStore(time.clock)
    assert [store.add("a:0", 1, 10), store.add("a:0", 2, 10)] == [True, False]
    assert store.get("a:0") == 1
    time.pass_(10)
    assert store.get("a:0") is None
    assert store.add("a:0", 3, 10)
    store.delete_many(["a:0", "never there:1"])
    assert store.add("a:0", 4, 10)
    store.set("a:0", 5, 10)
    assert store.get_many(["a:0", "b:0"]) == {"a:0": 5}


@given(
    st.lists(
        st.tuples(st.sampled_from("asdp"), st.sampled_from("abcde"), st.integers(0, 4), st.integers(1, 9)), max_size=80
    )
)
def test_the_store_never_holds_more_than_its_size(steps: list[tuple[str, str, int, int]]) -> None:
    """Whatever is added, set, deleted and expires, its books agree."""
    time = HandTime()
    store = ThrottleStore(time.clock, size=6)
    for step, bucket, number, seconds in steps:
        key = f"{bucket}:{number}"
        if step == "a":
            store.add(key, 1, seconds)
        elif step == "s":
            store.set(key, 1, seconds)
        elif step == "d":
            store.delete_many([key])
        else:
            time.pass_(seconds)
        sizes = {bucket: len(permits) for bucket, permits in store._permits.items()}
        assert sum(sizes.values()) == store._total <= 6
        assert {name: count for count, names in store._by_count.items() for name in names} == sizes


def test_throttles_are_in_memory_where_the_cache_evicts_at_random(time: HandTime) -> None:
    """One store for the process, and a shared cache where there is one."""
    local = FallbackCache("default", time.clock)
    assert local.throttle_view() is local.throttle_view() is not local
    shared = FallbackCache(SharedMemory(time.clock), time.clock)
    assert shared.throttle_view() is shared
