"""Texts that templates show about bookings, services and places, in the visitor's language, as plain strings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kordless_booking.api.resources import Service
from kordless_booking.presentation import formatting, texts
from kordless_booking.presentation.texts import DisplayTimes

if TYPE_CHECKING:
    from kordless_booking.views.request import WidgetRequest


@dataclass(frozen=True)
class ServiceCard:
    """Service as a list of services shows it."""

    name: str
    description: str
    duration: str
    price: str
    url: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Data of the business's set-up, for a site's own templates."""


def service_card(service: Service, language: str, url: str = "") -> ServiceCard:
    """Return what templates show of a service. `url` leads to its times."""
    return ServiceCard(
        name=service.name,
        description=service.description or "",
        duration=formatting.duration(service.duration_minutes, language) if service.duration_minutes else "",
        price=formatting.money(service.price, language),
        url=url,
        metadata=dict(service.metadata),
    )


def format_timezone(visit: WidgetRequest, timezone: str, moment: datetime | None = None) -> str:
    """Format the zone's city and its offset at a moment, now by default."""
    return texts.format_timezone(timezone, visit.language, moment or visit.now)


def display_times(
    visit: WidgetRequest, start: datetime, end: datetime, timezone: str, venue_zone: str | None
) -> DisplayTimes:
    """Return the time of a booking in words.

    `venue_zone` is the zone from `venue_timezone`: where its clock shows another time, that time comes first.
    """
    return texts.display_times(start, end, timezone, venue_zone, visit.language, visit.choices.hours)
