"""Read-through cache: fresh, stale, invalidated, rejected and failed values, and who fetches."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from hypothesis import given, settings
from hypothesis import strategies as st

from kordless_booking.api.deadline import LOCAL_SHORTAGES
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
from kordless_booking.memory_budget import MemoryBudget
from kordless_booking.upstream.entries import Cached, CacheItem
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.keys import cache_key
from kordless_booking.upstream.rate_limiter import ADDRESS_LIMIT, TURN
from kordless_booking.upstream.read_through import ReadThroughCache
from kordless_booking.upstream.requester import Requester, requested_by
from kordless_booking.upstream.single_flight import LOCK_TTL
from kordless_booking.upstream.worker import in_background
from tests.support.cache_scenario import LIFETIME, CacheScenario, Source
from tests.support.controlled_cache import WAITS, SharedMemory, at_once


@pytest.fixture
def scenario() -> CacheScenario:
    """Return new processes around an empty cache."""
    return CacheScenario()


def test_a_cold_value_is_fetched_once_for_all_processes(scenario: CacheScenario) -> None:
    """A value fetched by one process is found by another."""
    assert scenario.process().read(scenario.item) == Cached(1, scenario.time.wall)
    assert scenario.process().read(scenario.item) == Cached(1, scenario.time.wall)
    assert scenario.source.calls == 1


def test_accounts_share_nothing(scenario: CacheScenario) -> None:
    """The same name in another account is another value."""
    assert scenario.process(account="north").read(scenario.item).value == 1
    assert scenario.process(account="south").read(scenario.item).value == 2


def test_a_warm_read_costs_one_round_trip_and_none_within_the_second(scenario: CacheScenario) -> None:
    """The process's own memory answers for a second, then the cache is asked once."""
    cache = scenario.process()
    cache.read(scenario.item)
    cache.read(scenario.item)
    before = scenario.memory.trips
    for _ in range(100):
        cache.read(scenario.item)
    assert scenario.memory.trips == before
    scenario.time.pass_(1)
    cache.read(scenario.item)
    assert scenario.memory.trips == before + 1


def test_warming_loads_many_items_in_one_round_trip(scenario: CacheScenario) -> None:
    """Reading what was warmed asks the cache for nothing."""
    items = [scenario.named("slots", "haircut", month) for month in ("2026-12", "2027-01", "2027-02")]
    for item in items:
        scenario.process().read(item)
    cache, before = scenario.process(), scenario.memory.trips
    cache.lookup(*items)
    assert [cache.read(item).value for item in items] == [1, 2, 3]
    assert scenario.memory.trips == before + 1
    cache.lookup(*items)
    assert scenario.memory.trips == before + 1


def test_an_unchanged_epoch_saves_reading_the_entries_again(scenario: CacheScenario) -> None:
    """After the second, one read of the account's epoch confirms all local entries."""
    items = [scenario.named("slots", "haircut", month) for month in ("2026-12", "2027-01")]
    cache, other = scenario.process(), scenario.process()
    for item in items:
        cache.read(item)
    [first, second] = cache.lookup(*items)
    scenario.time.pass_(2)
    before = scenario.memory.trips
    assert [entry is seen for entry, seen in zip(cache.lookup(*items), (first, second), strict=True)] == [True, True]
    assert scenario.memory.trips == before + 1
    other.read(scenario.named("slots", "haircut", "2027-02"))
    scenario.time.pass_(2)
    before = scenario.memory.trips
    assert [entry.value for entry in cache.lookup(*items)] == [1, 2]
    assert scenario.memory.trips == before + 2


def test_lookup_reloads_when_the_epoch_key_is_missing(scenario: CacheScenario) -> None:
    """A cache that dropped the epoch, or everything, is read in full."""
    cache = scenario.process()
    cache.read(scenario.item)
    cache.lookup(scenario.item)
    scenario.memory.delete_many([cache_key("north", "epoch"), cache_key("north", "value", *scenario.item.parts)])
    scenario.time.pass_(2)
    assert cache.read(scenario.item).value == 2


