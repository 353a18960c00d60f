"""CONTACT_FIELDS and SERVICES: the form asks for what the site says, on every way that a booking takes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from kordless_booking.mail.outbox import send_due
from kordless_booking.models import BookingAttempt, OutgoingMail
from kordless_booking.sandbox import Sandbox
from tests.support.booking_pages import find, rows
from tests.support.mail_settings import MAIL
from tests.support.visitor import JANE, Page, Visitor, start_of

pytestmark = pytest.mark.django_db

PHONE = "+12125550123"
SPLIT = {"name": "first_last", "phone": "hidden", "notes": "hidden"}
ADA = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com"}


def configure(site: Settings, fields: dict[str, str], services: dict[str, dict[str, str]] | None = None) -> None:
    """Let the site ask for these fields, and single services for others."""
    own = {slug: {"CONTACT_FIELDS": value} for slug, value in (services or {}).items()}
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "CONTACT_FIELDS": fields, "SERVICES": own}


def typed(page: Page) -> dict[str, str]:
    """Return the fields that the contact form shows, with their values."""
    names = [node.attributes["name"] or "" for node in page.tree.css(".kb-field [name]")]
    found = page.form("Book appointment")[2]
    return {name: found[name] for name in names}


def sent_bodies(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return the bodies of the requests to create a booking, in order."""
    return [json.loads(request.body) for request in sandbox.requests if request.operation == "create"]


def without_tokens(page: Page) -> str:
    """Return the page without what is another one each time: signed and encrypted tokens, and ids of requests."""
    return re.sub(r"[\w:=%-]{24,}", "token", page.html)


def test_the_default_written_out_changes_no_byte_of_any_page(visitor: Visitor, site: Settings):
    """Of the form, a form with errors, the confirmation and the lookup form; a service's own setting likewise."""

    def pages() -> list[str]:
        form, other = visitor.choose(), visitor.choose("late-advice")
        wrong = visitor.send(form, "Book appointment", name="", email="", phone="1")
        lookup = visitor.open("/book/manage/")
        missing = visitor.send(lookup, "Find booking", number="", contact="")
        unknown = find(visitor, "BOOK_NONE")
        return [without_tokens(page) for page in (form, other, wrong, lookup, missing, unknown)]

    before = pages()
    default = {"email": "optional", "phone": "optional", "notes": "optional", "name": "full"}
    configure(site, default, {"haircut": default, "late-advice": {}, "unknown": {"email": "optional"}})
    assert pages() == before


def test_a_site_may_ask_for_the_email_alone(any_visitor: Visitor, sandbox: Sandbox, site: Settings):
    """The form, what is sent, and the form that finds the booking have no phone and no notes."""
    configure(site, {"phone": "hidden", "notes": "hidden"})
    page = any_visitor.choose()
    assert page.texts(".kb-label") == ["Name", "Email"]
    page = any_visitor.send(page, "Book appointment", name="Jane Doe", email="")
    assert page.links("[role=alert] a") == {"Please enter your email address.": "#kb-email"}
    page = any_visitor.send(page, "Book appointment", email="jane@example.com")
    assert page.heading == "You’re booked"
    assert rows(page)["Email"] == "j…@example.com"
    [body] = sent_bodies(sandbox)
    assert body["contact"] == {"name": "Jane Doe", "email": "jane@example.com"}
    assert "notes" not in body
    lookup = any_visitor.open("/book/manage/")
    assert lookup.texts(".kb-label") == ["Confirmation number", "Email"]
    assert "the confirmation number and the email address that you booked with" in lookup.text
    assert (
        "this number and this email address. Please check both."
        in find(any_visitor, page.number, "x@example.com").alert
    )
    assert find(any_visitor, page.number).heading == "Your booking"


