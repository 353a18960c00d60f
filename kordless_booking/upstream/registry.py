"""Composition root: builds the services of each account once per process. All threads share them."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from kordless_booking import __version__, hooks
from kordless_booking.clock import Clock
from kordless_booking.hook_calls import call_hook
from kordless_booking.logs import LogThrottle
from kordless_booking.memory_budget import MemoryBudget
from kordless_booking.setting_changes import on_setting_change
from kordless_booking.upstream.booking_cache import BookingCache
from kordless_booking.upstream.catalog import Catalog, Lifetimes
from kordless_booking.upstream.entries import Lifetime
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.gate import UpstreamGate
from kordless_booking.upstream.rate_limiter import Quota
from kordless_booking.upstream.read_through import MAX_LOCAL_BYTES, ReadThroughCache
from kordless_booking.upstream.requester import with_same_requester
from kordless_booking.upstream.slot_parts import SlotPartsClient
from kordless_booking.upstream.worker import BackgroundWorker, FetchPool

if TYPE_CHECKING:
    from collections.abc import Callable

    from kordless_booking.api.client import Kordless
    from kordless_booking.api.raw import RawSession
    from kordless_booking.api.session import Gate
    from kordless_booking.conf import Account
    from kordless_booking.upstream.slot_block import SlotBlock

SANDBOX_KEY: Final = "kordless-sandbox-key"
SANDBOX_ORG: Final = "acme-salon"
"""Credentials of the embedded sandbox. Repeated here, so that a site with a real account never imports the sandbox."""

_lock = Lock()


@dataclass(frozen=True)
class AccountServices:
    """Services of one account in this process."""

    client: Kordless
    """Client of the Booking API. Views use it for bookings only."""
    gate: UpstreamGate
    """Rate limiter and circuit breakers, which every request of `client` passes."""
    catalog: Catalog
    """Organization, services and slots, as every visitor sees them."""
    catalog_cache: ReadThroughCache
    """Read-through cache of `catalog`."""
    cache: FallbackCache
    """Fallback cache under `catalog_cache` and `gate`. None of its operations raises."""
    bookings: BookingCache
    """Bookings that were looked up for a page a moment ago."""
    log_throttle: LogThrottle
    """Log throttle."""


def services_for(account: Account) -> AccountServices:
    """Return the services of an account in this process."""
    # `functools.cache` may run a function twice when two threads miss at once, and there must be one rate limiter.
    with _lock:
        return _upstream(account, os.getpid())


# The process id is a part of the key: after a fork, the child must not use its parent's connections and locks.
@cache
def _upstream(account: Account, _pid: int) -> AccountServices:
    clock, cache = Clock(), _cache_for(account.cache, _pid)
    quota = Quota(account.requests_per_minute, account.creations_per_minute)
    # Without the organization: Kordless counts requests per API key.
    key = _digest(account.base_url, account.api_key or SANDBOX_KEY)
    gate = _gate_for(account.cache, key, quota, account.processes, _pid)
    client = build_client(account, gate)
    namespace = _namespace(account)

    def run_awaited(job: Callable[[], object]) -> bool:
        # After an outage only one call is let through as a probe, so parallel ones would only be refused.
        return gate.takes_several() and fetch_pool(with_same_requester(job))

    slot_parts = SlotPartsClient(client, cache, account=namespace, run=run_awaited)
    catalog_cache = ReadThroughCache(
        cache,
        account=namespace,
        run=background_worker,
        run_awaited=run_awaited,
        clock=clock,
        # A page waits for another's fetch as long as for its own.
        max_wait_seconds=account.browse_seconds,
        local_seconds=account.local_cache_seconds,
        waiting_list=gate.waiting_list,
        budget=local_budget,
    )
    lifetimes = build_lifetimes(account)
    catalog = Catalog(
        account=account.name,
        client=slot_parts,
        cache=catalog_cache,
        lifetimes=lifetimes,
        clock=clock,
        on_slots=partial(_report_slots, account.name),
    )
    has_atomic_add = cache.atomic_view() is cache
    bookings = BookingCache(
        cache,
        account=namespace,
        clock=clock,
        # A change that one process makes must reach what the others have cached.
        is_shared=lambda: account.processes == 1 or (has_atomic_add and cache.up),
        max_wait_seconds=account.browse_seconds,
    )
    return AccountServices(client, gate, catalog, catalog_cache, cache, bookings, LogThrottle(clock))


def _report_slots(account: str, service: str, block: SlotBlock) -> None:
    """Queue the calls of the extensions that want to know of fetched slots. The visitor who waits goes first."""
    for name, hook in hooks.times_refreshed.items():
        refreshed = hooks.RefreshedTimes(account=account, service=service, slots=block.slots, until=block.until)
        background_worker(partial(call_hook, hooks.times_refreshed, name, hook, refreshed))


def build_slot_parts_client(account: Account, client: Kordless) -> SlotPartsClient:
    """Return a client that reads slots as the account's catalog does, in the same parts, but one after another."""
    return SlotPartsClient(client, _cache_for(account.cache, os.getpid()), account=_namespace(account))