def test_a_stale_value_is_served_at_once_and_refreshed_behind_the_scenes(scenario: CacheScenario) -> None:
    """The reader gets the old value without any call; the job that was left behind brings the new one."""
    jobs: list[Callable[[], object]] = []
    cache = scenario.process(run=lambda job: jobs.append(job) or True)
    cache.read(scenario.item)
    scenario.time.pass_(20)
    for _ in range(5):
        cached = cache.read(scenario.item)
        assert (cached.value, cached.stale, cached.degraded) == (1, True, False)
    assert (scenario.source.calls, len(jobs)) == (1, 1)
    jobs.pop()()
    assert cache.read(scenario.item).value == 2


def test_of_all_processes_one_refreshes(scenario: CacheScenario) -> None:
    """Each process may have the idea; the second one to start finds it done."""
    jobs: list[Callable[[], object]] = []
    processes = [scenario.process(run=lambda job: jobs.append(job) or True) for _ in range(4)]
    processes[0].read(scenario.item)
    scenario.time.pass_(20)
    for cache in processes:
        cache.read(scenario.item)
    for job in jobs:
        job()
    assert (len(jobs), scenario.source.calls) == (4, 2)


def test_while_another_process_refreshes_readers_cost_nothing(scenario: CacheScenario) -> None:
    """One try for the lock a second, not one for each reader."""
    cache = scenario.process()
    cache.read(scenario.item)
    scenario.time.pass_(20)
    scenario.memory.add(cache_key("north", "lock", *scenario.item.parts), "other", 60)
    cache.read(scenario.item)
    before = scenario.memory.trips
    for _ in range(100):
        assert cache.read(scenario.item).value == 1
    assert scenario.memory.trips == before


def test_a_refresh_that_found_no_room_is_tried_again_by_a_later_reader(scenario: CacheScenario) -> None:
    """A full pool costs freshness only, and not for ever."""
    cache = scenario.process(run=lambda _job: False)
    cache.read(scenario.item)
    scenario.time.pass_(20)
    assert cache.read(scenario.item).value == 1
    scenario.time.pass_(400)
    assert cache.read(scenario.item).value == 2


def test_a_value_past_its_stale_age_makes_the_reader_wait_for_a_new_one(scenario: CacheScenario) -> None:
    """Five minutes later nobody wants to see those times unasked."""
    cache = scenario.process()
    cache.read(scenario.item)
    scenario.time.pass_(301)
    cached = cache.read(scenario.item)
    assert (cached.value, cached.stale, cached.degraded) == (2, False, False)


@pytest.mark.parametrize("error", [Unreachable(), OutcomeUnknown(), CircuitOpen(), TooMany(retry_after=7)])
def test_an_old_value_is_served_with_a_notice_when_the_fetch_fails(
    scenario: CacheScenario, error: KordlessError
) -> None:
    """A failing Kordless is no reason to show nothing; it is tried again, but not by every reader."""
    cache = scenario.process()
    cache.read(scenario.item)
    scenario.time.pass_(400)
    scenario.source.error = error
    for _ in range(10):
        cached = cache.read(scenario.item)
        assert (cached.value, cached.stale, cached.degraded) == (1, True, True)
    assert scenario.source.calls == 2
    scenario.time.pass_(8)
    cache.read(scenario.item)
    assert scenario.source.calls == 3


def test_trouble_is_known_to_other_processes_and_over_when_a_fetch_succeeds(scenario: CacheScenario) -> None:
    """One process's failed try spares all others theirs."""
    first, second = scenario.process(), scenario.process()
    first.read(scenario.item)
    scenario.time.pass_(400)
    scenario.source.error = Unreachable()
    first.read(scenario.item)
    assert second.read(scenario.item).degraded
    assert scenario.source.calls == 2
    scenario.source.error = None
    scenario.time.pass_(6)
    assert second.read(scenario.item) == Cached(3, scenario.time.wall)


def test_a_failed_refresh_tells_the_next_reader_of_trouble(scenario: CacheScenario) -> None:
    """The times are young, but Kordless fails: the page says that they may have changed."""
    cache = scenario.process()
    cache.read(scenario.item)
    scenario.time.pass_(20)
    scenario.source.error = Unreachable()
    assert not cache.read(scenario.item).degraded
    assert cache.read(scenario.item).degraded
    assert scenario.source.calls == 2


