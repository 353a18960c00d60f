"""Moving and canceling where businesses, bookings or Kordless's answers are unusual: each page says what is so."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.booking import draft
from kordless_booking.booking.draft import Draft
from kordless_booking.booking.terms import Terms
from kordless_booking.models import BookingProjection
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.booking_cache import VIEW_SECONDS
from kordless_booking.views.cells import format_start
from tests.support.booking_pages import find, rows
from tests.support.odd_businesses import use_odd_business
from tests.support.odd_slots import Slots, offer
from tests.support.received_requests import count_requests
from tests.support.visitor import JANE, Page, Visitor, start_of

pytestmark = pytest.mark.django_db

DAY = "?day=2026-12-09"
NEXT_DAY = "Thursday, December 10, 2026"


@pytest.fixture
def odd_times(site: Settings, sandbox: Sandbox) -> Settings:
    """Return the settings of a site that books at the business with odd times."""
    use_odd_business(site, sandbox, "odd-times")
    return site


def own_page(visitor: Visitor, service: str, query: str = DAY, **answers: str) -> Page:
    """Book, and follow the manage link."""
    return visitor.open(visitor.book(service, query, **answers).link("Change or cancel"))


def lengthened(slots: Slots) -> Slots:
    """Return the slots, each a quarter of an hour longer."""
    quarter = timedelta(minutes=15)
    return [slot | {"endsAt": (datetime.fromisoformat(slot["endsAt"]) + quarter).isoformat()} for slot in slots]


def question(visitor: Visitor, page: Page, day: str = NEXT_DAY) -> Page:
    """Choose the first time of another day: the page that asks."""
    slots = visitor.send(page, "Reschedule")
    return visitor.open(next(iter(visitor.open(slots.days[day]).times.values())))


def post_choice(visitor: Visitor, own: Page, start: datetime, length: timedelta) -> Page:
    """Send the form of a question about this time, which no page asks anymore."""
    _method, action, fields = question(visitor, own).form("Reschedule")
    terms = Terms(service="any", start=start, end=start + length, timezone="UTC")
    chosen = Draft(terms=terms, issued_at=datetime.now(UTC).timestamp())
    return visitor.open(action, fields | {"draft": draft.sign(chosen, f"default:reschedule:{own.number}")})


# Lengths.


@pytest.mark.parametrize("minutes", [30, 60, 90])
def test_only_times_of_the_bookings_own_length_are_offered(
    any_visitor: Visitor, odd_times: Settings, sandbox: Sandbox, minutes: int
):
    """Of one start with three lengths only the booking's is offered; its head says that one, and all of it works."""
    label = {30: "30 min", 60: "1 hr", 90: "1 hr 30 min"}[minutes]
    page = any_visitor.open(f"/book/several-lengths/{DAY}")
    form = any_visitor.open(next(url for name, url in page.times.items() if name.endswith(f" {label}")))
    page = any_visitor.open(any_visitor.send(form, "Book appointment", **JANE).link("Change or cancel"))
    slots = any_visitor.open(any_visitor.send(page, "Reschedule").days[NEXT_DAY])
    assert slots.texts(".kb-facts span")[1] == label
    assert len(slots.times) > 5
    assert all(re.fullmatch(r"\d+:\d\d [AP]M", name) for name in slots.times)
    start = start_of(url := list(slots.times.values())[1])
    done = any_visitor.send(any_visitor.open(url), "Reschedule")
    assert "Your booking has been rescheduled." in done.text
    [booking] = sandbox.bookings()
    assert (booking["starts"], booking["ends"] - booking["starts"]) == (start.timestamp(), 60 * minutes)


def test_a_link_to_a_time_of_another_length_moves_nothing(visitor: Visitor, odd_times: Settings, sandbox: Sandbox):
    """Its question isn't asked: Kordless would refuse it."""
    page = own_page(visitor, "several-lengths")
    for end in ("20261210T160000Z", "20261210T163000Z"):
        slots = visitor.open(f"{page.url}reschedule/confirm/?start=20261210T150000Z&end={end}")
        assert "/reschedule/?" in slots.url
        assert slots.times
    assert visitor.open(f"{page.url}reschedule/confirm/?start=20261210T150000Z&end=20261210T153000Z").heading == (
        "Reschedule your booking?"
    )


