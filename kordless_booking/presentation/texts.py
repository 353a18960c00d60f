"""Texts about bookings, places and times, as plain strings. Pages and mails share them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, get_language_bidi, ngettext, pgettext
from django.utils.translation import gettext as _

from kordless_booking.api.resources import (
    Booking,
    CancellationPolicy,
    Location,
    Organization,
    Price,
    PriceKind,
    ServiceDetail,
)
from kordless_booking.normalization import JOINERS
from kordless_booking.presentation import formatting, safe_links, timezone_search, timezones
from kordless_booking.presentation.clocks import PlaceClock, clock_city, place_clock
from kordless_booking.presentation.locales import DEFAULT

if TYPE_CHECKING:
    from kordless_booking.presentation.formatting import Hours

_MAX_NOTICE_MINUTES: Final = 366 * 24 * 60
"""Bookings are made for the coming months: a longer notice could never be given."""


MAX_UNFOLDED_CHARS: Final = 300
"""Characters of a text that needs no folding: a paragraph."""
MAX_UNFOLDED_LINES: Final = 8
"""Lines of such a text."""
_FOLDED_START_CHARS: Final = 240
"""Characters of a folded text's start. Less than the limit: a rest of a few words isn't worth a click."""
_FOLDED_START_LINES: Final = 5
"""Lines of a folded text's start."""
_MARKS: Final = frozenset({"Mn", "Mc", "Me", "Cf", "Sk"})
"""Unicode categories of what belongs to the character before it."""
_SHORT_PLACE_COLUMNS: Final = 32
"""Columns of a place in short: about half a line of a phone. Most streets with their number have fewer."""
_SHORTEST_PLACE_COLUMNS: Final = 6
"""Columns below which the beginning of an address is a mere number."""
_ADDRESS_PARTS: Final = re.compile("[\n\r\u2028\u2029,\u060c\u3001\uff0c;]+")
"""End of a part of an address: of a line, or a comma of any script."""


class FoldedText(msgspec.Struct, frozen=True):
    """Text of the business's as a page shows it: its start, and the rest behind a disclosure."""

    start: str
    rest: str
    """ "" for a text that is short enough."""


_PHONE: Final = re.compile(r"\+?[\d ().\-/]{5,40}(?:(?:;ext=|\s?(?:ext\.?|x))\s?\d{1,9})?")
"""Text that is a phone number and nothing else. The business may also have written a sentence."""


@dataclass(frozen=True)
class LocationText:
    """Location of a booking, in words."""

    text: str
    url: str | None
    """Safe to link to, or None."""
    kind: str
    """One of the types that Kordless documents: "onsite", "phone", "meet_url", "custom"."""

    @property
    def folded(self) -> FoldedText:
        """The text, folded where it is long."""
        return fold_long_text(self.text)


class ShortPlace(msgspec.Struct, frozen=True):
    """Place of an appointment in a few words."""

    text: str
    icon: str
    """Name for parts/icon.html: "pin", "phone" or "video"."""


@dataclass(frozen=True)
class DisplayTimes:
    """Time of a booking in words, by the clock that counts and, where it shows another time, by the other one.

    See `presentation.clocks`: for somebody who comes to the business, `when` is by the business's clock and `other` by
    the customer's; where it isn't known whether they come, it is the other way round.
    """

    when: str
    """Date, start and end by the clock that counts."""
    zone: str
    """The zone of `when`: its city and offset."""
    timezone: str
    """IANA name of the zone of `when`."""
    other: str = ""
    """The same time by the other clock, with its date where that is another one; "" where one clock is enough."""
    other_zone: str = ""
    """The zone of `other`; "" where that is empty."""
    is_visitors: bool = True
    """False where nobody knows the visitor's zone: no text says "your time"."""
    names_other: bool = False
    """`other` doesn't say itself whose clock it is by, so `line` names its zone."""

    @property
    def line(self) -> str:
        """All times in one line, without the zones that their texts tell apart."""
        if not self.other:
            return self.when
        other = formatting.time_in_zone(self.other, self.other_zone) if self.names_other else self.other
        return f"{self.when}{formatting.DOT}{other}"


