"""Reader of the numbers in force: takes them from the services of a real account, as `registry` composes them."""

from __future__ import annotations

from dataclasses import dataclass

from kordless_booking.conf import Account, Secret
from kordless_booking.upstream.entries import Lifetime
from kordless_booking.upstream.registry import services_for

REAL_ACCOUNT = Account(api_key=Secret("a-key-of-nobody"), org_slug="acme-salon")
"""An account with the two settings that every site must write, and the defaults for all others."""


@dataclass(frozen=True)
class InForce:
    """Numbers that the services of an account use."""

    organization: Lifetime
    service: Lifetime
    slots: Lifetime
    settings: dict[str, float]
    """Numbers that the services were given, by the name of the setting."""


def numbers_in_force(account: Account = REAL_ACCOUNT) -> InForce:
    """Build the account's services as a request would, and read their numbers. Sends nothing."""
    services = services_for(account)
    lifetimes, quota = services.catalog.lifetimes, services.gate._rate_limiter._whole
    client, cache = services.client, services.catalog_cache
    assert cache._max_wait_seconds == client._browse_seconds, "a page waits for another's fetch as long as for its own"
    return InForce(
        organization=lifetimes.organization,
        service=lifetimes.service,
        slots=lifetimes.slots,
        settings={
            "BROWSE_SECONDS": client._browse_seconds,
            "BOOKING_SECONDS": client._booking_seconds,
            "CATALOG_FRESH_SECONDS": lifetimes.organization.fresh,
            "CATALOG_STALE_SECONDS": lifetimes.organization.stale_while_revalidate,
            "CATALOG_STALE_IF_ERROR_SECONDS": lifetimes.organization.stale_if_error,
            "SLOTS_FRESH_SECONDS": lifetimes.slots.fresh,
            "SLOTS_STALE_SECONDS": lifetimes.slots.stale_while_revalidate,
            "SLOTS_STALE_IF_ERROR_SECONDS": lifetimes.slots.stale_if_error,
            "SLOTS_LAST_KNOWN_SECONDS": lifetimes.slots.last_known,
            "LOCAL_CACHE_SECONDS": cache._local_seconds,
            "REQUESTS_PER_MINUTE": quota.requests,
            "CREATIONS_PER_MINUTE": quota.creations,
        },
    )