def test_a_rationed_refresh_is_no_trouble(scenario: CacheScenario) -> None:
    """With many keys each is refreshed less often; young times need no notice for that."""
    cache = scenario.process()
    cache.read(scenario.item)
    scenario.time.pass_(20)
    scenario.source.error = TooMany(retry_after=20)
    cache.read(scenario.item)
    for _ in range(10):
        scenario.time.pass_(1.5)
        assert not cache.read(scenario.item).degraded
    assert scenario.source.calls == 2
    scenario.source.error = None
    scenario.time.pass_(6)
    cache.read(scenario.item)
    assert cache.read(scenario.item).value == 3


def test_a_value_past_every_limit_is_not_served(scenario: CacheScenario) -> None:
    """After half an hour of outage there is nothing to show."""
    cache = scenario.process()
    cache.read(scenario.item)
    scenario.time.pass_(1801)
    scenario.source.error = Unreachable(operation="availability", reason="refused")
    with pytest.raises(Unreachable) as caught:
        cache.read(scenario.item)
    assert (caught.value.operation, caught.value.reason) == ("availability", "refused")


@pytest.fixture
def day(scenario: CacheScenario) -> CacheItem[int]:
    """Return an item that may be served for a day where Kordless can't be asked."""
    return msgspec.structs.replace(scenario.item, lifetime=replace(LIFETIME, last_known=86_400))


@pytest.mark.parametrize("error", [Unreachable(), CircuitOpen(), TooMany(status=429), TooMany(reason="quota")])
def test_last_known_values_are_served_for_a_day_where_kordless_cannot_be_asked(
    scenario: CacheScenario, day: CacheItem[int], error: KordlessError
) -> None:
    """With the notice, in every process; a fetch that succeeds replaces them, and after the day they are gone."""
    scenario.process().read(day)
    scenario.time.pass_(86_000)
    scenario.source.error = error
    for _ in range(3):
        cached = scenario.process().read(day)
        assert (cached.value, cached.stale, cached.degraded) == (1, True, True)
    assert scenario.source.calls == 2
    scenario.time.pass_(400)
    with pytest.raises(type(error)):
        scenario.process().read(day)
    scenario.source.error = None
    scenario.time.pass_(3)
    assert not scenario.process().read(day).degraded


def test_an_unusable_answer_shows_no_last_known_value_and_does_not_lose_it(
    scenario: CacheScenario, day: CacheItem[int]
) -> None:
    """Half an hour is the limit for that; when nothing connects anymore, the value of that day is there."""
    cache = scenario.process()
    cache.read(day)
    scenario.time.pass_(3600)
    scenario.source.error = OutcomeUnknown()
    with pytest.raises(OutcomeUnknown):
        cache.read(day)
    scenario.source.error = CircuitOpen()
    assert cache.read(day).degraded
    assert scenario.process().read(day).value == 1


def refused_in_background(scenario: CacheScenario, reason: str) -> Callable[[Callable[[], object]], bool]:
    """Run jobs as the background worker does, while the rate limiter refuses refreshes."""

    def run(job: Callable[[], object]) -> bool:
        scenario.source.error = TooMany(reason=reason, retry_after=60)
        token = in_background.set(True)
        try:
            job()
        finally:
            in_background.reset(token)
            scenario.source.error = None
        return True

    return run


@pytest.mark.parametrize("reason", ["yields", "quota"])
def test_a_refused_refresh_is_never_kept_as_a_failure(scenario: CacheScenario, reason: str) -> None:
    """A refresh that comes too late, or after an invalidation, leaves the fetch to the next visitor."""
    jobs: list[Callable[[], object]] = []
    cache = scenario.process(run=lambda job: jobs.append(job) or True)
    cache.read(scenario.item)
    scenario.time.pass_(299)
    cache.read(scenario.item)
    scenario.time.pass_(2000)
    refused_in_background(scenario, reason)(jobs.pop())
    assert not scenario.process().read(scenario.item).degraded
    scenario.time.pass_(20)
    cache.read(scenario.item)
    cache.invalidate("slots", "haircut")
    refused_in_background(scenario, reason)(jobs.pop())
    cached = scenario.process().read(scenario.item)
    assert (cached.stale, cached.degraded) == (False, False)