def test_no_time_of_the_bookings_length_is_not_called_no_free_time(
    visitor: Visitor, odd_times: Settings, sandbox: Sandbox
):
    """A service whose length has changed has free times, only none for this booking."""
    page = own_page(visitor, "fractions")
    offer(odd_times, sandbox, lengthened)
    slots = visitor.send(page, "Reschedule")
    assert not slots.times
    assert "There are no free times that are as long as your booking." in slots.text
    assert "There are no free times at the moment" not in slots.text


def test_a_month_without_times_of_the_bookings_length_says_what_was_looked_at(
    visitor: Visitor, odd_times: Settings, sandbox: Sandbox
):
    """The page leads to later weeks when one of their times is free there."""
    page = own_page(visitor, "fractions")

    def change(slots: Slots) -> Slots:
        return [slot if slot["startsAt"] >= "2027-01-04" else lengthened([slot])[0] for slot in slots]

    offer(odd_times, sandbox, change)
    slots = visitor.open(f"{page.url}reschedule/?month=2026-12")
    assert "in the weeks shown. Only times that are as long as your booking were looked at." in slots.text
    assert visitor.open(slots.link("Next free day")).times


def test_a_head_says_a_length_only_where_all_times_have_it(visitor: Visitor, odd_times: Settings):
    """Beside times of three lengths the service's own would be wrong for two; each button says its own."""
    page = visitor.open(f"/book/several-lengths/{DAY}")
    assert page.texts(".kb-facts span") == ["$40.00", "1 Odd Street"]
    page = visitor.open(list(page.times.values())[2])
    assert rows(page)["Duration"] == "1 hr 30 min"
    assert visitor.open(f"/book/fractions/{DAY}").texts(".kb-facts span") == ["30 min", "$40.00", "1 Odd Street"]


def test_each_time_says_its_length_where_the_head_does_not(visitor: Visitor, odd_times: Settings):
    """Also one that has a start to itself, such as the last of the day: which of the lengths would it be?"""
    page = visitor.open(f"/book/several-lengths/{DAY}")
    assert list(page.times)[-3:] == ["6:00 PM 30 min", "6:00 PM 1 hr", "6:30 PM 30 min"]
    assert rows(visitor.open(list(page.times.values())[-1]))["Duration"] == "30 min"
    assert "30 min" not in " ".join(visitor.open(f"/book/fractions/{DAY}").times)


def test_a_head_says_the_length_of_the_times_and_not_another(visitor: Visitor, odd_times: Settings, sandbox: Sandbox):
    """The head has the length of the slots when the list of services says another duration."""

    offer(odd_times, sandbox, lengthened)
    assert visitor.open(f"/book/fractions/{DAY}").texts(".kb-facts span") == ["45 min", "$40.00", "1 Odd Street"]


# Refusals.


def test_a_move_that_kordless_cannot_parse_leads_back_to_the_booking(
    any_visitor: Visitor, site: Settings, sandbox: Sandbox
):
    """After a 400 as after a 422: to the booking, and to its other times; the manage link isn't lost."""
    own = own_page(any_visitor, "haircut")
    question_page = question(any_visitor, own)
    sandbox.faults.add("status", "reschedule", status=400)
    page = any_visitor.send(question_page, "Reschedule")
    assert (page.status, page.heading) == (422, "This booking can’t be rescheduled to that time")
    assert "Your booking is unchanged" in page.text
    assert any_visitor.open(page.link("Back to your booking")).number == own.number
    slots = any_visitor.open(page.link("Choose another time"))
    assert "didn’t accept that time" in slots.alert
    assert slots.times


def test_a_cancellation_that_kordless_cannot_parse_leads_back_to_the_booking(
    any_visitor: Visitor, site: Settings, sandbox: Sandbox
):
    """After a 400 as after a 422."""
    own = own_page(any_visitor, "haircut")
    sandbox.faults.add("status", "cancel", status=400)
    page = any_visitor.send(any_visitor.send(own, "Cancel booking"), "Cancel booking")
    assert (page.status, page.heading) == (422, "This booking can’t be canceled online")
    assert any_visitor.open(page.link("Back to your booking")).number == own.number


