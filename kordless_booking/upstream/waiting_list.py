"""Waiting list of the visitors whom the quota has refused: what most of them wait for is fetched next.

A place says that one client address waits for one cache item, and since when. Places are numbered keys in the cache, so
their number is bounded, and `cache.add` gives each to one visitor. A place expires unless its visitor's page renews it,
so nobody waits behind a closed tab.

Items are ordered by the number of different addresses that wait, and by the age of the oldest place: each
`SECONDS_PER_ADDRESS` of waiting counts as much as one address more, so nobody is overtaken for ever. A visitor may try
for a permit when fewer items are ahead than permits are free; all others are refused without taking one, and told when
it is their turn. Nothing of this costs a round trip unless the quota has refused somebody in the last minute.

As the rate limiter keeps permits for addresses that have caused no fetch in this minute, the list keeps two orders:
only newcomers are ahead of a newcomer.
"""

from __future__ import annotations

import random
import threading
import zlib
from collections import defaultdict
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import msgspec

from kordless_booking.api.msgspec_warmup import warm_up
from kordless_booking.exceptions import TooMany

from .keys import cache_key
from .rate_limiter import ADDRESS_LIMIT, PERMIT_SECONDS, RESERVED, TURN
from .requester import Requester, current_requester
from .worker import in_background

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kordless_booking.clock import Clock

    from .fallback_cache import FallbackCache
    from .memory_cache import Storable
    from .rate_limiter import RateLimiter

MAX_PLACES = 512
"""Places on the list. Who finds none gets the busy page as well, and comes after those who have one."""
PLACES_PER_ADDRESS = 8
"""Places of one client address: two pages of times lack four items each at most."""
PLACES_PER_ITEM = 16
"""Places for one item: it comes first with these, and more would only keep others from the list."""
ADDRESSES_PER_NETWORK = 8
"""Addresses as which a whole network counts (`Requester.network`): its owner may have many more, and would else have
every place, and the first turn for each item."""
PLACE_SECONDS = 75
"""Seconds until a place expires. More than twice the 30 after which a waiting page asks again at the latest."""
SECONDS_PER_ADDRESS = 10.0
"""Seconds of waiting that count as much as one address more."""
SNAPSHOT_SECONDS = 1.0
"""Seconds for which a process goes by what it has read of the list. The order may be a moment late: the rate limiter
decides who gets a permit.
"""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Place on the list. Cached as JSON."""

    item: str
    """Hash of the cache item's key."""
    address: str
    """Keyed hash of the client address, or of a part of its network (`_identity`)."""
    since: float
    """When the address began to wait, in Unix seconds."""
    is_newcomer: bool
    """The address had caused no fetch in the minute before it began to wait, or asked again."""


warm_up(Place)


@dataclass(slots=True)
class _Snapshot:
    """The list and the permits, as one read found them."""

    read_at: float
    """Unix seconds."""
    limiter_values: Mapping[str, Storable]
    """Values that the cache holds under the rate limiter's keys."""
    places: dict[int, Place]
    """By number."""

    def count_ahead(self, item: str, address: str, now: float, *, is_newcomer: bool) -> int:
        """Return how many items are fetched before `item`, if this address waits for it."""
        addresses: defaultdict[str, set[str]] = defaultdict(set)
        since: dict[str, float] = {}
        addresses[item].add(address)
        for place in self.places.values():
            if place.is_newcomer or not is_newcomer or place.item == item:
                addresses[place.item].add(place.address)
                since[place.item] = min(place.since, since.get(place.item, now))
        # The name decides between equals, so that all processes agree.
        ranks = {
            name: (len(waiting) + (now - since.get(name, now)) / SECONDS_PER_ADDRESS, name)
            for name, waiting in addresses.items()
        }
        return sum(rank > ranks[item] for rank in ranks.values())


