"""Waiting list: what most different addresses wait for is next, nobody is overtaken for ever, and it is bounded."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.exceptions import TooMany
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.rate_limiter import ADDRESS_LIMIT, RESERVED, TURN, Priority, Quota, RateLimiter
from kordless_booking.upstream.requester import Requester, requested_by
from kordless_booking.upstream.waiting_list import (
    ADDRESSES_PER_NETWORK,
    MAX_PLACES,
    PLACE_SECONDS,
    PLACES_PER_ADDRESS,
    PLACES_PER_ITEM,
    Place,
    WaitingList,
    _Snapshot,
)
from tests.support.controlled_cache import HandTime, SharedMemory


class Line:
    """Processes that share one quota of seven requests, six of them to browse, and one waiting list."""

    def __init__(self, quota: Quota | None = None) -> None:
        self.time = HandTime()
        self.memory = SharedMemory(self.time.clock)
        self.quota = quota or Quota(7, 1)
        self.limiter, self.list = self.process()

    def process(self) -> tuple[RateLimiter, WaitingList]:
        """Return the parts of a new process."""
        clock, cache = self.time.clock, FallbackCache(self.memory, self.time.clock)
        limiter = RateLimiter(cache, account="key", clock=clock, quota=self.quota)
        return limiter, WaitingList(cache, limiter, account="key", clock=clock)

    def fetch(self, item: str, address: str, network: str | None = None) -> TooMany | None:
        """Fetch an item for a visitor as the read-through cache does. Return the refusal, if any."""
        with requested_by(Requester(lambda: address, 15, lambda: network)):
            try:
                self.list.check("slots", item)
                permit = self.limiter.acquire("availability", self.limiter._cache.get_many(self.limiter.keys()))
            except TooMany as error:
                return self.list.join(item, error)
            self.limiter.release(permit, "availability", None)
            self.list.leave(item)
        return None

    def use_up(self, *, every: float = 0.0) -> None:
        """Take all permits to browse, one in so many seconds, each for an address of its own."""
        for number in range(len(self.quota.permits(Priority.BROWSE))):
            assert self.fetch(f"early {number}", f"early {number}") is None
            self.time.pass_(every)

    @property
    def places(self) -> int:
        """Return the number of places taken."""
        return len(self.memory.get_many(self.list._keys))


def reason(refusal: TooMany | None) -> str:
    """Return the reason of a refusal, or "" for none."""
    return refusal.reason if refusal else ""


@pytest.fixture
def line() -> Line:
    """Return processes whose six permits are taken, and become free one every two seconds from second 61 on.

    It is second 12.
    """
    line = Line()
    line.use_up(every=2)
    return line


def test_a_free_permit_is_for_what_most_different_addresses_wait_for(line: Line) -> None:
    """Whose item isn't first is refused without taking the permit, and told when it is."""
    refusals = [line.fetch("rare", "a"), *(line.fetch("popular", name) for name in "bcd")]
    assert [reason(refusal) for refusal in refusals] == ["quota", *["turn"] * 3]
    line.time.pass_(49.5)
    refused = line.fetch("rare", "a")
    assert (reason(refused), refused and refused.retry_after) == (TURN, 2)
    assert line.fetch("popular", "c") is None
    assert reason(line.fetch("rare", "a")) == TURN
    line.time.pass_(2)
    assert line.fetch("rare", "a") is None
    assert line.places == 0


def test_a_free_permit_is_taken_while_the_clock_runs(line: Line) -> None:
    """Time passes between two looks at it, as it doesn't in a test whose clock stands still."""
    line.fetch("first", "a")
    line.time.pass_(50)
    line.time.tick = 0.001
    assert line.fetch("first", "a") is None


def test_a_visitor_who_comes_new_does_not_overtake_those_who_wait(line: Line) -> None:
    """Also for an item that nobody has asked for yet."""
    line.fetch("first", "a")
    line.time.pass_(49.5)
    assert reason(line.fetch("new", "b")) == TURN
    assert line.fetch("first", "a") is None


def test_nobody_is_overtaken_for_ever(line: Line) -> None:
    """New items with three addresses each keep coming; one visitor of another is served all the same."""
    line.fetch("lonely", "z")
    served = 0
    for second in range(200):
        line.time.pass_(1)
        for name in "abc":
            line.fetch(f"new {second // 2}", f"{name} {second}")
        if line.fetch("lonely", "z") is None:
            break
        served += 1
    assert served < 150


def test_a_place_behind_the_reserve_for_newcomers_is_ones_own_affair() -> None:
    """An address that has fetched in this minute can't make it look as if nobody could fetch the item now."""
    line = Line(Quota(16, 1))  # fifteen to browse, ten of them for returning addresses
    # The first of them may be one of the five for newcomers.
    assert sum(line.fetch(f"early {number}", "greedy") is None for number in range(12)) in {10, 11}
    for number in range(3):
        line.fetch(f"more {number}", f"other {number}")
    line.limiter.mark_exhausted({})
    assert [reason(line.fetch("item", name)) for name in ("greedy", "new")] == [RESERVED, ""]


