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


def every_page(walk: Visitor, sandbox: Sandbox, lang: str) -> dict[str, Page]:
    """All pages and states, by name."""
    query, seen = f"?lang={lang}&tz=Europe/Kyiv", {}
    seen["services"] = walk.open(f"/book/{query}")
    seen["times"] = walk.open(f"/book/haircut/{query}")
    seen["taken"] = walk.open(f"/book/haircut/{query}&taken=2&near=20261209T170000Z")
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
    sandbox.faults.add("status", "create", status=503)
    seen["confirming"] = walk.send(walk.choose("beard-trim", query), book, **JANE)
    sandbox.faults.clear()
    sandbox.faults.add("status", status=503)
    empty_cache()
    seen["out of order"] = walk.open(f"/book/full-color/{query}")
    finish_fetches()
    sandbox.faults.clear()
    sandbox.faults.add("status", status=429)
    empty_cache()
    seen["busy"] = walk.open(f"/book/full-color/{query}")
    finish_fetches()
    sandbox.faults.clear()
    # Kordless's minute is over: a site whose cache isn't shared counts it in the memory of its process.
    setting_changed.send(sender=None, setting="CACHES", value=None, enter=True)
    return seen
