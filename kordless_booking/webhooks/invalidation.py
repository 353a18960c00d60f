"""Cache invalidation after a booking change: the free times of the booking's service, and the booking itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kordless_booking.api.parsing import is_same_service

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kordless_booking.api.resources import Booking, Service
    from kordless_booking.upstream.registry import AccountServices


def invalidate_slots(upstream: AccountServices, booking: Booking) -> None:
    """Invalidate the booking, and the cached free times of its service, or of every service when none matches.

    Reads the cache at most and never calls Kordless. All months go, so that time zones and midnight don't matter.
    """
    upstream.bookings.invalidate(booking.confirmation_number)
    organization = upstream.catalog.cached_organization()
    for slug in _slugs(booking, organization.services if organization else ()):
        upstream.catalog.invalidate_slots(slug)


def _slugs(booking: Booking, services: Iterable[Service]) -> set[str]:
    names = [name for name in (booking.service_slug, booking.service_id) if name]
    # Events may have the id, the slug or both, and the id as `srv_haircut`: `is_same_service` knows the spellings.
    named = {
        service.slug
        for service in services
        if any(is_same_service(name, key) for name in names for key in _names_of(service))
    }
    # Without a list of services hardly any times can be cached; try the names themselves.
    return named or {service.slug for service in services} or {name.removeprefix("srv_") for name in names}


def _names_of(service: Service) -> tuple[str, ...]:
    return (service.slug, service.key)
