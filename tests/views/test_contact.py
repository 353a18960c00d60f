"""The contact form: from a chosen time to a booking, whatever happens on the way."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlencode

import httpx
import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.api.session import wsgi_transport
from kordless_booking.forms import ContactForm
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Sandbox
from kordless_booking.views.abuse import HONEYPOT
from tests.support.clock import NOW
from tests.support.failing_database import refused_writes
from tests.support.visitor import HTMX, JANE, Page, Visitor, start_of, text_of

pytestmark = pytest.mark.django_db

FIRST = datetime(2026, 12, 1, 15, 30, tzinfo=UTC)
TYPED = {"name": "Zoë O'Neil", "email": "zoe@example.com", "phone": "+12125550123", "notes": "Two\r\nlines & <b>"}
assert TYPED.keys() == ContactForm.base_fields.keys(), (
    "give each field of the form a text here: the tests below fill in the whole form"
)


def fields(page: Page) -> dict[str, str]:
    """Return the values of the contact form's visible fields."""
    _method, _action, found = page.form("Book appointment")
    return {name: found[name] for name in TYPED}


def booked(sandbox: Sandbox) -> int:
    """Return the number of bookings."""
    return len(sandbox.bookings())


def creations(sandbox: Sandbox) -> int:
    """Return the number of requests for a booking that Kordless received."""
    return len([request for request in sandbox.requests if request.operation == "create"])


def take_first(sandbox: Sandbox) -> None:
    """Somebody books the first haircut by phone."""
    sandbox.book_by_phone("haircut", FIRST, "host_sarah")


@pytest.fixture
def unwritable() -> Iterator[None]:
    """A database that can only be read."""
    with refused_writes("INSERT", "UPDATE", "DELETE"):
        yield


def test_a_time_becomes_a_signed_draft(any_visitor: Visitor):
    """Clicking a time leads to the form, with the choice signed in the address so that a reload is the same form."""
    url = next(iter(any_visitor.open("/book/haircut/").times.values()))
    first = any_visitor.open(url)
    again = any_visitor.open(first.url)
    assert first.url != url
    assert first.heading == "Your details"
    assert first.form("Book appointment")[2]["draft"] == again.form("Book appointment")[2]["draft"]
    assert any_visitor.open(url).url != first.url


@pytest.mark.parametrize(
    ("headers", "responses", "address"),
    [({}, 2, False), (HTMX, 1, True), ({**HTMX, "HX-Target": "kb-inline-made-up"}, 1, False)],
    ids=["a whole page", "the widget's own page", "a page of the host's"],
)
def test_a_fragment_is_the_form_at_once(visitor: Visitor, headers: dict[str, str], responses: int, *, address: bool):
    """The redirect of a whole page would be a second request; a header says the address, and a host keeps its own."""
    visitor.headers = headers
    url = next(iter(visitor.open("/book/haircut/").times.values()))
    before = len(visitor.responses)
    form = visitor.open(url)
    assert form.heading == "Your details"
    assert len(visitor.responses) - before == responses
    assert ("HX-Push-Url" in form.response) == address
    [card] = form.tree.css("[data-kb-step]")
    shown = form.url if "draft=" in form.url else card.attributes["data-kb-address"] or ""
    assert form.form("Book appointment")[2]["draft"] in unquote(shown)


def test_the_form_of_an_old_draft_replaces_its_entry_of_the_history(any_visitor: Visitor, clock: Traveller):
    """A redirect, as Back has htmx replace the entry: one that is pushed each time would keep Back from leading on."""
    form = any_visitor.choose("haircut", "?day=2026-12-09")
    clock.shift(7300)
    old = any_visitor.once(form.url, **{"KB-Seen": "back"})
    assert (old.status, "HX-Push-Url" in old.response) == (303, False)
    assert any_visitor.open(old.response["Location"]).heading == "Your details"


