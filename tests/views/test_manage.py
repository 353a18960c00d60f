"""The customer's own page: found by number and contact or by a link, looked at, canceled."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from icalendar import Calendar
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.booking_cache import VIEW_SECONDS
from tests.support.booking_pages import find
from tests.support.visitor import JANE, Page, Visitor

pytestmark = pytest.mark.django_db

FAR = "?day=2026-12-09"
LOOKUP_FAILED = "We can’t find a booking with this number and this email or phone number."


def own_page(any_visitor: Visitor, service: str = "haircut", query: str = FAR) -> Page:
    """Book, and follow the manage link."""
    return any_visitor.open(any_visitor.book(service, query).link("Change or cancel"))


def canceled(sandbox: Sandbox) -> int:
    """Return the number of requests for a cancellation that Kordless received."""
    return len([request for request in sandbox.requests if request.operation == "cancel"])


@pytest.mark.parametrize("write", [str.upper, str.lower, lambda number: f"  {number[:4]} {number[4:].lower()} "])
def test_a_number_is_found_in_any_case(visitor: Visitor, write):
    """Upper, lower and with blanks: the confirmation number finds its booking."""
    number = visitor.book("haircut", FAR).number
    page = find(visitor, write(number), "jane@example.com")
    assert (page.status, page.heading, page.number) == (200, "Your booking", number)


@pytest.mark.parametrize(("between", "lookups"), [("_", 1), ("-", 2), (" ", 2), ("", 2)])
def test_a_number_is_found_without_its_underscore(visitor: Visitor, sandbox: Sandbox, between: str, lookups: int):
    """With another sign for it or none; what was typed is looked up first, because it may be a number as well."""
    number = visitor.book("haircut", FAR).number
    sandbox.clear_requests()
    page = find(visitor, number.replace("_", between), "jane@example.com")
    assert (page.heading, page.number) == ("Your booking", number)
    # The last is that of the booking's page.
    assert [request.operation for request in sandbox.requests] == ["lookup"] * (lookups + 1)


@pytest.mark.parametrize("contact", ["+1 212 555 0123", "(212) 555-0123", "+12125550123", "2125550123"])
def test_a_phone_is_found_as_people_write_it(visitor: Visitor, contact: str):
    """The phone may be written with or without country, blanks and brackets."""
    page = visitor.book("haircut", FAR, email="", phone="212-555-0123")
    assert find(visitor, page.number, contact).heading == "Your booking"


def test_an_email_with_a_plus_is_found(visitor: Visitor):
    """An email with characters that have a meaning in URLs still finds its booking."""
    email = "jane+tag&x=1@example.com"
    page = visitor.book("haircut", FAR, email=email)
    assert find(visitor, page.number, email).heading == "Your booking"


def neutral(page: Page, *typed: str) -> str:
    """The page without what the visitor typed and without the request's id."""
    html = page.html
    for text in (*typed, page.response["X-Request-ID"]):
        html = html.replace(text, "…")
    return html


def test_wrong_number_and_wrong_contact_look_the_same(any_visitor: Visitor, sandbox: Sandbox):
    """Nobody learns which of the two was wrong, or that a booking exists: same page, same status, same headers."""
    number = any_visitor.book("haircut", FAR).number
    answers = []
    for given, contact in (
        ("BOOK_ZZZZZZZZ", "jane@example.com"),
        (number, "else@example.com"),
        (number, "+12125550199"),
        (number, "not a contact"),
        ("?!", "jane@example.com"),
        ("../../bookings", "jane@example.com"),
        ("é" * 20, "jane@example.com"),
    ):
        page = find(any_visitor, given, contact)
        assert page.status == 404
        assert LOOKUP_FAILED in page.alert
        headers = {
            name: value for name, value in page.response.items() if name not in {"X-Request-ID", "Content-Length"}
        }
        answers.append((neutral(page, f'value="{given}"', f'value="{contact}"'), headers))
    assert all(answer == answers[0] for answer in answers)


def test_another_business_number_is_not_found(two_accounts: Settings, client: Client):
    """A number is looked up for the business that it belongs to; the other's page says it finds nothing."""
    number = Visitor(client, base="/south/").book("haircut", FAR).number
    assert find(Visitor(client), number, "jane@example.com", "/south/manage/").heading == "Your booking"
    assert find(Visitor(client), number, "jane@example.com", "/north/manage/").status == 404


