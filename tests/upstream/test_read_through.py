"""The shelf: what is fresh, stale, forgotten, refused and failed, and who fetches."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.clock import Clock
from kordless_booking.exceptions import (
    CircuitOpen,
    KeyRefused,
    KordlessError,
    NotFound,
    OutcomeUnknown,
    TooMany,
    Unavailable,
    Unreachable,
)
from kordless_booking.upstream.entries import Cached, CacheItem, Lifetime
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.keys import cache_key
from kordless_booking.upstream.read_through import ReadThroughCache
from kordless_booking.upstream.single_flight import LOCK_TTL
from tests.support.controlled_cache import WAITS, HandTime, SharedMemory, at_once

LIFETIME = Lifetime(fresh=15, stale=300, on_error=1800)


class Source:
    """Kordless, reduced to a number that counts its calls, or an error."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None
        self.meanwhile: Callable[[], object] = lambda: None

    def __call__(self) -> int:
        self.calls += 1
        answer, error = self.calls, self.error
        self.meanwhile()
        if error is not None:
            raise error
        return answer


class Scene:
    """Any number of processes, one cache, one source, one time."""

    def __init__(self) -> None:
        self.time = HandTime()
        self.memory = SharedMemory(self.time.clock)
        self.source = Source()
        self.item = self.named("slots", "haircut", "2026-12", "1")

    def named(self, *parts: str) -> CacheItem[int]:
        return CacheItem(parts, self.source, lambda value: json.dumps(value).encode(), json.loads, LIFETIME)

    def process(
        self, *, account: str = "north", run: Callable[[Callable[[], object]], bool] = at_once
    ) -> ReadThroughCache:
        clock = self.time.clock
        return ReadThroughCache(FallbackCache(self.memory, clock), account=account, run=run, clock=clock, **WAITS)


@pytest.fixture
def scene() -> Scene:
    """One stage for each test."""
    return Scene()


def test_a_cold_value_is_fetched_once_for_all_processes(scene: Scene) -> None:
    """What one process fetched, another finds."""
    assert scene.process().read(scene.item) == Cached(1, scene.time.wall)
    assert scene.process().read(scene.item) == Cached(1, scene.time.wall)
    assert scene.source.calls == 1


def test_accounts_share_nothing(scene: Scene) -> None:
    """The same name in another account is another value."""
    assert scene.process(account="north").read(scene.item).value == 1
    assert scene.process(account="south").read(scene.item).value == 2


def test_a_warm_read_costs_one_round_trip_and_none_within_the_second(scene: Scene) -> None:
    """The process's own memory answers for a second, then the cache is asked once."""
    shelf = scene.process()
    shelf.read(scene.item)
    shelf.read(scene.item)
    before = scene.memory.trips
    for _ in range(100):
        shelf.read(scene.item)
    assert scene.memory.trips == before
    scene.time.pass_(1)
    shelf.read(scene.item)
    assert scene.memory.trips == before + 1


def test_warming_loads_many_items_in_one_round_trip(scene: Scene) -> None:
    """Reading what was warmed asks the cache for nothing."""
    items = [scene.named("slots", "haircut", month) for month in ("2026-12", "2027-01", "2027-02")]
    for item in items:
        scene.process().read(item)
    shelf, before = scene.process(), scene.memory.trips
    shelf.lookup(*items)
    assert [shelf.read(item).value for item in items] == [1, 2, 3]
    assert scene.memory.trips == before + 1
    shelf.lookup(*items)
    assert scene.memory.trips == before + 1