@pytest.mark.parametrize("reason", ["quota", TURN])
def test_old_values_are_served_without_asking_the_limiter_for_each_visitor(
    scenario: CacheScenario, reason: str
) -> None:
    """A shortage is everybody's: one try in a few seconds is enough, and the page is the same for all."""
    scenario.process().read(scenario.item)
    scenario.time.pass_(400)
    scenario.source.error = TooMany(reason=reason, retry_after=20)
    with requested_by(Requester(lambda: "address", 15)) as requester:
        for _ in range(20):
            assert scenario.process().read(scenario.item).degraded
    assert (scenario.source.calls, requester.was_refused) == (2, False)
    scenario.time.pass_(21)
    scenario.source.error = None
    assert not scenario.process().read(scenario.item).degraded


def test_a_refusal_of_ones_own_is_stored_for_nobody(scenario: CacheScenario) -> None:
    """Neither as a failure nor as a pause: the next reader fetches."""
    for age in (0, 400):
        scenario.time.pass_(age)
        scenario.source.error = TooMany(reason=ADDRESS_LIMIT, retry_after=60)
        if age:
            assert scenario.process().read(scenario.item).degraded
        else:
            with pytest.raises(TooMany):
                scenario.process().read(scenario.item)
        scenario.source.error = None
        assert not scenario.process().read(scenario.item).stale


def test_a_cold_failure_is_shared_for_two_seconds(scenario: CacheScenario) -> None:
    """A crowd before a dead Kordless sends one request, and all get the same kind of error."""
    scenario.source.error = TooMany(operation="availability", status=429, retry_after=9)
    for _ in range(20):
        with pytest.raises(TooMany) as caught:
            scenario.process().read(scenario.item)
        assert (caught.value.status, caught.value.retry_after) == (429, 9)
    assert scenario.source.calls == 1
    scenario.time.pass_(2)
    scenario.source.error = None
    assert scenario.process().read(scenario.item).value == 2


@pytest.mark.parametrize("reason", sorted(LOCAL_SHORTAGES))
def test_a_shortage_of_one_process_is_no_failure_for_the_others(scenario: CacheScenario, reason: str) -> None:
    """Nothing was sent: whoever shares the fetch gets the old value or the error, and the next reader fetches."""
    for age in (0, 400):
        scenario.time.pass_(age)
        scenario.source.error = Unreachable(reason=reason)
        name = cache_key("north", "value", *scenario.item.parts)
        stored = scenario.memory.get_many([name])
        if age:
            assert scenario.process().read(scenario.item) == Cached(2, scenario.time.wall - age, True, True)
        else:
            with pytest.raises(Unreachable, match=reason):
                scenario.process().read(scenario.item)
        assert scenario.memory.get_many([name]) == stored
        scenario.source.error = None
        assert not scenario.process().read(scenario.item).stale


@pytest.mark.parametrize("age", [20, 400])
def test_not_found_replaces_the_value_and_is_cached_for_half_a_minute(scenario: CacheScenario, age: int) -> None:
    """A service that went away is gone, whatever lay here; asking for it again costs nothing for a while."""
    cache = scenario.process()
    cache.read(scenario.item)
    scenario.time.pass_(age)
    scenario.source.error = NotFound()
    if age == 20:
        cache.read(scenario.item)
    for _ in range(29):
        with pytest.raises(NotFound):
            cache.read(scenario.item)
        scenario.time.pass_(1)
    assert scenario.source.calls == 2
    scenario.time.pass_(1)
    scenario.source.error = None
    assert cache.read(scenario.item).value == 3


def test_a_rejected_api_key_closes_every_item_of_the_account_at_once(scenario: CacheScenario) -> None:
    """No cached times are offered under a revoked key, and it isn't knocked on by each key anew."""
    other = scenario.named("organization")
    cache, elsewhere = scenario.process(), scenario.process(account="south")
    cache.read(scenario.item)
    cache.read(other)
    elsewhere.read(other)
    scenario.time.pass_(20)
    scenario.source.error = KeyRefused(status=401)
    cache.read(scenario.item)
    calls = scenario.source.calls
    for process in (cache, scenario.process()):
        for item in (scenario.item, other):
            with pytest.raises(KeyRefused):
                process.read(item)
    assert scenario.source.calls == calls
    assert elsewhere.read(other).value == 3


