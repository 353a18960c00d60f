"""Calendar event of a booking: an iCalendar file (RFC 5545) with one event, and links to calendars on the web.

A page's file has no METHOD, because each method makes it a scheduling message, which needs an ORGANIZER with an email
address (RFC 5546, 3.2): strict calendars refuse one without. It has a CONTACT only, and a canceled booking has
STATUS:CANCELLED and a higher SEQUENCE. A mail's file has an organizer as well, and may publish or cancel. Titles,
places and texts are hostile: control characters never reach the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote, urlencode

from django.utils.translation import gettext as _

from kordless_booking.api.resources import Booking
from kordless_booking.lazy_imports import LazyModule
from kordless_booking.normalization import visible_text
from kordless_booking.presentation.safe_links import safe_url
from kordless_booking.presentation.texts import describe_location, status_texts
from kordless_booking.presentation.timezones import canonical_timezone, get_timezone
from kordless_booking.presentation.vtimezone import zone_rules

if TYPE_CHECKING:
    import icalendar

    from kordless_booking.api.resources import Location
else:
    icalendar = LazyModule("icalendar")

_PRODUCT = "-//kordless-booking//kordless-booking//EN"
# Written as UTC with a "Z": no VTIMEZONE needed.
_UTC_NAMES = ("UTC", "Etc/GMT")
# Octets before percent-encoding, which may triple them: calendars refuse links of more than about 8,000.
_SHORT, _LONG = 300, 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEvent:
    """Calendar event, for the file and the links. Not an invitation: METHOD:PUBLISH invites nobody.

    Raises ValueError for naive times, for a `uid` without a single usable character, and for a method without an
    organizer.
    """

    uid: str
    """The same for all versions of a booking."""
    title: str
    start: datetime
    """Aware, as is `end`."""
    end: datetime
    timezone: str = "UTC"
    """IANA zone in which the times are written."""
    location: Location | None = None
    organizer_name: str = ""
    organizer_email: str = ""
    """For mails only; required for a method."""
    attendee_email: str = ""
    """For METHOD:CANCEL only."""
    description: str = ""
    link_text: str = ""
    """Last lines of the description, with `url` in them. The rest is shortened where all is too long, never these."""
    url: str | None = None
    """Leads to the booking."""
    sequence: int = 0
    """Grows with each version."""
    status: Literal["CONFIRMED", "TENTATIVE", "CANCELLED"] = "CONFIRMED"
    method: Literal["", "PUBLISH", "CANCEL"] = ""
    """For mails only."""

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("start and end must be aware")
        if not _visible_ascii(self.uid):
            raise ValueError("a calendar entry needs a uid")
        if self.method and not self.organizer_email:
            raise ValueError("only an organizer can publish or cancel")

    def __repr__(self) -> str:
        # The title and the uid are personal, and a repr may get into a log.
        return f"Invite(…, {self.start.isoformat()}, {self.status!r})"


@cache
def _text_class() -> type[icalendar.vText]:
    # In a function, because the class needs its base, which is imported with the first calendar file.
    class Text(icalendar.vText):
        r"""Text that is escaped by RFC 5545, 3.3.11. icalendar writes the two characters `\N` as a line break."""

        def to_ical(self) -> bytes:
            escaped = self.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
            return escaped.replace("\r\n", "\\n").replace("\r", "\\n").replace("\n", "\\n").encode()

    return Text


def calendar_file(invite: CalendarEvent, *, now: datetime | None = None) -> bytes:
    """Return the .ics file: UTF-8, CRLF, no line over 75 octets. Serve it as `text/calendar; charset=utf-8`.

    Times carry their zone, and the file that zone's rules (VTIMEZONE). An unknown zone gives UTC. So does the second of
    two ambiguous local times, because a local time in iCalendar always means the first. `now` (aware, the current time
    by default) is the DTSTAMP.
    """
    stamp = (now or datetime.now(UTC)).astimezone(UTC)
    event = icalendar.Event()
    event.add("uid", _visible_ascii(invite.uid))
    event.add("dtstamp", stamp)
    event.add("last-modified", stamp)
    event.add("sequence", max(invite.sequence, 0))
    event.add("status", invite.status)
    event.add("transp", "TRANSPARENT" if invite.status == "CANCELLED" else "OPAQUE")
    event.add("summary", _text_class()(_one_line(invite.title)))
    optional = {
        "description": _description(invite),
        "location": _location_text(invite),
        "contact": _one_line(invite.organizer_name),
        "url": safe_url(invite.url),
    }
    for name, text in optional.items():
        if text:
            event.add(name, _text_class()(text))
    if invite.organizer_email:
        organizer = icalendar.vCalAddress(f"mailto:{_visible_ascii(invite.organizer_email)}")
        # A parameter value can't contain a double quote, not even escaped (RFC 5545, 3.2).
        if name := _one_line(invite.organizer_name).replace('"', ""):
            organizer.params["cn"] = icalendar.vText(name)
        event.add("organizer", organizer)
    # An address with other letters has no spelling that every calendar knows.
    if invite.attendee_email and invite.attendee_email.isascii():
        address = quote(_visible_ascii(invite.attendee_email), safe="@+'")
        event.add("attendee", icalendar.vCalAddress(f"mailto:{address}"))
    calendar = icalendar.Calendar()
    for name, value in (
        ("prodid", _PRODUCT),
        ("version", "2.0"),
        ("calscale", "GREGORIAN"),
        ("method", invite.method),
    ):
        if value:
            calendar.add(name, value)
    start, end, rules = _when(invite)
    event.add("dtstart", start)
    if invite.start < invite.end:
        # RFC 5545 (3.8.2.2) forbids any other end; without one the event ends when it starts.
        event.add("dtend", end)
    if rules is not None:
        calendar.add_component(rules)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def google_link(invite: CalendarEvent) -> str:
    """Return a link that opens Google Calendar with the event filled in."""
    return "https://calendar.google.com/calendar/render?" + _query(
        action="TEMPLATE",
        text=_truncate(_one_line(invite.title)),
        dates=f"{_basic(invite.start)}/{_basic(invite.end)}",
        details=_description(invite, _LONG),
        location=_truncate(_location_text(invite)),
        ctz=canonical_timezone(invite.timezone) or "",
    )


def outlook_link(invite: CalendarEvent) -> str:
    """Return a link that opens Outlook on the web with the event filled in.

    This is the address for personal accounts, which most customers have; Outlook at work takes the file.
    """
    return "https://outlook.live.com/calendar/0/deeplink/compose?" + _query(
        path="/calendar/action/compose",
        rru="addevent",
        subject=_truncate(_one_line(invite.title)),
        startdt=_extended(invite.start),
        enddt=_extended(invite.end),
        body=_description(invite, _LONG),
        location=_truncate(_location_text(invite)),
    )


def yahoo_link(invite: CalendarEvent) -> str:
    """Return a link that opens Yahoo Calendar with the event filled in."""
    return "https://calendar.yahoo.com/?" + _query(
        v="60",
        title=_truncate(_one_line(invite.title)),
        st=_basic(invite.start),
        et=_basic(invite.end),
        desc=_description(invite, _LONG),
        in_loc=_truncate(_location_text(invite)),
    )


def _when(invite: CalendarEvent) -> tuple[datetime, datetime, icalendar.Timezone | None]:
    """Return start and end as they are written, and the rules of their zone when they are local."""
    start, end = invite.start.astimezone(UTC), invite.end.astimezone(UTC)
    place = canonical_timezone(invite.timezone)
    if place is None or place in _UTC_NAMES:
        return start, end, None
    try:
        local_start, local_end = start.astimezone(get_timezone(place)), end.astimezone(get_timezone(place))
        rules = zone_rules(place, start, end)
    except OverflowError:
        return start, end, None
    # A local time in iCalendar always means the first of two, so the second can only be written as UTC.
    if local_start.fold or local_end.fold:
        return start, end, None
    return local_start, local_end, rules


def _description(invite: CalendarEvent, octets: int | None = None) -> str:
    """Return the description with the link at its end, of so many octets at most."""
    text, link = _strip_controls(invite.description), _strip_controls(invite.link_text)
    if octets is not None:
        if len(link.encode()) > octets:
            # A link can't be shortened.
            link = ""
        text = _truncate(text, octets - len(link.encode()))
    return "\n\n".join(filter(None, [text, link]))


def _location_text(invite: CalendarEvent) -> str:
    location = invite.location
    if location is None or not location.value:
        return ""
    if location.type == "phone":
        # In the active language, which is the customer's: a bare number wouldn't say what it is for.
        place = describe_location(location)
        return _strip_controls(place.text) if place else ""
    if location.type == "meet_url":
        return safe_url(location.value) or ""
    return _strip_controls(location.value).strip()


def _visible_ascii(uid: str) -> str:
    # Visible ASCII only, for UIDs and addresses: nothing here needs escaping.
    return re.sub(r"[^\x21-\x7e]", "", uid)


def _strip_controls(text: str) -> str:
    """Return a text with its line breaks, without control characters and those that don't show."""
    return visible_text(text, multiline=True).replace("\t", "")