def test_an_incomplete_lookup_says_what_is_missing(visitor: Visitor, sandbox: Sandbox):
    """Empty fields are said beside them, and nothing is asked."""
    page = find(visitor, "", "")
    assert page.status == 422
    assert [*page.links("[role=alert] a")] == [
        "Please enter the confirmation number.",
        "Please enter the email address or phone number that you booked with.",
    ]
    assert not [request for request in sandbox.requests if request.operation == "lookup"]


def test_a_lookup_can_be_tried_again_in_an_outage(visitor: Visitor, sandbox: Sandbox):
    """When Kordless doesn't answer, that is said, and what was typed stays."""
    sandbox.faults.add("status", "lookup", status=500)
    page = find(visitor, "BOOK_AAAAAAAA", "jane@example.com")
    assert page.status == 503
    assert int(page.response["Retry-After"]) > 0
    assert "can’t reach the booking system" in page.alert
    _method, _action, given = page.form("Find booking")
    assert (given["number"], given["contact"]) == ("BOOK_AAAAAAAA", "jane@example.com")


def test_the_number_can_be_guessed_a_few_times_only(visitor: Visitor, site: Settings):
    """After a few wrong tries from one address there is a pause, said with its length."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOOKUPS_PER_ADDRESS": 3}
    pages = [find(visitor, f"BOOK_AAAAAAA{number}", "jane@example.com") for number in range(5)]
    assert [page.status for page in pages] == [404, 404, 404, 429, 429]
    assert "Too many attempts" in pages[-1].text
    assert int(pages[-1].response["Retry-After"]) > 0


@pytest.mark.parametrize("status", [429, 503])
def test_who_cannot_look_a_booking_up_for_a_while_is_told_how_to_reach_the_business(
    visitor: Visitor, site: Settings, sandbox: Sandbox, status: int
):
    """After too many tries, for up to an hour, and in an outage. A mistyped number gets no such line."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOOKUPS_PER_ADDRESS": 1, "SUPPORT_PHONE": "+1 212 555 0100"}
    if status == 429:
        assert "555 0100" not in find(visitor, "BOOK_AAAAAAAA", "jane@example.com").text
    else:
        sandbox.faults.add("status", "lookup", status=500)
    page = find(visitor, "BOOK_AAAAAAAA", "jane@example.com")
    assert page.status == status
    assert "You can also reach us directly: +1 212 555 0100" in page.text


def test_the_page_says_everything(any_visitor: Visitor):
    """The page shows service, status, times with zones, place, policy, calendars, and two real buttons."""
    page = own_page(any_visitor, query="?day=2026-12-09&tz=Europe/Kyiv")
    for words in (
        "Haircut",
        "Status Confirmed",
        "Wednesday, December 9, 2026",
        "your time Kyiv · GMT+2",
        "local time New York · GMT-5",
        "123 Main Street",
        "at least 24 hours ahead",
    ):
        assert words in page.text, words
    assert {"Apple (.ics)", "Google (opens in a new tab)"} <= page.links().keys()
    assert page.form("Cancel booking")[0] == "get"
    assert page.form("Reschedule")[0] == "get"


def test_for_you_is_shown_in_the_visitors_zone_alone(any_visitor: Visitor):
    """A booking found by its number names its zone, on each page after it; a zone in the address is the reader's."""
    number = any_visitor.book("haircut", "?day=2026-12-09&tz=Europe/Kyiv&hours=24&clock=visitor").number
    page = find(any_visitor, number, "jane@example.com")
    assert page.texts(".kb-summary dd strong") == [
        "Tuesday, December 8, 2026, 5:00 PM \u2013 6:00 PM local time",
        "Wednesday, December 9, 2026, 12:00 AM \u2013 1:00 AM",
    ]
    assert page.texts(".kb-summary dd small") == ["New York · GMT-5", "Kyiv · GMT+2"]
    slots = any_visitor.send(page, "Reschedule")
    assert slots.texts(".kb-old") == ["Booked for Tue, Dec 8, 5:00 PM"]
    assert "Times in New York. It’s 7 hours later in Kyiv." in slots.text
    slots = any_visitor.open(slots.days["Thursday, December 10, 2026"])
    assert [*slots.times] == slots.times_of_day
    [step] = slots.tree.css("[data-kb-step]")
    assert "data-kb-detect-zone" in step.attributes
    question = any_visitor.open(next(iter(slots.times.values())))
    assert question.texts(".kb-was strong") == page.texts(".kb-summary dd strong")
    cancel = any_visitor.send(page, "Cancel booking")
    done = any_visitor.send(cancel, "Cancel booking")
    for each in (page, slots, question, cancel, done):
        assert "your time" not in each.text
    theirs = any_visitor.open(f"{page.url}?tz=Asia/Tokyo")
    assert "Wednesday, December 9, 2026, 7:00 AM \u2013 8:00 AM your time Tokyo · GMT+9" in theirs.text


