"""Catalog data about the booking in a mail: the business and the details of the service."""

from __future__ import annotations

from dataclasses import dataclass

from kordless_booking.api.deadline import deadline
from kordless_booking.api.parsing import is_same_service
from kordless_booking.api.resources import Booking, Organization, ServiceDetail
from kordless_booking.conf import Account
from kordless_booking.exceptions import KordlessError
from kordless_booking.upstream.registry import services_for

__all__ = ["BookingDetails", "booking_details"]


@dataclass(frozen=True)
class BookingDetails:
    """Catalog data about a booking, as far as it is available."""

    organization: Organization | None = None
    detail: ServiceDetail | None = None
    service_name: str = ""
    """Empty when neither the booking nor the catalog names the service."""


def booking_details(account: Account, booking: Booking) -> BookingDetails:
    """Return the catalog data, from the read-through cache as for a page.

    Raises no KordlessError: while Kordless fails, mails are sent with less in them.
    """
    catalog = services_for(account).catalog
    # Seconds for both reads together; without a limit a slow Kordless would hold up all mails behind this one.
    with deadline(account.browse_seconds):
        try:
            offer = catalog.organization().value
        except KordlessError:
            return BookingDetails(service_name=booking.service_name or "")
        ids = [each for each in (booking.service_slug, booking.service_id) if each]
        # Webhooks write `srv_haircut` where the API writes `haircut`, and a booking may have the slug, the id or both.
        found = next(
            (s for s in offer.services if any(is_same_service(i, key) for i in ids for key in (s.slug, s.key))), None
        )
        name = booking.service_name or (found.name if found else "")
        try:
            detail = catalog.service(found.slug).value if found else None
        except KordlessError:
            detail = None
        return BookingDetails(offer.organization, detail, name)
