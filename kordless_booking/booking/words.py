"""Bookings and places in the customer's words, on pages and in mails alike, as plain strings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kordless_booking.api.resources import CancellationPolicy, Location, Organization
from kordless_booking.booking import display, invite, zones

if TYPE_CHECKING:
    from kordless_booking.booking.display import Hours

__all__ = [
    "KNOWN_PLACES",
    "Place",
    "StatusWords",
    "business_name",
    "business_span",
    "party_text",
    "place",
    "policy_text",
    "span",
    "status_words",
    "zone_line",
]

KNOWN_PLACES: Final = frozenset({"onsite", "phone", "meet_url", "custom"})


@dataclass(frozen=True)
class Place:
    """Where it happens. `url` is safe to link to, or None; `kind` is one of KNOWN_PLACES."""

    text: str
    url: str | None
    kind: str


@dataclass(frozen=True)
class StatusWords:
    headline: str
    lead: str
    status: str


def business_name(organization: Organization) -> str:
    """What the business calls itself."""
    return (organization.branding.company_name or organization.name).strip() or organization.slug


def span(start: datetime, end: datetime, zone_name: str, language: str, hours: Hours | None = None) -> str:
    """The full date and both clock times in a zone."""
    zone = zones.zone(zone_name)
    local, until = start.astimezone(zone), end.astimezone(zone)
    return _("%(date)s, %(times)s") % {
        "date": display.full_date(local.date(), language),
        "times": display.time_range(local, until, language, hours),
    }


def zone_line(zone_name: str, language: str, moment: datetime) -> str:
    """The zone's city and its offset at a moment."""
    local = moment.astimezone(zones.zone(zone_name))
    return f"{zones.zone_label(zone_name, language)} · {zones.offset_text(local, language)}"


def business_span(
    start: datetime, end: datetime, zone_name: str, business_zone: str | None, language: str, hours: Hours | None = None
) -> str:
    """The business's own clock, when it says something else than the visitor's; else nothing."""
    known = zones.known_zone(business_zone)
    if known is None:
        return ""
    there, here = start.astimezone(zones.zone(known)), start.astimezone(zones.zone(zone_name))
    if there.utcoffset() == here.utcoffset():
        return ""
    until = end.astimezone(zones.zone(known))
    return _("%(date)s, %(times)s (%(zone)s)") % {
        "date": display.full_date(there.date(), language),
        "times": display.time_range(there, until, language, hours),
        "zone": zone_line(known, language, start),
    }


def place(location: Location | None) -> Place | None:
    """Where to go, call or click; a link only where the business's text is a safe one."""
    text = (location.value or "").strip() if location else ""
    if location is None:
        return None
    match location.type:
        case "onsite" if text:
            return Place(text, invite.map_link(text) or None, "onsite")
        case "phone":
            url = invite.phone_link(text) if text else None
            return Place(text or _("By phone: we will call you"), url, "phone")
        case "meet_url":
            url = invite.safe_web_link(text)
            return Place(_("Video call") if url or not text else text, url, "meet_url")
    return Place(text, invite.safe_web_link(text), "custom") if text else None


def policy_text(policy: CancellationPolicy | None) -> str:
    """The business's own words, or its notice in ours."""
    if policy is None:
        return ""
    if policy.text and policy.text.strip():
        return policy.text.strip()
    if policy.notice_hours and policy.notice_hours > 0:
        hours = round(policy.notice_hours)
        return ngettext(
            "Please cancel at least %(hours)s hour before.",
            "Please cancel at least %(hours)s hours before.",
            hours,
        ) % {"hours": hours}
    return ""


def party_text(party: int) -> str:
    """Said only when it is about more than one."""
    return ngettext("%(count)s person", "%(count)s people", party) % {"count": party} if party > 1 else ""


def status_words(status: str) -> StatusWords:
    """A booking's status said plainly: only a confirmed one is called confirmed."""
    match status:
        case "confirmed":
            return StatusWords(_("You're booked"), _("Your booking is confirmed."), _("Confirmed"))
        case "pending":
            return StatusWords(
                _("Request sent"),
                _("Your booking still has to be accepted. You will hear from us."),
                _("Waiting to be accepted"),
            )
        case "canceled":
            return StatusWords(_("Booking canceled"), _("This booking has been canceled."), _("Canceled"))
    return StatusWords(_("Your booking"), "", status)
