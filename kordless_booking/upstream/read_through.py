"""Read-through cache with stale-while-revalidate and stale-if-error: one fetch serves every visitor of every process.

What a caller gets depends on the age of the cached value::

    0 ───────────── fresh ─── stale_while_revalidate ────── stale_if_error ────── last_known ──▶ age
        served as      served at once,      the caller waits for    the same, but only   gone
        it is          refreshed in the     a new one, and gets     if Kordless was not
                       background           the old if that fails   asked, or said no

- Single-flight: for one item at most one fetch is in progress; all others share its result, be it value or error.
- A refusal by our own rate limiter is shared by nobody: another visitor may be allowed what this one is not, and a page
  what a background refresh is not. So whoever waits for that fetch tries it in turn, and no failure is stored.
- Nor is a shortage of this process's own connections, files or time stored: another process may have what this one
  lacks. It is shared by those of this process who wait for that fetch: each would else wait for a connection in turn.
- Negative caching: an error such as `NotFound` replaces the value for half a minute, so that requests for what doesn't
  exist cost Kordless nothing. A refused API key closes the whole account until a fetch succeeds again.
- Local cache: for a second this process answers from its own memory, and for as long as the shared cache is down.
- Invalidation by generation: a value carries the generation of its group under which it was requested, so one that was
  on its way during an invalidation arrives invalid. It is not served while Kordless answers; when it doesn't, an old
  value with a notice is better than none.

Three signals say that something is outdated. Each reaches what the others don't::

    signal         belongs to             costs                        changes when
    generation     group, all processes   nothing: read with values    the group is invalidated
    epoch          account, all processes one short read               anything is stored or invalidated
    invalidations  account, this process  nothing: in memory           this process invalidates something

- The generation makes a value invalid. One for the whole account would not do: a booking would make Kordless answer for
  the times of every service again.
- The epoch confirms local entries that are older than a second. The generations would not do: a value that another
  process refreshed has the old one. Without an epoch each lookup would read all values again: 79 KB for a page of a
  busy month, 570 µs instead of 83 with a Redis on the same machine.
- The count of invalidations tells a lookup or a stored page that began before one. A visitor who books sees the change
  on the next page, within the second of the local cache too.

A refused key is none of them: it is a cached error of the account, and outlives every value.
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

from kordless_booking.api.deadline import LOCAL_SHORTAGES, seconds_left, with_same_deadline
from kordless_booking.clock import Clock
from kordless_booking.exceptions import KeyRefused, KordlessError, TooMany, Unavailable, Unreachable
from kordless_booking.logs import log_event
from kordless_booking.memory_budget import BoundedDict, MemoryBudget

from .entries import (
    MAX_RETRY_DELAY_SECONDS,
    VERSION,
    Cached,
    CacheItem,
    Envelope,
    Failure,
    LocalEntry,
    decode,
    encode,
)
from .keys import cache_key
from .rate_limiter import PERSONAL_REASONS
from .requester import current_requester
from .single_flight import OwnerRefused, SingleFlight
from .worker import in_background

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Future

    from .fallback_cache import FallbackCache
    from .waiting_list import WaitingList

logger = logging.getLogger(__name__)

DAY = 86_400
"""Seconds in a day. Also how long a refused API key is stored in the cache."""
INVALIDATION_SECONDS = 2 * DAY
"""Seconds that a group's generation is stored after an invalidation. Longer than any lifetime that the settings allow:
an older value would be valid again once the generation is gone.
"""
NEGATIVE_TTL = 30
"""Seconds for which an error that Kordless answered is cached (negative caching)."""
FAILURE_TTL = 2
"""Seconds for which a failure to reach Kordless is cached when there is no older value to serve."""
RETRY_AFTER_FAILURE = 5
"""Seconds after a failed refresh before the next, unless Kordless named a later time."""
MAX_LOCAL_BYTES = 64 * 1024 * 1024
"""Bytes of the local caches of all accounts in this process. A month of 5,000 slots takes 2 MB. What doesn't fit is
read from the shared cache each time.
"""
NEVER = float("-inf")
"""A time before any other, on the monotonic clock."""

T = TypeVar("T")


class ReadThroughCache:
    """Read-through cache for the items of one account. Safe to share between threads.

    - `run`: runs a job in the background and returns True, or returns False if it declines. Used for refreshes.
    - `run_awaited`: the same for a fetch that a reader is about to wait for.
    - `max_wait_seconds`: maximum seconds that a reader waits for another caller's fetch.
    - `local_seconds`: seconds that the local cache answers before the shared cache is read again.
    - `waiting_list`: whom the rate limiter has refused waits there; None where nobody can wait.
    - `size`: maximum number of items in the local cache.
    - `budget`: bounds the bytes of the local caches of all accounts together.
    """

    def __init__(
        self,
        cache: FallbackCache,
        *,
        account: str,
        run: Callable[[Callable[[], object]], bool],
        run_awaited: Callable[[Callable[[], object]], bool] = lambda _job: False,
        max_wait_seconds: float,
        local_seconds: float,
        clock: Clock | None = None,
        waiting_list: WaitingList | None = None,
        size: int = 256,
        budget: MemoryBudget | None = None,
    ) -> None:
        self._cache = cache
        self._account = account
        self._run = run
        self._run_awaited = run_awaited
        self._clock = clock or Clock()
        self._max_wait_seconds = max_wait_seconds
        self._local_seconds = local_seconds
        self._waiting_list = waiting_list
        self._single_flight: SingleFlight[LocalEntry] = SingleFlight(cache, account=account, clock=self._clock)
        self._local: BoundedDict[tuple[str, ...], LocalEntry] = BoundedDict(
            budget or MemoryBudget(MAX_LOCAL_BYTES), max_entries=size
        )
        self.invalidations = 0
        """Number of invalidations and refusals of the key in this process: what began before one is outdated."""
        self._guard = threading.Lock()

    def read(
        self, item: CacheItem[T], entry: LocalEntry | None = None, started: Future[LocalEntry | None] | None = None
    ) -> Cached[T]:
        """Return the best cached value, and fetch from Kordless only if there is no acceptable one.

        `entry`: what `lookup` has just returned, to save the round trip. `started`: what `start_fetch` has returned.
        Raises the cached or new KordlessError if there is no value to return.
        """
        entry = entry or self.lookup(item)[0]
        now = self._clock.now()
        if not entry.is_servable(now, item.lifetime):
            entry = self._wait_for_fetch(item, entry, started)
            # The fetch took time, and the answer's age is measured from now on.
            now = self._clock.now()
        else:
            self._refresh(item, entry, now)
        return entry.as_cached(now, item.lifetime)

    @property
    def fetches_in_parallel(self) -> bool:
        """False: only a page needs its fetches in parallel, and a page reads through a `RequestView`."""
        return False

    def needs_fetch(self, item: CacheItem[Any], entry: LocalEntry | None = None) -> bool:
        """Return True if `read` would have to fetch, and nobody in this process is fetching the item yet.

        `entry`: as for `read`.
        """
        return self.needs_wait(item, entry or self.lookup(item)[0]) and not self.is_fetching(item)

    def needs_wait(self, item: CacheItem[Any], entry: LocalEntry) -> bool:
        """Return True if `read` would have to wait for a fetch, its own or another's."""
        return not entry.is_servable(self._clock.now(), item.lifetime)

    def start_fetch(self, item: CacheItem[Any]) -> Future[LocalEntry | None] | None:
        """Start to fetch an item in another thread, within the deadline of this one, for a `read` that follows.

        Other readers share the fetch. Returns None if the item is being fetched already.
        """
        # The job may have waited in the queue past the deadline. Its fetch would fail at once, for all who share it.
        work = with_same_deadline(lambda: self._fetch(item) if seconds_left() > 0 else None)
        return self._single_flight.start_in_background(item.parts, self._run_awaited, work=work)

    def is_fetching(self, item: CacheItem[Any]) -> bool:
        """Return True if this process is fetching the item."""
        return self._single_flight.is_in_progress(item.parts)

    def read_cached(self, item: CacheItem[T], entry: LocalEntry | None = None) -> Cached[T]:
        """Return the cached value as `read` does, but never fetch or refresh.

        Raises Unavailable where `read` would have to wait.
        """
        entry, now = entry or self.lookup(item)[0], self._clock.now()
        if not entry.is_servable(now, item.lifetime):
            raise Unavailable(reason="not_cached")
        return entry.as_cached(now, item.lifetime)

    def lookup(self, *items: CacheItem[Any]) -> list[LocalEntry]:
        """Return the local entry for each item.

        Costs no round trip when all were read within `local_seconds`, one when the epoch is unchanged or nothing is
        known of them, else two.
        """
        now = self._clock.monotonic()
        found = [self._local.get(item.parts) for item in items]
        old = [entry for entry in found if entry is not None and now - entry.read_at >= self._local_seconds]
        if None in found or (old and not self._epoch_unchanged(old, now)):
            return self._load(*items)
        return [entry for entry in found if entry is not None]

    def is_current(
        self,
        reads: Iterable[tuple[CacheItem[Any], Cached[Any]]],
        *,
        missing: Sequence[CacheItem[Any]] = (),
        refresh: bool = True,
    ) -> bool:
        """Return True when reading all of these again would give the same. Never waits for a fetch.

        `missing`: items that the reader did without, and that must still have no value. What is due is refreshed in the
        background, unless `refresh` is off.
        """
        before, now = list(reads), self._clock.now()
        entries = self.lookup(*[item for item, _ in before], *missing)
        if any(entry.value is not None for entry in entries[len(before) :]):
            return False
        for (item, cached), entry in zip(before, entries[: len(before)], strict=True):
            if entry.serial != cached.serial or entry.key_refusal or not entry.is_servable(now, item.lifetime):
                return False
            # The same value may have become stale or degraded by age alone, and the page says so.
            again = entry.as_cached(now, item.lifetime)
            if (again.stale, again.degraded) != (cached.stale, cached.degraded):
                return False
            if refresh:
                self._refresh(item, entry, now)
        return True

    def refresh(self, item: CacheItem[Any]) -> bool:
        """Fetch an item in this thread if that is due, whoever waits for it. Return True if Kordless was asked.

        A failed fetch is recorded as always. Raises KordlessError.
        """
        [entry] = self.lookup(item)
        if entry.needs_no_fetch(self._clock.now()) or self.is_fetching(item):
            return False
        self._wait_for_fetch(item, entry, None)
        return True

    def local_age(self, item: CacheItem[Any]) -> float | None:
        """Return the age in seconds of what the local cache has of an item; 0 if no fetch is due, None if nothing."""
        entry, now = self._local.get(item.parts), self._clock.now()
        if entry is None or entry.envelope is None:
            return None
        return 0.0 if entry.needs_no_fetch(now) else entry.envelope.age(now)

    def local_value(self, item: CacheItem[T]) -> T | None:
        """Return the value that the local cache has of the item, however old; None if it has none. No round trip."""
        entry = self._local.get(item.parts)
        value: T | None = entry.value if entry is not None else None
        return value

    def mark_key_refused(self, error: KeyRefused) -> None:
        """Stop serving this account, because its API key was refused elsewhere, until a fetch succeeds again."""
        self._store_key_refusal(self._negative_entry(error, "", NEGATIVE_TTL))

    def invalidate(self, *group: str) -> None:
        """Invalidate all items of a group, and also values of it that are being fetched at this moment.

        `group`: the first parts of the items' keys. An invalid value is served only if the next fetch fails.
        """
        self._cache.set(self._key("generation", *group), secrets.token_hex(8), INVALIDATION_SECONDS)
        self._bump_epoch()
        self._drop_local(group)

    # Lookup

    def _epoch_unchanged(self, old: list[LocalEntry], now: float) -> bool:
        """Return True when the account's epoch says that all of these are still current."""
        epochs = {entry.epoch for entry in old}
        # No epoch ("") proves nothing: it may have been evicted since.
        if len(epochs) > 1 or "" in epochs or self._cache.get(self._key("epoch")) not in epochs:
            return False
        for entry in old:
            entry.read_at = now
        return True

    def _bump_epoch(self) -> None:
        """Change the epoch, so that every process reads the shared cache again."""
        self._cache.set(self._key("epoch"), secrets.token_hex(8), 2 * DAY)

    def _load(self, *items: CacheItem[Any]) -> list[LocalEntry]:
        """Load items from the shared cache in one round trip."""
        invalidations = self.invalidations
        epoch_key, refusal_key = self._key("epoch"), self._key("refusal")
        keys = [(self._key("value", *item.parts), self._key("generation", *item.group)) for item in items]
        # The epoch is the first key: a value that is written in between then only costs another read. Read last, a
        # new epoch would vouch for old values.
        found = self._cache.get_many([epoch_key, refusal_key, *(key for pair in keys for key in pair)])
        epoch, refusal = str(found.get(epoch_key, "")), decode(found.get(refusal_key))
        entries = [
            self._decode_entry(item, found.get(value), str(found.get(generation, "")), refusal, epoch)
            for item, (value, generation) in zip(items, keys, strict=True)
        ]
        with self._guard:
            # Else an invalidation of this process happened meanwhile, and this is what was there before it.
            if invalidations == self.invalidations:
                for item, entry in zip(items, entries, strict=True):
                    self._keep_local(item, entry)
        return entries

    def _decode_entry(
        self, item: CacheItem[Any], raw: object, generation: str, refusal: Envelope | None, epoch: str
    ) -> LocalEntry:
        before, now = self._local.get(item.parts), self._clock.monotonic()
        # The shared cache is down, and its stand-in in memory starts empty: the local entry is the best there is.
        if before and raw is None and not self._cache.up:
            return replace(before, read_at=now, epoch=epoch)
        # Same bytes: saves decoding, and keeps the serial by which pages recognize the value.
        if before and raw is not None and raw == before.raw:
            return replace(before, generation=generation, key_refusal=refusal, read_at=now, epoch=epoch)
        # An entry of another format version decodes to None, that is, as absent.
        envelope, value = decode(raw), None
        if envelope and not envelope.failure:
            try:
                value = item.decode(bytes(envelope.payload))
            except (ValueError, RecursionError):  # written by another version of this package, or by somebody else
                envelope = None
        return LocalEntry(envelope, value, generation, refusal, raw, now, epoch)

    def _keep_local(self, item: CacheItem[Any], entry: LocalEntry) -> None:
        # Absent values are not stored: requests for made-up items would evict real ones.
        if entry.envelope:
            self._local.put(item.parts, entry, entry.memory_bytes)
        else:
            self._local.pop(item.parts)

    def _drop_local(self, group: tuple[str, ...]) -> None:
        self._single_flight.forget(group)
        with self._guard:
            # After the generation has changed: what read the old one, a `_load` or a page, began before this.
            self.invalidations += 1
            for parts in [parts for parts in self._local if parts[: len(group)] == group]:
                self._local.pop(parts)

    # Fetching

    def _refresh(self, item: CacheItem[Any], entry: LocalEntry, now: float) -> None:
        """Start a background refresh if one is due. Each process tries at most once a second for an item."""
        monotonic_now = self._clock.monotonic()
        if monotonic_now >= entry.refresh_again_at and not entry.needs_no_fetch(now):
            entry.refresh_again_at = monotonic_now + 1
            self._single_flight.start_in_background(item.parts, self._run, work=lambda: self._fetch(item))

    def _wait_for_fetch(
        self, item: CacheItem[Any], entry: LocalEntry, started: Future[LocalEntry | None] | None
    ) -> LocalEntry:
        # With no time left, the deadline has passed and no fetch starts: it would fail at once, for all who share it.
        try:
            outcome = self._single_flight.do(
                item.parts,
                self._clock.monotonic() + min(self._max_wait_seconds, seconds_left()),
                work=lambda: self._fetch(item),
                poll=lambda: self._read_if_current(item),
                started=started,
            )
        except OwnerRefused as refusal:
            return self._entry_after_refusal(refusal.error, entry, item)
        if outcome:
            return outcome
        # No result in time: the old value if stale-if-error allows it, else an empty entry, which raises Unavailable.
        return entry if entry.value_within(self._clock.now(), item.lifetime.stale_if_error) else LocalEntry()

    def _entry_after_refusal(self, error: TooMany, entry: LocalEntry, item: CacheItem[Any]) -> LocalEntry:
        """Return the old value for a visitor whose fetch was refused; raise the refusal if none is acceptable."""
        requester = current_requester()
        if requester is not None:
            requester.was_refused = True
        if entry.value_within(self._clock.now(), item.lifetime.max_age_after(error)):
            return entry
        raise error

    def _entry_after_shortage(self, error: Unreachable, entry: LocalEntry, item: CacheItem[Any]) -> LocalEntry:
        """Return the old value, or the failure where none is acceptable, after a fetch that was never sent."""
        is_stale = entry.value_within(self._clock.now(), item.lifetime.max_age_after(error)) is not None
        self._log_failed_fetch(error, item, is_stale=is_stale)
        return entry if is_stale else LocalEntry(self._negative_entry(error, entry.generation, FAILURE_TTL))

    def _log_failed_fetch(self, error: Unavailable, item: CacheItem[Any], *, is_stale: bool) -> None:
        log_event(
            logger, logging.WARNING, "fetch_failed", what=item.parts[0], error=type(error).__name__, stale=is_stale
        )

    def _read_if_current(self, item: CacheItem[Any]) -> LocalEntry | None:
        # `_load`, not `lookup`: another process has written it, so the local cache can't have it.
        [entry] = self._load(item)
        return entry if entry.needs_no_fetch(self._clock.now()) else None

    def _fetch(self, item: CacheItem[Any]) -> LocalEntry:
        """Fetch from Kordless, unless another process did a moment ago. Runs under the item's lock."""
        # Read again under the lock: its previous owner may just have stored a new value.
        [entry], requested_at = self._load(item), self._clock.now()
        if entry.needs_no_fetch(requested_at):
            return entry
        waiting_list, name = self._waiting_list, self._key("value", *item.parts)[-16:]
        try:
            if waiting_list is not None:
                waiting_list.check(item.parts[0], name)
            value = item.fetch()
        except KeyRefused as error:
            return self._store_key_refusal(self._negative_entry(error, "", NEGATIVE_TTL))
        # Before KordlessError, its base: only a failure to get an answer lets an old value be served.
        except Unavailable as error:
            if isinstance(error, TooMany) and error.status is None and not self._may_pause(error, entry, item):
                # Who is served an old value doesn't wait.
                if waiting_list is not None and not entry.value_within(
                    self._clock.now(), item.lifetime.max_age_after(error)
                ):
                    error = waiting_list.join(name, error)
                raise OwnerRefused(error) from None
            if isinstance(error, Unreachable) and error.reason in LOCAL_SHORTAGES:
                return self._entry_after_shortage(error, entry, item)
            now, lifetime = self._clock.now(), item.lifetime
            if not entry.value_within(now, lifetime.max_age_after(error)) and entry.value_within(now, lifetime.longest):
                # Not stored, because it would replace the last-known value, which the next error may call for.
                return LocalEntry(self._negative_entry(error, entry.generation, FAILURE_TTL))
            return self._store(item, self._stale_or_failure(error, entry, item), entry.value)
        except KordlessError as error:
            return self._store(item, self._negative_entry(error, entry.generation, NEGATIVE_TTL))
        # A fetch has succeeded, so Kordless accepts the key again.
        if entry.key_refusal:
            self._cache.delete_many([self._key("refusal")])
        stored = self._store(item, self._fresh_entry(item, value, entry.generation, requested_at), value)
        if waiting_list is not None:
            waiting_list.leave(name)
        return stored

    def _store(self, item: CacheItem[Any], envelope: Envelope, value: Any = None) -> LocalEntry:
        # A cached error is never served stale, so it need not be stored longer than it is fresh.
        lasts = envelope.fresh if envelope.failure else item.lifetime.longest
        seconds = ceil(lasts - envelope.age(self._clock.now()))
        raw = encode(envelope)
        self._cache.set(self._key("value", *item.parts), raw, seconds)
        self._bump_epoch()
        entry = LocalEntry(envelope, value, envelope.generation, raw=raw, read_at=NEVER)
        with self._guard:
            # Stored to be recognized by its bytes, not to be served: NEVER makes the next lookup read the cache.
            self._keep_local(item, entry)
        return entry

    def _store_key_refusal(self, refusal: Envelope) -> LocalEntry:
        # Stored for a day, although fresh for `NEGATIVE_TTL` only: nothing may be served until a fetch succeeds.
        self._cache.set(self._key("refusal"), encode(refusal), DAY)
        self._bump_epoch()
        self._drop_local(())
        return LocalEntry(key_refusal=refusal)

    def _fresh_entry(self, item: CacheItem[T], value: T, generation: str, requested_at: float) -> Envelope:
        # Jitter, so that entries that were stored together don't expire together.
        fresh = item.lifetime.fresh * random.uniform(0.9, 1.0)  # noqa: S311 - nothing secret
        payload = msgspec.Raw(item.encode(value))
        return Envelope(version=VERSION, fetched_at=requested_at, fresh=fresh, generation=generation, payload=payload)

    def _negative_entry(self, error: KordlessError, generation: str, seconds: int) -> Envelope:
        now = self._clock.now()
        return Envelope(
            version=VERSION, fetched_at=now, fresh=seconds, generation=generation, failure=Failure.from_error(error)
        )

    def _may_pause(self, error: TooMany, entry: LocalEntry, item: CacheItem[Any]) -> bool:
        """Return True if everybody may be served the old value for a while after our own rate limiter refused a fetch.

        Not after a refusal that concerns one client address, nor after one of a background refresh when visitors would
        no longer be served the value without a fetch of their own.
        """
        now = self._clock.now()
        if error.reason in PERSONAL_REASONS:
            return False
        if in_background.get():
            return entry.is_servable(now, item.lifetime)
        return entry.value_within(now, item.lifetime.max_age_after(error)) is not None

    def _stale_or_failure(self, error: Unavailable, entry: LocalEntry, item: CacheItem[Any]) -> Envelope:
        """Return what to store after a failed fetch.

        That is the old value, with a pause before the next try; without an acceptable one, the failure.
        """
        now = self._clock.now()
        envelope = entry.value_within(now, item.lifetime.max_age_after(error))
        self._log_failed_fetch(error, item, is_stale=envelope is not None)
        if envelope is None:
            return self._negative_entry(error, entry.generation, FAILURE_TTL)
        invalidated = envelope.generation != entry.generation
        return msgspec.structs.replace(
            envelope,
            # Made valid again under the current generation, so that it is served during the pause, but as not fresh.
            generation=entry.generation,
            fresh=0.0 if invalidated else envelope.fresh,
            retry_at=now + min(max(RETRY_AFTER_FAILURE, error.retry_after or 0), MAX_RETRY_DELAY_SECONDS),
            # A TooMany alone says nothing about the value: refreshes are the first to be refused, by design.
            degraded=invalidated or envelope.degraded or not isinstance(error, TooMany),
        )

    def _key(self, *parts: str) -> str:
        return cache_key(self._account, *parts)
