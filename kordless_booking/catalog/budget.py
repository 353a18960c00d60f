"""The allowance of one API key, shared by all processes: 60 requests in any 60 seconds, 10 of them creations.

There is a numbered ticket in the cache for each request of the allowance. A call takes one with `add`,
which only one caller can win, and holds it until a minute after Kordless answered; so whenever Kordless
counts the call, the ticket's next one comes at least a minute later. Nothing is counted up, so nothing can
be counted wrong, and an owner that crashed is waited for by the ticket's own expiry. The cache's clock
alone decides; ours may step.

Who may take which tickets keeps the better from being starved by the many (of 60, 10 creations)::

    0            30           45     50        60
    ├── refresh ──┤            │      │         │    nobody waits: values just get older when there are many
    ├── browse ────────────────┤      │         │    a visitor waits for times
    ├── manage ───────────────────────┤         │    look up, cancel, reschedule
                                      ├─ create ┤    never lent to anybody else

Others may use the same key. So what Kordless says in its rate-limit headers is believed when it is worse
than what we think, and "too many" stops every process until the time it named.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from math import ceil
from typing import TYPE_CHECKING

import msgspec

from kordless_booking.api.answers import DEFAULT_WAIT, LONGEST_WAIT
from kordless_booking.api.client import CREATIONS_PER_MINUTE, QUOTA_SECONDS, REQUESTS_PER_MINUTE
from kordless_booking.api.worked_out import worked_out
from kordless_booking.exceptions import TooMany

from .background import unattended
from .keys import cache_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kordless_booking.api.wire import Answer

    from .clock import Clock
    from .memory import Storable
    from .steady import SteadyCache

__all__ = ["Allowance", "Budget", "Kind", "Ticket", "Usage"]

WINDOW = QUOTA_SECONDS
HELD = WINDOW + 1
LONGEST_CALL = 30


class Kind(Enum):
    """What a call is for, from the most patient to the least."""

    REFRESH = "refresh"
    BROWSE = "browse"
    MANAGE = "manage"
    CREATE = "create"

    @classmethod
    def of(cls, operation: str) -> Kind:
        """Tell from the client's operation, and from whether anybody waits for it."""
        if operation == "create":
            return cls.CREATE
        if operation in {"lookup", "cancel", "reschedule"}:
            return cls.MANAGE
        return cls.REFRESH if unattended.get() else cls.BROWSE


