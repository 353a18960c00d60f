"""All pages and states of the widget, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.test.signals import setting_changed

from tests.support.site_cache import empty_cache, finish_fetches
from tests.support.visitor import JANE, Page, Visitor

if TYPE_CHECKING:
    from kordless_booking.sandbox import Sandbox


def first_form(page: Page, kind: str) -> str:
    """The words on the first button of a kind, whatever the language."""
    return page.texts(f"form .kb-button{kind}")[0]


def every_page(any_visitor: Visitor, sandbox: Sandbox, lang: str) -> dict[str, Page]:
    """All pages and states, by name."""
    query, seen = f"?lang={lang}&tz=Europe/Kyiv", {}
    seen["services"] = any_visitor.open(f"/book/{query}")
    seen["times"] = any_visitor.open(f"/book/haircut/{query}")
    seen["taken"] = any_visitor.open(f"/book/haircut/{query}&taken=2&near=20261209T170000Z")
    seen["empty month"] = any_visitor.open(f"/book/head-spa/{query}&month=2026-12")
    seen["class"] = any_visitor.open(f"/book/styling-class/{query}")
    seen["zones"] = any_visitor.open(f"/book/haircut/zone/{query}&q=ind")
    seen["no zone"] = any_visitor.open(f"/book/haircut/zone/{query}&q=zzzz")
    seen["contact"] = form = any_visitor.choose("haircut", query)
    book = first_form(form, ".kb-primary")
    seen["errors"] = any_visitor.send(form, book, email="x", phone="1")
    seen["nothing typed"] = any_visitor.send(form, book)
    seen["confirmation"] = done = any_visitor.send(form, book, **JANE)
    seen["booking"] = own = any_visitor.open(next(url for url in done.links(".kb-onward a").values()))
    seen["other times"] = times = any_visitor.send(own, first_form(own, ".kb-primary"))
    seen["move"] = move = any_visitor.open([*times.times.values()][-1])
    seen["moved"] = moved = any_visitor.send(move, first_form(move, ".kb-primary"))
    seen["cancel"] = cancel = any_visitor.send(moved, first_form(moved, ".kb-danger"))
    seen["canceled"] = any_visitor.send(cancel, first_form(cancel, ".kb-danger"))
    seen["find"] = find = any_visitor.open(f"/book/manage/{query}")
    search = first_form(find, ".kb-primary")
    seen["nothing to find"] = any_visitor.send(find, search)
    seen["not found"] = any_visitor.send(find, search, number="BOOK_NONE", contact="nobody@example.com")
    seen["no page"] = any_visitor.open(f"/book/nowhere/at/all/{query}")
    sandbox.faults.add("status", "create", status=503)
    seen["confirming"] = any_visitor.send(any_visitor.choose("beard-trim", query), book, **JANE)
    sandbox.faults.clear()
    sandbox.faults.add("status", status=503)
    empty_cache()
    seen["out of order"] = any_visitor.open(f"/book/full-color/{query}")
    finish_fetches()
    sandbox.faults.clear()
    sandbox.faults.add("status", status=429)
    empty_cache()
    seen["busy"] = any_visitor.open(f"/book/full-color/{query}")
    finish_fetches()
    sandbox.faults.clear()
    # Kordless's minute is over: a site whose cache isn't shared counts it in the memory of its process.
    setting_changed.send(sender=None, setting="CACHES", value=None, enter=True)
    return seen
