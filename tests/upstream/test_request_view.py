"""The request-scoped cache: the values that one page reads, and whether it would read the same again."""

import pytest

from kordless_booking.exceptions import KeyRefused, Unavailable
from kordless_booking.upstream.request_view import RequestView
from tests.support.cache_scenario import CacheScenario


@pytest.fixture
def scenario() -> CacheScenario:
    """Return new processes around an empty cache."""
    return CacheScenario()


def test_a_page_reads_an_item_once(scenario: CacheScenario):
    """Even when a new value arrives meanwhile: a page should not contradict itself."""
    view = RequestView(scenario.process())
    assert view.read(scenario.item).value == 1
    scenario.process().invalidate("slots", "haircut")
    assert scenario.process().read(scenario.item).value == 2
    scenario.time.pass_(2)
    assert view.read(scenario.item).value == 1


def test_items_looked_up_together_cost_one_round_trip(scenario: CacheScenario):
    """Reading them afterward costs none, with an empty local cache too."""
    items = [scenario.named("slots", "haircut", month) for month in ("2026-12", "2027-01")]
    for item in items:
        scenario.process().read(item)
    view, before = RequestView(scenario.process()), scenario.memory.trips
    view.lookup(*items)
    assert [view.read(item).value for item in items] == [1, 2]
    view.lookup(*items)
    assert scenario.memory.trips == before + 1


def test_a_snapshot_is_current_until_a_value_is_stale(scenario: CacheScenario):
    """The check fetches nothing itself."""
    cache = scenario.process()
    view = RequestView(cache)
    view.read(scenario.item)
    snapshot = view.snapshot()
    assert snapshot.is_current()
    scenario.time.pass_(16)
    assert not snapshot.is_current(), "it is stale now"
    calls = scenario.source.calls
    scenario.time.pass_(400)
    assert not snapshot.is_current()
    assert scenario.source.calls == calls


def test_a_snapshot_is_outdated_when_another_process_has_fetched_again(scenario: CacheScenario):
    """Invalidated there and fetched again: another entry, even with an equal value."""
    view = RequestView(scenario.process())
    view.read(scenario.item)
    snapshot, other = view.snapshot(), scenario.process()
    other.invalidate("slots", "haircut")
    other.read(scenario.item)
    scenario.time.pass_(2)
    assert not snapshot.is_current()


def test_a_snapshot_is_outdated_once_the_api_key_is_rejected(scenario: CacheScenario):
    """A closed account shows nothing anymore."""
    view = RequestView(scenario.process())
    view.read(scenario.item)
    snapshot = view.snapshot()
    scenario.process().mark_key_refused(KeyRefused(operation="create"))
    scenario.time.pass_(2)
    assert not snapshot.is_current()


def test_an_invalidation_clears_the_view_and_counts_for_its_process(scenario: CacheScenario):
    """Whoever books sees it at once."""
    cache = scenario.process()
    view, before = RequestView(cache), cache.invalidations
    assert view.read(scenario.item).value == 1
    view.invalidate("slots", "haircut")
    assert cache.invalidations == before + 1
    assert view.read(scenario.item).value == 2
    view.mark_key_refused(KeyRefused(operation="create"))
    assert cache.invalidations == before + 2
    with pytest.raises(KeyRefused):
        view.read(scenario.item)


def test_an_invalidation_outdates_the_snapshots_of_its_account_at_once(scenario: CacheScenario):
    """Within the local cache's second too, also one that no view has made, and not those of another account."""
    north, south = scenario.process(account="north"), scenario.process(account="south")
    snapshots = []
    for cache in (north, south):
        view = RequestView(cache)
        view.read(scenario.item)
        snapshots.append(view.snapshot())
    before = scenario.memory.trips
    assert [snapshot.is_invalidated for snapshot in snapshots] == [False, False]
    assert scenario.memory.trips == before
    north.invalidate("service", "massage")
    assert [snapshot.is_invalidated for snapshot in snapshots] == [True, False]


def test_an_invalidation_during_a_request_outdates_its_snapshot(scenario: CacheScenario):
    """The snapshot counts from the time before the first read."""
    cache = scenario.process()
    view = RequestView(cache)
    scenario.source.meanwhile = lambda: cache.invalidate("slots", "haircut")
    view.read(scenario.item)
    assert view.snapshot().is_invalidated


def test_a_rejected_api_key_outdates_the_snapshots_of_this_process_at_once(scenario: CacheScenario):
    """Also when a fetch behind the page was rejected, and not a booking."""
    cache = scenario.process()
    view = RequestView(cache)
    view.read(scenario.item)
    snapshot = view.snapshot()
    scenario.source.error = KeyRefused(operation="organization")
    with pytest.raises(KeyRefused):
        cache.read(scenario.named("organization"))
    assert snapshot.is_invalidated


def test_with_cached_only_nothing_is_fetched(scenario: CacheScenario):
    """A prefetch costs Kordless nothing."""
    assert not RequestView(scenario.process(), cached_only=True).needs_fetch(scenario.item)
    assert RequestView(scenario.process()).needs_fetch(scenario.item)


def test_a_started_fetch_is_not_started_again(scenario: CacheScenario):
    """It is read as it came."""
    view = RequestView(scenario.process())
    view.start_fetch(scenario.item)
    assert not view.needs_fetch(scenario.item)
    assert view.read(scenario.item).value == 1
    assert not view.needs_fetch(scenario.item)
    assert scenario.source.calls == 1


def test_a_value_that_arrives_while_the_page_waits_is_not_fetched(scenario: CacheScenario):
    """It was missing at the lookup, and another process has stored it before it is needed."""
    december, january = (scenario.named("slots", "haircut", month) for month in ("2026-12", "2027-01"))
    view, other = RequestView(scenario.process()), scenario.process()
    view.lookup(december, january)
    scenario.source.meanwhile = lambda: setattr(scenario.source, "meanwhile", lambda: None) or other.read(january)
    view.read(december)
    assert not view.needs_fetch(january)


def test_an_item_that_another_page_fetches_is_not_fetched_again(scenario: CacheScenario):
    """It is joined when it is needed."""
    jobs: list[object] = []
    cache = scenario.process(run=lambda job: jobs.append(job) is None)
    cache.read(scenario.item)
    scenario.time.pass_(20)
    cache.read(scenario.item)  # a refresh waits for a thread
    scenario.time.pass_(400)
    assert jobs
    assert not RequestView(cache).needs_fetch(scenario.item)


def test_a_snapshot_without_an_item_is_outdated_when_the_item_is_cached(scenario: CacheScenario):
    """At once in the process that fetched it, in every other with the next check, and a failure is no value."""
    views = {name: RequestView(scenario.process()) for name in ("here", "there")}
    lacking = scenario.named("service", "haircut")
    snapshots = {}
    for name, view in views.items():
        view.read(scenario.item)
        view.record_missing(lacking)
        snapshots[name] = view.snapshot()
        assert snapshots[name].is_current()
    scenario.source.error = Unavailable()
    with pytest.raises(Unavailable):
        views["here"].read(lacking)
    assert all(each.is_current() for each in snapshots.values())
    scenario.source.error = None
    scenario.time.pass_(3)
    views["here"].read(lacking)
    assert [each.is_invalidated for each in snapshots.values()] == [True, False]
    assert not snapshots["there"].is_current()
