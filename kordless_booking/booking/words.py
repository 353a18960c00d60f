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
    "Clocks",
    "Place",
    "StatusWords",
    "business_name",
    "clocks",
    "party_text",
    "place",
    "policy_text",
    "site_zone",
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
class Clocks:
    """When it is: the date and both clock times, and the zone they are in. `own` and `own_zone`: the same for the
    visitor, where they come to a place whose clock shows something else; else "".
    """

    when: str
    zone: str
    own: str = ""
    own_zone: str = ""

    @property
    def line(self) -> str:
        """All clock times in one line, without the zones."""
        return f"{self.when} · {self.own}" if self.own else self.when


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


def site_zone(location: Location | None, business_zone: str | None) -> str | None:
    """The zone of the place that the visitor comes to; None where nobody comes, or where nobody knows it."""
    return zones.known_zone(business_zone) if location and location.type == "onsite" else None


def clocks(
    start: datetime, end: datetime, zone_name: str, site: str | None, language: str, hours: Hours | None = None
) -> Clocks:
    """The time of a booking. `site` is what `site_zone` gave: its clock comes first where it differs."""
    here, zone = start.astimezone(zones.zone(zone_name)), zone_line(zone_name, language, start)
    there = start.astimezone(zones.zone(site)) if site else here
    if site is None or there.utcoffset() == here.utcoffset():
        return Clocks(span(start, end, zone_name, language, hours), zone)
    own = (
        display.time_range(here, end.astimezone(here.tzinfo), language, hours)
        if here.date() == there.date()
        else span(start, end, zone_name, language, hours)
    )
    return Clocks(
        _("%(when)s on site") % {"when": span(start, end, site, language, hours)},
        zone_line(site, language, start),
        _("%(when)s for you") % {"when": own},
        zone,
    )


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