def test_a_zone_that_was_chosen_stays_on_the_bookings_pages(any_visitor: Visitor, sandbox: Sandbox):
    """From the times to move to back to the booking; and from the times of a service to the page that finds one."""
    number = any_visitor.book("haircut", "?day=2026-12-09&tz=Europe/Kyiv").number
    page = find(any_visitor, number, "jane@example.com")
    slots = any_visitor.open(f"{page.url}reschedule/?tz=Asia/Tokyo&day=2026-12-10")
    assert "Times in New York. You’re 14 hours ahead." in slots.text
    question = any_visitor.open(next(iter(slots.times.values())))
    assert "your time Tokyo · GMT+9" in question.text
    done = any_visitor.send(question, "Reschedule")
    assert "Your booking has been rescheduled." in done.text
    assert "your time Tokyo · GMT+9" in done.text
    assert sandbox.bookings()[0]["timezone"] == "Asia/Tokyo"
    times = any_visitor.open("/book/haircut/?tz=Asia/Tokyo")
    found = find(any_visitor, number, "jane@example.com", times.link("Change or cancel a booking"))
    assert "your time Tokyo · GMT+9" in found.text


def test_a_manage_link_works_for_months_and_then_no_more(visitor: Visitor, site: Settings, clock: Traveller):
    """The link leads straight to the booking until MANAGE_LINK_DAYS are over."""
    link = visitor.book("haircut", FAR).link("Change or cancel")
    clock.shift(timedelta(days=399))
    page = visitor.open(link)
    assert (page.status, page.heading) == (200, "Your booking")
    assert "Cancel booking" not in page.text
    clock.shift(timedelta(days=2))
    page = visitor.open(link)
    assert (page.status, page.heading) == (404, "This link doesn’t work")
    assert page.link("Find a booking") == "/book/manage/"


def test_a_found_page_lasts_for_hours_only(visitor: Visitor, clock: Traveller):
    """A page found by number stays open for two hours: it may be somebody else's computer."""
    number = visitor.book("haircut", FAR).number
    page = find(visitor, number, "jane@example.com")
    clock.shift(timedelta(hours=1, minutes=59))
    assert visitor.open(page.url).status == 200
    clock.shift(timedelta(minutes=2))
    assert visitor.open(page.url).status == 404


def test_nothing_personal_stands_in_a_link(visitor: Visitor):
    """Neither number nor contact can be read in any address on the way."""
    page = own_page(visitor)
    find(visitor, page.number, "jane@example.com")
    for url in visitor.urls:
        assert not re.search(r"jane|example\.com|BOOK_", url), url


@pytest.mark.parametrize("change", ["Cancel booking", "Reschedule"])
def test_the_same_form_sent_again_later_leads_to_the_live_booking(
    any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, change: str
):
    """An old tab must not say "You’re booked" when the booking was canceled or moved since."""
    form = any_visitor.choose("haircut", FAR)
    own = any_visitor.open(any_visitor.send(form, "Book appointment", **JANE).link("Change or cancel"))
    page = any_visitor.send(own, change)
    if change == "Reschedule":
        page = any_visitor.open(list(page.times.values())[-1])
    any_visitor.send(page, change)
    clock.shift(90)
    again = any_visitor.send(form, "Book appointment", **JANE)
    assert again.heading == ("Booking canceled" if change == "Cancel booking" else "Your booking")
    assert len(sandbox.bookings()) == 1


def test_a_canceled_booking_leads_to_a_new_one_and_asks_for_no_notice(any_visitor: Visitor):
    """The policy says how to cancel, which is done; the page is no dead end, also when it is opened again later."""
    page, policy = own_page(any_visitor), "at least 24 hours ahead"
    assert policy in page.text
    done = any_visitor.send(any_visitor.send(page, "Cancel booking"), "Cancel booking")
    for shown in (done, any_visitor.open(page.url)):
        assert policy not in shown.text
        assert any_visitor.open(shown.link("Book again")).heading == "Haircut"


