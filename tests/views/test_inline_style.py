"""The style sheet in the head of the widget's own pages: the default, which the tests of other things switch off."""

import gzip
import re
from base64 import b64encode
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from pytest_django import Settings

from frontend.bundles import BUILT
from tests.support.visitor import HTMX

pytestmark = pytest.mark.django_db
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
BROUGHT = re.compile(r"<template data-kb-style>([^<]+)</template>")
LINK = re.compile(r'<link rel="stylesheet" href="([^"]+)"')
FIRST_BYTES = 15 * 1024
"""Budget of the first times, packed by gzip: the page with its style, and its script."""
ALL_BYTES = 32 * 1024
"""Budget of these and of htmx, which comes when the visitor begins, or once the line has been idle."""


@pytest.fixture
def inline(site: Settings) -> Settings:
    """The site with the default."""
    site.KORDLESS_BOOKING = {name: value for name, value in site.KORDLESS_BOOKING.items() if name != "INLINE_STYLE"}
    return site


@pytest.mark.parametrize("path", ["/book/", "/book/haircut/", "/book/haircut/?embed=1&accent=1f6f5c", "/book/nothing/"])
def test_a_page_has_its_style_in_its_head_and_its_policy_allows_that_alone(client: Client, inline: Settings, path: str):
    """The first visit waits for no second response; the hash is that of the text, also from the cache."""
    for _ in range(2):
        response = client.get(path)
        html = response.content.decode()
        [style] = STYLE.findall(html)
        assert ".kb-card{" in style
        assert ("1f6f5c" in style) == ("accent" in path)
        digest = b64encode(sha256(style.encode()).digest()).decode()
        assert f"style-src 'self' 'sha256-{digest}'; " in response["Content-Security-Policy"]
        assert "unsafe-inline" not in response["Content-Security-Policy"]
        assert LINK.findall(html) == []
        assert "data-kb-later" in html


@pytest.mark.parametrize(("path", "expected"), [("/book/haircut/", False), ("/book/haircut/?embed=1", True)])
def test_only_a_page_in_a_frame_has_the_rules_of_one(client: Client, inline: Settings, path: str, *, expected: bool):
    """A page knows whether it is embedded; the linked sheet is for pages of both kinds, and for those of the site."""
    [style] = STYLE.findall(client.get(path).content.decode())
    linked = client.get("/book/style-7a2e5d.css").content.decode()
    for selector in (".kb-framed{", ".kb-dialog{", ".kb:not(.kb-page){", ".kb[data-kb-page]{"):
        assert (selector in style) == expected
        assert selector in linked
    assert (style == linked) == expected


@pytest.mark.parametrize("more", [{"INLINE_STYLE": False}, {"STYLE_SHEETS": ["own.css"]}], ids=["off", "own sheets"])
def test_a_page_links_its_style_where_the_site_says_so_or_has_its_own(
    client: Client, inline: Settings, more: dict[str, Any]
):
    """The site's own sheets may be long, and a policy of a server in front may forbid any style in a page."""
    inline.KORDLESS_BOOKING = {**inline.KORDLESS_BOOKING, **more}
    response = client.get("/book/haircut/")
    html = response.content.decode()
    assert "<style" not in html
    assert len(LINK.findall(html)) == 1
    assert "style-src 'self'; " in response["Content-Security-Policy"]


def test_a_fragment_brings_no_style(client: Client, inline: Settings):
    """It is swapped into a page that has it."""
    assert "<style" not in client.get("/book/haircut/", headers=HTMX).content.decode()


def test_a_form_brings_the_style_of_later_steps_to_a_page_that_asks_for_it(client: Client, inline: Settings):
    """It is the linked sheet, so that the press on a time is one request, by a pointer's prefetch too."""
    page = client.get("/book/haircut/").content.decode()
    [(address, disabled)] = re.findall(r'<link rel="stylesheet" data-kb-later="form" href="([^"]+)"( disabled)?>', page)
    assert disabled
    sheet = client.get(address).content.decode()
    time = unescape(re.findall(r'href="(/book/haircut/contact/[^"]+)"', page)[0])
    asking = {**HTMX, "KB-Style": "later"}
    for headers in (asking, {**asking, "KB-Ahead": "1"}):
        assert BROUGHT.findall(client.get(time, headers=headers).content.decode()) == [sheet]
    assert BROUGHT.findall(client.get(time, headers=HTMX).content.decode()) == []
    assert BROUGHT.findall(client.get(time, headers={"KB-Style": "later"}, follow=True).content.decode()) == []


@pytest.mark.parametrize(
    ("more", "target"),
    [({"INLINE_STYLE": False}, "kb-stage"), ({"STYLE_SHEETS": ["own.css"]}, "kb-stage"), ({}, "kb-inline-1")],
    ids=["off", "own sheets", "in a page of the site's"],
)
def test_a_form_brings_no_style_where_pages_link_it(
    client: Client, inline: Settings, more: dict[str, Any], target: str
):
    """Where the first sheet is linked, the other one is too."""
    inline.KORDLESS_BOOKING = {**inline.KORDLESS_BOOKING, **more}
    page = client.get("/book/haircut/").content.decode()
    assert ('data-kb-later="form"' in page) == (not more)
    time = unescape(re.findall(r'href="(/book/haircut/contact/[^"]+)"', page)[0])
    form = client.get(time, headers={"HX-Request": "true", "HX-Target": target, "KB-Style": "later"}).content.decode()
    assert 'data-kb-step="contact"' in form
    assert BROUGHT.findall(form) == []


@pytest.mark.parametrize("path", ["/book/haircut/?tz=America/New_York", "/book/"])
def test_the_first_times_are_two_small_responses(client: Client, inline: Settings, path: str):
    """The page has one script and no sheet that is loaded at once; the script loads htmx later."""
    html = client.get(path).content.decode()
    scripts = re.findall(r"<script[^>]*>", html)
    assert [re.findall(r'src="([^"]+)"', script) for script in scripts] == [["/static/kordless_booking/booking.js"]]
    assert re.findall(r'<link rel="stylesheet"[^>]*?( disabled)?>', html) == [" disabled"]
    [htmx] = re.findall(r'data-kb-htmx="/static/([^"]+)"', html)
    sizes = {
        "page": len(gzip.compress(html.encode(), 6)),
        "script": len(gzip.compress((BUILT / "booking.js").read_bytes())),
        "htmx": len(gzip.compress(Path(str(finders.find(htmx))).read_bytes())),
    }
    assert sizes["page"] + sizes["script"] <= FIRST_BYTES, sizes
    assert sum(sizes.values()) <= ALL_BYTES, sizes
