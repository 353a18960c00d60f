"""Services, free times and bookings for the site's own code: a view, a task, a command, a telephone system.

The functions do what the JSON API does, without HTTP: they read what the pages have cached, with the priority of a
background refresh, and place bookings as the contact form does. docs/python-api.md has an example of each.

With several accounts, `account` is the name of one. Import this module where apps are ready: in a view, a task or a
command, never in a settings file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.db import router, transaction
from django.utils import translation

from kordless_booking import conf
from kordless_booking.api.deadline import deadline
from kordless_booking.models import BookingAttempt
from kordless_booking.presentation.locales import best_supported_language
from kordless_booking.presentation.timezones import business_timezone, canonical_timezone, get_timezone
from kordless_booking.upstream.window import bookable_days
from kordless_booking.views import program_bookings
from kordless_booking.views.program_bookings import Result
from kordless_booking.views.program_reads import (
    MAX_DAYS,
    BookLinks,
    TimesQuery,
    bookable_services,
    build_local_request,
    read_as_program,
    read_times,
)

if TYPE_CHECKING:
    from kordless_booking.api.resources import Service
    from kordless_booking.views.request import WidgetRequest

__all__ = ["FreeTime", "Result", "follow_booking", "list_services", "next_times", "place_booking"]

_FIRST_YEAR: Final = 2
_LAST_YEAR: Final = 9998
"""Years in which each time has a date in each time zone: beyond them, Python raises OverflowError."""


@dataclass(frozen=True, kw_only=True)
class FreeTime:
    """Time that can be booked."""

    start: datetime
    """In the zone that was asked for, as is `end`. Give both to `place_booking` as they are."""
    end: datetime
    hosts: Mapping[str, str | None]
    """Names of those who are free then, by their ids; empty where the business decides who comes."""
    seats: int
    """Seats that are free."""
    book_url: str
    """Absolute URL of the widget's form for this time, for a person to confirm it."""


def list_services(*, account: str = "", language: str = "") -> tuple[Service, ...]:
    """Return the services that the public can book, in the business's order.

    Raises `exceptions.KordlessError` where they aren't cached and Kordless can't be asked.
    """
    with _open_request(account, language) as visit, read_as_program(visit):
        return bookable_services(visit.catalog.organization().value)


def next_times(
    service: str,
    count: int = 3,
    *,
    after: datetime | None = None,
    timezone: str = "",
    party: int = 1,
    host: str | None = None,
    team: str | None = None,
    account: str = "",
    language: str = "",
) -> tuple[FreeTime, ...]:
    """Return the next free times of a service, at most `count`, as far ahead as it can be booked.

    `after` is an aware datetime, now without it; `timezone` an IANA name, the business's own without it. Needs
    SITE_URL. Raises ValueError for an unknown time zone and a naive `after`, `exceptions.NotFound` for a service that
    can't be booked, and another `exceptions.KordlessError` where Kordless can't be asked.
    """
    if after is not None and after.tzinfo is None:
        raise ValueError("after is naive: give it a time zone")
    if after is not None and not _FIRST_YEAR <= after.year <= _LAST_YEAR:
        raise ValueError("after is out of range")
    if timezone and canonical_timezone(timezone) is None:
        raise ValueError(f"unknown time zone {timezone!r}: use an IANA name such as Europe/Paris")
    with _open_request(account, language, has_links=True) as visit, read_as_program(visit):
        detail = visit.bookable_service(service)
        name = canonical_timezone(timezone) if timezone else business_timezone(detail.calendar.timezone)
        zone = get_timezone(name or "UTC")
        today = visit.now.astimezone(zone).date()
        last = today + timedelta(days=bookable_days(detail.calendar.booking_window_days))
        first = max(today, after.astimezone(zone).date()) if after else today
        found: list[FreeTime] = []
        while first <= last and len(found) < count:
            until = min(last, first + timedelta(days=MAX_DAYS - 1))
            query = TimesQuery(first=first, last=until, zone=zone.key, party=party, host=host, team=team)
            links = BookLinks(visit, service, query)
            answer = read_times(visit, detail, query)
            found += [
                FreeTime(
                    start=time.local_start,
                    end=time.local_end,
                    hosts={slot.host.id: slot.host.name for slot in time.slots if slot.host is not None},
                    seats=time.free,
                    book_url=links.link_to(time.start, time.end),
                )
                for time in answer.times
                if after is None or time.start > after
            ]
            first = answer.last + timedelta(days=1)
        return tuple(found[:count])


