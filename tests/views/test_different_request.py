"""Other details under a key that is used: a page that says so, keeps what was typed, and tells nothing of the first."""

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from time_machine import Traveller

from kordless_booking.booking import form_input
from kordless_booking.booking.receipt import Receipt
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.terms import make_terms
from tests.support.visitor import HTMX, JANE, Page, Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.long]

HEADING = "This time was already requested from this page"
NOTHING = "Nothing new was booked and nothing was changed."
KEPT = "Everything you typed is kept."
AGAIN = "Book this time for someone else"
FIND = "Find that booking"
GIVEN = {"name": "Zoë O'Neil", "email": "zoe@example.com", "phone": "+12125550123", "notes": "Two\r\nlines & <b>"}


def placed(_sandbox: Sandbox) -> None:
    """Kordless says yes."""


def unknown(sandbox: Sandbox) -> None:
    """The answer is lost; it was not carried out."""
    sandbox.faults.add("status", "create", times=1, status=502)


def unknown_but_booked(sandbox: Sandbox) -> None:
    """The answer is lost; it was carried out."""
    sandbox.faults.add("status", "create", times=1, status=502, carried_out=True)


def waiting(sandbox: Sandbox) -> None:
    """Too many at once."""
    sandbox.faults.add("status", "create", times=1, status=429, retry_after=20)


def sending(sandbox: Sandbox) -> None:
    """A process that still sends."""
    unknown(sandbox)


def lease_ran_out(sandbox: Sandbox) -> None:
    """A process that died while it sent."""
    unknown(sandbox)


STANDS = [placed, unknown, unknown_but_booked, waiting, sending, lease_ran_out]
STATES = {placed: "placed", waiting: "waiting", sending: "placing", lease_ran_out: "placing"}


def first_sends(any_visitor: Visitor, sandbox: Sandbox, stands: Callable[[Sandbox], None]) -> tuple[Page, Page]:
    """The form of one of a class's many places, and where Jane, who sends it first, is led."""
    form = any_visitor.choose("styling-class", "?day=2026-12-10&party=2&tz=Europe/Kyiv&hours=24")
    stands(sandbox)
    page = any_visitor.send(form, "Book appointment", **JANE)
    if stands in {sending, lease_ran_out}:
        until = NOW + timedelta(seconds=-1 if stands is lease_ran_out else 30)
        BookingAttempt.objects.update(state="placing", outcome_unknown=False, retry_at=None, claimed_until=until)
    assert BookingAttempt.objects.get().state == STATES.get(stands, "outcome_unknown")
    return form, page


def pass_seconds(clock: Traveller, site: Settings) -> None:
    """Until an open attempt is due, in a process that has counted nothing in its own steady seconds."""
    clock.shift(40)
    site.KORDLESS_BOOKING = dict(site.KORDLESS_BOOKING)


def creations(sandbox: Sandbox) -> int:
    """Return the number of requests for a booking that Kordless received."""
    return len([request for request in sandbox.requests if request.operation == "create"])


def fields(page: Page) -> dict[str, str]:
    """Return the values of the contact form's visible fields."""
    _method, _action, found = page.form("Book appointment")
    return {name: found[name] for name in GIVEN}


def tells_nothing_of(first: Page, page: Page) -> bool:
    """Neither Jane's name or address, nor the number or any link of hers."""
    manage = {url for url in page.links().values() if "/manage/" in url}
    assert {url.partition("?")[0] for url in manage} == {"/book/manage/"}
    # Tokens are encrypted, so any short word may stand in one by chance.
    assert not page.number
    assert "BOOK_" not in page.text
    return not [word for word in ("Jane Doe", "jane@", "/confirmation/", "/attempt/", first.url) if word in page.html]


