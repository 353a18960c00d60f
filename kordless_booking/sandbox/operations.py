"""The seven documented operations, strict about what they are given. Refusals are the documented errors."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import documents, strict
from .answers import Answer, Refusal
from .diary import choose, find, free, move, write_down

if TYPE_CHECKING:
    import sqlite3

    from .asking import Asking
    from .clock import Clock
    from .courier import Courier
    from .store import Store
    from .world import Business, Calendar, Service

LONGEST_RANGE = 62 * 86400


@dataclass(frozen=True)
class Desk:
    """What an operation works with: the businesses, the store, the clock, and whose key was shown.

    `removed` holds the slugs of services that mischief has taken away.
    """

    businesses: tuple[Business, ...]
    store: Store
    clock: Clock
    owner: Business | None = None
    removed: frozenset[str] = frozenset()
    courier: Courier | None = None

    def tell(self, db: sqlite3.Connection, event: str, offered: Service, business: Business, row: sqlite3.Row) -> None:
        """Let the webhooks tell of it."""
        if self.courier is not None:
            self.courier.note(db, event, business, offered, row)

    def business(self, slug: str) -> Business:
        """The organization, if the key opens it. Raises Refusal: 404 unknown, 403 another's."""
        business = next((each for each in self.businesses if each.slug == slug), None)
        if business is None:
            raise Refusal(404, "organization not found")
        if business is not self.owner:
            raise Refusal(403, "this API key belongs to another organization")
        return business

    def service(self, business: Business, slug: str) -> Service:
        """A service of the business. Raises Refusal (404)."""
        service = business.service(slug)
        if service is None or slug in self.removed:
            raise Refusal(404, "service not found")
        return service

    def booked(self, row: sqlite3.Row) -> tuple[Business, Service]:
        """What a booking was made for."""
        business = next(each for each in self.businesses if each.slug == row["org"])
        return business, next(each for each in business.services if each.slug == row["service"])


def organization(desk: Desk, asking: Asking, slug: str) -> Answer:
    """1. The organization and its services."""
    strict.only(asking.parameters(), ())
    business = desk.business(slug)
    services = [documents.service(each) for each in business.services if each.slug not in desk.removed]
    return Answer(document={"organization": documents.organization(business, tagline=True), "services": services})


def service(desk: Desk, asking: Asking, slug: str, service_slug: str) -> Answer:
    """2. One service and its calendar settings."""
    strict.only(asking.parameters(), ())
    business = desk.business(slug)
    offered = desk.service(business, service_slug)
    return Answer(
        document={
            "organization": documents.organization(business, tagline=False),
            "service": documents.service(offered),
            "calendarSettings": documents.calendar_settings(business, offered),
        }
    )


def availability(desk: Desk, asking: Asking) -> Answer:
    """3. The free times that start in [from, to), once per host, by time."""
    query = asking.parameters()
    strict.only(query, ("org_slug", "service_slug", "from", "to", "partySize", "timezone"))
    org_slug, slug = strict.needed_text(query, "org_slug"), strict.needed_text(query, "service_slug")
    start, end = strict.moment(query, "from"), strict.moment(query, "to")
    party = strict.count(query, "partySize", written=True)
    strict.zone(query, needed=False)
    if start >= end:
        raise Refusal(400, "'from' must be before 'to'")
    if end - start > LONGEST_RANGE:
        raise Refusal(400, "'to' is more than 62 days after 'from'")
    business = desk.business(org_slug)
    offered = desk.service(business, slug)
    with desk.store.read() as db:
        found = free(db, business, offered, (start, end), party=party, now=desk.clock.stamp())
    slots = [documents.slot(business, offered, calendar, begins, left) for begins, calendar, left in found]
    return Answer(document={"slots": slots})


_CREATE = (
    "org_slug",
    "service_slug",
    "starts_at",
    "ends_at",
    "timezone",
    "contact",
    "party_size",
    "host_id",
    "team_id",
    "notes",
)


def create(desk: Desk, asking: Asking) -> Answer:
    """4. A booking. With an Idempotency-Key it is tried once: its 201, 409 or 422 is repeated for ever."""
    strict.only(asking.parameters(), ())
    body = asking.document()
    strict.only(body, _CREATE)
    org_slug, slug = strict.needed_text(body, "org_slug"), strict.needed_text(body, "service_slug")
    start, end = strict.moment(body, "starts_at"), strict.moment(body, "ends_at")
    timezone = str(strict.zone(body))
    contact = strict.person(body)
    party = strict.count(body, "party_size")
    host_id, team_id = strict.text(body, "host_id", needed=False), strict.text(body, "team_id", needed=False)
    notes = strict.text(body, "notes", longest=2000, needed=False)
    business = desk.business(org_slug)
    key = asking.headers.get("idempotency-key", "")
    if len(key) > 255:
        raise Refusal(400, "'Idempotency-Key' is longer than 255 characters")
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    with desk.store.write() as db:
        if key and (before := _replayed(db, business.key, key, digest)):
            return before
        try:
            offered = desk.service(business, slug)
            calendars = _calendars(offered, host_id, team_id)
            _bookable(offered, start, end)
            now = desk.clock.stamp()
            calendar = choose(db, business, offered, start, now=now, party=party, among=calendars)
            row = write_down(
                db, business, offered, calendar, start, now=now,
                contact=contact, timezone=timezone, party=party, notes=notes,
            )  # fmt: skip
            desk.tell(db, "booking.created", offered, business, row)
            answer = Answer(201, documents.short_booking(business, offered, row))
        except Refusal as refusal:
            if refusal.status not in (409, 422):
                raise
            answer = refusal.answer()
        if key:
            db.execute(
                "INSERT INTO replays VALUES (?, ?, ?, ?, ?)",
                (business.key, key, digest, answer.status, json.dumps(answer.document)),
            )
    return answer


