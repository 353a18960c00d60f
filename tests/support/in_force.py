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

    offer: Lifetime
    service: Lifetime
    slots: Lifetime
    settings: dict[str, float]
    """Numbers that the services were given, by the name of the setting."""


def numbers_in_force(account: Account = REAL_ACCOUNT) -> InForce:
    """Build the account's services as a request would, and read their numbers. Sends nothing."""
    services = services_for(account)
    lifetimes, allowance = services.catalog.lifetimes, services.gate._budget._whole
    client, shelf = services.client, services.shelf
    assert shelf._max_wait_seconds == client._browse_seconds, "a page waits for another's fetch as long as for its own"
    return InForce(
        offer=lifetimes.offer,
        service=lifetimes.service,
        slots=lifetimes.slots,
        settings={
            "BROWSE_SECONDS": client._browse_seconds,
            "BOOKING_SECONDS": client._booking_seconds,
            "CATALOG_FRESH_SECONDS": lifetimes.offer.fresh,
            "CATALOG_STALE_SECONDS": lifetimes.offer.stale,
            "CATALOG_STALE_IF_ERROR_SECONDS": lifetimes.offer.on_error,
            "SLOTS_FRESH_SECONDS": lifetimes.slots.fresh,
            "SLOTS_STALE_SECONDS": lifetimes.slots.stale,
            "SLOTS_STALE_IF_ERROR_SECONDS": lifetimes.slots.on_error,
            "LOCAL_CACHE_SECONDS": shelf._local_seconds,
            "REQUESTS_PER_MINUTE": allowance.requests,
            "CREATIONS_PER_MINUTE": allowance.creations,
        },
    )
