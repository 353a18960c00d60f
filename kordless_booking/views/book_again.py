"""Link to book the same again some weeks later: same service, host, party, weekday and time of day.

It leads to the page of times of that day, which then offers the free times nearest to the usual one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from django.utils.translation import pgettext

from kordless_booking.limits import MAX_WINDOW_DAYS
from kordless_booking.presentation import formatting
from kordless_booking.presentation.timezones import business_timezone, get_timezone
from kordless_booking.upstream.window import bookable_days
from kordless_booking.views.cells import format_start, parse_start
from kordless_booking.views.slot_reading import read_clocks

if TYPE_CHECKING:
    from kordless_booking.api.resources import ServiceDetail
    from kordless_booking.booking.choices import Choices
    from kordless_booking.booking.terms import Terms
    from kordless_booking.views.request import WidgetRequest


def book_again_link(
    visit: WidgetRequest, terms: Terms, detail: ServiceDetail | None, choices: Choices
) -> dict[str, str] | None:
    """Return URL and label of the link to book the same some weeks later; None where it can't be booked so far ahead.

    `detail` is the service as it is offered now, if it is; `choices` those that the link carries on.
    """
    if detail is None or not detail.service.bookable:
        return None
    weeks = visit.account.service_settings(detail.service.slug).book_again_weeks
    if not weeks:
        return None
    # By the business's clock: its weeks are those in which hosts work, also where its clocks change and others don't.
    zone = get_timezone(business_timezone(detail.calendar.timezone) or terms.timezone)
    start = same_time_later(terms.start, timedelta(weeks=weeks), zone, visit.now)
    if start is None or start - visit.now > timedelta(days=bookable_days(detail.calendar.booking_window_days)):
        return None
    choices = terms.choices_to_book_again(choices)
    shown = start.astimezone(get_timezone(read_clocks(visit.with_choices(choices), detail).shown))
    url = visit.links.service_url(
        "slots", detail.service.slug, choices.replace(day=shown.date()), **{"from": format_start(start)}
    )
    # Translators: date is that of the new appointment, such as "Tue, Dec 29".
    label = pgettext("button", "Book again: %(date)s")
    return {"url": url, "label": label % {"date": formatting.short_day(shown, visit.language)}}


def same_time_later(start: datetime, period: timedelta, zone: tzinfo, now: datetime) -> datetime | None:
    """Return the same local time one period later, or as many as lead into the future; None after the year 9999.

    `period` is some weeks, so the weekday is the same as well. UTC.
    """
    count = max(1, (now - start) // period + 1)
    try:
        later = start.astimezone(zone).replace(tzinfo=None) + count * period
        return later.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return None


def parse_usual_time(visit: WidgetRequest) -> datetime | None:
    """Return the start in the query of such a link; None for anything that nobody can book."""
    start = parse_start(visit.query.get("from", ""))
    is_ahead = start is not None and visit.now < start < visit.now + timedelta(days=MAX_WINDOW_DAYS)
    return start if is_ahead else None