@dataclass(frozen=True, slots=True)
class Allowance:
    """Requests a minute, and how many of them are set aside for creations."""

    requests: int = REQUESTS_PER_MINUTE
    creations: int = CREATIONS_PER_MINUTE

    def share(self, processes: int) -> Allowance:
        """Return what one of several processes may use when they can't see each other; at least one of each
        kind.
        """
        return Allowance(max(3, self.requests // processes), max(1, self.creations // processes))

    def tickets(self, kind: Kind) -> range:
        """Return the numbers of the tickets that `kind` may take."""
        others = self.requests - self.creations
        if kind is Kind.CREATE:
            return range(others, self.requests)
        if kind is Kind.MANAGE:
            return range(others)
        browsing = max(1, min(self.requests * 3 // 4, others - 1))
        return range(browsing if kind is Kind.BROWSE else max(1, browsing * 2 // 3))


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to one request. `left` is how many we think remain after it."""

    key: str
    left: int


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of the allowance is taken in this minute, of how much: requests other than creations, and creations.

    `for_pages` is how many of the requests visitors' pages may take. `stopped` is for how many seconds Kordless has
    said "too many" for.
    """

    requests: int
    of_requests: int
    for_pages: int
    creations: int
    of_creations: int
    stopped: int = 0


class Told(msgspec.Struct, frozen=True):
    """What Kordless said remains of what limit, when, and until when that holds (Unix seconds)."""

    left: int
    limit: int
    at: float
    until: float


worked_out(Told)


class Budget:
    """Hands out tickets. `processes` divides the allowance while the cache is not shared by all of them."""

    def __init__(
        self,
        cache: SteadyCache,
        *,
        account: str,
        clock: Clock,
        allowance: Allowance | None = None,
        processes: int = 1,
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._whole = allowance or Allowance()
        self._part = self._whole.share(processes)
        self._tickets = [cache_key(account, "ticket", str(number)) for number in range(self._whole.requests)]
        self._told = cache_key(account, "told")
        self._told_creations = cache_key(account, "told", "create")
        self._blocked = cache_key(account, "blocked")
        self._blocked_creations = cache_key(account, "blocked", "create")

    def keys(self) -> list[str]:
        """What to look up, in one round trip, before a claim."""
        return [*self._tickets, self._told, self._told_creations, self._blocked, self._blocked_creations]

    def claim(self, operation: str, found: Mapping[str, Storable]) -> Ticket:
        """Take a ticket, given what was `found` under `keys`. Raises TooMany, saying honestly for how long."""
        kind, now = Kind.of(operation), self._clock.now()
        allowance = self._whole if self._cache.up else self._part
        self._heed_blocks(operation, kind, found, now)
        self._heed_told(operation, kind, found, now)
        pool = [self._tickets[number] for number in allowance.tickets(kind)]
        free = [key for key in pool if key not in found]
        random.shuffle(free)
        for key in free:
            if self._cache.add(key, _thousandths(now + HELD), HELD + LONGEST_CALL):
                taken = sum(ticket in found for ticket in self._tickets)
                return Ticket(key, allowance.requests - taken - 1)
        frees_at = min((_moment(found.get(key)) for key in pool if key in found), default=now)
        raise _too_many(operation, "allowance", frees_at - now, HELD)

    def usage(self, found: Mapping[str, Storable]) -> Usage:
        """How much is taken, given what was `found` under `keys`. Takes nothing."""
        now, creations = self._clock.now(), self._whole.tickets(Kind.CREATE)
        allowance = self._whole if self._cache.up else self._part
        taken = [number for number, key in enumerate(self._tickets) if key in found]
        booked = sum(number in creations for number in taken)
        until = max((_moment(found.get(key)) for key in (self._blocked, self._blocked_creations)), default=0.0)
        return Usage(
            requests=len(taken) - booked,
            of_requests=allowance.requests - allowance.creations,
            for_pages=len(allowance.tickets(Kind.BROWSE)),
            creations=booked,
            of_creations=allowance.creations,
            stopped=max(0, ceil(until - now)),
        )

    def settle(self, ticket: Ticket, operation: str, answer: Answer | None) -> None:
        """Hold the ticket for a minute from now, and note what the answer says about the allowance."""
        now = self._clock.now()
        self._cache.set(ticket.key, _thousandths(now + HELD), HELD)
        if answer is None:
            return
        creations = operation == "create" and (answer.limit is None or answer.limit <= self._whole.creations)
        if answer.status == 429:
            seconds = _whole_seconds(answer.retry_after or DEFAULT_WAIT, LONGEST_WAIT)
            key = self._blocked_creations if creations else self._blocked
            self._cache.set(key, _thousandths(now + seconds), seconds)
        elif answer.remaining is not None and (creations or answer.remaining < ticket.left):
            seconds = WINDOW if answer.reset is None else _whole_seconds(answer.reset - now, WINDOW)
            limit = min(answer.limit or self._whole.requests, self._whole.requests)
            told = Told(answer.remaining, limit, now, now + seconds)
            key = self._told_creations if creations else self._told
            self._cache.set(key, msgspec.json.encode(told), seconds)

    def _heed_blocks(self, operation: str, kind: Kind, found: Mapping[str, Storable], now: float) -> None:
        keys = [self._blocked, *([self._blocked_creations] if kind is Kind.CREATE else [])]
        if until := [_moment(found[key]) for key in keys if key in found]:
            raise _too_many(operation, "blocked", max(until) - now, LONGEST_WAIT)

    def _heed_told(self, operation: str, kind: Kind, found: Mapping[str, Storable], now: float) -> None:
        """Of what Kordless says remains, leave to the better kinds the share that is theirs."""
        pool = self._whole.tickets(kind)
        kept_back = 0 if kind is Kind.CREATE else self._whole.requests - len(pool)
        bounds = [(self._told, self._tickets)]
        if kind is Kind.CREATE:
            bounds.append((self._told_creations, [self._tickets[number] for number in pool]))
        for key, tickets in bounds:
            told = _said(found.get(key))
            if told is None:
                continue
            since = sum(_moment(found.get(ticket)) - HELD > told.at for ticket in tickets)
            if told.left - since <= kept_back * told.limit // self._whole.requests:
                raise _too_many(operation, "told", told.until - now, WINDOW)


def _thousandths(moment: float) -> int:
    """Unix milliseconds: whole numbers, which every cache keeps as they are."""
    return round(moment * 1000)


def _moment(kept: Storable | None) -> float:
    return kept / 1000 if isinstance(kept, int) else 0.0


def _said(kept: Storable | None) -> Told | None:
    try:
        return msgspec.json.decode(kept, type=Told) if isinstance(kept, bytes) else None
    except msgspec.MsgspecError:  # written by another version of this package
        return None


def _whole_seconds(seconds: float, most: int) -> int:
    return max(1, min(most, ceil(seconds)))


def _too_many(operation: str, reason: str, seconds: float, most: int) -> TooMany:
    return TooMany(operation=operation, reason=reason, retry_after=_whole_seconds(seconds, most))
