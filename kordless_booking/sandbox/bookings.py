"""Bookings in the store: find free times, book, move.

Call these functions inside a transaction of the store, or a time could be booked twice between the check and the
insert. Times are Unix seconds.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .response import ApiError
from .schedule import local_day, openings, window_end

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from .model import Business, Calendar, Service

_DAY = 86400
"""Seconds."""
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Characters of confirmation numbers, without I, O, 0 and 1, which are easily mixed up."""


class BookingIndex:
    """Index of the bookings around a range of time, by calendar and UTC day."""

    def __init__(self, db: sqlite3.Connection, business: Business, start: int, end: int, but: str = "") -> None:
        """Read the bookings that block any of the time from `start` to `end`, which includes buffers and lengths."""
        self._days: dict[tuple[str, int], list[sqlite3.Row]] = {}
        rows = db.execute(
            "SELECT * FROM bookings WHERE org = ? AND status <> 'canceled' AND number <> ?"
            " AND blocks_from < ? AND blocks_to > ?",
            (business.slug, but, end, start),
        )
        for row in rows:
            for day in range(row["blocks_from"] // _DAY, row["blocks_to"] // _DAY + 1):
                self._days.setdefault((row["calendar"], day), []).append(row)

    def free_seats(self, service: Service, calendar: Calendar, start: int, seats: int) -> int:
        """Return how many of `seats` are left at `start`: 0 if another booking overlaps, buffers included."""
        begins, ends = blocked(service, start)
        for day in range(begins // _DAY, ends // _DAY + 1):
            for row in self._days.get((calendar.id, day), ()):
                # Bookings of the same group appointment share its seats, and don't overlap with it.
                if row["service"] == service.slug and row["starts"] == start:
                    continue
                if row["blocks_from"] < ends and begins < row["blocks_to"]:
                    return 0
        here = self._days.get((calendar.id, start // _DAY), ())
        same = (row for row in here if row["service"] == service.slug and row["starts"] == start)
        return max(0, seats - sum(int(row["party_size"]) for row in same))


def blocked(service: Service, start: int) -> tuple[int, int]:
    """Return (from, to) of the time that a booking blocks in its calendar, buffers included."""
    return start - service.buffer_before * 60, start + (service.duration + service.buffer_after) * 60


def _read_index(
    db: sqlite3.Connection, business: Business, service: Service, start: int, end: int, but: str = ""
) -> BookingIndex:
    """Return the index for starts of the service in [start, end]."""
    return BookingIndex(db, business, blocked(service, start)[0], blocked(service, end)[1], but)


def free(
    db: sqlite3.Connection,
    business: Business,
    service: Service,
    span: tuple[int, int],
    *,
    party: int,
    now: float,
) -> list[tuple[int, Calendar, int]]:
    """Return (start, calendar, seats left) for each bookable time that starts in `span`, [from, to), sorted by start.

    Calendars at the same time keep the order of `service.calendars`.
    """
    if not service.public:
        return []
    today = local_day(business, now)
    opens = today + timedelta(days=service.booked_out_days)
    start = max(span[0], int(now + service.notice_minutes * 60) + 1)
    end = min(span[1], window_end(business, service, today))
    if start >= end:
        return []
    taken = _read_index(db, business, service, start, end)
    # From the day before: opening hours may reach past midnight.
    first, last = max(opens, local_day(business, start) - timedelta(days=1)), local_day(business, end)
    found = []
    for order, calendar in enumerate(service.calendars):
        for begins, seats in openings(business, service, calendar, first, last):
            if seats >= party and start <= begins < end:
                left = taken.free_seats(service, calendar, begins, seats)
                if left >= party:
                    found.append((begins, order, calendar, left))
    found.sort(key=lambda item: item[:2])
    return [(begins, calendar, left) for begins, _, calendar, left in found]


def find_calendar(
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
    """Return a calendar that is free at `start`.

    `among` limits the calendars, and `but` is the number of a booking to ignore (the one that is moved). Raises
    ApiError: 422 if the service never offers this time, 409 if it is taken.
    """
    today = local_day(business, now)
    if start <= now + service.notice_minutes * 60:
        raise ApiError(422, "this time has passed, or is too soon")
    if start >= window_end(business, service, today):
        raise ApiError(422, "this time is beyond the booking window")
    if party > service.capacity:
        raise ApiError(422, f"at most {service.capacity} people fit")
    day = local_day(business, start)
    taken = _read_index(db, business, service, start, start, but)
    offered = False
    for calendar in service.calendars if among is None else among:
        for begins, seats in openings(business, service, calendar, day - timedelta(days=1), day):
            if begins == start:
                offered = True  # from here on the error is "taken" (409), no more "not a time" (422)
                booked_out = day < today + timedelta(days=service.booked_out_days)
                if not booked_out and taken.free_seats(service, calendar, start, seats) >= party:
                    return calendar
    if offered:
        raise ApiError(409, "this time is already taken")
    raise ApiError(422, "this is not one of the service's times")


def insert_booking(
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
    number_form: str = "BOOK_{}",
) -> sqlite3.Row:
    """Insert a booking and return its row. `choose` must have found the calendar free in the same transaction.

    `number_form` is the confirmation number, with {} for its characters.
    """
    token = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    begins, ends = blocked(service, start)
    team = service.team_of(calendar)
    values = (
        f"book_{token.lower()}",
        number_form.replace("{}", token).upper(),  # as `find` looks for it: numbers are case-insensitive
        business.slug,
        service.slug,
        calendar.id,
        calendar.host.id if calendar.host else None,
        team.id if team else None,
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
    """Return the booking with this confirmation number, in any case. Raises ApiError (404)."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM bookings WHERE number = ?", (number.upper(),)).fetchone()
    if row is None:
        raise ApiError(404, "no booking with this confirmation number")
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
    """Move a booking to another time of the same calendar. Raises ApiError (422) if it is canceled.

    None for `timezone` or `notes` keeps the old value.
    """
    if find(db, number)["status"] == "canceled":
        raise ApiError(422, "this booking is canceled")
    begins, ends = blocked(service, start)
    db.execute(
        "UPDATE bookings SET starts = ?, ends = ?, blocks_from = ?, blocks_to = ?,"
        " timezone = coalesce(?, timezone), notes = coalesce(?, notes) WHERE number = ?",
        (start, start + service.duration * 60, begins, ends, timezone, notes, number),
    )
