"""Moving a booking: the slot page again, one question, done."""

from datetime import UTC, datetime

import pytest
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.booking_cache import VIEW_SECONDS
from tests.support.clock import BUSINESS
from tests.support.visitor import Page, Visitor, start_of

pytestmark = pytest.mark.django_db

FAR = "?day=2026-12-09&tz=Europe/Kyiv"


def own_page(any_visitor: Visitor, service: str = "haircut", query: str = FAR) -> Page:
    """Book, and follow the manage link."""
    return any_visitor.open(any_visitor.book(service, query).link("Change or cancel"))


def question(any_visitor: Visitor, page: Page, day: str = "Thursday, December 10, 2026") -> tuple[Page, datetime]:
    """Choose the first time of another day: the page that asks, and that time."""
    slots = any_visitor.send(page, "Reschedule")
    slots = any_visitor.open(slots.days[day])
    url = next(iter(slots.times.values()))
    return any_visitor.open(url), start_of(url)


def moves(sandbox: Sandbox) -> int:
    """Return the number of requests to reschedule a booking that Kordless received."""
    return len([request for request in sandbox.requests if request.operation == "reschedule"])


def test_moving_all_the_way(any_visitor: Visitor, sandbox: Sandbox):
    """Choose, see old and new, confirm: the same booking at another time, in the same zone."""
    page = own_page(any_visitor)
    slots = any_visitor.send(page, "Reschedule")
    assert slots.heading == "Choose a new time"
    assert "Nothing changes until you confirm." in slots.text
    assert "Times in New York. You’re 7 hours ahead." in slots.text
    assert slots.texts(".kb-hosts a") == []
    question_page, start = question(any_visitor, page)
    assert question_page.heading == "Reschedule your booking?"
    assert question_page.texts("dt")[:2] == ["From", "To"]
    assert question_page.texts(".kb-was strong") == page.texts("dd strong")
    assert "To Thursday, December 10" in question_page.text
    assert moves(sandbox) == 0
    done = any_visitor.send(question_page, "Reschedule")
    assert done.texts("[role=status].kb-notice") == ["Your booking has been rescheduled."]
    assert "Thursday, December 10" in done.text
    assert done.number == page.number
    [booking] = sandbox.bookings()
    assert booking["starts"] == start.timestamp()
    assert booking["ends"] - booking["starts"] == 3600
    assert booking["timezone"] == "Europe/Kyiv"


def test_moving_twice_moves_once(any_visitor: Visitor, sandbox: Sandbox):
    """A second press of the button finds the booking already there."""
    question_page, start = question(any_visitor, own_page(any_visitor))
    for _again in range(3):
        assert "Your booking has been rescheduled." in any_visitor.send(question_page, "Reschedule").text
    assert moves(sandbox) == 1
    assert sandbox.bookings()[0]["starts"] == start.timestamp()


def test_moving_changes_the_free_times_at_once(visitor: Visitor):
    """The old time is free again and the new one is not, without delay."""
    free = visitor.open("/book/haircut/?day=2026-12-09&host=host_sarah").times_of_day
    page = own_page(visitor, query="?day=2026-12-09&host=host_sarah")
    assert visitor.open("/book/haircut/?day=2026-12-09&host=host_sarah").times_of_day != free
    question_page, _start = question(visitor, page)
    visitor.send(question_page, "Reschedule")
    assert visitor.open("/book/haircut/?day=2026-12-09&host=host_sarah").times_of_day == free


def test_another_zone_for_moving(visitor: Visitor):
    """The zone can be changed on the way, and the question and the result are in that zone."""
    slots = visitor.send(own_page(visitor), "Reschedule")
    zones = visitor.send(visitor.open(slots.link("Change time zone")), "Search", q="Kathmandu")
    slots = visitor.open(zones.link("Kathmandu, Nepal"))
    assert "Your time zone: Kathmandu · GMT+5:45" in slots.text
    question_page = visitor.open(next(iter(slots.times.values())))
    assert "Kathmandu" in question_page.text


