"""What the catalog reads through: the account's cache and one request's view of it answer alike."""

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
from tests.upstream.test_read_through import Scene

METHODS = sorted(name for name in vars(CatalogCache) if not name.startswith("_"))
KINDS: dict[str, Callable[[ReadThroughCache], CatalogCache]] = {
    "cache of the account": lambda shelf: shelf,
    "view of one request": RequestView,
    "view that fetches nothing": lambda shelf: RequestView(shelf, at_hand=True),
}
"""mypy holds each of them to the protocol."""


@pytest.fixture
def scene() -> Scene:
    """A cache shared by processes on a clock in our hands."""
    return Scene()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """One of all that can stand behind the catalog's parameter."""
    return str(request.param)


@pytest.fixture
def cache(scene: Scene, kind: str) -> CatalogCache:
    """In a process of its own, which remembers nothing yet."""
    return KINDS[kind](scene.process())


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
def test_look_returns_one_entry_for_each_item_in_their_order(scene: Scene, cache: CatalogCache, count: int) -> None:
    """Also for no item at all; what is not cached is an entry without a value. Nothing is fetched."""
    items = [scene.named("slots", "haircut", str(number)) for number in range(count)]
    other = scene.process()
    expected = [other.read(item).value for item in items[1:]]
    calls = scene.source.calls
    assert [held.value for held in cache.lookup(*items)] == [None, *expected][:count]
    assert scene.source.calls == calls


def test_a_cached_value_is_read_as_it_is(scene: Scene, cache: CatalogCache) -> None:
    """One that need not be fetched, nor is being fetched."""
    scene.process().read(scene.item)
    assert not cache.needs_fetch(scene.item)
    assert not cache.is_fetching(scene.item)
    assert cache.read(scene.item) == Cached(1, scene.time.wall)
    assert scene.source.calls == 1


def test_a_missing_value_is_fetched_once(scene: Scene, cache: CatalogCache, kind: str) -> None:
    """By whoever reads it first; the view that fetches nothing says that it can't be read."""
    if kind == "view that fetches nothing":
        assert not cache.needs_fetch(scene.item)
        with pytest.raises(Unavailable):
            cache.read(scene.item)
        assert scene.source.calls == 0
        return
    assert cache.needs_fetch(scene.item)
    assert [cache.read(scene.item).value for _ in range(2)] == [1, 1]
    assert not cache.needs_fetch(scene.item)
    assert scene.source.calls == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "view that fetches nothing"])
def test_what_was_begun_is_read_and_not_fetched_again(scene: Scene, cache: CatalogCache) -> None:
    """`begin` returns the fetch that is under way."""
    begun = cache.start_fetch(scene.item)
    assert begun is not None
    assert cache.read(scene.item).value == 1
    assert not cache.needs_fetch(scene.item)
    assert scene.source.calls == 1


@pytest.mark.parametrize("error", [NotFound(operation="service"), Unavailable(reason="server_error")])
def test_a_failure_is_raised_alike(scene: Scene, cache: CatalogCache, kind: str, error: Exception) -> None:
    """With the same class; the view that fetches nothing knows only that it has nothing."""
    scene.source.error = error
    expected = Unavailable if kind == "view that fetches nothing" else type(error)
    with pytest.raises(expected):
        cache.read(scene.item)


def test_what_is_forgotten_is_not_served_as_fresh(scene: Scene, cache: CatalogCache, kind: str) -> None:
    """It is fetched anew, or is not there for those who fetch nothing."""
    scene.process().read(scene.item)
    cache.invalidate("slots", "haircut")
    if kind == "view that fetches nothing":
        with pytest.raises(Unavailable):
            cache.read(scene.item)
    else:
        assert cache.read(scene.item).value == 2


def test_a_refused_key_closes_everything(scene: Scene, cache: CatalogCache) -> None:
    """What is cached is not served any more, by any of them."""
    scene.process().read(scene.item)
    cache.mark_key_refused(KeyRefused(operation="create"))
    with pytest.raises(KeyRefused):
        cache.read(scene.item)


class NoClient:
    """A client that is asked for nothing."""

    def organization(self) -> None:
        raise AssertionError("nothing is fetched here")

    service = availability = organization


@pytest.mark.parametrize("months", [[], [date(2026, 12, 1)]])
def test_the_state_of_the_cache_can_be_asked_for_through_each(
    scene: Scene, cache: CatalogCache, months: list[date]
) -> None:
    """Also for no month, through a view of one request."""
    lifetimes = build_lifetimes(Account())
    client = NoClient()
    catalog = Catalog(account="north", client=client, shelf=cache, lifetimes=lifetimes, clock=scene.time.clock)
    [status] = catalog.cache_status(months)
    assert (status.what, status.state) == ("offer", "absent")
