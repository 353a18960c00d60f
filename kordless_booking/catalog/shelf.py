"""A read-through shelf: what was fetched once is shared by every visitor of every process.

What a reader gets depends on the age of what lies there::

    0 ───────────── fresh ────────────── stale ─────────────── on_error ──────▶ age
        served as      served at once,      the reader waits for    gone
        it is          refreshed behind     a new one, and gets
                       the scenes           the old if that fails

- For one item at most one fetch is under way (see `flights`); all others share its outcome, be it value or
  error.
- A no (`NotFound`, …) replaces the value and is remembered for half a minute, so that asking for what
  doesn't exist costs Kordless nothing. A refused key closes the whole account until a fetch succeeds again.
- Forgetting a group changes its mark, a random word that is read in the same round trip as the values. Each
  value carries the mark under which it was asked for, so one that was on its way when the mark changed
  arrives forgotten. What is forgotten is not served while Kordless answers; when it doesn't, an old value
  with a notice beats none.
- For a second this process answers from its own memory, and for as long as the cache is down.
- Whoever writes for an account changes its pulse, a random word. As long as that is the same, all that this
  process has seen still lies there, and one short look at the pulse saves reading it all again.
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
from kordless_booking.exceptions import KeyRefused, KordlessError, TooMany, Unavailable
from kordless_booking.logs import say

from .clock import Clock
from .envelope import VERSION, Envelope, Failure, opened, sealed
from .flights import Flights
from .kept import AGAIN_WITHIN, Held, Item, Kept, Lifetime
from .keys import cache_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from .steady import SteadyCache

__all__ = ["Item", "Kept", "Lifetime", "Shelf"]

logger = logging.getLogger(__name__)

DAY = 86_400
INVALIDATION_SECONDS = 2 * DAY
"""Seconds that the mark of an invalidation is kept: longer than any lifetime that the settings allow."""
NO_KEPT = 30
FAILURE_KEPT = 2
AGAIN_AFTER = 5
NEVER = float("-inf")

T = TypeVar("T")


class Shelf:
    """Reads, warms and forgets the items of one account. Safe to share between threads.

    `run` takes a job and does it behind the scenes, or says False; `run_awaited` does the same for what a reader is
    about to wait for. `patience`: for how many seconds a reader waits for somebody else's fetch. `held_for`: for how
    many this process doesn't ask the cache again, about `size` items.
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
        """Return the best value there is, asking Kordless only when nothing acceptable lies here.

        `held` is what `look` has just found, `begun` what `begin` has returned. Raises the KordlessError that stands
        in the way when there is nothing to show.
        """
        held = held or self.look(item)[0]
        now = self._clock.now()
        if not held.servable(now, item.lifetime):
            held = self._fetched(item, held, begun)
            now = self._clock.now()
        else:
            self._refresh(item, held, now)
        return held.answer(now, item.lifetime)

    @property
    def fetches_ahead(self) -> bool:
        """False: who reads here directly is in no hurry."""
        return False

    def must_fetch(self, item: Item[Any], held: Held | None = None) -> bool:
        """Whether `read` would have to ask Kordless for something that nobody is fetching. `held` as for `read`."""
        return not self.is_under_way(item) and self.must_wait(item, held or self.look(item)[0])

    def must_wait(self, item: Item[Any], held: Held) -> bool:
        """Whether `read` would have to wait for Kordless, whoever asks it."""
        return not held.servable(self._clock.now(), item.lifetime)

    def begin(self, item: Item[Any]) -> Future[Held | None] | None:
        """Have an item fetched in another thread, within this one's deadline, for a `read` that follows.

        Whoever reads it meanwhile shares the fetch. None if it is being fetched already.
        """
        # As in `_fetched`: too late, it would fail for everybody.
        work = with_same_deadline(lambda: self._fetch(item) if seconds_left() > 0 else None)
        return self._flights.start(item.parts, self._run_awaited, work=work)

    def is_under_way(self, item: Item[Any]) -> bool:
        """Whether this process is fetching the item."""
        return self._flights.is_under_way(item.parts)

    def lying(self, item: Item[T], held: Held | None = None) -> Kept[T]:
        """Like `read`, but of what lies here alone: nothing is fetched, nor refreshed behind the scenes.

        Raises Unavailable where `read` would have to wait.
        """
        held, now = held or self.look(item)[0], self._clock.now()
        if not held.servable(now, item.lifetime):
            raise Unavailable(reason="not_at_hand")
        return held.answer(now, item.lifetime)

    def look(self, *items: Item[Any]) -> list[Held]:
        """What lies here for each of these. Costs no round trip when they were looked for a moment ago, one when
        nothing was written since or nothing is known of them, else two.
        """
        now = self._clock.steady()
        found = [self._held.get(item.parts) for item in items]
        old = [held for held in found if held is not None and now - held.looked_at >= self._held_for]
        if None in found or (old and not self._still(old, now)):
            return self._look(*items)
        return [held for held in found if held is not None]

    def unchanged(self, reads: Iterable[tuple[Item[Any], Kept[Any]]], *, refresh: bool = True) -> bool:
        """Whether reading all of these again would say the same, at the cost of a look and never of a fetch.

        What is due is refreshed behind the scenes, unless `refresh` is off.
        """
        before, now = list(reads), self._clock.now()
        for (item, kept), held in zip(before, self.look(*[item for item, _ in before]), strict=True):
            if held.serial != kept.serial or held.refusal or not held.servable(now, item.lifetime):
                return False
            again = held.answer(now, item.lifetime)
            if (again.stale, again.troubled) != (kept.stale, kept.troubled):
                return False
            if refresh:
                self._refresh(item, held, now)
        return True

    def refuse(self, error: KeyRefused) -> None:
        """The key was refused elsewhere: nothing is served any more until a fetch succeeds again."""
        self._close(self._no(error, "", NO_KEPT))

    def forget(self, *group: str) -> None:
        """From now on nothing in this group counts as known, nor what is being fetched at this moment."""
        self._cache.set(self._key("mark", *group), secrets.token_hex(8), INVALIDATION_SECONDS)
        self._beat()
        self._drop(group)

    # Looking

    def _still(self, old: list[Held], now: float) -> bool:
        """Whether the account's pulse says that all of these are as they were."""
        pulses = {held.pulse for held in old}
        if len(pulses) > 1 or "" in pulses or self._cache.get(self._key("pulse")) not in pulses:
            return False
        for held in old:
            held.looked_at = now
        return True

    def _beat(self) -> None:
        """Everybody look again: something was written."""
        self._cache.set(self._key("pulse"), secrets.token_hex(8), 2 * DAY)

    def _look(self, *items: Item[Any]) -> list[Held]:
        """Look for items in the cache, in one round trip. The pulse is read first: whatever is written later
        changes it.
        """
        forgettings = self._forgettings
        pulse_key, refusal_key = self._key("pulse"), self._key("refusal")
        keys = [(self._key("value", *item.parts), self._key("mark", *item.group)) for item in items]
        found = self._cache.get_many([pulse_key, refusal_key, *(key for pair in keys for key in pair)])
        pulse, refusal = str(found.get(pulse_key, "")), opened(found.get(refusal_key))
        looked = [
            self._made_out(item, found.get(value), str(found.get(mark, "")), refusal, pulse)
            for item, (value, mark) in zip(items, keys, strict=True)
        ]
        with self._guard:
            if forgettings == self._forgettings:
                for item, held in zip(items, looked, strict=True):
                    self._remember(item, held)
        return looked

    def _made_out(self, item: Item[Any], raw: object, mark: str, refusal: Envelope | None, pulse: str) -> Held:
        before, now = self._held.get(item.parts), self._clock.steady()
        if before and raw is None and not self._cache.up:
            return replace(before, looked_at=now, pulse=pulse)
        if before and raw is not None and raw == before.raw:
            return replace(before, mark=mark, refusal=refusal, looked_at=now, pulse=pulse)
        envelope, value = opened(raw), None
        if envelope and not envelope.failure:
            try:
                value = item.decode(bytes(envelope.payload))
            except ValueError:  # written by another version of this package
                envelope = None
        return Held(envelope, value, mark, refusal, raw, now, pulse)

    def _remember(self, item: Item[Any], held: Held) -> None:
        self._held.pop(item.parts, None)
        if held.envelope:
            if len(self._held) >= self._size:
                del self._held[next(iter(self._held))]
            self._held[item.parts] = held

    def _drop(self, group: tuple[str, ...]) -> None:
        self._flights.part(group)
        with self._guard:
            self._forgettings += 1
            for parts in [parts for parts in self._held if parts[: len(group)] == group]:
                del self._held[parts]

    # Fetching

    def _refresh(self, item: Item[Any], held: Held, now: float) -> None:
        """Get a newer value behind the scenes when one is due; each process tries once a second."""
        steady = self._clock.steady()
        if steady >= held.refresh_again_at and not held.settled(now):
            held.refresh_again_at = steady + 1
            self._flights.start(item.parts, self._run, work=lambda: self._fetch(item))

    def _fetched(self, item: Item[Any], held: Held, begun: Future[Held | None] | None) -> Held:
        # A page whose time is up starts no fetch: it would fail at once, and for everybody.
        outcome = self._flights.join(
            item.parts,
            self._clock.steady() + min(self._patience, seconds_left()),
            work=lambda: self._fetch(item),
            arrived=lambda: self._settled(item),
            begun=begun,
        )
        if outcome:
            return outcome
        return held if held.value_within(self._clock.now(), item.lifetime.on_error) else Held()

    def _settled(self, item: Item[Any]) -> Held | None:
        [held] = self._look(item)
        return held if held.settled(self._clock.now()) else None

    def _fetch(self, item: Item[Any]) -> Held:
        """Ask Kordless, unless somebody did a moment ago. Runs alone."""
        [held], asked_at = self._look(item), self._clock.now()
        if held.settled(asked_at):
            return held
        try:
            value = item.fetch()
        except KeyRefused as error:
            return self._close(self._no(error, "", NO_KEPT))
        except Unavailable as error:
            return self._put(item, self._after(error, held, item), held.value)
        except KordlessError as error:
            return self._put(item, self._no(error, held.mark, NO_KEPT))
        if held.refusal:
            self._cache.delete_many([self._key("refusal")])
        return self._put(item, self._new(item, value, held.mark, asked_at), value)

    def _put(self, item: Item[Any], envelope: Envelope, value: Any = None) -> Held:
        lasts = envelope.fresh if envelope.failure else item.lifetime.on_error
        seconds = ceil(lasts - envelope.age(self._clock.now()))
        raw = sealed(envelope)
        self._cache.set(self._key("value", *item.parts), raw, seconds)
        self._beat()
        held = Held(envelope, value, envelope.mark, raw=raw, looked_at=NEVER)
        with self._guard:
            self._remember(item, held)  # to be recognized, not to be served before it was looked for
        return held

    def _close(self, refusal: Envelope) -> Held:
        self._cache.set(self._key("refusal"), sealed(refusal), DAY)
        self._beat()
        self._drop(())
        return Held(refusal=refusal)

    def _new(self, item: Item[T], value: T, mark: str, asked_at: float) -> Envelope:
        # Freshness varies a little, so that keys that were filled together don't run out together.
        fresh = item.lifetime.fresh * random.uniform(0.9, 1.0)  # noqa: S311 - nothing secret
        payload = msgspec.Raw(item.encode(value))
        return Envelope(version=VERSION, fetched_at=asked_at, fresh=fresh, mark=mark, payload=payload)

    def _no(self, error: KordlessError, mark: str, seconds: int) -> Envelope:
        now = self._clock.now()
        return Envelope(version=VERSION, fetched_at=now, fresh=seconds, mark=mark, failure=Failure.of(error))

    def _after(self, error: Unavailable, held: Held, item: Item[Any]) -> Envelope:
        """What to keep after a failure: the value there was, not to be refreshed again at once, or the
        failure.
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
            mark=held.mark,
            fresh=0.0 if forgotten else envelope.fresh,
            again_at=now + min(max(AGAIN_AFTER, error.retry_after or 0), AGAIN_WITHIN),
            troubled=forgotten or envelope.troubled or not isinstance(error, TooMany),
        )

    def _key(self, *parts: str) -> str:
        return cache_key(self._account, *parts)