def test_what_nobody_wrote_to_since_is_not_read_again(scene: Scene) -> None:
    """After the second one short look at the account's pulse answers for all that this process has seen."""
    items = [scene.named("slots", "haircut", month) for month in ("2026-12", "2027-01")]
    shelf, other = scene.process(), scene.process()
    for item in items:
        shelf.read(item)
    [first, second] = shelf.lookup(*items)
    scene.time.pass_(2)
    before = scene.memory.trips
    assert [held is seen for held, seen in zip(shelf.lookup(*items), (first, second), strict=True)] == [True, True]
    assert scene.memory.trips == before + 1
    other.read(scene.named("slots", "haircut", "2027-02"))
    scene.time.pass_(2)
    before = scene.memory.trips
    assert [held.value for held in shelf.lookup(*items)] == [1, 2]
    assert scene.memory.trips == before + 2


def test_lookup_reloads_when_the_epoch_key_is_missing(scene: Scene) -> None:
    """A cache that dropped the epoch, or everything, is read in full."""
    shelf = scene.process()
    shelf.read(scene.item)
    shelf.lookup(scene.item)
    scene.memory.delete_many([cache_key("north", "epoch"), cache_key("north", "value", *scene.item.parts)])
    scene.time.pass_(2)
    assert shelf.read(scene.item).value == 2


def test_a_stale_value_is_served_at_once_and_refreshed_behind_the_scenes(scene: Scene) -> None:
    """The reader gets the old value without any call; the job that was left behind brings the new one."""
    jobs: list[Callable[[], object]] = []
    shelf = scene.process(run=lambda job: jobs.append(job) or True)
    shelf.read(scene.item)
    scene.time.pass_(20)
    for _ in range(5):
        kept = shelf.read(scene.item)
        assert (kept.value, kept.stale, kept.degraded) == (1, True, False)
    assert (scene.source.calls, len(jobs)) == (1, 1)
    jobs.pop()()
    assert shelf.read(scene.item).value == 2


def test_of_all_processes_one_refreshes(scene: Scene) -> None:
    """Each process may have the idea; the second one to start finds it done."""
    jobs: list[Callable[[], object]] = []
    shelves = [scene.process(run=lambda job: jobs.append(job) or True) for _ in range(4)]
    shelves[0].read(scene.item)
    scene.time.pass_(20)
    for shelf in shelves:
        shelf.read(scene.item)
    for job in jobs:
        job()
    assert (len(jobs), scene.source.calls) == (4, 2)


def test_while_another_process_refreshes_readers_cost_nothing(scene: Scene) -> None:
    """One try for the lock a second, not one for each reader."""
    shelf = scene.process()
    shelf.read(scene.item)
    scene.time.pass_(20)
    scene.memory.add(cache_key("north", "lock", *scene.item.parts), "other", 60)
    shelf.read(scene.item)
    before = scene.memory.trips
    for _ in range(100):
        assert shelf.read(scene.item).value == 1
    assert scene.memory.trips == before


def test_a_refresh_that_found_no_room_is_tried_again_by_a_later_reader(scene: Scene) -> None:
    """A full pool costs freshness only, and not for ever."""
    shelf = scene.process(run=lambda _job: False)
    shelf.read(scene.item)
    scene.time.pass_(20)
    assert shelf.read(scene.item).value == 1
    scene.time.pass_(400)
    assert shelf.read(scene.item).value == 2


def test_a_value_past_its_stale_age_makes_the_reader_wait_for_a_new_one(scene: Scene) -> None:
    """Five minutes later nobody wants to see those times unasked."""
    shelf = scene.process()
    shelf.read(scene.item)
    scene.time.pass_(301)
    kept = shelf.read(scene.item)
    assert (kept.value, kept.stale, kept.degraded) == (2, False, False)


@pytest.mark.parametrize("error", [Unreachable(), OutcomeUnknown(), CircuitOpen(), TooMany(retry_after=7)])
def test_an_old_value_is_served_with_a_notice_when_the_fetch_fails(scene: Scene, error: KordlessError) -> None:
    """Kordless being ill is no reason to show nothing; it is tried again, but not by every reader."""
    shelf = scene.process()
    shelf.read(scene.item)
    scene.time.pass_(400)
    scene.source.error = error
    for _ in range(10):
        kept = shelf.read(scene.item)
        assert (kept.value, kept.stale, kept.degraded) == (1, True, True)
    assert scene.source.calls == 2
    scene.time.pass_(8)
    shelf.read(scene.item)
    assert scene.source.calls == 3


