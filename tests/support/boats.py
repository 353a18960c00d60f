"""A business that the sandbox's own don't cover: it rents boats for days, with a notice of an hour and a half."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

from kordless_booking.sandbox.model import Business, Calendar, Policy, Service, hours
from kordless_booking.sandbox.seeds import SANDBOX_KEY, SANDBOX_ORG

_EVERY_DAY = "Mon Tue Wed Thu Fri Sat Sun"
_PIER = ("onsite", "Pier 4, Brooklyn, NY 11201")

DAY, NIGHT, THREE_DAYS = "rowing-boat", "night-trip", "house-boat"
"""Slugs: 24 hours from 9:00 AM, an hour from 11:30 PM, three days from 9:00 AM."""


def _boat(slug: str, name: str, opening_hours: str, minutes: int) -> Service:
    calendar = Calendar(f"calendar_{slug}", hours(opening_hours, days=_EVERY_DAY))
    return Service(
        slug,
        name,
        None,
        minutes,
        (calendar,),
        _PIER,
        price=Decimal("30.00"),
        currency="USD",
        # Seats, so that the sandbox's crowd takes some and not the whole day.
        capacity=40,
        interval=24 * 60,
        policy=Policy(1.5, ""),
    )


BOATS = Business(
    id="org_7",
    slug=SANDBOX_ORG,
    name="Acme Boats",
    key=SANDBOX_KEY,
    zone=ZoneInfo("America/New_York"),
    branding={},
    services=(
        _boat(DAY, "Rowing boat", "09:00-33:00", 24 * 60),
        _boat(NIGHT, "Night trip", "23:30-24:30", 60),
        _boat(THREE_DAYS, "House boat", "09:00-81:00", 3 * 24 * 60),
    ),
    closed=lambda _day: False,
)