def test_a_rejected_api_key_stays_rejected_through_an_outage_and_opens_when_it_works_again(
    scenario: CacheScenario,
) -> None:
    """Old values don't come back as a fallback; a fetch that succeeds opens the account."""
    cache = scenario.process()
    cache.read(scenario.item)
    cache.read(scenario.named("service"))
    scenario.source.error = KeyRefused()
    with pytest.raises(KeyRefused):
        cache.read(scenario.named("organization"))
    scenario.time.pass_(31)
    scenario.source.error = Unreachable()
    with pytest.raises(Unavailable):
        cache.read(scenario.item)
    scenario.time.pass_(3)
    scenario.source.error = None
    assert cache.read(scenario.named("organization")).value == 5
    assert cache.read(scenario.item).value == 6
    cached = cache.read(scenario.named("service"))
    assert (cached.value, cached.stale) == (2, True)


def test_an_invalidated_group_is_fetched_again_in_every_process(scenario: CacheScenario) -> None:
    """Invalidating one service's months leaves other services alone."""
    cache, other_process = scenario.process(), scenario.process()
    months = [scenario.named("slots", "haircut", "2026-12"), scenario.named("slots", "haircut", "2027-01")]
    massage = scenario.named("slots", "massage", "2026-12")
    for item in (*months, massage):
        cache.read(item)
    cache.invalidate("slots", "haircut")
    assert [cache.read(item).value for item in months] == [4, 5]
    assert cache.read(massage).value == 3
    scenario.time.pass_(1)
    assert [other_process.read(item).value for item in months] == [4, 5]


def test_another_process_sees_an_invalidation_within_a_second(scenario: CacheScenario) -> None:
    """Its local cache may answer for a second at most."""
    cache, other = scenario.process(), scenario.process()
    cache.read(scenario.item)
    other.read(scenario.item)
    cache.invalidate("slots", "haircut")
    assert other.read(scenario.item).value == 1
    scenario.time.pass_(1)
    assert other.read(scenario.item).value == 2


def test_a_fetch_in_progress_during_an_invalidation_is_not_stored_as_fresh(scenario: CacheScenario) -> None:
    """Its own reader gets it; nobody after that does, in any process."""
    cache, other = scenario.process(), scenario.process()
    scenario.source.meanwhile = lambda: other.invalidate("slots", "haircut")
    assert cache.read(scenario.item).value == 1
    scenario.source.meanwhile = lambda: None
    assert cache.read(scenario.item).value == 2
    assert other.read(scenario.item).value == 2


def test_a_reader_after_an_invalidation_does_not_join_an_older_fetch(scenario: CacheScenario) -> None:
    """In the same process: the old one ends first, then a new one brings what is true now."""
    polling, fetching = threading.Event(), threading.Event()
    clock = Clock(sleep=lambda _seconds: polling.set())
    cache = ReadThroughCache(
        FallbackCache(SharedMemory(clock), clock),
        account="north",
        run=at_once,
        clock=clock,
        **WAITS | {"max_wait_seconds": 25},
    )
    values: dict[str, int] = {}

    def first_waits_for_the_second() -> None:
        fetching.set()
        polling.wait(1)

    scenario.source.meanwhile = first_waits_for_the_second
    first, second = (
        threading.Thread(target=lambda name=name: values.update({name: cache.read(scenario.item).value}))
        for name in ("first", "second")
    )
    first.start()
    assert fetching.wait(30)
    cache.invalidate("slots", "haircut")
    second.start()
    first.join(30)
    second.join(30)
    assert values == {"first": 1, "second": 2}


def test_a_lookup_in_progress_during_an_invalidation_is_not_stored_locally(scenario: CacheScenario) -> None:
    """The cache was read before the invalidation: the result must not stay in the local cache."""
    scenario.process().read(scenario.item)
    cache = scenario.process()
    decode = scenario.item.decode

    def slowly(raw: bytes) -> int:
        cache.invalidate("slots", "haircut")
        return decode(raw)

    item = CacheItem(scenario.item.parts, scenario.source, scenario.item.encode, slowly, LIFETIME)
    assert cache.read(item).value == 1
    assert cache.read(scenario.item).value == 2


