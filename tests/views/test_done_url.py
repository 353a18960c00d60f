"""The thank-you page: "Continue" on the confirmation leads there, and to no page that the site doesn't allow."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

import pytest
from django.db.models import Sum
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django import Settings

from kordless_booking.funnel import counters
from kordless_booking.models import FunnelCount
from kordless_booking.presentation.safe_links import done_url_for, parse_done_url
from kordless_booking.sandbox import Sandbox
from tests.support.visitor import JANE, Page, Visitor

pytestmark = pytest.mark.django_db

SHOP = "https://shop.example"
FAR = "day=2026-12-09"


@pytest.fixture
def shop(site: Settings) -> Settings:
    """A site that a shop may embed, and the site itself."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "EMBED_ORIGINS": ["'self'", SHOP, "https://*.market.example"]}
    return site


def booked(visitor: Visitor, **query: str) -> Page:
    """The confirmation of a booking that began with this query."""
    return visitor.book("haircut", f"?{FAR}&{urlencode(query)}")


def onward(page: Page) -> list[tuple[str, str | None]]:
    """Address and target of "Continue"."""
    links = [node for node in page.tree.css("a.kb-primary") if node.text() == "Continue"]
    return [(node.attributes["href"] or "", node.attributes.get("target")) for node in links]


def test_the_confirmation_leads_on_to_the_sites_page(any_visitor: Visitor, site: Settings):
    """With the service where the address has a place for it, and nothing else of the booking."""
    url = "https://salon.example/thanks?service={service}#top"
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "DONE_URL": url}
    page = booked(any_visitor)
    assert onward(page) == [("https://salon.example/thanks?service=haircut#top", None)]


def test_without_the_setting_nothing_leads_on(any_visitor: Visitor):
    """Nor does any link carry anything."""
    page = booked(any_visitor)
    assert onward(page) == []
    assert not [url for url in any_visitor.urls if "thanks" in url]


def test_the_snippets_page_comes_along_from_the_first_page_to_the_confirmation(any_visitor: Visitor, shop: Settings):
    """From the list of services, over another time zone; in a frame it leaves the frame."""
    shop.KORDLESS_BOOKING = {**shop.KORDLESS_BOOKING, "DONE_URL": "https://salon.example/"}
    page = any_visitor.open("/book/?" + urlencode({"embed": "1", "thanks": f"{SHOP}/thanks/%7Bservice%7D?a=1&b=2"}))
    page = any_visitor.open(page.link("Haircut"))
    page = any_visitor.open(any_visitor.open(page.link("Change time zone")).hrefs(".kb-back a")[0])
    page = any_visitor.open(next(iter(page.times.values())))
    page = any_visitor.send(page, "Book appointment", **JANE)
    assert onward(page) == [(f"{SHOP}/thanks/haircut?a=1&b=2", "_top")]
    assert onward(any_visitor.reload()) == onward(page)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//shop.example/",
        "/thanks",
        "javascript:alert(1)//https://shop.example",
        "data:text/html,https://shop.example",
        "http://shop.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "https://shop.example:8443/",
        "https://shop.example\\.evil.example/",
        "https://evil.example/https://shop.example/",
        "https://market.example/",
        "https://market.example.evil.example/",
        "https://{service}.market.example/",
        "https://shop.example/\r\nLocation: https://evil.example",
        "https://shop.example/" + "x" * 400,
        "\0",
    ],
)
def test_a_page_on_an_origin_that_may_not_embed_is_dropped(client: Client, shop: Settings, url: str):
    """Whoever makes such a link to the widget leads nobody there: it stands on no page."""
    page = Visitor(client).open("/book/haircut/?" + urlencode({"thanks": url}))
    assert page.status == 200
    assert "thanks=" not in page.html
    assert "evil" not in page.html


@pytest.mark.parametrize(
    "url", [f"{SHOP}/x", "https://a.market.example/x?y=1", "http://testserver/x", "https://testserver/x"]
)
def test_a_page_on_an_allowed_origin_is_carried(client: Client, shop: Settings, url: str):
    """Those of EMBED_ORIGINS, and of this site."""
    if url.startswith("http://"):
        url = url.replace("testserver", "localhost")
        client.defaults["SERVER_NAME"] = "localhost"
    assert "thanks=" in Visitor(client).open("/book/haircut/?" + urlencode({"thanks": url})).html


