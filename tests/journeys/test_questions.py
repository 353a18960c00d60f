"""Questions before a booking: those of the demo's second business, on a phone."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo

PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_business_may_ask_questions(browser: Browser, demo: Demo, scripts: bool):
    """What is missing is said and leads to its first answer; answers stay on the way to another time and back."""
    with browser.new_context(viewport=PHONE, java_script_enabled=scripts, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        page.goto(f"{demo.url}/book-all/massage/?tz=Europe/London")
        booking_steps.to_contact(page)
        firmness = page.get_by_role("radiogroup", name="How firm should it be?")
        areas = page.get_by_role("group", name="Where does it hurt? (optional)")
        booking_steps.at_rest(page)
        assert not booking_steps.is_too_wide(page)
        for option in (*firmness.locator("label").all(), *areas.locator("label").all()):
            # As high as a finger; of the pixels of a layout only whole ones count.
            box = option.bounding_box()
            assert box is not None
            assert round(box["height"]) >= 44
        page.get_by_label("First name").fill("Ada")
        page.get_by_label("Last name").fill("Lovelace")
        page.get_by_label("Email", exact=True).fill("ada@example.com")
        page.get_by_label("I have read the house rules").check()
        areas.get_by_text("Back").tap()
        areas.get_by_text("Neck").tap()
        page.get_by_role("button", name="Book appointment").click()
        missing = page.locator("[role=alert] a")
        expect(missing).to_have_text("Please answer this question: How firm should it be?")
        expect(areas.get_by_label("Back")).to_be_checked()
        expect(page.get_by_role("alert")).to_be_focused()  # else it takes the focus after the press
        missing.click()
        expect(firmness.get_by_label("Light")).to_be_in_viewport()
        firmness.get_by_text("Firm", exact=True).tap()
        page.get_by_label("Any allergies? (optional)").fill("Nuts")
        page.get_by_role("radiogroup", name="Is this your first visit?").get_by_text("No").tap()
        page.get_by_role("button", name="Choose another time").click()
        booking_steps.at(page, "slot")
        booking_steps.to_contact(page, 1)
        expect(areas.get_by_label("Neck")).to_be_checked()
        expect(areas.get_by_label("Legs")).not_to_be_checked()
        expect(firmness.get_by_label("Firm")).to_be_checked()
        expect(page.get_by_label("Any allergies? (optional)")).to_have_value("Nuts")
        page.get_by_role("button", name="Book appointment").click()
        booking_steps.at(page, "confirmation")
        expect(page.locator(".kb-summary")).to_contain_text(re.compile(r"Sore areas\s*Neck, Back"))
        assert not booking_steps.is_too_wide(page)
        number = booking_steps.number_on(page)
        [booked] = [row for row in demo.sandbox.bookings() if row["number"] == number]
        assert booked["notes"] == "Pressure: Firm\nSore areas: Neck; Back\nAllergies: Nuts\nFirst visit: No"