def place_booking(
    *,
    key: str,
    service: str,
    start: datetime,
    end: datetime,
    timezone: str,
    contact: Mapping[str, str],
    party: int = 1,
    host: str | None = None,
    team: str | None = None,
    notes: str = "",
    answers: Mapping[str, Any] | None = None,
    guests: tuple[str, ...] = (),
    consents: Mapping[str, str] | None = None,
    account: str = "",
    language: str = "",
) -> Result:
    """Book a time at most once under `key`, or return the outcome of the booking that has the key.

    `key` is 8 to 128 visible ASCII characters, such as a UUID: a new one for each booking that a customer wants, stored
    before the call, and the same one for each repetition. `start` and `end` are those of a `FreeTime`, `timezone` is
    the customer's. `contact` has `name`, or `first_name` and `last_name`, and `email` or `phone`; `consents` the
    version of the text that the customer has agreed to, by the name of the consent. All is validated as in the contact
    form.

    Needs SITE_URL. Raises ValueError for a key, time or zone that can't be used, `exceptions.KordlessError` where the
    service can't be read, and RuntimeError inside of a transaction: a row that is rolled back guards nothing.
    """
    usable, zone = program_bookings.parse_key(key), canonical_timezone(timezone)
    if usable is None:
        raise ValueError("the key has 8 to 128 visible ASCII characters, such as a UUID")
    if zone is None:
        raise ValueError(f"unknown time zone {timezone!r}: use an IANA name such as Europe/Paris")
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError("start or end is naive: use those of a free time")
    if not all(_FIRST_YEAR <= each.year <= _LAST_YEAR for each in (start, end)):
        raise ValueError("start or end is out of range: use those of a free time")
    order = program_bookings.Order(
        service=service,
        start=start,
        end=end,
        timezone=zone,
        party=party,
        host=host,
        team=team,
        contact=contact,
        notes=notes,
        answers=answers or {},
        guests=guests,
        consents=consents or {},
    )
    with _open_for_writing(account, language) as visit:
        return program_bookings.place_order(visit, order, usable)


def follow_booking(token: str, *, account: str = "", language: str = "") -> Result:
    """Return the outcome of a booking that was pending, by `Result.token`, and send it again when that is due.

    Needs SITE_URL. Raises RuntimeError inside of a transaction.
    """
    with _open_for_writing(account, language) as visit:
        return program_bookings.follow_up(visit, token)


@contextmanager
def _open_request(account: str, language: str, *, has_links: bool = False) -> Iterator[WidgetRequest]:
    """Yield a request of this process itself, with its language active. Raises ImproperlyConfigured."""
    found = conf.get_account(account or None)
    if account not in {"", found.name}:
        raise ImproperlyConfigured(f"KORDLESS_BOOKING has no account {account!r}: its account is {found.name!r}.")
    if has_links and not found.site_url:
        raise ImproperlyConfigured('Set "SITE_URL" in KORDLESS_BOOKING: links begin with it.')
    visit = build_local_request(found, language=best_supported_language(language) or "" if language else "")
    with translation.override(visit.language):
        yield visit


@contextmanager
def _open_for_writing(account: str, language: str) -> Iterator[WidgetRequest]:
    """Yield a request outside of any transaction, under the deadline of a booking."""
    # Raises in a transaction of the caller's, but not in that of a TestCase.
    with transaction.atomic(using=router.db_for_write(BookingAttempt), durable=True):
        pass
    with _open_request(account, language, has_links=True) as visit, deadline(visit.account.booking_seconds):
        yield visit