def test_too_many_changes_lead_back_to_the_booking(visitor: Visitor, site: Settings):
    """A visitor who has to wait keeps the manage link."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "CHANGES_PER_ADDRESS": 1}
    own = own_page(visitor, "haircut")
    moved = visitor.send(question(visitor, own), "Reschedule")
    page = visitor.send(visitor.send(moved, "Cancel booking"), "Cancel booking")
    assert page.status == 429
    assert visitor.open(page.link("Back to your booking")).number == own.number


def test_a_booking_that_can_not_move_leads_back_to_itself(
    visitor: Visitor, site: Settings, sandbox: Sandbox, clock: Traveller
):
    """An old page of times, after the booking was canceled elsewhere."""
    own = own_page(visitor, "haircut")
    sandbox.set_status(own.number, "canceled")
    clock.shift(VIEW_SECONDS + 1)
    page = visitor.open(f"{own.url}reschedule/")
    assert page.status == 409
    assert visitor.open(page.link("Back to your booking")).number == own.number


# Groups.


def test_a_groups_own_time_is_not_offered(any_visitor: Visitor, odd_times: Settings, sandbox: Sandbox):
    """It has seats left, but moving there would change nothing; asked for all the same, the page says so."""
    own = own_page(any_visitor, "party", f"{DAY}&party=2")
    start = datetime.fromtimestamp(sandbox.bookings()[0]["starts"], UTC)
    free = any_visitor.open(f"/book/party/{DAY}&party=2").times_of_day
    slots = any_visitor.open(f"{own.url.partition('?')[0]}reschedule/{DAY}")
    assert slots.times_of_day == free[1:]
    assert free[0] in own.text
    page = any_visitor.open(f"{own.url.partition('?')[0]}reschedule/confirm/?start={format_start(start)}")
    assert page.alert == "Your booking is already at this time. Please choose another one."
    assert page.times
    assert count_requests(sandbox, "reschedule") == 0


def test_a_form_sent_twice_is_logged_once(
    visitor: Visitor, odd_times: Settings, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
):
    """The second press sends nothing, so the log has no second move, also where starts have fractions."""
    caplog.set_level("INFO")
    question_page = question(visitor, own_page(visitor, "fractions"))
    for _again in range(3):
        assert "Your booking has been rescheduled." in visitor.send(question_page, "Reschedule").text
    assert count_requests(sandbox, "reschedule") == 1
    assert sum("booking_rescheduled" in record.getMessage() for record in caplog.records) == 1


def test_the_same_start_with_another_length_is_not_called_moved(
    visitor: Visitor, odd_times: Settings, sandbox: Sandbox
):
    """A form of a page from before: Kordless refuses it, and the unchanged start doesn't pass for its success."""
    own = own_page(visitor, "several-lengths")
    start = datetime.fromtimestamp(sandbox.bookings()[0]["starts"], UTC)
    page = post_choice(visitor, own, start, timedelta(hours=1))
    assert (page.status, page.heading) == (422, "This booking can’t be rescheduled to that time")
    assert count_requests(sandbox, "reschedule") == 1


def test_a_form_about_the_bookings_own_time_moves_nothing_and_says_so(
    visitor: Visitor, odd_times: Settings, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
):
    """A form of a page from before: nothing is sent, called moved or logged."""
    caplog.set_level("INFO")
    own = own_page(visitor, "party", f"{DAY}&party=2")
    start = datetime.fromtimestamp(sandbox.bookings()[0]["starts"], UTC)
    page = post_choice(visitor, own, start, timedelta(minutes=30))
    assert page.alert == "Your booking is already at this time. Please choose another one."
    assert count_requests(sandbox, "reschedule") == 0
    assert "booking_rescheduled" not in caplog.text


