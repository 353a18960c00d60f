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


def utc(stamp: int) -> str:
    """Format Unix seconds as "2026-12-01T14:00:00Z"."""
    return datetime.fromtimestamp(stamp, UTC).isoformat()[:19] + "Z"


def organization(business: Business, *, tagline: bool) -> dict[str, Any]:
    """Return the organization. Endpoint 1 has the tagline, endpoint 2 doesn't."""
    said: dict[str, Any] = {"id": business.id, "name": business.name, "slug": business.slug}
    if tagline:
        said["tagline"] = business.tagline
    return said | {"branding": dict(business.branding)}


def service(offered: Service) -> dict[str, Any]:
    """Return a service. A price of UNSAID is left out together with the currency."""
    said: dict[str, Any] = {
        "key": offered.slug,
        "name": offered.name,
        "slug": offered.slug,
        "description": offered.description,
        "category": offered.category,
        "duration": offered.duration,
    }
    if not isinstance(offered.price, Absent):
        said["price"] = None if offered.price is None else float(offered.price)
        said["currency"] = offered.currency
    return said | {"isBookablePublic": offered.public, "metadata": dict(offered.metadata)}


def location(offered: Service) -> dict[str, str]:
    """Return the location of a service."""
    return {"type": offered.location[0], "value": offered.location[1]}


def calendar_settings(business: Business, offered: Service) -> dict[str, Any]:
    """Return the calendar settings: snake_case, but camelCase inside `cancellation_policy`."""
    policy = offered.policy
    return {
        "duration_minutes": offered.duration,
        "slot_interval_minutes": offered.interval,
        "buffer_before": offered.buffer_before,
        "buffer_after": offered.buffer_after,
        "booking_window_days": offered.window_days,
        "timezone": business.zone.key,
        "location": location(offered),
        "max_parallel_bookings": offered.capacity,
        "cancellation_policy": policy and {"noticeHours": policy.notice_hours, "policyText": policy.text},
    }


def slot(business: Business, offered: Service, calendar: Calendar, start: int, free: int) -> dict[str, Any]:
    """Return one bookable time of one calendar. `free` is the number of seats left."""
    host, team = calendar.host, offered.team
    return {
        "startsAt": utc(start),
        "endsAt": utc(start + offered.duration * 60),
        "capacity": offered.capacity,
        "availableCapacity": free,
        "serviceId": offered.slug,
        "hostId": host.id if host else None,
        "teamId": team.id if team else None,
        "timezone": business.zone.key,
        "host": {"id": host.id, "displayName": host.name} if host else None,
        "team": {"id": team.id, "displayName": team.name} if team else None,
    }


def short_booking(business: Business, offered: Service, row: sqlite3.Row) -> dict[str, Any]:
    """Return the short form of a booking, the response of create and reschedule."""
    return {
        "booking": {
            "id": row["id"],
            "confirmation_number": row["number"],
            "status": row["status"],
            "start_at": utc(row["starts"]),
            "end_at": utc(row["ends"]),
            "service_name": offered.name,
            "organization_name": business.name,
            "location": location(offered),
        },
        "calendar_invite": {"ics_url": f"https://sandbox.kordless.example/invites/{row['id']}.ics"},
    }


def event(kind: str, offered: Service, row: sqlite3.Row, now: float) -> dict[str, Any]:
    """Return the body of a webhook."""
    return {
        "event": kind,
        "timestamp": utc(int(now)),
        "webhookId": "whk_1",  # the subscription's id (assumed); the delivery's id is in a header
        "data": {
            "booking": {
                "id": row["id"],
                "confirmation_number": row["number"],
                "serviceId": f"srv_{offered.slug}",  # documented: the prefix exists in webhooks only
                "startsAt": utc(row["starts"]),
                "endsAt": utc(row["ends"]),
                "status": row["status"],
                "contact": {"email": row["email"], "name": row["name"], "phone": row["phone"]},
            }
        },
    }


def long_booking(business: Business, offered: Service, row: sqlite3.Row) -> dict[str, Any]:
    """Return the long form of a booking, the response of lookup and cancel."""
    return {
        "booking": {
            "id": row["id"],
            "confirmation_number": row["number"],
            "status": row["status"],
            "organization_slug": business.slug,
            "organization_name": business.name,
            "start_at": utc(row["starts"]),
            "end_at": utc(row["ends"]),
            "service_id": offered.slug,
            "service_slug": offered.slug,
            "service_name": offered.name,
            "contact": {"name": row["name"], "email": row["email"], "phone": row["phone"]},
            "location": location(offered),
            "timezone": row["timezone"],
        }
    }
