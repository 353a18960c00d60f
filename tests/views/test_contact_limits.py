"""Throttle per recipient: one email or phone can't be booked or moved for without end, from whatever address."""

from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from typing import cast

import pytest
import time_machine
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.clock import Clock
from kordless_booking.conf import get_account
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.registry import services_for
from kordless_booking.views.contact_limits import take_contact_permits
from kordless_booking.views.request import WidgetRequest
from tests.support.clock import NOW
from tests.support.received_requests import count_requests
from tests.support.site_cache import empty_cache, use_wall_clock_cache
from tests.support.visitor import JANE, Page, Visitor
from tests.support.wall_clock_cache import WallClockCache

pytestmark = pytest.mark.django_db

PHONE, EMAIL = "+1 212 555 0100", "desk@salon.example"
TOO_MANY = "Many appointments were booked or rescheduled with this email address or phone number."
_houses = count(1)


@pytest.fixture
def limited(site: Settings) -> Settings:
    """Return the settings of a site with the limits of one contact, in the time of the test."""
    services_for(get_account("default")).client.close()
    use_wall_clock_cache(site)
    site.KORDLESS_BOOKING = {
        **site.KORDLESS_BOOKING,
        "BOOKINGS_PER_CONTACT": 5,
        "BOOKINGS_PER_CONTACT_DAILY": 20,
        "SUPPORT_PHONE": PHONE,
        "SUPPORT_EMAIL": EMAIL,
    }
    empty_cache()
    return site


def book(day: int, **answers: str) -> Page:
    """Book a time of a day in December, from an address of its own."""
    visitor = Visitor(Client(REMOTE_ADDR="203.0.{}.{}".format(*divmod(next(_houses), 250))))
    return visitor.send(visitor.choose("haircut", f"?day=2026-12-{day:02}"), "Book appointment", **{**JANE, **answers})


def test_one_contact_is_booked_for_five_times_in_ten_minutes_from_any_addresses(
    limited: Settings, sandbox: Sandbox, clock: Traveller
):
    """The sixth form comes back with everything typed and how to reach the business; others book as ever."""
    spellings = ["jane@example.com", "jane@EXAMPLE.com", " jane@example.com ", "Jane@example.com", "JANE@example.com"]
    assert [book(9, email=email).heading for email in spellings] == 5 * ["You’re booked"]
    page = book(10, notes="By the window")
    assert page.status == 429
    assert int(page.response["Retry-After"]) <= 600
    assert TOO_MANY in page.alert
    assert "in 10 minutes" in page.alert
    assert {f"tel:{PHONE.replace(' ', '')}", f"mailto:{EMAIL}"} <= set(page.hrefs())
    fields = page.form("Book appointment")[2]
    assert {name: fields[name] for name in JANE} == {**JANE, "notes": "By the window"}
    assert count_requests(sandbox, "create") == 5
    assert book(10, email="else@example.com").heading == "You’re booked"
    clock.shift(601)
    assert book(10).heading == "You’re booked"


def test_a_phone_number_counts_in_every_spelling_and_whatever_the_email(limited: Settings, sandbox: Sandbox):
    """Another email each time, and the same phone."""
    for number, phone in enumerate(("+12125550123", "(212) 555-0123", "212.555.0123", "+1 212 555 0123", "2125550123")):
        assert book(9, email=f"guest{number}@example.com", phone=phone).heading == "You’re booked"
    assert book(10, email="guest6@example.com", phone="+1-212-555-0123").status == 429
    assert len(sandbox.bookings()) == 5


