"""What the catalog still says of a booking that a mail is about: its service, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass

from kordless_booking.api.deadline import deadline
from kordless_booking.api.parsing import same_id
from kordless_booking.api.resources import Booking, Organization, ServiceDetail
from kordless_booking.conf import Account
from kordless_booking.exceptions import KordlessError
from kordless_booking.upstream import upstream

__all__ = ["Offered", "offered_for"]


@dataclass(frozen=True)
class Offered:
    """As far as it is known; `service_name` may be ""."""

    organization: Organization | None = None
    detail: ServiceDetail | None = None
    service_name: str = ""


def offered_for(account: Account, booking: Booking) -> Offered:
    """From what is remembered, or asked of Kordless like for a page. An ill Kordless keeps no mail from going out."""
    catalog = upstream(account).catalog
    with deadline(account.browse_seconds):
        try:
            offer = catalog.offer().value
        except KordlessError:
            return Offered(service_name=booking.service_name or "")
        ids = [each for each in (booking.service_slug, booking.service_id) if each]
        found = next((s for s in offer.services if any(same_id(i, key) for i in ids for key in (s.slug, s.key))), None)
        name = booking.service_name or (found.name if found else "")
        try:
            detail = catalog.service(found.slug).value if found else None
        except KordlessError:
            detail = None
        return Offered(offer.organization, detail, name)
