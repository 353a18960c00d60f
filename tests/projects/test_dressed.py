"""The host that restyles the widget, at each of its depths; docs/theming.md shows its files."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings
from selectolax.lexbor import LexborHTMLParser

DRESSED = Path(__file__).parent / "dressed"

pytestmark = pytest.mark.django_db


def dressed(settings: Settings, client: Client, depth: str) -> tuple[LexborHTMLParser, str]:
    """The services and the style sheet of the host that goes that deep."""
    settings.STATICFILES_DIRS = [DRESSED / "static"]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [DRESSED / depth]}]
    settings.KORDLESS_BOOKING = {**settings.KORDLESS_BOOKING, "STYLE_SHEETS": [f"dressed/{depth}.css"]}
    page = LexborHTMLParser(client.get("/book/").content.decode())
    sheet = page.css_first("link[rel=stylesheet]").attributes["href"] or ""
    return page, client.get(sheet).content.decode()


@pytest.mark.parametrize("depth", ["properties", "parts", "pages"])
def test_its_own_sheet_is_part_of_the_widgets(site: Settings, client: Client, depth: str):
    """Word for word, at the end."""
    _page, css = dressed(site, client, depth)
    assert css.rstrip().endswith((DRESSED / "static" / "dressed" / f"{depth}.css").read_text().rstrip())


def test_a_part_of_its_own(site: Settings, client: Client):
    """Each service is a tile, and still swaps smoothly."""
    page, _css = dressed(site, client, "parts")
    tiles = page.css(".tile")
    assert len(tiles) == len(page.css(".kb-services > li")) > 3
    assert all(tile.css_first("a").attributes["data-hx-target"] == "#kb-stage" for tile in tiles)


def test_a_page_of_its_own(site: Settings, client: Client):
    """Its own words stand beside the package's parts, in every layout."""
    page, _css = dressed(site, client, "pages")
    assert page.css_first(".welcome a[href^=tel]") is not None
    assert page.css(".welcome .kb-service")
    fragment = client.get("/book/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "welcome" in fragment