def test_trouble_is_known_to_other_processes_and_over_when_a_fetch_succeeds(scene: Scene) -> None:
    """One process's failed try spares all others theirs."""
    first, second = scene.process(), scene.process()
    first.read(scene.item)
    scene.time.pass_(400)
    scene.source.error = Unreachable()
    first.read(scene.item)
    assert second.read(scene.item).degraded
    assert scene.source.calls == 2
    scene.source.error = None
    scene.time.pass_(6)
    assert second.read(scene.item) == Cached(3, scene.time.wall)


def test_a_failed_refresh_tells_the_next_reader_of_trouble(scene: Scene) -> None:
    """The times are young, but Kordless fails: the page says that they may have changed."""
    shelf = scene.process()
    shelf.read(scene.item)
    scene.time.pass_(20)
    scene.source.error = Unreachable()
    assert not shelf.read(scene.item).degraded
    assert shelf.read(scene.item).degraded
    assert scene.source.calls == 2


def test_a_rationed_refresh_is_no_trouble(scene: Scene) -> None:
    """With many keys each is refreshed less often; young times need no notice for that."""
    shelf = scene.process()
    shelf.read(scene.item)
    scene.time.pass_(20)
    scene.source.error = TooMany(retry_after=20)
    shelf.read(scene.item)
    for _ in range(10):
        scene.time.pass_(1.5)
        assert not shelf.read(scene.item).degraded
    assert scene.source.calls == 2
    scene.source.error = None
    scene.time.pass_(6)
    shelf.read(scene.item)
    assert shelf.read(scene.item).value == 3


def test_a_value_past_every_limit_is_not_served(scene: Scene) -> None:
    """After half an hour of outage there is nothing to show."""
    shelf = scene.process()
    shelf.read(scene.item)
    scene.time.pass_(1801)
    scene.source.error = Unreachable(operation="availability", reason="refused")
    with pytest.raises(Unreachable) as caught:
        shelf.read(scene.item)
    assert (caught.value.operation, caught.value.reason) == ("availability", "refused")


def test_a_cold_failure_is_shared_for_two_seconds(scene: Scene) -> None:
    """A crowd before a dead Kordless sends one request, and all get the same kind of error."""
    scene.source.error = TooMany(operation="availability", status=429, retry_after=9)
    for _ in range(20):
        with pytest.raises(TooMany) as caught:
            scene.process().read(scene.item)
        assert (caught.value.status, caught.value.retry_after) == (429, 9)
    assert scene.source.calls == 1
    scene.time.pass_(2)
    scene.source.error = None
    assert scene.process().read(scene.item).value == 2


@pytest.mark.parametrize("age", [20, 400])
def test_not_found_replaces_the_value_and_is_remembered_half_a_minute(scene: Scene, age: int) -> None:
    """A service that went away is gone, whatever lay here; asking for it again costs nothing for a while."""
    shelf = scene.process()
    shelf.read(scene.item)
    scene.time.pass_(age)
    scene.source.error = NotFound()
    if age == 20:
        shelf.read(scene.item)
    for _ in range(29):
        with pytest.raises(NotFound):
            shelf.read(scene.item)
        scene.time.pass_(1)
    assert scene.source.calls == 2
    scene.time.pass_(1)
    scene.source.error = None
    assert shelf.read(scene.item).value == 3


def test_a_refused_key_closes_every_item_of_the_account_at_once(scene: Scene) -> None:
    """No cached times are offered under a revoked key, and it isn't knocked on by each key anew."""
    other = scene.named("offer")
    shelf, elsewhere = scene.process(), scene.process(account="south")
    shelf.read(scene.item)
    shelf.read(other)
    elsewhere.read(other)
    scene.time.pass_(20)
    scene.source.error = KeyRefused(status=401)
    shelf.read(scene.item)
    calls = scene.source.calls
    for process in (shelf, scene.process()):
        for item in (scene.item, other):
            with pytest.raises(KeyRefused):
                process.read(item)
    assert scene.source.calls == calls
    assert elsewhere.read(other).value == 3