def test_all_who_wait_for_an_item_leave_the_list_when_it_is_fetched(line: Line) -> None:
    """What is in the cache needs no permit."""
    for name in "abc":
        line.fetch("popular", name)
    line.fetch("rare", "d")
    assert line.places == 4
    line.time.pass_(50)
    assert line.fetch("popular", "a") is None
    assert line.places == 1


def test_a_place_is_kept_by_asking_again_and_lost_with_the_tab(line: Line) -> None:
    """Its age counts from the first time."""
    line.fetch("lost", "b")
    began = line.time.wall
    line.fetch("kept", "a")
    for _ in range(2):
        line.time.pass_(24)
        line.fetch("kept", "a")
    assert line.places == 2
    line.time.pass_(PLACE_SECONDS - 48)
    places = [Place(*msgspec.json.decode(raw)) for raw in line.memory.get_many(line.list._keys).values()]
    assert places == [Place("kept", "a", began, is_newcomer=True)]


@pytest.mark.parametrize(
    ("visitors", "most"),
    [
        ([("one", "a")] * 40, 1),
        ([(f"item {number}", "a") for number in range(40)], PLACES_PER_ADDRESS),
        ([("one", f"address {number}") for number in range(40)], PLACES_PER_ITEM),
        ([(f"item {number}", f"address {number}") for number in range(MAX_PLACES + 40)], MAX_PLACES),
    ],
)
def test_places_are_bounded(line: Line, visitors: list[tuple[str, str]], most: int) -> None:
    """One address, one item or many of both: whoever finds no place is told to wait like the others."""
    for item, address in visitors:
        refused = line.fetch(item, address)
        assert refused is not None
        assert (refused.retry_after or 0) >= 1
    assert line.places == most


def test_the_addresses_of_one_network_fill_no_list_and_come_before_no_crowd(line: Line) -> None:
    """Its owner has a new address for each request; what more others wait for is next all the same."""
    for number in range(100):
        line.fetch("theirs", f"own {number}", "network")
        line.fetch(f"theirs {number}", f"own {number}", "network")
    assert line.places <= ADDRESSES_PER_NETWORK * PLACES_PER_ADDRESS
    for number in range(ADDRESSES_PER_NETWORK + 1):
        line.fetch("ours", f"guest {number}")
    line.time.pass_(49.5)
    assert reason(line.fetch("theirs", "own 1", "network")) == TURN
    assert line.fetch("ours", "guest 1") is None


def test_a_limit_of_ones_own_gives_no_place(line: Line) -> None:
    """Nobody else has to wait behind it."""
    line.fetch("first", "a")
    own = TooMany(reason=ADDRESS_LIMIT, retry_after=7)
    with requested_by(Requester(lambda: "greedy", 15)):
        assert line.list.join("other", own) is own
    assert line.places == 1


def test_while_nobody_waits_the_list_costs_one_round_trip() -> None:
    """And background work none at all."""
    line = Line()
    before = line.memory.trips
    line.list.check("slots", "item")
    assert line.memory.trips == before
    with requested_by(Requester(lambda: "a", 15)):
        line.list.check("slots", "item")
    assert line.memory.trips == before + 1


def test_other_processes_keep_the_same_order(line: Line) -> None:
    """They read the same places."""
    for name in "abc":
        line.fetch("popular", name)
    line.time.pass_(49.5)
    line.limiter, line.list = line.process()
    assert reason(line.fetch("rare", "d")) == TURN
    assert line.fetch("popular", "a") is None


@pytest.mark.parametrize("rubbish", [b"{}", b"[1]", b"\x80pickle", "text", 7])
def test_rubbish_in_the_cache_is_no_place(line: Line, rubbish: bytes | str | int) -> None:
    """Another version may have written it."""
    line.fetch("first", "a")
    line.memory.set(line.list._keys[0], rubbish, 60)
    line.time.pass_(49.5)
    assert line.fetch("first", "a") is None


def test_a_place_names_nobody_in_the_clear(line: Line) -> None:
    """Keys are numbers, and values have what the requester says: a keyed hash."""
    line.fetch("item", "hash-of-an-address")
    [(_, raw)] = line.memory.get_many(line.list._keys).items()
    assert raw == b'["item","hash-of-an-address",1800000012.0,true]'


PLACES = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("uvwxyz"), st.floats(0, 900), st.booleans()), max_size=30
)


@given(PLACES)
def test_items_have_one_order_whatever_waits(rows: list[tuple[str, str, float, bool]]) -> None:
    """No two items have the same rank, so of n that wait never more than n permits are meant for them."""
    snapshot = _Snapshot(0.0, {}, {number: Place(*row) for number, row in enumerate(rows)})
    waiting = {item: address for item, address, _, _ in rows}
    ranks = [snapshot.count_ahead(item, waiting[item], 1000.0, is_newcomer=False) for item in waiting]
    assert sorted(ranks) == list(range(len(waiting)))
    for item, address in waiting.items():
        as_newcomer = snapshot.count_ahead(item, address, 1000.0, is_newcomer=True)
        assert as_newcomer <= snapshot.count_ahead(item, address, 1000.0, is_newcomer=False)
