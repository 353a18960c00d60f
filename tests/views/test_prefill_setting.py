"""PREFILL: the form has what the site knows of its user, on a page that nobody stores."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking.sandbox import Sandbox
from tests.support import site_prefill
from tests.support.visitor import JANE, Page, Visitor

pytestmark = pytest.mark.django_db

ADA = {"name": "Ada Lovelace", "email": "ada@canary.example"}


def known(site: Settings, function: str = "known_user", **more: Any) -> None:
    """Set PREFILL to one of the site's functions."""
    site_prefill.CALLS.clear()
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "PREFILL": f"tests.support.site_prefill.{function}", **more}


def filled(page: Page) -> dict[str, str]:
    """Return what stands in the fields of the form."""
    fields = {node.attributes["name"]: node.attributes.get("value") or "" for node in page.tree.css(".kb-field input")}
    return {name: text for name, text in fields.items() if text and name in {*ADA, "phone", "first_name", "last_name"}}


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Target": "kb-inline-widget"}])
def test_the_form_has_what_the_site_knows_of_its_user(site: Settings, client: Client, headers: dict[str, str]):
    """On the widget's own pages and inside a page; other visitors, and other steps, have nothing of it."""
    known(site)
    client.cookies["who"] = ADA["name"]
    form = Visitor(client, headers).choose("haircut")
    assert filled(form) == ADA
    assert site_prefill.CALLS == ["/book/haircut/contact/"]
    assert form.response["Cache-Control"] == "no-store, private"
    assert "Cookie" in form.response["Vary"]
    assert "canary" not in form.url
    client.cookies.clear()
    assert filled(Visitor(client, headers).choose("haircut")) == {}


def test_what_was_typed_goes_before_what_is_known(site: Settings, client: Client, sandbox: Sandbox):
    """Also on the way over another time, and where the visitor has emptied a field."""
    known(site)
    client.cookies["who"] = ADA["name"]
    any_visitor = Visitor(client)
    form = any_visitor.choose("haircut")
    button = form.link("Choose another time")
    typed = {"name": "Grace Canary", "email": "", "phone": "(212) 555-0147"}
    back = any_visitor.open(str(button), {**button.fields, **typed})
    form = any_visitor.open(next(iter(back.times.values())))
    assert filled(form) == {"name": "Grace Canary", "phone": "(212) 555-0147"}
    wrong = any_visitor.send(form, "Book appointment", email="x", phone="")
    assert filled(wrong) == {"name": "Grace Canary", "email": "x"}
    assert any_visitor.send(wrong, "Book appointment", **JANE).heading == "You’re booked"


def test_a_name_in_two_fields_and_a_name_in_one_fit_either_form(site: Settings, client: Client):
    """The site need not know how the form asks for the name."""
    known(site, CONTACT_FIELDS={"name": "first_last"})
    client.cookies["who"] = ADA["name"]
    assert filled(Visitor(client).choose("haircut"))["first_name"] == ADA["name"]


def test_details_that_no_form_would_take_are_left_out(site: Settings, client: Client):
    """Neither a wrong address nor another field of the form can be set."""
    known(site, "wrong_details")
    form = Visitor(client).choose("haircut")
    assert filled(form) == {"name": "Ada Canary"}
    assert "nnnn" not in form.html
    assert form.status == 200


@pytest.mark.parametrize(
    "function", ["failing", "no_mapping", "without_request", "gone", "known_async", "raising_text"]
)
def test_a_function_that_fails_leaves_the_form_empty(
    site: Settings, client: Client, caplog: pytest.LogCaptureFixture, function: str
):
    """The log says where, and nothing of whom."""
    known(site, function)
    form = Visitor(client).choose("haircut")
    assert (form.status, filled(form)) == (200, {})
    [line] = [record.getMessage() for record in caplog.records if "event=prefill_failed" in record.getMessage()]
    assert "canary" not in line


def test_known_details_are_text_even_where_they_are_marked_as_safe(site: Settings, client: Client):
    """A site may return what its own code has marked as markup: in the form it is a text as any other."""
    known(site, "marked_safe")
    form = Visitor(client).choose("haircut")
    assert "<script>alert" not in form.html
    assert all(not script.text() for script in form.tree.css("script"))


def test_a_function_that_returns_nothing_is_no_failure(
    site: Settings, client: Client, caplog: pytest.LogCaptureFixture
):
    """It knows nobody."""
    known(site, "nothing")
    assert filled(Visitor(client).choose("haircut")) == {}
    assert "prefill_failed" not in caplog.text


def test_a_form_with_known_details_is_not_prefetched(site: Settings, client: Client):
    """A browser keeps what it has prefetched for some seconds, also after a logout."""
    form = Visitor(client).choose("haircut")
    ahead = {"HX-Request": "true", "HX-Target": "kb-stage", "KB-Ahead": "1"}
    time = "/book/haircut/contact/?start=20261209T153000Z"
    for url in (form.url, time):
        assert client.get(url, headers=ahead).status_code == 200
    known(site)
    client.cookies["who"] = ADA["name"]
    for url in (form.url, time):
        response = client.get(url, headers=ahead)
        assert (response.status_code, response["Cache-Control"]) == (204, "no-store, private")
    assert site_prefill.CALLS == []


def test_without_the_setting_the_form_is_the_same_for_everybody(site: Settings, client: Client):
    """No byte of it, and no header, depends on a cookie."""
    form = Visitor(client).choose("haircut")
    assert "data-kb-known" not in form.html
    assert "Cookie" not in form.response["Vary"]
