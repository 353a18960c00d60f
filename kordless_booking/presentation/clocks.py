"""Clocks of an appointment: which one counts, and what a page says about the other one.

Where the customer travels to the business, the business's clock counts: they will be there. Where nobody travels (by
phone, by video), the customer's own counts and is the only one. Where Kordless says neither (`custom`, a type that it
may add, no location at all), the customer's own counts, and the business's is told as well, since they may have to go
there. The clock that counts always comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final

import msgspec
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from . import formatting, timezone_search, timezones

if TYPE_CHECKING:
    from kordless_booking.api.resources import Location


_NOWHERE: Final = frozenset({"phone", "meet_url"})
"""Types of a location that nobody travels to."""


class PlaceClock(msgspec.Struct, frozen=True):
    """Clock of the business, where a customer has to know it."""

    zone: str
    """IANA name."""
    counts: bool
    """The customer travels there, so this clock comes before their own."""


class ShownClocks(msgspec.Struct, frozen=True):
    """Clocks of a page of times: one per time, and the other one a link away."""

    shown: str
    """Zone of the times and dates on the page."""
    visitor: str
    """The visitor's zone, as far as it is known."""
    other: str | None
    """The other zone: the visitor's or the business's. None where there is only one. Both may show the same time."""
    follows_visitor: bool
    """Another zone of the visitor's would change the times on the page."""


def place_clock(location: Location | None, business_zone: str | None) -> PlaceClock | None:
    """Return the business's clock; None for a phone or video call, and where the business's zone isn't known."""
    kind = location.type if location else ""
    zone = None if kind in _NOWHERE else timezones.business_timezone(business_zone)
    return PlaceClock(zone, counts=kind == "onsite") if zone else None


def shown_clocks(visitor: str, place: PlaceClock | None, *, chosen: str | None = None) -> ShownClocks:
    """Return the clocks of a page of times. `chosen`: "visitor" or "business" where the visitor prefers one."""
    if place is None:
        return ShownClocks(visitor, visitor, None, follows_visitor=True)
    shows_place = chosen == "business" if chosen else place.counts
    shown, other = (place.zone, visitor) if shows_place else (visitor, place.zone)
    return ShownClocks(shown, visitor, other if other != shown else None, follows_visitor=not shows_place)


def clock_difference(moments: Sequence[datetime], zone: str, other: str) -> timedelta | None:
    """Return how far the clock of `other` is ahead of the one of `zone` at these moments (negative: behind).

    `moments` are those of about a day, in order. None where the difference changes between them, because one of the two
    clocks is set forward or back.
    """
    here, there = timezones.get_timezone(zone), timezones.get_timezone(other)
    first, last = moments[0], moments[-1]
    difference = _offset(first, there) - _offset(first, here)
    # No clock is set twice within a day, so it says the same at all moments between two at which it does.
    if first == last or (_offset(last, here) == _offset(first, here) and _offset(last, there) == _offset(first, there)):
        return difference
    found = {_offset(moment, there) - _offset(moment, here) for moment in moments}
    return difference if len(found) == 1 else None


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def clock_city(zone: str, language: str, moment: datetime) -> str:
    """Return the city that a clock is named after; its offset at a moment where it has none."""
    if zone.startswith("Etc/"):
        return timezones.offset_text(moment.astimezone(timezones.get_timezone(zone)), language)
    return timezone_search.city_name(zone, language)


def clock_text(
    city: str,
    language: str,
    difference: timedelta | None = None,
    *,
    other_city: str = "",
    is_visitors: bool = False,
) -> str:
    """Return the sentence that says by which clock the times are, and how far the other one is from it.

    `difference` is that of `clock_difference`; None or zero says nothing of the other clock. `is_visitors`: the other
    clock is known to be the visitor's, so the sentence says "you" and not its city.
    """
    minutes = round(abs(difference).total_seconds() / 60) if difference else 0
    hours, rest = divmod(minutes, 60)
    if not difference or not minutes:
        # Translators: which clock the times are by, such as "Times in New York."
        return _("Times in %(city)s.") % {"city": city}
    duration = formatting.duration(minutes, language) if rest else ""
    values = {"city": city, "other": other_city, "hours": hours, "duration": duration}
    if is_visitors:
        return _visitors_text(ahead=difference > timedelta(), hours=hours, whole=not rest) % values
    return _others_text(ahead=difference > timedelta(), hours=hours, whole=not rest) % values


def _visitors_text(*, ahead: bool, hours: int, whole: bool) -> str:
    if not whole:
        if ahead:
            # Translators: the visitor's clock is ahead of that of the city. duration is such as "5 hr 30 min".
            return _("Times in %(city)s. You’re %(duration)s ahead.")
        # Translators: the visitor's clock is behind that of the city. duration is such as "3 hr 30 min".
        return _("Times in %(city)s. You’re %(duration)s behind.")
    if ahead:
        # Translators: the visitor's clock is ahead of that of the city.
        return ngettext(
            "Times in %(city)s. You’re %(hours)s hour ahead.",
            "Times in %(city)s. You’re %(hours)s hours ahead.",
            hours,
        )
    # Translators: the visitor's clock is behind that of the city.
    return ngettext(
        "Times in %(city)s. You’re %(hours)s hour behind.",
        "Times in %(city)s. You’re %(hours)s hours behind.",
        hours,
    )


def _others_text(*, ahead: bool, hours: int, whole: bool) -> str:
    if not whole:
        if ahead:
            # Translators: city and other are cities; duration is such as "5 hr 30 min".
            return _("Times in %(city)s. It’s %(duration)s later in %(other)s.")
        # Translators: city and other are cities; duration is such as "5 hr 30 min".
        return _("Times in %(city)s. It’s %(duration)s earlier in %(other)s.")
    if ahead:
        # Translators: city and other are cities.
        return ngettext(
            "Times in %(city)s. It’s %(hours)s hour later in %(other)s.",
            "Times in %(city)s. It’s %(hours)s hours later in %(other)s.",
            hours,
        )
    # Translators: city and other are cities.
    return ngettext(
        "Times in %(city)s. It’s %(hours)s hour earlier in %(other)s.",
        "Times in %(city)s. It’s %(hours)s hours earlier in %(other)s.",
        hours,
    )