def test_a_time_that_was_taken_meanwhile(any_visitor: Visitor, sandbox: Sandbox):
    """When somebody was quicker: said kindly, fresh times, and the booking stays as it was."""
    page = own_page(any_visitor, query=f"{FAR}&host=host_sarah")
    before = sandbox.bookings()[0]["starts"]
    question_page, _start = question(any_visitor, page)
    sandbox.faults.add("status", "reschedule", status=409)
    slots = any_visitor.send(question_page, "Reschedule")
    assert "just taken" in slots.alert
    assert slots.times
    assert sandbox.bookings()[0]["starts"] == before


def test_a_time_that_is_not_free_is_not_asked_about(visitor: Visitor):
    """A made-up, past or taken time leads back to the free ones."""
    page = own_page(visitor)
    for start in ("", "x", "20261209T000000Z", "20200101T000000Z", "00010101T000000Z", "99991231T235959Z"):
        slots = visitor.open(f"{page.url}reschedule/confirm/?start={start}")
        assert (slots.status, slots.heading) == (200, "Choose a new time"), start
        assert slots.times


def test_a_rejected_reschedule_is_explained(visitor: Visitor, sandbox: Sandbox):
    """Inside the business's notice Kordless rejects it: the page says so, and that nothing has changed."""
    page = own_page(visitor, "full-color", "?day=2026-12-02")
    before = sandbox.bookings()
    question_page, _start = question(visitor, page, "Friday, December 11, 2026")
    page = visitor.send(question_page, "Reschedule")
    assert (page.status, page.heading) == (422, "This booking can’t be rescheduled to that time")
    assert "Your booking is unchanged" in page.text
    assert sandbox.bookings() == before


def test_a_cut_move_tells_the_truth(any_visitor: Visitor, sandbox: Sandbox):
    """When the answer is lost, Kordless is asked where the booking is."""
    question_page, start = question(any_visitor, own_page(any_visitor))
    sandbox.faults.add("status", "reschedule", status=502, carried_out=True)
    assert "Your booking has been rescheduled." in any_visitor.send(question_page, "Reschedule").text
    assert sandbox.bookings()[0]["starts"] == start.timestamp()


def test_a_failed_move_is_not_called_done(visitor: Visitor, sandbox: Sandbox):
    """When nothing was carried out, no page claims that it was; a second try does it."""
    question_page, _start = question(visitor, own_page(visitor))
    sandbox.faults.add("status", "reschedule", status=502)
    page = visitor.send(question_page, "Reschedule")
    assert page.status == 503
    assert "Your booking has been rescheduled." not in page.text
    sandbox.faults.clear()
    assert "Your booking has been rescheduled." in visitor.send(question_page, "Reschedule").text


def test_a_time_of_one_booking_moves_no_other(visitor: Visitor, sandbox: Sandbox):
    """The chosen time is signed for one booking: under another's link it moves nothing."""
    one, other = own_page(visitor), own_page(visitor)
    _method, _action, fields = question(visitor, one)[0].form("Reschedule")
    page = visitor.open(f"{other.url}reschedule/confirm/", fields)
    assert page.heading == "Choose a new time"
    assert moves(sandbox) == 0


