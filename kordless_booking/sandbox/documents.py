"""JSON documents of the API in exactly the documented spellings, which differ from endpoint to endpoint.

Don't unify them: bookings say `start_at`, slots and webhooks `startsAt`; services have camelCase, calendar settings
snake_case.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .model import Absent, Business, Calendar, Service

if TYPE_CHECKING:
    import sqlite3


def utc(stamp: int, microseconds: int = 0) -> str:
    """Format Unix seconds as "2026-12-01T14:00:00Z", and a fraction of a second as "2026-12-01T14:00:00.250Z"."""
    whole = datetime.fromtimestamp(stamp, UTC).isoformat()[:19]
    return f"{whole}.{f'{microseconds:06d}'.removesuffix('000')}Z" if microseconds else f"{whole}Z"


def organization(business: Business, *, tagline: bool) -> dict[str, Any]:
    """Return the organization. Endpoint 1 has the tagline, endpoint 2 doesn't."""
    document: dict[str, Any] = {"id": business.id, "name": business.name, "slug": business.slug}
    if tagline:
        document["tagline"] = business.tagline
    return document | {"branding": dict(business.branding)}


def service(service: Service) -> dict[str, Any]:
    """Return a service. A price of ABSENT is left out together with the currency."""
    document: dict[str, Any] = {
        "key": service.slug,
        "name": service.name,
        "slug": service.slug,
        "description": service.description,
        "category": service.category,
        "duration": service.duration,
    }
    if not isinstance(service.price, Absent):
        document["price"] = None if service.price is None else float(service.price)
        document["currency"] = service.currency
    return document | {"isBookablePublic": service.public, "metadata": dict(service.metadata)}


def location(service: Service) -> dict[str, str]:
    """Return the location of a service."""
    return {"type": service.location[0], "value": service.location[1]}


def calendar_settings(business: Business, service: Service) -> dict[str, Any]:
    """Return the calendar settings: snake_case, but camelCase inside `cancellation_policy`."""
    policy = service.policy
    return {
        "duration_minutes": service.duration,
        "slot_interval_minutes": service.interval,
        "buffer_before": service.buffer_before,
        "buffer_after": service.buffer_after,
        "booking_window_days": service.window_days,
        "timezone": business.timezone,
        "location": location(service),
        "max_parallel_bookings": service.capacity,
        "cancellation_policy": policy and {"noticeHours": policy.notice_hours, "policyText": policy.text},
    }


def slot(business: Business, service: Service, calendar: Calendar, start: int, free: int) -> dict[str, Any]:
    """Return one bookable time of one calendar. `free` is the number of seats left."""
    host, team = calendar.host, service.team_of(calendar)
    return {
        "startsAt": utc(start, service.start_microseconds),
        "endsAt": utc(start + service.duration * 60, service.start_microseconds),
        "capacity": service.capacity,
        "availableCapacity": free,
        "serviceId": service.slug,
        "hostId": host.id if host else None,
        "teamId": team.id if team else None,
        "timezone": business.timezone,
        "host": {"id": host.id, "displayName": host.name} if host else None,
        "team": {"id": team.id, "displayName": team.name} if team else None,
    }


def short_booking(business: Business, service: Service, row: sqlite3.Row) -> dict[str, Any]:
    """Return the short form of a booking, the response of create and reschedule."""
    return {
        "booking": {
            "id": row["id"],
            "confirmation_number": row["number"],
            "status": row["status"],
            "start_at": utc(row["starts"], service.start_microseconds),
            "end_at": utc(row["ends"], service.start_microseconds),
            "service_name": service.name,
            "organization_name": business.name,
            "location": location(service),
        }
    }


def calendar_invite(row: sqlite3.Row) -> dict[str, Any]:
    """Return what the response of create has beside the booking. That of reschedule hasn't."""
    return {"calendar_invite": {"ics_url": f"https://sandbox.kordless.example/invites/{row['id']}.ics"}}


def event(kind: str, service: Service, row: sqlite3.Row, now: float) -> dict[str, Any]:
    """Return the body of a webhook."""
    return {
        "event": kind,
        "timestamp": utc(int(now)),
        "webhookId": "whk_1",  # the subscription's id (assumed); the delivery's id is in a header
        "data": {
            "booking": {
                "id": row["id"],
                "confirmation_number": row["number"],
                "serviceId": f"srv_{service.slug}",  # documented: the prefix exists in webhooks only
                "startsAt": utc(row["starts"], service.start_microseconds),
                "endsAt": utc(row["ends"], service.start_microseconds),
                "status": row["status"],
                "contact": {"email": row["email"], "name": row["name"], "phone": row["phone"]},
            }
        },
    }


def long_booking(business: Business, service: Service, row: sqlite3.Row) -> dict[str, Any]:
    """Return the long form of a booking, the response of lookup and cancel."""
    return {
        "booking": {
            "id": row["id"],
            "confirmation_number": row["number"],
            "status": row["status"],
            "organization_slug": business.slug,
            "organization_name": business.name,
            "start_at": utc(row["starts"], service.start_microseconds),
            "end_at": utc(row["ends"], service.start_microseconds),
            "service_id": service.slug,
            "service_slug": service.slug,
            "service_name": service.name,
            "contact": {"name": row["name"], "email": row["email"], "phone": row["phone"]},
            "location": location(service),
            "timezone": row["timezone"],
        }
    }
