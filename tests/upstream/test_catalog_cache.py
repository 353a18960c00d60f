"""Caches of the catalog: the account's cache and one request's view of it behave alike."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import date

import pytest

from kordless_booking.conf import Account
from kordless_booking.exceptions import KeyRefused, NotFound, Unavailable
from kordless_booking.upstream.catalog import Catalog
from kordless_booking.upstream.entries import Cached, CatalogCache
from kordless_booking.upstream.read_through import ReadThroughCache
from kordless_booking.upstream.registry import build_lifetimes
from kordless_booking.upstream.request_view import RequestView
from tests.support.cache_scenario import CacheScenario

METHODS = sorted(name for name in vars(CatalogCache) if not name.startswith("_"))
KINDS: dict[str, Callable[[ReadThroughCache], CatalogCache]] = {
    "cache of the account": lambda cache: cache,
    "view of one request": RequestView,
    "view that fetches nothing": lambda cache: RequestView(cache, cached_only=True),
}
"""mypy holds each of them to the protocol."""


@pytest.fixture
def scenario() -> CacheScenario:
    """Return new processes around an empty cache."""
    return CacheScenario()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """One of all that can stand behind the catalog's parameter."""
    return str(request.param)


@pytest.fixture
def cache(scenario: CacheScenario, kind: str) -> CatalogCache:
    """Return the implementation in a new process, whose local cache is empty."""
    return KINDS[kind](scenario.process())


@pytest.mark.parametrize("implementation", [ReadThroughCache, RequestView])
@pytest.mark.parametrize("method", METHODS)
def test_each_method_is_called_in_the_same_way(implementation: type, method: str) -> None:
    """The protocol's parameters come first, under the same names; what comes after them has a default."""
    promised = getattr(CatalogCache, method)
    given = getattr(implementation, method)
    if isinstance(promised, property):
        assert isinstance(given, property)
        return
    wanted, found = (list(inspect.signature(each).parameters.values()) for each in (promised, given))
    assert [(each.name, each.kind) for each in found[: len(wanted)]] == [(each.name, each.kind) for each in wanted]
    assert all(each.default is not each.empty for each in found[len(wanted) :])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_lookup_returns_one_entry_for_each_item_in_their_order(
    scenario: CacheScenario, cache: CatalogCache, count: int
) -> None:
    """Also for no item at all; what is not cached is an entry without a value. Nothing is fetched."""
    items = [scenario.named("slots", "haircut", str(number)) for number in range(count)]
    other = scenario.process()
    expected = [other.read(item).value for item in items[1:]]
    calls = scenario.source.calls
    assert [entry.value for entry in cache.lookup(*items)] == [None, *expected][:count]
    assert scenario.source.calls == calls


def test_a_cached_value_is_read_as_it_is(scenario: CacheScenario, cache: CatalogCache) -> None:
    """One that need not be fetched, nor is being fetched."""
    scenario.process().read(scenario.item)
    assert not cache.needs_fetch(scenario.item)
    assert not cache.is_fetching(scenario.item)
    assert cache.read(scenario.item) == Cached(1, scenario.time.wall)
    assert scenario.source.calls == 1


def test_a_missing_value_is_fetched_once(scenario: CacheScenario, cache: CatalogCache, kind: str) -> None:
    """By whoever reads it first; the view that fetches nothing says that it can't be read."""
    if kind == "view that fetches nothing":
        assert not cache.needs_fetch(scenario.item)
        with pytest.raises(Unavailable):
            cache.read(scenario.item)
        assert scenario.source.calls == 0
        return
    assert cache.needs_fetch(scenario.item)
    assert [cache.read(scenario.item).value for _ in range(2)] == [1, 1]
    assert not cache.needs_fetch(scenario.item)
    assert scenario.source.calls == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "view that fetches nothing"])
def test_a_started_fetch_is_read_and_not_repeated(scenario: CacheScenario, cache: CatalogCache) -> None:
    """`start_fetch` returns the fetch that is in progress."""
    started = cache.start_fetch(scenario.item)
    assert started is not None
    assert cache.read(scenario.item).value == 1
    assert not cache.needs_fetch(scenario.item)
    assert scenario.source.calls == 1


@pytest.mark.parametrize("error", [NotFound(operation="service"), Unavailable(reason="server_error")])
def test_a_failure_is_raised_alike(scenario: CacheScenario, cache: CatalogCache, kind: str, error: Exception) -> None:
    """With the same class; the view that fetches nothing knows only that it has nothing."""
    scenario.source.error = error
    expected = Unavailable if kind == "view that fetches nothing" else type(error)
    with pytest.raises(expected):
        cache.read(scenario.item)


def test_an_invalidated_value_is_not_served_as_fresh(scenario: CacheScenario, cache: CatalogCache, kind: str) -> None:
    """It is fetched anew, or is not there for those who fetch nothing."""
    scenario.process().read(scenario.item)
    cache.invalidate("slots", "haircut")
    if kind == "view that fetches nothing":
        with pytest.raises(Unavailable):
            cache.read(scenario.item)
    else:
        assert cache.read(scenario.item).value == 2


def test_a_rejected_api_key_closes_everything(scenario: CacheScenario, cache: CatalogCache) -> None:
    """A cached value is not served anymore, by any implementation, once the API key is rejected."""
    scenario.process().read(scenario.item)
    cache.mark_key_refused(KeyRefused(operation="create"))
    with pytest.raises(KeyRefused):
        cache.read(scenario.item)


class NoClient:
    """A client that is asked for nothing."""

    def organization(self) -> None:
        raise AssertionError("nothing is fetched here")

    service = availability = organization


@pytest.mark.parametrize("months", [[], [date(2026, 12, 1)]])
def test_the_state_of_the_cache_can_be_asked_for_through_each(
    scenario: CacheScenario, cache: CatalogCache, months: list[date]
) -> None:
    """Also for no month, through a view of one request."""
    lifetimes = build_lifetimes(Account())
    client = NoClient()
    catalog = Catalog(account="north", client=client, cache=cache, lifetimes=lifetimes, clock=scenario.time.clock)
    [status] = catalog.cache_status(months)
    assert (status.what, status.state) == ("organization", "absent")
