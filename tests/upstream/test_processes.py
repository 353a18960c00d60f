"""Several real processes around a real Redis: one fetch, one quota, one circuit."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from django.core.cache.backends.redis import RedisCache

from kordless_booking.api.responses import ResponseMeta
from kordless_booking.clock import Clock
from kordless_booking.exceptions import CircuitOpen, TooMany
from kordless_booking.upstream.entries import CacheItem, Lifetime
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.gate import UpstreamGate
from kordless_booking.upstream.read_through import ReadThroughCache
from tests.support.controlled_cache import WAITS, at_once
from tests.support.redis_server import REDIS, WHY_NOT, running_redis

pytestmark = pytest.mark.skipif(REDIS is None, reason=WHY_NOT)

PROCESSES = 4
LIFETIME = Lifetime(fresh=15, stale_while_revalidate=300, stale_if_error=1800)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Redis for all tests of this file."""
    with running_redis(tmp_path_factory.mktemp("redis")) as address:
        yield address


@pytest.fixture
def server(url: str) -> Iterator[redis.Redis[bytes]]:
    """An empty Redis, and a connection of our own to it."""
    with redis.Redis.from_url(url) as connection:
        connection.flushall()
        yield connection


class Crew:
    """Four processes that were there before the test began, and start its work at the same moment."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._ready = context.Barrier(PROCESSES + 1)
        self._pool = context.Pool(PROCESSES, initializer=_hire, initargs=(self._ready,))

    def do(
        self, work: Callable[[str, Callable[[], object]], Any], url: str, *, then: Callable[[], object] = int
    ) -> list[Any]:
        """Do `work(url, ready)` in each, `then` something once all have called `ready`; their outcomes."""
        # Who has called `ready` waits for the others, so each process takes one of the four.
        outcomes = [self._pool.apply_async(_labour, (work, url)) for _ in range(PROCESSES)]
        self._ready.wait(60)
        then()
        return [outcome.get(60) for outcome in outcomes]

    def dismiss(self) -> None:
        """Send them home."""
        self._pool.terminate()
        self._pool.join()


_whistle: list[Any] = []


def _hire(ready: Any) -> None:
    _whistle.append(ready)


def _labour(work: Callable[[str, Callable[[], object]], Any], url: str) -> Any:
    return work(url, lambda: _whistle[0].wait(60))


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    """Starting processes takes most of the time of these tests, so they are started once."""
    four = Crew()
    yield four
    four.dismiss()


def cache_at(url: str) -> FallbackCache:
    """This process's way to the Redis."""
    return FallbackCache(RedisCache(url, {}), Clock())


def read_in_threads(url: str, ready: Callable[[], object]) -> tuple[int, set[str]]:
    """Eight readers of one cold key, whose fetch takes until the test lets it end."""
    connection = redis.Redis.from_url(url)

    def fetch() -> str:
        count = connection.incr("fetches")
        connection.blpop(["release"], timeout=30)
        return f"fetched {count}"

    item = CacheItem(("slots", "haircut"), fetch, msgspec.json.encode, msgspec.json.decode, LIFETIME)
    cache = ReadThroughCache(cache_at(url), account="north", run=at_once, **WAITS | {"max_wait_seconds": 30})
    with ThreadPoolExecutor(8) as pool:
        ready()
        values = list(pool.map(lambda _: cache.read(item).value, range(8)))
    return len(values), set(values)


@pytest.mark.long
def test_of_four_processes_with_eight_readers_each_one_fetches(
    crew: Crew, url: str, server: redis.Redis[bytes]
) -> None:
    """A second fetch would wait for a release that never comes, and be counted."""

    def release() -> None:
        server.rpush("release", "go")

    outcomes = crew.do(read_in_threads, url, then=release)
    assert outcomes == [(8, {"fetched 1"})] * PROCESSES
    assert server.get("fetches") == b"1"
    assert not [key for key in server.scan_iter() if b"lock" in key]


def call_as_often_as_possible(url: str, ready: Callable[[], object]) -> Counter[str]:
    """Try each kind of call more often than the quota allows."""
    gate = UpstreamGate(cache_at(url), account="key")
    granted: Counter[str] = Counter()
    gate.mark_draft_open()
    ready()
    for operation, tries in (("availability", 30), ("create", 15), ("lookup", 30)):
        for _ in range(tries):
            try:
                gate.before(operation)
            except TooMany as refused:
                granted["refused"] += 1
                granted["absurd wait"] += not 1 <= (refused.retry_after or 0) <= 61
            else:
                granted[operation] += 1
                gate.after(operation, ResponseMeta(200))
    return granted


def test_four_processes_share_one_quota_to_the_last_permit(crew: Crew, url: str, server: redis.Redis[bytes]) -> None:
    """Racing for it they get 50 reads and ten creations, not one more or less; and sixty lookups without the key."""
    granted = sum(crew.do(call_as_often_as_possible, url), Counter())
    assert granted["create"] == 10
    assert granted["availability"] == 50
    assert granted["lookup"] == 60
    assert granted["absurd wait"] == 0
    assert granted["refused"] == PROCESSES * 75 - 120
    # Beside the permits: that a draft is open, and that the quota has refused somebody, so that refreshes yield.
    lifetimes = [server.ttl(key) for key in server.scan_iter()]
    assert len(lifetimes) == 122
    assert sum(0 < seconds <= 61 for seconds in lifetimes) == 121
    assert max(lifetimes) <= 300


def fail_until_open(url: str, ready: Callable[[], object]) -> int:
    """Call a dead Kordless until the circuit says no; how many calls that took."""
    gate = UpstreamGate(cache_at(url), account="key")
    ready()
    for calls in range(100):
        try:
            gate.before("service")
        except CircuitOpen:
            return calls
        gate.after("service", None)
    return 100


def test_four_processes_open_one_circuit(crew: Crew, url: str, server: redis.Redis[bytes]) -> None:
    """Five failures between them, and at most one more each, admitted before the circuit opened."""
    assert 5 <= sum(crew.do(fail_until_open, url)) <= 5 + PROCESSES


def test_a_redis_that_is_full_or_gone_takes_no_page_down(tmp_path: Path) -> None:
    """Values come from memory, calls are granted within one process's part."""
    calls: list[int] = []
    item = CacheItem(
        ("organization",), lambda: calls.append(1) or len(calls), lambda value: str(value).encode(), int, LIFETIME
    )
    with running_redis(tmp_path, "--maxmemory", "1mb", "--maxmemory-policy", "noeviction") as url:
        cache = ReadThroughCache(cache_at(url), account="north", run=at_once, **WAITS)
        gate = UpstreamGate(cache_at(url), account="key", processes=4)
        for _ in range(3):
            assert cache.read(item).value == 1
            gate.before("availability")
            gate.after("availability", ResponseMeta(200))
    for _ in range(3):
        assert cache.read(item).value == 1
        gate.before("availability")
        gate.after("availability", ResponseMeta(200))