@dataclass(frozen=True)
class StatusTexts:
    """Texts for the status of a booking."""

    headline: str
    lead: str
    status: str


_MAX_TOGETHER: Final = 20
"""Characters of words beside a time that fit into one line everywhere."""


def fold_long_text(text: str) -> FoldedText:
    """Fold a text of more than `MAX_UNFOLDED_CHARS` characters or `MAX_UNFOLDED_LINES` lines, between two words.

    Nothing is lost but the space between start and rest.
    """
    text = text.strip()
    if len(text) <= MAX_UNFOLDED_CHARS and text.count("\n") < MAX_UNFOLDED_LINES:
        return FoldedText(text, "")
    end = len("\n".join(text[:_FOLDED_START_CHARS].split("\n")[:_FOLDED_START_LINES]))
    if end == _FOLDED_START_CHARS:
        # 40: the longest words. Chinese and Japanese write no spaces, and may be cut between any two characters.
        space = max(text.rfind(each, end - 40, end + 1) for each in " \n\t\u3000")
        end = space if space > 0 else _after_marks(text, end)
    return FoldedText(text[:end].rstrip(), text[end:].lstrip())


def _after_marks(text: str, end: int) -> int:
    """Return `end`, or the end of the character there, when it consists of several code points.

    Looks at 20 code points at most: more are no writing.
    """
    for position in range(end, min(end + 20, len(text) - 1)):
        # Marks, joiners and the skin tones of emoji (Sk) belong to what is before them, and so does what is joined.
        if unicodedata.category(text[position]) not in _MARKS and text[position - 1] != "\u200d":
            return position
    return end


def business_name(organization: Organization) -> str:
    """Return the name that the business calls itself by; its slug when it has none."""
    return (organization.branding.company_name or organization.name).strip() or organization.slug


def format_range(start: datetime, end: datetime, zone_name: str, language: str, hours: Hours | None = None) -> str:
    """Format the full date, the start and the end in a zone, and the date of the end where that is another one."""
    zone = timezones.get_timezone(zone_name)
    local, until = start.astimezone(zone), end.astimezone(zone)
    if end <= start:
        # Kordless's bookings aren't ours to correct, but an end that is none isn't shown.
        return formatting.date_and_time(local, language, hours)
    if formatting.shows_end_date(local, until):
        return formatting.date_and_time_range(local, until, language, hours)
    return _("%(date)s, %(times)s") % {
        "date": formatting.full_date(local.date(), language),
        "times": formatting.time_range(local, until, language, hours),
    }


def format_short(start: datetime, end: datetime, zone_name: str, language: str, hours: Hours | None = None) -> str:
    """Format a short date and the start in a zone, and the end only where that is on another date."""
    zone = timezones.get_timezone(zone_name)
    local, until = start.astimezone(zone), end.astimezone(zone)
    when = formatting.short_date_and_time(local, language, hours)
    if end <= start or not formatting.shows_end_date(local, until):
        return when
    return formatting.join_range(when, formatting.short_date_and_time(until, language, hours), language)


def format_timezone(zone_name: str, language: str, moment: datetime) -> str:
    """Format the zone's city and its offset at a moment."""
    local = moment.astimezone(timezones.get_timezone(zone_name))
    # An offset is no city, and its name has the opposite sign: Etc/GMT-2 is GMT+2.
    if zone_name.startswith("Etc/"):
        return timezones.offset_text(local, language)
    city = timezone_search.city_name(zone_name, language)
    return f"{city}{formatting.DOT}{timezones.offset_text(local, language)}"


def booking_location(booking: Booking, detail: ServiceDetail | None) -> Location | None:
    """Return the booking's own location, else that of its service (`detail`), as far as it is known."""
    return booking.location or (detail.calendar.location if detail else None)