def test_a_site_may_ask_for_the_phone_alone(any_visitor: Visitor, sandbox: Sandbox, site: Settings):
    """Nobody gets mail; the number to keep is shown, and the phone proves who reschedules and cancels."""
    configure(site, {"email": "hidden"})
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **MAIL}
    page = any_visitor.choose("haircut", "?day=2026-12-09")
    assert page.texts(".kb-label") == ["Name", "Phone", "Notes (optional)"]
    page = any_visitor.send(page, "Book appointment", name="Jane Doe", phone="")
    assert page.links("[role=alert] a") == {"Please enter your phone number.": "#kb-phone"}
    page = any_visitor.send(page, "Book appointment", phone="(212) 555-0123 ext. 9", notes="Ring twice")
    assert page.heading == "You’re booked"
    assert "Keep this number" in page.text
    assert rows(page)["Phone"] == "…23"
    [body] = sent_bodies(sandbox)
    assert body["contact"] == {"name": "Jane Doe", "phone": PHONE}
    assert body["notes"] == "Ring twice\nPhone extension: 9"
    assert not OutgoingMail.objects.exists()
    lookup = any_visitor.open("/book/manage/")
    assert lookup.texts(".kb-label") == ["Confirmation number", "Phone"]
    field = lookup.tree.css_first("#kb-contact")
    assert (field.attributes["autocomplete"], field.attributes["inputmode"]) == ("tel", "tel")
    assert (
        "this number and this phone number. Please check both." in find(any_visitor, page.number, "+12125550199").alert
    )
    booking = find(any_visitor, page.number, "212.555.0123")
    assert booking.heading == "Your booking"
    times = any_visitor.send(booking, "Reschedule")
    moved = any_visitor.send(any_visitor.open(next(iter(times.times.values()))), "Reschedule")
    assert "has been rescheduled" in moved.text
    canceled = any_visitor.send(any_visitor.send(moved, "Cancel booking"), "Cancel booking")
    assert "canceled" in canceled.heading
    assert [row["status"] for row in sandbox.bookings()] == ["canceled"]
    assert not OutgoingMail.objects.exists()


