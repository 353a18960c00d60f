"""Read-through cache with stale-while-revalidate and stale-if-error: one fetch serves every visitor of every process.

What a caller gets depends on the age of the cached value::

    0 ───────────── fresh ─── stale_while_revalidate ────── stale_if_error ──────▶ age
        served as      served at once,      the caller waits for    gone
        it is          refreshed in the     a new one, and gets
                       background           the old if that fails

- Single-flight: for one item at most one fetch is in progress; all others share its result, be it value or error.
- Negative caching: an error such as `NotFound` replaces the value for half a minute, so that requests for what doesn't
  exist cost Kordless nothing. A refused API key closes the whole account until a fetch succeeds again.
- Invalidation by generation: each group has one in the cache, a random word that is read in the same round trip as the
  values. Each value carries the generation under which it was requested, so one that was on its way during an
  invalidation arrives invalid. An invalid value is not served while Kordless answers; when it doesn't, an old value
  with a notice is better than none.
- Local cache: for a second this process answers from its own memory, and for as long as the shared cache is down.
- Epoch: every write for an account changes one random word. While it is unchanged, all that this process has read is
  still current, and one short read of the epoch replaces reading it all again.
"""

from __future__ import annotations

import logging
import random
import secrets
import threading
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from kordless_booking.api.deadline import seconds_left, with_same_deadline
from kordless_booking.clock import Clock
from kordless_booking.exceptions import KeyRefused, KordlessError, TooMany, Unavailable
from kordless_booking.logs import say

from .entries import AGAIN_WITHIN, Held, Item, Kept, Lifetime
from .envelope import VERSION, Envelope, Failure, opened, sealed
from .keys import cache_key
from .single_flight import Flights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from .fallback_cache import SteadyCache

__all__ = ["Item", "Kept", "Lifetime", "Shelf"]

logger = logging.getLogger(__name__)

DAY = 86_400
"""Seconds in a day. Also how long a refused API key is remembered in the cache."""
INVALIDATION_SECONDS = 2 * DAY
"""Seconds that a group's generation is stored after an invalidation. Longer than any lifetime that the settings allow:
an older value would be valid again once the generation is gone.
"""
NO_KEPT = 30
"""Seconds for which an error that Kordless answered is cached (negative caching)."""
FAILURE_KEPT = 2
"""Seconds for which a failure to reach Kordless is cached when there is no older value to serve."""
AGAIN_AFTER = 5
"""Seconds after a failed refresh before the next, unless Kordless named a later time."""
NEVER = float("-inf")
"""A time before any other, on the monotonic clock."""

T = TypeVar("T")


