"""Rate limiter for one API key, shared by all processes: 60 requests in any 60 seconds, 10 of them creations.

Each request of the quota is a numbered permit, which is a key in the cache. `acquire` takes a free permit with
`cache.add`, which has one winner among all processes. `release` leaves it taken for one more minute after Kordless
answered. So two uses of one permit are at least a full window apart, whenever within the call Kordless counts it, and
no window of Kordless's holds more than the quota. There is no counter that could drift, and the permits of a crashed
process expire by themselves. The cache's clock alone decides expiry; the clock of this process may step.

Priorities reserve permits, so that many unimportant calls can't starve an important one (of 60, 10 creations)::

    0            30                   50        60
    ├── refresh ──┤                    │         │    nobody waits: with many, cached values just get older
    ├── browse ────────────────────────┤         │    a visitor waits for times
                                       ├─ create ┤    lent to browsing, all but two, while no draft is open

A third of the permits to browse stays for client addresses that have caused no fetch in this minute: a page of an
address that has takes permits 0 to 32 only, and borrows none. And an address may cause only so many fetches in a
minute. These two refusals concern the address alone (`PERSONAL_REASONS`): they say nothing about the quota.

While visitors are refused by the quota itself, and for a minute after, refreshes take no permit at all.

Other programs may use the same key. So the rate-limit headers of Kordless are believed when they report less than this
process counted, and a 429 stops every process until the time that it named.

Looking a booking up, canceling and rescheduling carry no key (priority "contact"). They have a limiter of their own,
with the quota `Quota.without_creations`: neither their use nor what Kordless says about it concerns the key. A third of
it stays for those who have the link of a booking: lookups by what was typed don't take these permits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import ceil
from typing import TYPE_CHECKING

import msgspec

from kordless_booking.api.documented import CREATIONS_PER_MINUTE, QUOTA_SECONDS, REQUESTS_PER_MINUTE
from kordless_booking.api.msgspec_warmup import warm_up
from kordless_booking.api.responses import CONTACT_AUTHENTICATED, DEFAULT_WAIT_SECONDS, MAX_WAIT_SECONDS
from kordless_booking.exceptions import TooMany

from .keys import cache_key
from .permits import first_free_at, from_millis, take_permit, to_millis
from .requester import current_requester
from .worker import in_background

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kordless_booking.api.session import ResponseMeta
    from kordless_booking.clock import Clock

    from .fallback_cache import FallbackCache
    from .memory_cache import Storable
    from .requester import Requester

WINDOW_SECONDS = QUOTA_SECONDS
UNLENDABLE_CREATIONS = 2
"""Permits of creations that are never lent: whoever comes with a form that was open for long is sent at once."""
DRAFT_OPEN_SECONDS = 300
"""Seconds after which a contact form that was shown no longer keeps creations' permits from being lent. Most people
fill it in within two minutes."""
MARK_INTERVAL_SECONDS = 5
"""Minimum seconds between two marks of one process that a draft is open."""
NEWCOMER_FETCHES_PER_NETWORK = 8
"""Fetches of one network in a minute after which none of its addresses is a newcomer: three pages, which is a family or
an office at one moment, and half of what is kept for newcomers."""
PERMIT_SECONDS = WINDOW_SECONDS + 1
"""Seconds that a permit stays taken after the answer: one more than the window."""
MAX_CALL_SECONDS = 30
"""Seconds that a call may take, for a permit whose call never ends. Above the 25 that the settings allow at most."""

EXHAUSTED_SECONDS = 60
"""Seconds after the last visitor was refused by the quota for which refreshes yield."""
ADDRESS_LIMIT = "address_limit"
"""Reason of a refusal: this client address has caused all the fetches that it may in a minute."""
RESERVED = "reserved"
"""Reason of a refusal: the permits that are left are for client addresses that have caused no fetch in this minute."""
TURN = "turn"
"""Reason of a refusal: the permits that are free are for what others wait for (`waiting_list`)."""
PERSONAL_REASONS = frozenset({ADDRESS_LIMIT, RESERVED})
"""Reasons of refusals that concern one client address alone: another one may fetch the same item."""


class Priority(Enum):
    """Priority class of a call, from the most patient to the least."""

    REFRESH = "refresh"
    BROWSE = "browse"
    CREATE = "create"
    CONTACT = "contact"
    """Authenticated by a contact instead of the key. In the contact operations' own quota, there is no other."""

    @classmethod
    def for_operation(cls, operation: str) -> Priority:
        """Return the priority of a client operation.

        A read in a background job is a refresh, because nobody waits for it.
        """
        if operation == "create":
            return cls.CREATE
        if operation in CONTACT_AUTHENTICATED:
            return cls.CONTACT
        return cls.REFRESH if in_background.get() else cls.BROWSE


