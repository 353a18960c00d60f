"""The docs' pictures are of the real thing, and the command that takes them works."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from screenshots import everything
from screenshots.pictures import PHONE
from screenshots.steps import STEPS

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.matrix
def test_a_sheet_has_every_step(browser: Browser, tmp_path: Path):
    """In a language that is written from the right: the whole way is walked without a word of it being read."""
    file = everything.steps(browser, tmp_path, "ar", "dark", PHONE)
    assert file.name == "ar-dark-phone.webp"
    page = browser.new_page()
    page.goto(file.as_uri())
    size = page.evaluate("[document.images[0].naturalWidth, document.images[0].naturalHeight]")
    rows = -(-len(STEPS) // PHONE.row)
    assert size[0] > PHONE.row * PHONE.shown
    assert size[1] > rows * 400


def test_the_gallery_shows_every_sheet():
    """docs/screenshots.md is what the command writes."""
    assert (DOCS / "screenshots.md").read_text() == everything.gallery("screenshots")