def booking_place_clock(booking: Booking, detail: ServiceDetail | None) -> PlaceClock | None:
    """Return the business's clock where the customer of this booking has to know it, as `place_clock` does."""
    return place_clock(booking_location(booking, detail), detail.calendar.timezone if detail else None)


def display_times(
    start: datetime,
    end: datetime,
    zone_name: str,
    place: PlaceClock | None,
    language: str,
    hours: Hours | None = None,
    *,
    is_visitors: bool = True,
) -> DisplayTimes:
    """Return the time of a booking in words, by the clock that counts first and by the other one where it differs.

    `zone_name` is the customer's zone, `place` the business's clock from `place_clock`. `is_visitors` is False where
    `zone_name` may be another zone than the visitor's.
    """

    def offset(zone: str) -> timedelta | None:
        return start.astimezone(timezones.get_timezone(zone)).utcoffset()

    # By offset, not by name: Paris and Berlin show the same time.
    if place is None or offset(place.zone) == offset(zone_name):
        return DisplayTimes(
            format_range(start, end, zone_name, language, hours),
            format_timezone(zone_name, language, start),
            zone_name,
        )
    for_you = _keep_words_together(_("%(when)s your time")) if is_visitors else "%(when)s"
    if place.counts:
        local = _keep_words_together(_("%(when)s local time"))
        first, first_text, second, second_text = place.zone, local, zone_name, for_you
    else:
        first, first_text, second, second_text = zone_name, for_you, place.zone, "%(when)s"
    own = _format_second_range(start, end, first, second, language, hours)
    return DisplayTimes(
        first_text % {"when": format_range(start, end, first, language, hours)},
        format_timezone(first, language, start),
        first,
        second_text % {"when": own},
        format_timezone(second, language, start),
        is_visitors,
        names_other=second_text == "%(when)s",
    )


def short_times(
    start: datetime, end: datetime, zone_name: str, place: PlaceClock | None, language: str, hours: Hours | None = None
) -> list[str]:
    """Return the start of a booking in a short line; in one for each clock where the customer travels to another one.

    The end is added from 24 hours on: shorter ones are known by their start. The clock that counts comes first. `place`
    is the business's clock from `place_clock`.
    """
    is_long = end - start >= timedelta(days=1)

    def short(zone: str) -> str:
        first, last = (
            formatting.short_date_and_time(moment.astimezone(timezones.get_timezone(zone)), language, hours)
            for moment in (start, end)
        )
        return formatting.join_range(first, last, language) if is_long else first

    here = start.astimezone(timezones.get_timezone(zone_name))
    there = start.astimezone(timezones.get_timezone(place.zone)) if place else here
    if place is None or there.utcoffset() == here.utcoffset():
        return [short(zone_name)]
    if not place.counts:
        return [_("%(when)s your time") % {"when": short(zone_name)}]
    same_date = here.date() == there.date() and not is_long
    own = formatting.clock_time(here, language, hours) if same_date else short(zone_name)
    return [_("%(when)s local time") % {"when": short(place.zone)}, _("%(when)s your time") % {"when": own}]


def _keep_words_together(text: str) -> str:
    """Return a text around a time with its few words on one line, so that none of them stands alone below the time."""
    return "%(when)s".join(
        part.replace(words, words.replace(" ", "\xa0"))
        if (words := part.strip()) and len(words) <= _MAX_TOGETHER
        else part
        for part in text.split("%(when)s")
    )


def _format_second_range(
    start: datetime, end: datetime, first: str, second: str, language: str, hours: Hours | None
) -> str:
    """Format start and end in the zone `second`, with the date unless it is the one in the zone `first`."""
    there = start.astimezone(timezones.get_timezone(first))
    here, until = (moment.astimezone(timezones.get_timezone(second)) for moment in (start, end))
    if start < end and here.date() == there.date() and not formatting.shows_end_date(here, until):
        return formatting.time_range(here, until, language, hours)
    return format_range(start, end, second, language, hours)


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
            # Translators: place of an appointment; the number is the business's, such as +1 212-555-0123
            said = (
                _("By phone: %(number)s") % {"number": formatting.phone_number(text, get_language() or "en")}
                if _PHONE.fullmatch(text)
                else text
            )
            return LocationText(said or _("By phone: we will call you"), url, "phone")
        case "meet_url":
            url = safe_links.safe_url(text)
            # A text that is no safe URL may still explain how to join, so it is shown as text.
            return LocationText(pgettext("label", "Video call") if url or not text else text, url, "meet_url")
    return LocationText(text, safe_links.safe_url(text), "custom") if text else None