def test_an_invalidated_value_is_served_as_degraded_when_the_fetch_fails(scenario: CacheScenario) -> None:
    """With a notice, and refreshed as soon as Kordless is back."""
    cache = scenario.process()
    cache.read(scenario.item)
    cache.invalidate("slots", "haircut")
    scenario.source.error = Unreachable()
    for _ in range(3):
        cached = cache.read(scenario.item)
        assert (cached.value, cached.stale, cached.degraded) == (1, True, True)
    assert scenario.source.calls == 2
    scenario.source.error = None
    scenario.time.pass_(6)
    cache.read(scenario.item)
    assert cache.read(scenario.item) == Cached(3, scenario.time.wall)


def test_others_wait_for_another_process_and_get_its_value(scenario: CacheScenario) -> None:
    """A cold key that somebody is fetching is waited for, not fetched again."""
    first, second = scenario.process(), scenario.process()
    seen: list[Cached[int]] = []

    def arrive() -> None:
        scenario.memory.delete_many([lock])
        first.read(scenario.item)

    lock = cache_key("north", "lock", *scenario.item.parts)
    scenario.memory.add(lock, "somebody", 10)
    scenario.time.while_sleeping = arrive
    seen.append(second.read(scenario.item))
    assert [cached.value for cached in seen] == [1]
    assert scenario.source.calls == 1


def test_waiting_ends_in_time_with_an_error_or_the_older_value(scenario: CacheScenario) -> None:
    """Somebody else's slow fetch costs a reader its patience and no more."""
    lock = cache_key("north", "lock", *scenario.item.parts)
    scenario.memory.add(lock, "somebody", 60)
    began = scenario.time.steady
    with pytest.raises(Unavailable) as caught:
        scenario.process().read(scenario.item)
    assert caught.value.reason == "wait_timed_out"
    assert 4 <= scenario.time.steady - began <= 4.1
    scenario.memory.delete_many([lock])
    cache = scenario.process()
    cache.read(scenario.item)
    scenario.time.pass_(400)
    scenario.memory.add(lock, "somebody", 60)
    cached = cache.read(scenario.item)
    assert (cached.value, cached.degraded) == (1, True)


def test_the_lock_of_a_crashed_owner_expires(scenario: CacheScenario) -> None:
    """Nobody lets it go, and still the next reader is served within its patience."""
    scenario.memory.add(cache_key("north", "lock", *scenario.item.parts), "crashed", 3)
    assert scenario.process().read(scenario.item).value == 1


def test_an_unexpected_error_reaches_the_reader_and_frees_the_key(scenario: CacheScenario) -> None:
    """A bug is not swallowed, not cached, and blocks nobody."""
    scenario.source.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        scenario.process().read(scenario.item)
    scenario.source.error = None
    assert scenario.process().read(scenario.item).value == 2


@pytest.mark.parametrize("rubbish", [b"\x80\x04pickle", b"{}", b"[1]", b'{"version":99}', "text", 7])
def test_rubbish_in_the_cache_counts_as_nothing(scenario: CacheScenario, rubbish: bytes | str | int) -> None:
    """Another version's or somebody else's bytes are fetched over, never a 500."""
    scenario.memory.set(cache_key("north", "value", *scenario.item.parts), rubbish, 60)
    assert scenario.process().read(scenario.item).value == 1


def test_a_payload_of_another_shape_counts_as_nothing(scenario: CacheScenario) -> None:
    """After an upgrade old payloads may not decode: they are fetched anew."""

    def unreadable(_raw: bytes) -> int:
        raise ValueError("another version")

    scenario.process().read(scenario.item)
    item = CacheItem(scenario.item.parts, scenario.source, scenario.item.encode, unreadable, LIFETIME)
    assert scenario.process().read(item).value == 2


def test_values_in_the_cache_are_json_under_hashed_names(scenario: CacheScenario) -> None:
    """Nothing that runs when it is read, and nothing to read in a key."""
    scenario.process().read(scenario.item)
    key = cache_key("north", "value", *scenario.item.parts)
    raw = scenario.memory.get_many([key])[key]
    assert isinstance(raw, bytes)
    document = json.loads(raw)
    assert (document["payload"], document["version"]) == (1, 1)
    assert "haircut" not in key
    assert "north" not in key


def test_a_clock_put_back_does_not_keep_a_value_fresh_for_hours(scenario: CacheScenario) -> None:
    """A value from the future is as old as it is far ahead."""
    cache = scenario.process()
    cache.read(scenario.item)
    scenario.time.step(-7200)
    scenario.time.pass_(1)
    assert cache.read(scenario.item).value == 2