def test_the_form_says_what_is_being_booked(any_visitor: Visitor):
    """Beside the form stand service, time with zone, place, host, length, price and policy."""
    page = any_visitor.choose("haircut", "?tz=Europe/Kyiv")
    [summary] = page.texts(".kb-summary")
    for words in (
        "Haircut",
        "Tuesday, December 1, 2026, 10:30 AM \u2013 11:30 AM local time New York · GMT-5",
        "5:30 PM \u2013 6:30 PM your time Kyiv · GMT+2",
        "123 Main Street",
        "With Sarah",
        "Duration 1 hr",
        "Price $45.00",
        "at least 24 hours ahead",
    ):
        assert words in summary


def test_the_way_back_stands_first_and_enter_books(any_visitor: Visitor):
    """It belongs to the form, to carry what was typed; the button that Enter presses, the form's first one, books."""
    page = any_visitor.choose()
    assert page.hrefs("main :is(a, button[formaction])")[0] == page.link("Choose another time")
    form = page.tree.css_first("form.kb-form")
    name = form.attributes["id"]
    first, back, *others = page.tree.css(f"button[form={name}], form.kb-form button")
    assert "formaction" not in first.attributes
    assert (first.attributes["tabindex"], first.attributes["aria-hidden"]) == ("-1", "true")
    assert text_of(back) == "Choose another time"
    assert [text_of(each) for each in others] == ["Book appointment"]


def test_the_summary_says_how_many_come(any_visitor: Visitor, sandbox: Sandbox):
    """A party stands in the summary and in the booking."""
    page = any_visitor.choose("styling-class", "?party=3")
    assert "3 people" in page.text
    page = any_visitor.send(page, "Book appointment", **JANE)
    assert "3 people" in page.text
    assert sandbox.bookings()[0]["party_size"] == 3


@pytest.mark.parametrize(
    ("price_per", "price"),
    [
        (None, "$30.00 (listed price)"),
        ("booking", "$30.00"),
        ("person", "$30.00 per person, $90.00 in total"),
    ],
)
def test_the_price_for_a_party_says_what_it_is_for(visitor: Visitor, site: Settings, price_per: str | None, price: str):
    """Beside three people, the page of times and the form say the same of the price."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "PRICE_PER": price_per}
    form = visitor.choose("styling-class", "?party=3")
    assert price in visitor.responses[0].texts(".kb-facts span")
    assert price in form.texts(".kb-summary dd")
    alone = visitor.choose("styling-class")
    assert "$30.00" in alone.texts(".kb-summary dd")


def test_fields_help_browsers_fill_them_in(visitor: Visitor):
    """Labels are tied to fields; autocomplete tokens and input types are those that browsers and phones know."""
    page = visitor.choose()
    found = {}
    for label in page.tree.css("label[for^=kb-]"):
        [field] = page.tree.css(f"#{label.attributes['for']}")
        found[label.text()] = field.attributes.get("autocomplete"), field.attributes.get("type")
    assert found["Name"] == ("name", "text")
    assert found["Email (or phone)"] == ("email", "email")
    assert found["Phone (or email)"] == ("tel", "tel")
    assert "Notes (optional)" in found
    keys = {
        name: page.tree.css_first(f"#kb-{name}").attributes.get("enterkeyhint") for name in ("name", "email", "phone")
    }
    assert keys == {"name": "next", "email": "next", "phone": "next"}


def test_booking_asks_kordless_once(any_visitor: Visitor, sandbox: Sandbox):
    """A filled-in form becomes one booking with the slot's own times, the visitor's zone, contact and notes."""
    page = any_visitor.choose("haircut", "?tz=Europe/Kyiv")
    page = any_visitor.send(page, "Book appointment", **TYPED)
    assert page.heading == "You’re booked"
    [booking] = sandbox.bookings()
    assert (booking["starts"], booking["ends"]) == (FIRST.timestamp(), FIRST.timestamp() + 3600)
    assert booking["timezone"] == "Europe/Kyiv"
    assert (booking["name"], booking["email"], booking["phone"]) == ("Zoë O'Neil", "zoe@example.com", "+12125550123")
    assert booking["notes"].splitlines() == ["Two", "lines & <b>"]
    assert creations(sandbox) == 1


WRONG = (
    ({"name": ""}, "Please enter your name."),
    ({"name": "   "}, "Please enter your name."),
    ({"email": "", "phone": ""}, "Please enter an email address or a phone number."),
    ({"email": "jane@"}, "Please check the email address"),
    ({"email": "", "phone": "123"}, "Please check the phone number."),
    ({"email": "", "phone": "not a phone"}, "Please check the phone number."),
    ({"name": "x" * 121}, "at most 120"),
    ({"notes": "x" * 1001}, "at most 1000"),
    ({"name": "Null\0byte"}, "Null characters"),
)


def test_errors_stand_beside_their_field(any_visitor: Visitor, sandbox: Sandbox):
    """A wrong field is said in a summary that links to it and beside it; the rest is kept and nothing is sent."""
    page = any_visitor.choose()
    for given, message_part in WRONG:
        filled = {**JANE, **given}
        page = any_visitor.send(page, "Book appointment", **filled)
        assert page.status == 422
        [(message, target)] = page.links("[role=alert] a").items()
        assert message_part in message
        field = page.tree.css_first(target)
        assert field.attributes["aria-invalid"] == "true"
        [described] = [page.tree.css_first(f"#{name}") for name in field.attributes["aria-describedby"].split()]
        assert message_part in described.text()
        assert fields(page)["email"] == filled["email"]
    assert creations(sandbox) == 0
    assert any_visitor.send(page, "Book appointment", **JANE).heading == "You’re booked"


def test_a_phone_alone_is_enough(any_visitor: Visitor, sandbox: Sandbox):
    """A phone as people write it is sent as E.164, in the site's default region."""
    page = any_visitor.book(email="", phone="(212) 555-0123")
    assert page.heading == "You’re booked"
    assert sandbox.bookings()[0]["phone"] == "+12125550123"
    assert "phone" in sandbox.bookings()[0]


