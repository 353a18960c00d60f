"""QUESTIONS: asked in the form, kept on every way that it takes, sent in the notes, and given to signals and mail."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking import conf, hooks
from kordless_booking.booking.attempt import Attempt
from kordless_booking.clock import Clock
from kordless_booking.erasure.base import Person
from kordless_booking.erasure.run import erase_person, export_person
from kordless_booking.models import Appointment, BookingAttempt, WebhookDelivery
from kordless_booking.sandbox import Sandbox
from kordless_booking.signals import ChangeSource
from kordless_booking.views.questions import FRESH_SECONDS, QuestionSource
from kordless_booking.webhooks.replay import replay
from tests.support.booking_pages import rows
from tests.support.clock import NOW
from tests.support.deliveries import delivery, event_body
from tests.support.lost_answers import lose_answers
from tests.support.mail_reader import sent
from tests.support.mail_settings import MAIL
from tests.support.signal_receiver import record_signals
from tests.support.visitor import JANE, Page, Visitor, start_of

pytestmark = pytest.mark.django_db

QUESTIONS: dict[str, list[dict[str, Any]]] = {
    "haircut": [
        {"name": "allergies", "label": {"en": "Any allergies?", "de": "Allergien?"}, "kind": "text", "required": True},
        {
            "name": "length",
            "label": "How long is it?",
            "title": "Length",
            "kind": "choice",
            "choices": ["Short", "Long"],
        },
        {
            "name": "extras",
            "label": {"en": "Extras", "de": "Extras dazu"},
            "kind": "choices",
            "choices": [
                ["tea", {"en": "Tea", "de": "Tee"}],
                ["cape", "Cape"],
                ["wash", {"en": "Wash", "de": "Waschen"}],
            ],
        },
        {"name": "kids", "label": "Children", "kind": "number", "min": 0},
        {"name": "birth", "label": "Date of birth", "kind": "date"},
    ],
    "*": [
        {"name": "first", "label": "First visit?", "kind": "yes_no"},
        {"name": "door", "label": "Phone at the door", "kind": "phone"},
        {"name": "story", "label": "Your story", "kind": "long_text", "help": "As long as you like"},
    ],
}
ANSWERS: dict[str, Any] = {
    "answer_allergies": "Canary seeds",
    "answer_length": "Long",
    "answer_extras": ["wash", "tea"],
    "answer_kids": "0",
    "answer_birth": "1990-04-30",
    "answer_first": "no",
    "answer_door": "212-555-0147",
    "answer_story": "One\r\nTwo",
}
VALUES = {
    "allergies": "Canary seeds",
    "length": "Long",
    "extras": ["tea", "wash"],
    "kids": 0,
    "birth": "1990-04-30",
    "first": False,
    "door": "+12125550147",
    "story": "One\nTwo",
}
NOTES = """Be gentle

Any allergies: Canary seeds
Length: Long
Extras: Tea; Wash
Children: 0
Date of birth: 1990-04-30
First visit: No
Phone at the door: +12125550147
Your story: One / Two"""


def set_questions(site: Settings, questions: Any = QUESTIONS, **more: Any) -> None:
    """Let the site ask these questions."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "QUESTIONS": questions, **more}


def given(page: Page) -> dict[str, Any]:
    """Return the answers that stand in the contact form."""
    fields = page.form("Book appointment")[2]
    return {name: text for name, text in fields.items() if name.startswith("answer_") and text}


def sent_notes(sandbox: Sandbox) -> list[str | None]:
    """Return the notes of the requests to create a booking, in order."""
    return [json.loads(request.body).get("notes") for request in sandbox.requests if request.operation == "create"]


def without_tokens(page: Page) -> str:
    """Return the page without what is another one each time: tokens, and ids of requests."""
    return re.sub(r"[\w:=%-]{24,}", "token", page.html)


def test_questions_of_other_services_change_no_byte(visitor: Visitor, site: Settings):
    """Of the free times, a form and a form with errors; nor does an empty setting, or a function that asks nothing."""

    def pages() -> list[str]:
        times, form = visitor.open("/book/beard-trim/"), visitor.choose("beard-trim")
        wrong = visitor.send(form, "Book appointment", name="", email="", phone="1")
        return [without_tokens(page) for page in (times, form, wrong)]

    before = pages()
    for questions in ({}, {"haircut": QUESTIONS["haircut"]}, "tests.views.test_questions.questions_of_none"):
        set_questions(site, questions)
        assert pages() == before


