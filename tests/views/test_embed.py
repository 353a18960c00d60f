"""Embedding on other sites: the script, pages that may be framed, and a new tab for frames that can't send."""

import gzip
import json
import re
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from frontend.bundles import BUILT, SOURCES, version_of
from kordless_booking.conf import Account
from kordless_booking.forms import ContactForm
from kordless_booking.sandbox import Sandbox
from kordless_booking.views import security
from tests.support.visitor import HTMX, JANE, Visitor

pytestmark = pytest.mark.django_db
FOREIGN = {"Sec-Fetch-Site": "cross-site", "Origin": "null"}


LOADER = "/book/embed.js"
DIALOG = f"/book/embed-dialog.js?v={version_of((BUILT / 'embed-dialog.js').read_bytes())}"
LOADER_BYTES = 2000
"""Budget of the loader, packed: every page of a host's pays it."""
DIALOG_BYTES = 1500
"""Budget of what only dialogs and floating buttons need, packed."""


@pytest.mark.parametrize(("path", "budget"), [(LOADER, LOADER_BYTES), (DIALOG, DIALOG_BYTES)], ids=["loader", "dialog"])
def test_the_scripts_are_small_and_for_everybody(client: Client, site: Settings, path: str, budget: int):
    """No more than the documented size is sent, to any page of the web, and no cookie is set."""
    response = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert response["Content-Encoding"] == "gzip"
    assert len(response.content) <= budget
    assert gzip.decompress(response.content) == client.get(path).content
    assert response["Vary"] == "Accept-Encoding"
    assert "public" in response["Cache-Control"]
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert not response.cookies


@pytest.mark.parametrize(
    ("query", "side"),
    [
        ("embed=right", "end"),
        ("embed=left", "start"),
        ("embed=right&lang=ar", "start"),
        ("embed=left&lang=ar", "end"),
        ("embed=1", None),
        ("embed=top", None),
    ],
)
def test_a_dialog_leaves_room_for_its_close_button_on_the_side_where_the_host_has_it(
    client: Client, site: Settings, query: str, side: str | None
):
    """The page's own direction may differ from the host's; links keep the side, and a frame in the page has none."""
    for _ in range(2):  # the second one is from the cache
        html = client.get(f"/book/haircut/?{query}").content.decode()
        assert re.findall(r"kb-close-(start|end)", html) == ([side] if side else [])
    value = query.partition("&")[0]
    assert (value in html) == (value != "embed=top")


def test_a_new_release_of_the_loader_arrives_within_an_hour(client: Client, site: Settings):
    """Its address stands in pages of other people and has no version."""
    assert "max-age=3600" in client.get(LOADER)["Cache-Control"]


def test_the_dialog_is_cached_for_ever_under_its_own_version_alone(client: Client, site: Settings):
    """A loader of another release gets the same script, but caches must ask again; while DEBUG they always must."""
    assert "max-age=31536000, immutable" in client.get(DIALOG)["Cache-Control"]
    for path in (DIALOG.partition("?")[0], DIALOG[:-1]):
        other = client.get(path)
        assert (other.content, other["Cache-Control"]) == (client.get(DIALOG).content, "no-cache")
    site.DEBUG = True
    assert client.get(DIALOG)["Cache-Control"] == "no-cache"


def test_the_loader_imports_the_dialog_of_its_own_release(client: Client, site: Settings):
    """The version in the loader is that of the file beside it, which browsers fetch by CORS, as all modules."""
    assert DIALOG.removeprefix("/book/") in client.get(LOADER).content.decode()
    assert client.get(DIALOG)["Access-Control-Allow-Origin"] == "*"
    # The loader itself may be loaded as a module, too, or with `crossorigin`.
    assert client.get(LOADER)["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", [LOADER, DIALOG])
