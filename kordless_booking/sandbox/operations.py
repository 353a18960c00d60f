"""The seven documented operations, strict about their input. Errors are raised as ApiError in the documented form.

Each function takes the context, the request and the arguments in its path. Input is validated before the organization
is looked up, so a malformed request is a 400 even for an unknown organization.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import documents, strict
from .bookings import find, find_calendar, free, insert_booking, move
from .response import ApiError, Response

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from .clock import Clock
    from .model import Business, Calendar, Service
    from .request import Request
    from .store import Store
    from .webhook_sender import WebhookSender

MAX_RANGE_DAYS = 62
"""Maximum range of an availability request in days (assumed: Kordless documents none)."""


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
    number_form: str = "BOOK_{}"
    """Form of new confirmation numbers, which fault injection may change."""
    contact_required: frozenset[str] = frozenset()
    """Fields of a contact that fault injection makes required."""
    deviations: frozenset[str] = frozenset()
    """Names of the faults that change what an operation does."""
    max_range_days: int = MAX_RANGE_DAYS
    """Maximum range of an availability request, which fault injection may change."""
    lookup_contact: str = ""
    """The only kind of contact that fault injection accepts, "email" or "phone"; empty for both."""

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
        """Return business and service of a booking, in the length that was booked, also of a service that is removed.

        Raises ApiError (404) if the booking was made in a sandbox with other businesses.
        """
        business = next((each for each in self.businesses if each.slug == row["org"]), None)
        service = business.service(row["service"]) if business else None
        if business is None or service is None:
            raise ApiError(404, "this booking's service is not in this sandbox")
        return business, service.of_length((row["ends"] - row["starts"]) / 60) or service


def organization(context: OperationContext, request: Request, slug: str) -> Response:
    """Answer operation 1: the organization and its public services."""
    strict.reject_unknown_fields(request.parameters(), ())
    business = context.business(slug)
    listed = (each for each in business.services if each.public and each.slug not in context.removed)
    services = [documents.service(each) for each in listed]
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
    if "parameters_ignored" not in context.deviations:
        strict.reject_unknown_fields(query, ("org_slug", "service_slug", "from", "to", "partySize", "timezone"))
    org_slug, slug = strict.required_text(query, "org_slug"), strict.required_text(query, "service_slug")
    start, end = strict.utc_seconds(query, "from"), strict.utc_seconds(query, "to")
    party = strict.positive_integer(query, "partySize", written=True)
    if "party_size_ignored" in context.deviations:
        party = 1
    strict.zone(query, needed=False)
    if start >= end:
        raise ApiError(400, "'from' must be before 'to'")
    if end - start > context.max_range_days * 86400:
        raise ApiError(400, f"'to' is more than {context.max_range_days} days after 'from'")
    business = context.business(org_slug)
    service = context.service(business, slug)
    found = []
    with context.store.read() as db:
        now = context.clock.unix_seconds()
        for length in service.lengths():
            for begins, calendar, left in free(db, business, length, (start, end), party=party, now=now):
                found.append((begins, documents.slot(business, length, calendar, begins, left)))
    found.sort(key=lambda item: item[0])
    return Response(document={"slots": [slot for _, slot in found]})


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
    span = _Span.read(body, "starts_at", "ends_at")
    timezone = str(strict.zone(body))
    contact = strict.person(body, context.contact_required)
    party = strict.positive_integer(body, "party_size")
    host_id, team_id = strict.text(body, "host_id", needed=False), strict.text(body, "team_id", needed=False)
    notes = strict.text(body, "notes", longest=2000, needed=False)
    business = context.business(org_slug)
    key = "" if "keys_ignored" in context.deviations else request.headers.get("idempotency-key", "")
    if len(key) > 255:
        raise ApiError(400, "'Idempotency-Key' is longer than 255 characters")
    # Of the parsed body: the same fields in another order are the same request.
    compared = {} if "keys_without_body" in context.deviations else body
    digest = hashlib.sha256(json.dumps(compared, sort_keys=True).encode()).hexdigest()
    # One transaction for check, booking, webhook and stored response: two equal requests at once book only once.
    with context.store.write() as db:
        if key and (before := _stored_response(db, business.key, key, digest)):
            return before
        try:
            service = context.service(business, slug)
            calendars = _calendars(service, host_id, team_id)
            service = span.require_bookable(service)
            now = context.clock.unix_seconds()
            calendar = find_calendar(db, business, service, span.start, now=now, party=party, among=calendars)
            row = insert_booking(
                db, business, service, calendar, span.start, now=now, contact=contact, timezone=timezone, party=party,
                notes=notes, number_form=context.number_form,
            )  # fmt: skip
            context.enqueue_webhook(db, "booking.created", service, business, row)
            document = documents.short_booking(business, service, row) | documents.calendar_invite(row)
            response = Response(201, document)
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
    found = service.calendars
    if team_id is not None:
        found = tuple(each for each in found if (team := service.team_of(each)) and team.id == team_id)
        if not found:
            raise ApiError(400, "'team_id' is not a team of this service")
    if host_id is not None:
        found = tuple(each for each in found if each.host and each.host.id == host_id)
        if not found:
            raise ApiError(400, "'host_id' is not a host of this service, or not of the team")
    return found


@dataclass(frozen=True)
class _Span:
    """Start and end in a request, as Unix seconds, and their fractions by the field's name."""

    start: int
    end: int
    microseconds: Mapping[str, int]

    @classmethod
    def read(cls, body: Mapping[str, Any], start: str, end: str) -> _Span:
        """Read the two fields of a body. Raises ApiError (400)."""
        (begins, of_start), (ends, of_end) = strict.utc_moment(body, start), strict.utc_moment(body, end)
        return cls(begins, ends, {start: of_start, end: of_end})

    def require_bookable(self, service: Service) -> Service:
        """Return the service in this length. Raises ApiError: 400 for another length or fraction, 422 if not public."""
        for name, found in self.microseconds.items():
            if found != service.start_microseconds:
                wanted = "the slot's own fraction of a second" if service.start_microseconds else "whole seconds"
                raise ApiError(400, f"'{name}' must be {wanted}")
        length = service.of_length((self.end - self.start) / 60)
        if length is None:
            durations = " or ".join(str(each.duration) for each in service.lengths())
            raise ApiError(400, f"start and end must be {durations} minutes apart")
        if not service.public:
            raise ApiError(422, "this service is not bookable in public")
        return length


