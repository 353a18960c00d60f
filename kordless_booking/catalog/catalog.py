"""Catalog of what Kordless offers: organization, services and slots. Views read these only here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from kordless_booking.api.resources import Offer, ServiceDetail, Slot, decode, encode
from kordless_booking.exceptions import BadRequest, KeyRefused, NotFound

from .clock import Clock
from .kept import Item, Kept, Lifetime
from .window import month_window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from .kept import Held
    from .reading import Reading
    from .shelf import Shelf

__all__ = ["Catalog", "Client", "Limits", "Lying"]

MOST_PEOPLE = 50
"""Largest party size that is requested. Bounds the number of cache entries that a visitor can create."""
MINUTES_AND_A_DAY = Lifetime(fresh=300, stale=3_600, on_error=86_400)
"""Seconds. Default for the organization and for each service."""
SECONDS_AND_MINUTES = Lifetime(fresh=15, stale=300, on_error=1_800)
"""Seconds. Default for slots."""

T = TypeVar("T")


class Client(Protocol):
    """The methods of `api.client.Kordless` that the catalog calls."""

    def organization(self) -> Offer: ...
    def service(self, slug: str) -> ServiceDetail: ...
    def availability(
        self, service_slug: str, start: datetime, end: datetime, *, party_size: int = 1
    ) -> tuple[Slot, ...]: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Lifetimes of cached values, by type."""

    offer: Lifetime = MINUTES_AND_A_DAY
    service: Lifetime = MINUTES_AND_A_DAY
    slots: Lifetime = SECONDS_AND_MINUTES


@dataclass(frozen=True, slots=True)
class Lying:
    """Status of one cached value."""

    what: str
    """ "offer", "service" or "slots"."""
    service: str
    """The service's slug; "" for the offer."""
    month: date | None
    """For slots, a day of the month they are of."""
    state: str
    """ "fresh", "aging" (the next read refreshes it), "forgotten" (invalidated: the next read fetches it), "troubled"
    (its last refresh failed), "failed" (an error is cached in its place), "refused" (the API key was) or "absent".
    """
    age: float | None
    """In seconds; None when there is nothing that can be shown."""


