"""Immutable domain model of the sandbox: businesses, services, calendars, opening hours.

Opening hours are minutes of the local day in the business's time zone; values above 1440 are after midnight. Lengths
are minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from decimal import Decimal
    from zoneinfo import ZoneInfo

Week = Mapping[int, tuple[tuple[int, int], ...]]
"""Weekday (Monday is 0) to its opening hours, each (from, to) in local minutes."""


class Absent(Enum):
    """Type of the marker ABSENT."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
"""Value of a field that is absent from the response, as opposed to None for null."""


@dataclass(frozen=True)
class Host:
    """A person who can be booked. A booking blocks the person in every service of the business."""

    id: str
    name: str


@dataclass(frozen=True)
class Team:
    """A named group of hosts."""

    id: str
    name: str


@dataclass(frozen=True, eq=False)
class Calendar:
    """A bookable resource: a host's time, or without a host the service's own phone line or room."""

    id: str
    week: Week
    host: Host | None = None
    occupancy_percent: int = 30
    """Approximate percentage of hours that are booked from the start, so that calendars look real."""
    team: Team | None = None
    """Team whose time this is, if it isn't the service's."""


@dataclass(frozen=True)
class Policy:
    """A cancellation policy."""

    notice_hours: float
    text: str
    enforced: bool = False
    """True: changes within `notice_hours` of the start are refused (422). Kordless's own behavior is unknown."""


@dataclass(frozen=True, eq=False)
class Service:
    """A bookable service. Its key in the API is its slug."""

    slug: str
    name: str
    category: str | None
    duration: int
    """Minutes."""
    calendars: tuple[Calendar, ...]
    location: tuple[str, str]
    """(type, value)."""
    description: str | None = None
    price: Decimal | Absent | None = None
    """Major units; None is sent as null."""
    currency: str | None = None
    interval: int = 30
    """Minutes between two start times."""
    buffer_before: int = 0
    """Minutes."""
    buffer_after: int = 0
    """Minutes."""
    window_days: int | None = 60
    """Days that can be booked ahead; None is sent as null, and leaves it open."""
    capacity: int = 1
    """Seats of one start time; more than 1 for a group."""
    team: Team | None = None
    """Team of all calendars that have none of their own."""
    policy: Policy | None = None
    public: bool = True
    """False: not in the organization's list, and can't be booked."""
    pending: bool = False
    """True: new bookings have the status "pending" until the business confirms them."""
    notice_minutes: int = 0
    """Minutes before its start from which a time can't be booked anymore."""
    booked_out_days: int = 0
    """Days from today that are fully booked."""
    more_durations: tuple[int, ...] = ()
    """Other lengths in minutes that each start is offered in too."""
    start_microseconds: int = 0
    """Fraction of a second that each start and end has."""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def lengths(self) -> tuple[Service, ...]:
        """Return the service once for each length that it is offered in, with that length as its duration."""
        if not self.more_durations:
            return (self,)
        lengths = (self.duration, *self.more_durations)
        return tuple(replace(self, duration=each, more_durations=()) for each in lengths)

    def of_length(self, minutes: float) -> Service | None:
        """Return the service in the length that it is offered in, or None."""
        return next((each for each in self.lengths() if each.duration == minutes), None)

    def team_of(self, calendar: Calendar) -> Team | None:
        """Return the team that a slot of this calendar names."""
        return calendar.team or self.team


@dataclass(frozen=True, eq=False)
class Business:
    """An organization with its API key and its services."""

    id: str
    slug: str
    name: str
    key: str
    zone: ZoneInfo
    branding: Mapping[str, str | None]
    services: tuple[Service, ...]
    closed: Callable[[date], bool]
    """Predicate for holidays, given a local date."""
    tagline: str | None = None
    zone_name: str | None = None
    """Name of the zone that is sent instead of the IANA name, as some businesses have typed it."""

    @property
    def timezone(self) -> str:
        """The name of the time zone as it is sent."""
        return self.zone_name or self.zone.key

    def service(self, slug: str) -> Service | None:
        """Return the service with this slug, or None."""
        return next((service for service in self.services if service.slug == slug), None)


def hours(*spans: str, days: str) -> dict[int, tuple[tuple[int, int], ...]]:
    """Build a Week from text: `hours("09:00-13:00", "20:00-26:00", days="Tue Wed")`. 26:00 is 2 a.m. the next day."""
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    parsed = tuple((_minutes(start), _minutes(end)) for start, _, end in (span.partition("-") for span in spans))
    return {names.index(day): parsed for day in days.split()}


def _minutes(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


def yearly(*days: tuple[int, int]) -> Callable[[date], bool]:
    """Return a predicate that is true on these (month, day) of every year."""
    return lambda day: (day.month, day.day) in days


def thanksgiving(day: date) -> bool:
    """Return True for the fourth Thursday of November."""
    first = date(day.year, 11, 1)
    # The first bracket is the distance to the first Thursday (weekday 3); 21 days later is the fourth.
    return day == first + timedelta(days=(3 - first.weekday()) % 7 + 21)
