"""Answers to words: the URL of the page of times, or of the list of services, that shows what was understood.

Nothing of the words is in it: dates, times, ids of the offer, and two marks of this app. `understood=partly` says that
a part was not; `alternative` has the days and times of the next reading, where there are two.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from kordless_booking.booking.choices import Choices, to_quarter
from kordless_booking.booking.requested_days import RequestedDays
from kordless_booking.limits import MAX_PARTY_SIZE
from kordless_booking.views.slot_page import describe_days, describe_time_of_day

if TYPE_CHECKING:
    from kordless_booking.contrib.assistant.grammar import Offer, TimeQuery
    from kordless_booking.hooks import SlotContext
    from kordless_booking.views.request import WidgetRequest

PARTIAL: Final = "understood"
PARTIAL_PATTERN: Final = re.compile("partly")
ALTERNATIVE: Final = "alternative"
ALTERNATIVE_PATTERN: Final = re.compile(r"([0-9]{8})?-([0-9]{8})?-([0-9]{4})?-([0-9]{4})?", re.ASCII)


def build_answer_url(visit: WidgetRequest, query: TimeQuery, offer: Offer, service: str) -> str:
    """Return the URL that shows what was understood. `service` is the slug of the page that was asked on, or ""."""
    choices, requested = _limits(visit.choices, query, offer)
    if query.host or query.team:
        choices = choices.replace(host_id=query.host, team_id=None if query.host else query.team)
    if query.party:
        choices = choices.replace(party_size=min(query.party, MAX_PARTY_SIZE))
    more = dict(requested.query_items())
    if query.unparsed:
        more[PARTIAL] = "partly"
    other = next((each for each in query.alternatives if _differs(each, query)), None)
    if other:
        more[ALTERNATIVE] = _format_alternative(other)
    if slug := query.service or service:
        return visit.links.service_url("slots", slug, choices, **more)
    return visit.links.url("services", choices=choices, **more)


def parse_alternative(slot: SlotContext) -> dict[str, str] | None:
    """Return URL and label of the link to the other reading; None where there is none."""
    found = ALTERNATIVE_PATTERN.fullmatch(slot.query.get(ALTERNATIVE, ""))
    if found is None or slot.here is None:
        return None
    try:
        first, last = (_parse_day(text) for text in found.groups()[:2])
        after, before = (_parse_time(text) for text in found.groups()[2:])
    except ValueError:
        return None
    choices = slot.choices.replace(month=None, day=first, after=after, before=before if before != after else None)
    days = describe_days(first, last, slot.language) if first else ""
    reading = ", ".join(filter(None, (days, describe_time_of_day(choices, slot.language))))
    if not reading:
        return None
    # Translators: a link, where words have two meanings. reading is a day, a time of day or both, such as
    # "Tuesday, December 15, after 3:00 AM".
    label = _("Or did you mean %(reading)s?") % {"reading": reading}
    return {"url": slot.here(choices, **dict(RequestedDays(last).query_items())), "label": label}


def _limits(choices: Choices, query: TimeQuery, offer: Offer) -> tuple[Choices, RequestedDays]:
    """Return the choices and the span of a reading. An open end is that of the window."""
    first, last = query.first, query.last
    if offer.window and last is None and (first or query.excluded_weekdays):
        last = max(offer.window[1], first) if first else None
    if offer.window and first is None and last is not None:
        first = min(offer.window[0], last)
    after, before = _quarters(query)
    choices = choices.replace(month=None, day=first, after=after, before=before)
    return choices, RequestedDays(last, query.excluded_weekdays)


def _quarters(query: TimeQuery) -> tuple[time | None, time | None]:
    after = to_quarter(query.after) if query.after else None
    before = to_quarter(query.before, round_up=True) if query.before else None
    return after, before if before != after else None


def _differs(one: TimeQuery, other: TimeQuery) -> bool:
    return (one.first, one.last, *_quarters(one)) != (other.first, other.last, *_quarters(other))


def _format_alternative(query: TimeQuery) -> str:
    days = [f"{day:%Y%m%d}" if day else "" for day in (query.first, query.last)]
    times = [f"{moment:%H%M}" if moment else "" for moment in _quarters(query)]
    return "-".join([*days, *times])


def _parse_day(text: str | None) -> date | None:
    if not text:
        return None
    found = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    if not 1970 <= found.year <= 9000:
        raise ValueError("no year of a calendar")
    return found


def _parse_time(text: str | None) -> time | None:
    return to_quarter(time(int(text[:2]), int(text[2:]))) if text else None
