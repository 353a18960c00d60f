"""Texts that templates show about bookings, services and places, in the visitor's language, as plain strings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from kordless_booking.api.resources import CalendarSettings, Service
from kordless_booking.presentation import formatting, texts
from kordless_booking.presentation.clocks import PlaceClock
from kordless_booking.presentation.texts import DisplayTimes, FoldedText, ShortPlace
from kordless_booking.views.skeletons import cached_with_language

if TYPE_CHECKING:
    from kordless_booking.views.request import WidgetRequest


class ServiceCard(msgspec.Struct, frozen=True):
    """Service as a list of services shows it."""

    name: str
    description: str
    duration: str
    price: str
    folded_description: FoldedText
    """The description, folded where it is long."""
    url: str = ""
    place: ShortPlace | None = None
    """Where it takes place, in a few words; None where that isn't known."""
    notice: str = ""
    """Until when it can be canceled, in a few words; "" where that isn't known."""
    metadata_json: str = "{}"
    """`metadata` as a JSON object."""
    next_free: str = ""
    """The next free time, in words; "" where it isn't known, and without NEXT_FREE."""

    @property
    def metadata(self) -> dict[str, Any]:
        """Data of the business's set-up, for a site's own templates: a copy, since visitors share the card."""
        found: dict[str, Any] = json.loads(self.metadata_json)
        return found


def service_card(
    service: Service,
    language: str,
    url: str = "",
    *,
    party: int = 1,
    price_per: str = "",
    lengths: Sequence[timedelta] = (),
    calendar: CalendarSettings | None = None,
    next_free: str = "",
) -> ServiceCard:
    """Return what templates show of a service. `url` leads to its times.

    `party` is the number of people next to whom the price stands, `price_per` the setting. `lengths` are those of the
    times next to which it stands: they are believed before the service's own, and of several none is said. `calendar`
    has place and notice, as far as they are known. `next_free` is the text of the next free time.
    """
    card = _card(service, calendar, language, party, price_per, tuple(lengths))
    return msgspec.structs.replace(card, url=url, next_free=next_free) if url or next_free else card


@cached_with_language(256)
def _card(
    service: Service,
    calendar: CalendarSettings | None,
    language: str,
    party: int,
    price_per: str,
    lengths: tuple[timedelta, ...],
) -> ServiceCard:
    """Return the card without what differs between visitors of the same language and party."""
    duration = formatting.duration(service.duration_minutes, language) if service.duration_minutes else ""
    if lengths:
        duration = formatting.length_text(lengths[0], language) if len(lengths) == 1 else ""
    return ServiceCard(
        name=service.name,
        description=service.description or "",
        duration=duration,
        price=texts.price_text(service.price, party, price_per, language),
        place=texts.short_place(calendar.location) if calendar else None,
        notice=texts.short_notice(calendar.cancellation_policy) if calendar else "",
        metadata_json=service.metadata_json,
        folded_description=texts.fold_long_text(service.description or ""),
    )


def format_timezone(visit: WidgetRequest, timezone: str, moment: datetime | None = None) -> str:
    """Format the zone's city and its offset at a moment, now by default."""
    return texts.format_timezone(timezone, visit.language, moment or visit.now)


def display_times(
    visit: WidgetRequest,
    start: datetime,
    end: datetime,
    timezone: str,
    place: PlaceClock | None,
    *,
    is_visitors: bool = True,
) -> DisplayTimes:
    """Return the time of a booking in words, by the clock that counts first.

    `place` is the business's clock from `place_clock`. `is_visitors` is False where `timezone` may be another zone than
    the visitor's.
    """
    language, hours = visit.language, visit.choices.hours
    return texts.display_times(start, end, timezone, place, language, hours, is_visitors=is_visitors)
