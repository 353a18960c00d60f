"""What Kordless offers right now: the only way in which views read."""

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
MINUTES_AND_A_DAY = Lifetime(fresh=300, stale=3_600, on_error=86_400)
SECONDS_AND_MINUTES = Lifetime(fresh=15, stale=300, on_error=1_800)

T = TypeVar("T")


class Client(Protocol):
    """What the catalog needs of `api.client.Kordless`."""

    def organization(self) -> Offer: ...
    def service(self, slug: str) -> ServiceDetail: ...
    def availability(
        self, service_slug: str, start: datetime, end: datetime, *, party_size: int = 1
    ) -> tuple[Slot, ...]: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How old what is shown may be, in seconds."""

    offer: Lifetime = MINUTES_AND_A_DAY
    service: Lifetime = MINUTES_AND_A_DAY
    slots: Lifetime = SECONDS_AND_MINUTES


@dataclass(frozen=True, slots=True)
class Lying:
    """How something lies in the cache. `what` is "offer", "service" or "slots"; `age` in seconds, None when nothing
    that can be shown is there. `state`: "fresh", "aging" (a newer one is fetched when somebody looks), "forgotten"
    (so is then, because something changed), "troubled" (its last refresh failed), "failed", "refused" (the key) or
    "absent".
    """

    what: str
    service: str
    month: date | None
    state: str
    age: float | None


class Catalog:
    """Reads of one account, through its shelf.

    Each read returns the best value there is, with its age, and raises a KordlessError only when no
    acceptable one exists. NotFound and KeyRefused are never papered over. A service that the offer doesn't
    list is NotFound without a call, so that made-up names can't spend the allowance.
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
        """The same catalog for one page, which notes what it reads."""
        return Catalog(account=self.account, client=self._client, shelf=reading, limits=self._limits, clock=self._clock)

    def offer(self) -> Kept[Offer]:
        """Return the business and its services."""
        return self._shelf.read(self._offer())

    def known_offer(self) -> Offer | None:
        """Return the business and its services as far as they lie here, however old, without asking Kordless."""
        looked = self._shelf.look(self._offer())
        known: Offer | None = looked[0].value if looked else None
        return known

    def lying(self, months: Sequence[date], *, most: int = 50) -> list[Lying]:
        """How old everything is that lies here for these months, without asking Kordless.

        The offer, and each of its services (the first `most`) with its times for one person.
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
        """Return one service with its calendar settings."""
        self._must_be_offered(slug)
        return self._shelf.read(self._service(slug))

    def slots(
        self, slug: str, month: date, party_size: int = 1, *, window_days: int | None = None
    ) -> Kept[tuple[Slot, ...]]:
        """Return the slots around `month` (any day of it) for `party_size` people, in UTC.

        The same for every visitor: a day more than the month on both sides, nothing before today, nothing
        beyond `window_days` from now. A month outside of that is empty and costs no call.
        """
        if not 1 <= party_size <= MOST_PEOPLE:
            raise BadRequest(operation="availability", reason="party_size")
        self._must_be_offered(slug)
        if month_window(month, self._today(), window_days) is None:
            return Kept((), self._clock.now())
        return self._shelf.read(self._slots(slug, month, party_size, window_days))

    def page(self, slug: str, *months: date, party_size: int = 1) -> None:
        """Look for all that a page of slots reads in a single cache round trip, so that the reads need none."""
        slots = [self._slots(slug, month, party_size, None) for month in months]
        self._shelf.look(self._offer(), self._service(slug), *slots)

    def forget_offer(self) -> None:
        """The business or its list of services changed."""
        self._shelf.forget("offer")

    def forget_service(self, slug: str) -> None:
        """The settings of a service changed."""
        self._shelf.forget("service", slug)

    def forget_slots(self, slug: str) -> None:
        """Something was booked, moved or canceled: forget every month and party size of that service."""
        self._shelf.forget("slots", slug)

    def close(self, error: KeyRefused) -> None:
        """Kordless refused the key for a booking: offer nothing more until it accepts it again."""
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

        parts = ("slots", slug, f"{month:%Y-%m}", str(party_size))
        return _item(parts, self._doubting_offer(fetch), tuple[Slot, ...], self._limits.slots)

    def _doubting_offer(self, fetch: Callable[[], T]) -> Callable[[], T]:
        """Kordless knows no such service any more, so the list that names it is out of date."""

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
