"""Customers in the admin, in a real browser: the list, one of them masked, and in full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo, furnish, served
from tests.journeys.inspector import Inspector
from tests.support.matrix import thinned

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def visited(_prepared: Path, tmp_path: Path, browser: Browser) -> Iterator[Demo]:
    """The demo with a login for staff, after somebody has booked twice."""
    furnish(tmp_path, _prepared)
    with served(tmp_path, DEBUG="1") as demo:
        for _again in range(2):
            with browser.new_context(timezone_id="Europe/Paris") as context:
                page = context.new_page()
                page.goto(f"{demo.url}/book/")
                booking_steps.to_times(page, "Haircut")
                booking_steps.choose_day(page, page.locator("a.kb-day").last)
                booking_steps.to_contact(page)
                booking_steps.book(page)
        yield demo


@pytest.mark.matrix
@pytest.mark.parametrize("scheme", thinned(["light", "dark"]))
def test_staff_see_a_customer_masked_and_then_in_full(page: Page, visited: Demo, scheme: str) -> None:
    """From the overview, on a phone: axe finds nothing, and nothing is wider than the screen, either way."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    inspector = Inspector(page)
    page.goto(f"{visited.url}/admin/kordless_booking/overview/")
    page.get_by_label("Username").fill("salon")
    page.get_by_label("Password").fill("salon")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.locator(".kb-links").get_by_role("link", name="Customers").click()
    expect(page.get_by_role("cell", name="a…@example.com")).to_be_visible()
    inspector.check("list")
    page.get_by_role("link", name="Returning").click()
    expect(page.locator("#changelist-filter li.selected", has_text="Returning")).to_be_visible()
    page.get_by_role("link", name="A… L…").click()
    show = page.get_by_role("button", name="Show personal data")
    expect(show).to_be_visible()
    expect(page.get_by_role("heading", name="2 visits")).to_be_visible()
    expect(page.get_by_text("ada@example.com")).to_have_count(0)
    inspector.check("customer")
    show.click()
    expect(page.get_by_text("ada@example.com")).to_be_visible()
    inspector.check("customer in full")
    assert not booking_steps.is_too_wide(page)
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert not booking_steps.is_too_wide(page)
    page.get_by_role("link", name="Mask it again").click()
    expect(show).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("Looked at the personal data.")).to_be_visible()
    assert inspector.wrong == []
    assert inspector.looked_at == ["list", "customer", "customer in full"]
