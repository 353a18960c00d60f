"""A booking as an entry in the visitor's own calendar: a file, and links to the calendars on the web.

The file is iCalendar (RFC 5545) with one event. From a page it says METHOD:PUBLISH for a cancelled booking too, with
STATUS:CANCELLED and a higher SEQUENCE: METHOD:CANCEL belongs to what is sent from one to another, and has an ORGANIZER,
who has an e-mail address. So a page's file has a CONTACT alone; a mail's has an organizer as well, and may cancel.
Titles, places and texts are hostile: control characters never get through.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode

from icalendar import Calendar, Event, vCalAddress, vText

from .web_links import map_link, phone_link, safe_web_link
from .zone_names import known_zone, zone
from .zone_rules import zone_rules

if TYPE_CHECKING:
    from icalendar import Timezone

    from kordless_booking.api.resources import Location

__all__ = [
    "Invite",
    "calendar_file",
    "google_link",
    "map_link",
    "outlook_link",
    "phone_link",
    "safe_web_link",
    "yahoo_link",
]

_PRODUCT = "-//kordless-booking//kordless-booking//EN"
_UTC_NAMES = ("UTC", "Etc/GMT")
# In octets before quoting, which makes three of each: calendars refuse links of more than some 8,000.
_SHORT, _LONG = 300, 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """What a calendar entry says. `start` and `end` are aware; `zone` is the IANA zone they are written in.

    `uid` stays the same for all versions of a booking and `sequence` grows with each. `url` leads to the
    booking. `organizer_email` is for mails, and what METHOD:CANCEL needs. Raises ValueError for naive times, for a
    uid without a single usable character, and for a CANCEL without an organizer.
    """

    uid: str
    title: str
    start: datetime
    end: datetime
    zone: str = "UTC"
    location: Location | None = None
    organizer_name: str = ""
    organizer_email: str = ""
    description: str = ""
    url: str | None = None
    sequence: int = 0
    status: Literal["CONFIRMED", "TENTATIVE", "CANCELLED"] = "CONFIRMED"
    method: Literal["PUBLISH", "CANCEL"] = "PUBLISH"

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("start and end must be aware")
        if not _plain(self.uid):
            raise ValueError("a calendar entry needs a uid")
        if self.method == "CANCEL" and not self.organizer_email:
            raise ValueError("only an organizer can cancel")

    def __repr__(self) -> str:
        return f"Invite(…, {self.start.isoformat()}, {self.status!r})"


def calendar_file(invite: Invite, *, now: datetime | None = None) -> bytes:
    """The .ics: UTF-8, CRLF, no line over 75 octets. Serve it as `text/calendar; charset=utf-8`.

    Times carry their zone, and the file that zone's rules; an unknown zone gives UTC, and so does the second
    of two equal clock times, because a local time in iCalendar always means the first. `now` (aware) is the
    DTSTAMP: this moment by default.
    """
    stamp = (now or datetime.now(UTC)).astimezone(UTC)
    event = Event()
    event.add("uid", _plain(invite.uid))
    event.add("dtstamp", stamp)
    event.add("last-modified", stamp)
    event.add("sequence", max(invite.sequence, 0))
    event.add("status", invite.status)
    event.add("transp", "TRANSPARENT" if invite.status == "CANCELLED" else "OPAQUE")
    event.add("summary", _one_line(invite.title))
    optional = {
        "description": _lines(invite.description),
        "location": _place(invite),
        "contact": _one_line(invite.organizer_name),
        "url": safe_web_link(invite.url),
    }
    for name, text in optional.items():
        if text:
            event.add(name, text)
    if invite.organizer_email:
        organizer = vCalAddress(f"mailto:{_plain(invite.organizer_email)}")
        if name := _one_line(invite.organizer_name).replace('"', ""):
            organizer.params["cn"] = vText(name)
        event.add("organizer", organizer)
    calendar = Calendar()
    for name, value in (
        ("prodid", _PRODUCT),
        ("version", "2.0"),
        ("calscale", "GREGORIAN"),
        ("method", invite.method),
    ):
        calendar.add(name, value)
    start, end, rules = _when(invite)
    event.add("dtstart", start)
    event.add("dtend", end)
    if rules is not None:
        calendar.add_component(rules)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def google_link(invite: Invite) -> str:
    """A link that opens Google Calendar with the entry filled in."""
    return "https://calendar.google.com/calendar/render?" + _query(
        action="TEMPLATE",
        text=_short(_one_line(invite.title)),
        dates=f"{_basic(invite.start)}/{_basic(invite.end)}",
        details=_short(_lines(invite.description), _LONG),
        location=_short(_place(invite)),
        ctz=known_zone(invite.zone) or "",
    )


def outlook_link(invite: Invite) -> str:
    """A link that opens Outlook on the web with the entry filled in.

    The address for personal accounts, which customers mostly have; Outlook at work takes the file.
    """
    return "https://outlook.live.com/calendar/0/deeplink/compose?" + _query(
        path="/calendar/action/compose",
        rru="addevent",
        subject=_short(_one_line(invite.title)),
        startdt=_extended(invite.start),
        enddt=_extended(invite.end),
        body=_short(_lines(invite.description), _LONG),
        location=_short(_place(invite)),
    )


def yahoo_link(invite: Invite) -> str:
    """A link that opens Yahoo Calendar with the entry filled in."""
    return "https://calendar.yahoo.com/?" + _query(
        v="60",
        title=_short(_one_line(invite.title)),
        st=_basic(invite.start),
        et=_basic(invite.end),
        desc=_short(_lines(invite.description), _LONG),
        in_loc=_short(_place(invite)),
    )


def _when(invite: Invite) -> tuple[datetime, datetime, Timezone | None]:
    """Start and end as they are written, and the rules of their zone when they are local."""
    start, end = invite.start.astimezone(UTC), invite.end.astimezone(UTC)
    place = known_zone(invite.zone)
    if place is None or place in _UTC_NAMES:
        return start, end, None
    try:
        local_start, local_end = start.astimezone(zone(place)), end.astimezone(zone(place))
        rules = zone_rules(place, start, end)
    except OverflowError:
        return start, end, None
    if local_start.fold or local_end.fold:
        return start, end, None
    return local_start, local_end, rules


def _place(invite: Invite) -> str:
    location = invite.location
    if location is None or not location.value:
        return ""
    if location.type == "meet_url":
        return safe_web_link(location.value) or ""
    return _lines(location.value).strip()


def _plain(uid: str) -> str:
    return re.sub(r"[^\x21-\x7e]", "", uid)


def _lines(text: str) -> str:
    """A text with its lines, without any other control character and without lone surrogates."""
    lines = re.sub("\r\n|[\r\v\f\x85\u2028\u2029]", "\n", text)
    return "".join(c for c in lines if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs"))


def _one_line(text: str) -> str:
    return _lines(text).replace("\n", "")


def _short(text: str, octets: int = _SHORT) -> str:
    whole = text.encode()
    return text if len(whole) <= octets else whole[:octets].decode(errors="ignore") + "\u2026"


def _query(**values: str) -> str:
    return urlencode({name: value for name, value in values.items() if value}, quote_via=quote, safe="")


def _basic(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _extended(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