def test_a_refused_key_stays_refused_through_an_outage_and_opens_when_it_works_again(scene: Scene) -> None:
    """Old values don't come back as a fallback; a fetch that succeeds opens the account."""
    shelf = scene.process()
    shelf.read(scene.item)
    shelf.read(scene.named("service"))
    scene.source.error = KeyRefused()
    with pytest.raises(KeyRefused):
        shelf.read(scene.named("offer"))
    scene.time.pass_(31)
    scene.source.error = Unreachable()
    with pytest.raises(Unavailable):
        shelf.read(scene.item)
    scene.time.pass_(3)
    scene.source.error = None
    assert shelf.read(scene.named("offer")).value == 5
    assert shelf.read(scene.item).value == 6
    kept = shelf.read(scene.named("service"))
    assert (kept.value, kept.stale) == (2, True)


def test_what_was_forgotten_is_fetched_anew_in_every_process(scene: Scene) -> None:
    """Forgetting one service's months leaves other services alone."""
    shelf, other_process = scene.process(), scene.process()
    months = [scene.named("slots", "haircut", "2026-12"), scene.named("slots", "haircut", "2027-01")]
    massage = scene.named("slots", "massage", "2026-12")
    for item in (*months, massage):
        shelf.read(item)
    shelf.invalidate("slots", "haircut")
    assert [shelf.read(item).value for item in months] == [4, 5]
    assert shelf.read(massage).value == 3
    scene.time.pass_(1)
    assert [other_process.read(item).value for item in months] == [4, 5]


def test_the_other_process_learns_of_it_within_a_second(scene: Scene) -> None:
    """Its own memory may answer once more, for a second at most."""
    shelf, other = scene.process(), scene.process()
    shelf.read(scene.item)
    other.read(scene.item)
    shelf.invalidate("slots", "haircut")
    assert other.read(scene.item).value == 1
    scene.time.pass_(1)
    assert other.read(scene.item).value == 2


def test_a_fetch_under_way_when_forgetting_came_does_not_bring_the_old_back(scene: Scene) -> None:
    """Its own reader gets it; nobody after that does, in any process."""
    shelf, other = scene.process(), scene.process()
    scene.source.meanwhile = lambda: other.invalidate("slots", "haircut")
    assert shelf.read(scene.item).value == 1
    scene.source.meanwhile = lambda: None
    assert shelf.read(scene.item).value == 2
    assert other.read(scene.item).value == 2


def test_who_comes_after_forgetting_does_not_join_the_fetch_that_was_under_way(scene: Scene) -> None:
    """In the same process: the old one ends first, then a new one brings what is true now."""
    polling, fetching = threading.Event(), threading.Event()
    clock = Clock(sleep=lambda _seconds: polling.set())
    shelf = ReadThroughCache(
        FallbackCache(SharedMemory(clock), clock), account="north", run=at_once, clock=clock, **WAITS
    )
    values: dict[str, int] = {}

    def first_waits_for_the_second() -> None:
        fetching.set()
        polling.wait(1)

    scene.source.meanwhile = first_waits_for_the_second
    first, second = (
        threading.Thread(target=lambda name=name: values.update({name: shelf.read(scene.item).value}))
        for name in ("first", "second")
    )
    first.start()
    assert fetching.wait(5)
    shelf.invalidate("slots", "haircut")
    second.start()
    first.join(10)
    second.join(10)
    assert values == {"first": 1, "second": 2}


