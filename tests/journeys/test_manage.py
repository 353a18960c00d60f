"""The customer's way: find a booking, move it, cancel it."""

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys import booking_steps
from tests.journeys.booking_steps import move_and_cancel
from tests.journeys.demo import Demo


def booked(page: Page, demo: Demo, email: str) -> str:
    """Book a consultation for this address, with the one host there is: bookings can move to no other host.

    Answers the confirmation number, the confirmation on the page.
    """
    page.goto(f"{demo.url}/book/")
    booking_steps.to_times(page, "Color consultation")
    booking_steps.to_contact(page)
    return booking_steps.book(page, email=email)


@pytest.mark.dates
def test_from_the_confirmation(page: Page, demo: Demo, complaints: list[str]):
    """The manage link leads straight to the booking, which is moved and then cancelled."""
    number = booked(page, demo, "mover@example.com")
    before = str(demo.sandbox.bookings())
    page.get_by_role("link", name="Change or cancel", exact=True).click()
    booking_steps.at(page, "booking")
    assert "mover" not in page.url
    move_and_cancel(page, demo, number)
    assert str(demo.sandbox.bookings()) != before
    assert complaints == []


def test_by_number_without_javascript(browser: Browser, demo: Demo):
    """A number in any case and the address find the booking; a wrong address and a wrong number sound the same."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        number = booked(page, demo, "finder@example.com")
        answers = []
        for wrong_number, contact in ((number, "someone@example.com"), (number[:-1] + "0", "finder@example.com")):
            page.goto(f"{demo.url}/book/manage/")
            booking_steps.find(page, wrong_number, contact)
            booking_steps.at(page, "find")
            answers.append(page.get_by_role("alert").first.inner_text())
        assert answers[0] == answers[1]
        page.goto(f"{demo.url}/book/manage/")
        booking_steps.find(page, number.lower(), "finder@example.com")
        booking_steps.at(page, "booking")
        assert "finder" not in page.url
        move_and_cancel(page, demo, number)
        assert context.cookies() == []
