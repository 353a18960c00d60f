"""What a change elsewhere makes out of date: the free times of the service, which its event names in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kordless_booking.api.parsing import same_id
from kordless_booking.catalog.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kordless_booking.api.resources import Booking, Service
    from kordless_booking.upstream import Upstream

__all__ = ["forget_changed"]


def forget_changed(upstream: Upstream, booking: Booking) -> None:
    """Forget the free times of the booking's service, or of every service where none can be told to be it.

    Asks the cache at most, never Kordless. All months of the service go, so that zones and midnights play no part.
    """
    offer = upstream.catalog.known_offer()
    catalog = upstream.catalog.on(Reading(upstream.shelf))
    for slug in _slugs(booking, offer.services if offer else ()):
        catalog.forget_slots(slug)


def _slugs(booking: Booking, services: Iterable[Service]) -> set[str]:
    names = [name for name in (booking.service_slug, booking.service_id) if name]
    named = {
        service.slug for service in services if any(same_id(name, key) for name in names for key in _names_of(service))
    }
    # Without a list there is hardly anything to forget; what there may be goes by the plain name.
    return named or {service.slug for service in services} or {name.removeprefix("srv_") for name in names}


def _names_of(service: Service) -> tuple[str, ...]:
    return (service.slug, service.key)