def test_a_look_under_way_when_forgetting_came_is_not_remembered(scene: Scene) -> None:
    """The answer of the cache was on its way: it must not stay in the process's memory."""
    scene.process().read(scene.item)
    shelf = scene.process()
    decode = scene.item.decode

    def slowly(raw: bytes) -> int:
        shelf.invalidate("slots", "haircut")
        return decode(raw)

    item = CacheItem(scene.item.parts, scene.source, scene.item.encode, slowly, LIFETIME)
    assert shelf.read(item).value == 1
    assert shelf.read(scene.item).value == 2


def test_what_was_forgotten_beats_nothing_when_kordless_fails(scene: Scene) -> None:
    """With a notice, and refreshed as soon as Kordless is back."""
    shelf = scene.process()
    shelf.read(scene.item)
    shelf.invalidate("slots", "haircut")
    scene.source.error = Unreachable()
    for _ in range(3):
        kept = shelf.read(scene.item)
        assert (kept.value, kept.stale, kept.degraded) == (1, True, True)
    assert scene.source.calls == 2
    scene.source.error = None
    scene.time.pass_(6)
    shelf.read(scene.item)
    assert shelf.read(scene.item) == Cached(3, scene.time.wall)


def test_others_wait_for_another_process_and_get_its_value(scene: Scene) -> None:
    """A cold key that somebody is fetching is waited for, not fetched again."""
    first, second = scene.process(), scene.process()
    seen: list[Cached[int]] = []

    def arrive() -> None:
        scene.memory.delete_many([lock])
        first.read(scene.item)

    lock = cache_key("north", "lock", *scene.item.parts)
    scene.memory.add(lock, "somebody", 10)
    scene.time.while_sleeping = arrive
    seen.append(second.read(scene.item))
    assert [kept.value for kept in seen] == [1]
    assert scene.source.calls == 1


def test_waiting_ends_in_time_with_an_error_or_the_older_value(scene: Scene) -> None:
    """Somebody else's slow fetch costs a reader its patience and no more."""
    lock = cache_key("north", "lock", *scene.item.parts)
    scene.memory.add(lock, "somebody", 60)
    began = scene.time.steady
    with pytest.raises(Unavailable) as caught:
        scene.process().read(scene.item)
    assert caught.value.reason == "waited_in_vain"
    assert 4 <= scene.time.steady - began <= 4.1
    scene.memory.delete_many([lock])
    shelf = scene.process()
    shelf.read(scene.item)
    scene.time.pass_(400)
    scene.memory.add(lock, "somebody", 60)
    kept = shelf.read(scene.item)
    assert (kept.value, kept.degraded) == (1, True)


def test_the_lock_of_a_crashed_owner_expires(scene: Scene) -> None:
    """Nobody lets it go, and still the next reader is served within its patience."""
    scene.memory.add(cache_key("north", "lock", *scene.item.parts), "crashed", 3)
    assert scene.process().read(scene.item).value == 1


def test_an_unexpected_error_reaches_the_reader_and_frees_the_key(scene: Scene) -> None:
    """A bug is not swallowed, not remembered, and blocks nobody."""
    scene.source.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        scene.process().read(scene.item)
    scene.source.error = None
    assert scene.process().read(scene.item).value == 2


@pytest.mark.parametrize("rubbish", [b"\x80\x04pickle", b"{}", b"[1]", b'{"version":99}', "text", 7])
def test_rubbish_in_the_cache_counts_as_nothing(scene: Scene, rubbish: bytes | str | int) -> None:
    """Another version's or somebody else's bytes are fetched over, never a 500."""
    scene.memory.set(cache_key("north", "value", *scene.item.parts), rubbish, 60)
    assert scene.process().read(scene.item).value == 1


def test_a_payload_of_another_shape_counts_as_nothing(scene: Scene) -> None:
    """After an upgrade old payloads may not decode: they are fetched anew."""

    def unreadable(_raw: bytes) -> int:
        raise ValueError("another version")

    scene.process().read(scene.item)
    item = CacheItem(scene.item.parts, scene.source, scene.item.encode, unreadable, LIFETIME)
    assert scene.process().read(item).value == 2


