"""The way to a booking and what follows it, on whatever day and at whatever hour it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.booking.availability import WEEKS_SHOWN
from kordless_booking.conf import get_account
from kordless_booking.funnel import counters
from kordless_booking.mail.reminders import queue_reminders
from kordless_booking.models import Appointment, FunnelCount
from kordless_booking.presentation.formatting import months_title
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.window import month_window
from tests.support.mail_reader import sent
from tests.support.parallel_calls import cold_in_rounds
from tests.support.spaces import plain_spaces
from tests.support.visitor import Page, Visitor, start_of

pytestmark = pytest.mark.django_db

ZONES = ("America/New_York", "Europe/Berlin", "UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago")
SERVICE = "color-consultation"
DAY = timedelta(days=1)
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"


def starts(page: Page) -> list[datetime]:
    """The moments of the times on the page."""
    return [start_of(url) for url in page.links(".kb-times a").values() if "start=" in url]


def months(visitor: Visitor, url: str) -> list[Page]:
    """The page of times, and that of each month after it."""
    pages = [visitor.open(url)]
    while further := [node.attributes["href"] or "" for node in pages[-1].tree.css("a[rel~=next]")]:
        pages.append(visitor.open(further[0]))
    return pages


@pytest.mark.parametrize("zone", ["", *ZONES])
def test_the_first_page_shows_the_next_free_times(visitor: Visitor, sandbox: Sandbox, now: datetime, zone: str):
    """Of the first day with a free time, by the clock of the visitor; nothing that is past, and nothing left out."""
    page = visitor.open(f"/book/haircut/?tz={zone}&clock=visitor" if zone else "/book/haircut/")
    wall = ZoneInfo(zone or "America/New_York")
    free = sandbox.free("haircut", now, now + 20 * DAY)
    first = min(start.astimezone(wall).date() for start in free if start > now)
    assert starts(page) == [start for start in free if start.astimezone(wall).date() == first and start > now]
    begin = now.astimezone(wall).date()
    last = begin + timedelta(days=7 * WEEKS_SHOWN - 1 - begin.isoweekday() % 7)
    while first > last:
        begin, last = last + DAY, last + 7 * WEEKS_SHOWN * DAY
    assert page.texts(".kb-month .kb-sub") == [plain_spaces(months_title(begin, last, "en"))]


@pytest.mark.parametrize("zone", ZONES[:2])
def test_all_free_times_are_on_some_page_once(visitor: Visitor, sandbox: Sandbox, now: datetime, zone: str):
    """Over all months that can be booked: no day falls between two months, and none is in both."""
    pages = months(visitor, f"/book/{SERVICE}/?tz={zone}")
    found = [start for page in pages for url in page.days.values() for start in starts(visitor.open(url))]
    [offered] = [each for business in sandbox.businesses if (each := business.service(SERVICE))]
    window = month_window(found[-1].date(), now, offered.window_days)
    assert window is not None
    every = sandbox.free(SERVICE, now, window[1])
    assert found == [start for start in every if now < start < window[1]]


def test_a_cold_page_waits_for_kordless_once(visitor: Visitor, site: Settings, sandbox: Sandbox):
    """For business, service and the near days, which hold the next month too when little is left of this one."""
    with cold_in_rounds(site, sandbox, 3):
        assert starts(visitor.open("/book/haircut/"))


def test_booked_moved_and_canceled(visitor: Visitor, sandbox: Sandbox, now: datetime):
    """The booking has the chosen moment, as do confirmation, calendar file, mail and manage page."""
    page = visitor.open(f"/book/{SERVICE}/?tz=Europe/Berlin")
    url = list(page.times.values())[-1]
    form = visitor.open(url)
    done = visitor.send(form, "Book appointment", name="Jane Doe", email="jane@example.com")
    assert done.heading == "You’re booked", done.text
    [booking] = sandbox.bookings()
    assert booking["starts"] == start_of(url).timestamp()
    calendar = Calendar.from_ical(visitor.once(done.link("Apple (.ics)")).response.content)
    [event] = calendar.walk("VEVENT")
    assert event["DTSTART"].dt == start_of(url)
    [letter] = sent()
    assert letter.event["dtstart"].dt == start_of(url)

    own = visitor.open(done.link("Change or cancel"))
    slots = visitor.send(own, "Reschedule")
    later = list(visitor.open(list(slots.days.values())[-1]).times.values())[-1]
    moved = visitor.send(visitor.open(later), "Reschedule")
    assert "Your booking has been rescheduled." in moved.text
    [booking] = sandbox.bookings()
    assert booking["starts"] == start_of(later).timestamp()

    found = visitor.send(visitor.open("/book/manage/"), "Find booking", number=done.number, contact="jane@example.com")
    assert found.heading == "Your booking"
    question = visitor.send(found, "Cancel booking")
    gone = visitor.send(question, "Cancel booking")
    assert gone.heading == "Booking canceled"
    assert [each["status"] for each in sandbox.bookings()] == ["canceled"]


def test_a_reminder_comes_a_day_before(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """By the hours that pass, whatever the clocks on the wall do meanwhile."""
    page = visitor.open("/book/haircut/")
    number = visitor.send(
        visitor.open(list(visitor.open(list(page.days.values())[-1]).times.values())[-1]),
        "Book appointment",
        name="Jane Doe",
        email="jane@example.com",
    ).number
    start = Appointment.objects.get().start
    clock.move_to(start - timedelta(hours=25))
    sandbox.clock.set(start - timedelta(hours=25))
    assert queue_reminders(get_account(None), start - timedelta(hours=25), 20) == 0
    clock.shift(3600)
    assert queue_reminders(get_account(None), start - timedelta(hours=24), 20) == 1
    assert sent()[-1].subject.endswith(": reminder")
    assert number in sent()[-1].words


def test_a_visit_counts_for_the_day_that_it_is_on_site(visitor: Visitor, now: datetime, settings: Settings):
    """Not for the day in UTC, nor where the visitor is."""
    counters.stage_counter.drain()
    visitor.open("/book/haircut/?tz=Pacific/Kiritimati", **{"User-Agent": CHROME})
    assert counters.flush()
    days = set(FunnelCount.objects.values_list("day", flat=True))
    assert days == {now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()}
