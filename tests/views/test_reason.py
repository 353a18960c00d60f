"""The reason of a change: asked for on the pages of a booking, for the site's own code alone."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from urllib.parse import unquote, urlencode, urlsplit

import pytest
from django.core.cache import caches
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.booking.form_input import encrypt_form_input
from kordless_booking.changes import BookingChange, find_change_in_progress, mark_change_in_progress
from kordless_booking.conf import get_account
from kordless_booking.forms import MAX_REASON, ReasonForm
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.registry import services_for
from tests.support.clock import NOW
from tests.support.deliveries import NEW, delivery, event_body
from tests.support.signal_receiver import record_signals
from tests.support.visitor import HTMX, Page, Visitor

pytestmark = pytest.mark.django_db

FAR = "?day=2026-12-09"
REASON = 'I’m ill <b>& "canary"</b>\r\nSorry'
REASON_TEXT = 'I’m ill <b>& "canary"</b>\nSorry'
MISSING = "Please say why. A few words are enough."


def set_reason_field(site: Settings, how: str) -> None:
    """Let the site ask for a reason."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "ASK_REASON": how}


@pytest.fixture(params=[{}, pytest.param(HTMX, marks=pytest.mark.matrix)], ids=["page", "fragment"])
def any_visitor(request: pytest.FixtureRequest, client: Client, site: Settings) -> Visitor:
    """A visitor to a site that asks for a reason, which is optional."""
    set_reason_field(site, "optional")
    return Visitor(client, request.param)


def own_page(visitor: Visitor) -> Page:
    """Book, and follow the manage link."""
    return visitor.open(visitor.book("haircut", FAR).link("Change or cancel"))


def chosen_time(visitor: Visitor, page: Page) -> Page:
    """The question whether to move the booking to another time of its day."""
    return visitor.open(list(visitor.send(page, "Reschedule").times.values())[-1])


def post(visitor: Visitor, page: Page, button: str, reason: str) -> Page:
    """Send the form with this button. The field stands outside of it, and names it."""
    [field] = page.tree.css("textarea[name=reason]")
    [form] = page.tree.css(f"form[id='{field.attributes['form']}']")
    assert button in form.text()
    _method, action, fields = page.form(button)
    return visitor.open(action, {**fields, "reason": reason})


def sent_to_kordless(sandbox: Sandbox) -> str:
    """All that Kordless was sent."""
    return str([vars(request) for request in sandbox.requests])


def test_no_reason_is_asked_for_by_default(client: Client, site: Settings):
    """Neither form has the field; what is posted as one reaches nobody."""
    visitor = Visitor(client)
    page = own_page(visitor)
    assert "reason" not in chosen_time(visitor, page).html
    question = visitor.send(page, "Cancel booking")
    assert "reason" not in question.html
    _method, action, fields = question.form("Cancel booking")
    with record_signals() as recorder:
        visitor.open(action, {**fields, "reason": "canary"})
    assert [arguments["reason"] for arguments in recorder.arguments] == [""]


def test_the_reason_reaches_the_sites_signal_and_never_kordless(any_visitor: Visitor, sandbox: Sandbox):
    """Of a move and of a cancellation, as it was typed, with plain line breaks; a new booking has none."""
    with record_signals() as recorder:
        page = own_page(any_visitor)
        moved = post(any_visitor, chosen_time(any_visitor, page), "Reschedule", REASON)
        canceled = post(any_visitor, any_visitor.send(moved, "Cancel booking"), "Cancel booking", f"Really: {REASON}")
    assert canceled.heading == "Booking canceled"
    assert [
        (what, arguments["reason"]) for what, arguments in zip(recorder.names, recorder.arguments, strict=True)
    ] == [
        ("created", ""),
        ("rescheduled", REASON_TEXT),
        ("cancelled", f"Really: {REASON_TEXT}"),
    ]
    assert "canary" not in sent_to_kordless(sandbox)


def test_the_reason_stands_in_no_address_and_no_log(
    any_visitor: Visitor, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
):
    """Not when all goes well, nor when Kordless fails and the form comes back."""
    caplog.set_level(logging.DEBUG)
    page = own_page(any_visitor)
    question = chosen_time(any_visitor, page)
    sandbox.faults.add("status", "reschedule", status=409, times=1)
    post(any_visitor, question, "Reschedule", REASON)
    sandbox.faults.add("status", "cancel", status=503, times=3)
    post(any_visitor, any_visitor.send(page, "Cancel booking"), "Cancel booking", REASON)
    assert "canary" not in caplog.text
    assert not [url for url in any_visitor.urls if "canary" in unquote(url)]


