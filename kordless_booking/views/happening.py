"""DOM events that a page in a frame passes to the page around it. They say that a booking changed, and never whose."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kordless_booking.api.resources import Booking

__all__ = ["embed_event"]


def embed_event(
    name: Literal["booked", "rescheduled", "cancelled"], booking: Booking, service: str | None = None
) -> dict[str, str]:
    """Return the data that parts/event.html puts on the card: slug of the service, start in UTC, status.

    Nothing personal, because the host page gets it. See docs/embed.md.
    """
    return {
        "name": name,
        "service": service or booking.service_slug or "",
        "start": booking.start.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "status": booking.status,
    }
