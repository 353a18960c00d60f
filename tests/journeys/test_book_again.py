"""What brings people back: the next free time, the others who come along, and the same again some weeks later."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo

PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_party_names_its_guests_and_is_offered_the_same_again(browser: Browser, demo: Demo, scripts: bool):
    """On a phone, at the demo's second business: guests stay where they were typed, and are shown with the booking."""
    with browser.new_context(viewport=PHONE, java_script_enabled=scripts, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        page.goto(f"{demo.url}/book-all/open-class/?tz=Europe/London&party=3")
        booking_steps.to_contact(page)
        guests = page.get_by_label("Guests (optional)")
        page.get_by_label("First name").fill("Ada")
        page.get_by_label("Last name").fill("Lovelace")
        page.get_by_label("Email", exact=True).fill("ada@example.com")
        page.get_by_label("I have read the house rules").check()
        guests.fill("Grace grace@")
        page.get_by_role("button", name="Book appointment").click()
        wrong = page.locator("[role=alert] a")
        expect(wrong).to_contain_text("Please check the guest “Grace <grace@>”")
        expect(page.get_by_role("alert")).to_be_focused()  # else it takes the focus after the press
        wrong.click()
        expect(guests).to_be_in_viewport()
        expect(guests).to_have_value("Grace grace@")
        guests.fill("Grace Hopper grace@example.com\nAlan Turing")
        page.get_by_role("button", name="Book appointment").click()
        booking_steps.at(page, "confirmation")
        expect(page.locator(".kb-summary")).to_contain_text("Grace Hopper <grace@example.com>")
        number = booking_steps.number_on(page)
        [booked] = [row for row in demo.sandbox.bookings() if row["number"] == number]
        assert booked["notes"] == "Guests: Grace Hopper <grace@example.com> / Alan Turing"
        page.get_by_role("link", name=re.compile("^Book again: ")).click()
        booking_steps.at(page, "slot")
        expect(page.locator(".kb-nearest a")).to_have_count(3)
        booking_steps.at_rest(page)
        assert not booking_steps.is_too_wide(page)
        page.goto(f"{demo.url}/book-all/?tz=Europe/London")
        booking_steps.at(page, "service")
        expect(page.locator(".kb-service", has_text="Open class")).to_contain_text("Next: ")
        assert not booking_steps.is_too_wide(page)
