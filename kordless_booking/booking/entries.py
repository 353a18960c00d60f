"""Calendar event of a booking.

Pages and mails build it here, so that both have the same UID and update the same event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from kordless_booking.api.resources import Booking
from kordless_booking.presentation.calendar_event import CalendarEvent

__all__ = ["event_for_booking"]

_STATUS: Final[Mapping[str, Literal["CONFIRMED", "CANCELLED"]]] = {"confirmed": "CONFIRMED", "canceled": "CANCELLED"}


def event_for_booking(booking: Booking, *, org_slug: str, title: str, business: str, **more: Any) -> CalendarEvent:
    """Return the calendar event of a booking.

    `more` is passed to `CalendarEvent` as it is: zone, location, url, sequence, …
    """
    return CalendarEvent(
        # Kordless's numbers are case-insensitive: however it is spelled, one booking has one UID.
        uid=f"{booking.confirmation_number.lower()}@{org_slug or 'sandbox'}.kordless.ai",
        title=f"{title} · {business}" if business else title,
        start=booking.start,
        end=booking.end,
        organizer_name=business,
        description=booking.confirmation_number,
        # "pending", and any status that Kordless may add: nothing unconfirmed must look confirmed.
        status=_STATUS.get(booking.status, "TENTATIVE"),
        **more,
    )
