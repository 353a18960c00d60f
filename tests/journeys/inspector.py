"""Accessibility checks of a page in a real browser: axe, and what can be measured."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys import booking_steps
from tests.journeys.measurements import cut_off, too_small

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}


class Inspector:
    """Checks pages and records what is wrong."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.axe = Axe()
        self.wrong: list[str] = []
        self.looked_at: list[str] = []

    def check(self, name: str) -> None:
        """Run axe on the page, once it is there as a whole."""
        self._wait_for_the_whole_page()
        found = self.axe.run(self.page, options=RULES).response["violations"]
        self.looked_at.append(name)
        self.wrong += [f"{name}: {each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]

    def measure(self, name: str, least: int) -> None:
        """Nothing to be scrolled sideways, nothing cut off, nothing too small to be hit."""
        self._wait_for_the_whole_page()
        problems = [*cut_off(self.page), *too_small(self.page, least)]
        if booking_steps.is_too_wide(self.page):
            problems.append("has to be scrolled sideways")
        self.wrong += [f"{name}: {each}" for each in problems]

    def _wait_for_the_whole_page(self) -> None:
        """Wait for a loaded document: in the middle of a navigation it is empty, without even an <html>.

        Whoever calls has waited for something that only the new page shows; no look at the document can tell whether it
        is the old one.
        """
        expect(self.page.locator("body")).to_be_visible()
        booking_steps.loaded(self.page)