def questions_of_none(account: str, service: str) -> None:
    """Return no questions, as a function does that ends without a word."""


def test_answers_are_sent_in_the_notes_and_shown_with_the_booking(
    any_visitor: Visitor, sandbox: Sandbox, site: Settings
):
    """One line each, after the visitor's own notes; signals have them by name."""
    set_questions(site)
    page = any_visitor.choose()
    assert page.texts(".kb-label") == [
        "Name",
        "Email (or phone)",
        "Phone (or email)",
        "Any allergies?",
        "How long is it? (optional)",
        "Extras (optional)",
        "Children (optional)",
        "Date of birth (optional)",
        "First visit? (optional)",
        "Phone at the door (optional)",
        "Your story (optional)",
        "Notes (optional)",
    ]
    with record_signals() as recorder:
        page = any_visitor.send(page, "Book appointment", **{**JANE, **ANSWERS, "notes": "Be gentle"})
    assert page.heading == "You’re booked"
    assert sent_notes(sandbox) == [NOTES]
    [arguments] = recorder.arguments
    assert arguments["answers"] == VALUES
    shown = rows(page)
    assert {name: shown[name] for name in ("Any allergies?", "Length", "Extras", "Date of birth", "First visit?")} == {
        "Any allergies?": "Canary seeds",
        "Length": "Long",
        "Extras": "Tea, Wash",
        "Date of birth": "April 30, 1990",
        "First visit?": "No",
    }
    assert shown["Your story"] == "One Two"
    # Rescheduling leaves the notes as they are.
    any_visitor.open(page.link("Change or cancel"))
    times = any_visitor.send(any_visitor.page, "Reschedule")
    with record_signals() as recorder:
        any_visitor.send(any_visitor.open(next(iter(times.times.values()))), "Reschedule")
        canceled = any_visitor.send(any_visitor.send(any_visitor.page, "Cancel booking"), "Cancel booking")
    assert "canceled" in canceled.heading
    assert [row["notes"] for row in sandbox.bookings()] == [NOTES]
    assert [
        (what, arguments["answers"]) for what, arguments in zip(recorder.names, recorder.arguments, strict=True)
    ] == [
        ("rescheduled", VALUES),
        ("cancelled", VALUES),
    ]


def test_a_question_that_is_required_says_so_and_leads_to_its_field(
    any_visitor: Visitor, sandbox: Sandbox, site: Settings
):
    """The error names the question; a group of buttons is reached at its first one; all that was typed stays."""
    set_questions(
        site,
        {
            "*": [
                {
                    "name": "length",
                    "label": "Length?",
                    "kind": "choice",
                    "choices": ["Short", "Long"],
                    "required": True,
                },
                {"name": "extras", "label": "Extras?", "kind": "choices", "choices": ["Tea", "Cape"], "required": True},
                {"name": "style", "label": "Style?", "kind": "choice", "choices": list("ABCDEF"), "required": True},
                {"name": "kids", "label": "Children?", "kind": "number", "required": True, "help": "Of any age"},
            ]
        },
    )
    form = any_visitor.choose()
    assert "aria-required" not in form.tree.css_first("#kb-answer_length_0").attributes
    page = any_visitor.send(form, "Book appointment", **JANE, answer_kids="many")
    assert page.status == 422
    assert page.links("[role=alert] a") == {
        "Please answer this question: Length?": "#kb-answer_length_0",
        "Please answer this question: Extras?": "#kb-answer_extras_0",
        "Please answer this question: Style?": "#kb-answer_style",
        "Please enter a whole number for “Children?”, such as 3.": "#kb-answer_kids",
    }
    for link in page.links("[role=alert] a").values():
        assert page.tree.css(link)
    group = page.tree.css_first("fieldset")
    assert (group.attributes["role"], group.attributes["aria-required"]) == ("radiogroup", "true")
    assert (group.attributes["aria-invalid"], group.attributes["aria-describedby"]) == (
        "true",
        "kb-answer_length_error",
    )
    assert page.texts("#kb-answer_kids_helptext") == ["Of any age"]
    assert given(page) == {"answer_kids": "many"}
    page = any_visitor.send(
        page, "Book appointment", answer_kids="2", answer_length="Short", answer_extras=["Cape"], answer_style="F"
    )
    assert page.heading == "You’re booked"
    assert sent_notes(sandbox) == ["Length: Short\nExtras: Cape\nStyle: F\nChildren: 2"]