class Shelf:
    """Read-through cache for the items of one account. Safe to share between threads.

    - `run`: runs a job in the background and returns True, or returns False if it declines. Used for refreshes.
    - `run_awaited`: the same for a fetch that a reader is about to wait for.
    - `patience`: maximum seconds that a reader waits for a fetch of somebody else.
    - `held_for`: seconds that the local cache answers before the shared cache is read again.
    - `size`: maximum number of items in the local cache.
    """

    def __init__(
        self,
        cache: SteadyCache,
        *,
        account: str,
        run: Callable[[Callable[[], object]], bool],
        run_awaited: Callable[[Callable[[], object]], bool] = lambda _job: False,
        patience: float,
        held_for: float,
        clock: Clock | None = None,
        size: int = 256,
    ) -> None:
        self._cache = cache
        self._account = account
        self._run = run
        self._run_awaited = run_awaited
        self._clock = clock or Clock()
        self._patience = patience
        self._held_for = held_for
        self._size = size
        self._flights: Flights[Held] = Flights(cache, account=account, clock=self._clock)
        self._held: dict[tuple[str, ...], Held] = {}
        self._forgettings = 0
        self._guard = threading.Lock()

    def read(self, item: Item[T], held: Held | None = None, begun: Future[Held | None] | None = None) -> Kept[T]:
        """Return the best cached value, and fetch from Kordless only if there is no acceptable one.

        `held`: what `lookup` has just returned, to save the round trip. `begun`: what `begin` has returned. Raises the
        cached or new KordlessError if there is no value to return.
        """
        held = held or self.look(item)[0]
        now = self._clock.now()
        if not held.servable(now, item.lifetime):
            held = self._fetched(item, held, begun)
            # The fetch took time, and the answer's age is measured from now on.
            now = self._clock.now()
        else:
            self._refresh(item, held, now)
        return held.answer(now, item.lifetime)

    @property
    def fetches_ahead(self) -> bool:
        """False: only a page needs its fetches in parallel, and a page reads through a `RequestView`."""
        return False

    def must_fetch(self, item: Item[Any], held: Held | None = None) -> bool:
        """Return True if `read` would have to fetch, and nobody in this process is fetching the item yet.

        `held`: as for `read`.
        """
        return not self.is_under_way(item) and self.must_wait(item, held or self.look(item)[0])

    def must_wait(self, item: Item[Any], held: Held) -> bool:
        """Return True if `read` would have to wait for a fetch, its own or another's."""
        return not held.servable(self._clock.now(), item.lifetime)

    def begin(self, item: Item[Any]) -> Future[Held | None] | None:
        """Start to fetch an item in another thread, within the deadline of this one, for a `read` that follows.

        Other readers share the fetch. Returns None if the item is being fetched already.
        """
        # The job may have waited in the queue past the deadline. Its fetch would fail at once, for all who share it.
        work = with_same_deadline(lambda: self._fetch(item) if seconds_left() > 0 else None)
        return self._flights.start(item.parts, self._run_awaited, work=work)

    def is_under_way(self, item: Item[Any]) -> bool:
        """Return True if this process is fetching the item."""
        return self._flights.is_under_way(item.parts)

    def lying(self, item: Item[T], held: Held | None = None) -> Kept[T]:
        """Return the cached value as `read` does, but never fetch or refresh.

        Raises Unavailable where `read` would have to wait.
        """
        held, now = held or self.look(item)[0], self._clock.now()
        if not held.servable(now, item.lifetime):
            raise Unavailable(reason="not_at_hand")
        return held.answer(now, item.lifetime)

    def look(self, *items: Item[Any]) -> list[Held]:
        """Return the local entry for each item.

        Costs no round trip when all were read within `held_for`, one when the epoch is unchanged or nothing is known of
        them, else two.
        """
        now = self._clock.steady()
        found = [self._held.get(item.parts) for item in items]
        old = [held for held in found if held is not None and now - held.looked_at >= self._held_for]
        if None in found or (old and not self._still(old, now)):
            return self._look(*items)
        return [held for held in found if held is not None]

    def unchanged(self, reads: Iterable[tuple[Item[Any], Kept[Any]]], *, refresh: bool = True) -> bool:
        """Return True when reading all of these again would give the same. Never waits for a fetch.

        What is due is refreshed in the background, unless `refresh` is off.
        """
        before, now = list(reads), self._clock.now()
        for (item, kept), held in zip(before, self.look(*[item for item, _ in before]), strict=True):
            if held.serial != kept.serial or held.refusal or not held.servable(now, item.lifetime):
                return False
            # The same value may have become stale or degraded by age alone, and the page says so.
            again = held.answer(now, item.lifetime)
            if (again.stale, again.troubled) != (kept.stale, kept.troubled):
                return False
            if refresh:
                self._refresh(item, held, now)
        return True

    def refuse(self, error: KeyRefused) -> None:
        """Stop serving this account, because its API key was refused elsewhere, until a fetch succeeds again."""
        self._close(self._no(error, "", NO_KEPT))

    def forget(self, *group: str) -> None:
        """Invalidate all items of a group, and also values of it that are being fetched at this moment.

        `group`: the first parts of the items' keys. An invalid value is served only if the next fetch fails.
        """
        self._cache.set(self._key("mark", *group), secrets.token_hex(8), INVALIDATION_SECONDS)
        self._beat()
        self._drop(group)

    # Lookup

    def _still(self, old: list[Held], now: float) -> bool:
        """Return True when the account's epoch says that all of these are still current."""
        pulses = {held.pulse for held in old}
        # No epoch ("") proves nothing: it may have been evicted since.
        if len(pulses) > 1 or "" in pulses or self._cache.get(self._key("pulse")) not in pulses:
            return False
        for held in old:
            held.looked_at = now
        return True

    def _beat(self) -> None:
        """Change the epoch, so that every process reads the shared cache again."""
        self._cache.set(self._key("pulse"), secrets.token_hex(8), 2 * DAY)

    def _look(self, *items: Item[Any]) -> list[Held]:
        """Load items from the shared cache in one round trip."""
        forgettings = self._forgettings
        pulse_key, refusal_key = self._key("pulse"), self._key("refusal")
        keys = [(self._key("value", *item.parts), self._key("mark", *item.group)) for item in items]
        # The epoch is the first key: a value that is written in between then only costs another read. Read last, a
        # new epoch would vouch for old values.
        found = self._cache.get_many([pulse_key, refusal_key, *(key for pair in keys for key in pair)])
        pulse, refusal = str(found.get(pulse_key, "")), opened(found.get(refusal_key))
        looked = [
            self._made_out(item, found.get(value), str(found.get(mark, "")), refusal, pulse)
            for item, (value, mark) in zip(items, keys, strict=True)
        ]
        with self._guard:
            # Else an invalidation of this process happened meanwhile, and this is what was there before it.
            if forgettings == self._forgettings:
                for item, held in zip(items, looked, strict=True):
                    self._remember(item, held)
        return looked

    def _made_out(self, item: Item[Any], raw: object, mark: str, refusal: Envelope | None, pulse: str) -> Held:
        before, now = self._held.get(item.parts), self._clock.steady()
        # The shared cache is down, and its stand-in in memory starts empty: the local entry is the best there is.
        if before and raw is None and not self._cache.up:
            return replace(before, looked_at=now, pulse=pulse)
        # Same bytes: saves decoding, and keeps the serial by which pages recognize the value.
        if before and raw is not None and raw == before.raw:
            return replace(before, mark=mark, refusal=refusal, looked_at=now, pulse=pulse)
        # An entry of another format version decodes to None, that is, as absent.
        envelope, value = opened(raw), None
        if envelope and not envelope.failure:
            try:
                value = item.decode(bytes(envelope.payload))
            except (ValueError, RecursionError):  # written by another version of this package, or by somebody else
                envelope = None
        return Held(envelope, value, mark, refusal, raw, now, pulse)

    def _remember(self, item: Item[Any], held: Held) -> None:
        # Popped first, so that the entry moves to the end: the first one is evicted.
        self._held.pop(item.parts, None)
        # Absent values are not kept: requests for made-up items would evict real ones.
        if held.envelope:
            if len(self._held) >= self._size:
                del self._held[next(iter(self._held))]
            self._held[item.parts] = held

    def _drop(self, group: tuple[str, ...]) -> None:
        self._flights.part(group)
        with self._guard:
            # Tells a `_load` that is under way not to keep what it read.
            self._forgettings += 1
            for parts in [parts for parts in self._held if parts[: len(group)] == group]:
                del self._held[parts]

    # Fetching

    def _refresh(self, item: Item[Any], held: Held, now: float) -> None:
        """Start a background refresh if one is due. Each process tries at most once a second for an item."""
        steady = self._clock.steady()
        if steady >= held.refresh_again_at and not held.settled(now):
            held.refresh_again_at = steady + 1
            self._flights.start(item.parts, self._run, work=lambda: self._fetch(item))

    def _fetched(self, item: Item[Any], held: Held, begun: Future[Held | None] | None) -> Held:
        # With no time left, the deadline has passed and no fetch starts: it would fail at once, for all who share it.
        outcome = self._flights.join(
            item.parts,
            self._clock.steady() + min(self._patience, seconds_left()),
            work=lambda: self._fetch(item),
            arrived=lambda: self._settled(item),
            begun=begun,
        )
        if outcome:
            return outcome
        # No result in time: the old value if stale-if-error allows it, else an empty entry, which raises Unavailable.
        return held if held.value_within(self._clock.now(), item.lifetime.on_error) else Held()

    def _settled(self, item: Item[Any]) -> Held | None:
        # `_load`, not `lookup`: another process has written it, so the local cache can't have it.
        [held] = self._look(item)
        return held if held.settled(self._clock.now()) else None

    def _fetch(self, item: Item[Any]) -> Held:
        """Fetch from Kordless, unless another process did a moment ago. Runs under the item's lock."""
        # Read again under the lock: the one who held it before may just have stored a new value.
        [held], asked_at = self._look(item), self._clock.now()
        if held.settled(asked_at):
            return held
        try:
            value = item.fetch()
        except KeyRefused as error:
            return self._close(self._no(error, "", NO_KEPT))
        # Before KordlessError, its base: only a failure to get an answer lets an old value be served.
        except Unavailable as error:
            return self._put(item, self._after(error, held, item), held.value)
        except KordlessError as error:
            return self._put(item, self._no(error, held.mark, NO_KEPT))
        # A fetch has succeeded, so Kordless accepts the key again.
        if held.refusal:
            self._cache.delete_many([self._key("refusal")])
        return self._put(item, self._new(item, value, held.mark, asked_at), value)

    def _put(self, item: Item[Any], envelope: Envelope, value: Any = None) -> Held:
        # A cached error is never served stale, so it need not be kept longer than it is fresh.
        lasts = envelope.fresh if envelope.failure else item.lifetime.on_error
        seconds = ceil(lasts - envelope.age(self._clock.now()))
        raw = sealed(envelope)
        self._cache.set(self._key("value", *item.parts), raw, seconds)
        self._beat()
        held = Held(envelope, value, envelope.mark, raw=raw, looked_at=NEVER)
        with self._guard:
            # Stored to be recognized by its bytes, not to be served: NEVER makes the next lookup read the cache.
            self._remember(item, held)
        return held

    def _close(self, refusal: Envelope) -> Held:
        # Stored for a day, although fresh for `NEGATIVE_TTL` only: nothing may be served until a fetch succeeds.
        self._cache.set(self._key("refusal"), sealed(refusal), DAY)
        self._beat()
        self._drop(())
        return Held(refusal=refusal)

    def _new(self, item: Item[T], value: T, mark: str, asked_at: float) -> Envelope:
        # Jitter, so that entries that were stored together don't expire together.
        fresh = item.lifetime.fresh * random.uniform(0.9, 1.0)  # noqa: S311 - nothing secret
        payload = msgspec.Raw(item.encode(value))
        return Envelope(version=VERSION, fetched_at=asked_at, fresh=fresh, mark=mark, payload=payload)

    def _no(self, error: KordlessError, mark: str, seconds: int) -> Envelope:
        now = self._clock.now()
        return Envelope(version=VERSION, fetched_at=now, fresh=seconds, mark=mark, failure=Failure.of(error))

    def _after(self, error: Unavailable, held: Held, item: Item[Any]) -> Envelope:
        """Return what to store after a failed fetch.

        That is the old value, with a pause before the next try; without an acceptable one, the failure.
        """
        now = self._clock.now()
        envelope = held.value_within(now, item.lifetime.on_error)
        kind = type(error).__name__
        say(logger, logging.WARNING, "fetch_failed", what=item.parts[0], error=kind, kept=envelope is not None)
        if envelope is None:
            return self._no(error, held.mark, FAILURE_KEPT)
        forgotten = envelope.mark != held.mark
        return msgspec.structs.replace(
            envelope,
            # Made valid again under the current generation, so that it is served during the pause, but as not fresh.
            mark=held.mark,
            fresh=0.0 if forgotten else envelope.fresh,
            again_at=now + min(max(AGAIN_AFTER, error.retry_after or 0), AGAIN_WITHIN),
            # A TooMany alone says nothing about the value: refreshes are the first to be held back, by design.
            troubled=forgotten or envelope.troubled or not isinstance(error, TooMany),
        )

    def _key(self, *parts: str) -> str:
        return cache_key(self._account, *parts)
