"""GUESTS: who comes along, asked for in the form, sent in the notes, given to signals, and written to by nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from hypothesis import given as given_values
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.erasure.base import Person
from kordless_booking.erasure.run import erase_person
from kordless_booking.forms import ContactForm
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Sandbox
from tests.support.booking_pages import rows
from tests.support.clock import NOW
from tests.support.html_rules import broken
from tests.support.lost_answers import lose_answers
from tests.support.mail_reader import sent
from tests.support.mail_settings import MAIL
from tests.support.signal_receiver import record_signals
from tests.support.visitor import JANE, Page, Visitor, start_of

pytestmark = pytest.mark.django_db

FIELD = "answer_guests"
TYPED = "Canary Ada, ada@example.com\r\n\r\nBob\r\n<EVE@Example.com>"
KEPT = [
    {"name": "Canary Ada", "email": "ada@example.com"},
    {"name": "Bob", "email": ""},
    {"name": "", "email": "EVE@example.com"},
]
NOTE = "Guests: Canary Ada <ada@example.com> / Bob / EVE@example.com"


def invite(site: Settings, guests: Any, **more: Any) -> None:
    """Let the site ask for guests."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "GUESTS": guests, **more}


def sent_notes(sandbox: Sandbox) -> list[str | None]:
    """Return the notes of the requests to create a booking, in order."""
    return [json.loads(request.body).get("notes") for request in sandbox.requests if request.operation == "create"]


def typed(page: Page) -> str:
    """Return the guests that stand in the contact form, by lines."""
    return page.form("Book appointment")[2].get(FIELD, "").strip()


def asks(page: Page) -> bool:
    return FIELD in page.form("Book appointment")[2]


def test_guests_are_sent_in_the_notes_and_shown_with_the_booking(
    any_visitor: Visitor, sandbox: Sandbox, site: Settings
):
    """One line of the notes; signals have names and addresses apart, and nobody is written to."""
    invite(site, 3, **MAIL)
    form = any_visitor.choose()
    assert broken(form, whole="<html" in form.html) == []
    assert "Guests (optional)" in form.text
    assert "We don’t write to guests." in form.text
    mail.outbox.clear()
    with record_signals() as recorder:
        page = any_visitor.send(form, "Book appointment", **{**JANE, "notes": "Hello", FIELD: TYPED})
    assert page.heading == "You’re booked"
    assert sent_notes(sandbox) == [f"Hello\n\n{NOTE}"]
    assert [arguments["answers"] for arguments in recorder.arguments] == [{"guests": KEPT}]
    assert rows(page)["Guests"] == "Canary Ada <ada@example.com> Bob EVE@example.com"
    [letter] = sent()
    assert "Canary" not in letter.text + (letter.html.html or "")
    assert mail.outbox[-1].to == [JANE["email"]]


def test_a_party_is_asked_for_the_others_of_it(any_visitor: Visitor, site: Settings):
    """One less than the party; a visitor who comes alone isn't asked."""
    invite(site, "party")
    assert not asks(any_visitor.choose("styling-class"))
    form = any_visitor.choose("styling-class", "?party=3")
    assert "Up to 2 guests, one per line" in form.text
    page = any_visitor.send(form, "Book appointment", **{**JANE, FIELD: "Ada\r\nBob\r\nEve"})
    assert page.status == 422
    assert "Please enter 2 guests at most." in page.alert
    assert typed(page).split() == ["Ada", "Bob", "Eve"]
    assert any_visitor.send(page, "Book appointment", **{FIELD: "Ada\r\nBob"}).heading == "You’re booked"


def test_a_service_may_ask_for_other_guests_than_the_account(any_visitor: Visitor, site: Settings):
    """Or for none."""
    invite(site, 2, SERVICES={"beard-trim": {"GUESTS": 0}})
    assert asks(any_visitor.choose())
    assert not asks(any_visitor.choose("beard-trim"))
    invite(site, 0, SERVICES={"beard-trim": {"GUESTS": 1}})
    assert not asks(any_visitor.choose())
    assert "1 guest: name" in any_visitor.choose("beard-trim").text