class WaitingList:
    """Waiting list for the permits of one API key."""

    def __init__(self, cache: FallbackCache, limiter: RateLimiter, *, account: str, clock: Clock) -> None:
        self._cache = cache
        self._limiter = limiter
        self._clock = clock
        self._keys = [cache_key(account, "waiting", str(number)) for number in range(MAX_PLACES)]
        self._guard = threading.Lock()
        self._snapshot: _Snapshot | None = None

    def check(self, operation: str, item: str) -> None:
        """Raise TooMany when a visitor's fetch of `item` would take the permit of those ahead.

        The reason is "turn"; "reserved" where only a newcomer's fetch would not.
        """
        requester, snapshot = _waiting_requester(), None
        if requester is not None:
            snapshot = self._read()
        if requester is None or snapshot is None:
            return
        # One time for all that is compared: read again, it would be later, and no permit would be free yet.
        is_newcomer, now = self._limiter.is_newcomer(requester), self._clock.now()
        ahead, free_at = self._turn(snapshot, item, requester, now, is_newcomer=is_newcomer)
        if _has_turn(ahead, free_at, now):
            return
        # Where a newcomer would be let through, the refusal concerns this address alone.
        is_reserved = not is_newcomer and _has_turn(*self._turn(snapshot, item, requester, now, is_newcomer=True), now)
        reason = RESERVED if is_reserved else TURN
        raise TooMany(operation=operation, reason=reason, retry_after=_seconds_until(ahead, free_at, now))

    def join(self, item: str, error: TooMany) -> TooMany:
        """Take a place for a visitor whose fetch was refused with `error`, or renew it.

        Return the error with the seconds until it is this visitor's turn. The error as it is, when it concerns the
        visitor alone or nobody else waits for the quota.
        """
        requester = _waiting_requester()
        if requester is None or error.reason == ADDRESS_LIMIT:
            return error
        # What was read before the refusal may say that nobody waits.
        snapshot = self._read(anew=error.reason != TURN)
        if snapshot is None:
            return error
        self._limiter.mark_exhausted(snapshot.limiter_values)
        self._take_place(snapshot, item, requester)
        is_newcomer, now = self._limiter.is_newcomer(requester), self._clock.now()
        ahead, free_at = self._turn(snapshot, item, requester, now, is_newcomer=is_newcomer)
        seconds = _seconds_until(ahead, free_at, now)
        return TooMany(operation=error.operation, reason=error.reason, retry_after=seconds)

    def leave(self, item: str) -> None:
        """Remove all places for an item, because it has been fetched."""
        snapshot = self._read(anew=True)
        if snapshot is None:
            return
        numbers = [number for number, place in snapshot.places.items() if place.item == item]
        if numbers:
            self._cache.delete_many([self._keys[number] for number in numbers])
            with self._guard:
                for number in numbers:
                    snapshot.places.pop(number, None)

    def _read(self, *, anew: bool = False) -> _Snapshot | None:
        """Return the list, or None while the quota refuses nobody."""
        snapshot, now = self._snapshot, self._clock.now()
        if not anew and snapshot is not None and abs(now - snapshot.read_at) < SNAPSHOT_SECONDS:
            return snapshot
        if not self._limiter.is_exhausted():
            self._snapshot = None
            return None
        limiter_keys = self._limiter.shared_keys()
        found = self._cache.get_many([*limiter_keys, *self._keys])
        places = {
            number: place
            for number, key in enumerate(self._keys)
            if key in found and (place := _decode(found[key])) is not None
        }
        self._snapshot = _Snapshot(now, {key: found[key] for key in limiter_keys if key in found}, places)
        return self._snapshot

    def _turn(
        self, snapshot: _Snapshot, item: str, requester: Requester, now: float, *, is_newcomer: bool
    ) -> tuple[int, list[float]]:
        """Return how many items are ahead, and when each permit that this visitor may take is free."""
        with self._guard:
            ahead = snapshot.count_ahead(item, _identity(requester), now, is_newcomer=is_newcomer)
        return ahead, self._limiter.browse_free_at(snapshot.limiter_values, is_newcomer=is_newcomer, now=now)

    def _take_place(self, snapshot: _Snapshot, item: str, requester: Requester) -> None:
        address, is_newcomer = _identity(requester), self._limiter.is_newcomer(requester)
        with self._guard:
            taken = dict(snapshot.places)
        own = {number: place for number, place in taken.items() if place.address == address}
        known = next(((number, place) for number, place in own.items() if place.item == item), None)
        if known is not None:
            number, place = known
            place = msgspec.structs.replace(place, is_newcomer=is_newcomer)
            self._cache.set(self._keys[number], msgspec.json.encode(place), PLACE_SECONDS)
        else:
            same = sum(place.item == item for place in taken.values())
            if len(own) >= PLACES_PER_ADDRESS or same >= PLACES_PER_ITEM:
                return
            place = Place(item, address, self._clock.now(), is_newcomer)
            raw = msgspec.json.encode(place)
            free = [number for number in range(MAX_PLACES) if number not in taken]
            # A few tries: others may have taken a place since the list was read, but hardly each of these.
            tries = random.sample(free, min(3, len(free)))
            taken_now = (number for number in tries if self._cache.add(self._keys[number], raw, PLACE_SECONDS))
            if (number := next(taken_now, -1)) < 0:
                return
        with self._guard:
            snapshot.places[number] = place


def _waiting_requester() -> Requester | None:
    """Return the requester if it can wait: a page's visitor, known by address."""
    requester = None if in_background.get() else current_requester()
    return requester if requester is not None and requester.id is not None else None


def _identity(requester: Requester) -> str:
    """Return whom a place is counted for: the address, or one of the parts that its network is divided into."""
    address, network = requester.id or "", requester.network
    return address if network is None else f"{network}:{zlib.crc32(address.encode()) % ADDRESSES_PER_NETWORK}"


def _decode(stored: Storable) -> Place | None:
    try:
        return msgspec.json.decode(stored, type=Place) if isinstance(stored, bytes) else None
    except msgspec.MsgspecError:  # written by another version of this package
        return None


def _has_turn(ahead: int, free_at: list[float], now: float) -> bool:
    """Return True if fewer items are ahead than permits are free."""
    return ahead < sum(moment <= now for moment in free_at)


def _seconds_until(ahead: int, free_at: list[float], now: float) -> int:
    """Return the whole seconds until as many permits were free as items are ahead, and one more; at least 1."""
    rounds, rest = divmod(ahead, len(free_at))
    return max(1, ceil(free_at[rest] + rounds * PERMIT_SECONDS - now))
