"""The cache inside the process."""

from __future__ import annotations

import threading

import pytest

from kordless_booking.upstream.memory_cache import MemoryCache
from tests.support.controlled_cache import HandTime


@pytest.fixture
def time() -> HandTime:
    """Return a clock that the test advances."""
    return HandTime()


def test_a_value_is_found_until_it_expires(time: HandTime) -> None:
    """To the second, and not a moment longer."""
    memory = MemoryCache(time.clock)
    memory.set("a", b"1", 10)
    time.pass_(9.9)
    assert memory.get_many(["a", "b"]) == {"a": b"1"}
    time.pass_(0.1)
    assert memory.get_many(["a"]) == {}


def test_add_has_one_winner_until_the_key_expires_or_is_deleted(time: HandTime) -> None:
    """Locks and permits depend on it."""
    memory = MemoryCache(time.clock)
    assert [memory.add("a", 1, 10), memory.add("a", 2, 10)] == [True, False]
    assert memory.get_many(["a"]) == {"a": 1}
    time.pass_(10)
    assert memory.add("a", 3, 10)
    memory.delete_many(["a", "never there"])
    assert memory.add("a", 4, 10)


def test_of_many_threads_one_adds() -> None:
    """Atomic inside the process."""
    memory, winners = MemoryCache(HandTime().clock), []
    barrier = threading.Barrier(16, timeout=30)

    def race(number: int) -> None:
        barrier.wait()
        if memory.add("a", number, 10):
            winners.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert memory.get_many(["a"]) == {"a": winners[0]}
    assert len(winners) == 1


def test_a_stepped_wall_clock_changes_nothing(time: HandTime) -> None:
    """Expiry is measured in steady seconds."""
    memory = MemoryCache(time.clock)
    memory.set("a", 1, 10)
    time.step(100_000)
    assert memory.get_many(["a"]) == {"a": 1}
    time.step(-200_000)
    time.pass_(10)
    assert memory.get_many(["a"]) == {}


def test_it_is_bounded_and_drops_what_was_written_longest_ago(time: HandTime) -> None:
    """Writing again makes an entry young again."""
    memory = MemoryCache(time.clock, size=3)
    for key in ("a", "b", "c", "a", "d"):
        memory.set(key, key, 10)
    assert memory.get_many("abcd") == {"a": "a", "c": "c", "d": "d"}


def test_large_values_have_so_many_bytes_together(time: HandTime) -> None:
    """The one written longest ago goes first; what is larger than all of them isn't stored."""
    memory = MemoryCache(time.clock, max_bytes=30_000)
    for name in "abcad":
        memory.set(name, name.encode() * 10_000, 10)
    assert set(memory.get_many("abcd")) == {"c", "a", "d"}
    memory.delete_many(["c"])
    memory.set("e", b"e" * 10_000, 10)
    assert set(memory.get_many("acde")) == {"a", "d", "e"}
    memory.set("a", b"a" * 30_001, 10)
    assert set(memory.get_many("ade")) == set()


def test_no_amount_of_data_evicts_a_permit_by_its_bytes(time: HandTime) -> None:
    """Permits and counters are small, and they are what the rate limit rests on."""
    memory = MemoryCache(time.clock, max_bytes=100_000)
    assert memory.add("permit", 1, 60)
    memory.set("epoch", "0123456789abcdef", 60)
    for number in range(500):
        memory.set(f"slots-{number}", b"x" * 50_000, 60)
    assert not memory.add("permit", 1, 60)
    assert memory.get("epoch") == "0123456789abcdef"
    assert memory.get("slots-499") is not None
