"""`manage.py kordless_warm`: fetch what pages read, before visitors come. Run it after a deployment, or by cron.

Exit code 0 when everything is warm, 1 when something isn't (the output says what), 2 when nothing was done.
"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.models import Sum

from kordless_booking import conf, hooks
from kordless_booking.clock import Clock
from kordless_booking.exceptions import KordlessError
from kordless_booking.funnel.counters import today
from kordless_booking.models import FunnelCount
from kordless_booking.retention import delete_expired
from kordless_booking.upstream.entries import CacheItem
from kordless_booking.upstream.registry import AccountServices, background_worker, services_for
from kordless_booking.upstream.warming import warming_context

SECONDS: Final = 600
"""Default of `--seconds`: at 20 calls a minute enough for the settings and times of a hundred services."""
VISITED_DAYS: Final = 7
"""Days of the funnel by which services are ordered: a week, because weekdays differ."""
NOT_DONE: Final = 2
"""Exit code."""


class Command(BaseCommand):
    help = "Fetches the business, its services and their next free times into the cache, within the quota."
    # For tests: `call_command` accepts only options that the parser knows, or that are named here.
    stealth_options = ("clock",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", default="", metavar="NAME", help="warm one account only")
        parser.add_argument(
            "--services", type=_count, metavar="N", help="warm the N services that were looked at most (default: all)"
        )
        parser.add_argument(
            "--seconds", type=float, default=SECONDS, help="stop after so many seconds (default: %(default)s)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        accounts = _accounts(options["account"])
        clock = options.get("clock") or Clock()
        ends = clock.monotonic() + options["seconds"]
        runs = [_Run(account, services_for(account), clock, ends) for account in accounts]
        with warming_context():
            for run in runs:
                run.warm(options["services"])
                if options["verbosity"]:
                    self.stdout.write(run.summary())
        # What extensions do with the fetched times, which would end with this process.
        if hooks.times_refreshed:
            background_worker.join()
        # After a deployment without cron, this may be what bounds the tables.
        delete_expired(datetime.now(UTC))
        if left := [run for run in runs if run.problem or run.cold]:
            names = ", ".join(run.account.name for run in left)
            raise CommandError(f"Not everything is warm: {names}. Pages fetch the rest when they need it.")


@dataclass
class _Run:
    """Warming of one account."""

    account: conf.Account
    services: AccountServices
    clock: Clock
    ends: float
    """Monotonic seconds at which to stop."""
    warm_count: int = 0
    calls: int = 0
    cold: list[str] = field(default_factory=list)
    """Items that couldn't be fetched."""
    problem: str = ""
    """Why the run ended before its end."""

    def warm(self, max_services: int | None) -> None:
        """Warm one item after another. Waits while permits are short, and stops in an outage."""
        for item in self._items(max_services):
            if self._is_warm(item):
                self.warm_count += 1
                continue
            if not self._wait_for_permit():
                return
            try:
                self.calls += self.services.catalog_cache.refresh(item)
            except KordlessError:
                self.cold.append(_name_of(item))
                continue
            if self._is_warm(item):
                self.warm_count += 1
            else:
                self.cold.append(_name_of(item))

    def summary(self) -> str:
        """Return one line about the run."""
        text = f"{self.account.name}: warm={self.warm_count} calls={self.calls} failed={len(self.cold)}"
        # Names of services are the business's own: no personal data.
        failed = f" ({', '.join(self.cold[:5])})" if self.cold else ""
        return f"{text}{failed}. {self.problem}" if self.problem else f"{text}{failed}"

    def _items(self, max_services: int | None) -> Iterator[CacheItem[Any]]:
        """Yield what to warm. Later items depend on what the earlier ones brought."""
        catalog, cache = self.services.catalog, self.services.catalog_cache
        yield catalog.organization_item()
        organization = catalog.cached_organization()
        slugs = [service.slug for service in organization.services if service.bookable] if organization else []
        visits = _visits(self.account.name)
        # Sorted stably: without visits they stay in Kordless's order.
        for slug in sorted(slugs, key=lambda slug: -visits.get(slug, 0))[:max_services]:
            yield (service := catalog.service_item(slug))
            yield catalog.near_slots_item(slug, cache.local_value(service))

    def _is_warm(self, item: CacheItem[Any]) -> bool:
        """Return True for a value for which no refresh is due."""
        try:
            return not self.services.catalog_cache.read_cached(item).stale
        except KordlessError:
            return False

    def _wait_for_permit(self) -> bool:
        """Wait until a call may be made. Return False when there is no time left for that, or in an outage."""
        gate = self.services.gate
        while self.clock.monotonic() < self.ends:
            if not gate.takes_several():
                self.problem = "Stopped: Kordless fails or can't be reached. Run manage.py kordless_doctor for details."
                return False
            if gate.may_warm():
                return True
            self.clock.sleep(1)
        self.problem = "Stopped: the time is over. Give more --seconds or fewer --services."
        return False


def _accounts(name: str) -> list[conf.Account]:
    """Return the accounts to warm. Raises CommandError where nothing can be warmed for other processes."""
    try:
        known = conf.accounts()
    except ImproperlyConfigured as error:
        message = f"Nothing was warmed: {type(error).__name__}. Run manage.py kordless_doctor for details."
        raise CommandError(message, returncode=NOT_DONE) from None
    if name and name not in known:
        message = f"Unknown account {name}. Known accounts: {', '.join(known)}."
        raise CommandError(message, returncode=NOT_DONE)
    accounts = [known[name]] if name else list(known.values())
    for account in accounts:
        backend = caches[account.cache]
        if isinstance(backend, LocMemCache | DummyCache):
            kind = type(backend).__name__
            raise CommandError(
                f"The cache {account.cache!r} ({kind}) belongs to one process: what this command fetched would be lost "
                "with it. Use a cache that processes share. Nothing was warmed.",
                returncode=NOT_DONE,
            )
    return accounts


def _visits(account: str) -> dict[str, int]:
    """Return how many visitors opened each service in the last days, as the funnel counted them."""
    rows = FunnelCount.objects.filter(
        account=account, stage=FunnelCount.Stage.SERVICE, day__gte=today() - timedelta(days=VISITED_DAYS)
    )
    try:
        return dict(rows.values_list("service").annotate(Sum("count")))
    except DatabaseError:  # before the migrations of a deployment: warmed in Kordless's order
        return {}


def _name_of(item: CacheItem[Any]) -> str:
    return " ".join(item.parts[:2])


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= 1_000_000:
        raise ArgumentTypeError("a whole number, 1 or more")
    return int(text)
