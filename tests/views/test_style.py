"""The one style sheet, in the business's colour."""

import gzip
import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

import kordless_booking
from kordless_booking.sandbox import Sandbox

pytestmark = pytest.mark.django_db

STATIC = Path(kordless_booking.__file__).parent / "static" / "kordless_booking"
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border|scroll-margin|scroll-padding)-(?:left|right)[\w-]*|left|right|float)\s*:"
    r"|(?:text-align|float|clear)\s*:\s*(?:left|right)\b|border-(?:top|bottom)-(?:left|right)-radius"
)
"""What means a side of the screen rather than the beginning or the end of a line."""


def test_the_sheet_is_kept_for_ever(site: Settings, client: Client):
    """Colour and release stand in the address, so caches of all kinds may keep the answer for a year."""
    response = client.get("/book/style-7a2e5d.css")
    assert response["Content-Type"] == "text/css; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Accept-Encoding" in response["Vary"]
    assert not response.cookies
    assert b"#7a2e5d" in response.content


def test_it_is_small(site: Settings, client: Client):
    """Packed, for those who can unpack it, it is the very same and at most 7 KB."""
    plain = client.get("/book/style-7a2e5d.css")
    packed = client.get("/book/style-7a2e5d.css", headers={"Accept-Encoding": "br, gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) < 7 * 1024


@pytest.mark.parametrize("colour", ["red", "7a2e5", "7a2e5dd", "7A2E5G", "%23ffffff", "../../x"])
def test_only_colours_have_a_sheet(site: Settings, client: Client, colour: str):
    """Anything but six hexadecimal digits is a page that isn't there."""
    assert client.get(f"/book/style-{colour}.css").status_code == 404


def test_pages_link_the_sheet_of_the_business(site: Settings, client: Client, sandbox: Sandbox):
    """The page's one sheet is in the business's colour, with the release in its address."""
    html = client.get("/book/").content.decode()
    assert re.findall(r'rel="stylesheet" href="([^"?]+)\?v=[0-9a-f]{8}"', html) == ["/book/style-7a2e5d.css"]


def test_a_page_without_a_business_has_a_sheet_too(site: Settings, client: Client, sandbox: Sandbox):
    """When Kordless can't say whose page it is, the default colour is used."""
    sandbox.mischief.set("status", status=500)
    html = client.get("/book/").content.decode()
    [sheet] = re.findall(r'rel="stylesheet" href="([^"]+)"', html)
    assert client.get(sheet).status_code == 200


@pytest.mark.parametrize("sheet", sorted(STATIC.rglob("*.css")), ids=lambda sheet: sheet.name)
def test_no_rule_means_a_side_of_the_screen(sheet: Path):
    """Everything begins and ends where the language does, so that right to left needs no second sheet."""
    assert [found[0] for found in PHYSICAL.finditer(sheet.read_text())] == []


@pytest.mark.parametrize(
    "rule", ["margin-left: 1px", "text-align: right", "{left:0}", "float:left", "border-top-left-radius: 1px"]
)
def test_a_side_of_the_screen_is_found(rule: str):
    """The look above sees what it is to see, and leaves the logical ones alone."""
    assert PHYSICAL.search(rule)
    assert not PHYSICAL.search("padding-inline-start: 1px; border-inline-end: 0; inset-block: 0; text-align: start")


def test_nothing_moves_but_for_those_who_like_it():
    """Transitions and animations are only for visitors who did not ask for less motion."""
    sheet = (STATIC / "booking.css").read_text()
    wished = re.search(r"@media \(prefers-reduced-motion: no-preference\) \{\n(?:  .*\n)*\}\n", sheet)
    assert wished
    rest = sheet.replace(wished[0], "")
    assert re.findall(r"(?<![\w-])(?:transition|animation|scroll-behavior)[\w-]*\s*:", wished[0])
    assert re.findall(r"(?<![\w-])(?:transition|animation|scroll-behavior)[\w-]*\s*:", rest) == []
