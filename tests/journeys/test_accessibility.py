"""Every page in light and dark, looked over by axe for WCAG 2.2 A and AA."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.journeys import walk
from tests.journeys.demo import Demo

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


class Inspector:
    """Looks at a page in one color scheme and remembers what is wrong."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.axe = Axe()
        self.wrong: list[str] = []
        self.looked_at: list[str] = []

    def look(self, name: str) -> None:
        """Run axe on the page as it stands."""
        found = self.axe.run(self.page, options=RULES).response["violations"]
        self.looked_at.append(name)
        self.wrong += [f"{name}: {each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_left_out(page: Page, demo: Demo, scheme: str):
    """The home page, each step, each page of the customer's way and a problem page have no violation."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    inspector = Inspector(page)
    page.goto(f"{demo.url}/")
    inspector.look("home")
    page.goto(f"{demo.url}/book/")
    inspector.look("services")
    walk.to_times(page, "Haircut")
    inspector.look("times")
    page.get_by_role("link", name="Change time zone").click()
    walk.at(page, "zone")
    inspector.look("zones")
    page.goto(f"{demo.url}/book/")
    walk.to_times(page, "Styling class")
    inspector.look("times of a class")
    walk.to_contact(page)
    inspector.look("contact")
    page.get_by_role("button", name="Book appointment").click()
    page.locator("[aria-invalid=true]").first.wait_for()
    inspector.look("contact with errors")
    number = walk.book(page, email=f"{scheme}@example.com")
    inspector.look("confirmation")
    page.get_by_role("link", name="Change or cancel", exact=True).click()
    walk.at(page, "booking")
    inspector.look("booking")
    page.get_by_role("button", name="Reschedule").click()
    walk.at(page, "slot")
    inspector.look("other times")
    page.locator(".kb-time").last.click()
    walk.at(page, "move")
    inspector.look("move")
    page.goto(f"{demo.url}/book/manage/")
    inspector.look("find")
    walk.find(page, number, "nobody@example.com")
    page.get_by_role("alert").first.wait_for()
    inspector.look("not found")
    walk.find(page, number, f"{scheme}@example.com")
    walk.at(page, "booking")
    page.get_by_role("button", name="Cancel booking").click()
    walk.at(page, "cancel")
    inspector.look("cancel")
    page.goto(f"{demo.url}/book/no-such-page/")
    inspector.look("problem")
    page.goto(f"{demo.url}/book/haircut/?embed=1&accent=ffee00")
    inspector.look("framed times")
    page.goto(f"{demo.url}/snippet/?site=https://shop.example&accent=red")
    page.frame_locator("iframe").locator("iframe").first.wait_for()
    inspector.look("snippet builder")
    assert inspector.wrong == []
    assert len(inspector.looked_at) == 17
