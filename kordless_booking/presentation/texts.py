"""Texts about bookings, places and times, as plain strings. Pages and mails share them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kordless_booking.api.resources import CancellationPolicy, Location, Organization
from kordless_booking.presentation import calendar_event, formatting, timezone_search

if TYPE_CHECKING:
    from kordless_booking.presentation.formatting import Hours

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
"""Location types that Kordless documents."""


@dataclass(frozen=True)
class Place:
    """Location of a booking, in words."""

    text: str
    url: str | None
    """Safe to link to, or None."""
    kind: str
    """One of KNOWN_PLACES."""


@dataclass(frozen=True)
class Clocks:
    """Time of a booking in words, in the zone of the venue where that differs from the visitor's."""

    when: str
    """Date, start and end."""
    zone: str
    """The zone of `when`: its city and offset."""
    own: str = ""
    """The same time for the visitor, where they come to a venue in another zone; else ""."""
    own_zone: str = ""
    """The zone of `visitor`; "" where that is empty."""

    @property
    def line(self) -> str:
        """All times in one line, without the zones."""
        return f"{self.when} · {self.own}" if self.own else self.when


@dataclass(frozen=True)
class StatusWords:
    """Texts for the status of a booking."""

    headline: str
    lead: str
    status: str


def business_name(organization: Organization) -> str:
    """Return the name that the business calls itself by; its slug when it has none."""
    return (organization.branding.company_name or organization.name).strip() or organization.slug


def span(start: datetime, end: datetime, zone_name: str, language: str, hours: Hours | None = None) -> str:
    """Format the full date, the start and the end in a zone."""
    zone = timezone_search.zone(zone_name)
    local, until = start.astimezone(zone), end.astimezone(zone)
    return _("%(date)s, %(times)s") % {
        "date": formatting.full_date(local.date(), language),
        "times": formatting.time_range(local, until, language, hours),
    }


def zone_line(zone_name: str, language: str, moment: datetime) -> str:
    """Format the zone's city and its offset at a moment."""
    local = moment.astimezone(timezone_search.zone(zone_name))
    return f"{timezone_search.zone_label(zone_name, language)} · {timezone_search.offset_text(local, language)}"


def site_zone(location: Location | None, business_zone: str | None) -> str | None:
    """Return the time zone of the venue that the visitor comes to.

    None where nobody travels (phone, video call), and where the zone is unknown.
    """
    return timezone_search.known_zone(business_zone) if location and location.type == "onsite" else None


def clocks(
    start: datetime, end: datetime, zone_name: str, site: str | None, language: str, hours: Hours | None = None
) -> Clocks:
    """Return the time of a booking in words.

    `site` is the zone from `venue_timezone`: where its clock shows another time, that time comes first.
    """
    here, zone = start.astimezone(timezone_search.zone(zone_name)), zone_line(zone_name, language, start)
    there = start.astimezone(timezone_search.zone(site)) if site else here
    # By offset, not by name: Paris and Berlin show the same time.
    if site is None or there.utcoffset() == here.utcoffset():
        return Clocks(span(start, end, zone_name, language, hours), zone)
    own = (
        formatting.time_range(here, end.astimezone(here.tzinfo), language, hours)
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
    """Describe where to go, call or click; with a link only where the business's text is a safe one."""
    text = (location.value or "").strip() if location else ""
    if location is None:
        return None
    match location.type:
        case "onsite" if text:
            return Place(text, calendar_event.map_link(text) or None, "onsite")
        case "phone":
            url = calendar_event.phone_link(text) if text else None
            return Place(text or _("By phone: we will call you"), url, "phone")
        case "meet_url":
            url = calendar_event.safe_web_link(text)
            # A text that is no safe URL may still explain how to join, so it is shown as text.
            return Place(_("Video call") if url or not text else text, url, "meet_url")
    return Place(text, calendar_event.safe_web_link(text), "custom") if text else None


def policy_text(policy: CancellationPolicy | None) -> str:
    """Return the business's own policy text, or its notice period in a sentence of ours; "" for neither."""
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
    """Return "3 people"; "" for one, which needs no mention."""
    return ngettext("%(count)s person", "%(count)s people", party) % {"count": party} if party > 1 else ""


def status_words(status: str) -> StatusWords:
    """Return the texts for a booking's status. Only a confirmed booking is called confirmed."""
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
    # A status that Kordless may add is shown as it is.
    return StatusWords(_("Your booking"), "", status)