@pytest.mark.parametrize("stands", STANDS)
def test_other_details_get_the_conflict_page_in_every_state(
    any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings, stands: Callable[[Sandbox], None]
):
    """At once, whatever became of the first, with everything typed on the way to a form with a key of its own."""
    form, first = first_sends(any_visitor, sandbox, stands)
    row, created = BookingAttempt.objects.values().get(), creations(sandbox)
    page = any_visitor.send(form, "Book appointment", **GIVEN)
    assert (page.status, page.heading) == (409, HEADING)
    assert f"{NOTHING} {KEPT}" in page.text
    assert tells_nothing_of(first, page)
    [summary] = page.texts(".kb-summary")
    assert "Styling class" in summary
    assert "2 people" in summary
    assert BookingAttempt.objects.values().get() == row
    assert creations(sandbox) == created
    again = any_visitor.open(page.link(AGAIN))
    assert (again.status, again.heading) == (200, "Your details")
    assert fields(again) == GIVEN
    assert again.form("Book appointment")[2]["draft"] != form.form("Book appointment")[2]["draft"]
    assert again.texts(".kb-summary dd")[0] == form.texts(".kb-summary dd")[0]
    pass_seconds(clock, site)
    booked = any_visitor.send(again, "Book appointment")
    assert booked.heading == "You’re booked"
    assert [each["name"] for each in sandbox.bookings() if each["number"] == booked.number] == ["Zoë O'Neil"]
    typed = ("Zoë", "zoe@", "12125550123", "lines & ")
    assert not [word for word in typed if word in " ".join(any_visitor.urls)]


@pytest.mark.parametrize("stands", STANDS)
def test_a_details_page_that_is_used_says_so_when_it_is_opened(
    any_visitor: Visitor, sandbox: Sandbox, stands: Callable[[Sandbox], None]
):
    """A shared link, or Back: the same page with the same two ways on, and nothing of the first."""
    form, first = first_sends(any_visitor, sandbox, stands)
    page = any_visitor.open(form.url)
    assert (page.status, page.heading) == (409, HEADING)
    assert NOTHING in page.text
    assert KEPT not in page.text
    assert tells_nothing_of(first, page)
    assert list(page.links(".kb-problem a")) == [AGAIN, FIND]
    assert any_visitor.open(page.link(AGAIN)).heading == "Your details"


@pytest.mark.parametrize("stands", STANDS)
def test_the_same_details_lead_to_the_same_booking_in_every_state(
    any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings, stands: Callable[[Sandbox], None]
):
    """Double clicks, retries and other tabs go on as ever, also after somebody else's conflict."""
    form, _first = first_sends(any_visitor, sandbox, stands)
    any_visitor.send(form, "Book appointment", **GIVEN)
    pass_seconds(clock, site)
    pages = [any_visitor.send(form, "Book appointment", **JANE) for _tab in range(2)]
    assert {page.heading for page in pages} == {"You’re booked"}
    assert {page.number for page in pages} == {booking["number"] for booking in sandbox.bookings()}
    assert len(sandbox.bookings()) == 1
    assert any_visitor.open(pages[0].link("Change or cancel")).number == pages[0].number


def test_a_corrected_email_gets_the_conflict_page(any_visitor: Visitor, sandbox: Sandbox):
    """Going back and correcting one letter changes nothing, and no page claims that it did."""
    form = any_visitor.choose()
    first = any_visitor.send(form, "Book appointment", **JANE)
    page = any_visitor.send(form, "Book appointment", **{**JANE, "email": "jane.doe@example.com"})
    assert (page.status, page.heading) == (409, HEADING)
    assert first.number not in page.html
    assert page.texts("[role=alert]") == []
    found = any_visitor.open(page.link(FIND))
    assert found.heading == "Find your booking"
    assert found.form("Find booking")[2] == {"number": "", "contact": ""}
    found = any_visitor.send(found, "Find booking", number=first.number, contact="jane@example.com")
    assert found.number == first.number


