"""By construction: every page, read without eyes and used without a mouse, before any browser looks at it."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking.sandbox import Sandbox
from tests.support.all_pages import every_page
from tests.support.html_rules import broken
from tests.support.matrix import thinned
from tests.support.visitor import HTMX, JANE, Page, Visitor, text_of

pytestmark = pytest.mark.django_db

#: Nothing is cached, so the name of the business isn't known.
COLD = {"out of order", "busy"}
STEPS = ("services", "times", "zones", "contact", "confirmation", "booking", "move", "cancel", "find", "confirming")


@pytest.mark.long
@pytest.mark.parametrize(("lang", "whole"), thinned([("en", True), ("ar", True), ("en", False)], unpack=True))
def test_every_page_keeps_the_rules(client: Client, site: Settings, sandbox: Sandbox, lang: str, whole: bool):
    """Landmarks, one h1, labels, purposes, tied errors, names, order, a month that is a table: on all pages.

    And who hears only the title knows where they are, and whose page it is.
    """
    pages = every_page(Visitor(client, {} if whole else HTMX), sandbox, lang)
    assert len(pages) >= 23
    assert {name: broken(page, whole=whole) for name, page in pages.items() if broken(page, whole=whole)} == {}
    titles = {name: page.texts("title")[0] for name, page in pages.items()}
    assert len({titles[name] for name in STEPS}) == len(STEPS), titles
    assert all(title.endswith(" · Acme Salon") for name, title in titles.items() if name not in COLD)


def test_the_rules_can_fail(visitor: Visitor):
    """Each rule finds what it is there to find."""
    page = visitor.choose("haircut")
    spoilt = [
        ('autocomplete="tel"', 'autocomplete="on"'),
        ("<h1", "<h3"),
        ('for="kb-name"', 'for="kb-other"'),
        ('tabindex="-1"', 'tabindex="3"'),
        ('aria-hidden="true" focusable', "focusable"),
        ("<main", "<div"),
        ("Book appointment", ""),
        ('aria-label="Booking steps"', ""),
        ("initial-scale=1", "maximum-scale=1"),
    ]
    assert broken(page) == []
    for before, after in spoilt:
        assert before in page.html
        bent = Page(page.url, page.response)
        bent.tree = type(page.tree)(page.html.replace(before, after))
        assert broken(bent), before


def test_no_form_of_htmx_doubles_its_query(visitor: Visitor):
    """A browser replaces the query of an action with the fields; htmx would append them to it."""
    page = visitor.open(visitor.book("haircut", "?tz=Europe/Kyiv&lang=en").link("Change or cancel"))
    forms = [form for form in page.tree.css("form[data-hx-get]") if "?" in (form.attributes["data-hx-get"] or "")]
    assert len(forms) == 2
    for form in forms:
        assert form.attributes["data-hx-params"] == "none"
        query = parse_qs(urlsplit(form.attributes["data-hx-get"] or "").query)
        assert {name: [value] for name, value in page.form(text_of(form))[2].items()} == query


@pytest.mark.long
def test_clock_and_zone_are_carried_to_the_end(visitor: Visitor, sandbox: Sandbox):
    """Whoever chose the 24-hour clock and Kathmandu reads both on every page after it, also on the customer's own."""
    any_visitor = Visitor(visitor.client)
    page = any_visitor.open("/book/haircut/?tz=Asia/Kathmandu&hours=24")
    any_visitor.open(page.link("Change time zone"))
    form = any_visitor.open(next(iter(page.times.values())))
    done = any_visitor.send(form, "Book appointment", **JANE)
    own = any_visitor.open(done.link("Change or cancel"))
    times = any_visitor.send(own, "Reschedule")
    move = any_visitor.open([*times.times.values()][-1])
    moved = any_visitor.send(move, "Reschedule")
    cancel = any_visitor.send(moved, "Cancel booking")
    gone = any_visitor.send(cancel, "Cancel booking")
    for page in (form, done, own, move, moved, cancel, gone):
        assert "your time Kathmandu · GMT+5:45" in page.text
    for page in any_visitor.responses:
        assert not re.search(r"\d [AP]M\b", page.text), page.url
    assert "12-hour clock" in times.links()
    assert sandbox.bookings()[0]["timezone"] == "Asia/Kathmandu"
