"""The customer's way: find a booking, move it, cancel it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import booking_steps
from tests.journeys.booking_steps import move_and_cancel
from tests.journeys.demo import Demo, furnish, served


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


@pytest.fixture
def asking(_prepared: Path, tmp_path: Path) -> Iterator[Demo]:
    """The demo of a business that wants to know why a booking is changed."""
    furnish(tmp_path, _prepared)
    with served(tmp_path, JOURNEY_ASK_REASON="required") as demo:
        yield demo


def test_a_reason_is_asked_for_and_kept_on_a_phone(browser: Browser, asking: Demo):
    """Over a missing one and another choice of the time; with scripts, and as a whole without."""
    for javascript in (True, False):
        with browser.new_context(
            java_script_enabled=javascript, viewport={"width": 390, "height": 844}, timezone_id="America/New_York"
        ) as context:
            change_with_reasons(context.new_page(), asking, f"why-{javascript}@example.com".lower())
            assert context.cookies() == []
    assert "train" not in asking.log()


def change_with_reasons(page: Page, demo: Demo, email: str) -> None:
    """Book, reschedule and cancel, and say why. The booking says until when it can be changed."""
    until = page.get_by_text("You can change or cancel until")
    reason = page.get_by_label("Reason", exact=True)
    page.goto(f"{demo.url}/book/full-color/")
    booking_steps.choose_last_day(page)
    booking_steps.to_contact(page)
    booking_steps.book(page, email=email)
    expect(until).to_be_visible()
    page.get_by_role("link", name="Change or cancel", exact=True).click()
    booking_steps.at(page, "booking")
    expect(until).to_be_visible()
    page.get_by_role("button", name="Reschedule").click()
    booking_steps.choose_last_day(page)
    page.locator(".kb-time").last.click()
    booking_steps.at(page, "move")
    page.get_by_role("button", name="Reschedule").click()
    expect(page.locator("textarea[aria-invalid=true]")).to_be_visible()
    booking_steps.at(page, "move")
    reason.fill("The train is late")
    page.get_by_role("button", name="Choose another time").click()
    booking_steps.choose_last_day(page)
    assert "train" not in page.url
    page.locator(".kb-time").last.click()
    booking_steps.at(page, "move")
    expect(reason).to_have_value("The train is late")
    assert not booking_steps.is_too_wide(page)
    page.get_by_role("button", name="Reschedule").click()
    expect(page.get_by_text("Your booking has been rescheduled.")).to_be_visible()
    booking_steps.at(page, "booking")
    page.get_by_role("button", name="Cancel booking").click()
    booking_steps.at(page, "cancel")
    expect(reason).to_have_value("")  # that one was for the other change
    reason.fill("Ill")
    page.get_by_role("button", name="Cancel booking").click()
    expect(page.get_by_role("heading", name="Booking canceled")).to_be_visible()