def test_a_script_is_not_sent_twice(client: Client, site: Settings, path: str):
    """A browser that has it gets 304, compressed or not; HEAD has the same headers; it can't be posted to."""
    tag = client.get(path)["ETag"]
    for encoding in ("gzip", ""):
        again = client.get(path, headers={"If-None-Match": tag, "Accept-Encoding": encoding})
        assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"If-None-Match": '"another"'}).status_code == 200
    head = client.head(path)
    assert (head.status_code, head["ETag"], head.content) == (200, tag, b"")
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", [LOADER, DIALOG])
def test_the_scripts_ask_nothing_of_their_host(client: Client, site: Settings, path: str):
    """No eval, no inline style or handler, no storage, no cookie, and no message to just anybody."""
    code = client.get(path).content.decode()
    for never in (
        "eval(",
        "new Function",
        "innerHTML",
        "setAttribute",
        "localStorage",
        "sessionStorage",
        "cookie",
        '"*"',
    ):
        assert never not in code, never


def test_a_framed_page_keeps_its_frame(visitor: Visitor, sandbox: Sandbox):
    """Every link and form of the way carries embed, scheme and accent; what leaves opens a tab of its own."""
    dress = "scheme=dark&accent=1f6f5c&embed=1"
    confirmation = visitor.book(query=f"?{dress}")
    managed = visitor.open(confirmation.link("Change or cancel"))
    visitor.send(managed, "Reschedule")
    for page in visitor.responses:
        if page.status != 200:
            continue
        assert dress in page.url.replace("&amp;", "&")
        assert "kb-framed" in page.tree.body.attributes["class"]  # type: ignore[union-attr,operator]
        for link in page.tree.css("a[href]"):
            url = link.attributes["href"] or ""
            ours = url.startswith("/book/")
            assert "embed=1" in url if ours else link.attributes.get("target") == "_blank" or url[0] == "#", url


def test_a_page_of_its_own_says_nothing_about_frames(visitor: Visitor):
    """Without embed there is no mark of a frame and no list of who may hold it."""
    page = visitor.open("/book/")
    assert "kb-framed" not in page.html
    assert "data-kb-parents" not in page.html


def test_calendars_lead_out_of_the_frame(visitor: Visitor):
    """The manage link in a calendar entry opens a whole page."""
    confirmation = visitor.book(query="?embed=1&accent=1f6f5c")
    entry = visitor.client.get(confirmation.link("Apple (.ics)")).content.decode().replace("\r\n ", "")
    assert "/book/manage/" in entry
    assert "embed" not in entry


def test_isolated_hosts_may_frame(site: Settings, client: Client):
    """A framed page says what a cross-origin isolated host wants to hear, redirects too; others say nothing of it."""
    for url in ("/book/?embed=1", "/book/haircut/?embed=1", "/book/haircut/contact/?embed=1", "/book/none/?embed=1"):
        for headers in ({}, HTMX):
            response = client.get(url, headers=headers)
            assert response["Cross-Origin-Resource-Policy"] == "cross-origin", url
            assert response["Cross-Origin-Embedder-Policy"] == "require-corp", url
    assert "Cross-Origin-Embedder-Policy" not in client.get("/book/")
    assert "Cross-Origin-Resource-Policy" not in client.get("/book/")


def test_what_comes_from_elsewhere_is_not_shut_out(site: Settings, client: Client, account_settings: dict[str, Any]):
    """Static files on a CDN load without credentials; a check for humans in a frame of its own rules isolation out."""
    site.STATIC_URL = "https://cdn.example/static/"
    assert client.get("/book/?embed=1")["Cross-Origin-Embedder-Policy"] == "credentialless"
    site.STATIC_URL = "static/"
    site.KORDLESS_BOOKING = {**account_settings, "SPAM_CHECK_ORIGINS": ["https://challenge.example"]}
    assert "Cross-Origin-Embedder-Policy" not in client.get("/book/?embed=1")


