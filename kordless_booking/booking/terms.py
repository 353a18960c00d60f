"""Terms of a booking: the service, the time, the host or team, and the party size. Carried from slot to mail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from kordless_booking.api.msgspec_warmup import warm_up
from kordless_booking.api.resources import Contact, NewBooking
from kordless_booking.presentation.timezones import get_timezone

if TYPE_CHECKING:
    from kordless_booking.booking.availability import AvailableTime
    from kordless_booking.booking.choices import Choices


# Encoded as a list, without the names of its fields, because it is part of tokens in URLs.
class Terms(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Terms of a booking, as chosen with the slot.

    Start and end are converted to UTC. Raises ValueError for naive ones.
    """

    service: str
    """Slug."""
    start: datetime
    """Start of the slot, in UTC."""
    end: datetime
    """End of the slot, in UTC."""
    timezone: str
    """The visitor's time zone (IANA name)."""
    host_id: str | None = None
    """None lets Kordless pick a host."""
    host_name: str | None = None
    team_id: str | None = None
    team_name: str | None = None
    party_size: int = 1

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("start and end must be aware")
        # One spelling for one instant, so that equal terms have equal tokens.
        msgspec.structs.force_setattr(self, "start", self.start.astimezone(UTC))
        msgspec.structs.force_setattr(self, "end", self.end.astimezone(UTC))

    @classmethod
    def from_available_time(cls, moment: AvailableTime, *, service: str, timezone: str, party_size: int) -> Terms:
        """Return the terms of an available time. They have a host or team only when there is no other one to pick."""
        # Shared by all slots that are left: the only one there is, or the chosen one. Among several, Kordless picks.
        host, team = moment.slots[0].host, moment.slots[0].team
        if any(slot.host is None or host is None or slot.host.id != host.id for slot in moment.slots):
            host = None
        if any(slot.team is None or team is None or slot.team.id != team.id for slot in moment.slots):
            team = None
        return cls(
            service=service,
            start=moment.start,
            end=moment.end,
            timezone=timezone,
            host_id=host.id if host else None,
            host_name=host.name if host else None,
            team_id=team.id if team else None,
            team_name=team.name if team else None,
            party_size=party_size,
        )

    def without_names(self) -> Terms:
        """Return the terms without the names of host and team, for a token that is too long with them."""
        return msgspec.structs.replace(self, host_name=None, team_name=None)

    def new_booking(self, contact: Contact, notes: str | None) -> NewBooking:
        """Return the request to Kordless for a booking on these terms."""
        return NewBooking(
            service_slug=self.service,
            start=self.start,
            end=self.end,
            timezone=self.timezone,
            contact=contact,
            party_size=self.party_size,
            host_id=self.host_id,
            team_id=self.team_id,
            notes=notes,
        )

    def choices_for_day(self, choices: Choices, timezone: str) -> Choices:
        """Return `choices` with which the slot page shows the day of these terms. The chosen host stays.

        `timezone` is the zone of the times on that page: the visitor's, or that of the place which they come to.
        """
        day = self.start.astimezone(get_timezone(timezone)).date()
        return choices.replace(timezone=self.timezone, month=None, day=day, party_size=self.party_size)

    def choices_to_book_again(self, choices: Choices) -> Choices:
        """Return `choices` with the host, or else the team, and the party size of these terms, for any day."""
        # Of both, the host decides: the same person may also have times in another team.
        team_id = None if self.host_id else self.team_id
        return choices.replace(
            month=None,
            day=None,
            after=None,
            before=None,
            host_id=self.host_id,
            team_id=team_id,
            party_size=self.party_size,
        )


warm_up(Terms)
