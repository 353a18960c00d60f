"""Faults of the content: hostile texts, changed terms, another booking or organization. See `slots` for the parameters.

The documents stay valid, so only a client that compares them with its request notices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kordless_booking.sandbox.faults.schema import objects, stamp

from ..documents import utc

if TYPE_CHECKING:
    from collections.abc import Callable

# The fields that a business or a visitor types.
_TYPED = (
    *("name", "tagline", "description", "category", "policyText", "displayName", "companyName"),
    *("service_name", "organization_name"),
)
# Markup, quotes, htmx attributes, template syntax, header injection, a right-to-left override, a zero-width space.
_HOSTILE = (
    "<img src=x onerror=alert(1)>\"'</title></script><script>alert(2)</script>"
    "<div hx-get=/x hx-trigger=load>{{7*7}} {% load x %}\r\nSet-Cookie: x=1 \u202eevil\u200b"
)


def unknown_values(document: Any, now: float, *, status: str = "waitlisted", location: str = "hologram") -> Any:
    """Send a booking status and a location type that aren't documented."""
    for found in objects(document):
        if "confirmation_number" in found:
            found["status"] = status
        if isinstance(found.get("location"), dict):
            found["location"]["type"] = location
    return document


def hostile(document: Any, now: float) -> Any:
    """Put markup into every typed text, javascript: URLs into logo, location and invite, and CSS into the color."""
    for found in objects(document):
        for name in _TYPED:
            if isinstance(found.get(name), str):
                found[name] = f"{found[name]} {_HOSTILE}"
        if "primaryColor" in found:
            found["primaryColor"] = "red;} body{background:url(//evil.example/x)} </style><script>alert(3)</script>"
            found["logo"] = "javascript:alert(4)"
            found["favicon"] = 'https://evil.example/"><script>alert(5)</script>'
        if isinstance(found.get("location"), dict):
            found["location"]["value"] = f"javascript:alert(6)//{_HOSTILE}"
        if "ics_url" in found:
            found["ics_url"] = "javascript:alert(7)"
    return document


def long_texts(document: Any, now: float, *, length: int = 300) -> Any:
    """Send very long names: without a space, right-to-left, and emoji."""
    for index, found in enumerate(objects(document)):
        for name in ("name", "service_name", "displayName"):
            if isinstance(found.get(name), str):
                found[name] = ("W" * length, "שלום عالم " * (length // 10), "👩🏽‍🦱💇" * (length // 6))[index % 3]
    return document


def terms_changed(
    document: Any,
    now: float,
    *,
    price: float | None = 99.0,
    currency: str = "USD",
    duration: int | None = None,
) -> Any:
    """Change the price, and with `duration` (minutes) also the length, of every service."""
    for found in objects(document):
        # Only services have this field.
        if "isBookablePublic" in found:
            found |= {"price": price, "currency": currency}
            found["duration"] = duration or found["duration"]
        if duration and "duration_minutes" in found:
            found["duration_minutes"] = duration
    return document


def org_renamed(document: Any, now: float, *, name: str = "Acme Hair & Co.", slug: str | None = None) -> Any:
    """Change the name, and with `slug` also the slug, of the organization."""
    for found in objects(document):
        # Only organizations have this field.
        if "branding" in found:
            found |= {"name": name, "slug": slug or found["slug"]}
        if "organization_name" in found:
            found["organization_name"] = name
        if slug and "organization_slug" in found:
            found["organization_slug"] = slug
    return document


def no_number(document: Any, now: float) -> Any:
    """Leave the confirmation number out of a booking."""
    for found in objects(document):
        found.pop("confirmation_number", None)
    return document


def no_status(document: Any, now: float) -> Any:
    """Leave the status out of a booking."""
    for found in objects(document):
        if "confirmation_number" in found:
            found.pop("status", None)
    return document


def not_public(document: Any, now: float, *, service: str = "*") -> Any:
    """List the service with this slug, or all services, as not bookable in public."""
    for found in objects(document):
        if "isBookablePublic" in found and service in ("*", found["slug"]):
            found["isBookablePublic"] = False
    return document


def other_booking(document: Any, now: float) -> Any:
    """Answer about something else: a booking with another number, service and time; another service, and its slots."""
    for found in objects(document):
        if "confirmation_number" in found:
            found |= {
                "id": "book_other",
                "confirmation_number": "BOOK_OTHER",
                "service_name": "Something else",
            }
            # A day later.
            found |= {name: utc(stamp(found[name]) + 86400) for name in ("start_at", "end_at")}
            if "service_slug" in found:
                found |= {"service_id": "something-else", "service_slug": "something-else"}
        if "serviceId" in found:
            found["serviceId"] = "something-else"
        if "isBookablePublic" in found:
            found |= {"key": "something-else", "slug": "something-else"}
    return document


def other_org(document: Any, now: float) -> Any:
    """Answer about another organization."""
    return org_renamed(document, now, name="Somebody Else Ltd.", slug="somebody-else")


DISTORTIONS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        unknown_values,
        hostile,
        long_texts,
        terms_changed,
        org_renamed,
        no_number,
        no_status,
        not_public,
        other_booking,
        other_org,
    )
}