def _authenticated_booking(
    context: OperationContext, db: sqlite3.Connection, request: Request, number: str
) -> sqlite3.Row:
    """Return the booking if the contact matches. Raises ApiError: 400 without contact, 404 unknown, 403 no match."""
    query = request.parameters()
    strict.reject_unknown_fields(query, ("contact",))
    contact = strict.required_text(query, "contact").strip()
    kind = "email" if "@" in contact else "phone"
    row = find(db, number)
    if kind == "email":
        fits = (row["email"] or "").casefold() == contact.casefold()
    else:
        fits = bool(row["phone"]) and strict.digits(row["phone"]) == strict.digits(contact)
    if not fits or context.lookup_contact not in ("", kind):
        raise ApiError(403, "the contact doesn't match this booking")
    return row


def lookup(context: OperationContext, request: Request, number: str) -> Response:
    """Answer operation 5: look up a booking by number and contact."""
    with context.store.read() as db:
        row = _authenticated_booking(context, db, request, number)
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
        row = _authenticated_booking(context, db, request, number)
        business, service = context.business_and_service(row)
        if row["status"] == "canceled" and "cancel_repeatable" in context.deviations:
            return Response(document=documents.long_booking(business, service, row))
        _require_changeable(context, row, service)
        db.execute("UPDATE bookings SET status = 'canceled' WHERE id = ?", (row["id"],))
        row = find(db, number)
        context.enqueue_webhook(db, "booking.cancelled", service, business, row)
        return Response(document=documents.long_booking(business, service, row))


def reschedule(context: OperationContext, request: Request, number: str) -> Response:
    """Carry out operation 7: move a booking. Service, host, party size and length stay the same."""
    body = request.document()
    strict.reject_unknown_fields(body, ("start_at", "end_at", "timezone", "notes"))
    span = _Span.read(body, "start_at", "end_at")
    timezone = strict.zone(body, needed=False)
    notes = strict.text(body, "notes", longest=2000, needed=False)
    with context.store.write() as db:
        row = _authenticated_booking(context, db, request, number)
        business, service = context.business_and_service(row)
        _require_changeable(context, row, service)
        span.require_bookable(service)
        calendars = [each for each in service.calendars if each.id == row["calendar"]]
        # For its errors alone; the booking itself is ignored, so it can move to a time that overlaps with its own.
        find_calendar(
            db, business, service, span.start, now=context.clock.unix_seconds(),
            party=row["party_size"], among=calendars, but=row["number"],
        )  # fmt: skip
        move(db, service, row["number"], span.start, timezone=timezone, notes=notes)
        row = find(db, number)
        context.enqueue_webhook(db, "booking.updated", service, business, row)
        return Response(document=documents.short_booking(business, service, row))
