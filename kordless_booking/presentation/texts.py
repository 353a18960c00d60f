"""Texts about bookings, places and times, as plain strings. Pages and mails share them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from kordless_booking.api.resources import Booking, CancellationPolicy, Location, Organization, ServiceDetail
from kordless_booking.presentation import formatting, safe_links, timezone_search, timezones

if TYPE_CHECKING:
    from kordless_booking.presentation.formatting import Hours


@dataclass(frozen=True)
class LocationText:
    """Location of a booking, in words."""

    text: str
    url: str | None
    """Safe to link to, or None."""
    kind: str
    """One of the types that Kordless documents: "onsite", "phone", "meet_url", "custom"."""


@dataclass(frozen=True)
class DisplayTimes:
    """Time of a booking in words, in the zone of the venue where that differs from the visitor's."""

    when: str
    """Date, start and end."""
    zone: str
    """The zone of `when`: its city and offset."""
    visitor: str = ""
    """The same time for the visitor, where they come to a venue in another zone; else ""."""
    visitor_zone: str = ""
    """The zone of `visitor`; "" where that is empty."""

    @property
    def line(self) -> str:
        """All times in one line, without the zones."""
        return f"{self.when} · {self.visitor}" if self.visitor else self.when


@dataclass(frozen=True)
class StatusTexts:
    """Texts for the status of a booking."""

    headline: str
    lead: str
    status: str


def business_name(organization: Organization) -> str:
    """Return the name that the business calls itself by; its slug when it has none."""
    return (organization.branding.company_name or organization.name).strip() or organization.slug


def format_range(start: datetime, end: datetime, zone_name: str, language: str, hours: Hours | None = None) -> str:
    """Format the full date, the start and the end in a zone."""
    zone = timezones.get_timezone(zone_name)
    local, until = start.astimezone(zone), end.astimezone(zone)
    return _("%(date)s, %(times)s") % {
        "date": formatting.full_date(local.date(), language),
        "times": formatting.time_range(local, until, language, hours),
    }


def format_timezone(zone_name: str, language: str, moment: datetime) -> str:
    """Format the zone's city and its offset at a moment."""
    local = moment.astimezone(timezones.get_timezone(zone_name))
    return f"{timezone_search.city_name(zone_name, language)} · {timezones.offset_text(local, language)}"


def venue_timezone(location: Location | None, business_zone: str | None) -> str | None:
    """Return the time zone of the venue that the visitor comes to.

    None where nobody travels (phone, video call), and where the zone is unknown.
    """
    return timezones.canonical_timezone(business_zone) if location and location.type == "onsite" else None


def booking_location(booking: Booking, detail: ServiceDetail | None) -> Location | None:
    """Return the booking's own location, else that of its service (`detail`), as far as it is known."""
    return booking.location or (detail.calendar.location if detail else None)


def booking_venue_timezone(booking: Booking, detail: ServiceDetail | None) -> str | None:
    """Return the time zone of the venue that the visitor of this booking comes to, as `venue_timezone` does."""
    return venue_timezone(booking_location(booking, detail), detail.calendar.timezone if detail else None)


def display_times(
    start: datetime, end: datetime, zone_name: str, site: str | None, language: str, hours: Hours | None = None
) -> DisplayTimes:
    """Return the time of a booking in words.

    `site` is the zone from `venue_timezone`: where its clock shows another time, that time comes first.
    """
    here, zone = start.astimezone(timezones.get_timezone(zone_name)), format_timezone(zone_name, language, start)
    there = start.astimezone(timezones.get_timezone(site)) if site else here
    # By offset, not by name: Paris and Berlin show the same time.
    if site is None or there.utcoffset() == here.utcoffset():
        return DisplayTimes(format_range(start, end, zone_name, language, hours), zone)
    own = (
        formatting.time_range(here, end.astimezone(here.tzinfo), language, hours)
        if here.date() == there.date()
        else format_range(start, end, zone_name, language, hours)
    )
    return DisplayTimes(
        _("%(when)s on site") % {"when": format_range(start, end, site, language, hours)},
        format_timezone(site, language, start),
        _("%(when)s for you") % {"when": own},
        zone,
    )


def describe_location(location: Location | None) -> LocationText | None:
    """Describe where to go, call or click; with a link only where the business's text is a safe one."""
    text = (location.value or "").strip() if location else ""
    if location is None:
        return None
    match location.type:
        case "onsite" if text:
            return LocationText(text, safe_links.map_link(text) or None, "onsite")
        case "phone":
            url = safe_links.phone_link(text) if text else None
            return LocationText(text or _("By phone: we will call you"), url, "phone")
        case "meet_url":
            url = safe_links.safe_url(text)
            # A text that is no safe URL may still explain how to join, so it is shown as text.
            return LocationText(_("Video call") if url or not text else text, url, "meet_url")
    return LocationText(text, safe_links.safe_url(text), "custom") if text else None


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


def status_texts(status: str) -> StatusTexts:
    """Return the texts for a booking's status. Only a confirmed booking is called confirmed."""
    match status:
        case "confirmed":
            return StatusTexts(_("You're booked"), _("Your booking is confirmed."), _("Confirmed"))
        case "pending":
            return StatusTexts(
                _("Request sent"),
                _("Your booking still has to be accepted. You will hear from us."),
                _("Waiting to be accepted"),
            )
        case "canceled":
            return StatusTexts(_("Booking canceled"), _("This booking has been canceled."), _("Canceled"))
    # A status that Kordless may add is shown as it is.
    return StatusTexts(_("Your booking"), "", status)


def mask_contact(contact: str) -> str:
    """Return an email address or a phone number so that its owner knows it again, and nobody else learns it."""
    before, at, domain = contact.rpartition("@")
    if at:
        return f"{before[:1]}…@{domain}"
    return f"…{contact[-2:]}" if len(contact) > 4 else "…" if contact else ""