@pytest.mark.parametrize(
    ("configured", "is_carried"),
    [
        ({}, False),
        ({"EMBED_ORIGINS": [SHOP]}, False),
        ({"EMBED_ORIGINS": ["'self'"]}, True),
        ({"EMBED_ORIGINS": ["https://testserver"]}, True),
        ({"DONE_URL": "https://elsewhere.example/thanks"}, True),
    ],
)
def test_a_link_names_a_page_of_the_site_itself_only_where_the_site_has_thank_you_pages(
    client: Client, site: Settings, configured: dict[str, object], is_carried: bool
):
    """With the setting off, a link leads customers to no page of the site, which may redirect to anywhere."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, **configured}
    page = Visitor(client).open("/book/haircut/?" + urlencode({"thanks": "https://testserver/go?to=evil.example"}))
    assert ("thanks=" in page.html) is is_carried


def test_the_host_of_site_url_is_the_site_itself(client: Client, site: Settings):
    """Whichever of its hosts the visitor came by."""
    site.KORDLESS_BOOKING = {
        **site.KORDLESS_BOOKING,
        "SITE_URL": "https://salon.example/shop",
        "DONE_URL": "https://salon.example/thanks",
    }
    for url, is_carried in (("https://salon.example/x", True), ("http://salon.example/x", False)):
        page = Visitor(client).open("/book/haircut/?" + urlencode({"thanks": url}))
        assert ("thanks=" in page.html) is is_carried


def test_the_confirmation_asks_again_whether_the_page_is_allowed(client: Client, shop: Settings):
    """Its own address may have been changed, and the setting since the visitor came."""
    visitor = Visitor(client)
    page = booked(visitor, thanks=f"{SHOP}/x")
    assert onward(page) == [(f"{SHOP}/x", None)]
    assert onward(visitor.open(page.url.replace("shop.example", "evil.example"))) == []
    shop.KORDLESS_BOOKING = {**shop.KORDLESS_BOOKING, "EMBED_ORIGINS": []}
    assert onward(visitor.open(page.url)) == []


def test_reloading_the_confirmation_counts_no_second_booking(client: Client, shop: Settings, sandbox: Sandbox):
    """Nor does sending the form once more."""
    visitor = Visitor(client)
    form = visitor.choose("haircut", f"?{FAR}&thanks={SHOP}/x")
    visitor.send(form, "Book appointment", **JANE)
    visitor.reload()
    visitor.send(form, "Book appointment", **JANE)
    visitor.reload()
    counters.flush()
    booked_count = FunnelCount.objects.filter(stage=FunnelCount.Stage.BOOKED).aggregate(number=Sum("count"))
    assert booked_count == {"number": 1}


@given(text=st.text(max_size=60).map(lambda text: f"https://shop.example/{text}") | st.text(max_size=60))
@example("https://shop.example/jane's?for=o'clock#it's")
def test_any_text_is_a_safe_page_or_none(text: str):
    """What is accepted is absolute, on https or this machine, reads the same again, and keeps its host."""
    url = parse_done_url(text)
    if url is None:
        return
    assert parse_done_url(url) == url
    shown = done_url_for(url, "hair/cut?")
    parts = urlsplit(shown)
    assert shown.isascii()
    assert not set(shown) & set(" \"'<>\\\r\n\0")
    assert parts.netloc == urlsplit(url).netloc
    assert parts.scheme == "https" or parts.hostname in {"localhost", "127.0.0.1", "::1"}


OFF = {"DONE_URL": "", "ENFORCE_NOTICE": False, "ASK_REASON": ""}


def test_settings_that_are_off_change_no_byte(client: Client, site: Settings):
    """Of any page from the services to the questions about a booking, with them and without them."""
    visitor = Visitor(client)
    form = visitor.choose("haircut", f"?{FAR}")
    confirmation = visitor.send(form, "Book appointment", **JANE)
    manage = visitor.open(confirmation.link("Change or cancel")).url
    question = visitor.open(next(iter(visitor.open(f"{manage}reschedule/").times.values()))).url
    without_notice = {name: value for name, value in site.KORDLESS_BOOKING.items() if name not in OFF}
    for url in ("/book/", "/book/haircut/", confirmation.url, manage, f"{manage}cancel/", question):
        pages = []
        for more in ({}, OFF):
            site.KORDLESS_BOOKING = {**without_notice, **more}
            html = visitor.open(url).html
            # Tokens have random bytes and the time in them.
            pages.append(re.sub(r"gAAAA[\w-]+|eyJ[\w:.-]+|[\w-]+:[\w-]{6,}:[\w-]{20,}", "token", html))
        assert pages[0] == pages[1], url


def test_the_thank_you_page_is_not_told_the_address_of_the_confirmation(any_visitor: Visitor, site: Settings):
    """On the site itself it would have it as its referrer, and so would every script for statistics there."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "DONE_URL": "https://testserver/thanks"}
    [link] = [node for node in booked(any_visitor).tree.css("a.kb-primary") if node.text() == "Continue"]
    assert link.attributes["rel"] == "noreferrer"
