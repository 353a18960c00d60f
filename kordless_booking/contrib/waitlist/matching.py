"""Matching: which free times fit an entry, and which of them are new to it. Pure logic."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from kordless_booking.api.resources import Slot
from kordless_booking.booking.availability import AvailableTime, PartOfDay, free_openings, localize, parts_of_day
from kordless_booking.presentation.timezones import get_timezone

PARTS: Final = (PartOfDay.MORNING, PartOfDay.AFTERNOON, PartOfDay.EVENING)
"""Parts of the day that can be chosen."""
LEAD_TIME: Final = timedelta(minutes=30)
"""A time that begins sooner fits nobody: the message has to be read, and the way be made."""
MAX_KNOWN_STARTS: Final = 1000
"""Starts that an entry remembers: eight weeks with eighteen times a day."""


@dataclass(frozen=True, kw_only=True)
class TimePreferences:
    """Times that a visitor would take."""

    until: date
    """Latest date, in `zone`."""
    part: str = ""
    """One of PARTS; "" for any."""
    zone: str = "UTC"
    """IANA name of the zone of dates and parts of the day: that of the page of times."""
    host_id: str | None = None
    """As links write it, like `team_id` (`booking.choices.query_id`)."""
    team_id: str | None = None
    party_size: int = 1

    @property
    def ends_at(self) -> datetime:
        """Return the moment (UTC) at which the latest date is over."""
        following = datetime.combine(self.until + timedelta(days=1), time(), get_timezone(self.zone))
        return following.astimezone(UTC)


def fitting_times(slots: Iterable[Slot], preferences: TimePreferences, now: datetime) -> list[AvailableTime]:
    """Return the free times that fit, in order. Raises ValueError if `now` is naive."""
    days = free_openings(
        slots,
        zone=get_timezone(preferences.zone),
        now=now + LEAD_TIME,
        host_id=preferences.host_id,
        team_id=preferences.team_id,
        party_size=preferences.party_size,
    )
    found: list[AvailableTime] = []
    for day, openings in days.items():
        if day > preferences.until:
            continue
        for part, times in parts_of_day(localize(openings, get_timezone(preferences.zone))):
            if preferences.part in {"", part}:
                found += times
    return sorted(found, key=lambda each: (each.start, each.end))


def minute_of(start: datetime) -> int:
    """Return a start in minutes since 1970, as an entry remembers it."""
    return int(start.timestamp()) // 60


def first_new_time(
    fitting: Sequence[AvailableTime], known: Collection[int], held: Collection[tuple[datetime, datetime]]
) -> AvailableTime | None:
    """Return the first time that is neither known to the entry nor held for somebody else; None when there is none.

    `held` are starts and ends. A time that overlaps one of them may be gone with it: one cancellation often frees
    several starts.
    """
    for each in fitting:
        is_held = any(each.start < end and start < each.end for start, end in held)
        if not is_held and minute_of(each.start) not in known:
            return each
    return None


def remove_taken_starts(
    known: Sequence[int], fitting: Sequence[AvailableTime], slots: Sequence[Slot], until: datetime
) -> list[int]:
    """Return the known starts without those that are taken now: when such a time is free again, it is new.

    Only of those that these slots, which end before `until`, would show: a block of slots begins with its first one.
    """
    if not slots:
        return list(known)
    first, end = minute_of(min(slot.start for slot in slots)), minute_of(until)
    free = {minute_of(each.start) for each in fitting}
    return [start for start in known if start in free or not first <= start < end]
