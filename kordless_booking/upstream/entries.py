"""Cache entries and the rules for serving them: age, failed refreshes, invalidation. No I/O and no clock here."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import msgspec

from kordless_booking import exceptions
from kordless_booking.exceptions import KordlessError, NotSent, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from kordless_booking.exceptions import KeyRefused

VERSION = 1
"""Raise it when the format changes: entries of another version are read as absent."""
COMPRESS_FROM_BYTES = 256 * 1024
"""Size from which entries are compressed. Memcached refuses values of more than 1 MB, and each process keeps the bytes
of what it has read.
"""
_COMPRESSED = b"z"
"""First byte of a compressed entry. JSON of an object begins with a brace."""
_MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024
"""More than any answer that the client accepts: a guard against decompression bombs in the cache."""


class Failure(msgspec.Struct, frozen=True):
    """A KordlessError as plain fields, so that other processes can raise the same."""

    kind: str
    operation: str = ""
    status: int | None = None
    reason: str = ""
    retry_after: int | None = None

    @classmethod
    def from_error(cls, error: KordlessError) -> Failure:
        """Describe `error` by its fields; its message is left out."""
        return cls(type(error).__name__, error.operation, error.status, error.reason, error.retry_after)

    def error(self) -> KordlessError:
        """Return a new exception: one instance must not be raised in several threads."""
        # The name comes from the cache: it may be from another version, and must not reach any other attribute.
        known = self.kind if self.kind in exceptions.__all__ else "Unavailable"
        kind: type[KordlessError] = getattr(exceptions, known)
        return kind(operation=self.operation, status=self.status, reason=self.reason, retry_after=self.retry_after)


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Cache entry: a payload or a failure, and what is known about it. Times are Unix seconds."""

    version: int
    fetched_at: float
    """When Kordless was asked, not when it answered: the value may be as old as that."""
    fresh: float
    """Seconds after `fetched_at` for which the entry is served without a refresh."""
    generation: str = ""
    """Generation of the item's group when Kordless was asked. It differs from the current one after an invalidation."""
    retry_at: float = 0.0
    """After a failed refresh: no other try before this time."""
    degraded: bool = False
    """The last refresh failed, and not merely because the rate limiter refused it. Served as degraded."""
    failure: Failure | None = None
    """Set in a negative entry, which has no payload."""
    payload: msgspec.Raw = msgspec.Raw(b"null")

    def age(self, now: float) -> float:
        """Return the seconds since Kordless was asked.

        An entry from the future (a stepped clock) counts as old, not as new.
        """
        return abs(now - self.fetched_at)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Envelope)


def encode(envelope: Envelope) -> bytes:
    """Encode as JSON for the cache, compressed (zlib) if it is large."""
    raw = _encoder.encode(envelope)
    # Level 1: 15,000 slots shrink from 3.6 MB to 70 KB in 8 ms.
    return raw if len(raw) < COMPRESS_FROM_BYTES else _COMPRESSED + zlib.compress(raw, 1)


def decode(raw: object) -> Envelope | None:
    """Decode what the cache returned; None for anything that this version did not write."""
    if not isinstance(raw, bytes):
        return None
    try:
        envelope = _decoder.decode(_decompress(raw) if raw.startswith(_COMPRESSED) else raw)
    # RecursionError: deeply nested JSON, which somebody else has written.
    except (msgspec.MsgspecError, RecursionError, zlib.error):
        return None
    return envelope if envelope.version == VERSION else None


def _decompress(raw: bytes) -> bytes:
    inflater = zlib.decompressobj()
    text = inflater.decompress(raw[len(_COMPRESSED) :], _MAX_DECOMPRESSED_BYTES)
    # What is longer was not written here. Cut off, it is no JSON, and so it is read as absent.
    return text if inflater.eof else b""


T = TypeVar("T")

_serials = count(1)
"""Source of `LocalEntry.serial`. `next` on it is atomic in CPython, so it needs no lock."""

MAX_RETRY_DELAY_SECONDS = 30
"""Seconds after a failed refresh within which it is tried again at the latest."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Ages in seconds up to which a value is served (RFC 5861, but measured from the fetch, not from each other)."""

    fresh: float
    """Served as it is."""
    stale_while_revalidate: float
    """Served at once, and refreshed in the background."""
    stale_if_error: float
    """Served only when fetching a new one fails."""
    last_known: float = 0.0
    """Served only when Kordless was not asked at all, or said too many. Counts where it is above `stale_if_error`."""

    @property
    def longest(self) -> float:
        """Age from which a value is of no use anymore."""
        return max(self.stale_if_error, self.last_known)

    def max_age_after(self, error: KordlessError) -> float:
        """Return the age up to which a value is served when fetching a new one failed with this error."""
        # An answer that can't be used says that something is wrong with what we know; no answer says nothing.
        return self.longest if isinstance(error, NotSent) else self.stale_if_error


class CacheItem(msgspec.Struct, Generic[T], frozen=True, eq=False):
    """Description of a cached value: its key, how to fetch it, its JSON codec and its lifetime.

    Items with the same first two `parts` form a group and are invalidated together.
    """

    parts: tuple[str, ...]
    """Parts of the cache key, within one account."""
    fetch: Callable[[], T]
    encode: Callable[[T], bytes]
    decode: Callable[[bytes], T]
    lifetime: Lifetime

    @property
    def group(self) -> tuple[str, ...]:
        """The prefix of `parts` that this item is invalidated with."""
        return self.parts[:2]