def build_lifetimes(account: Account) -> Lifetimes:
    """Return the lifetimes that the account's settings give to what its catalog caches."""
    organization = Lifetime(
        account.catalog_fresh_seconds, account.catalog_stale_seconds, account.catalog_stale_if_error_seconds
    )
    slots = Lifetime(
        account.slots_fresh_seconds,
        account.slots_stale_seconds,
        account.slots_stale_if_error_seconds,
        account.slots_last_known_seconds,
    )
    return Lifetimes(organization=organization, service=organization, slots=slots)


def build_client(account: Account, gate: Gate) -> Kordless:
    """Build a separate client for an account, for a caller that has to observe every response through its own `gate`.

    `gate` should delegate to the account's gate, so that the requests count against the quota.
    """
    client, _session = load_client_modules()
    built: Kordless = client.Kordless(
        api_key=account.api_key or SANDBOX_KEY,
        org_slug=account.org_slug or SANDBOX_ORG,
        base_url=account.base_url,
        transport=_build_transport(account),
        gate=gate,
        browse_seconds=account.browse_seconds,
        booking_seconds=account.booking_seconds,
    )
    return built


def build_raw_session(account: Account, gate: Gate, api_key: str | None = None) -> RawSession:
    """Build a session that returns responses as they came. `api_key` replaces the account's."""
    from kordless_booking.api.raw import RawSession  # noqa: PLC0415 (as the client)

    return RawSession(
        base_url=account.base_url,
        api_key=api_key or account.api_key or SANDBOX_KEY,
        transport=_build_transport(account),
        gate=gate,
        user_agent=f"kordless-booking/{__version__}",
    )


def _build_transport(account: Account) -> Any:
    """Return the transport of the account's settings; None for the network."""
    _client, session = load_client_modules()
    transport = account.transport
    # TRANSPORT may be an httpx transport or a WSGI application.
    if transport is not None and not hasattr(transport, "handle_request"):
        transport = session.wsgi_transport(transport)
    if transport is None and account.sandbox:
        transport = session.wsgi_transport(embedded_sandbox(sandbox_path(account)))
    return transport


def load_client_modules() -> tuple[ModuleType, ModuleType]:
    """Import the client of the Booking API and its session, once in a process, and return both.

    Not at the top: httpx takes long to import, and a process that asks Kordless nothing doesn't need it. So call this
    before a deadline begins, which the import would use up.
    """
    from kordless_booking.api import client, session  # noqa: PLC0415

    return client, session


@cache
def _cache_for(alias: str, _pid: int) -> FallbackCache:
    """Return the process's one fallback cache for an alias, so that a failing cache is probed and logged only once."""
    return FallbackCache(alias, Clock())


@cache
def _gate_for(alias: str, key: str, quota: Quota, processes: int, pid: int) -> UpstreamGate:
    """Return the one gate for all accounts that share an API key, because Kordless counts requests per key."""
    return UpstreamGate(_cache_for(alias, pid), account=key, quota=quota, processes=processes)


local_budget = MemoryBudget(MAX_LOCAL_BYTES)
"""Memory of the local caches of all accounts of this process."""
background_worker = BackgroundWorker()
"""Thread pool for background refreshes, for all accounts of this process."""
fetch_pool = FetchPool(threads=8)
"""Thread pool for the parallel fetches of pages, for all accounts of this process. A cold page uses three threads
beside its own. When none is free, a page fetches one item after another.
"""


def _namespace(account: Account) -> str:
    """Return the namespace of what is cached of an account's organization."""
    return _digest(account.base_url, account.api_key or SANDBOX_KEY, account.org_slug or SANDBOX_ORG)


def _digest(*parts: str) -> str:
    """Return a namespace for cache keys, 32 hexadecimal digits, so that sites that share a cache don't mix.

    It is a digest, so it doesn't reveal the API key.
    """
    # Joined by a character that no part contains, so different tuples of parts can't give the same text.
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def sandbox_path(account: Account) -> str:
    """Return the file of the embedded sandbox's bookings: as SANDBOX says, else a file in the temporary folder."""
    if isinstance(account.sandbox, bool):
        # A name of its own for each project, and the same one in each of its processes.
        project = sha256(str(settings.SECRET_KEY).encode()).hexdigest()[:12]
        return str(Path(tempfile.gettempdir()) / f"kordless-sandbox-{project}.sqlite3")
    return str(account.sandbox)


@cache
def embedded_sandbox(path: str) -> Any:
    """Return the sandbox for a file, one in each process. Accounts may share it, as organizations share Kordless.

    It has all of its businesses, so an account may name any of them by API_KEY and ORG_SLUG.
    """
    from kordless_booking.sandbox import Sandbox  # noqa: PLC0415 (a site with a real account never loads it)

    return Sandbox(path=path, seed="odd")


for _cached in (_upstream, _gate_for, _cache_for, embedded_sandbox):
    on_setting_change({"KORDLESS_BOOKING", "CACHES", "SECRET_KEY"}, _cached.cache_clear)