def test_a_time_with_too_few_places_is_not_called_taken_and_not_offered_again(
    any_visitor: Visitor, odd_times: Settings, sandbox: Sandbox
):
    """Nobody knows how many a booking is for that was found by its number, so Kordless alone can say no."""
    any_visitor.book("party", "?day=2026-12-10&party=4")
    number = any_visitor.book("party", f"{DAY}&party=4").number
    slots = any_visitor.send(find(any_visitor, number), "Reschedule")
    slots = any_visitor.open(slots.days[NEXT_DAY])
    assert "9:00 AM" in slots.times_of_day
    page = any_visitor.send(any_visitor.open(next(iter(slots.times.values()))), "Reschedule")
    assert "The booking system didn’t accept that time for your booking." in page.alert
    assert "aren’t enough spots" in page.alert
    assert "Here are the times" not in page.text
    assert page.times_of_day == [time for time in slots.times_of_day if time != "9:00 AM"]
    # The page that the script asks for is the same, and so is the day after a look at another one.
    [node] = page.tree.css("[data-kb-watch]")
    version = (node.attributes["data-hx-headers"] or "").split('"')[3]
    assert (
        any_visitor.once(node.attributes["data-hx-get"] or "", **{"KB-Seen": version, "HX-Request": "true"}).status
        == 204
    )
    elsewhere = any_visitor.open(page.days["Friday, December 11, 2026"])
    assert not elsewhere.alert
    assert any_visitor.open(elsewhere.days[NEXT_DAY]).times_of_day == page.times_of_day
    done = any_visitor.send(any_visitor.open(next(iter(page.times.values()))), "Reschedule")
    assert "Your booking has been rescheduled." in done.text


def test_a_time_that_somebody_else_has_taken_is_called_taken(any_visitor: Visitor, site: Settings, sandbox: Sandbox):
    """It isn't listed anymore; the page shows the others of its day."""
    own = own_page(any_visitor, "haircut", f"{DAY}&host=host_sarah")
    question_page = question(any_visitor, own)
    sandbox.book_by_phone("haircut", start_of(question_page.url), "host_sarah")
    page = any_visitor.send(question_page, "Reschedule")
    assert page.alert == "That time was just taken. Here are the times that are still free."
    assert {start_of(url).date().isoformat() for url in page.times.values()} == {"2026-12-10"}
    assert format_start(start_of(question_page.url)) not in "".join(page.times.values())


# Answers.


def test_a_booking_without_a_status_can_be_moved_and_canceled(any_visitor: Visitor, site: Settings, sandbox: Sandbox):
    """Kordless decides; and what was canceled here doesn't look as if it still stood."""
    for operation in ("lookup", "reschedule", "cancel"):
        sandbox.faults.add("no_status", operation)
    own = own_page(any_visitor, "haircut")
    assert "Status" not in rows(own)
    moved = any_visitor.send(question(any_visitor, own), "Reschedule")
    assert "Your booking has been rescheduled." in moved.text
    page = any_visitor.send(any_visitor.send(moved, "Cancel booking"), "Cancel booking")
    assert page.heading == "Booking canceled"
    assert not {"Cancel booking", "Reschedule"} & set(page.texts("button"))
    assert sandbox.bookings()[0]["status"] == "canceled"


@pytest.mark.parametrize("form", ["№ 12/34 {}", "#{}?a=b&c", "{}."])
def test_fractions_of_a_second_and_odd_numbers_are_moved_and_canceled(
    any_visitor: Visitor, odd_times: Settings, sandbox: Sandbox, form: str
):
    """Choose, confirm, moved, once; then canceled. The start is that of the slot, fraction included."""
    sandbox.faults.add("unusual_numbers", form=form)
    own = own_page(any_visitor, "fractions")
    question_page = question(any_visitor, own)
    start = start_of(question_page.url)
    assert start.microsecond == 250_000
    moved = any_visitor.send(question_page, "Reschedule")
    assert "Your booking has been rescheduled." in moved.text
    assert moved.number == own.number
    [booking] = sandbox.bookings()
    assert booking["starts"] == int(start.timestamp())
    # As the webhook says it, so that this move isn't published twice.
    assert BookingProjection.objects.get().start == start.replace(microsecond=0)
    page = any_visitor.send(any_visitor.send(moved, "Cancel booking"), "Cancel booking")
    assert page.heading == "Booking canceled"