def test_the_cache_going_down_takes_no_page_down(scenario: CacheScenario, caplog: pytest.LogCaptureFixture) -> None:
    """Reads go on from memory, fetch at most once per process, and the operator reads one line a minute."""
    cache = scenario.process()
    cache.read(scenario.item)
    cache.read(scenario.item)
    scenario.memory.broken = True
    with caplog.at_level(logging.ERROR):
        for _ in range(50):
            scenario.time.pass_(0.5)
            assert cache.read(scenario.item).value in {1, 2}
        assert cache.read(scenario.named("organization")).value == 3
    assert [record.getMessage() for record in caplog.records] == ["event=cache_unavailable error=ConnectionError"]
    assert scenario.source.calls == 3


def test_with_a_full_cache_values_are_stored_and_invalidated_in_the_process(scenario: CacheScenario) -> None:
    """Redis answering OOM to every write: values come and go in the process's memory."""
    scenario.memory.read_only = True
    cache = scenario.process()
    assert cache.read(scenario.item).value == 1
    assert cache.read(scenario.item).value == 1
    cache.invalidate("slots", "haircut")
    assert cache.read(scenario.item).value == 2
    scenario.memory.read_only = False
    scenario.time.pass_(6)
    assert cache.read(scenario.item).value in {2, 3}


def test_the_memory_of_a_process_is_bounded(scenario: CacheScenario) -> None:
    """A thousand keys cost no more memory than the newest few hundred."""
    clock = scenario.time.clock
    cache = ReadThroughCache(
        FallbackCache(scenario.memory, clock), account="north", run=at_once, clock=clock, size=8, **WAITS
    )
    items = [scenario.named("slots", str(number)) for number in range(50)]
    for item in items:
        cache.read(item)
    cache.lookup(*items)
    before = scenario.memory.trips
    for item in items[-8:]:
        cache.read(item)
    assert scenario.memory.trips == before
    cache.read(items[0])
    assert scenario.memory.trips == before + 1


def test_all_accounts_of_a_process_have_so_many_bytes_together(scenario: CacheScenario) -> None:
    """Fifty accounts cost no more memory than one; what doesn't fit is read from the shared cache, and is right."""
    clock, budget = scenario.time.clock, MemoryBudget(100_000)
    fallback = FallbackCache(scenario.memory, clock)
    caches = [
        ReadThroughCache(fallback, account=f"account-{number}", run=at_once, clock=clock, budget=budget, **WAITS)
        for number in range(50)
    ]

    def item(size: int, month: str = "2026-12") -> CacheItem[str]:
        parts = ("slots", "haircut", month)
        return CacheItem(parts, lambda: "x" * size, lambda value: json.dumps(value).encode(), json.loads, LIFETIME)

    for _again in range(2):
        for cache in caches:
            assert cache.read(item(5000)).value == "x" * 5000
            assert budget.used_bytes <= 100_000
    assert budget.used_bytes > 70_000
    before = scenario.memory.trips
    caches[-1].read(item(5000))
    assert scenario.memory.trips == before
    # Nothing of it fits, and it is served all the same.
    assert caches[0].read(item(90_000, "2027-01")).value == "x" * 90_000


def test_keys_filled_together_do_not_run_out_together(scenario: CacheScenario) -> None:
    """Freshness varies within its last tenth."""
    cache = scenario.process(run=lambda _job: True)
    items = [scenario.named("slots", str(number)) for number in range(60)]
    for item in items:
        cache.read(item)
    scenario.time.pass_(14.25)
    stale = sum(cache.read(item).stale for item in items)
    assert 5 < stale < 55
    scenario.time.pass_(1)
    assert all(cache.read(item).stale for item in items)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["read", "read", "read", "invalidate", "lookup", "fail", "mend"]),
        st.integers(0, 2),
        st.floats(0, 20),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(actions=ACTIONS)
