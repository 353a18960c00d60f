"""A cache that never raises."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from kordless_booking.clock import Clock
from kordless_booking.upstream.fallback_cache import FallbackCache, has_shared_atomic_add
from tests.support.controlled_cache import HandTime, SharedMemory


class FallbackScenario:
    """A cache that may fail, and time."""

    def __init__(self) -> None:
        self.time = HandTime()
        self.memory = SharedMemory(self.time.clock)
        self.cache = FallbackCache(self.memory, self.time.clock)


@pytest.fixture
def scenario() -> FallbackScenario:
    """Return new processes around an empty cache."""
    return FallbackScenario()


def test_while_all_is_well_it_is_the_cache(scenario: FallbackScenario) -> None:
    """Every operation is one round trip, and others see it."""
    assert scenario.cache.add("a", 1, 10)
    assert not scenario.cache.add("a", 2, 10)
    scenario.cache.set("b", b"2", 10)
    assert scenario.cache.get_many(["a", "b"]) == scenario.memory.get_many(["a", "b"]) == {"a": 1, "b": b"2"}
    scenario.cache.delete_many(["a"])
    assert scenario.memory.get_many(["a", "b"]) == {"b": b"2"}
    assert scenario.cache.up


@pytest.mark.parametrize(
    "operation",
    [
        lambda cache: cache.get_many(["a"]),
        lambda cache: cache.add("a", 1, 10),
        lambda cache: cache.set("a", 1, 10),
        lambda cache: cache.delete_many(["a"]),
    ],
)
def test_no_operation_raises_when_the_cache_is_down(
    scenario: FallbackScenario, operation: Callable[[FallbackCache], object], caplog: pytest.LogCaptureFixture
) -> None:
    """Memory takes over, and the log tells the kind of error but not the address of the cache."""
    scenario.memory.broken = True
    with caplog.at_level(logging.ERROR):
        operation(scenario.cache)
    assert not scenario.cache.up
    assert [record.getMessage() for record in caplog.records] == ["event=cache_unavailable error=ConnectionError"]


def test_memory_serves_while_the_cache_is_down(scenario: FallbackScenario) -> None:
    """Locks lock and values stay, inside this process."""
    scenario.memory.broken = True
    assert scenario.cache.add("a", 1, 10)
    assert not scenario.cache.add("a", 2, 10)
    assert scenario.cache.get_many(["a"]) == {"a": 1}


def test_a_cache_that_is_down_is_left_alone_for_five_seconds(scenario: FallbackScenario) -> None:
    """Each visitor must not wait for its time-out."""
    scenario.memory.broken = True
    scenario.cache.get_many(["a"])
    before = scenario.memory.trips
    for _ in range(100):
        scenario.cache.get_many(["a"])
    assert scenario.memory.trips == before
    scenario.time.pass_(5)
    scenario.cache.get_many(["a"])
    assert scenario.memory.trips == before + 1


def test_one_thread_tries_whether_it_is_back_while_the_others_go_on(scenario: FallbackScenario) -> None:
    """A cache that hangs costs one visitor a time-out, not everybody who comes meanwhile."""
    scenario.memory.broken = True
    scenario.cache.get_many(["a"])
    scenario.time.pass_(5)
    scenario.memory.meanwhile = lambda: [scenario.cache.get_many(["a"]) for _ in range(3)]
    trips = scenario.memory.trips
    scenario.cache.get_many(["a"])
    assert scenario.memory.trips == trips + 1


def test_it_is_believed_again_once_it_can_be_written_to(scenario: FallbackScenario) -> None:
    """A full Redis reads well and grants nothing; it is not back until a write goes through."""
    scenario.memory.read_only = True
    scenario.cache.set("a", 1, 10)
    scenario.time.pass_(5)
    assert not scenario.cache.up
    scenario.memory.read_only = False
    scenario.time.pass_(5)
    assert scenario.cache.up
    scenario.cache.set("a", 2, 10)
    assert scenario.memory.get_many(["a"]) == {"a": 2}


def test_the_operator_reads_one_line_a_minute(scenario: FallbackScenario, caplog: pytest.LogCaptureFixture) -> None:
    """An hour's outage is sixty lines, not one for each page."""
    scenario.memory.broken = True
    with caplog.at_level(logging.ERROR):
        for _ in range(600):
            scenario.cache.get_many(["a"])
            scenario.time.pass_(1)
    assert len(caplog.records) == 10


@pytest.mark.parametrize("timeout", [0, -5])
def test_no_timeout_is_below_a_second(scenario: FallbackScenario, timeout: int) -> None:
    """Django's `add` with 0 sets and deletes at once, and grants every lock."""
    assert scenario.cache.add("a", 1, timeout)
    assert not scenario.cache.add("a", 1, timeout)
    scenario.cache.set("b", 1, timeout)
    assert "b" in scenario.memory.get_many(["b"])


def test_caches_without_one_winner_among_processes_are_known(tmp_path: Path) -> None:
    """LocMem is each process's own, files race, Dummy grants everything."""
    weak: list[BaseCache] = [LocMemCache("x", {}), FileBasedCache(str(tmp_path), {}), DummyCache("", {})]
    strong: list[BaseCache] = [RedisCache("redis://127.0.0.1:1", {}), DatabaseCache("table", {})]
    assert not any(has_shared_atomic_add(cache) for cache in weak)
    assert all(has_shared_atomic_add(cache) for cache in strong)


def test_counting_is_done_in_memory_where_the_cache_cannot() -> None:
    """On LocMem a stepped clock would free every permit."""
    time = HandTime()
    local = FallbackCache(LocMemCache("counting", {}), time.clock)
    counting = local.atomic_view()
    assert local.up
    assert not counting.up
    assert counting.atomic_view() is counting
    shared = FallbackCache(SharedMemory(time.clock), time.clock)
    assert shared.atomic_view() is shared


def test_an_alias_means_djangos_cache_of_that_name() -> None:
    """Each thread uses its own connection to it."""
    cache = FallbackCache("default", Clock())
    cache.set("kordless-test", b"1", 10)
    assert caches["default"].get("kordless-test") == b"1"
    cache.delete_many(["kordless-test"])
    assert caches["default"].get("kordless-test") is None
