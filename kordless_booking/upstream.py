"""How this process reaches Kordless for an account: one client and one catalog, made once and shared by all threads."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from kordless_booking.api.client import Kordless
from kordless_booking.api.wire import Gate, wsgi_transport
from kordless_booking.catalog.background import Background, Foreground
from kordless_booking.catalog.budget import Allowance
from kordless_booking.catalog.catalog import Catalog, Limits
from kordless_booking.catalog.clock import Clock
from kordless_booking.catalog.gate import CatalogGate
from kordless_booking.catalog.kept import Lifetime
from kordless_booking.catalog.shelf import Shelf
from kordless_booking.catalog.steady import SteadyCache
from kordless_booking.loudness import Loudness

if TYPE_CHECKING:
    from kordless_booking.conf import Account

SANDBOX_KEY: Final = "kordless-sandbox-key"
SANDBOX_ORG: Final = "acme-salon"
"""What the sandbox answers to, written down here so that a site with a real account never loads it."""

__all__ = ["Upstream", "background", "build_lifetimes", "client_of", "foreground", "upstream"]

_lock = Lock()


@dataclass(frozen=True)
class Upstream:
    """`client` acts on bookings, through the `gate`; `catalog` reads what can be booked, off the `shelf`; `cache` never
    fails, `loudness` spares the log.
    """

    client: Kordless
    gate: CatalogGate
    catalog: Catalog
    shelf: Shelf
    cache: SteadyCache
    loudness: Loudness


def upstream(account: Account) -> Upstream:
    """The account's client and catalog in this process."""
    with _lock:
        return _upstream(account, os.getpid())


@cache
def _upstream(account: Account, _pid: int) -> Upstream:
    clock, cache = Clock(), _steady(account.cache, _pid)
    key, org = account.api_key or SANDBOX_KEY, account.org_slug or SANDBOX_ORG
    allowance = Allowance(account.requests_per_minute, account.creations_per_minute)
    gate = _gate(account.cache, _digest(account.base_url, key), allowance, account.processes, _pid)
    client = client_of(account, gate)
    shelf = Shelf(
        cache,
        account=_digest(account.base_url, key, org),
        run=background,
        run_awaited=lambda job: gate.takes_several() and foreground(job),
        clock=clock,
        patience=account.browse_seconds,
        held_for=account.memory_seconds,
    )
    lifetimes = build_lifetimes(account)
    catalog = Catalog(account=account.name, client=client, shelf=shelf, lifetimes=lifetimes, clock=clock)
    return Upstream(client, gate, catalog, shelf, cache, Loudness(clock))


def build_lifetimes(account: Account) -> Limits:
    """Return the lifetimes that the account's settings give to what its catalog caches."""
    offer = Lifetime(account.offer_fresh_seconds, account.catalog_stale_seconds, account.catalog_stale_if_error_seconds)
    slots = Lifetime(account.slots_fresh_seconds, account.slots_stale_seconds, account.slots_on_error_seconds)
    return Limits(offer=offer, service=offer, slots=slots)


def client_of(account: Account, gate: Gate) -> Kordless:
    """A client of one's own, for who must see every answer: `gate` has to ask the account's own."""
    transport = account.transport
    if transport is not None and not hasattr(transport, "handle_request"):
        transport = wsgi_transport(transport)
    if transport is None and account.sandbox:
        transport = wsgi_transport(embedded_sandbox(sandbox_path(account)))
    return Kordless(
        api_key=account.api_key or SANDBOX_KEY,
        org_slug=account.org_slug or SANDBOX_ORG,
        base_url=account.base_url,
        transport=transport,
        gate=gate,
        browse_seconds=account.browse_seconds,
        booking_seconds=account.booking_seconds,
    )


@cache
def _steady(alias: str, _pid: int) -> SteadyCache:
    """One for all that this process keeps in a cache, so that a failing one is tried, and complained of, once."""
    return SteadyCache(alias, Clock())


@cache
def _gate(alias: str, key: str, allowance: Allowance, processes: int, pid: int) -> CatalogGate:
    """One for all accounts that share an API key: Kordless counts keys, whatever we call the accounts."""
    return CatalogGate(_steady(alias, pid), account=key, allowance=allowance, processes=processes)


background = Background()
"""What refreshes behind the scenes, for every account of this process."""
foreground = Foreground(threads=8)
"""What fetches side by side for visitors who wait, for every account of this process. A cold page needs three threads
beside its own; when none is free it fetches one thing after another."""


def _digest(*parts: str) -> str:
    """Names what is kept for one key and organization, so that nothing mixes in a cache that sites share."""
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def sandbox_path(account: Account) -> str:
    """Where the embedded sandbox keeps its bookings: as the setting says, else a file in the temporary folder."""
    if isinstance(account.sandbox, bool):
        project = sha256(str(settings.SECRET_KEY).encode()).hexdigest()[:12]
        return str(Path(tempfile.gettempdir()) / f"kordless-sandbox-{project}.sqlite3")
    return str(account.sandbox)


@cache
def embedded_sandbox(path: str) -> Any:
    """One sandbox for each file and process: two accounts may share it, as two organizations share Kordless."""
    from kordless_booking.sandbox import Sandbox  # noqa: PLC0415 (a site with a real account never loads it)

    return Sandbox(path=path)


@receiver(setting_changed)
def _forget(*, setting: str, **_kwargs: object) -> None:
    if setting in {"KORDLESS_BOOKING", "CACHES", "SECRET_KEY"}:
        _upstream.cache_clear()
        _gate.cache_clear()
        _steady.cache_clear()
        embedded_sandbox.cache_clear()