def test_values_in_the_cache_are_json_under_hashed_names(scene: Scene) -> None:
    """Nothing that runs when it is read, and nothing to read in a key."""
    scene.process().read(scene.item)
    key = cache_key("north", "value", *scene.item.parts)
    raw = scene.memory.get_many([key])[key]
    assert isinstance(raw, bytes)
    document = json.loads(raw)
    assert (document["payload"], document["version"]) == (1, 1)
    assert "haircut" not in key
    assert "north" not in key


def test_a_clock_put_back_does_not_keep_a_value_fresh_for_hours(scene: Scene) -> None:
    """A value from the future is as old as it is far ahead."""
    shelf = scene.process()
    shelf.read(scene.item)
    scene.time.step(-7200)
    scene.time.pass_(1)
    assert shelf.read(scene.item).value == 2


def test_the_cache_going_down_takes_no_page_down(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Reads go on from memory, fetch at most once per process, and the operator reads one line a minute."""
    shelf = scene.process()
    shelf.read(scene.item)
    shelf.read(scene.item)
    scene.memory.broken = True
    with caplog.at_level(logging.ERROR):
        for _ in range(50):
            scene.time.pass_(0.5)
            assert shelf.read(scene.item).value in {1, 2}
        assert shelf.read(scene.named("offer")).value == 3
    assert [record.getMessage() for record in caplog.records] == ["event=cache_unavailable error=ConnectionError"]
    assert scene.source.calls == 3


def test_a_cache_that_is_full_serves_and_forgets_in_the_process(scene: Scene) -> None:
    """Redis answering OOM to every write: values come and go in the process's memory."""
    scene.memory.read_only = True
    shelf = scene.process()
    assert shelf.read(scene.item).value == 1
    assert shelf.read(scene.item).value == 1
    shelf.invalidate("slots", "haircut")
    assert shelf.read(scene.item).value == 2
    scene.memory.read_only = False
    scene.time.pass_(6)
    assert shelf.read(scene.item).value in {2, 3}


def test_the_memory_of_a_process_is_bounded(scene: Scene) -> None:
    """A thousand keys cost no more memory than the newest few hundred."""
    clock = scene.time.clock
    shelf = ReadThroughCache(
        FallbackCache(scene.memory, clock), account="north", run=at_once, clock=clock, size=8, **WAITS
    )
    items = [scene.named("slots", str(number)) for number in range(50)]
    for item in items:
        shelf.read(item)
    shelf.lookup(*items)
    before = scene.memory.trips
    for item in items[-8:]:
        shelf.read(item)
    assert scene.memory.trips == before
    shelf.read(items[0])
    assert scene.memory.trips == before + 1


def test_keys_filled_together_do_not_run_out_together(scene: Scene) -> None:
    """Freshness varies within its last tenth."""
    shelf = scene.process(run=lambda _job: True)
    items = [scene.named("slots", str(number)) for number in range(60)]
    for item in items:
        shelf.read(item)
    scene.time.pass_(14.25)
    stale = sum(shelf.read(item).stale for item in items)
    assert 5 < stale < 55
    scene.time.pass_(1)
    assert all(shelf.read(item).stale for item in items)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["read", "read", "read", "forget", "warm", "fail", "mend"]),
        st.integers(0, 2),
        st.floats(0, 20),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(actions=ACTIONS)
