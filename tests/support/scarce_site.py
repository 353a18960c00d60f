"""A site whose quota at Kordless is as small as it is in earnest, and visitors with addresses of their own."""

from __future__ import annotations

from collections import Counter

from django.test import Client
from pytest_django import Settings

from kordless_booking.conf import Account
from kordless_booking.sandbox import Limits, Sandbox
from tests.support.salon import open_salon
from tests.support.site_cache import use_wall_clock_cache
from tests.support.visitor import Visitor


def open_scarce_salon(site: Settings, count: int, *, window_days: int = 60, **changes: object) -> Sandbox:
    """Open a salon of `count` services with Kordless's limits, on a cache whose time a test can travel.

    `changes` are settings.
    """
    use_wall_clock_cache(site)
    site.KORDLESS_BOOKING = {
        **site.KORDLESS_BOOKING,
        "REQUESTS_PER_MINUTE": Account.requests_per_minute,
        "CREATIONS_PER_MINUTE": Account.creations_per_minute,
        # The memory of a process runs by steady time, which nobody can travel.
        "LOCAL_CACHE_SECONDS": 0,
        **changes,
    }
    sandbox = open_salon(site, count, window_days=window_days)
    sandbox.limits = Limits()
    return sandbox


def visitor_from(address: str) -> Visitor:
    """Return a visitor without JavaScript, with this client address."""
    return Visitor(Client(REMOTE_ADDR=address))


def statuses(sandbox: Sandbox) -> Counter[int]:
    """Return how often Kordless answered with each status."""
    return Counter(request.status for request in sandbox.requests)
