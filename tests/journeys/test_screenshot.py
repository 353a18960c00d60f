"""The README's picture is of the real thing: `make screenshot` takes it anew."""

import os
from pathlib import Path

from playwright.sync_api import Page

from tests.journeys import walk
from tests.journeys.demo import Demo


def test_the_picture_for_the_readme(page: Page, demo: Demo, tmp_path: Path):
    """The salon's home page with the times of a haircut; kept where KORDLESS_SCREENSHOT says."""
    file = Path(os.environ.get("KORDLESS_SCREENSHOT") or tmp_path / "screenshot.png")
    page.set_viewport_size({"width": 1280, "height": 1120})
    page.goto(f"{demo.url}/")
    walk.to_times(page, "Haircut")
    page.locator(".kb-day[href]").nth(3).click()
    page.locator(".kb-day[aria-current]").nth(0).wait_for()
    page.mouse.move(0, 0)
    page.locator("#book-title").evaluate("title => scrollTo(0, title.getBoundingClientRect().top + scrollY - 48)")
    page.screenshot(path=file, animations="disabled", caret="hide")
    assert file.stat().st_size > 20_000
