"""Calendar events of bookings: the .ics file and the links to calendars on the web."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse

from kordless_booking.api.resources import Booking, Location
from kordless_booking.presentation import calendar_event
from kordless_booking.presentation.calendar_event import event_for_booking
from kordless_booking.presentation.texts import party_text
from kordless_booking.urlconf import public_url

if TYPE_CHECKING:
    from kordless_booking.booking.terms import Terms
    from kordless_booking.views.request import WidgetRequest


def calendar_event_for(
    visit: WidgetRequest,
    booking: Booking,
    *,
    timezone: str,
    title: str,
    location: Location | None,
    link: str | None,
    sequence: int = 0,
    terms: Terms | None = None,
) -> calendar_event.CalendarEvent:
    """Return the calendar event of a booking; with the same UID each time, so that calendars update it.

    `link` is the path of its manage page; `terms` are those that it was made with, where they are known.
    """
    organization = visit.organization
    return event_for_booking(
        booking,
        org_slug=visit.account.org_slug,
        title=title,
        business=booking.organization_name or (organization.name if organization else ""),
        timezone=timezone,
        location=location,
        url=public_url(visit.account, visit.request, link) if link else None,
        sequence=sequence,
        host=(terms.host_name or "") if terms else "",
        team=(terms.team_name or "") if terms else "",
        party=party_text(terms.party_size) if terms else "",
    )


def calendar_links(entry: calendar_event.CalendarEvent, ics_url: str) -> dict[str, str]:
    """Return the URLs that add the event to a calendar: the file, and Google's, Outlook's and Yahoo's web pages."""
    return {
        "ics_url": ics_url,
        "google": calendar_event.google_link(entry),
        "outlook": calendar_event.outlook_link(entry),
        "yahoo": calendar_event.yahoo_link(entry),
    }


def calendar_response(entry: calendar_event.CalendarEvent) -> HttpResponse:
    """Return the event as a download, booking.ics."""
    return HttpResponse(
        calendar_event.calendar_file(entry),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="booking.ics"'},
    )
