"""The contact form of a business that asks for more, or less, than the default: the demo's second one, on a phone."""

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo

PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_business_may_ask_for_two_names_and_a_phone_number(browser: Browser, demo: Demo, scripts: bool):
    """What is missing is said and what was typed stays; the booking has one name, and is found by the number."""
    with browser.new_context(viewport=PHONE, java_script_enabled=scripts, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        page.goto(f"{demo.url}/book-all/home-visit/?tz=Europe/London")
        booking_steps.to_contact(page)
        # Each label stands in the text of its paragraph alone.
        expect(page.locator(".kb-label")).to_have_text(["First name", "Last name", "Email", "Phone", "Notes"])
        assert not booking_steps.is_too_wide(page)
        page.get_by_label("First name").fill("Ada")
        page.get_by_label("Email").fill("ada@example.com")
        page.get_by_role("button", name="Book appointment").click()
        missing = page.locator("[role=alert] a")
        expect(missing).to_have_text(
            [
                "Please enter your last name. If you have only one name, enter a hyphen here.",
                "Please enter your phone number.",
                "Please fill in the notes.",
            ]
        )
        expect(page.get_by_label("First name")).to_have_value("Ada")
        page.get_by_label("Last name").fill("Lovelace")
        page.get_by_label("Phone").fill("+44 20 7946 0018")
        page.get_by_label("Notes").fill("The green door")
        page.get_by_role("button", name="Book appointment").click()
        booking_steps.at(page, "confirmation")
        number = booking_steps.number_on(page)
        [booked] = [row for row in demo.sandbox.bookings() if row["number"] == number]
        assert (booked["name"], booked["phone"]) == ("Ada Lovelace", "+442079460018")
        assert booked["notes"] == "The green door"
        page.goto(f"{demo.url}/book-all/manage/")
        booking_steps.find(page, number, "020 7946 0018")
        booking_steps.at(page, "booking")
        page.goto(f"{demo.url}/book-all/open-class/?tz=Europe/London")
        booking_steps.to_contact(page)
        expect(page.locator(".kb-label")).to_have_text(["First name", "Last name", "Email"])
        page.get_by_label("First name").fill("Ada")
        if scripts:
            # Enter leads on to the last field, and sends the form from there: that has no next one.
            page.keyboard.press("Enter")
            expect(page.get_by_label("Last name")).to_be_focused()
        page.get_by_label("Last name").fill("Lovelace")
        page.get_by_label("Email").fill("ada@example.com")
        page.get_by_label("Email").press("Enter")
        booking_steps.at(page, "confirmation")
