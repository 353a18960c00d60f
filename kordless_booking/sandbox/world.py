"""What a business in the sandbox is made of: services, calendars, opening hours. Nothing here ever changes.

Hours are minutes of the local day in the business's zone, beyond 1440 after midnight. Lengths are minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from decimal import Decimal
    from zoneinfo import ZoneInfo

Week = Mapping[int, tuple[tuple[int, int], ...]]
"""Weekday (Monday is 0) to its opening spans, each (from, to) in local minutes."""


class Unsaid(Enum):
    """A field that isn't in the answer at all, as opposed to null."""

    UNSAID = "unsaid"


UNSAID = Unsaid.UNSAID


@dataclass(frozen=True)
class Host:
    """A person who can be booked; their bookings block them in every service of the business."""

    id: str
    name: str


@dataclass(frozen=True)
class Team:
    """A named group of hosts."""

    id: str
    name: str


@dataclass(frozen=True, eq=False)
class Calendar:
    """Something that can be taken: a host's time, or without a host the service's own line or room.

    `crowd` is about how many percent of its hours the world has taken already.
    """

    id: str
    week: Week
    host: Host | None = None
    crowd: int = 30


@dataclass(frozen=True)
class Policy:
    """A cancellation policy; only an enforced one makes the sandbox refuse (422) inside the notice."""

    notice_hours: int
    text: str
    enforced: bool = False


@dataclass(frozen=True, eq=False)
class Service:
    """One thing that can be booked; its key is its slug."""

    slug: str
    name: str
    category: str | None
    duration: int
    calendars: tuple[Calendar, ...]
    location: tuple[str, str]
    description: str | None = None
    price: Decimal | Unsaid | None = None
    currency: str | None = None
    interval: int = 30
    buffer_before: int = 0
    buffer_after: int = 0
    window_days: int = 60
    capacity: int = 1
    team: Team | None = None
    policy: Policy | None = None
    public: bool = True
    pending: bool = False
    notice_minutes: int = 0
    booked_out_days: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Business:
    """An organization, the one key that opens it, and all that it offers."""

    id: str
    slug: str
    name: str
    key: str
    zone: ZoneInfo
    branding: Mapping[str, str | None]
    services: tuple[Service, ...]
    closed: Callable[[date], bool]
    tagline: str | None = None

    def service(self, slug: str) -> Service | None:
        """The service with this slug, or None."""
        return next((service for service in self.services if service.slug == slug), None)


def hours(*spans: str, days: str) -> dict[int, tuple[tuple[int, int], ...]]:
    """A week from text: `hours("09:00-13:00", "20:00-26:00", days="Tue Wed")`, the latter past midnight."""
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    parsed = tuple((_minutes(start), _minutes(end)) for start, _, end in (span.partition("-") for span in spans))
    return {names.index(day): parsed for day in days.split()}


def _minutes(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


def yearly(*days: tuple[int, int]) -> Callable[[date], bool]:
    """Closed on these (month, day) of every year."""
    return lambda day: (day.month, day.day) in days


def thanksgiving(day: date) -> bool:
    """Whether this is the fourth Thursday of November."""
    first = date(day.year, 11, 1)
    return day == first + timedelta(days=(3 - first.weekday()) % 7 + 21)
