"""A booking as a calendar entry: the same one, by its UID, whether a page or a mail gives it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from kordless_booking.api.resources import Booking
from kordless_booking.booking.invite import Invite

__all__ = ["calendar_entry"]

_STATUS: Final[Mapping[str, Literal["CONFIRMED", "CANCELLED"]]] = {"confirmed": "CONFIRMED", "canceled": "CANCELLED"}


def calendar_entry(booking: Booking, *, org_slug: str, title: str, business: str, **more: Any) -> Invite:
    """The booking's entry. `more` goes on to `Invite` as it is: zone, location, url, sequence, …"""
    return Invite(
        uid=f"{booking.confirmation_number.lower()}@{org_slug or 'sandbox'}.kordless.ai",
        title=f"{title} · {business}" if business else title,
        start=booking.start,
        end=booking.end,
        organizer_name=business,
        description=booking.confirmation_number,
        status=_STATUS.get(booking.status, "TENTATIVE"),
        **more,
    )
