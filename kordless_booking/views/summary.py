"""Template context of a booking: before it is placed (parts/summary.html) and after (parts/booking.html)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kordless_booking import exceptions
from kordless_booking.presentation import formatting
from kordless_booking.presentation.texts import (
    DisplayTimes,
    LocationText,
    booking_location,
    booking_venue_timezone,
    describe_location,
    mask_contact,
    party_text,
    policy_text,
    status_texts,
    venue_timezone,
)
from kordless_booking.views.display import display_times

if TYPE_CHECKING:
    from kordless_booking.api.resources import Booking, ServiceDetail
    from kordless_booking.booking.terms import Terms
    from kordless_booking.views.request import WidgetRequest


@dataclass(frozen=True, kw_only=True)
class TermsSummary:
    """Context of parts/summary.html: what is about to be booked. Empty rows are left out."""

    service: str
    """Name; the slug when Kordless can't be asked."""
    clocks: DisplayTimes
    host: str
    """Name, or ""."""
    party: str
    where: LocationText | None = None
    duration: str = ""
    price: str = ""
    policy: str = ""
    """Cancellation policy."""


def terms_summary(
    visit: WidgetRequest, terms: Terms, detail: ServiceDetail | None, *, with_offer: bool = True
) -> TermsSummary:
    """Return the summary of the terms. Without `detail`, it has only what the terms know.

    `with_offer` adds place, duration, price and policy.
    """
    site = venue_timezone(detail.calendar.location, detail.calendar.timezone) if detail else None
    minutes = int((terms.end - terms.start).total_seconds() // 60)
    offer = detail if with_offer else None
    return TermsSummary(
        service=detail.service.name if detail else terms.service,
        clocks=display_times(visit, terms.start, terms.end, terms.timezone, site),
        host=terms.host_name or "",
        party=party_text(terms.party_size),
        where=describe_location(offer.calendar.location) if offer else None,
        duration=formatting.duration(minutes, visit.language) if with_offer else "",
        price=formatting.money(offer.service.price, visit.language) if offer else "",
        policy=policy_text(offer.calendar.cancellation_policy) if offer else "",
    )


@dataclass(frozen=True, kw_only=True)
class BookingView:
    """Context of parts/booking.html: a booking as Kordless has it."""

    number: str
    """Confirmation number."""
    status: str
    status_text: str
    headline: str
    lead_text: str
    service: str
    """Name, or "" when it is unknown."""
    clocks: DisplayTimes
    where: LocationText | None
    host: str = ""
    """Name. Kordless returns neither host nor party size, so both are empty unless the visitor's terms are known."""
    party: str = ""
    contact: str = ""
    """Email or phone of the customer, masked; "" where the page is not about a new booking."""
    policy: str = ""
    """Cancellation policy."""


def booking_view(
    visit: WidgetRequest,
    booking: Booking,
    detail: ServiceDetail | None,
    timezone: str,
    *,
    terms: Terms | None = None,
    fallback_name: str = "",
    contact: str = "",
) -> BookingView:
    """Return the view of a booking, in the visitor's time zone.

    `detail` is its service, when Kordless still has it; `fallback_name` is shown when nothing else names the service.
    `contact` is masked.
    """
    texts = status_texts(booking.status)
    return BookingView(
        number=booking.confirmation_number,
        status=booking.status,
        status_text=texts.status,
        headline=texts.headline,
        lead_text=texts.lead,
        service=booking.service_name or (detail.service.name if detail else fallback_name),
        clocks=display_times(visit, booking.start, booking.end, timezone, booking_venue_timezone(booking, detail)),
        where=describe_location(booking_location(booking, detail)),
        host=(terms.host_name or "") if terms else "",
        party=party_text(terms.party_size) if terms else "",
        contact=mask_contact(contact),
        policy=policy_text(detail.calendar.cancellation_policy) if detail else "",
    )


def find_service(visit: WidgetRequest, slug: str | None) -> ServiceDetail | None:
    """Return the service, or None when Kordless doesn't have it any more or can't be asked."""
    if not slug:
        return None
    try:
        return visit.catalog.service(slug).value
    except exceptions.KordlessError:
        return None