def test_at_most_one_fetch_at_a_time_and_never_an_old_value_after_forgetting(
    actions: list[tuple[str, int, float]],
) -> None:
    """Any interleaving of three processes: other processes act in the middle of each fetch and each wait."""
    scene = Scene()
    queue: list[Callable[[], object]] = []
    shelves = [scene.process(run=lambda job: queue.append(job) or True) for _ in range(3)]
    script = iter(actions)
    busy: set[int] = set()
    state = {"flying": 0, "most": 0, "forgotten_at_call": 0, "began": 0.0}

    def act() -> None:
        step = next(script, None)
        if step is None:
            return
        what, who, seconds = step
        if what == "read" and who in busy:
            return  # a thread can't read while it reads; other threads are the flights' tests
        # A fetch never outlives its lock: the client's own deadline is far below it.
        scene.time.pass_(seconds if not state["flying"] else min(seconds, 0.2))
        if what == "read":
            calls_forgotten = state["forgotten_at_call"]
            scene.time.pass_(1)
            busy.add(who)
            try:
                kept = shelves[who].read(scene.item)
            except Unavailable:
                return
            finally:
                busy.remove(who)
            assert kept.degraded or kept.value > calls_forgotten
        elif what == "forget":
            shelves[who].invalidate("slots", "haircut")
            state["forgotten_at_call"] = scene.source.calls
        elif what == "warm":
            shelves[who].lookup(scene.item)
        else:
            scene.source.error = Unreachable() if what == "fail" else None

    def fetching() -> None:
        state["flying"] += 1
        state["most"] = max(state["most"], state["flying"])
        began = scene.time.steady
        act()
        assert scene.time.steady - began < LOCK_TTL - 1
        state["flying"] -= 1

    scene.source.meanwhile = fetching
    for _ in actions:
        act()
        if queue:
            queue.pop(0)()
    assert state["most"] <= 1


def test_it_works_on_the_real_clock() -> None:
    """The defaults are the real ones."""
    clock = Clock()
    shelf = ReadThroughCache(FallbackCache(None, clock), account="a", run=at_once, **WAITS)
    item = CacheItem(("offer",), lambda: 5, lambda value: str(value).encode(), int, LIFETIME)
    assert shelf.read(item).value == shelf.read(item).value == 5


@pytest.mark.parametrize("backend", ["locmem", "file"])
def test_a_crowd_of_threads_fetches_once_on_caches_that_do_not_lock(backend: str, tmp_path: Path) -> None:
    """LocMem is each process's own and files race; inside a process one fetch at a time holds all the same."""
    cache: BaseCache = LocMemCache("crowd", {}) if backend == "locmem" else FileBasedCache(str(tmp_path), {})
    cache.clear()
    shelf = ReadThroughCache(FallbackCache(cache, Clock()), account="a", run=at_once, **WAITS)
    source, barrier, values = Source(), threading.Barrier(24, timeout=30), []
    item = CacheItem(("offer",), source, lambda value: str(value).encode(), int, LIFETIME)

    def read() -> None:
        barrier.wait()
        values.append(shelf.read(item).value)

    threads = [threading.Thread(target=read) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert values == [1] * 24
    assert source.calls == 1


def test_what_lies_there_is_read_without_a_fetch(scene: Scene) -> None:
    """Fresh or stale it is given as it is; nothing is refreshed, and what isn't there is said to be missing."""
    shelf = scene.process()
    with pytest.raises(Unavailable, match="not_at_hand"):
        shelf.read_cached(scene.item)
    shelf.read(scene.item)
    assert shelf.read_cached(scene.item).value == 1
    scene.time.pass_(LIFETIME.fresh + 1)
    kept = shelf.read_cached(scene.item)
    assert (kept.value, kept.stale) == (1, True)
    scene.time.pass_(LIFETIME.stale)
    with pytest.raises(Unavailable, match="not_at_hand"):
        shelf.read_cached(scene.item)
    assert scene.source.calls == 1


def test_comparing_refreshes_only_when_asked_to(scene: Scene) -> None:
    """Whether a page could be given again is seen without starting anything, or with."""
    shelf = scene.process()
    shelf.read(scene.item)
    scene.time.pass_(LIFETIME.fresh + 1)
    reads = [(scene.item, shelf.read_cached(scene.item))]
    assert shelf.is_current(reads, refresh=False)
    assert scene.source.calls == 1
    assert shelf.is_current(reads)
    assert scene.source.calls == 2