def _replayed(db: sqlite3.Connection, bucket: str, key: str, digest: str) -> Answer | None:
    row = db.execute("SELECT * FROM replays WHERE bucket = ? AND idempotency_key = ?", (bucket, key)).fetchone()
    if row is None:
        return None
    if row["digest"] != digest:
        raise Refusal(422, "this Idempotency-Key was used with another body")
    return Answer(row["status"], json.loads(row["document"]))


def _calendars(offered: Service, host_id: str | None, team_id: str | None) -> tuple[Calendar, ...]:
    if team_id is not None and (offered.team is None or offered.team.id != team_id):
        raise Refusal(400, "'team_id' is not a team of this service")
    if host_id is None:
        return offered.calendars
    named = tuple(each for each in offered.calendars if each.host and each.host.id == host_id)
    if not named:
        raise Refusal(400, "'host_id' is not a host of this service")
    return named


def _bookable(offered: Service, start: int, end: int) -> None:
    if end - start != offered.duration * 60:
        raise Refusal(400, f"start and end must be {offered.duration} minutes apart")
    if not offered.public:
        raise Refusal(422, "this service can't be booked in public")


def _own(db: sqlite3.Connection, asking: Asking, number: str) -> sqlite3.Row:
    """The booking, if the contact fits. Raises Refusal: 400 without contact, 404, 403."""
    query = asking.parameters()
    strict.only(query, ("contact",))
    contact = strict.needed_text(query, "contact").strip()
    row = find(db, number)
    if "@" in contact:
        fits = (row["email"] or "").casefold() == contact.casefold()
    else:
        fits = bool(row["phone"]) and strict.digits(row["phone"]) == strict.digits(contact)
    if not fits:
        raise Refusal(403, "the contact doesn't match this booking")
    return row


def lookup(desk: Desk, asking: Asking, number: str) -> Answer:
    """5. A booking by its number and contact."""
    with desk.store.read() as db:
        row = _own(db, asking, number)
    return Answer(document=documents.long_booking(*desk.booked(row), row))


def _changeable(desk: Desk, row: sqlite3.Row, offered: Service) -> None:
    if row["status"] == "canceled":
        raise Refusal(422, "this booking is already canceled")
    now = desk.clock.stamp()
    if row["starts"] <= now:
        raise Refusal(422, "this booking has begun or is over")
    policy = offered.policy
    if policy and policy.enforced and row["starts"] - now < policy.notice_hours * 3600:
        raise Refusal(422, f"changes need {policy.notice_hours} hours' notice")


def cancel(desk: Desk, asking: Asking, number: str) -> Answer:
    """6. Cancel a booking; takes no body."""
    if asking.too_long or asking.body.strip() not in (b"", b"{}"):
        raise Refusal(400, "cancel takes no body")
    with desk.store.write() as db:
        row = _own(db, asking, number)
        business, offered = desk.booked(row)
        _changeable(desk, row, offered)
        db.execute("UPDATE bookings SET status = 'canceled' WHERE id = ?", (row["id"],))
        row = find(db, number)
        desk.tell(db, "booking.cancelled", offered, business, row)
        return Answer(document=documents.long_booking(business, offered, row))


def reschedule(desk: Desk, asking: Asking, number: str) -> Answer:
    """7. Move a booking: same service, host, people and length."""
    body = asking.document()
    strict.only(body, ("start_at", "end_at", "timezone", "notes"))
    start, end = strict.moment(body, "start_at"), strict.moment(body, "end_at")
    timezone = strict.zone(body, needed=False)
    notes = strict.text(body, "notes", longest=2000, needed=False)
    with desk.store.write() as db:
        row = _own(db, asking, number)
        business, offered = desk.booked(row)
        _changeable(desk, row, offered)
        _bookable(offered, start, end)
        calendars = [each for each in offered.calendars if each.id == row["calendar"]]
        choose(
            db, business, offered, start, now=desk.clock.stamp(),
            party=row["party_size"], among=calendars, but=row["number"],
        )  # fmt: skip
        move(db, offered, row["number"], start, timezone=timezone, notes=notes)
        row = find(db, number)
        desk.tell(db, "booking.updated", offered, business, row)
        return Answer(document=documents.short_booking(business, offered, row))
