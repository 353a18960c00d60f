"""What may be served: the rules of age, trouble and forgetting, without any cache or clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from kordless_booking.exceptions import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from kordless_booking.exceptions import KeyRefused

    from .envelope import Envelope

__all__ = ["AGAIN_WITHIN", "CatalogCache", "Held", "Item", "Kept", "Lifetime"]

T = TypeVar("T")

_serials = count(1)

AGAIN_WITHIN = 30
"""Seconds: the longest that a failed refresh is not tried again."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Ages in seconds: until `fresh` served as it is, until `stale` while refreshed, until `on_error` on
    failure.
    """

    fresh: float
    stale: float
    on_error: float


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """Something to keep: its name, how to get it, how to write it as JSON, and for how long it is good.

    Items with the same first two `parts` form a group and are forgotten together.
    """

    parts: tuple[str, ...]
    fetch: Callable[[], T]
    encode: Callable[[T], bytes]
    decode: Callable[[bytes], T]
    lifetime: Lifetime

    @property
    def group(self) -> tuple[str, ...]:
        """What this item is forgotten with."""
        return self.parts[:2]


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A value, and when it was asked for (Unix seconds).

    `stale`: a newer one is wanted. `troubled`: shown only because Kordless fails or says too many, so say so.
    `serial`: tells this value from all others that this process has had.
    """

    value: T
    fetched_at: float
    stale: bool = False
    troubled: bool = False
    serial: int = field(default=0, compare=False)


@dataclass(slots=True)
class Held:
    """What one look at the cache found for one item: its envelope, the group's mark, the account's refusal.

    While the account's `pulse` in the cache is the same, another look would find the same. `refresh_again_at` is
    in steady seconds.
    """

    envelope: Envelope | None = None
    value: Any = None
    mark: str = ""
    refusal: Envelope | None = None
    raw: object = None
    looked_at: float = 0.0
    pulse: str = ""
    refresh_again_at: float = 0.0
    serial: int = field(default_factory=lambda: next(_serials), compare=False)

    def settled(self, now: float) -> bool:
        """Nobody need ask Kordless now: there is a fresh answer, or asking failed a moment ago."""
        if self.refusal is not None:
            return self.refusal.age(now) < self.refusal.fresh
        envelope = self.envelope
        if envelope is None or envelope.mark != self.mark:
            return False
        return envelope.age(now) < envelope.fresh or 0 < envelope.again_at - now <= AGAIN_WITHIN

    def servable(self, now: float, lifetime: Lifetime) -> bool:
        """The reader need not wait."""
        if self.settled(now):
            return True
        envelope = self.value_within(now, lifetime.stale)
        return envelope is not None and envelope.mark == self.mark

    def value_within(self, now: float, seconds: float) -> Envelope | None:
        """The envelope, if it holds a value of less than that age and the key is not refused."""
        envelope = self.envelope
        if envelope is None or envelope.failure or self.refusal or envelope.age(now) >= seconds:
            return None
        return envelope

    def answer(self, now: float, lifetime: Lifetime) -> Kept[Any]:
        """What the reader gets; raises the KordlessError that is there instead."""
        envelope = self.refusal or self.envelope
        if envelope is None:
            raise Unavailable(reason="waited_in_vain")
        if envelope.failure:
            raise envelope.failure.error()
        age, forgotten = envelope.age(now), envelope.mark != self.mark
        return Kept(
            self.value,
            envelope.fetched_at,
            stale=forgotten or age >= envelope.fresh,
            troubled=forgotten or age >= lifetime.stale or envelope.troubled,
            serial=self.serial,
        )


class CatalogCache(Protocol):
    """What the catalog reads through. The account's cache and one request's view of it answer alike.

    Each method means the same in both; the tests of this protocol run against both.
    """

    @property
    def fetches_ahead(self) -> bool:
        """True if a reader waits for a whole page, so what it lacks is fetched side by side.

        Others read one item after another: they must not take permits that visitors need.
        """
        ...

    def look(self, *items: Item[Any]) -> list[Held]:
        """Return what is cached for each item, in their order. Fetches nothing."""
        ...

    def read(self, item: Item[T]) -> Kept[T]:
        """Return the best value there is, and fetch it if nothing acceptable is cached. Raises KordlessError."""
        ...

    def must_fetch(self, item: Item[Any]) -> bool:
        """Return whether `read` would have to ask Kordless for something that nobody is fetching."""
        ...

    def begin(self, item: Item[Any]) -> Future[Held | None] | None:
        """Start to fetch an item that a `read` follows for. None if it is being fetched already."""
        ...

    def is_under_way(self, item: Item[Any]) -> bool:
        """Return whether this process is fetching the item."""
        ...

    def forget(self, *group: str) -> None:
        """Invalidate all items of a group, and those of it that are being fetched."""
        ...

    def refuse(self, error: KeyRefused) -> None:
        """Serve nothing until a fetch succeeds again: Kordless has refused the key."""
        ...