def test_canceling_asks_once(any_visitor: Visitor, sandbox: Sandbox):
    """One page asks, one button does it, and the booking says so from then on."""
    page = own_page(any_visitor)
    question = any_visitor.send(page, "Cancel booking")
    assert question.heading == "Cancel this booking?"
    assert "at least 24 hours ahead" in question.text
    assert any_visitor.open(question.link("Keep booking")).heading == "Your booking"
    assert canceled(sandbox) == 0
    done = any_visitor.send(question, "Cancel booking")
    assert done.heading == "Booking canceled"
    assert done.texts(".kb-notice, .kb-status") == []
    assert sandbox.bookings()[0]["status"] == "canceled"
    assert "Reschedule" not in done.texts("button")


def test_canceling_frees_the_time_at_once(visitor: Visitor):
    """The time of a canceled booking can be booked again without delay."""
    before = visitor.open(f"/book/haircut/{FAR}&host=host_sarah").times_of_day
    page = own_page(visitor, query=f"{FAR}&host=host_sarah")
    assert visitor.open(f"/book/haircut/{FAR}&host=host_sarah").times_of_day != before
    visitor.send(visitor.send(page, "Cancel booking"), "Cancel booking")
    assert visitor.open(f"/book/haircut/{FAR}&host=host_sarah").times_of_day == before


def test_canceling_twice_is_harmless(any_visitor: Visitor, sandbox: Sandbox):
    """A second press, a reload and an old page all end at the canceled booking; Kordless is asked once."""
    question = any_visitor.send(own_page(any_visitor), "Cancel booking")
    for _again in range(3):
        page = any_visitor.send(question, "Cancel booking")
        assert (page.status, page.heading) == (200, "Booking canceled")
    assert any_visitor.open(question.url).heading == "Booking canceled"
    assert canceled(sandbox) == 1


def test_looking_changes_nothing(visitor: Visitor, sandbox: Sandbox):
    """Every page of a booking can be fetched by a mail scanner, with GET, HEAD and OPTIONS."""
    page = own_page(visitor)
    before = sandbox.bookings()
    for tail in ("", "cancel/", "reschedule/", "reschedule/confirm/", "reschedule/zone/", "booking.ics"):
        for method in (visitor.client.get, visitor.client.head, visitor.client.options):
            assert method(page.url + tail, headers=visitor.headers).status_code < 400, tail
    slots = visitor.open(f"{page.url}reschedule/")
    visitor.open(next(iter(slots.times.values())))
    assert sandbox.bookings() == before
    assert {request.operation for request in sandbox.requests} <= {
        "organization",
        "service",
        "availability",
        "create",
        "lookup",
    }


def test_a_cut_cancel_tells_the_truth(any_visitor: Visitor, sandbox: Sandbox):
    """When the answer to a cancellation is lost, Kordless is asked what became of it."""
    question = any_visitor.send(own_page(any_visitor), "Cancel booking")
    sandbox.faults.add("status", "cancel", status=502, carried_out=True)
    assert any_visitor.send(question, "Cancel booking").heading == "Booking canceled"


def test_a_failed_cancel_is_not_called_done(any_visitor: Visitor, sandbox: Sandbox):
    """When nothing was carried out, no page claims that it was; a second try does it."""
    question = any_visitor.send(own_page(any_visitor), "Cancel booking")
    sandbox.faults.add("status", "cancel", status=502)
    page = any_visitor.send(question, "Cancel booking")
    assert page.status == 503
    assert page.heading == "Cancel this booking?"
    assert "Status Confirmed" in page.text
    sandbox.faults.clear()
    assert any_visitor.send(question, "Cancel booking").heading == "Booking canceled"