def short_place(location: Location | None) -> ShortPlace | None:
    """Return the place in a few words, for where there is little room; None where nothing is known.

    Of an address only its beginning, of a number or a link none: the summary has all of it.
    """
    text = (location.value or "").strip() if location else ""
    match location.type if location else "":
        case "phone":
            return ShortPlace(pgettext("label", "By phone"), "phone")
        case "meet_url":
            return ShortPlace(pgettext("label", "Video call"), "video")
    short = "" if safe_links.safe_url(text) else _beginning_of_address(text)
    return ShortPlace(short, "pin") if short else None


def _beginning_of_address(text: str) -> str:
    """Return the beginning of an address, such as "123 Main Street": one line of `_SHORT_PLACE_COLUMNS` at most."""
    first, *others = [part for each in _ADDRESS_PARTS.split(text[:1000]) if (part := " ".join(each.split()))] or [""]
    # A house number alone says nothing: "12, Rue de la Paix".
    if others and text_columns(first) < _SHORTEST_PLACE_COLUMNS:
        first = f"{first}, {others[0]}"
    if text_columns(first) <= _SHORT_PLACE_COLUMNS:
        return first
    end = next(end for end in range(len(first), 0, -1) if text_columns(first[:end]) < _SHORT_PLACE_COLUMNS)
    # At a space, where one is near.
    space = first.rfind(" ", end * 2 // 3, end + 1)
    return f"{first[: space if space > 0 else before_marks(first, end)].rstrip()}…"


def text_columns(text: str) -> int:
    """Return the width of a text in columns of Latin letters: Chinese and Japanese ones take two."""
    return sum(2 if unicodedata.east_asian_width(character) in {"F", "W"} else 1 for character in text)


def before_marks(text: str, end: int) -> int:
    """Return `end`, or the beginning of the character there, when it consists of several code points; at least 1."""
    while end > 1 and (unicodedata.category(text[end]) in _MARKS or text[end - 1] in JOINERS):
        end -= 1
    return end


def notice_minutes(policy: CancellationPolicy | None) -> int:
    """Return the business's notice period in minutes; 0 for none, and for one that only a mistake can be."""
    minutes = round(policy.notice_hours * 60) if policy and policy.notice_hours else 0
    return minutes if 0 < minutes <= _MAX_NOTICE_MINUTES else 0


def change_deadline(policy: CancellationPolicy | None, start: datetime) -> datetime | None:
    """Return the moment (UTC) up to which an appointment at `start` can be changed; None without a sensible notice."""
    minutes = notice_minutes(policy)
    # Counted in UTC: a notice of 24 hours has 24 hours also where clocks change in between.
    return start.astimezone(UTC) - timedelta(minutes=minutes) if minutes else None


def changeable_until(
    policy: CancellationPolicy | None,
    start: datetime,
    now: datetime,
    clocks: DisplayTimes,
    language: str,
    hours: Hours | None = None,
) -> str:
    """Say until when an appointment can be changed or canceled; "" without a sensible notice, and when it has passed.

    By the clock that `clocks`, the appointment's times on the same page, show first. Its city is named where they show
    two, its offset where this clock shows that time twice.
    """
    deadline = change_deadline(policy, start)
    if deadline is None or deadline < now:
        return ""
    local = deadline.astimezone(timezones.get_timezone(clocks.timezone))
    when = formatting.date_and_time(local, language, hours)
    if timezones.is_ambiguous(local):
        when = formatting.time_in_zone(when, format_timezone(clocks.timezone, language, local))
    elif clocks.other:
        when = formatting.time_in_zone(when, clock_city(clocks.timezone, language, local))
    # Translators: %(when)s is such as "Monday, December 7, 2026, 10:00 AM".
    return _("You can change or cancel until %(when)s.") % {"when": when}


def short_notice(policy: CancellationPolicy | None) -> str:
    """Return until when one can cancel, in a few words; "" where Kordless has no sensible notice in hours."""
    minutes = notice_minutes(policy)
    if not minutes:
        return ""
    hours, rest = divmod(minutes, 60)
    if rest:
        # Translators: until when an appointment can be canceled; %(duration)s is such as "30 min" or "1 hr 30 min".
        text = _("Cancel up to %(duration)s before")
        return text % {"duration": formatting.duration(minutes, get_language() or DEFAULT)}
    # Translators: until when an appointment can be canceled.
    return ngettext("Cancel up to %(hours)s hour before", "Cancel up to %(hours)s hours before", hours) % {
        "hours": hours
    }


def policy_text(policy: CancellationPolicy | None, *, says_until: bool = False) -> str:
    """Return the business's own policy text, or its notice period in a sentence of ours; "" for neither.

    With `says_until`, a sentence beside it already says until when, and only the business's own text is returned.
    """
    if policy is None:
        return ""
    if policy.text and policy.text.strip():
        return policy.text.strip()
    minutes = notice_minutes(policy)
    if not minutes or says_until:
        return ""
    hours, rest = divmod(minutes, 60)
    if rest:
        # Translators: %(duration)s is such as "30 min" or "1 hr 30 min".
        text = _("Please cancel at least %(duration)s in advance.")
        return text % {"duration": formatting.duration(minutes, get_language() or DEFAULT)}
    return ngettext(
        "Please cancel at least %(hours)s hour in advance.",
        "Please cancel at least %(hours)s hours in advance.",
        hours,
    ) % {"hours": hours}


def price_text(price: Price, party: int, price_per: str, language: str) -> str:
    """Return the price of a service as a party of this size has to read it; "" when nothing sensible is known.

    `price_per` is the setting: "booking", "person", or "" where nobody knows which of both the listed price is for.
    """
    listed = formatting.money(price, language)
    if not listed or party <= 1 or price_per == "booking" or price.kind is not PriceKind.FIXED or price.amount is None:
        return listed
    if price_per == "person":
        # Of the exact amount, not of what is shown: three times 33.336 is 100.01, not 100.02.
        total = formatting.money(msgspec.structs.replace(price, amount=price.amount * party), language)
        if total:
            # Translators: such as "$30.00 per person, $90.00 in total".
            return _("%(price)s per person, %(total)s in total") % {"price": listed, "total": total}
    # Translators: stands beside a party of several people, where it isn't known whether the price is for each or all.
    return _("%(price)s (listed price)") % {"price": listed}


def provider_text(host_name: str | None, team_name: str | None) -> str:
    """Return the names of host and team, as in "Sarah (Hair team)"; one of them alone, or "" for neither."""
    if host_name and team_name:
        # Translators: a person and the team that the person works in.
        return _("%(name)s (%(team)s)") % {"name": host_name, "team": team_name}
    return host_name or team_name or ""


def party_text(party: int) -> str:
    """Return "3 people"; "" for one, which needs no mention."""
    return ngettext("%(count)s person", "%(count)s people", party) % {"count": party} if party > 1 else ""


def status_texts(status: str) -> StatusTexts:
    """Return the texts for a booking's status. Only a confirmed booking is called confirmed."""
    match status:
        case "confirmed":
            return StatusTexts(
                pgettext("heading", "You’re booked"), _("Your booking is confirmed."), pgettext("status", "Confirmed")
            )
        case "pending":
            return StatusTexts(
                pgettext("heading", "Request sent"),
                _("Your booking still has to be accepted. We’ll let you know."),
                pgettext("status", "Awaiting confirmation"),
            )
        case "canceled":
            return StatusTexts(
                pgettext("heading", "Booking canceled"),
                _("This booking has been canceled."),
                pgettext("status", "Canceled"),
            )
    # Of a status that Kordless may add, its own word is shown. Whatever it is, the booking exists.
    return StatusTexts(pgettext("heading", "Your booking"), _("Your booking has been received."), _own_status(status))


def _own_status(status: str) -> str:
    """Return what a status is called that isn't documented. Other booking systems have the two that are translated."""
    match status.replace("-", "_"):
        case "completed":
            return pgettext("status", "Completed")
        case "no_show":
            # Translators: the customer didn't come.
            return pgettext("status", "Missed")
    return status.replace("_", " ")


def mailed_text(email: str) -> str:
    """Say that the details of a booking were sent to an email address, which is masked."""
    # Translators: %(email)s is a masked email address, such as "a…@example.com".
    return _("We’ve sent the details to %(email)s.") % {"email": _masked_in_line(email)}


def texted_text(phone: str) -> str:
    """Say that a message with the link to a booking was sent to a phone, whose number is masked."""
    # Translators: %(phone)s is the end of a phone number, such as "…47". The link in the message opens the booking.
    return _("We’ve sent a text message with your link to %(phone)s.") % {"phone": _masked_in_line(phone)}


def _masked_in_line(contact: str) -> str:
    """Return a masked contact for a sentence."""
    # A line would break behind the ellipsis.
    shown = mask_contact(contact).replace("…", "…\u2060")
    # In a line of right-to-left letters its parts would change places.
    return f"\u2066{shown}\u2069" if get_language_bidi() else shown


def mask_contact(contact: str) -> str:
    """Return an email address or a phone number so that its owner knows it again, and nobody else learns it."""
    before, at, domain = contact.rpartition("@")
    if at:
        return f"{before[:1]}…@{domain}"
    return f"…{contact[-2:]}" if len(contact) > 4 else "…" if contact else ""


def whole_with_dot(text: str, part: str) -> SafeString:
    """Put a part of a text into an element that moves to the next line as a whole, with a dot that follows it.

    The part may be a placeholder of `views.skeletons`, so nothing is read from it.
    """
    before, found, after = conditional_escape(text).partition(conditional_escape(part))
    if not found:
        return mark_safe(before)  # noqa: S308 (escaped)
    # Beside the element a line could break even at a no-break space.
    dot = formatting.DOT.rstrip() if after.startswith(" \xb7 ") else ""
    after = after.removeprefix(" \xb7") if dot else after
    return mark_safe(f'{before}<span class="kb-whole">{found}{dot}</span>{after}')  # noqa: S308 (escaped)


_NO_BREAKS: Final = ("\xa0", "\u202f")
_AFTER_DASH: Final = re.compile("(?<=[\xa0\u202f][\u2013\u2014~]) ")
"""Place at which `formatting.join_range` lets a range with two dates break."""


def whole(text: str) -> SafeString:
    """Put what `presentation.formatting` keeps on one line into elements that move to the next line as a whole.

    Only in one that is wider than the page, where text is twice as large, a line breaks, and then between two words: at
    no-break spaces it would break within one. Those become plain spaces, so that a copied text has them. A range with
    two dates breaks behind its dash before it breaks anywhere else.
    """
    ends = [
        " ".join([_piece(piece) for piece in end.split(" ")])
        for end in _AFTER_DASH.split(conditional_escape(text), maxsplit=1)
    ]
    html = ends[0] if len(ends) == 1 else " ".join([f'<span class="kb-end">{end}</span>' for end in ends])
    return mark_safe(html)  # noqa: S308 (escaped)


def _piece(piece: str) -> str:
    if not any(space in piece for space in _NO_BREAKS):
        return piece
    for space in _NO_BREAKS:
        piece = piece.replace(space, " ")
    return f'<span class="kb-whole">{piece}</span>'