def test_the_default_region_is_a_setting(site: Settings, client: Client, sandbox: Sandbox):
    """Another PHONE_REGION reads a national number of that country."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "PHONE_REGION": "DE"}
    Visitor(client).book(email="", phone="030 901820")
    assert sandbox.bookings()[0]["phone"] == "+4930901820"


def test_sending_twice_books_once(any_visitor: Visitor, sandbox: Sandbox):
    """The same form, sent again and again, is one booking and leads to the same confirmation."""
    form = any_visitor.choose()
    pages = [any_visitor.send(form, "Book appointment", **JANE) for _again in range(4)]
    assert len({page.number for page in pages}) == 1
    assert {page.heading for page in pages} == {"You’re booked"}
    assert (booked(sandbox), creations(sandbox)) == (1, 1)
    assert BookingAttempt.objects.count() == 1


def test_a_taken_time_leads_back_to_fresh_times(any_visitor: Visitor, sandbox: Sandbox):
    """When somebody was quicker: a kind word, fresh times around the day, and everything typed in the next form."""
    form = any_visitor.choose("haircut", "?tz=Europe/Kyiv")
    take_first(sandbox)
    page = any_visitor.send(form, "Book appointment", **TYPED)
    assert "just taken" in page.alert
    assert page.texts(".kb-times .kb-sub") == ["Tuesday, December 1"]
    assert "5:30 PM" not in page.times_of_day
    assert "Your time zone: Kyiv" in page.text
    page = any_visitor.open(next(iter(page.days.values())))
    page = any_visitor.open(page.link("24-hour clock"))
    page = any_visitor.open(next(iter(page.times.values())))
    assert fields(page) == TYPED
    assert any_visitor.send(page, "Book appointment").heading == "You’re booked"
    assert booked(sandbox) == 2


def test_what_was_typed_survives_the_zone_page(visitor: Visitor, sandbox: Sandbox):
    """Also by way of another time zone, nothing typed is lost."""
    form = visitor.choose()
    take_first(sandbox)
    page = visitor.send(form, "Book appointment", **TYPED)
    page = visitor.open(page.link("Change time zone"))
    page = visitor.send(page, "Search", q="Kathmandu")
    page = visitor.open(page.link("Kathmandu, Nepal"))
    page = visitor.open(next(iter(page.times.values())))
    assert fields(page) == TYPED


def test_a_time_that_is_gone_when_clicked(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """A link to a time that was free a moment ago says that it is taken."""
    url = next(iter(visitor.open("/book/haircut/").times.values()))
    take_first(sandbox)
    clock.shift(301)
    page = visitor.open(url)
    assert "just taken" in page.alert
    assert page.times


def test_choosing_another_time_keeps_what_was_typed(any_visitor: Visitor):
    """The way back from a form with an error carries what stands in it."""
    page = any_visitor.send(any_visitor.choose(), "Book appointment", **{**TYPED, "email": "wrong"})
    page = any_visitor.open(page.link("Choose another time"))
    page = any_visitor.open(next(iter(page.times.values())))
    assert fields(page) == {**TYPED, "email": "wrong"}


def test_long_foreign_texts_survive_a_taken_time(any_visitor: Visitor, sandbox: Sandbox):
    """The longest name in another script is kept, and so are 1,000 characters of notes."""
    name = "".join(chr(0x4E00 + 37 * number) for number in range(120))
    notes = "".join(chr(0x4E00 + 19 * number) for number in range(1000))
    form = any_visitor.choose()
    take_first(sandbox)
    page = any_visitor.send(form, "Book appointment", **{**TYPED, "name": name, "notes": notes})
    assert "just taken" in page.alert
    page = any_visitor.open(next(iter(page.times.values())))
    assert (fields(page)["name"], fields(page)["notes"]) == (name, notes)
    # On over another month, another clock and another zone: each of these pages keeps them too.
    page = any_visitor.open(any_visitor.open(page.link("Choose another time")).link("Later dates"))
    page = any_visitor.open(page.link("24-hour clock"))
    page = any_visitor.open(any_visitor.open(page.link("Change time zone")).link("Kathmandu"))
    page = any_visitor.open(next(iter(page.times.values())))
    assert (fields(page)["name"], fields(page)["notes"]) == (name, notes)
    assert "Kathmandu" in page.text
    assert max(len(each.url) for each in any_visitor.responses) < 4000


def test_an_old_form_goes_on_when_the_time_is_still_free(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """After hours the form is renewed with all that was typed; sending it again books."""
    form = any_visitor.choose("haircut", "?day=2026-12-09")
    clock.shift(7201)
    page = any_visitor.send(form, "Book appointment", **TYPED)
    assert page.status == 409
    assert "this time is still free" in page.alert
    assert fields(page) == TYPED
    assert creations(sandbox) == 0
    assert any_visitor.send(page, "Book appointment").heading == "You’re booked"


def test_an_old_form_for_a_taken_time_leads_back(visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """After hours, when the time is gone, fresh times and what was typed."""
    url = next(iter(visitor.open("/book/haircut/?day=2026-12-09&host=host_sarah").times.values()))
    form = visitor.open(url)
    clock.shift(7201)
    sandbox.book_by_phone("haircut", start_of(url), "host_sarah")
    page = visitor.send(form, "Book appointment", **TYPED)
    assert "just taken" in page.alert
    assert fields(visitor.open(next(iter(page.times.values())))) == TYPED


def test_an_old_address_goes_on_when_the_time_is_still_free(visitor: Visitor, clock: Traveller):
    """A bookmarked form of yesterday is a new form for the same time."""
    url = visitor.choose("haircut", "?day=2026-12-09").url
    clock.shift(86400)
    page = visitor.open(url)
    assert (page.status, page.heading) == (200, "Your details")
    assert page.url != url
    assert "Wednesday, December 9" in page.text


def test_a_changed_draft_is_rejected(visitor: Visitor, sandbox: Sandbox):
    """A draft that was changed books nothing; what was typed is kept on the way back to the times."""
    _method, action, given = visitor.choose().form("Book appointment")
    for token in (given["draft"][:-2], f"x{given['draft']}", "x" * 3000, "", "\0", "\N{SNOWMAN}:1:2"):
        page = visitor.open(action, {**given, **TYPED, "draft": token})
        assert page.heading == "Haircut"
        assert fields(visitor.open(next(iter(page.times.values())))) == TYPED
        assert visitor.open(f"/book/haircut/contact/?{urlencode({'draft': token})}").heading == "Haircut"
    assert creations(sandbox) == 0


def test_a_draft_is_for_its_own_service(visitor: Visitor, sandbox: Sandbox):
    """A draft of one service does not book another."""
    _method, _action, given = visitor.choose().form("Book appointment")
    page = visitor.open("/book/beard-trim/contact/", {**given, **JANE})
    assert page.heading == "Beard trim"
    assert creations(sandbox) == 0


def test_a_draft_is_for_its_own_account(two_accounts: Settings, client: Client, sandbox: Sandbox):
    """A draft that one business signed is rejected by the other."""
    south, north = Visitor(client, base="/south/"), Visitor(client, base="/north/")
    _method, _action, given = south.choose("haircut").form("Book appointment")
    page = north.open("/north/haircut/contact/", {**given, **JANE})
    assert page.status == 404
    assert creations(sandbox) == 0


def test_a_time_that_has_begun_is_not_sent(any_visitor: Visitor, sandbox: Sandbox, clock: Traveller):
    """A form that lay about until its time began leads back to later ones, with everything typed."""
    form = any_visitor.choose()
    clock.shift(timedelta(minutes=31))
    page = any_visitor.send(form, "Book appointment", **TYPED)
    assert page.times_of_day[0] == "11:00 AM"
    assert creations(sandbox) == 0
    assert fields(any_visitor.open(list(page.times.values())[1])) == TYPED


def test_a_start_that_is_no_free_time(visitor: Visitor):
    """A time that was never offered leads to those that are."""
    for start in ("", "x", "20261201", "00010101T000000Z", "99991231T235959Z", "20261201T1530%D9%A0%D9%A0Z"):
        page = visitor.open(f"/book/haircut/contact/?start={start}")
        assert (page.status, page.heading) == (200, "Haircut"), start
        assert page.times


def test_a_service_that_was_removed_meanwhile(any_visitor: Visitor, sandbox: Sandbox):
    """When Kordless says the service is gone, it is said, and it is gone from the list at once."""
    form = any_visitor.choose()
    sandbox.faults.add("service_removed", service="haircut")
    page = any_visitor.send(form, "Book appointment", **TYPED)
    assert (page.status, page.heading) == (404, "This service isn’t available")
    assert "Haircut" not in any_visitor.open(page.link("See all services")).text


def test_a_refusal_keeps_the_form(any_visitor: Visitor, sandbox: Sandbox):
    """When Kordless rejects the booking, the form comes back with everything typed, and can be sent again."""
    page = any_visitor.choose()
    for kind, options, status, message_part in (
        ("key_revoked", {}, 503, "Online booking is paused"),
        ("status", {"status": 400}, 422, "didn’t accept these details"),
        ("status", {"status": 422}, 422, "didn’t accept these details"),
    ):
        sandbox.faults.add(kind, "create", **options)
        page = any_visitor.send(page, "Book appointment", **TYPED)
        sandbox.faults.clear()
        assert page.status == status
        assert message_part in page.alert
        assert fields(page) == TYPED
    assert any_visitor.send(page, "Book appointment").heading == "You’re booked"
    assert booked(sandbox) == 1


def test_nothing_is_booked_when_it_cant_be_written_down(any_visitor: Visitor, sandbox: Sandbox, unwritable: None):
    """When the database can't be written, nothing is sent to Kordless, and the form stays with everything typed."""
    page = any_visitor.send(any_visitor.choose(), "Book appointment", **TYPED)
    assert page.status == 503
    assert "Please try again in a moment." in page.alert
    assert fields(page) == TYPED
    assert creations(sandbox) == 0