def test_a_rejected_cancellation_is_explained(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """Inside the business's notice Kordless rejects it: the page says so, and that nothing has changed."""
    page = visitor.book("full-color", "?day=2026-12-02")
    page = visitor.open(page.link("Change or cancel"))
    page = visitor.send(visitor.send(page, "Cancel booking"), "Cancel booking")
    assert (page.status, page.heading) == (422, "This booking can’t be canceled online")
    assert "Your booking is unchanged" in page.text
    assert sandbox.bookings()[0]["status"] == "confirmed"


def test_a_deleted_booking_is_explained(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """A link to a booking that Kordless doesn't know anymore says so and leads to the lookup."""
    page = own_page(visitor)
    clock.shift(VIEW_SECONDS + 1)
    sandbox.faults.add("status", "lookup", status=404)
    page = visitor.open(page.url)
    assert (page.status, page.heading) == (404, "Booking not found")
    assert visitor.open(page.link("Find a booking")).heading == "Find your booking"


def test_a_past_booking_can_not_be_changed(visitor: Visitor, clock: Traveller):
    """A booking that has begun can be viewed; its buttons are gone, and old pages of it explain themselves."""
    page = own_page(visitor)
    clock.shift(timedelta(days=9))
    again = visitor.open(page.url)
    assert not {"Cancel booking", "Reschedule"} & set(again.texts("button"))
    assert visitor.open(f"{page.url}reschedule/").heading == "This booking can’t be rescheduled"


def test_calendar_files_replace_each_other(visitor: Visitor, clock: Traveller):
    """The file has the same identity as before and a higher sequence, and says when it is canceled."""
    page = own_page(visitor)
    first = Calendar.from_ical(visitor.client.get(page.link("Apple (.ics)")).content).walk("VEVENT")[0]
    clock.shift(timedelta(minutes=5))
    page = visitor.send(visitor.send(page, "Cancel booking"), "Cancel booking")
    url = f"{page.url.partition('?')[0]}booking.ics"
    second = Calendar.from_ical(visitor.client.get(url).content).walk("VEVENT")[0]
    assert first["UID"] == second["UID"]
    assert second["SEQUENCE"] > first["SEQUENCE"]
    assert second["STATUS"] == "CANCELLED"


def test_hours_and_language_stay(visitor: Visitor):
    """The chosen hours and language stay on all pages of a booking, also through its buttons."""
    page = own_page(visitor, query=f"{FAR}&hours=24&lang=en")
    for button in ("Cancel booking", "Reschedule"):
        onward = visitor.send(page, button)
        assert onward.query.items() >= {"hours": "24", "lang": "en"}.items()


def test_the_business_may_fall_silent_about_the_service(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """A booking is shown and can be canceled although its service was removed."""
    page = own_page(visitor)
    sandbox.faults.add("service_removed", service="haircut")
    clock.shift(timedelta(days=2))
    page = visitor.open(page.url)
    assert (page.status, "Haircut" in page.text) == (200, True)
    page = visitor.send(visitor.send(page, "Cancel booking"), "Cancel booking")
    assert page.heading == "Booking canceled"


def test_the_contact_stays_out_of_the_page(visitor: Visitor):
    """A manage page shows no e-mail and no name: the link may have been forwarded."""
    page = own_page(visitor)
    assert JANE["email"] not in page.html
    assert JANE["name"] not in page.html


def test_a_booking_that_was_moved_meanwhile_is_not_canceled_unseen(any_visitor: Visitor, sandbox: Sandbox):
    """The question comes again with the new time, and canceling that one works."""
    page = own_page(any_visitor)
    question = any_visitor.send(page, "Cancel booking")
    slots = any_visitor.open(next(iter(any_visitor.send(page, "Reschedule").days.values())))
    any_visitor.send(any_visitor.open(list(slots.times.values())[-1]), "Reschedule")
    again = any_visitor.send(question, "Cancel booking")
    assert (again.status, canceled(sandbox)) == (409, 0)
    assert "was rescheduled after you opened this page" in again.alert
    assert any_visitor.send(again, "Cancel booking").heading == "Booking canceled"


def test_an_old_link_does_not_cancel_again_in_the_event_of_the_page_around(any_visitor: Visitor, sandbox: Sandbox):
    """Only the page of the cancellation itself tells the page around it, and only for minutes."""
    question = any_visitor.send(own_page(any_visitor), "Cancel booking")
    first, second = any_visitor.send(question, "Cancel booking"), any_visitor.send(question, "Cancel booking")
    assert 'data-kb-event="cancelled"' in first.html
    assert "data-kb-event" not in second.html
    assert "data-kb-event" not in any_visitor.open(f"{first.url.partition('?')[0]}?done=canceled").html


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ({"email": "canary@example.com"}, "c…@example.com"),
        ({"email": "", "phone": "+1 212-555-0147"}, "…47"),
    ],
)
def test_the_confirmation_names_whom_it_is_for(any_visitor: Visitor, typed: dict[str, str], shown: str):
    """Masked: the visitor knows their address again, and whoever sees the page doesn't learn it."""
    page = any_visitor.book(**typed)
    assert f"Email or phone {shown}" in page.text
    assert "canary@" not in page.html
    assert "0147" not in page.html