def test_a_time_with_no_place_left_is_just_taken(any_visitor: Visitor, sandbox: Sandbox):
    """The way on looks the time up as ever: everything typed goes along to the times that are still free."""
    form = any_visitor.choose("haircut", "?tz=Europe/Kyiv")
    any_visitor.send(form, "Book appointment", **JANE)
    page = any_visitor.open(any_visitor.send(form, "Book appointment", **GIVEN).link(AGAIN))
    assert "just taken" in page.alert
    assert page.texts(".kb-times .kb-sub") == ["Tuesday, December 1"]
    assert fields(any_visitor.open(next(iter(page.times.values())))) == GIVEN
    assert len(sandbox.bookings()) == 1


def test_another_host_who_is_free_then_may_be_booked(visitor: Visitor, sandbox: Sandbox):
    """Whoever wanted anyone gets anyone, and whoever wanted somebody keeps that choice."""
    query = "?day=2026-12-09"
    for choice in ("", "&host=host_sarah"):
        form = visitor.choose("haircut", query + choice)
        visitor.send(form, "Book appointment", **JANE)
        page = visitor.send(form, "Book appointment", **GIVEN)
        assert ("host=host_sarah" in page.link(AGAIN)) is bool(choice)


def test_details_with_a_mistake_get_the_conflict_page_as_well(any_visitor: Visitor, sandbox: Sandbox):
    """Nobody has to correct a form that leads nowhere; what was wrong is kept to be corrected in the next one."""
    form = any_visitor.choose("styling-class")
    first = any_visitor.send(form, "Book appointment", **JANE)
    page = any_visitor.send(form, "Book appointment", **{**GIVEN, "email": "zoe@"})
    assert (page.status, page.heading) == (409, HEADING)
    assert tells_nothing_of(first, page)
    assert fields(any_visitor.open(page.link(AGAIN)))["email"] == "zoe@"


