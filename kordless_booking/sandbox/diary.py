"""Who has which time: what is free, booking, moving; call within a transaction. Times are Unix seconds."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .answers import Refusal
from .openings import local_day, openings, window_end

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from .world import Business, Calendar, Service

_DAY = 86400
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class Taken:
    """The bookings that could touch a span of time, found by calendar and UTC day."""

    def __init__(self, db: sqlite3.Connection, business: Business, start: int, end: int, but: str = "") -> None:
        self._days: dict[tuple[str, int], list[sqlite3.Row]] = {}
        rows = db.execute(
            "SELECT * FROM bookings WHERE org = ? AND status <> 'canceled' AND number <> ?"
            " AND blocks_from < ? AND blocks_from > ?",
            (business.slug, but, end + _DAY, start - 2 * _DAY),
        )
        for row in rows:
            for day in range(row["blocks_from"] // _DAY, row["blocks_to"] // _DAY + 1):
                self._days.setdefault((row["calendar"], day), []).append(row)

    def left(self, service: Service, calendar: Calendar, start: int, seats: int) -> int:
        """Seats left of `seats`: other bookings in the way, with both their buffers and ours, leave none."""
        begins, ends = blocked(service, start)
        for day in {begins // _DAY, ends // _DAY}:
            for row in self._days.get((calendar.id, day), ()):
                if row["service"] == service.slug and row["starts"] == start:
                    continue
                if row["blocks_from"] < ends and begins < row["blocks_to"]:
                    return 0
        here = self._days.get((calendar.id, start // _DAY), ())
        same = (row for row in here if row["service"] == service.slug and row["starts"] == start)
        return max(0, seats - sum(int(row["party_size"]) for row in same))


def blocked(service: Service, start: int) -> tuple[int, int]:
    """From when to when a booking of this service keeps its calendar."""
    return start - service.buffer_before * 60, start + (service.duration + service.buffer_after) * 60


def free(
    db: sqlite3.Connection,
    business: Business,
    service: Service,
    span: tuple[int, int],
    *,
    party: int,
    now: float,
) -> list[tuple[int, Calendar, int]]:
    """(start, calendar, seats left) of all that can be booked and starts in [from, to), in this order."""
    if not service.public:
        return []
    today = local_day(business, now)
    opens = today + timedelta(days=service.booked_out_days)
    start = max(span[0], int(now + service.notice_minutes * 60) + 1)
    end = min(span[1], window_end(business, service, today))
    if start >= end:
        return []
    taken = Taken(db, business, start, end)
    first, last = max(opens, local_day(business, start) - timedelta(days=1)), local_day(business, end)
    found = []
    for order, calendar in enumerate(service.calendars):
        for begins, seats in openings(business, service, calendar, first, last):
            if seats >= party and start <= begins < end:
                left = taken.left(service, calendar, begins, seats)
                if left >= party:
                    found.append((begins, order, calendar, left))
    found.sort(key=lambda item: item[:2])
    return [(begins, calendar, left) for begins, _, calendar, left in found]


def choose(
    db: sqlite3.Connection,
    business: Business,
    service: Service,
    start: int,
    *,
    now: float,
    party: int = 1,
    among: Iterable[Calendar] | None = None,
    but: str = "",
) -> Calendar:
    """The calendar that takes this time. Raises Refusal: 422 when never offered, 409 when taken."""
    today = local_day(business, now)
    if start <= now + service.notice_minutes * 60:
        raise Refusal(422, "this time has passed, or is too soon")
    if start >= window_end(business, service, today):
        raise Refusal(422, "this time is beyond the booking window")
    if party > service.capacity:
        raise Refusal(422, f"at most {service.capacity} people fit")
    day = local_day(business, start)
    taken = Taken(db, business, start, start, but)
    offered = False
    for calendar in service.calendars if among is None else among:
        for begins, seats in openings(business, service, calendar, day - timedelta(days=1), day):
            if begins == start:
                offered = True
                booked_out = day < today + timedelta(days=service.booked_out_days)
                if not booked_out and taken.left(service, calendar, start, seats) >= party:
                    return calendar
    if offered:
        raise Refusal(409, "this time is already taken")
    raise Refusal(422, "this is not one of the service's times")


def write_down(
    db: sqlite3.Connection,
    business: Business,
    service: Service,
    calendar: Calendar,
    start: int,
    *,
    now: float,
    contact: Mapping[str, Any],
    timezone: str,
    party: int = 1,
    notes: str | None = None,
) -> sqlite3.Row:
    """Write a new booking into the diary."""
    token = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    begins, ends = blocked(service, start)
    values = (
        f"book_{token.lower()}",
        f"BOOK_{token}",
        business.slug,
        service.slug,
        calendar.id,
        calendar.host.id if calendar.host else None,
        service.team.id if service.team else None,
        start,
        start + service.duration * 60,
        begins,
        ends,
        party,
        "pending" if service.pending else "confirmed",
        timezone,
        contact["name"],
        contact.get("email"),
        contact.get("phone"),
        notes,
        now,
    )
    marks = ", ".join("?" * len(values))
    db.execute(f"INSERT INTO bookings VALUES ({marks})", values)  # noqa: S608 - question marks only
    return find(db, str(values[1]))


def find(db: sqlite3.Connection, number: str) -> sqlite3.Row:
    """The booking with this confirmation number, in any case. Raises Refusal (404)."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM bookings WHERE number = ?", (number.upper(),)).fetchone()
    if row is None:
        raise Refusal(404, "no booking with this confirmation number")
    return row


def move(
    db: sqlite3.Connection,
    service: Service,
    number: str,
    start: int,
    *,
    timezone: str | None,
    notes: str | None,
) -> None:
    """Put a booking to another time of the same calendar. Raises Refusal (422) for one that is canceled."""
    if find(db, number)["status"] == "canceled":
        raise Refusal(422, "this booking is canceled")
    begins, ends = blocked(service, start)
    db.execute(
        "UPDATE bookings SET starts = ?, ends = ?, blocks_from = ?, blocks_to = ?,"
        " timezone = coalesce(?, timezone), notes = coalesce(?, notes) WHERE number = ?",
        (start, start + service.duration * 60, begins, ends, timezone, notes, number),
    )
