"""Boxes for consent and the links at the button: the demo's second business, on a phone."""

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo

PHONE = {"width": 390, "height": 844}
RULES, NEWS = "I have read the house rules of the studio.", "Email me news and offers"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_visitor_reads_ticks_and_books(browser: Browser, demo: Demo, scripts: bool):
    """A required box is asked for by name, a press on its words ticks it, and another time keeps what was ticked."""
    with browser.new_context(viewport=PHONE, java_script_enabled=scripts, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        page.goto(f"{demo.url}/book-all/open-class/?tz=Europe/London")
        booking_steps.to_contact(page)
        rules, news = page.get_by_label(RULES), page.get_by_label(NEWS)
        for box in (rules, news):
            expect(box).not_to_be_checked()
        booking_steps.at_rest(page)
        assert not booking_steps.is_too_wide(page)
        for line in page.locator(".kb-check label").all():
            # Rounded: places in a page are no whole numbers.
            assert round((line.bounding_box() or {"height": 0})["height"]) >= 44
        with context.expect_page() as opened:
            page.get_by_role("link", name="privacy policy (opens in a new tab)").click()
        expect(opened.value.get_by_role("heading", name="Privacy policy")).to_be_visible()
        opened.value.close()
        page.get_by_label("First name").fill("Ada")
        page.get_by_label("Last name").fill("Lovelace")
        page.get_by_label("Email", exact=True).fill("ada@example.com")
        page.get_by_text(NEWS).click()
        expect(news).to_be_checked()
        page.get_by_role("button", name="Book appointment").click()
        missing = page.locator("[role=alert] a")
        expect(missing).to_have_text([f"Please check this box to book: “{RULES}”"])
        expect(news).to_be_checked()
        expect(page.get_by_role("alert")).to_be_focused()  # else it takes the focus after the press
        missing.click()
        expect(rules).to_be_focused()
        page.get_by_text(RULES, exact=True).click()
        expect(rules).to_be_checked()
        page.get_by_role("button", name="Choose another time").click()
        booking_steps.to_contact(page)
        for box in (rules, news):
            expect(box).to_be_checked()
        page.get_by_role("button", name="Book appointment").click()
        booking_steps.at(page, "confirmation")
        number = booking_steps.number_on(page)
        [booked] = [row for row in demo.sandbox.bookings() if row["number"] == number]
        assert not booked["notes"]