@dataclass(frozen=True, slots=True)
class Quota:
    """Quota of requests a minute, and how many of them are reserved for creations."""

    requests: int = REQUESTS_PER_MINUTE
    creations: int = CREATIONS_PER_MINUTE

    def share(self, processes: int) -> Quota:
        """Return the quota of one of several processes that can't see each other's permits.

        At least 3 requests, 1 of them a creation if there are any, so that each priority keeps a permit.
        """
        requests = max(3, self.requests // processes)
        creations = max(1, self.creations // processes) if self.creations else 0
        # Both round down, so nearly equal numbers can become equal ones: 333 of each for a third of 1000 and 999.
        return Quota(requests, min(creations, requests - 1))

    def without_creations(self) -> Quota:
        """Return a quota of as many requests, none of them reserved: that of the operations without a key.

        What limits these is not documented. As many as the key's requests is a bound for what this site may cost
        Kordless, not a promise of Kordless's.
        """
        return Quota(self.requests, 0)

    def permits(self, kind: Priority) -> range:
        """Return the numbers of the permits that `kind` may take."""
        others = self.requests - self.creations
        if kind is Priority.CREATE:
            return range(others, self.requests)
        # Three fifths for refreshes: a visitor who waits is never outdone by them.
        return range(max(1, others * 3 // 5) if kind is Priority.REFRESH else others)

    def lendable(self) -> range:
        """Return the numbers of the permits of creations that may be lent to browsing."""
        return range(self.requests - self.creations, self.requests)[: max(0, self.creations - UNLENDABLE_CREATIONS)]

    def returning_permits(self) -> range:
        """Return the permits to browse for a client address that has caused a fetch in this minute: two thirds."""
        return range(max(1, len(self.permits(Priority.BROWSE)) * 2 // 3))

    def guessing_permits(self) -> range:
        """Return the permits for looking bookings up by what was typed: two thirds.

        The others stay for whoever has the link of a booking, and for its changes.
        """
        return range(max(1, len(self.permits(Priority.CONTACT)) * 2 // 3))


@dataclass(frozen=True, slots=True)
class Permit:
    """Permit for one request."""

    key: str
    """Its key in the cache."""
    remaining: int
    """Requests that remain after it, as far as we counted."""
    is_lent: bool = False
    """A creation's permit, taken to browse. Its time is stored as a negative number, for `usage`."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Permits taken in this minute, by quota. For the doctor and the admin pages."""

    requests: int
    """Taken permits, those for creations not included, but those that were lent."""
    of_requests: int
    """As many as there are, with those that were lent."""
    creations: int
    of_creations: int
    """As many as there are, without those that were lent."""
    blocked_seconds: int = 0
    """Seconds for which a 429 of Kordless still blocks; 0 for none."""


@dataclass(frozen=True, slots=True)
class BrowsePermits:
    """Permits that pages may take: how many are free now, and how many there are in all."""

    free: int
    """0 also while Kordless blocks, or reports that nothing is left."""
    total: int

    @property
    def are_short(self) -> bool:
        """True when less than half are free: a page then does without the calls that it can do without.

        At half, and not at the last few: what a page saves is what lets a later one be shown at all.
        """
        return self.free * 2 < self.total


class ReportedLimit(msgspec.Struct, frozen=True):
    """Limit as the rate-limit headers of one response reported it. Cached as JSON."""

    remaining: int
    """Requests that remained in Kordless's window, by `X-RateLimit-Remaining`."""
    limit: int
    """Size of the limit that was reported, by `X-RateLimit-Limit`."""
    at: float
    """When it was reported, in Unix seconds."""
    until: float
    """When Kordless's window ends, in Unix seconds, by `X-RateLimit-Reset`."""


warm_up(ReportedLimit)


class RateLimiter:
    """Rate limiter: hands out the permits of one API key.

    `account` names the key: accounts that share an API key must share it. Limiters of other `ledger`s of an account
    share nothing. While the cache is down, or not shared by all processes, each process may use one part in `processes`
    of the quota.
    """

    def __init__(
        self,
        cache: FallbackCache,
        *,
        account: str,
        clock: Clock,
        quota: Quota | None = None,
        processes: int = 1,
        ledger: str = "",
    ) -> None:
        self._cache = cache
        self._clock = clock
        named = (account, ledger) if ledger else (account,)
        self._whole = quota or Quota()
        self._part = self._whole.share(processes)
        # All permits are named, also in a process that may use a part only: the cache may come back at any time.
        self._permit_keys = [cache_key(*named, "permit", str(number)) for number in range(self._whole.requests)]
        self._draft_open = cache_key(*named, "draft_open")
        self._mark_again_at = 0.0
        self._reported = cache_key(*named, "reported")
        # Kordless limits creations separately, so their report and their block have keys of their own.
        self._reported_creations = cache_key(*named, "reported", "create")
        self._blocked = cache_key(*named, "blocked")
        self._blocked_creations = cache_key(*named, "blocked", "create")
        self._exhausted = exhausted_key(*named)
        self._fetched = cache_key(*named, "fetched")

    def keys(self) -> list[str]:
        """Return the cache keys to read, in one round trip, before `acquire`."""
        return [*self._requester_keys(), *self._network_keys(), *self.shared_keys()]

    def shared_keys(self) -> list[str]:
        """Return those of `keys` that are the same for every visitor."""
        return [
            self._draft_open,
            *self._permit_keys,
            self._exhausted,
            self._reported,
            self._reported_creations,
            self._blocked,
            self._blocked_creations,
        ]

    def acquire(self, operation: str, found: Mapping[str, Storable]) -> Permit:
        """Acquire a permit for `operation`. `found` is what the cache holds under `keys()`.

        Raises TooMany with the seconds until a permit is free, or until Kordless's block or reported limit ends.
        """
        kind, now = Priority.for_operation(operation), self._clock.now()
        if kind is Priority.REFRESH and self._exhausted in found:
            raise _too_many(operation, "yields", from_millis(found[self._exhausted]) - now, EXHAUSTED_SECONDS)
        fetches = self._requester_keys() if kind is Priority.BROWSE else []
        # Before anything that is shared: over a limit of its own, an address must not look like a shortage.
        if fetches and all(key in found for key in fetches):
            raise _too_many(operation, ADDRESS_LIMIT, first_free_at(fetches, found, now) - now, WINDOW_SECONDS)
        try:
            permit = self._take(operation, kind, found, now, fetches)
        except TooMany as error:
            if kind is Priority.BROWSE and error.reason not in PERSONAL_REASONS:
                self.mark_exhausted(found)
            raise
        # After the permit: an address that was refused has caused no fetch, and is a newcomer still.
        for keys in (fetches, self._network_keys() if fetches else []):
            take_permit(self._cache, keys, found, free_at=now + WINDOW_SECONDS, timeout=WINDOW_SECONDS)
        return permit

    def mark_exhausted(self, found: Mapping[str, Storable]) -> None:
        """Record that the quota has refused a visitor, so that refreshes yield. `found` is as for `acquire`."""
        until = self._clock.now() + EXHAUSTED_SECONDS
        # Not for each of many refusals: one of the last seconds is as good.
        if from_millis(found.get(self._exhausted)) < until - 5:
            self._cache.set(self._exhausted, to_millis(until), EXHAUSTED_SECONDS)

    def is_exhausted(self) -> bool:
        """Return True if the quota has refused a visitor in the last minute."""
        return self._cache.get(self._exhausted) is not None

    def is_newcomer(self, requester: Requester) -> bool:
        """Return True if the page's client address had caused no fetch in this minute when the page began."""
        keys = [*self._requester_keys(), *self._network_keys()]
        return requester.is_newcomer(lambda: self._has_fetched(self._cache.get_many(keys)))

    def browse_free_at(self, found: Mapping[str, Storable], *, is_newcomer: bool, now: float) -> list[float]:
        """Return when each permit that a page may take is free, in Unix seconds and in order: `now` if it is.

        `found` is what the cache holds under `shared_keys()`.
        """
        quota = self._whole if self._cache.up else self._part
        numbers = [*(quota.permits(Priority.BROWSE) if is_newcomer else quota.returning_permits())]
        if is_newcomer and self._may_borrow(Priority.BROWSE, found):
            numbers += quota.lendable()
        try:
            self._check_blocked("", Priority.BROWSE, found, now)
            self._check_reported("", Priority.BROWSE, found, now)
            earliest = now
        except TooMany as error:
            earliest = now + (error.retry_after or 0)
        return sorted(max(earliest, from_millis(found.get(self._permit_keys[number]))) for number in numbers)

    def _requester_keys(self) -> list[str]:
        """Return the keys that count the fetches of the client address of this page; [] where none is counted."""
        requester = current_requester()
        if requester is None or not requester.max_fetches or requester.id is None:
            return []
        # Not by `cache_key`: its memory is for keys that come again.
        return [f"{self._fetched}:{requester.id}:{number}" for number in range(requester.max_fetches)]

    def _network_keys(self) -> list[str]:
        """Return the keys that count the fetches of this page's network; [] where its address stands alone."""
        requester = current_requester()
        if requester is None or not requester.max_fetches or requester.network is None:
            return []
        return [f"{self._fetched}:{requester.network}:{number}" for number in range(NEWCOMER_FETCHES_PER_NETWORK)]

    def _has_fetched(self, found: Mapping[str, Storable]) -> bool:
        """Return True if the page's address has caused a fetch in this minute, or its network as many as newcomers may.

        Else the owner of an IPv6 network would have a new address for each permit that is kept for newcomers.
        """
        network = self._network_keys()
        return any(key in found for key in self._requester_keys()) or (
            bool(network) and all(key in found for key in network)
        )

    def _take(
        self, operation: str, kind: Priority, found: Mapping[str, Storable], now: float, fetches: list[str]
    ) -> Permit:
        """Take a permit. `fetches` are the keys that count the fetches of the page's client address."""
        quota = self._whole if self._cache.up else self._part
        self._check_blocked(operation, kind, found, now)
        self._check_reported(operation, kind, found, now)
        if kind is Priority.CREATE:
            # Whatever the form's age: others may follow it, and it may have to wait.
            self.mark_draft_open()
        lendable, own, requester = self._keys_of(quota.lendable()), quota.permits(kind), current_requester()
        may_borrow, reason = self._may_borrow(kind, found), "quota"
        if fetches and requester and not requester.is_newcomer(lambda: self._has_fetched(found)):
            # When all permits are taken, those for newcomers as well, the quota refuses everybody.
            reason = RESERVED if any(key not in found for key in self._keys_of(own)) else reason
            own, may_borrow = quota.returning_permits(), False
        if kind is Priority.CONTACT and requester and requester.is_guessing:
            own = quota.guessing_permits()
        # A creation takes those that may be lent first: the ones that are never lent are left for the next creations.
        pools = [lendable] if kind is Priority.CREATE else []
        pools += [self._keys_of(own), *([lendable] if may_borrow else [])]
        # It outlasts the call, so a permit can't be taken twice while its call is under way.
        timeout, free_at = PERMIT_SECONDS + MAX_CALL_SECONDS, now + PERMIT_SECONDS
        left = quota.requests - sum(permit in found for permit in self._permit_keys) - 1
        for pool in pools:
            is_lent = may_borrow and pool is lendable
            stored = -free_at if is_lent else free_at
            if key := take_permit(self._cache, pool, found, free_at=stored, timeout=timeout):
                return Permit(key, left, is_lent=is_lent)
        # The stored time says when a permit is free if its call ends now; a call under way takes longer.
        seconds = first_free_at([key for pool in pools for key in pool], found, now) - now
        raise _too_many(operation, reason, seconds, PERMIT_SECONDS)

    def mark_draft_open(self) -> None:
        """Mark for all processes that somebody fills in a contact form or waits with one: nothing is lent then."""
        now = self._clock.monotonic()
        # Two threads may both write it, which does no harm.
        if now >= self._mark_again_at:
            self._mark_again_at = now + MARK_INTERVAL_SECONDS
            self._cache.set(self._draft_open, 1, DRAFT_OPEN_SECONDS)

    def usage(self, found: Mapping[str, Storable]) -> Usage:
        """Return how much of the quota is taken, given what was `found` under `keys()`. Takes nothing."""
        now, creations = self._clock.now(), self._whole.permits(Priority.CREATE)
        quota = self._whole if self._cache.up else self._part
        taken = [number for number, key in enumerate(self._permit_keys) if key in found]
        lent = sum(_is_lent(found[self._permit_keys[number]]) for number in taken)
        booked = sum(number in creations for number in taken) - lent
        until = max((from_millis(found.get(key)) for key in (self._blocked, self._blocked_creations)), default=0.0)
        return Usage(
            requests=len(taken) - booked,
            of_requests=quota.requests - quota.creations + lent,
            creations=booked,
            of_creations=quota.creations - lent,
            blocked_seconds=max(0, ceil(until - now)),
        )

    def browse_permits(self, found: Mapping[str, Storable]) -> BrowsePermits:
        """Return how many permits pages may still take, given what was `found` under `keys()`. Takes nothing."""
        now = self._clock.now()
        quota = self._whole if self._cache.up else self._part
        pool = quota.permits(Priority.BROWSE)
        try:
            self._check_blocked("availability", Priority.BROWSE, found, now)
            self._check_reported("availability", Priority.BROWSE, found, now)
        except TooMany:
            return BrowsePermits(0, len(pool))
        free = sum(self._permit_keys[number] not in found for number in pool)
        if reported := _decode_reported(found.get(self._reported)):
            since = sum(from_millis(found.get(key)) - PERMIT_SECONDS > reported.at for key in self._permit_keys)
            reserved = (self._whole.requests - len(self._whole.permits(Priority.BROWSE))) * reported.limit
            free = min(free, reported.remaining - since - reserved // self._whole.requests)
        return BrowsePermits(max(0, free), len(pool))

    def release(self, permit: Permit, operation: str, response: ResponseMeta | None) -> None:
        """Release the permit a minute from now, and record what the response says about the limits.

        `response` is None when there was no usable response. The permit stays taken then too, because Kordless may have
        counted the request.
        """
        now = self._clock.now()
        # `set`, not a longer expiry from the start: the window counts from the answer, whenever that came.
        free_at = to_millis(now + PERMIT_SECONDS)
        self._cache.set(permit.key, -free_at if permit.is_lent else free_at, PERMIT_SECONDS)
        if response is None:
            return
        # A creation counts against both limits, and its headers may report either. The size tells which one they mean.
        creations = operation == "create" and (response.limit is None or response.limit <= self._whole.creations)
        if response.status == 429:
            seconds = _whole_seconds(response.retry_after or DEFAULT_WAIT_SECONDS, MAX_WAIT_SECONDS)
            key = self._blocked_creations if creations else self._blocked
            self._cache.set(key, to_millis(now + seconds), seconds)
        # A remainder worse than our own count means that somebody else uses the key; any other says nothing new.
        # A permit's `left` counts all requests, so it can't judge a remainder of creations: that is always stored.
        elif response.remaining is not None and (creations or response.remaining < permit.remaining):
            seconds = WINDOW_SECONDS if response.reset is None else _whole_seconds(response.reset - now, WINDOW_SECONDS)
            # A header may hold anything: a limit above the quota would enlarge the reserve beyond the quota.
            limit = min(response.limit or self._whole.requests, self._whole.requests)
            reported = ReportedLimit(response.remaining, limit, now, now + seconds)
            key = self._reported_creations if creations else self._reported
            self._cache.set(key, msgspec.json.encode(reported), seconds)

    def cancel(self, permit: Permit) -> None:
        """Give back a permit whose request was never sent, so that another request may use it at once."""
        self._cache.delete_many([permit.key])

    def _check_blocked(self, operation: str, kind: Priority, found: Mapping[str, Storable], now: float) -> None:
        keys = [self._blocked, *([self._blocked_creations] if kind is Priority.CREATE else [])]
        if until := [from_millis(found[key]) for key in keys if key in found]:
            raise _too_many(operation, "blocked", max(until) - now, MAX_WAIT_SECONDS)

    def _check_reported(self, operation: str, kind: Priority, found: Mapping[str, Storable], now: float) -> None:
        """Raise TooMany when the reported remainder leaves nothing for this priority.

        The reserves of the higher priorities are subtracted from it, scaled to the limit that Kordless reported.
        """
        pool = self._whole.permits(kind)
        reserved = 0 if kind is Priority.CREATE else self._whole.requests - len(pool)
        if self._may_borrow(kind, found):
            reserved -= len(self._whole.lendable())
        bounds = [(self._reported, self._permit_keys)]
        if kind is Priority.CREATE:
            bounds.append((self._reported_creations, [self._permit_keys[number] for number in pool]))
        for key, permits in bounds:
            reported = _decode_reported(found.get(key))
            if reported is None:
                continue
            # Permits taken or released after the report: requests that its remainder may not include yet.
            since = sum(from_millis(found.get(permit)) - PERMIT_SECONDS > reported.at for permit in permits)
            if reported.remaining - since <= reserved * reported.limit // self._whole.requests:
                raise _too_many(operation, "reported_limit", reported.until - now, WINDOW_SECONDS)

    def _may_borrow(self, kind: Priority, found: Mapping[str, Storable]) -> bool:
        """Return True when a call of this kind may take what creations can lend: nobody is about to book."""
        return kind is Priority.BROWSE and self._draft_open not in found

    def _keys_of(self, numbers: range) -> list[str]:
        return [self._permit_keys[number] for number in numbers]


def exhausted_key(*named: str) -> str:
    """Return the cache key that exists while the quota is exhausted. Its value is until when refreshes yield.

    `named` is the account, and the ledger if it has one.
    """
    return cache_key(*named, "exhausted")


def _is_lent(stored: Storable) -> bool:
    return isinstance(stored, int) and stored < 0


def _decode_reported(stored: Storable | None) -> ReportedLimit | None:
    try:
        return msgspec.json.decode(stored, type=ReportedLimit) if isinstance(stored, bytes) else None
    except msgspec.MsgspecError:  # written by another version of this package
        return None


def _whole_seconds(seconds: float, max_seconds: int) -> int:
    return max(1, min(max_seconds, ceil(seconds)))


def _too_many(operation: str, reason: str, seconds: float, max_seconds: int) -> TooMany:
    return TooMany(operation=operation, reason=reason, retry_after=_whole_seconds(seconds, max_seconds))
