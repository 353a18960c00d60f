"""Warming: what visitors are likely to want next is refreshed before anybody has to wait for it.

It is driven by page views. After one, at most once a second in each process, a background thread refreshes the one item
with the largest product of popularity and age. The popularity of services is that of the funnel, which halves every
hour, so an idle site asks Kordless nothing. The age is measured by the item's own lifetime: what is close to the age at
which a visitor would have to wait for a new value comes first.

`upstream/warming_limiter.py` says how many calls that may cost. The command `kordless_warm` warms everything at once,
under the same limit.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from kordless_booking import conf
from kordless_booking.exceptions import KordlessError
from kordless_booking.funnel.popularity import popularity
from kordless_booking.logs import request_id
from kordless_booking.setting_changes import on_setting_change

from .registry import AccountServices, background_worker, services_for
from .warming_limiter import is_warming
from .worker import in_background

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .entries import CacheItem

INTERVAL_SECONDS: Final = 1.0
"""Seconds between two tries of one process for an account. Each costs a read of the cache, in another thread."""
MAX_LOOKUPS: Final = 5
"""Items that one try looks up in the shared cache. Another process may have refreshed what is old or unknown here."""

MAX_SERVICES: Final = 50
"""Services that one try considers, the most popular ones: many more than it can refresh in the minutes after it."""

run: Callable[[Callable[[], object]], bool] = background_worker
"""Runs a job in the background."""
_again_at: dict[str, float] = {}
"""Unix seconds before which this process doesn't try again, by account."""


_running: set[str] = set()
"""Account for which this process is warming: one at a time, so that background threads are left for all other work."""
os.register_at_fork(after_in_child=_running.clear)
on_setting_change(None, _again_at.clear)


def warm_after_view(name: str) -> None:
    """Warm something of an account in the background, after a page view. Costs the request less than a microsecond."""
    now = time.time()
    # The lower bound is for a stepped clock: a time further ahead wasn't meant.
    if 0 < _again_at.get(name, 0.0) - now <= INTERVAL_SECONDS:
        return
    _again_at[name] = now + INTERVAL_SECONDS
    account = conf.accounts().get(name)
    if account is not None and account.warming:
        run(partial(_warm_most_popular, account))


def _warm_most_popular(account: conf.Account) -> None:
    # Not atomic: two threads that begin at once only share the limit.
    if _running:
        return
    _running.add(account.name)
    try:
        services, popular = services_for(account), popularity.services(account.name)
        if not popular or not services.gate.may_warm():
            return
        # Warmed values are nobody's page: whoever needs one gets the error, or a better answer.
        with warming_context(), suppress(KordlessError):
            for item in popular_items(services, popular)[:MAX_LOOKUPS]:
                if services.catalog_cache.refresh(item):
                    return
    finally:
        _running.clear()


def popular_items(services: AccountServices, popular: Mapping[str, float]) -> list[CacheItem[Any]]:
    """Return the items of popular services that are due as far as this process knows, the most wanted first.

    Reads the list of services from the shared cache, and nothing else. `popular`: as `Popularity.services` returns it.
    """
    catalog, cache = services.catalog, services.catalog_cache
    organization = catalog.cached_organization()
    offered = {service.slug for service in organization.services if service.bookable} if organization else set()
    most = sorted(offered & popular.keys(), key=lambda slug: popular[slug], reverse=True)[:MAX_SERVICES]
    # Every page of a service reads the list as well.
    candidates: list[tuple[float, CacheItem[Any]]] = [(sum(popular.values()), catalog.organization_item())]
    for slug in most:
        settings = catalog.service_item(slug)
        candidates.append((popular[slug], catalog.near_slots_item(slug, cache.local_value(settings))))
        # Half, because a page can be made without them, and not without times.
        candidates.append((popular[slug] / 2, settings))
    scored = [(views * _age_in_lifetimes(services, item), item) for views, item in candidates]
    return [item for score, item in sorted(scored, key=lambda pair: pair[0], reverse=True) if score > 0]


def _age_in_lifetimes(services: AccountServices, item: CacheItem[Any]) -> float:
    """Return the age as a part of that at which visitors wait; 0 for what is not due, 1 for what isn't known here."""
    age = services.catalog_cache.local_age(item)
    return 1.0 if age is None else min(1.0, age / item.lifetime.stale_while_revalidate)


@contextmanager
def warming_context() -> Iterator[None]:
    """Mark the calls to Kordless that are made inside as warming, and as background work."""
    tokens = [(variable, variable.set(True)) for variable in (is_warming, in_background)]
    log_token = request_id.set(f"warm-{secrets.token_hex(4)}")
    try:
        yield
    finally:
        request_id.reset(log_token)
        for variable, token in tokens:
            variable.reset(token)