def test_one_contact_is_booked_for_twenty_times_a_day(limited: Settings, sandbox: Sandbox, clock: Traveller):
    """However slowly; the wait is told in hours."""
    limited.KORDLESS_BOOKING = {**limited.KORDLESS_BOOKING, "BOOKINGS_PER_CONTACT_DAILY": 6}
    for number in range(6):
        assert book(9 + number // 2).heading == "You’re booked"
        clock.shift(130)
    page = book(14)
    assert page.status == 429
    assert "in 24 hours" in page.alert
    clock.shift(86400)
    assert book(16).heading == "You’re booked"


def test_a_form_that_was_sent_before_is_followed_up_and_not_counted(limited: Settings, sandbox: Sandbox):
    """A reload of the fifth booking's form leads to its confirmation, also when the contact is over the limit."""
    visitor = Visitor(Client())
    for _ in range(4):
        book(9)
    form = visitor.choose("haircut", "?day=2026-12-10")
    assert [visitor.send(form, "Book appointment", **JANE).heading for _ in range(4)] == 4 * ["You’re booked"]
    assert book(10).status == 429
    assert visitor.send(form, "Book appointment", **JANE).heading == "You’re booked"
    assert count_requests(sandbox, "create") == len(sandbox.bookings()) == 5


def test_what_kordless_rejects_is_not_counted(limited: Settings, sandbox: Sandbox):
    """A visitor who meets an outage or loses one time after another may go on."""
    sandbox.faults.add("status", "create", times=7, status=422)
    assert [book(9).status for _ in range(7)] == 7 * [422]
    assert book(9).heading == "You’re booked"


def test_what_is_rejected_on_the_waiting_page_is_not_counted(limited: Settings, sandbox: Sandbox, clock: Traveller):
    """Such a form was held or queued first. Loading its page again gives no permit of another form back."""
    limited.KORDLESS_BOOKING = {**limited.KORDLESS_BOOKING, "MINIMUM_FILL_SECONDS": 5}
    for _ in range(7):
        visitor = Visitor(Client())
        page = visitor.send(visitor.choose("haircut", "?day=2026-12-09"), "Book appointment", **JANE)
        clock.shift(5)
        sandbox.faults.add("status", "create", times=1, status=422)
        assert visitor.open(page.url).number == ""
    pages = []
    for day in (10, 11, 14, 15, 16):
        visitor = Visitor(Client())
        pages.append(
            (visitor, visitor.send(visitor.choose("haircut", f"?day=2026-12-{day}"), "Book appointment", **JANE))
        )
    clock.shift(5)
    sandbox.faults.add("status", "create", times=1, status=422)
    assert [bool(visitor.open(page.url).number) for visitor, page in pages] == [False, *[True] * 4]
    clock.shift(1)
    for visitor, page in pages[:1] * 4:
        visitor.open(page.url)
    limited.KORDLESS_BOOKING = {**limited.KORDLESS_BOOKING, "MINIMUM_FILL_SECONDS": 0}
    assert [book(10).status for _ in range(2)] == [200, 429]


def post_held(day: int, **answers: str) -> tuple[Visitor, Page]:
    """Post the form of a time in December before its minimum fill time, from an address of its own."""
    visitor = Visitor(Client(REMOTE_ADDR="203.0.{}.{}".format(*divmod(next(_houses), 250))))
    form = visitor.choose("haircut", f"?day=2026-12-{day:02}")
    return visitor, visitor.send(form, "Book appointment", **{**JANE, **answers})


def test_held_forms_that_nobody_follows_up_take_no_permit_of_their_contact(
    limited: Settings, sandbox: Sandbox, clock: Traveller
):
    """A script could else keep a stranger from booking; a held form counts once it is sent, and only once."""
    limited.KORDLESS_BOOKING = {**limited.KORDLESS_BOOKING, "MINIMUM_FILL_SECONDS": 5}
    held = [post_held(9 + number % 3) for number in range(7)]
    assert all("will be placed in a moment" in page.text for _visitor, page in held)
    assert sandbox.bookings() == []
    limited.KORDLESS_BOOKING = {**limited.KORDLESS_BOOKING, "MINIMUM_FILL_SECONDS": 0}
    assert [book(14).status for _ in range(4)] == 4 * [200]
    clock.shift(5)
    visitor, page = held[0]
    assert visitor.open(page.url).heading == visitor.open(page.url).heading == "You’re booked"
    assert book(15).status == 429


def test_a_held_form_whose_contact_is_over_the_limit_waits_and_goes_on(
    limited: Settings, sandbox: Sandbox, clock: Traveller
):
    """Its page says so and for how long, and nothing is sent meanwhile, also not when the form is posted again."""
    limited.KORDLESS_BOOKING = {**limited.KORDLESS_BOOKING, "MINIMUM_FILL_SECONDS": 5}
    visitor = Visitor(Client(REMOTE_ADDR="198.51.100.7"))
    form = visitor.choose("haircut", "?day=2026-12-11")
    held = visitor.send(form, "Book appointment", **JANE)
    limited.KORDLESS_BOOKING = {**limited.KORDLESS_BOOKING, "MINIMUM_FILL_SECONDS": 0}
    assert [book(9).status for _ in range(5)] == 5 * [200]
    clock.shift(5)
    page = visitor.open(held.url)
    assert (page.status, page.heading) == (429, "Too many attempts")
    assert TOO_MANY in page.text
    assert 0 < int(page.response["Retry-After"]) <= 600
    assert visitor.send(form, "Book appointment", **JANE).status == 429
    assert count_requests(sandbox, "create") == 5
    clock.shift(601)
    assert visitor.open(held.url).heading == "You’re booked"
    assert len(sandbox.bookings()) == 6


def test_a_held_form_that_was_never_sent_gives_back_no_permit_of_another(
    limited: Settings, sandbox: Sandbox, clock: Traveller
):
    """Its time is gone before it is sent: the permits of the contact are those of the bookings."""
    limited.KORDLESS_BOOKING = {**limited.KORDLESS_BOOKING, "MINIMUM_FILL_SECONDS": 5}
    held = [post_held(day) for day in (9, 10, 11)]
    limited.KORDLESS_BOOKING = {**limited.KORDLESS_BOOKING, "MINIMUM_FILL_SECONDS": 0}
    assert [book(14).status for _ in range(5)] == 5 * [200]
    clock.shift(5)
    sandbox.faults.add("no_slots")
    services_for(get_account("default")).catalog.invalidate_slots("haircut")
    for visitor, page in held:
        visitor.open("/book/haircut/")
        assert visitor.open(page.url).number == ""
    sandbox.faults.clear()
    services_for(get_account("default")).catalog.invalidate_slots("haircut")
    assert count_requests(sandbox, "create") == 5
    assert book(15).status == 429


def test_moves_count_and_looking_and_canceling_stay_open(limited: Settings, sandbox: Sandbox):
    """Five in all: one booking and four moves. Then the page says so, and the booking can still be canceled."""
    visitor = Visitor(Client())
    done = visitor.book("haircut", "?day=2026-12-09")
    manage = done.link("Change or cancel").partition("?")[0]
    sent = []
    for day in (10, 11, 14, 15, 16):
        page = visitor.open(f"{manage}reschedule/?day=2026-12-{day:02}")
        page = visitor.open(next(iter(page.times.values())))
        sent.append(visitor.send(page, "Reschedule"))
    assert [page.status for page in sent] == [200, 200, 200, 200, 429]
    assert TOO_MANY in sent[-1].text
    assert PHONE in sent[-1].text
    assert sent[-1].response["Retry-After"]
    assert count_requests(sandbox, "reschedule") == 4
    assert visitor.open(manage).heading == "Your booking"
    assert visitor.send(visitor.open(f"{manage}cancel/"), "Cancel booking").heading == "Booking canceled"


def test_no_contact_stands_in_a_cache_key(limited: Settings):
    """Only hashes, and each key expires."""
    book(9, phone="+12125550123")
    keys = " ".join(WallClockCache._items)
    assert "throttle" in keys
    for private in ("jane", "example.com", "5550123", "203.0."):
        assert private not in keys


def test_zero_is_no_limit(limited: Settings):
    """For sites where one person books for many."""
    limited.KORDLESS_BOOKING = {
        **limited.KORDLESS_BOOKING,
        "BOOKINGS_PER_CONTACT": 0,
        "BOOKINGS_PER_CONTACT_DAILY": 0,
    }
    assert [book(9 + number // 3).status for number in range(7)] == 7 * [200]


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["a@example.com", "b@example.com"]), st.integers(0, 400), st.booleans()), max_size=30
    )
)
def test_no_window_holds_more_of_one_contact_than_its_limits(steps: list[tuple[str, int, bool]]):
    """Whatever the times, and whatever was given back because nothing was booked."""
    account = SimpleNamespace(name="default", bookings_per_contact=3, bookings_per_contact_daily=7)
    with time_machine.travel(NOW, tick=False) as clock:
        shared = WallClockCache("", {})
        shared.clear()
        cache = FallbackCache(shared, Clock())
        counted: dict[str, list[float]] = {}
        for contact, pause, is_booked in steps:
            clock.shift(pause)
            now = datetime.now(UTC)
            visit = SimpleNamespace(account=account, access=SimpleNamespace(cache=cache), now=now)
            permits = take_contact_permits(cast(WidgetRequest, visit), [contact, None])
            mine = counted.setdefault(contact, [])
            lately = sum(moment > now.timestamp() - 600 for moment in mine)
            assert (permits.rejection is None) == (lately < 3 and len(mine) < 7)
            if permits.rejection is None and is_booked:
                mine.append(now.timestamp())
            else:
                permits.release()