def test_answers_are_kept_over_a_conflict_and_on_the_way_back(any_visitor: Visitor, sandbox: Sandbox, site: Settings):
    """The time was taken; another day, another service and back: each form has them, and no address does."""
    set_questions(site)
    url = next(iter(any_visitor.open("/book/haircut/?day=2026-12-09&host=host_sarah").times.values()))
    form = any_visitor.open(url)
    sandbox.book_by_phone("haircut", start_of(url), "host_sarah")
    lost = any_visitor.send(form, "Book appointment", **{**JANE, **ANSWERS, "notes": "Canary\r\nnote"})
    assert (lost.status, "just taken" in lost.alert) == (409, True)
    expected = {**ANSWERS, "answer_extras": ["tea", "wash"]}
    again = any_visitor.open(next(iter(lost.times.values())))
    assert given(again) == expected
    back = any_visitor.open(again.link("Choose another time"))
    assert given(any_visitor.open(next(iter(back.times.values())))) == expected
    assert not any(re.search("Canary|2125550147|1990-04-30", url) for url in any_visitor.urls)
    assert any_visitor.send(any_visitor.page, "Book appointment").heading == "You’re booked"
    assert sent_notes(sandbox)[-1] == NOTES.replace("Be gentle", "Canary\nnote")


def test_answers_that_were_refused_are_kept_as_they_were_typed(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """Also where the time is lost at the same moment, and the form comes back on another page."""
    set_questions(site)
    wrong = {**ANSWERS, "answer_kids": "many", "answer_birth": "yesterday", "answer_door": "12"}
    page = visitor.send(visitor.choose(), "Book appointment", **{**JANE, **wrong})
    assert page.status == 422
    assert given(page) == {**wrong, "answer_extras": ["tea", "wash"]}
    back = visitor.open(page.link("Choose another time"))
    assert given(visitor.open(next(iter(back.times.values())))) == {**wrong, "answer_extras": ["tea", "wash"]}


def test_the_same_form_in_another_language_is_the_same_booking(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """Titles and answers in the notes are in the site's language; the confirmation is in the visitor's."""
    set_questions(site)
    _method, action, fields = visitor.choose().form("Book appointment")
    sent_form = {**fields, **JANE, **ANSWERS}
    english = visitor.open(action, sent_form)
    german = visitor.open(f"{action}{'&' if '?' in action else '?'}lang=de", sent_form)
    assert english.number
    assert german.number == english.number
    assert len(sent_notes(sandbox)) == BookingAttempt.objects.count() == 1


def test_another_answer_under_the_same_key_is_another_request(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """Answers are a part of what is booked: the second form is turned down, with all that was typed."""
    set_questions(site)
    form = visitor.choose()
    visitor.send(form, "Book appointment", **{**JANE, **ANSWERS})
    page = visitor.send(form, "Book appointment", **{**JANE, **ANSWERS, "answer_allergies": "None"})
    assert (page.status, page.heading) == (409, "This time was already requested from this page")
    assert "Everything you typed is kept." in page.text
    # Sarah was free alone, so the same time isn't any more.
    times = visitor.open(page.link("Book this time for someone else"))
    page = visitor.open(next(iter(times.times.values())))
    assert given(page)["answer_allergies"] == "None"
    assert len(sandbox.bookings()) == 1


def test_answers_are_encrypted_in_the_database_and_in_no_log(
    visitor: Visitor, sandbox: Sandbox, site: Settings, caplog: pytest.LogCaptureFixture
):
    """While the outcome is open and afterwards; with mail, in the appointment's row as well."""
    set_questions(site, **MAIL)
    lose_answers(sandbox, times=1)
    visitor.send(visitor.choose(), "Book appointment", **{**JANE, **ANSWERS})
    [row] = BookingAttempt.objects.all()
    assert {answer.name: answer.value for answer in Attempt.from_row(row, NOW).answers} == VALUES
    visitor.send(visitor.choose(time=1), "Book appointment", **{**JANE, **ANSWERS})
    stored = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 (the tables of the test's own database)
            stored.append(str(cursor.fetchall()))
    for text in ("Canary seeds", "2125550147", "1990-04-30"):
        assert text not in "".join(stored)
        assert text not in caplog.text
        assert not any(text in url for url in visitor.urls)


def test_an_erasure_removes_answers(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """From the attempt and from the appointment; the confirmation shows the booking without them."""
    set_questions(site, **MAIL)
    page = visitor.book(**ANSWERS)
    assert "Canary seeds" in page.text
    erase_person(Person.from_texts([JANE["email"]], frozenset()), NOW)
    assert not Appointment.objects.exists()
    assert {row.encrypted for row in BookingAttempt.objects.all()} == {""}
    page = visitor.reload()
    assert page.heading == "You’re booked"
    assert "Canary seeds" not in page.text


def test_an_export_has_the_answers(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """With the booking, with its mail, and while the outcome is open."""
    set_questions(site, **MAIL)
    visitor.book(**ANSWERS)
    lose_answers(sandbox, times=1)
    visitor.send(visitor.choose(time=1), "Book appointment", **{**JANE, **ANSWERS})
    exported = export_person(Person.from_texts([JANE["email"]], frozenset()))
    rows = [*exported["booking attempts"], *exported["appointments with mail"]]
    assert [{answer["name"]: answer["value"] for answer in row["answers"]} for row in rows] == [VALUES] * 3
    assert json.dumps(exported)


def test_a_booking_whose_outcome_was_unknown_keeps_its_answers(
    visitor: Visitor, sandbox: Sandbox, site: Settings, clock: Traveller
):
    """They are in the row: the page that finds out publishes them, and the confirmation has them."""
    set_questions(site)
    lose_answers(sandbox, times=1)
    waiting = visitor.send(visitor.choose(), "Book appointment", **{**JANE, **ANSWERS})
    assert waiting.refresh
    clock.shift(60)
    with record_signals() as recorder:
        page = visitor.reload()
    assert page.heading == "You’re booked"
    assert [arguments["answers"] for arguments in recorder.arguments] == [VALUES]
    assert rows(page)["Any allergies?"] == "Canary seeds"


def test_a_webhook_that_is_quicker_than_the_response_has_the_answers(
    visitor: Visitor, sandbox: Sandbox, site: Settings
):
    """Of the open attempt; a booking that was made elsewhere has none."""
    set_questions(site, **MAIL)
    lose_answers(sandbox, times=1)
    visitor.send(visitor.choose(), "Book appointment", **{**JANE, **ANSWERS})
    [made] = sandbox.bookings()
    [attempt] = BookingAttempt.objects.all()
    times = {"startsAt": attempt.start.isoformat().replace("+00:00", "Z")}
    contact = {"email": JANE["email"], "name": JANE["name"], "phone": None}
    with record_signals() as recorder:
        body = event_body(confirmation_number=made["number"], contact=contact, **times)
        assert delivery(body).post(visitor.client).status_code == 200
        assert delivery(event_body(confirmation_number="BOOK_ELSEWHERE")).post(visitor.client).status_code == 200
    assert [arguments["answers"] for arguments in recorder.arguments] == [VALUES, {}]


def test_extensions_and_replays_have_the_answers(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """By name, as the signals; and a change that is logged or shown in a traceback has none of them in it."""
    set_questions(site, **MAIL)
    changes: list[hooks.Change] = []
    with hooks.temporary_hooks():
        hooks.change_handlers.register("collect", changes.append)
        page = visitor.book(**ANSWERS)
    [change] = changes
    assert change.answers == VALUES
    assert "Canary" not in repr(change)
    assert delivery(event_body(confirmation_number=page.number)).post(visitor.client).status_code == 200
    with record_signals() as recorder:
        replay(conf.get_account(None), WebhookDelivery.objects.get(), ChangeSource.WIDGET, NOW)
    assert [(arguments["answers"], arguments["replay"]) for arguments in recorder.arguments] == [(VALUES, True)]


def test_mail_has_what_was_chosen_and_nothing_that_was_typed(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """Anybody may type somebody else's address: the business's mail must not carry a stranger's text to it."""
    set_questions(site, **MAIL)
    mail.outbox.clear()
    form = visitor.choose(query="?lang=de")
    visitor.send(form, "Termin buchen", **{**JANE, **ANSWERS, "notes": "Visit https://evil.example"})
    [letter] = sent()
    for line in ("Extras dazu: Tee, Waschen", "Date of birth: 30. April 1990", "Length: Long", "Children: 0"):
        assert line in letter.text
    assert "Tee, Waschen" in letter.words
    for text in ("Canary seeds", "Two", "evil", "2125550147"):
        assert text not in letter.text
        assert text not in (letter.html.html or "")


@pytest.mark.parametrize(("typed", "is_mailed"), [("999999", True), ("5550147", False), ("-5550147", False)])
def test_mail_has_no_number_that_somebody_could_call(visitor: Visitor, site: Settings, typed: str, is_mailed: bool):
    """Up to six digits say how many; more may be a phone number, which the business's mail must not spread."""
    set_questions(site, {"*": [{"name": "kids", "label": "Children", "kind": "number"}]}, **MAIL)
    mail.outbox.clear()
    visitor.book(answer_kids=typed)
    [letter] = sent()
    assert ("Children" in letter.text) is is_mailed
    assert ("Children" in letter.words) is is_mailed


def test_another_page_fills_in_typed_answers_by_attribute_and_none_by_address(visitor: Visitor, site: Settings):
    """As docs/questions.md says: the script takes those that are typed, and no query fills in anything."""
    set_questions(site)
    form = visitor.choose()
    keys = {node.attributes["name"]: node.attributes["data-kb-prefill"] for node in form.tree.css("[data-kb-prefill]")}
    assert keys["answer_allergies"] == "prefillAnswerAllergies"
    assert not {"answer_length", "answer_extras", "answer_first"} & keys.keys()
    assert given(visitor.open(f"{form.url}&answer_first=yes&answer_allergies=x&name=Eve")) == {}


def test_a_form_that_another_page_posts_fills_in_answers_that_the_visitor_sees(
    visitor: Visitor, sandbox: Sandbox, site: Settings
):
    """A feature, as docs/questions.md says: nothing is booked by it, and a box of consent isn't ticked by it."""
    set_questions(site, CONSENT=[{"name": "rules", "label": "House rules", "version": "1"}])
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://shop.example"}
    posted = {"answer_first": "yes", "answer_allergies": "Nuts", "consent_rules": "1"}
    page = visitor.open("/book/haircut/?day=2026-12-09", posted, **foreign)
    form = visitor.open(next(iter(page.times.values())))
    assert given(form) == {"answer_first": "yes", "answer_allergies": "Nuts"}
    assert not form.tree.css(".kb-check input[name^=consent][checked]")
    assert not sandbox.bookings()


def questions_of_service(account: str, service: str) -> list[dict[str, Any]]:
    """Return the questions of a service, as a site does that keeps them in a database."""
    return [{"name": "room", "label": f"{account}: which room for {service}?", "kind": "text"}]


def test_a_function_of_the_site_asks_questions(any_visitor: Visitor, sandbox: Sandbox, site: Settings):
    """By its dotted path, or the function itself; it gets the account and the slug of the service."""
    for setting in ("tests.views.test_questions.questions_of_service", questions_of_service):
        set_questions(site, setting)
        page = any_visitor.choose("beard-trim")
        assert "default: which room for beard-trim? (optional)" in page.texts(".kb-label")
        page = any_visitor.send(page, "Book appointment", **JANE, answer_room="12")
        assert page.heading == "You’re booked"
        assert sent_notes(sandbox)[-1] == "default which room for beard-trim: 12"


FAILURES: dict[str, Callable[[str, str], Any]] = {
    "raises": lambda _account, service: {}[f"canary {service}"],
    "no list": lambda _account, _service: 3,
    "a wrong question": lambda _account, _service: [{"name": "A", "label": "canary", "kind": "text", "required": True}],
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_function_that_fails_stops_no_booking(
    visitor: Visitor, sandbox: Sandbox, site: Settings, caplog: pytest.LogCaptureFixture, name: str
):
    """The form has no questions then, also no required one, and the log says why."""
    set_questions(site, FAILURES[name])
    page = visitor.book()
    assert page.heading == "You’re booked"
    assert sent_notes(sandbox) == [None]
    logged = [record.getMessage() for record in caplog.records if "event=questions_failed" in record.getMessage()]
    assert logged
    assert "canary" not in logged[0]
    assert "service=haircut" in logged[0]


def test_questions_of_a_function_are_remembered_for_some_seconds(site: Settings, caplog: pytest.LogCaptureFixture):
    """Then it is called again; where it fails, the last ones are asked. A slow one is logged."""
    now, calls = [1000.0], []

    def questions(_account: str, service: str) -> list[dict[str, Any]]:
        calls.append(service)
        now[0] += 2 * (len(calls) == 3)
        if len(calls) == 2:
            raise LookupError
        return [{"name": f"q{len(calls)}", "label": "L", "kind": "text"}]

    set_questions(site, questions)
    source = QuestionSource(Clock(monotonic=lambda: now[0]))
    account = conf.get_account(None)

    def read() -> list[str]:
        return [question.name for question in source.read(account, "haircut")]

    assert [read(), read(), len(calls)] == [["q1"], ["q1"], 1]
    now[0] += FRESH_SECONDS
    assert [read(), read(), len(calls)] == [["q1"], ["q1"], 2]
    assert "event=questions_failed" in caplog.text
    now[0] += FRESH_SECONDS
    assert read() == ["q3"]
    assert "event=questions_slow account=default service=haircut seconds=2.0" in caplog.text


def test_wrong_questions_are_an_error_of_the_settings(site: Settings):
    """With the value that is wrong, and where it stands."""
    set_questions(site, {"haircut": [{"name": "allergies", "label": "Any allergies?", "kind": "color"}]})
    with pytest.raises(ImproperlyConfigured) as raised:
        conf.accounts()
    assert "QUESTIONS is invalid" in str(raised.value)
    assert '"haircut": Question "allergies": kind is \'color\': use "text"' in str(raised.value)


HOSTILE = {
    "null": "Null\0byte",
    "long": "x" * 10_000,
    "emoji": "\U0001f469\u200d\U0001f680" * 20,
    "right to left": "\u202eمحمد\u202c علي",
    "markup": "<script>alert(1)</script>{{ x }}",
    "lines": "a\r\nPaid: yes\n\nVIP: yes",
    "blank": "\u3164\u200b",
    "format": "%(question)s %s {0} {}",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_answers_are_errors_or_plain_text(visitor: Visitor, sandbox: Sandbox, site: Settings, text: str):
    """In each field, and in fields that no question has: never a 500, never markup, never a line of their own."""
    set_questions(site)
    _method, action, fields = visitor.choose().form("Book appointment")
    for name in ANSWERS:
        page = visitor.open(action, {**fields, **JANE, **ANSWERS, name: text})
        assert page.status in {200, 422, 409}, name
        assert "<script>alert" not in page.html
    many = {f"answer_x{number}": text[:500] for number in range(30)}
    assert visitor.open(action, {**fields, **JANE, **ANSWERS, **many}).status in {200, 409}
    for booking in sandbox.bookings():
        lines = booking["notes"].splitlines()
        assert len(lines) <= len(ANSWERS)
        assert not any(line.startswith(("Paid", "VIP")) for line in lines)


def test_long_answers_in_any_script_come_back_to_be_shortened(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """A form grows with what is asked, and by no more: of a service that asks nothing it has the usual limit."""
    set_questions(
        site, {"haircut": [{"name": f"q{number}", "label": "?", "kind": "long_text"} for number in range(16)]}
    )
    answers = {f"answer_q{number}": "漢" * 500 for number in range(16)}
    _method, action, fields = visitor.choose().form("Book appointment")
    page = visitor.open(action, {**fields, **JANE, **answers})
    assert page.status == 422
    assert "Please shorten this text by" in page.alert
    assert page.form("Book appointment")[2]["name"] == JANE["name"]
    assert given(page) == answers
    assert visitor.open(action, {**fields, **JANE, **answers, "notes": "漢" * 20_000}).status == 413
    _method, action, fields = visitor.choose("beard-trim").form("Book appointment")
    assert visitor.open(action, {**fields, **JANE, **answers}).status == 413
    assert not sandbox.bookings()
    set_questions(site, f"{__name__}.questions_of_service")
    _method, action, fields = visitor.choose().form("Book appointment")
    assert visitor.open(action, {**fields, **JANE, "answer_unknown": "漢" * 8_000}).status in {200, 422}
    assert visitor.open(action, {**fields, **JANE, "answer_unknown": "漢" * 40_000}).status == 413


def test_a_form_with_questions_costs_no_query_and_no_request_more(visitor: Visitor, sandbox: Sandbox, site: Settings):
    """The questions of the settings are parsed once."""

    def cost() -> tuple[int, int]:
        visitor.choose("beard-trim")
        sandbox.requests.clear()
        with CaptureQueriesContext(connection) as queries:
            visitor.reload()
        return len(queries), len(sandbox.requests)

    before = cost()
    set_questions(site)
    assert cost() == before