def test_a_lost_answer_to_a_move_with_fractions_is_resolved(visitor: Visitor, odd_times: Settings, sandbox: Sandbox):
    """The booking is found at the second that was asked for."""
    question_page = question(visitor, own_page(visitor, "fractions"))
    sandbox.faults.add("status", "reschedule", status=502, carried_out=True)
    assert "Your booking has been rescheduled." in visitor.send(question_page, "Reschedule").text


# What the link knows.


def test_pages_of_a_booking_say_with_whom_and_for_how_many(
    any_visitor: Visitor, site: Settings, sandbox: Sandbox, clock: Traveller
):
    """The manage page and both questions, as the confirmation did; nothing more is requested for it."""
    own = own_page(any_visitor, "haircut", f"{DAY}&host=host_miguel")
    question_page = question(any_visitor, own)
    assert rows(own)["With"] == rows(question_page)["With"] == "Miguel (Hair team)"
    assert rows(any_visitor.send(own, "Cancel booking"))["With"] == "Miguel (Hair team)"
    own = own_page(any_visitor, "styling-class", "?party=3")
    slots = any_visitor.send(own, "Reschedule")
    question_page = any_visitor.open(next(iter(any_visitor.open(list(slots.days.values())[-1]).times.values())))
    assert rows(own)["People"] == rows(question_page)["People"] == "3 people"
    clock.shift(VIEW_SECONDS + 1)
    sandbox.clear_requests()
    any_visitor.open(own.url)
    assert {request.operation for request in sandbox.requests} == {"lookup"}


def test_the_calendar_file_of_a_manage_page_says_with_whom(visitor: Visitor, site: Settings):
    """As the one of the confirmation does, which it replaces."""
    own = own_page(visitor, "haircut", f"{DAY}&host=host_miguel")
    file = visitor.client.get(own.link("Apple (.ics)")).content.decode().replace("\r\n ", "")
    assert "Miguel" in file


# Services that are gone.


@pytest.mark.parametrize("gone", ["not_public", "service_removed"])
def test_a_service_that_is_gone_is_not_called_booked_out(
    visitor: Visitor, site: Settings, sandbox: Sandbox, clock: Traveller, gone: str
):
    """The page says that the booking can't be moved online, how to reach the business, and leads back."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "SUPPORT_PHONE": "+12125550100"}
    own = own_page(visitor, "haircut")
    sandbox.faults.add(gone, service="haircut")
    clock.shift(timedelta(days=2))
    for url in (f"{own.url}reschedule/", f"{own.url}reschedule/confirm/?start=20261210T150000Z"):
        page = visitor.open(url)
        assert (page.status, page.heading) == (404, "This service isn’t available")
        assert "Your booking is unchanged, but it can’t be rescheduled online anymore. Please contact us" in page.text
        assert "+12125550100" in page.text
        assert "no free times" not in page.text
    assert visitor.open(page.link("Back to your booking")).number == own.number


# Bookings that are closed.


def test_a_booking_that_has_begun_or_is_over_says_why_it_has_no_buttons(
    visitor: Visitor, odd_times: Settings, clock: Traveller
):
    """Three days long: on the second day it has begun, afterward it is over."""
    own = own_page(visitor, "three-days")
    assert "changed online" not in own.text
    for moment, text in (
        (datetime(2026, 12, 10, 15, tzinfo=UTC), "This booking has already begun, so it can’t be changed online."),
        (datetime(2026, 12, 20, 15, tzinfo=UTC), "This booking is over, so it can’t be changed online."),
    ):
        clock.move_to(moment)
        page = visitor.open(own.url)
        assert text in page.text
        assert not {"Cancel booking", "Reschedule"} & set(page.texts("button"))


def test_a_canceled_booking_says_so_once(visitor: Visitor, site: Settings):
    """In its heading, at once and later."""
    own = own_page(visitor, "haircut")
    page = visitor.send(visitor.send(own, "Cancel booking"), "Cancel booking")
    for shown in (page, visitor.open(own.url)):
        assert (shown.heading, shown.texts(".kb-notice")) == ("Booking canceled", [])
