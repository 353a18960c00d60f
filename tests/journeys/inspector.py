"""Accessibility checks of a page in a real browser: axe, and what can be measured."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

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
        """Run axe on the page as it stands."""
        found = self.axe.run(self.page, options=RULES).response["violations"]
        self.looked_at.append(name)
        self.wrong += [f"{name}: {each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]

    def measure(self, name: str, least: int) -> None:
        """Nothing to be scrolled sideways, nothing cut off, nothing too small to be hit."""
        said = [*cut_off(self.page), *too_small(self.page, least)]
        if booking_steps.is_too_wide(self.page):
            said.append("has to be scrolled sideways")
        self.wrong += [f"{name}: {each}" for each in said]
