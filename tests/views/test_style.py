"""The one style sheet, in the business's colour."""

import gzip
import re

import pytest
from django.test import Client
from pytest_django import Settings

from kordless_booking.sandbox import Sandbox

pytestmark = pytest.mark.django_db


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