def test_without_the_setting_no_form_asks_for_guests(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """What is posted for them all the same is sent to nobody."""
    form = visitor.choose("styling-class", "?party=3")
    assert "uest" not in form.text
    _method, action, fields = form.form("Book appointment")
    visitor.open(action, {**fields, **JANE, FIELD: "Ada"})
    assert sent_notes(sandbox) == [None]


def test_guests_are_kept_over_a_conflict_and_on_the_way_back(any_visitor: Visitor, sandbox: Sandbox, site: Settings):
    """The time was taken: each form has them as they were typed, and no address does."""
    invite(site, 3)
    url = next(iter(any_visitor.open("/book/haircut/?day=2026-12-09&host=host_sarah").times.values()))
    form = any_visitor.open(url)
    sandbox.book_by_phone("haircut", start_of(url), "host_sarah")
    lost = any_visitor.send(form, "Book appointment", **{**JANE, FIELD: TYPED})
    assert (lost.status, "just taken" in lost.alert) == (409, True)
    again = any_visitor.open(next(iter(lost.times.values())))
    assert typed(again).split() == TYPED.split()
    back = any_visitor.open(again.link("Choose another time"))
    assert typed(any_visitor.open(next(iter(back.times.values())))).split() == TYPED.split()
    assert any_visitor.send(any_visitor.page, "Book appointment").heading == "You’re booked"
    assert sent_notes(sandbox)[-1] == NOTE
    assert not any("anary" in url or "ada%40" in url or "ada@" in url for url in any_visitor.urls)


def test_guests_are_the_same_request_in_each_language(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """A form that is sent again after the language has changed books nothing more."""
    invite(site, 3)
    _method, action, fields = visitor.choose().form("Book appointment")
    sent_form = {**fields, **JANE, FIELD: TYPED}
    english = visitor.open(action, sent_form)
    german = visitor.open(f"{action}{'&' if '?' in action else '?'}lang=de", sent_form)
    assert english.number == german.number != ""
    assert len(sent_notes(sandbox)) == 1


def test_guests_are_encrypted_in_the_database_and_in_no_log(
    visitor: Visitor, sandbox: Sandbox, site: Settings, caplog: pytest.LogCaptureFixture
):
    """While the outcome is open and afterwards; no log and no URL has them."""
    invite(site, 3, **MAIL)
    lose_answers(sandbox, times=1)
    visitor.send(visitor.choose(), "Book appointment", **{**JANE, FIELD: TYPED})
    visitor.send(visitor.choose(time=1), "Book appointment", **{**JANE, FIELD: TYPED})
    stored = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 (the tables of the test's own database)
            stored.append(str(cursor.fetchall()))
    for text in ("Canary Ada", "ada@example.com"):
        assert text not in "".join(stored)
        assert text not in caplog.text
        assert not any(text in url for url in visitor.urls)


def test_an_erasure_removes_guests(visitor: Visitor, site: Settings):
    """With the booking of the one who brings them; the confirmation shows it without them."""
    invite(site, 3)
    assert "Canary Ada" in visitor.book(**{FIELD: TYPED}).text
    erase_person(Person.from_texts([JANE["email"]], frozenset()), NOW)
    assert {row.encrypted for row in BookingAttempt.objects.all()} == {""}
    page = visitor.reload()
    assert page.heading == "You’re booked"
    assert "Canary" not in page.text


@pytest.mark.parametrize(
    "line", ["Ada ada@", "a@example.com, b@example.com", "@", "Ada <ada@nowhere>", "ada@exa mple.com"]
)
def test_a_guest_whose_address_is_wrong_is_named(visitor: Visitor, sandbox: Sandbox, site: Settings, line: str):
    """And nothing is sent; what was typed is kept."""
    invite(site, 3)
    page = visitor.send(visitor.choose(), "Book appointment", **{**JANE, FIELD: f"Bob\r\n{line}"})
    assert page.status == 422
    assert "Please check the guest “" in page.alert
    assert typed(page).splitlines()[-1] == line
    assert sent_notes(sandbox) == []


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "\u202eada\u202c", "a\0b", "x" * 5000, "\u200b\n \n", "@" * 900]
)
def test_hostile_guests_are_errors_or_plain_text(visitor: Visitor, sandbox: Sandbox, site: Settings, text: str):
    """Never an error of the server, nor markup of the visitor's."""
    invite(site, 3)
    page = visitor.send(visitor.choose(), "Book appointment", **{**JANE, FIELD: text})
    assert page.status in {200, 422}
    assert "<script>alert" not in page.html


@given_values(
    st.text(max_size=1500)
    | st.lists(
        st.sampled_from(["Ada", "ada@example.com", "<a@b.example>", ",", "ü@ü.example", "\n", "ß", "\u3000"])
    ).map(" ".join),
    st.integers(1, 20),
)
def test_any_guests_are_taken_or_refused(text: str, limit: int):
    """As many as are asked for, in one line of the notes, or an error at the field."""
    form = ContactForm({**JANE, FIELD: text}, max_guests=limit)
    if form.is_valid():
        notes = form.notes_text() or ""
        assert len(notes.splitlines()) <= 1
        assert len(notes) <= 1100
        for answer in form.answers():
            assert isinstance(answer.value, list)
            assert 1 <= len(answer.value) <= limit
        # Read again as it was written: a form that is posted twice is one request.
        again = ContactForm({**JANE, FIELD: form.cleaned_data[FIELD]}, max_guests=limit)
        assert again.is_valid()
        assert again.answers() == form.answers()
    else:
        assert list(form.errors) == [FIELD]