def _one_line(text: str) -> str:
    return _strip_controls(text).replace("\n", "")


def _truncate(text: str, octets: int = _SHORT) -> str:
    whole = text.encode()
    # Cut by octets, which may split a character: `ignore` drops its rest.
    return text if len(whole) <= octets else whole[:octets].decode(errors="ignore") + "\u2026"


def _query(**values: str) -> str:
    return urlencode({name: value for name, value in values.items() if value}, quote_via=quote, safe="")


def _basic(moment: datetime) -> str:
    # ISO 8601 basic format, as the links of Google and Yahoo write it. Outlook's use the extended format.
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _extended(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_STATUS: Final[Mapping[str, Literal["CONFIRMED", "CANCELLED"]]] = {"confirmed": "CONFIRMED", "canceled": "CANCELLED"}


def event_for_booking(
    booking: Booking,
    *,
    org_slug: str,
    title: str,
    business: str,
    host: str = "",
    team: str = "",
    party: str = "",
    url: str | None = None,
    **more: Any,
) -> CalendarEvent:
    """Return the calendar event of a booking, described in the active language.

    `title` is the name of the service. `host`, `team` and `party` are "" where they aren't known, `url` leads to the
    manage page. `more` is passed to `CalendarEvent` as it is: zone, location, sequence, …
    """
    is_canceled = booking.status == "canceled"
    lines = [
        status_texts(booking.status).lead if is_canceled else "",
        # Translators: a line in a calendar entry.
        _("Service: %(name)s") % {"name": _one_line(title)},
        # Translators: a line in a calendar entry, with the name of a person.
        _("With: %(name)s") % {"name": _one_line(host)} if host else "",
        # Translators: a line in a calendar entry, with the name of a group of people.
        _("Team: %(name)s") % {"name": _one_line(team)} if team else "",
        party,
        # Translators: a line in a calendar entry.
        _("Confirmation number: %(number)s") % {"number": booking.confirmation_number},
    ]
    # Translators: a line at the end of a calendar entry, with a link below it.
    invitation = _("Change or cancel your booking here:")
    # The link stands on a line of its own: in a right-to-left sentence its slashes would change sides.
    link_text = "" if is_canceled or not url else f"{invitation}\n{url}"
    return CalendarEvent(
        # Kordless's numbers are case-insensitive: however it is spelled, one booking has one UID. Percent-encoded, so
        # that two numbers that differ in other characters than visible ASCII differ here too.
        uid=f"{quote(booking.confirmation_number.lower(), safe='')}@{org_slug or 'sandbox'}.kordless.ai",
        title=f"{title} · {business}" if business else title,
        start=booking.start,
        end=booking.end,
        organizer_name=business,
        description="\n".join(filter(None, lines)),
        link_text=link_text,
        url=url,
        # "pending", and any status that Kordless may add: nothing unconfirmed must look confirmed.
        status=_STATUS.get(booking.status, "TENTATIVE"),
        **more,
    )
