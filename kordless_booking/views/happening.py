"""What a page tells the page around its frame: that something has happened to a booking, and to nobody whose."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kordless_booking.api.resources import Booking

__all__ = ["happening"]


def happening(
    name: Literal["booked", "rescheduled", "cancelled"], booking: Booking, service: str | None = None
) -> dict[str, str]:
    """What parts/event.html puts on the card: the service's slug, the start in UTC, the status; nothing personal."""
    return {
        "name": name,
        "service": service or booking.service_slug or "",
        "start": booking.start.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "status": booking.status,
    }