def test_a_required_reason_that_is_missing_is_asked_for(any_visitor: Visitor, site: Settings, sandbox: Sandbox):
    """In words, at the field; also where what was typed doesn't show. Nothing is changed meanwhile."""
    set_reason_field(site, "required")
    page = own_page(any_visitor)
    for button, question in (
        ("Cancel booking", any_visitor.send(page, "Cancel booking")),
        ("Reschedule", chosen_time(any_visitor, page)),
    ):
        assert "Reason (optional)" not in question.text
        for nothing in ("", "  \r\n", "\u200b\u2060"):
            answer = post(any_visitor, question, button, nothing)
            assert answer.status == 422
            assert MISSING in answer.alert
            assert answer.tree.css_first("textarea[aria-invalid=true]") is not None
    assert not [request for request in sandbox.requests if request.operation in {"cancel", "reschedule"}]
    assert (
        post(any_visitor, any_visitor.send(page, "Cancel booking"), "Cancel booking", "Ill").heading
        == "Booking canceled"
    )


def test_an_optional_reason_may_be_left_out(any_visitor: Visitor):
    """An empty field is no error."""
    assert (
        post(any_visitor, any_visitor.send(own_page(any_visitor), "Cancel booking"), "Cancel booking", "").heading
        == "Booking canceled"
    )


@pytest.mark.parametrize("reason", ["x" * (MAX_REASON + 1), "nul\0byte", "x" * 50_000])
def test_a_reason_that_cannot_be_taken_is_explained_and_kept(any_visitor: Visitor, sandbox: Sandbox, reason: str):
    """Too long, or with a character that no text has: the form comes back, and nothing is changed."""
    answer = post(any_visitor, any_visitor.send(own_page(any_visitor), "Cancel booking"), "Cancel booking", reason)
    assert answer.status == 422
    assert answer.alert
    assert (answer.tree.css_first("textarea[name=reason]").text() or "").strip()[:3] == reason[:3]
    assert not [request for request in sandbox.requests if request.operation == "cancel"]


def test_the_reason_is_kept_when_a_cancellation_fails(any_visitor: Visitor, sandbox: Sandbox):
    """The same form once more, filled in; sent again, the reason goes along."""
    question = any_visitor.send(own_page(any_visitor), "Cancel booking")
    sandbox.faults.add("status", "cancel", status=503)
    answer = post(any_visitor, question, "Cancel booking", REASON)
    assert answer.status == 503
    assert answer.texts("textarea[name=reason]") == [" ".join(REASON_TEXT.split())]
    sandbox.faults.clear()
    with record_signals() as recorder:
        any_visitor.send(answer, "Cancel booking")
        _method, _action, fields = answer.form("Cancel booking")
        assert "reason" not in fields
    assert recorder.names == ["cancelled"]


def test_the_reason_is_kept_when_the_new_time_was_just_taken(any_visitor: Visitor, sandbox: Sandbox):
    """Over the times that are still free into the next question."""
    question = chosen_time(any_visitor, own_page(any_visitor))
    sandbox.faults.add("status", "reschedule", status=409, times=1)
    times = post(any_visitor, question, "Reschedule", REASON)
    assert times.status == 409
    again = any_visitor.open(next(iter(times.times.values())))
    assert again.texts("textarea[name=reason]") == [" ".join(REASON_TEXT.split())]


def test_choosing_another_time_keeps_the_reason(any_visitor: Visitor, sandbox: Sandbox):
    """The button posts it; over another day and the zone's page it is still there, and nothing was moved."""
    question = chosen_time(any_visitor, own_page(any_visitor))
    [button] = [node for node in question.tree.css("button") if "Choose another time" in node.text()]
    fields = question.form("Reschedule")[2]
    times = any_visitor.open(button.attributes["formaction"] or "", {**fields, "reason": REASON})
    assert times.heading == "Choose a new time"
    times = any_visitor.open(next(iter(times.days.values())))
    again = any_visitor.open(next(iter(times.times.values())))
    assert again.texts("textarea[name=reason]") == [" ".join(REASON_TEXT.split())]
    assert not [request for request in sandbox.requests if request.operation == "reschedule"]


