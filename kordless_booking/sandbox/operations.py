"""The seven documented operations, strict about their input. Errors are raised as ApiError in the documented form.

Each function takes the context, the request and the arguments in its path. Input is validated before the organization
is looked up, so a malformed request is a 400 even for an unknown organization.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import documents, strict
from .bookings import find, find_calendar, free, insert_booking, move
from .response import ApiError, Response

if TYPE_CHECKING:
    import sqlite3

    from .clock import Clock
    from .model import Business, Calendar, Service
    from .request import Request
    from .store import Store
    from .webhook_sender import WebhookSender

MAX_RANGE_SECONDS = 62 * 86400
"""Maximum range of an availability request in seconds (assumed: Kordless documents none)."""


@dataclass(frozen=True)
class OperationContext:
    """Context of one operation."""

    businesses: tuple[Business, ...]
    store: Store
    clock: Clock
    owner: Business | None = None
    """Business that the request's API key belongs to; None in operations without a key."""
    removed: frozenset[str] = frozenset()
    """Slugs of services that fault injection has removed."""
    webhook_sender: WebhookSender | None = None
    contact_needs_both: bool = False
    """True if fault injection refuses a contact without e-mail or phone."""

    def enqueue_webhook(
        self, db: sqlite3.Connection, event: str, service: Service, business: Business, row: sqlite3.Row
    ) -> None:
        """Enqueue a webhook in the transaction of `db`."""
        if self.webhook_sender is not None:
            self.webhook_sender.enqueue(db, event, business, service, row)

    def business(self, slug: str) -> Business:
        """Return the organization. Raises ApiError: 404 if unknown, 403 if the key is another organization's."""
        business = next((each for each in self.businesses if each.slug == slug), None)
        if business is None:
            raise ApiError(404, "organization not found")
        if business is not self.owner:
            raise ApiError(403, "this API key belongs to another organization")
        return business

    def service(self, business: Business, slug: str) -> Service:
        """Return a service of the business. Raises ApiError (404)."""
        service = business.service(slug)
        if service is None or slug in self.removed:
            raise ApiError(404, "service not found")
        return service

    def business_and_service(self, row: sqlite3.Row) -> tuple[Business, Service]:
        """Return business and service of a booking, also of a service that is removed now."""
        business = next(each for each in self.businesses if each.slug == row["org"])
        return business, next(each for each in business.services if each.slug == row["service"])


def organization(context: OperationContext, request: Request, slug: str) -> Response:
    """Answer operation 1: the organization and its services."""
    strict.reject_unknown_fields(request.parameters(), ())
    business = context.business(slug)
    services = [documents.service(each) for each in business.services if each.slug not in context.removed]
    return Response(document={"organization": documents.organization(business, tagline=True), "services": services})


def service(context: OperationContext, request: Request, slug: str, service_slug: str) -> Response:
    """Answer operation 2: one service and its calendar settings."""
    strict.reject_unknown_fields(request.parameters(), ())
    business = context.business(slug)
    service = context.service(business, service_slug)
    return Response(
        document={
            "organization": documents.organization(business, tagline=False),
            "service": documents.service(service),
            "calendarSettings": documents.calendar_settings(business, service),
        }
    )


def availability(context: OperationContext, request: Request) -> Response:
    """Answer operation 3: the free times that start in [from, to), one per host, sorted by start; never full ones."""
    query = request.parameters()
    strict.reject_unknown_fields(query, ("org_slug", "service_slug", "from", "to", "partySize", "timezone"))
    org_slug, slug = strict.required_text(query, "org_slug"), strict.required_text(query, "service_slug")
    start, end = strict.utc_seconds(query, "from"), strict.utc_seconds(query, "to")
    party = strict.positive_integer(query, "partySize", written=True)
    strict.zone(query, needed=False)
    if start >= end:
        raise ApiError(400, "'from' must be before 'to'")
    if end - start > MAX_RANGE_SECONDS:
        raise ApiError(400, "'to' is more than 62 days after 'from'")
    business = context.business(org_slug)
    service = context.service(business, slug)
    with context.store.read() as db:
        found = free(db, business, service, (start, end), party=party, now=context.clock.unix_seconds())
    slots = [documents.slot(business, service, calendar, begins, left) for begins, calendar, left in found]
    return Response(document={"slots": slots})


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


def create(context: OperationContext, request: Request) -> Response:
    """Carry out operation 4: create a booking.

    With an Idempotency-Key it is carried out once. Its 201, 409 or 422 is stored and repeated for ever (assumed).
    """
    strict.reject_unknown_fields(request.parameters(), ())
    body = request.document()
    strict.reject_unknown_fields(body, _CREATE)
    org_slug, slug = strict.required_text(body, "org_slug"), strict.required_text(body, "service_slug")
    start, end = strict.utc_seconds(body, "starts_at"), strict.utc_seconds(body, "ends_at")
    timezone = str(strict.zone(body))
    contact = strict.person(body)
    if context.contact_needs_both and None in contact.values():
        raise ApiError(400, "'contact' needs an 'email' and a 'phone'")
    party = strict.positive_integer(body, "party_size")
    host_id, team_id = strict.text(body, "host_id", needed=False), strict.text(body, "team_id", needed=False)
    notes = strict.text(body, "notes", longest=2000, needed=False)
    business = context.business(org_slug)
    key = request.headers.get("idempotency-key", "")
    if len(key) > 255:
        raise ApiError(400, "'Idempotency-Key' is longer than 255 characters")
    # Of the parsed body: the same fields in another order are the same request.
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    # One transaction for check, booking, webhook and stored response: two equal requests at once book only once.
    with context.store.write() as db:
        if key and (before := _stored_response(db, business.key, key, digest)):
            return before
        try:
            service = context.service(business, slug)
            calendars = _calendars(service, host_id, team_id)
            _require_bookable(service, start, end)
            now = context.clock.unix_seconds()
            calendar = find_calendar(db, business, service, start, now=now, party=party, among=calendars)
            row = insert_booking(
                db, business, service, calendar, start, now=now,
                contact=contact, timezone=timezone, party=party, notes=notes,
            )  # fmt: skip
            context.enqueue_webhook(db, "booking.created", service, business, row)
            response = Response(201, documents.short_booking(business, service, row))
        except ApiError as refusal:
            # A 400 or 404 is not stored: the same key may be sent again with a corrected body.
            if refusal.status not in (409, 422):
                raise
            response = refusal.to_response()
        if key:
            db.execute(
                "INSERT INTO replays VALUES (?, ?, ?, ?, ?)",
                (business.key, key, digest, response.status, json.dumps(response.document)),
            )
    return response