def test_at_most_one_fetch_at_a_time_and_never_an_old_value_after_an_invalidation(
    actions: list[tuple[str, int, float]],
) -> None:
    """Any interleaving of three processes: other processes act in the middle of each fetch and each wait."""
    scenario = CacheScenario()
    queue: list[Callable[[], object]] = []
    processes = [scenario.process(run=lambda job: queue.append(job) or True) for _ in range(3)]
    script = iter(actions)
    busy: set[int] = set()
    state = {"fetching": 0, "most": 0, "calls_at_invalidation": 0, "began": 0.0}

    def act() -> None:
        step = next(script, None)
        if step is None:
            return
        what, who, seconds = step
        if what == "read" and who in busy:
            return  # a thread can't read while it reads; test_single_flight tests other threads
        # A fetch never outlives its lock: the client's own deadline is far below it.
        scenario.time.pass_(seconds if not state["fetching"] else min(seconds, 0.2))
        if what == "read":
            calls_at_invalidation = state["calls_at_invalidation"]
            scenario.time.pass_(1)
            busy.add(who)
            try:
                cached = processes[who].read(scenario.item)
            except Unavailable:
                return
            finally:
                busy.remove(who)
            assert cached.degraded or cached.value > calls_at_invalidation
        elif what == "invalidate":
            processes[who].invalidate("slots", "haircut")
            state["calls_at_invalidation"] = scenario.source.calls
        elif what == "lookup":
            processes[who].lookup(scenario.item)
        else:
            scenario.source.error = Unreachable() if what == "fail" else None

    def fetching() -> None:
        state["fetching"] += 1
        state["most"] = max(state["most"], state["fetching"])
        began = scenario.time.steady
        act()
        assert scenario.time.steady - began < LOCK_TTL - 1
        state["fetching"] -= 1

    scenario.source.meanwhile = fetching
    for _ in actions:
        act()
        if queue:
            queue.pop(0)()
    assert state["most"] <= 1


def test_it_works_on_the_real_clock() -> None:
    """The defaults are the real ones."""
    clock = Clock()
    cache = ReadThroughCache(FallbackCache(None, clock), account="a", run=at_once, **WAITS)
    item = CacheItem(("organization",), lambda: 5, lambda value: str(value).encode(), int, LIFETIME)
    assert cache.read(item).value == cache.read(item).value == 5


@pytest.mark.parametrize("backend", ["locmem", "file"])
def test_a_crowd_of_threads_fetches_once_on_caches_that_do_not_lock(backend: str, tmp_path: Path) -> None:
    """LocMem is each process's own and files race; inside a process one fetch at a time holds all the same."""
    site_cache: BaseCache = LocMemCache("crowd", {}) if backend == "locmem" else FileBasedCache(str(tmp_path), {})
    site_cache.clear()
    # Not about how long somebody waits: 24 threads on a busy machine may need more than the usual seconds.
    patient = WAITS | {"max_wait_seconds": 25}
    cache = ReadThroughCache(FallbackCache(site_cache, Clock()), account="a", run=at_once, **patient)
    source, barrier, values = Source(), threading.Barrier(24, timeout=30), []
    item = CacheItem(("organization",), source, lambda value: str(value).encode(), int, LIFETIME)

    def read() -> None:
        barrier.wait()
        values.append(cache.read(item).value)

    threads = [threading.Thread(target=read) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert values == [1] * 24
    assert source.calls == 1


def test_read_cached_never_fetches(scenario: CacheScenario) -> None:
    """A fresh or stale value is returned and not refreshed; for others it raises Unavailable."""
    cache = scenario.process()
    with pytest.raises(Unavailable, match="not_cached"):
        cache.read_cached(scenario.item)
    cache.read(scenario.item)
    assert cache.read_cached(scenario.item).value == 1
    scenario.time.pass_(LIFETIME.fresh + 1)
    cached = cache.read_cached(scenario.item)
    assert (cached.value, cached.stale) == (1, True)
    scenario.time.pass_(LIFETIME.stale_while_revalidate)
    with pytest.raises(Unavailable, match="not_cached"):
        cache.read_cached(scenario.item)
    assert scenario.source.calls == 1


def test_is_current_refreshes_only_on_request(scenario: CacheScenario) -> None:
    """With `refresh=False` nothing is started."""
    cache = scenario.process()
    cache.read(scenario.item)
    scenario.time.pass_(LIFETIME.fresh + 1)
    reads = [(scenario.item, cache.read_cached(scenario.item))]
    assert cache.is_current(reads, refresh=False)
    assert scenario.source.calls == 1
    assert cache.is_current(reads)
    assert scenario.source.calls == 2