def test_a_time_zone_chosen_on_the_way_keeps_the_reason_and_the_refused_time(any_visitor: Visitor):
    """Without JavaScript, a form sends its hidden fields in place of what its action has."""
    own = any_visitor.send(own_page(any_visitor), "Reschedule")
    refused = next(iter(own.times.values())).partition("start=")[2].partition("&")[0]
    token = encrypt_form_input("default", {"reason": REASON})
    times = any_visitor.open(f"{urlsplit(own.url).path}?taken=refused&refused={refused}&reason={token}")
    assert times.alert
    zones = any_visitor.follow("Change time zone")
    _method, action, fields = zones.form(next(text for text in zones.texts(".kb-zones button") if "London" in text))
    there = any_visitor.open(f"{action}?{urlencode(fields | {'tz': 'Europe/London'})}")
    assert there.alert == times.alert
    assert [url.partition("start=")[2] for url in there.times.values()] == [
        url.partition("start=")[2] for url in times.times.values()
    ]
    again = any_visitor.open(next(iter(there.times.values())))
    assert again.texts("textarea[name=reason]") == [" ".join(REASON_TEXT.split())]


def test_a_carried_reason_that_is_forged_or_old_is_ignored(any_visitor: Visitor, clock: Traveller):
    """The next form is empty, and nothing else happens."""
    question = chosen_time(any_visitor, own_page(any_visitor))
    for forged in ("x", "%00", "a" * 5000):
        page = any_visitor.open(f"{question.url}&reason={forged}")
        assert (page.status, page.texts("textarea[name=reason]")) == (200, [""])


def test_what_was_typed_stays_in_sight_when_the_deadline_has_passed(
    any_visitor: Visitor, site: Settings, clock: Traveller
):
    """Whoever calls the business instead can read it out."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "ENFORCE_NOTICE": True}
    question = any_visitor.send(own_page(any_visitor), "Cancel booking")
    clock.shift(timedelta(days=7, hours=2))
    answer = post(any_visitor, question, "Cancel booking", REASON)
    assert answer.status == 409
    assert answer.texts("textarea[name=reason]") == [" ".join(REASON_TEXT.split())]


def test_a_webhook_that_is_quicker_than_the_page_has_the_reason(site: Settings, client: Client, sandbox: Sandbox):
    """Its signal is the only one, and the webhook itself doesn't contain what the customer has typed."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "WEBHOOK_SECRETS": [NEW]}
    cache = services_for(get_account(None)).cache
    mark_change_in_progress(cache, "default", "BOOK_AB12CD34", BookingChange.CANCELLED, REASON)
    with record_signals() as recorder:
        assert delivery(event_body("booking.cancelled", status="canceled")).post(client).status_code == 200
    assert [(arguments["reason"], arguments["source"]) for arguments in recorder.arguments] == [(REASON, "widget")]


def test_the_reason_of_a_change_in_progress_is_encrypted(clock: Traveller):
    """It lies encrypted in the cache for a minute, and only for the very change that the customer requested."""
    cache, number = caches["default"], "BOOK_AB12CD34"
    mark_change_in_progress(cache, "default", number, BookingChange.CANCELLED, REASON)
    assert "canary" not in str(vars(cache))
    found = find_change_in_progress(cache, "default", number)
    assert found is not None
    assert found.reason_for(BookingChange.CANCELLED, NOW) == REASON
    assert found.reason_for(BookingChange.RESCHEDULED, NOW) == ""
    assert find_change_in_progress(cache, "default", "BOOK_OTHER000") is None
    mark_change_in_progress(cache, "default", number, BookingChange.CANCELLED)
    found = find_change_in_progress(cache, "default", number)
    assert found is not None
    assert found.reason_for(BookingChange.CANCELLED, NOW) == ""


@given(typed=st.text(max_size=MAX_REASON + 20))
def test_any_text_is_a_reason_or_an_error(typed: str):
    """Whatever is typed: a valid one shows, is bounded and can be written, and is the same when it is sent again."""
    form = ReasonForm({"reason": typed}, is_required=True, form_id="kb-stage-change")
    if not form.is_valid():
        assert form.errors["reason"]
        return
    text = form.text()
    assert 0 < len(text) <= MAX_REASON
    assert json.loads(json.dumps(text)) == text
    again = ReasonForm({"reason": text.replace("\n", "\r\n")}, is_required=True, form_id="x")
    assert again.is_valid()
    assert again.text() == text
