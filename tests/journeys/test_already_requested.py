"""One link to the details step, two people: only one of them is booked, and the other gets a page with a way on."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo
from tests.support.matrix import thinned

HEADING = "This time was already requested from this page"


def expect_already_requested(page: Page) -> None:
    """The page is there, and nothing of the first booking is on it."""
    booking_steps.at(page, "problem")
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible()
    expect(page.get_by_text("Nothing new was booked and nothing was changed.")).to_be_visible()
    shown = page.content()
    assert not [word for word in ("Ada", "ada@example.com", "BOOK_", "/confirmation/") if word in shown]


def leads_on(page: Page, demo: Demo, name: str = "", email: str = "") -> None:
    """The same time for somebody else: a form with what was typed, and a booking of its own."""
    # A button where what was typed goes along, else a link.
    page.locator(".kb-button", has_text="Book this time for someone else").click()
    booking_steps.at(page, "contact")
    expect(page.get_by_label("Name", exact=True)).to_have_value(name)
    expect(page.get_by_label("Email (or phone)", exact=True)).to_have_value(email)
    booking_steps.book(page, "Grace Hopper", "grace@example.com")
    booked = sorted((booking["name"], booking["starts"]) for booking in demo.sandbox.bookings() if booking["email"])
    assert [who for who, _when in booked[-2:]] == ["Ada Lovelace", "Grace Hopper"]
    assert len({when for _who, when in booked[-2:]}) == 1


@pytest.mark.matrix
@pytest.mark.parametrize("script", thinned({"with JavaScript": True, "without": False}))
def test_back_after_booking_says_so_and_leads_on(browser: Browser, demo: Demo, *, script: bool):
    """Book, press Back: the details step says that its time was requested, and whoever goes on books another."""
    with browser.new_context(java_script_enabled=script, timezone_id="America/New_York") as context:
        page = context.new_page()
        page.goto(f"{demo.url}/book/")
        booking_steps.to_times(page, "Styling class")
        booking_steps.to_contact(page)
        booking_steps.book(page)
        booking_steps.back(page)
        expect_already_requested(page)
        leads_on(page, demo)


@pytest.mark.matrix
@pytest.mark.parametrize("script", thinned({"with JavaScript": True, "without": False}))
def test_another_name_in_an_open_form_gets_a_page_with_a_way_on(browser: Browser, demo: Demo, *, script: bool):
    """A shared link, filled in before the first one was sent: all that was typed goes along."""
    with browser.new_context(java_script_enabled=script, timezone_id="America/New_York") as context:
        page, shared = context.new_page(), context.new_page()
        page.goto(f"{demo.url}/book/")
        booking_steps.to_times(page, "Styling class")
        booking_steps.to_contact(page)
        shared.goto(booking_steps.address(page))
        booking_steps.at(shared, "contact")
        booking_steps.book(page)
        shared.get_by_label("Name", exact=True).fill("Grace Hopper")
        shared.get_by_label("Email (or phone)", exact=True).fill("grace@example.com")
        shared.get_by_role("button", name="Book appointment").click()
        expect_already_requested(shared)
        expect(shared.get_by_text("Everything you typed is kept.")).to_be_visible()
        if script:
            expect(shared.locator(".kb-title")).to_be_focused()
        leads_on(shared, demo, "Grace Hopper", "grace@example.com")