def test_a_service_asks_for_what_its_own_setting_says(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """Over the account's; a call always asks for the number, and bookings are found by what any service asks for."""
    configure(
        site,
        {"email": "required", "phone": "hidden"},
        {"haircut": {"phone": "required", "notes": "required"}, "beard-trim": {"notes": "hidden"}},
    )
    assert visitor.choose("beard-trim").texts(".kb-label") == ["Name", "Email"]
    assert visitor.choose("full-color").texts(".kb-label") == ["Name", "Email", "Notes (optional)"]
    call = visitor.choose("late-advice")
    assert call.texts(".kb-label") == ["Name", "Email", "Phone", "Notes (optional)"]
    assert "please enter the number to call" in call.text
    page = visitor.choose("haircut")
    assert page.texts(".kb-label") == ["Name", "Email", "Phone", "Notes"]
    page = visitor.send(page, "Book appointment", **JANE)
    assert list(page.links("[role=alert] a")) == ["Please enter your phone number.", "Please fill in the notes."]
    page = visitor.send(page, "Book appointment", phone=PHONE, notes="Two kids")
    assert page.heading == "You’re booked"
    assert "Email or phone" in visitor.open("/book/manage/").text
    assert find(visitor, page.number, PHONE).heading == "Your booking"


def test_a_name_in_two_parts_is_sent_as_one(any_visitor: Visitor, sandbox: Sandbox, site: Settings):
    """Browsers and host pages fill in each part, which stand beside each other."""
    configure(site, SPLIT)
    page = any_visitor.choose()
    assert page.texts(".kb-pair .kb-label") == ["First name", "Last name"]
    fields = {
        node.attributes["name"]: (node.attributes["data-kb-prefill"], node.attributes["autocomplete"])
        for node in page.tree.css("[data-kb-prefill]")
    }
    assert fields == {
        "first_name": ("prefillFirstName", "given-name"),
        "last_name": ("prefillLastName", "family-name"),
        "email": ("prefillEmail", "email"),
    }
    page = any_visitor.send(page, "Book appointment", **{**ADA, "last_name": ""})
    assert list(page.links("[role=alert] a").values()) == ["#kb-last_name"]
    assert typed(page) == {**ADA, "last_name": ""}
    assert any_visitor.send(page, "Book appointment", last_name="Lovelace").heading == "You’re booked"
    assert [body["contact"]["name"] for body in sent_bodies(sandbox)] == ["Ada Lovelace"]


def test_the_same_form_in_another_language_is_the_same_booking(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """Where the family name comes first on the page, the name that is sent stays the same."""
    configure(site, SPLIT)
    _method, action, given = visitor.choose().form("Book appointment")
    english = visitor.open(action, {**given, **ADA})
    japanese = visitor.open(f"{action}{'&' if '?' in action else '?'}lang=ja", {**given, **ADA})
    assert english.number
    assert japanese.number == english.number
    assert japanese.heading != english.heading
    assert len(sent_bodies(sandbox)) == 1
    assert BookingAttempt.objects.count() == 1


def test_what_was_typed_is_kept_over_a_conflict_with_any_fields(
    any_visitor: Visitor, sandbox: Sandbox, site: Settings, caplog: pytest.LogCaptureFixture
):
    """Both parts of the name, and a phone number that only this service asks for; no address and no log has them."""
    configure(site, {"name": "first_last", "phone": "hidden"}, {"haircut": {"phone": "required"}})
    url = next(iter(any_visitor.open("/book/haircut/?day=2026-12-09&host=host_sarah").times.values()))
    form = any_visitor.open(url)
    sandbox.book_by_phone("haircut", start_of(url), "host_sarah")
    answers = {**ADA, "phone": PHONE, "notes": "Two\r\nlines"}
    page = any_visitor.send(form, "Book appointment", **answers)
    assert (page.status, "just taken" in page.alert) == (409, True)
    page = any_visitor.open(next(iter(page.times.values())))
    assert typed(page) == answers
    assert not any("Lovelace" in visited or "2125550123" in visited for visited in any_visitor.urls)
    assert any_visitor.send(page, "Book appointment").heading == "You’re booked"
    assert "Lovelace" not in caplog.text
    assert "2125550123" not in caplog.text


def test_a_name_that_was_typed_into_one_field_is_kept_in_the_first_of_two(
    visitor: Visitor, sandbox: Sandbox, site: Settings
):
    """When the setting changes while a form is open, the visitor sees it all and moves the last name."""
    url = next(iter(visitor.open("/book/haircut/?day=2026-12-09&host=host_sarah").times.values()))
    form = visitor.open(url)
    sandbox.book_by_phone("haircut", start_of(url), "host_sarah")
    page = visitor.send(form, "Book appointment", **{**JANE, "name": "Ada Lovelace"})
    configure(site, SPLIT)
    page = visitor.open(next(iter(page.times.values())))
    assert typed(page) == {"first_name": "Ada Lovelace", "last_name": "", "email": JANE["email"]}


def test_kordless_may_want_a_contact_that_the_site_hides(any_visitor: Visitor, sandbox: Sandbox, site: Settings):
    """The field is shown then, with all that was typed, also after a further error; the booking succeeds."""
    configure(site, {"phone": "hidden", "notes": "hidden"})
    sandbox.faults.add("contact_required", "create")
    form = any_visitor.choose()
    page = any_visitor.send(form, "Book appointment", name="Jane Doe", email="jane@example.com")
    assert page.status == 422
    assert page.links("[role=alert] a") == {"The booking system also needs your phone number.": "#kb-phone"}
    assert typed(page) == {"name": "Jane Doe", "email": "jane@example.com", "phone": ""}
    assert page.tree.css_first("#kb-phone").attributes.get("enterkeyhint") is None
    page = any_visitor.send(page, "Book appointment", phone="12")
    assert typed(page) == {"name": "Jane Doe", "email": "jane@example.com", "phone": "12"}
    assert any_visitor.send(page, "Book appointment", phone=PHONE).heading == "You’re booked"
    assert [row["phone"] for row in sandbox.bookings()] == [PHONE]


def test_a_field_is_revealed_by_kordless_alone(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """A name that isn't signed, or is for another draft, reveals nothing: no stranger is written to."""
    configure(site, {"email": "hidden"})
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **MAIL}
    answers = {"name": "Jane Doe", "phone": PHONE, "email": "victim@example.com"}
    sandbox.faults.add("contact_required", "create")
    form = visitor.choose("haircut", "?day=2026-12-09")
    refused = visitor.send(form, "Book appointment", name="Jane Doe", phone=PHONE)
    assert list(typed(refused)) == ["name", "email", "phone", "notes"]
    sandbox.faults.clear()
    of_another = refused.form("Book appointment")[2]["also_needed"]
    for number, forged in enumerate(("email", f"email:{of_another.partition(':')[2]}x", "\u6f22:\0", of_another), 1):
        _method, action, fields = visitor.choose("haircut", "?day=2026-12-09", number).form("Book appointment")
        page = visitor.open(action, {**fields, **answers, "also_needed": forged})
        assert page.heading == "You’re booked"
        assert "Email" not in rows(page)
    assert len(sandbox.bookings()) == number
    assert not any(row["email"] for row in sandbox.bookings())
    send_due()
    assert mail.outbox == []


def test_a_field_that_was_hidden_meanwhile_is_no_error(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """A form from before the setting books with what the site still asks for."""
    form = visitor.choose()
    configure(site, {"phone": "hidden", "notes": "hidden"})
    answers = {"name": "Jane Doe", "email": "jane@example.com", "phone": PHONE, "notes": "Ring twice"}
    assert visitor.send(form, "Book appointment", **answers).heading == "You’re booked"
    [body] = sent_bodies(sandbox)
    assert body["contact"] == {"name": "Jane Doe", "email": "jane@example.com"}
    assert "notes" not in body


HOSTILE = {
    "null": "Null\0byte",
    "long": "x" * 10_000,
    "emoji": "\U0001f469\u200d\U0001f680" * 20,
    "right to left": "\u202eمحمد\u202c علي",
    "markup": "<script>alert(1)</script>{{ x }}",
    "surrogate": "%ed%a0%80",
    "blank": "\u3164\u200b",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_in_any_field_are_errors_or_plain_text(
    visitor: Visitor, sandbox: Sandbox, site: Settings, text: str
):
    """In either part of the name and in required notes: never a 500, and never markup."""
    configure(site, {"name": "first_last", "email": "required", "notes": "required"})
    form = visitor.choose()
    for name in ("first_name", "last_name", "notes", "phone", "email"):
        page = visitor.send(form, "Book appointment", **{**ADA, "notes": "Hello", name: text})
        assert page.status in {200, 422, 409}, name
        assert "<script>alert" not in page.html
    for booking in sandbox.bookings():
        assert "\0" not in booking["name"]
        assert "\u202e" not in booking["name"]


def test_a_phone_alone_is_throttled_by_its_number(client: Client, site: Settings, sandbox: Sandbox):
    """As many bookings as BOOKINGS_PER_CONTACT says, in whatever spelling and by whatever name."""
    configure(site, {"email": "hidden", "notes": "hidden"})
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "BOOKINGS_PER_CONTACT": 2}
    seen = [
        Visitor(client).send(Visitor(client).choose("haircut", "", time), "Book appointment", name=name, phone=phone)
        for time, (name, phone) in enumerate([("A", PHONE), ("B", "(212) 555-0123"), ("C", "212.555.0123")])
    ]
    assert [page.status for page in seen] == [200, 200, 429]