def test_a_changed_or_old_choice_leads_back(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """A tampered, missing or hours-old choice moves nothing."""
    page = own_page(visitor)
    question_page, _start = question(visitor, page)
    _method, action, fields = question_page.form("Reschedule")
    for token in ("", "x", fields["draft"][:-1], "x" * 5000):
        assert visitor.open(action, {"draft": token}).heading == "Choose a new time"
    clock.shift(7201)
    assert visitor.send(question_page, "Reschedule").heading == "Choose a new time"
    assert moves(sandbox) == 0


def test_a_canceled_booking_can_not_be_moved(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """Every page of moving says so, with the right status."""
    page = own_page(visitor)
    question_page, _start = question(visitor, page)
    sandbox.set_status(page.number, "canceled")
    clock.shift(VIEW_SECONDS + 1)
    for url in (f"{page.url}reschedule/", question_page.url):
        refused = visitor.open(url)
        assert (refused.status, refused.heading) == (409, "This booking can’t be rescheduled")
    assert visitor.send(question_page, "Reschedule").status == 409
    assert moves(sandbox) == 0


def test_absurd_choices_are_dropped(visitor: Visitor):
    """Host and party can't be changed, and nonsense is dropped, on these pages too."""
    page = own_page(visitor)
    slots = visitor.open(f"{page.url}reschedule/?host=host_miguel&party=9&tz=x&month=9999-99&day=0000-00-00&lang=tlh")
    assert (slots.status, slots.heading) == (200, "Choose a new time")
    assert slots.times
    assert "host=" not in "".join(slots.links().values())
    assert "party=" not in "".join(slots.links().values())


def test_the_service_is_gone(visitor: Visitor, sandbox: Sandbox, site: Settings, clock: Traveller):
    """A booking whose service was removed can't be moved, and that is said."""
    page = own_page(visitor)
    sandbox.faults.add("service_removed", service="haircut")
    clock.move_to(datetime(2026, 12, 3, 15, tzinfo=UTC))
    page = visitor.open(f"{page.url}reschedule/")
    assert (page.status, page.heading) == (404, "This service isn’t available")


def test_only_times_of_the_booking_s_own_host(any_visitor: Visitor, sandbox: Sandbox):
    """Kordless keeps the host, so nobody else's times are offered, and no address says whose they are."""
    page = own_page(any_visitor, query="?day=2026-12-09&tz=America/New_York&host=host_miguel")
    slots = any_visitor.open(f"{page.url.partition('?')[0]}reschedule/?day=2026-12-10")
    his = any_visitor.open("/book/haircut/?day=2026-12-10&tz=America/New_York&host=host_miguel").times_of_day
    everybodys = any_visitor.open("/book/haircut/?day=2026-12-10&tz=America/New_York").times_of_day
    assert slots.times_of_day == his != everybodys
    assert "host=" not in "".join(slots.links().values())
    question_page = any_visitor.open(list(slots.times.values())[-1])
    any_visitor.send(question_page, "Reschedule")
    [booking] = sandbox.bookings()
    assert booking["host_id"] == "host_miguel"
    assert booking["starts"] == start_of(list(slots.times.values())[-1]).timestamp()


def test_only_times_with_room_for_all(any_visitor: Visitor):
    """Those who booked for three are offered no time that has fewer places left."""
    page = own_page(any_visitor, "styling-class", "?party=3&tz=America/New_York")
    base = page.url.partition("?")[0]
    one, three, moving = (
        {day for month in ("2026-12", "2027-01") for day in any_visitor.open(f"{url}month={month}").days}
        for url in (
            "/book/styling-class/?tz=America/New_York&",
            "/book/styling-class/?tz=America/New_York&party=3&",
            f"{base}reschedule/?",
        )
    )
    assert moving == three
    assert three < one


def test_an_old_question_does_not_move_a_booking_back(any_visitor: Visitor, sandbox: Sandbox):
    """Two tabs ask about two times. After the first move, the other question is about a time that is gone."""
    page = own_page(any_visitor)
    first, start = question(any_visitor, page)
    second, _other = question(any_visitor, page, "Friday, December 11, 2026")
    any_visitor.send(first, "Reschedule")
    refused = any_visitor.send(second, "Reschedule")
    assert (refused.status, refused.heading) == (409, "Your booking was rescheduled in the meantime")
    assert "Thursday, December 10" in refused.text
    assert [booking["starts"] for booking in sandbox.bookings()] == [start.timestamp()]
    assert moves(sandbox) == 1
    # A new question is about the booking as it is now.
    again = any_visitor.open(next(iter(any_visitor.open(refused.link("Choose another time")).times.values())))
    assert "rescheduled" in any_visitor.send(again, "Reschedule").text
    assert moves(sandbox) == 2


def test_a_question_without_the_time_that_it_showed_moves_nothing(visitor: Visitor, sandbox: Sandbox):
    """The signed start can't be left out, made up, or taken from another booking's question."""
    other, _start = question(visitor, own_page(visitor))
    question_page, _start = question(
        visitor, own_page(visitor, query=FAR.replace("09", "10")), "Friday, December 11, 2026"
    )
    _method, action, fields = question_page.form("Reschedule")
    for shown in ("", "20261209T080000Z", other.form("Reschedule")[2]["shown"]):
        assert visitor.open(action, {**fields, "shown": shown}).heading == "Choose a new time"
    assert moves(sandbox) == 0


def test_a_page_says_moved_only_of_what_was_moved(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """Not for a link of anybody's making, not after the next move, and not for long."""
    page = own_page(any_visitor)
    manage = page.url.partition("?")[0]
    for made_up in ("moved", "canceled", "x", "1:2:3"):
        assert any_visitor.open(f"{manage}?done={made_up}").texts(".kb-notice") == []
    other = own_page(any_visitor, query="?day=2026-12-11&tz=Europe/Kyiv")
    done = any_visitor.send(question(any_visitor, page)[0], "Reschedule")
    assert any_visitor.open(done.url).texts(".kb-notice") == ["Your booking has been rescheduled."]
    assert "data-kb-event" in any_visitor.open(done.url).html
    proof = done.url.partition("?")[2]
    assert any_visitor.open(f"{other.url.partition('?')[0]}?{proof}").texts(".kb-notice") == []
    clock.shift(301)
    late = any_visitor.open(done.url)
    assert (late.texts(".kb-notice"), "data-kb-event" in late.html) == ([], False)
    moved = any_visitor.send(question(any_visitor, page, "Wednesday, December 16, 2026")[0], "Reschedule")
    any_visitor.send(question(any_visitor, page, "Thursday, December 17, 2026")[0], "Reschedule")
    assert any_visitor.open(moved.url).texts(".kb-notice") == []


def test_rescheduling_begins_where_the_booking_is(any_visitor: Visitor):
    """In its month, with its current time in one line, and its day marked for eyes and for screen readers."""
    page = own_page(any_visitor, query="?day=2027-01-13&tz=America/New_York")
    slots = any_visitor.send(page, "Reschedule")
    assert slots.texts(".kb-old") == ["Booked for Wed, Jan 13, 9:00 AM"]
    assert "Haircut" in slots.texts(".kb-facts")[0]
    [marked] = slots.tree.css("td .kb-booked")
    assert marked.text(deep=False).strip() == "13"
    assert (marked.attributes.get("aria-label") or marked.text()).endswith("your current day")
    elsewhere = any_visitor.open(slots.link("Earlier dates"))
    assert elsewhere.tree.css("td .kb-booked") == []
    assert elsewhere.texts(".kb-old") == slots.texts(".kb-old")


def test_a_booked_day_without_free_times_is_marked_too(visitor: Visitor, sandbox: Sandbox):
    """It is no link then, and says what it is."""
    page = own_page(visitor, query="?day=2026-12-09&tz=America/New_York&host=host_miguel")
    day = (datetime(2026, 12, 9, tzinfo=BUSINESS), datetime(2026, 12, 10, tzinfo=BUSINESS), "host_miguel")
    while free := sandbox.free("haircut", *day):
        sandbox.book_by_phone("haircut", free[0], "host_miguel")
    slots = visitor.send(page, "Reschedule")
    [marked] = slots.tree.css("td .kb-booked")
    assert marked.tag == "span"
    assert [node.text() for node in marked.css(".kb-sr")] == ["your current day"]


def test_the_times_of_a_new_booking_mark_no_day(visitor: Visitor):
    """Nothing is booked yet, whoever has rescheduled on the same page before."""
    page = own_page(visitor, query="?day=2026-12-09&tz=America/New_York")
    visitor.send(page, "Reschedule")
    times = visitor.open("/book/haircut/?day=2026-12-09&tz=America/New_York")
    assert times.tree.css(".kb-booked") == []
    assert "your current day" not in times.html
