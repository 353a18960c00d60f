"""The wire forms, in exactly the documented spellings, which differ from place to place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .world import Business, Calendar, Service, Unsaid

if TYPE_CHECKING:
    import sqlite3


def utc(stamp: int) -> str:
    """Unix seconds as "2026-12-01T14:00:00Z"."""
    return datetime.fromtimestamp(stamp, UTC).isoformat()[:19] + "Z"


def organization(business: Business, *, tagline: bool) -> dict[str, Any]:
    """The business itself; endpoint 2 says it without the tagline."""
    said: dict[str, Any] = {"id": business.id, "name": business.name, "slug": business.slug}
    if tagline:
        said["tagline"] = business.tagline
    return said | {"branding": dict(business.branding)}


def service(offered: Service) -> dict[str, Any]:
    """A service; an unsaid price is left out together with its currency."""
    said: dict[str, Any] = {
        "key": offered.slug,
        "name": offered.name,
        "slug": offered.slug,
        "description": offered.description,
        "category": offered.category,
        "duration": offered.duration,
    }
    if not isinstance(offered.price, Unsaid):
        said["price"] = None if offered.price is None else float(offered.price)
        said["currency"] = offered.currency
    return said | {"isBookablePublic": offered.public, "metadata": dict(offered.metadata)}


def location(offered: Service) -> dict[str, str]:
    """Where it happens."""
    return {"type": offered.location[0], "value": offered.location[1]}


def calendar_settings(business: Business, offered: Service) -> dict[str, Any]:
    """camelCase key outside, snake_case inside, camelCase inside the policy."""
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
    """One bookable time of one calendar."""
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
    """What create and reschedule answer."""
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
    """What a webhook tells."""
    return {
        "event": kind,
        "timestamp": utc(int(now)),
        "webhookId": "whk_1",
        "data": {
            "booking": {
                "id": row["id"],
                "confirmation_number": row["number"],
                "serviceId": f"srv_{offered.slug}",
                "startsAt": utc(row["starts"]),
                "endsAt": utc(row["ends"]),
                "status": row["status"],
                "contact": {"email": row["email"], "name": row["name"], "phone": row["phone"]},
            }
        },
    }


def long_booking(business: Business, offered: Service, row: sqlite3.Row) -> dict[str, Any]:
    """What lookup and cancel answer."""
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