class Catalog:
    """Reads of one account, through its read-through cache.

    Each read returns the best value there is, with its age, and raises a KordlessError only when no acceptable one
    exists. NotFound and KeyRefused are always raised, even when an older value is cached. A service that the
    organization doesn't list is NotFound without a request, so that made-up names can't use up the quota.
    """

    def __init__(
        self,
        *,
        account: str,
        client: Client,
        shelf: Shelf | Reading,
        limits: Limits | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.account = account
        self._client = client
        self._shelf = shelf
        self._limits = limits or Limits()
        self._clock = clock or Clock()

    def on(self, reading: Reading) -> Catalog:
        """Return the same catalog scoped to one request, which records its reads."""
        return Catalog(account=self.account, client=self._client, shelf=reading, limits=self._limits, clock=self._clock)

    def offer(self) -> Kept[Offer]:
        """Return the organization and its services."""
        return self._shelf.read(self._offer())

    def known_offer(self) -> Offer | None:
        """Return the organization and its services as cached, however old, or None. Never asks Kordless."""
        looked = self._shelf.look(self._offer())
        known: Offer | None = looked[0].value if looked else None
        return known

    def lying(self, months: Sequence[date], *, most: int = 50) -> list[Lying]:
        """Return the cache status for these months without a request to Kordless.

        That is: of the offer, and of each of its services (the first `most`) with its slots for one person.
        """
        offer = self.known_offer()
        slugs = [service.slug for service in offer.services if service.bookable and service.slug] if offer else []
        items: list[tuple[Item[Any], str, date | None]] = [(self._offer(), "", None)]
        for slug in slugs[:most]:
            items.append((self._service(slug), slug, None))
            items += [(self._slots(slug, month, 1, None), slug, month) for month in months]
        now = self._clock.now()
        looked = self._shelf.look(*[item for item, _, _ in items]) or []
        return [
            Lying(item.parts[0], slug, month, *_state_of(held, now))
            for (item, slug, month), held in zip(items, looked, strict=True)
        ]

    def service(self, slug: str) -> Kept[ServiceDetail]:
        """Return one service with its calendar settings. Raises NotFound when the organization doesn't list it."""
        self._must_be_offered(slug)
        return self._shelf.read(self._service(slug))

    def slots(
        self, slug: str, month: date, party_size: int = 1, *, window_days: int | None = None
    ) -> Kept[tuple[Slot, ...]]:
        """Return the slots around `month` (any day of it) for `party_size` people, in UTC.

        The same for every visitor: a day more than the month on both sides, nothing before today, nothing beyond
        `window_days` from now. A month outside of that is empty and costs no request. Raises BadRequest for an absurd
        party size.
        """
        if not 1 <= party_size <= MOST_PEOPLE:
            raise BadRequest(operation="availability", reason="party_size")
        self._must_be_offered(slug)
        if month_window(month, self._today(), window_days) is None:
            return Kept((), self._clock.now())
        return self._shelf.read(self._slots(slug, month, party_size, window_days))

    def page(self, slug: str, *months: date, party_size: int = 1) -> None:
        """Load all that a page of slots reads in a single cache round trip, so that the reads need none."""
        # The window is part of the fetch, not of the key, so None here finds the same entries.
        slots = [self._slots(slug, month, party_size, None) for month in months]
        self._shelf.look(self._offer(), self._service(slug), *slots)

    def forget_offer(self) -> None:
        """Invalidate the organization and its list of services."""
        self._shelf.forget("offer")

    def forget_service(self, slug: str) -> None:
        """Invalidate the settings of one service."""
        self._shelf.forget("service", slug)

    def forget_slots(self, slug: str) -> None:
        """Invalidate every month and party size of a service, because something was booked, moved or canceled."""
        self._shelf.forget("slots", slug)

    def close(self, error: KeyRefused) -> None:
        """Mark the API key as refused, because a booking was. Nothing is offered until Kordless accepts the key."""
        self._shelf.refuse(error)

    def _must_be_offered(self, slug: str) -> None:
        if not any(service.slug == slug for service in self.offer().value.services):
            raise NotFound(operation="service", reason="not_offered")

    def _today(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def _offer(self) -> Item[Offer]:
        return _item(("offer",), self._client.organization, Offer, self._limits.offer)

    def _service(self, slug: str) -> Item[ServiceDetail]:
        fetch = self._doubting_offer(lambda: self._client.service(slug))
        return _item(("service", slug), fetch, ServiceDetail, self._limits.service)

    def _slots(self, slug: str, month: date, party_size: int, window_days: int | None) -> Item[tuple[Slot, ...]]:
        def fetch() -> tuple[Slot, ...]:
            window = month_window(month, self._today(), window_days)
            return () if window is None else self._client.availability(slug, *window, party_size=party_size)

        # Without the visitor's time zone: the window covers every zone, and so all visitors share one entry.
        parts = ("slots", slug, f"{month:%Y-%m}", str(party_size))
        return _item(parts, self._doubting_offer(fetch), tuple[Slot, ...], self._limits.slots)

    def _doubting_offer(self, fetch: Callable[[], T]) -> Callable[[], T]:
        """Wrap `fetch` so that a 404 invalidates the offer: a list that names an unknown service is out of date."""

        def fetched() -> T:
            try:
                return fetch()
            except NotFound:
                self.forget_offer()
                raise

        return fetched


def _state_of(held: Held, now: float) -> tuple[str, float | None]:
    envelope = held.envelope
    if held.refusal is not None:
        return "refused", None
    if envelope is None:
        return "absent", None
    if envelope.failure is not None:
        return "failed", None
    age = envelope.age(now)
    if envelope.mark != held.mark:
        return "forgotten", age
    if envelope.troubled:
        return "troubled", age
    return ("fresh" if age < envelope.fresh else "aging"), age


def _item(parts: tuple[str, ...], fetch: Callable[[], T], kind: type[T], lifetime: Lifetime) -> Item[T]:
    return Item(parts, fetch, encode, lambda raw: decode(raw, kind), lifetime)