@pytest.mark.django_db(transaction=True)
def test_a_booking_is_not_denied_when_its_answer_cant_be_written_down(visitor: Visitor, sandbox: Sandbox):
    """When the database fails after Kordless was asked, the booking is confirmed nevertheless."""
    form = visitor.choose()
    with refused_writes("UPDATE"):
        page = visitor.send(form, "Book appointment", **TYPED)
    assert booked(sandbox) == 1
    assert "Nothing has been booked" not in page.text
    assert page.heading == "You’re booked"


def test_kordless_out_of_reach_keeps_the_form(site: Settings, client: Client, sandbox: Sandbox):
    """When Kordless can't be connected to, it is said that nothing was booked; later the same form books."""
    any_visitor, refused = Visitor(client), {"on": False}

    class Line(httpx.BaseTransport):
        """To the sandbox, or to nowhere."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if refused["on"]:
                raise httpx.ConnectError("connection refused", request=request)
            return reached.handle_request(request)

    reached = wsgi_transport(sandbox)
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "TRANSPORT": Line()}
    form = any_visitor.choose()
    refused["on"] = True
    page = any_visitor.send(form, "Book appointment", **TYPED)
    assert page.status == 503
    assert int(page.response["Retry-After"]) > 0
    assert "Nothing has been booked" in page.alert
    assert fields(page) == TYPED
    refused["on"] = False
    assert any_visitor.send(page, "Book appointment").heading == "You’re booked"


def test_a_too_big_form_is_rejected_with_a_page(visitor: Visitor):
    """A body beyond the site's limit gets a page with the right status."""
    page = visitor.open("/book/haircut/contact/", {"notes": "x" * 3_000_000})
    assert page.status in {400, 413}
    assert page.heading == "We couldn’t read your request"