def _stored_response(db: sqlite3.Connection, bucket: str, key: str, digest: str) -> Response | None:
    """Return the stored response of this idempotency key, or None. Raises ApiError (422) if the body differs."""
    row = db.execute("SELECT * FROM replays WHERE bucket = ? AND idempotency_key = ?", (bucket, key)).fetchone()
    if row is None:
        return None
    if row["digest"] != digest:
        raise ApiError(422, "this Idempotency-Key was used with another body")
    return Response(row["status"], json.loads(row["document"]))


def _calendars(service: Service, host_id: str | None, team_id: str | None) -> tuple[Calendar, ...]:
    if team_id is not None and (service.team is None or service.team.id != team_id):
        raise ApiError(400, "'team_id' is not a team of this service")
    if host_id is None:
        return service.calendars
    of_host = tuple(each for each in service.calendars if each.host and each.host.id == host_id)
    if not of_host:
        raise ApiError(400, "'host_id' is not a host of this service")
    return of_host


def _require_bookable(service: Service, start: int, end: int) -> None:
    if end - start != service.duration * 60:
        raise ApiError(400, f"start and end must be {service.duration} minutes apart")
    if not service.public:
        raise ApiError(422, "this service is not bookable in public")


def _authenticated_booking(db: sqlite3.Connection, request: Request, number: str) -> sqlite3.Row:
    """Return the booking if the contact matches. Raises ApiError: 400 without contact, 404 unknown, 403 no match."""
    query = request.parameters()
    strict.reject_unknown_fields(query, ("contact",))
    contact = strict.required_text(query, "contact").strip()
    row = find(db, number)
    if "@" in contact:
        fits = (row["email"] or "").casefold() == contact.casefold()
    else:
        fits = bool(row["phone"]) and strict.digits(row["phone"]) == strict.digits(contact)
    if not fits:
        raise ApiError(403, "the contact doesn't match this booking")
    return row


def lookup(context: OperationContext, request: Request, number: str) -> Response:
    """Answer operation 5: look up a booking by number and contact."""
    with context.store.read() as db:
        row = _authenticated_booking(db, request, number)
    return Response(document=documents.long_booking(*context.business_and_service(row), row))


def _require_changeable(context: OperationContext, row: sqlite3.Row, service: Service) -> None:
    """Raise ApiError (422) unless the booking can still be canceled or moved."""
    if row["status"] == "canceled":
        raise ApiError(422, "this booking is already canceled")
    now = context.clock.unix_seconds()
    if row["starts"] <= now:
        raise ApiError(422, "this booking has begun or is over")
    policy = service.policy
    if policy and policy.enforced and row["starts"] - now < policy.notice_hours * 3600:
        raise ApiError(422, f"changes need {policy.notice_hours} hours' notice")


def cancel(context: OperationContext, request: Request, number: str) -> Response:
    """Carry out operation 6: cancel a booking. Takes no body, and thus no reason."""
    # An empty JSON object says as little as an empty body.
    if request.too_long or request.body.strip() not in (b"", b"{}"):
        raise ApiError(400, "cancel takes no body")
    with context.store.write() as db:
        row = _authenticated_booking(db, request, number)
        business, service = context.business_and_service(row)
        _require_changeable(context, row, service)
        db.execute("UPDATE bookings SET status = 'canceled' WHERE id = ?", (row["id"],))
        row = find(db, number)
        context.enqueue_webhook(db, "booking.cancelled", service, business, row)
        return Response(document=documents.long_booking(business, service, row))


def reschedule(context: OperationContext, request: Request, number: str) -> Response:
    """Carry out operation 7: move a booking. Service, host, party size and length stay the same."""
    body = request.document()
    strict.reject_unknown_fields(body, ("start_at", "end_at", "timezone", "notes"))
    start, end = strict.utc_seconds(body, "start_at"), strict.utc_seconds(body, "end_at")
    timezone = strict.zone(body, needed=False)
    notes = strict.text(body, "notes", longest=2000, needed=False)
    with context.store.write() as db:
        row = _authenticated_booking(db, request, number)
        business, service = context.business_and_service(row)
        _require_changeable(context, row, service)
        _require_bookable(service, start, end)
        calendars = [each for each in service.calendars if each.id == row["calendar"]]
        # For its errors alone; the booking itself is ignored, so it can move to a time that overlaps with its own.
        find_calendar(
            db, business, service, start, now=context.clock.unix_seconds(),
            party=row["party_size"], among=calendars, but=row["number"],
        )  # fmt: skip
        move(db, service, row["number"], start, timezone=timezone, notes=notes)
        row = find(db, number)
        context.enqueue_webhook(db, "booking.updated", service, business, row)
        return Response(document=documents.short_booking(business, service, row))
