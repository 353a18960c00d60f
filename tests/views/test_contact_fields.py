"""Each field of the contact form, however many there are: kept for the next form, sent to Kordless, prefilled."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.booking import draft
from kordless_booking.forms import ContactField, ContactForm
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.failing_database import refused_writes
from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.django_db

SCRIPT = Path(__file__).resolve().parents[2] / "kordless_booking/static/kordless_booking/booking.js"
PLACES = {"contact.name": "Zoë O'Neil", "contact.email": "zoe@example.com", "contact.phone": "+12125550123"}
"""A valid text for each place in the create request that takes only one kind of text."""
ADDED = {
    "gate_code": ContactField(label="Gate code", sent_as="notes", heading="Gate", max_length=20, required=False),
    "pets": ContactField(
        label="Pets", sent_as="notes", heading="Pets", max_length=300, required=False, widget=forms.Textarea
    ),
}
"""Fields as somebody might add them: only declared, mentioned nowhere else."""


@pytest.fixture(params=["as it is", "with more fields"], autouse=True)
def form_class(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form as it is, and with fields that nothing but their declaration knows."""
    if request.param != "as it is":
        for name, field in ADDED.items():
            monkeypatch.setitem(ContactForm.base_fields, name, field)


def filled() -> dict[str, str]:
    """A text of its own for every field of the form."""
    fields: dict[str, Any] = ContactForm.base_fields
    return {name: PLACES.get(field.sent_as, f"Text of {name}") for name, field in fields.items()}


def take(form: Page, sandbox: Sandbox) -> None:
    """Somebody books the time of this form by phone."""
    token = form.form("Book appointment")[2]["draft"]
    start = draft.unsign(token, "default", max_age=86400, now=NOW.timestamp()).terms.start
    sandbox.book_by_phone("haircut", start, "host_sarah")


def shown(page: Page) -> dict[str, str]:
    """Return the values of all fields of the form on the page."""
    _method, _action, found = page.form("Book appointment")
    return {name: found[name] for name in ContactForm.base_fields}


def test_every_field_is_back_in_the_form_after_its_time_was_taken(any_visitor: Visitor, sandbox: Sandbox):
    """Somebody else was quicker: all that was typed stands in the form for the next time."""
    form = any_visitor.choose()
    take(form, sandbox)
    page = any_visitor.send(form, "Book appointment", **filled())
    assert "just taken" in page.alert
    page = any_visitor.open(next(iter(page.times.values())))
    assert shown(page) == filled()


def test_every_field_arrives_in_the_create_request(any_visitor: Visitor, sandbox: Sandbox):
    """Nothing of a sent form is missing from the body that Kordless gets."""
    any_visitor.send(any_visitor.choose(), "Book appointment", **filled())
    [sent] = [json.loads(request.body) for request in sandbox.requests if request.operation == "create"]
    places = {**{f"contact.{name}": text for name, text in sent["contact"].items()}, "notes": sent["notes"]}
    fields: dict[str, Any] = ContactForm.base_fields
    for name, text in filled().items():
        heading = f"{fields[name].heading}: " if fields[name].heading else ""
        assert heading + text in places[fields[name].sent_as].split("\n"), name


def test_every_field_stays_when_the_form_comes_back(any_visitor: Visitor, clock: Traveller):
    """When nothing can be written down, and when the draft has become too old meanwhile."""
    form = any_visitor.choose("haircut", "?day=2026-12-09")
    with refused_writes("INSERT"):
        page = any_visitor.send(form, "Book appointment", **filled())
    assert (page.status, shown(page)) == (503, filled())
    clock.shift(7201)
    page = any_visitor.send(page, "Book appointment")
    assert (page.status, shown(page)) == (409, filled())


def test_every_field_goes_along_when_the_browser_does_not_vouch_for_the_form(visitor: Visitor):
    """As from a sandboxed frame: the page in a tab of its own has it all."""
    _method, action, fields = visitor.choose().form("Book appointment")
    refused = visitor.open(action, {**fields, **filled()}, **{"Sec-Fetch-Site": "cross-site"})
    page = visitor.send(refused, "Continue in a new tab")
    assert shown(page) == filled()


def test_every_field_travels_through_the_waiting_page(
    any_visitor: Visitor, sandbox: Sandbox, clock: Traveller, site: Settings
):
    """The booking waits for its turn, and then its time turns out to be taken."""
    form = any_visitor.choose("haircut", "?day=2026-12-09")
    sandbox.faults.add("status", "create", status=429, retry_after=5, times=1)
    page = any_visitor.send(form, "Book appointment", **filled())
    take(form, sandbox)
    clock.shift(int(page.response["Retry-After"]))
    site.KORDLESS_BOOKING = dict(site.KORDLESS_BOOKING)  # services anew, with nothing blocked
    page = any_visitor.open(page.url)
    assert "just taken" in page.alert
    assert page.status == 409
    assert shown(any_visitor.open(next(iter(page.times.values())))) == filled()


def test_every_field_names_the_attribute_that_fills_it_in(client: Client, visitor: Visitor):
    """The script reads the names off the form and has no list of its own."""
    page = visitor.choose()
    prefilled = {
        node.attributes["name"]: node.attributes["data-kb-prefill"] for node in page.tree.css("[data-kb-prefill]")
    }
    # As the browser's `dataset` spells `data-prefill-gate-code`.
    camel = {name: re.sub("_([a-z])", lambda found: found[1].upper(), f"prefill_{name}") for name in filled()}
    assert prefilled == camel
    assert not re.search(r"prefill(Name|Email|Phone|Notes)|\"(Name|Email|Phone|Notes)\"", SCRIPT.read_text())
