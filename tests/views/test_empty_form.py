"""The contact form before anything is typed: rendered once for everybody, and as it would be for one visitor."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking.booking import draft
from kordless_booking.views import contact, empty_form, skeletons
from tests.support.visitor import HTMX, JANE, Visitor

pytestmark = pytest.mark.django_db

START = datetime(2026, 12, 9, 15, 30, tzinfo=UTC)
CONSENT = [{"name": "terms", "label": {"en": "I agree <b>", "de": "Einverstanden"}, "version": "1", "required": True}]
INLINE = {**HTMX, "HX-Target": "kb-inline-made-up"}


def open_form(client: Client, headers: dict[str, str], query: str = "") -> bytes:
    """Return the contact form for a haircut."""
    page = client.get(f"/book/haircut/contact/?start={START:%Y%m%dT%H%M%SZ}{query}", headers=headers, follow=True)
    assert page.status_code == 200
    assert len(page.redirect_chain) == (not headers)
    assert page["Cache-Control"] == "no-store, private"
    return page.content


@pytest.fixture
def same_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign each draft alike, so that pages can be compared."""
    sign = draft.sign
    monkeypatch.setattr(draft, "sign", lambda chosen, account: sign(replace(chosen, nonce="0" * 32), account))


@pytest.mark.usefixtures("same_tokens")
@pytest.mark.parametrize("query", ["", "&lang=de&tz=Asia/Tokyo&hours=12", "&lang=ar&scheme=dark"])
@pytest.mark.parametrize("headers", [{}, HTMX, INLINE], ids=["page", "fragment", "inline"])
@pytest.mark.parametrize(
    "changes",
    [{}, {"CONSENT": CONSENT}, {"CONTACT_FIELDS": {"name": "first_last", "phone": "hidden"}}],
    ids=["plain", "consent", "fields"],
)
def test_the_shared_form_is_the_form_that_one_visitor_gets(
    site: Settings,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    headers: dict[str, str],
    changes: dict[str, object],
):
    """The same bytes as where all of it is rendered for the request."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **changes}
    shared = open_form(client, headers, query)
    assert len(empty_form._rendered) == 1
    with monkeypatch.context() as patched:
        patched.setattr(contact, "render_empty_fields", lambda *_arguments: None)
        assert open_form(client, headers, query) == shared
    # For the next visitor, nothing is rendered again.
    pages = len(skeletons._pages)
    open_form(client, headers, query)
    assert (len(empty_form._rendered), len(skeletons._pages)) == (1, pages)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_the_form_for_any_time_is_made_from_one_skeleton(client: Client, zone: str):
    """The chosen time is inserted: visitors who try all times evict no page of others."""
    times = client.get(f"/book/haircut/?day=2026-12-09&tz={zone}").content.decode()
    links = re.findall(r'href="(/book/haircut/contact/[^"]*start=[^"]*)"', times)[:3]
    assert len(links) == 3
    skeletons._pages.clear()
    for link in links:
        begun = client.get(unescape(link))
        assert b"</form>" in client.get(begun["Location"]).content
    assert len(skeletons._pages) == 1


def test_nothing_that_was_typed_gets_into_a_shared_form(any_visitor: Visitor):
    """A form that comes back with what was typed is rendered for its visitor."""
    form = any_visitor.choose("haircut", "?day=2026-12-09")
    before = list(empty_form._rendered)
    wrong = any_visitor.send(form, "Book appointment", **{**JANE, "email": "jane@"})
    assert "Jane" in wrong.html
    assert list(empty_form._rendered) == before
    assert "Jane" not in repr([skeleton.pieces for skeleton in skeletons._pages._entries.values()])
    assert "Jane" not in repr(list(skeletons._pages))