class Cached(msgspec.Struct, Generic[T], frozen=True, eq=False):
    """A value from the cache, with its age."""

    value: T
    fetched_at: float
    """When Kordless was asked, in Unix seconds."""
    stale: bool = False
    """A refresh is due."""
    degraded: bool = False
    """Degraded: served only because Kordless fails or answers 429. The page has to say so."""
    serial: int = 0
    """Tells this value from all others that this process has had. Equal serials mean the same entry."""

    def __eq__(self, other: object) -> bool:
        # By what it says: another process has the same value under another serial.
        return (
            isinstance(other, Cached)
            and self.value == other.value
            and (self.fetched_at, self.stale, self.degraded) == (other.fetched_at, other.stale, other.degraded)
        )

    __hash__ = None  # type: ignore[assignment]  # the value may be a list of anything


@dataclass(slots=True)
class LocalEntry:
    """Entry of the local (in-process) cache: what one cache read found for one item."""

    envelope: Envelope | None = None
    value: Any = None
    generation: str = ""
    """Generation of the item's group as the cache has it now."""
    key_refusal: Envelope | None = None
    """Set while Kordless refuses the account's API key."""
    raw: object = None
    """The bytes as read: equal bytes need no decoding again."""
    read_at: float = 0.0
    """Monotonic seconds of the last cache read that confirmed this entry."""
    epoch: str = ""
    """Epoch of the account at that read. While the epoch in the cache is the same, another read would find the same."""
    refresh_again_at: float = 0.0
    """Monotonic seconds before which this process starts no other background refresh."""
    serial: int = field(default_factory=lambda: next(_serials), compare=False)

    @property
    def memory_bytes(self) -> int:
        """Estimate of the memory that the entry takes: the bytes as read, the payload within them, and its value."""
        # A value takes about as much as its JSON: 0.9 bytes for each byte of 5,000 slots.
        payload = memoryview(self.envelope.payload).nbytes if self.envelope else 0
        return 2 * payload + (len(self.raw) if isinstance(self.raw, bytes) else 0)

    def needs_no_fetch(self, now: float) -> bool:
        """Return True when no fetch is due: there is a fresh answer, or a fetch failed a moment ago."""
        if self.key_refusal is not None:
            return self.key_refusal.age(now) < self.key_refusal.fresh
        envelope = self.envelope
        if envelope is None or envelope.generation != self.generation:
            return False
        # The upper bound is for a stepped clock: a time further ahead can't have been meant, and would block for long.
        return envelope.age(now) < envelope.fresh or 0 < envelope.retry_at - now <= MAX_RETRY_DELAY_SECONDS

    def is_servable(self, now: float, lifetime: Lifetime) -> bool:
        """Return True when the caller need not wait for a fetch."""
        if self.needs_no_fetch(now):
            return True
        envelope = self.value_within(now, lifetime.stale_while_revalidate)
        return envelope is not None and envelope.generation == self.generation

    def value_within(self, now: float, seconds: float) -> Envelope | None:
        """Return the envelope if it holds a value of less than `seconds` of age, and the key is not refused."""
        envelope = self.envelope
        if envelope is None or envelope.failure or self.key_refusal or envelope.age(now) >= seconds:
            return None
        return envelope

    def as_cached(self, now: float, lifetime: Lifetime) -> Cached[Any]:
        """Return the value with its age. Raises the KordlessError that is cached in its place."""
        # A refused key outranks every value: what it offered can't be booked.
        envelope = self.key_refusal or self.envelope
        if envelope is None:
            raise Unavailable(reason="wait_timed_out")
        if envelope.failure:
            raise envelope.failure.error()
        # An invalidated or too old value gets here only after a fetch failed, so it is degraded by definition.
        age, invalidated = envelope.age(now), envelope.generation != self.generation
        return Cached(
            self.value,
            envelope.fetched_at,
            stale=invalidated or age >= envelope.fresh,
            degraded=invalidated or age >= lifetime.stale_while_revalidate or envelope.degraded,
            serial=self.serial,
        )


class CatalogCache(Protocol):
    """Interface that the catalog reads through: the account's cache, or one request's view of it.

    Each method means the same in both; the tests of this protocol run against both.
    """

    @property
    def fetches_in_parallel(self) -> bool:
        """True if a reader waits for a whole page, so that everything it lacks should be fetched in parallel.

        Other readers fetch one item after another: they must not take permits that visitors need.
        """
        ...

    def lookup(self, *items: CacheItem[Any]) -> list[LocalEntry]:
        """Return what is cached for each item, in their order. Fetches nothing."""
        ...

    def read(self, item: CacheItem[T]) -> Cached[T]:
        """Return the best value there is, and fetch it if nothing acceptable is cached. Raises KordlessError."""
        ...

    def needs_fetch(self, item: CacheItem[Any]) -> bool:
        """Return True if `read` would have to fetch, and nobody in this process is fetching the item yet."""
        ...

    def local_value(self, item: CacheItem[T]) -> T | None:
        """Return the value that the local cache has of the item, however old; None if it has none. No round trip."""
        ...

    def start_fetch(self, item: CacheItem[Any]) -> Future[LocalEntry | None] | None:
        """Start to fetch an item that the caller will `read`. None if it is being fetched already."""
        ...

    def is_fetching(self, item: CacheItem[Any]) -> bool:
        """Return True if this process is fetching the item."""
        ...

    def invalidate(self, *group: str) -> None:
        """Invalidate all items of a group, and those of it that are being fetched."""
        ...

    def mark_key_refused(self, error: KeyRefused) -> None:
        """Serve nothing until a fetch succeeds again: Kordless has refused the key."""
        ...
