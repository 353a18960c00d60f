"""Catalog of what Kordless offers: organization, services and slots. Views read these only here."""

from __future__ import annotations

import logging
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from kordless_booking.api.resources import OrganizationDetail, ServiceDetail, Slot, decode, encode
from kordless_booking.clock import Clock
from kordless_booking.exceptions import KeyRefused, KordlessError, NotFound, TooMany
from kordless_booking.logs import LogThrottle, log_event
from kordless_booking.presentation.timezones import business_timezone

from .entries import Cached, CacheItem, Lifetime
from .single_flight import OwnerRefused
from .slot_block import LongRanges, SlotBlock, decode_block, encode_block, fetch_near_block, join_slots
from .window import (
    USUAL_WINDOW_DAYS,
    Days,
    bookable_days,
    by_month,
    days_window,
    is_near,
    month_window,
    near_until,
    near_window,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from .entries import CatalogCache, LocalEntry
    from .request_view import RequestView

logger = logging.getLogger(__name__)

LOG_INTERVAL_SECONDS: Final = 3600.0
"""Minimum seconds between two log lines of one process about the same time zone."""

T = TypeVar("T")


class Client(Protocol):
    """The methods of `api.client.Kordless` that the catalog calls."""

    def organization(self) -> OrganizationDetail: ...
    def service(self, slug: str) -> ServiceDetail: ...
    def availability(self, service_slug: str, start: datetime, end: datetime) -> tuple[Slot, ...]: ...


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Lifetimes of what the catalog caches. No defaults: the account's settings are the only source."""

    organization: Lifetime
    service: Lifetime
    slots: Lifetime


@dataclass(frozen=True, slots=True)
class CacheStatus:
    """Status of one cached value."""

    what: str
    """ "organization", "service" or "slots"."""
    service: str
    """The service's slug; "" for the organization."""
    month: date | None
    """For slots, a day of the month they are of."""
    state: str
    """ "fresh", "stale" (the next read refreshes it), "invalidated" (the next read fetches it), "degraded"
    (its last refresh failed), "failed" (an error is cached in its place), "refused" (the API key was) or "absent".
    """
    age: float | None
    """In seconds; None when no value can be shown."""


class Catalog:
    """Reads of one account, through its read-through cache.

    Each read returns the best value there is, with its age, and raises a KordlessError only when no acceptable one
    exists. NotFound and KeyRefused are always raised, even when an older value is cached. A service that the
    organization doesn't list is NotFound without a request, so that made-up names can't use up the quota.

    Slots are those for one person, whatever the party: each says how many seats are left, so a larger party is a filter
    over them (`booking.availability`). That Kordless's own `partySize` is the same filter is assumed; it is
    undocumented. So a made-up party costs no request and no cache entry. What Kordless thinks of a party is known when
    the booking is created.
    """

    def __init__(
        self,
        *,
        account: str,
        client: Client,
        cache: CatalogCache,
        lifetimes: Lifetimes,
        clock: Clock | None = None,
        log_throttle: LogThrottle | None = None,
        account_cache: CatalogCache | None = None,
        long_ranges: LongRanges | None = None,
        on_slots: Callable[[str, SlotBlock], object] | None = None,
    ) -> None:
        self.account = account
        self._client = client
        self._cache = cache
        # For fetches, which may outlive the request: they must not bring values into the request's own view.
        self._account_cache = account_cache or cache
        self.lifetimes = lifetimes
        self._clock = clock or Clock()
        self._log_throttle = log_throttle or LogThrottle(self._clock)
        self._long_ranges = long_ranges or LongRanges()
        #: Called with the service and its slots after they were fetched. It must not take time: readers wait.
        self._on_slots = on_slots
        #: Services of which this request has started to fetch the settings, or which need no fetch.
        self._prefetched: set[str] = set()
        #: Services and days of which `preload` has found everything that their page reads.
        self._complete: set[tuple[str, tuple[Days, ...]]] = set()
        self._organization_item = _item(
            ("organization",), client.organization, OrganizationDetail, lifetimes.organization
        )

    def for_request(self, view: RequestView) -> Catalog:
        """Return the same catalog for one request: it reads through the request's view, which records the reads."""
        return Catalog(
            account=self.account,
            client=self._client,
            cache=view,
            lifetimes=self.lifetimes,
            clock=self._clock,
            log_throttle=self._log_throttle,
            account_cache=self._account_cache,
            long_ranges=self._long_ranges,
            on_slots=self._on_slots,
        )

    def organization(self) -> Cached[OrganizationDetail]:
        """Return the organization and its services."""
        return self._cache.read(self.organization_item())

    def cached_organization(self) -> OrganizationDetail | None:
        """Return the cached organization and its services, however old; None if not cached. Sends no request."""
        known: OrganizationDetail | None = self._cache.lookup(self.organization_item())[0].value
        return known

    def cached_services(self, slugs: Sequence[str]) -> dict[str, ServiceDetail]:
        """Return what is cached of these services' settings, however old, by slug. Sends no request."""
        entries = self._cache.lookup(*map(self.service_item, slugs)) if slugs else []
        return {slug: entry.value for slug, entry in zip(slugs, entries, strict=True) if entry.value is not None}

    def cached_slots(self, days: Days, *, max_services: int = 12) -> Iterator[Slot]:
        """Yield what is cached of the slots on `days` of the first `max_services` services. Sends no request."""
        organization, window = self.cached_organization(), days_window(days, self._today(), None)
        slugs = [service.slug for service in organization.services if service.bookable] if organization else []
        if window is None:
            return
        items = [self._near_item(slug) for slug in slugs[:max_services]]
        if not is_near(window, self._today()):
            months = [month for month, _part in by_month(window)]
            items += [self._month_item(slug, month, None) for slug in slugs[:max_services] for month in months]
        for entry in self._cache.lookup(*items):
            block: SlotBlock | None = entry.value
            yield from block.between(*window) if block else ()

    def cached_near_slots(self, slugs: Sequence[str], *, max_age_seconds: float) -> dict[str, tuple[Slot, ...]]:
        """Return the cached slots of these services' near days, by slug, without those that are older or invalidated.

        The same tuples until the cached slots change. Sends no request.
        """
        entries = self._cache.lookup(*map(self._near_item, slugs)) if slugs else []
        found = {slug: self._recent(entry, max_age_seconds) for slug, entry in zip(slugs, entries, strict=True)}
        return {slug: block.slots for slug, block in found.items() if block is not None}

    def near_slots_soon(self, slug: str, *, wait_seconds: float, max_age_seconds: float) -> tuple[Slot, ...]:
        """Return the slots of a service's near days, as `cached_near_slots` does, and wait a moment for them.

        Where nothing acceptable is cached, one request is sent from another thread, within the deadline of the caller,
        which may be longer than the wait: what comes later is cached for the next reader. While the list of services
        isn't cached that request is for the list, and nobody waits: a made-up slug must cost nothing.
        """
        listed = self.cached_organization()
        if listed is None:
            self.prefetch_organization()
            return ()
        if not any(service.slug == slug and service.bookable for service in listed.services):
            return ()
        item = self._near_item(slug)
        # Of the account's own cache: the request's view would not see what a fetch brings meanwhile.
        if self._cache.fetches_in_parallel and self._cache.needs_fetch(item):
            started = self._account_cache.start_fetch(item)
            if started is not None:
                # Canceled where the pool is full. What the fetch raises is in the log, as for any page.
                with suppress(TimeoutError, CancelledError, OwnerRefused, KordlessError):
                    started.result(wait_seconds)
        block = self._recent(self._account_cache.lookup(item)[0], max_age_seconds)
        return block.slots if block is not None else ()

    def _recent(self, entry: LocalEntry, max_age_seconds: float) -> SlotBlock | None:
        """Return the block of an entry that is neither older nor invalidated."""
        envelope = entry.value_within(self._clock.now(), max_age_seconds)
        block: SlotBlock | None = entry.value
        return block if envelope is not None and envelope.generation == entry.generation else None

    def cache_status(self, months: Sequence[date], *, max_services: int = 50) -> list[CacheStatus]:
        """Return the cache status for these months without a request to Kordless.

        That is: of the organization, and of each of its first `max_services` services with the slots of each month.
        Near months are one entry, so they have the same status.
        """
        organization = self.cached_organization()
        services = organization.services if organization else ()
        slugs = [service.slug for service in services if service.bookable and service.slug][:max_services]
        known = self._cache.lookup(*map(self.service_item, slugs), *map(self._near_item, slugs))
        items: list[tuple[CacheItem[Any], str, date | None]] = [(self.organization_item(), "", None)]
        for slug, service in zip(slugs, known, strict=False):
            items.append((self.service_item(slug), slug, None))
            days = _window_days(service.value)
            for month in months:
                window = month_window(month, self._today(), days)
                # Nothing of it can be booked, so no page reads it. Its own entry is absent, as it should be said.
                near = self._complete_near_item(slug, window, days) if window else None
                item = near or self._month_item(slug, month, days)
                items.append((item, slug, month))
        now = self._clock.now()
        entries = self._cache.lookup(*[item for item, _, _ in items])
        return [
            CacheStatus(item.parts[0], slug, month, *_state_of(entry, now))
            for (item, slug, month), entry in zip(items, entries, strict=True)
        ]

    def local_service(self, slug: str) -> ServiceDetail | None:
        """Return the service as this process knows it, however old; None if it doesn't. Costs no cache round trip."""
        return self._cache.local_value(self.service_item(slug))

    def service(self, slug: str) -> Cached[ServiceDetail]:
        """Return one service with its calendar settings."""
        if slug not in self._prefetched:
            self.prefetch(slug)
        self._require_listed(slug)
        return self._cache.read(self.service_item(slug))

    def listed_service(self, slug: str) -> ServiceDetail:
        """Return what the list of services says of one service, without its calendar settings. Never fetches those.

        Raises NotFound for a service that isn't listed or that visitors can't book, and what `organization` raises.
        """
        listed = self.organization().value
        service = next((service for service in listed.services if service.slug == slug and service.bookable), None)
        if service is None:
            raise NotFound(operation="service", reason="not_offered")
        return ServiceDetail(organization=listed.organization, service=service)

    def missing_service(self, slug: str) -> CacheItem[ServiceDetail] | None:
        """Return the item of a service whose settings a page would have to fetch, and has no older ones of; else None.

        Also None where waiting costs no permit, because this process is fetching them. Sends no request.
        """
        item = self.service_item(slug)
        [entry] = self._cache.lookup(item)
        if entry.value is not None or entry.key_refusal is not None:
            return None
        failure = entry.envelope.failure if entry.envelope else None
        # A fetch that found no permit a moment ago: read as it is, it would turn every page away.
        is_refused = failure is not None and failure.kind == TooMany.__name__
        return item if is_refused or self._cache.needs_fetch(item) else None

    def slots(self, slug: str, days: Days, *, window_days: int | None = None) -> Cached[tuple[Slot, ...]]:
        """Return the slots around `days` for one person, in UTC, full ones too if Kordless lists them.

        The same for every visitor, and the same tuple until the cached slots change: a day more than asked for on both
        sides, nothing before today, nothing beyond `window_days` from now. Days outside of that are empty and cost no
        request.
        """
        self._require_listed(slug)
        today = self._today()
        window = days_window(days, today, window_days)
        # Not read through the cache: a visitor can ask for any days, and each would be an entry.
        if window is None:
            return Cached((), self._clock.now())
        found: list[Cached[tuple[Slot, ...]]] = []
        for item, part in self._slots_items(slug, window, window_days):
            cached = self._cache.read(item)
            pieces = [(cached, part)]
            # The near block that was just fetched may be short, see `slot_block`.
            if cached.value.until < part[1]:
                pieces = [
                    (
                        cached
                        if cached.value.until >= piece[1]
                        else self._cache.read(self._month_item(slug, month, window_days)),
                        piece,
                    )
                    for month, piece in by_month(part)
                ]
            for block, piece in pieces:
                slots = block.value.between(*piece)
                found.append(Cached(slots, block.fetched_at, block.stale, block.degraded, block.serial))
        if len(found) == 1:
            return found[0]
        return Cached(
            join_slots(*[each.value for each in found]),
            min(each.fetched_at for each in found),
            any(each.stale for each in found),
            any(each.degraded for each in found),
        )

    def recent_slots(self, slug: str, start: datetime, *, max_age_seconds: float) -> tuple[Slot, ...] | None:
        """Return the cached slots among which one at `start` would be; None if they are older, or invalidated.

        Sends no request.
        """
        days = Days(start.date(), start.date())
        window = days_window(days, self._today(), None)
        if window is None:
            return None
        item = self._complete_near_item(slug, window, None) or self._month_item(slug, days.first, None)
        [entry] = self._cache.lookup(item)
        block = self._recent(entry, max_age_seconds)
        return block.slots if block is not None and block.until > start else None

    def preload(self, slug: str, *days: Days, window_days: int | None = None) -> ServiceDetail | None:
        """Load everything that a page of slots reads in one cache round trip, so that the reads need none of their own.

        Return the cached service, however old; None if it isn't cached. `window_days`: as for `slots`; None when the
        page doesn't know it yet. Sends no request.
        """
        today, most = self._today(), USUAL_WINDOW_DAYS if window_days is None else window_days
        items: list[CacheItem[Any]] = [
            self.organization_item(),
            self.service_item(slug),
            self._near_item(slug, window_days),
        ]
        near_days: list[Days] = []
        for each in days:
            window = days_window(each, today, most)
            if window is None or not is_near(window, today):
                months = by_month(window) if window else [(each.first, None)]
                items += [self._month_item(slug, month, window_days) for month, _part in months]
            else:
                near_days.append(each)
        _, service, near, *_ = self._cache.lookup(*items)
        self._complete.discard((slug, days))
        # The page reads as far as the service's own booking window, which may be longer than the usual one.
        own = window_days if window_days is not None else _window_days(service.value)
        ends = [window[1] for each in near_days if (window := days_window(each, today, own)) is not None]
        # Most pages lack nothing, and need no closer look.
        if (
            near.value is not None
            and max(ends, default=today) <= near.value.until
            and not any(map(self._cache.needs_fetch, items))
        ):
            self._complete.add((slug, days))
            self._prefetched.add(slug)
        known: ServiceDetail | None = service.value
        return known

    def organization_item(self) -> CacheItem[OrganizationDetail]:
        """Describe the organization and its services."""
        return self._organization_item

    def service_item(self, slug: str) -> CacheItem[ServiceDetail]:
        """Describe one service's settings."""
        fetch = self._invalidate_organization_on_404(lambda: self._fetch_service(slug), slug)
        return _item(("service", slug), fetch, ServiceDetail, self.lifetimes.service)

    def near_slots_item(self, slug: str, known: ServiceDetail | None) -> CacheItem[SlotBlock]:
        """Describe a service's next slots, to be warmed.

        `known`: the service, as far as the caller knows it. Reads nothing.
        """
        return self._near_item(slug, _window_days(known))

    def prefetch_organization(self) -> None:
        """Start to fetch the organization if nothing acceptable is cached, while the page waits for another call."""
        if self._cache.fetches_in_parallel and self._cache.needs_fetch(self.organization_item()):
            self._cache.start_fetch(self.organization_item())

    def prefetch(self, slug: str, *days: Days, window_days: int | None = None, with_service: bool = True) -> None:
        """Start to fetch in parallel what a page lacks, because one fetch after another could exceed its deadline.

        `days`: in the order in which the page reads them. All are fetched if the first aren't cached, because they may
        turn out empty; none if they are. `window_days`: as for `slots`; None when the page doesn't know it yet.
        `with_service` is False for a page that does without the service's settings; it has to name `window_days`. Does
        nothing unless `fetches_in_parallel` of the cache is True.
        """
        if (slug, days) in self._complete:
            return
        cache = self._cache
        # Asked before anything is started: a made-up slug must not cost a request.
        if not cache.fetches_in_parallel or not self._may_request(slug):
            return
        if with_service:
            self._prefetched.add(slug)
        organization, service = self.organization_item(), self.service_item(slug)
        [known], lacks_service = cache.lookup(service), cache.needs_fetch(service)
        if window_days is None and known.value is not None and not lacks_service:
            window_days = _window_days(known.value)
        # While the window is unknown, days beyond the usual one aren't fetched.
        today, most = self._today(), USUAL_WINDOW_DAYS if window_days is None else window_days
        windows = [window for each in days if (window := days_window(each, today, most)) is not None]
        # Near days are one item, in the place of the first of them.
        requested = [item for window in windows for item, _part in self._slots_items(slug, window, window_days)]
        slots = list({item.parts: item for item in requested}.values())
        missing: list[CacheItem[Any]] = [organization] if cache.needs_fetch(organization) else []
        if with_service and lacks_service:
            missing.append(service)
        if slots and cache.needs_fetch(slots[0]):
            missing += [slots[0], *[item for item in slots[1:] if cache.needs_fetch(item)]]
        # The first to be read is left to the reader, which would only wait; unless it waits for the list, started
        # above.
        for item in missing if cache.is_fetching(organization) else missing[1:]:
            cache.start_fetch(item)

    def invalidate_organization(self) -> None:
        """Invalidate the organization and its list of services."""
        self._cache.invalidate("organization")

    def invalidate_service(self, slug: str) -> None:
        """Invalidate the settings of one service."""
        self._cache.invalidate("service", slug)

    def invalidate_slots(self, slug: str) -> None:
        """Invalidate all slots of a service, because something was booked, moved or canceled."""
        self._cache.invalidate("slots", slug)

    def mark_key_refused(self, error: KeyRefused) -> None:
        """Mark the API key as refused, because a booking was. Nothing is served until Kordless accepts the key."""
        self._cache.mark_key_refused(error)

    def _require_listed(self, slug: str) -> None:
        if not _is_listed(self.organization().value, slug):
            raise NotFound(operation="service", reason="not_offered")

    def _may_request(self, slug: str) -> bool:
        """Return True if a service may be requested: it is listed, or this page is the one that fetches the list.

        While the list isn't cached, any slug may be made up. So only the page that fetches the list requests a slug at
        the same time; all others wait for the list. So each fetch allows for one made-up slug.
        """
        cache, item = self._cache, self.organization_item()
        [entry], needs_fetch = cache.lookup(item), cache.needs_fetch(item)
        if needs_fetch and (entry.value is not None or entry.key_refusal is not None):
            return entry.key_refusal is None and _is_listed(entry.value, slug)
        # Claimed at once, not when the page reads it: of many pages that arrive together one speculates.
        if needs_fetch and cache.start_fetch(item) is not None:
            # Between the look above and the claim, the fetch of another page may have begun and ended.
            [entry] = self._account_cache.lookup(item)
            return entry.envelope is None or (entry.value is not None and _is_listed(entry.value, slug))
        with suppress(KordlessError):
            return _is_listed(self.organization().value, slug)
        return False

    def _today(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def _fetch_service(self, slug: str) -> ServiceDetail:
        detail = self._client.service(slug)
        zone = detail.calendar.timezone
        # Pages then show UTC to visitors whose own zone isn't known.
        if zone and business_timezone(zone) is None and self._log_throttle.is_due(zone, LOG_INTERVAL_SECONDS):
            log_event(logger, logging.WARNING, "timezone_unknown", service=slug, timezone=zone)
        return detail

    def _slots_items(
        self, slug: str, window: tuple[datetime, datetime], window_days: int | None
    ) -> list[tuple[CacheItem[SlotBlock], tuple[datetime, datetime]]]:
        """Describe the blocks that `slots` reads for a window, each with its part of it.

        That is the near block if it holds all of the window or spares the block of a month, and those of the months.
        """
        near_part = (window[0], min(window[1], near_until(self._today())))
        near = self._complete_near_item(slug, near_part, window_days) if near_part[0] < near_part[1] else None
        if near is None:
            return self._month_items(slug, window, window_days)
        if near_part == window:
            return [(near, window)]
        rest = (near_part[1], window[1])
        if len(by_month(rest)) < len(by_month(window)):
            return [(near, near_part), *self._month_items(slug, rest, window_days)]
        return self._month_items(slug, window, window_days)

    def _month_items(
        self, slug: str, window: tuple[datetime, datetime], window_days: int | None
    ) -> list[tuple[CacheItem[SlotBlock], tuple[datetime, datetime]]]:
        """Describe the blocks of a window's months, or the near block for those that it holds though it is short."""
        return [
            (self._complete_near_item(slug, part, window_days) or self._month_item(slug, month, window_days), part)
            for month, part in by_month(window)
        ]

    def _complete_near_item(
        self, slug: str, window: tuple[datetime, datetime], window_days: int | None
    ) -> CacheItem[SlotBlock] | None:
        """Describe the near block if it holds a window; None if not, or if the cached one is known to be short."""
        if not is_near(window, self._today()):
            return None
        item = self._near_item(slug, window_days)
        block: SlotBlock | None = self._cache.lookup(item)[0].value
        # Short for another reason, such as a booking window that was shorter, it becomes long by being read.
        is_short = block is not None and block.until < window[1]
        return item if block is None or not is_short or block.month_only_until <= self._clock.now() else None

    def _near_item(self, slug: str, window_days: int | None = None) -> CacheItem[SlotBlock]:
        """Describe the block of the near days. Reading it may bring one of only a month."""

        def fetch() -> SlotBlock:
            [known] = self._account_cache.lookup(item)
            start, end = near_window(self._today(), window_days)
            ask = partial(self._client.availability, slug)
            now = self._clock.now()
            return fetch_near_block(ask, start, end, known=known.value, now=now, long_ranges=self._long_ranges)

        item = self._block_item(slug, "near", fetch)
        return item

    def _month_item(self, slug: str, month: date, window_days: int | None) -> CacheItem[SlotBlock]:
        """Describe the block of one month beyond the near days."""
        # One day more than can be booked, as for the near days: tomorrow it can be.
        days = None if window_days is None else window_days + 1

        def fetch() -> SlotBlock:
            window = month_window(month, self._today(), days)
            if window is None:
                return SlotBlock((), self._today())
            return SlotBlock(self._client.availability(slug, *window), window[1])

        return self._block_item(slug, f"{month:%Y-%m}", fetch)

    def _block_item(self, slug: str, name: str, fetch: Callable[[], SlotBlock]) -> CacheItem[SlotBlock]:
        # Neither the visitor's time zone (a block covers every zone) nor the party: all visitors share one entry.
        fetch_block = self._report(self._invalidate_organization_on_404(fetch, slug), slug)
        return CacheItem(("slots", slug, name), fetch_block, encode_block, decode_block, self.lifetimes.slots)

    def _report(self, fetch: Callable[[], SlotBlock], slug: str) -> Callable[[], SlotBlock]:
        report = self._on_slots
        if report is None:
            return fetch

        def fetched() -> SlotBlock:
            block = fetch()
            report(slug, block)
            return block

        return fetched

    def _invalidate_organization_on_404(self, fetch: Callable[[], T], slug: str) -> Callable[[], T]:
        """Wrap `fetch` so that a NotFound invalidates the list of services if the list names this service."""

        def fetched() -> T:
            try:
                return fetch()
            except NotFound:
                # Kordless doesn't know the service anymore, so the cached list is out of date.
                known = self.cached_organization()
                if known is not None and _is_listed(known, slug):
                    self.invalidate_organization()
                raise

        return fetched


def _is_listed(organization: OrganizationDetail, slug: str) -> bool:
    return any(service.slug == slug for service in organization.services)


def _state_of(entry: LocalEntry, now: float) -> tuple[str, float | None]:
    envelope = entry.envelope
    if entry.key_refusal is not None:
        return "refused", None
    if envelope is None:
        return "absent", None
    if envelope.failure is not None:
        return "failed", None
    age = envelope.age(now)
    # A different generation: something was invalidated after this was fetched.
    if envelope.generation != entry.generation:
        return "invalidated", age
    if envelope.degraded:
        return "degraded", age
    return ("fresh" if age < envelope.fresh else "stale"), age


def _window_days(known: ServiceDetail | None) -> int | None:
    return None if known is None else bookable_days(known.calendar.booking_window_days)


def _item(parts: tuple[str, ...], fetch: Callable[[], T], kind: type[T], lifetime: Lifetime) -> CacheItem[T]:
    return CacheItem(parts, fetch, encode, lambda raw: decode(raw, kind), lifetime)