def test_nothing_else_of_the_site_can_be_framed(site: Settings, client: Client, account_settings: dict[str, Any]):
    """The host's own pages and its admin stay as they were, whoever may embed the widget."""
    site.KORDLESS_BOOKING = {**account_settings, "EMBED_ORIGINS": ["https://shop.example"]}
    for url in ("/page/", "/admin/login/", "/admin/", "/book/snippet/", "/nowhere/"):
        response = client.get(f"{url}?embed=1")
        assert response.get("X-Frame-Options") == "DENY", url
        assert "shop.example" not in response.get("Content-Security-Policy", ""), url
    response = client.get("/book/")
    assert "X-Frame-Options" not in response
    assert response["Content-Security-Policy"].endswith("frame-ancestors 'self' https://shop.example")


def test_the_script_gets_the_frame_ancestors(site: Settings, client: Client, account_settings: dict[str, Any]):
    """As a regular expression for whole origins."""
    site.KORDLESS_BOOKING = {
        **account_settings,
        "EMBED_ORIGINS": ["'self'", "https://shop.example", "https://*.b.example"],
    }
    found = re.search(r'data-kb-parents="([^"]*)"', client.get("/book/?embed=1").content.decode())
    assert found
    for may in ("https://shop.example", "https://a.b.example", "https://x.a.b.example"):
        assert re.fullmatch(found[1], may), may
    for may_not in ("http://shop.example", "https://shopXexample", "https://b.example", "https://a.b.example.evil", ""):
        assert not re.fullmatch(found[1], may_not), may_not


@given(st.from_regex(r"[a-z0-9:/.*-]{0,40}", fullmatch=True))
def test_a_pattern_lets_in_nothing_but_its_origins(origin: str):
    """Only the origin itself and hosts below a starred one match."""
    account = Account(embed_origins=("'self'", "http://127.0.0.1:8001", "https://*.b.example"))
    may = bool(re.fullmatch(security.embed_origin_pattern(account), origin))
    assert may == (origin == "http://127.0.0.1:8001" or bool(re.fullmatch(r"https://[a-z0-9.-]+\.b\.example", origin)))


def test_what_happened_stands_on_the_card(visitor: Visitor):
    """Booked, moved, cancelled: service, start and status, and nothing that says who or which number."""
    confirmation = visitor.book("haircut", "?day=2026-12-09&embed=1")
    card = confirmation.tree.css_first(".kb-card").attributes
    assert {name: text for name, text in card.items() if name in EVENT} == {
        "data-kb-event": "booked",
        "data-kb-service": "haircut",
        "data-kb-start": "2026-12-09T14:00:00Z",
        "data-kb-status": "confirmed",
    }
    page = visitor.open(confirmation.link("Change or cancel"))
    assert "data-kb-event" not in page.html
    slots = visitor.send(page, "Reschedule")
    moved = visitor.send(visitor.open(list(slots.times.values())[-1]), "Reschedule")
    assert moved.tree.css_first(".kb-card").attributes["data-kb-event"] == "rescheduled"
    gone = visitor.send(visitor.send(moved, "Cancel booking"), "Cancel booking")
    card = gone.tree.css_first(".kb-card").attributes
    assert (card["data-kb-event"], card["data-kb-status"]) == ("cancelled", "canceled")
    for page in (confirmation, moved, gone):
        values = " ".join(
            text or "" for name, text in page.tree.css_first(".kb-card").attributes.items() if name in EVENT
        )
        assert confirmation.number not in values
        assert "Jane" not in values


EVENT = {"data-kb-event", "data-kb-service", "data-kb-start", "data-kb-status"}


def test_a_form_that_can_not_be_sent_goes_along(visitor: Visitor, sandbox: Sandbox):
    """From a frame without an origin the form leads to a new tab, with the same time and all that was typed."""
    contact = visitor.choose(query="?embed=1&accent=1f6f5c&lang=en")
    _method, action, fields = contact.form("Book appointment")
    typed = {**JANE, "phone": "+1 212 555 0123", "notes": "By the window, please"}
    refused = visitor.open(action, {**fields, **typed}, **FOREIGN)
    assert (refused.status, sandbox.bookings()) == (403, [])
    form = next(node for node in refused.tree.css("form") if node.attributes.get("target") == "_blank")
    assert form.attributes["method"] == "post"
    method, action, fields = refused.form("Continue in a new tab")
    # What was typed is in the body. No form is sent by that: the request only renders, so it may come from the frame.
    assert (method, list(fields)) == ("post", ["form_input"])
    assert "embed" not in action
    assert "jane" not in (action + json.dumps(fields)).lower()
    tab = Visitor(visitor.client)
    page = tab.open(action, fields, **FOREIGN)
    assert sandbox.bookings() == []
    again = page.form("Book appointment")[2]
    assert {name: again[name] for name in typed} == typed
    assert "kb-framed" not in page.html
    assert tab.send(page, "Book appointment").heading == "You’re booked"
    assert len(sandbox.bookings()) == 1


