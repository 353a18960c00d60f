"""By construction: every page, read without eyes and used without a mouse, before any browser looks at it."""

from __future__ import annotations

import re

import pytest
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings

from kordless_booking.sandbox import Sandbox
from tests.views.rules import broken
from tests.views.walking import HTMX, JANE, Page, Walk

pytestmark = pytest.mark.django_db

STEPS = ("services", "times", "zones", "contact", "confirmation", "booking", "move", "cancel", "find", "confirming")


def first_form(page: Page, kind: str) -> str:
    """The words on the first button of a kind, whatever the language."""
    return page.texts(f"form .kb-button{kind}")[0]


def every_page(walk: Walk, sandbox: Sandbox, lang: str) -> dict[str, Page]:
    """All pages and states, by name."""
    query, seen = f"?lang={lang}&tz=Europe/Kyiv", {}
    seen["services"] = walk.open(f"/book/{query}")
    seen["times"] = walk.open(f"/book/haircut/{query}")
    seen["taken"] = walk.open(f"/book/haircut/{query}&taken=2")
    seen["empty month"] = walk.open(f"/book/head-spa/{query}&month=2026-12")
    seen["class"] = walk.open(f"/book/styling-class/{query}")
    seen["zones"] = walk.open(f"/book/haircut/zone/{query}&q=ind")
    seen["no zone"] = walk.open(f"/book/haircut/zone/{query}&q=zzzz")
    seen["contact"] = form = walk.choose("haircut", query)
    book = first_form(form, ".kb-primary")
    seen["errors"] = walk.send(form, book, email="x", phone="1")
    seen["nothing typed"] = walk.send(form, book)
    seen["confirmation"] = done = walk.send(form, book, **JANE)
    seen["booking"] = own = walk.open(next(url for url in done.links(".kb-onward a").values()))
    seen["other times"] = times = walk.send(own, first_form(own, ".kb-primary"))
    seen["move"] = move = walk.open([*times.times.values()][-1])
    seen["moved"] = moved = walk.send(move, first_form(move, ".kb-primary"))
    seen["cancel"] = cancel = walk.send(moved, first_form(moved, ".kb-danger"))
    seen["canceled"] = walk.send(cancel, first_form(cancel, ".kb-danger"))
    seen["find"] = find = walk.open(f"/book/manage/{query}")
    search = first_form(find, ".kb-primary")
    seen["nothing to find"] = walk.send(find, search)
    seen["not found"] = walk.send(find, search, number="BOOK_NONE", contact="nobody@example.com")
    seen["no page"] = walk.open(f"/book/nowhere/at/all/{query}")
    sandbox.mischief.set("status", "create", status=503)
    seen["confirming"] = walk.send(walk.choose("beard-trim", query), book, **JANE)
    sandbox.mischief.clear()
    sandbox.mischief.set("status", status=503)
    caches["default"].clear()
    seen["out of order"] = walk.open(f"/book/full-color/{query}")
    sandbox.mischief.clear()
    return seen


@pytest.mark.parametrize(("lang", "whole"), [("en", True), ("ar", True), ("en", False)])
def test_every_page_keeps_the_rules(client: Client, site: Settings, sandbox: Sandbox, lang: str, whole: bool):
    """Landmarks, one h1, labels, purposes, tied errors, names, order, a month that is a table: on all pages.

    And who hears only the title knows where they are, and whose page it is.
    """
    pages = every_page(Walk(client, {} if whole else HTMX), sandbox, lang)
    assert len(pages) >= 23
    assert {name: broken(page, whole=whole) for name, page in pages.items() if broken(page, whole=whole)} == {}
    titles = {name: page.texts("title")[0] for name, page in pages.items()}
    assert len({titles[name] for name in STEPS}) == len(STEPS), titles
    assert all(title.endswith(" · Acme Salon") for name, title in titles.items() if name != "out of order")


def test_the_rules_can_fail(visitor: Walk):
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
        ('aria-label="Steps of your booking"', ""),
        ("initial-scale=1", "maximum-scale=1"),
    ]
    assert broken(page) == []
    for before, after in spoilt:
        assert before in page.html
        bent = Page(page.url, page.response)
        bent.tree = type(page.tree)(page.html.replace(before, after))
        assert broken(bent), before


def test_clock_and_zone_are_carried_to_the_end(visitor: Walk, sandbox: Sandbox):
    """Whoever chose the 24-hour clock and Kathmandu reads both on every page after it, also on the customer's own."""
    walk = Walk(visitor.client)
    page = walk.open("/book/haircut/?tz=Asia/Kathmandu&hours=24")
    walk.open(page.link("Change time zone"))
    form = walk.open(page.link("on site"))
    done = walk.send(form, "Book appointment", **JANE)
    own = walk.open(done.link("Change or cancel"))
    times = walk.send(own, "Reschedule")
    move = walk.open([*times.times.values()][-1])
    moved = walk.send(move, "Reschedule")
    cancel = walk.send(moved, "Cancel booking")
    gone = walk.send(cancel, "Cancel booking")
    for page in (form, done, own, move, moved, cancel, gone):
        assert "for you Kathmandu · GMT+5:45" in page.text
    for page in walk.seen:
        assert not re.search(r"\d [AP]M\b", page.text), page.url
    assert "12-hour clock" in times.links()
    assert sandbox.bookings()[0]["timezone"] == "Asia/Kathmandu"