def test_other_bodies_are_rejected_with_a_page(visitor: Visitor, sandbox: Sandbox):
    """JSON, broken multipart and thousands of fields book nothing and break nothing."""
    url = "/book/haircut/contact/"
    post = visitor.client.post
    assert post(url, '{"name": "x"}', content_type="application/json").status_code < 500
    broken = post(url, b"--x\r\nnothing", content_type="multipart/form-data; boundary=x")
    assert broken.status_code < 500
    assert post(url, b"x", content_type="multipart/form-data; boundary=").status_code == 400
    many = "&".join(f"f{number}=x" for number in range(2000))
    assert post(url, many, content_type="application/x-www-form-urlencoded").status_code == 400
    assert post(url, b"name=\xff\xfe%ff", content_type="application/x-www-form-urlencoded").status_code < 500
    assert creations(sandbox) == 0


def test_the_form_is_never_stored(visitor: Visitor):
    """From the form on, no cache keeps a page."""
    page = visitor.choose()
    assert page.response["Cache-Control"] == "no-store, private"
    assert page.response["Referrer-Policy"] == "same-origin"


def test_now_is_before_the_first_time():
    """The story of this file: the first free haircut is half an hour away."""
    assert timedelta(minutes=30) == FIRST - NOW


def test_a_filled_honeypot_keeps_out_no_visitor(any_visitor: Visitor, sandbox: Sandbox):
    """The form comes back with everything typed and without the field that a browser has filled in."""
    form = any_visitor.choose()
    [trap] = form.tree.css(f"[name={HONEYPOT}]")
    assert (trap.attributes["tabindex"], trap.attributes["autocomplete"]) == ("-1", "off")
    hidden = trap.parent.parent
    assert hidden.attributes["aria-hidden"] == "true"
    for word in ("url", "web", "site", "mail", "name", "phone", "address", "company", "city", "zip"):
        assert word not in f"{HONEYPOT} {text_of(hidden)}".lower()
    page = any_visitor.send(form, "Book appointment", **{**TYPED, HONEYPOT: "https://canary.example"})
    assert (page.status, sandbox.bookings()) == (422, [])
    assert "perhaps by your browser" in page.alert
    assert fields(page) == TYPED
    assert not page.tree.css(f"[name={HONEYPOT}]")
    assert any_visitor.send(page, "Book appointment").heading == "You’re booked"


def test_a_script_that_fills_in_every_field_stays_out(visitor: Visitor, sandbox: Sandbox):
    """It sends the same fields again and again."""
    form = visitor.choose()
    for _ in range(3):
        assert visitor.send(form, "Book appointment", **{**TYPED, HONEYPOT: "spam"}).status == 422
    assert sandbox.bookings() == []