def test_a_used_form_is_never_too_old(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """After hours: the same details lead to their booking, other ones and the page itself say that it is used."""
    form = any_visitor.choose("styling-class", "?day=2026-12-09")
    first = any_visitor.send(form, "Book appointment", **JANE)
    clock.shift(7201)
    assert any_visitor.send(form, "Book appointment", **JANE).number == first.number
    for page in (any_visitor.send(form, "Book appointment", **GIVEN), any_visitor.open(form.url)):
        assert (page.status, page.heading) == (409, HEADING)
        assert tells_nothing_of(first, page)
    assert creations(sandbox) == 1


def test_a_used_form_whose_time_has_begun_leads_back_to_the_times(
    any_visitor: Visitor, sandbox: Sandbox, clock: Traveller
):
    """There is nothing left to book for anybody else."""
    form = any_visitor.choose()
    any_visitor.send(form, "Book appointment", **JANE)
    clock.shift(timedelta(minutes=31))
    for page, status in ((any_visitor.open(form.url), 200), (any_visitor.send(form, "Book appointment", **GIVEN), 409)):
        assert (page.status, page.heading) == (status, "Haircut")
    clock.shift(7201)
    assert "just taken" in any_visitor.open(form.url).alert
    assert creations(sandbox) == 1


def test_after_a_no_other_details_are_sent(any_visitor: Visitor, sandbox: Sandbox):
    """A rejected form is nobody's: its page is the form, and whoever sends it is booked."""
    form = any_visitor.choose()
    sandbox.faults.add("status", "create", times=1, status=422)
    any_visitor.send(form, "Book appointment", **JANE)
    page = any_visitor.open(form.url)
    assert (page.status, page.heading) == (200, "Your details")
    assert any_visitor.send(page, "Book appointment", **GIVEN).heading == "You’re booked"
    assert [booking["name"] for booking in sandbox.bookings()] == ["Zoë O'Neil"]


def test_a_form_that_came_back_with_a_no_keeps_its_key(any_visitor: Visitor, sandbox: Sandbox):
    """Rejected, sent again and booked: by Back its address doesn't offer the same time as if nothing had happened."""
    form = any_visitor.choose("styling-class")
    sandbox.faults.add("status", "create", times=1, status=422)
    page = any_visitor.send(form, "Book appointment", **JANE)
    assert page.status == 422
    first = any_visitor.send(page, "Book appointment")
    assert first.heading == "You’re booked"
    page = any_visitor.open(form.url)
    assert (page.status, page.heading) == (409, HEADING)
    assert any_visitor.send(form, "Book appointment", **JANE).number == first.number
    assert len(sandbox.bookings()) == 1


def test_an_attempt_page_never_shows_what_others_have_sent(
    any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings
):
    """Jane waits and is rejected; Zoë sends the same form and is booked: Jane's page keeps to Jane."""
    form = any_visitor.choose("styling-class", "?tz=Europe/Kyiv")
    waiting(sandbox)
    hers = any_visitor.send(form, "Book appointment", **{**JANE, "notes": "Careful"})
    pass_seconds(clock, site)
    sandbox.faults.add("status", "create", times=1, status=422)
    assert any_visitor.open(hers.url).status == 422
    booked = any_visitor.send(form, "Book appointment", **GIVEN)
    assert booked.heading == "You’re booked"
    page = any_visitor.open(hers.url)
    assert (page.status, page.heading) == (409, HEADING)
    assert f"{NOTHING} {KEPT}" in page.text
    assert not [word for word in ("Zoë", "zoe@", booked.number, "/confirmation/") if word in page.html]
    again = any_visitor.open(page.link(AGAIN))
    assert fields(again) == {**JANE, "notes": "Careful"}
    assert again.texts(".kb-summary dd")[0] == form.texts(".kb-summary dd")[0]


def test_a_receipt_that_does_not_say_what_was_sent_opens_nothing(visitor: Visitor, sandbox: Sandbox):
    """As those that were given out before receipts said it."""
    first_sends(visitor, sandbox, unknown)
    receipt = Receipt(
        key=BookingAttempt.objects.get().key,
        terms=make_terms(service="styling-class", timezone="UTC"),
        contact="jane@example.com",
    )
    page = visitor.open(f"/book/attempt/{receipt.to_token('default')}/")
    assert (page.status, page.heading) == (404, "This link doesn’t work")


def test_a_browser_and_htmx_send_the_same_details(client: Client, site: Settings, sandbox: Sandbox):
    """They end lines differently; it is one form all the same."""
    browser, htmx = Visitor(client), Visitor(client, HTMX)
    form = browser.choose()
    pages = [
        browser.send(form, "Book appointment", **{**JANE, "notes": "Two\r\nlines"}),
        htmx.send(form, "Book appointment", **{**JANE, "notes": "Two\nlines"}),
    ]
    assert {page.heading for page in pages} == {"You’re booked"}
    assert len({page.number for page in pages}) == 1


def test_a_double_click_is_one_while_the_secret_key_rotates(any_visitor: Visitor, sandbox: Sandbox, site: Settings):
    """And other details are other ones."""
    form = any_visitor.choose()
    first = any_visitor.send(form, "Book appointment", **JANE)
    site.SECRET_KEY_FALLBACKS = [site.SECRET_KEY]
    site.SECRET_KEY = "another key for tests: 8c1fbb8fd2f14c6aa4d0"
    assert any_visitor.send(form, "Book appointment", **JANE).number == first.number
    assert any_visitor.send(form, "Book appointment", **GIVEN).heading == HEADING
    assert creations(sandbox) == 1


@pytest.mark.parametrize("fits", [True, False])
def test_long_notes_come_along_or_are_not_promised(
    visitor: Visitor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, fits: bool
):
    """Name and contact come along in any case; a site's own fields may be too long, and then nothing is promised."""
    if not fits:
        monkeypatch.setattr(form_input, "MAX_TOKEN", 3000)
    form = visitor.choose("styling-class")
    visitor.send(form, "Book appointment", **JANE)
    dice = random.Random(7)  # noqa: S311 (no secret)
    notes = "".join(chr(dice.randrange(0x10000, 0xE0000)) for _ in range(1000))
    page = visitor.send(form, "Book appointment", **{**GIVEN, "notes": notes})
    assert NOTHING in page.text
    assert (KEPT in page.text) is fits
    assert fields(visitor.open(page.link(AGAIN))) == {**GIVEN, "notes": notes if fits else ""}
    assert max(len(each.url) for each in visitor.responses) < 4000


def test_the_page_stays_in_its_frame_and_its_language(visitor: Visitor, sandbox: Sandbox):
    """All ways on keep how the widget looks and speaks."""
    form = visitor.choose("styling-class", "?embed=1&lang=de&scheme=dark")
    _method, action, found = form.form("Termin buchen")
    visitor.open(action, {**found, **JANE})
    page = visitor.open(action, {**found, **GIVEN})
    assert page.status == 409
    assert "frame-ancestors" in page.response["Content-Security-Policy"]
    urls = list(page.links(".kb-problem a, .kb-problem button").values())
    assert len(urls) == 2
    for url in urls:
        assert "embed=1" in url
        assert "lang=de" in url
        assert "scheme=dark" in url


def test_the_page_is_never_stored(any_visitor: Visitor, sandbox: Sandbox):
    """It leads to what was typed."""
    form, _first = first_sends(any_visitor, sandbox, placed)
    for page in (any_visitor.send(form, "Book appointment", **GIVEN), any_visitor.open(form.url)):
        assert page.response["Cache-Control"] == "no-store, private"


def test_one_line_in_the_log_and_nobody_in_it(any_visitor: Visitor, sandbox: Sandbox, caplog: pytest.LogCaptureFixture):
    """A form that was sent and a page that was opened have names of their own."""
    form, _first = first_sends(any_visitor, sandbox, placed)
    for event, look in (
        ("create_different_request", lambda: any_visitor.send(form, "Book appointment", **GIVEN)),
        ("already_requested", lambda: any_visitor.open(form.url)),
    ):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            page = look()
        lines = [
            each
            for each in caplog.records
            if each.name.startswith(("kordless_booking.views", "kordless_booking.booking"))
        ]
        assert [each.levelno for each in lines] == [logging.INFO]
        message = f"event={event} status=409 account=default req={page.response['X-Request-ID']}"
        assert lines[0].getMessage() == message
        assert not [word for word in ("Zoë", "zoe@", "jane", "Jane", "5550123") if word in caplog.text]


def test_a_details_page_costs_one_query(
    visitor: Visitor, sandbox: Sandbox, django_assert_num_queries: DjangoAssertNumQueries
):
    """The page costs one query, whether its key has been used or not."""
    form = visitor.choose()
    with django_assert_num_queries(1):
        assert visitor.open(form.url).status == 200
    visitor.send(form, "Book appointment", **JANE)
    with django_assert_num_queries(1):
        assert visitor.open(form.url).status == 409


@contextmanager
def unreadable() -> Iterator[None]:
    """A database that doesn't answer."""

    def fail(_execute: Any, _sql: str, _params: Any, _many: bool, _context: Any) -> Any:
        raise OperationalError("no answer")

    with connection.execute_wrapper(fail):
        yield


def test_a_form_is_not_lost_because_its_key_cant_be_looked_up(visitor: Visitor, sandbox: Sandbox):
    """The page is only a courtesy: without a database it is the form, and sending that decides."""
    form = visitor.choose()
    with unreadable():
        assert visitor.open(form.url).heading == "Your details"
        page = visitor.send(form, "Book appointment", **{**GIVEN, "email": "wrong"})
    assert page.status == 422
    assert fields(page)["email"] == "wrong"