def test_changes_go_on_in_a_new_tab_too(visitor: Visitor, sandbox: Sandbox):
    """Cancelling and moving lead to the same question on a page of its own."""
    page = visitor.open(visitor.book(query="?embed=1").link("Change or cancel"))
    _method, action, fields = visitor.send(page, "Cancel booking").form("Cancel booking")
    refused = visitor.open(action, fields, **FOREIGN)
    question = visitor.send(refused, "Continue in a new tab")
    assert (refused.status, question.heading) == (403, "Cancel this booking?")
    slots = visitor.send(page, "Reschedule")
    move_question = visitor.open(list(slots.times.values())[-1])
    _method, action, fields = move_question.form("Reschedule")
    again = visitor.send(visitor.open(action, fields, **FOREIGN), "Continue in a new tab")
    assert (again.heading, again.text) == (move_question.heading, again.text)
    assert again.texts(".kb-summary strong") == move_question.texts(".kb-summary strong")
    assert "rescheduled" in visitor.send(again, "Reschedule").text


@pytest.mark.parametrize("junk", ["", "x" * 60000, "\x00", "☃"])
def test_foreign_junk_is_carried_nowhere(visitor: Visitor, junk: str):
    """Junk that a foreign page sends as a draft leads to the list of times at worst."""
    refused = visitor.open("/book/haircut/contact/", {"draft": junk, "name": junk[:90]}, **FOREIGN)
    assert refused.status == 403
    assert visitor.send(refused, "Continue in a new tab").status in {200, 404, 409}
    assert visitor.page.heading in {"Haircut", "Page not found"}


def test_attribution_survives_a_mistake_in_the_form(visitor: Visitor):
    """A form that comes back still says where its visitor came from; what is no such thing is dropped."""
    contact = visitor.choose()
    attribution = '{"utm_source": "letter"}'
    again = visitor.send(contact, "Book appointment", attribution=attribution)
    assert again.status == 422
    assert again.form("Book appointment")[2]["attribution"] == attribution
    junk = visitor.send(contact, "Book appointment", attribution='"><script>')
    assert junk.form("Book appointment")[2]["attribution"] == ""


def test_the_document_lists_every_attribute():
    """docs/embed.md has each data attribute that the scripts read, and no other."""
    table = (SOURCES.parent / "docs" / "embed.md").read_text().partition("| Attribute |")[2].partition("\n\n")[0]
    documented = {name for name in re.findall(r"`data-([a-z-]+)`", table) if not name.startswith("prefill-answer-")}
    script = "\n".join(path.read_text() for path in sorted((SOURCES / "embed").glob("*.js")))
    listed = re.search(r"QUERY_PARAMETERS = (\[.*\])", script)
    assert listed
    names = {*re.findall(r"\bdataset\.([a-zA-Z]+)", script), *re.findall(r'"(\w+)"', listed[1])}
    for taken in re.findall(r"const \{ (.*) \} = (?:link\.)?dataset;", script):
        names |= {re.split(r"[: ]", part)[0] for part in taken.split(", ")}
    dashed = {re.sub(r"[A-Z]", lambda letter: f"-{letter[0].lower()}", name) for name in names}
    prefilled = {f"prefill-{name.replace('_', '-')}" for name in ContactForm().max_lengths()}
    assert documented - prefilled - {"attribution"} == dashed - {"kordless-booking"}
