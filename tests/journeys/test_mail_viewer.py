"""The sandbox's post: a booking's mail can be read in the demo, and looks right in light and dark."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo
from tests.journeys.inspector import Inspector
from tests.support.matrix import thinned


@pytest.mark.matrix
def test_a_booking_is_confirmed_by_mail(page: Page, demo: Demo, complaints: list[str]):
    """Soon after it is made; its links lead to the site, and a calendar file comes with it."""
    page.goto(f"{demo.url}/mail/")
    expect(page.get_by_role("heading", name="No mail yet")).to_be_visible()
    page.get_by_role("link", name="Open the booking page").click()
    booking_steps.to_times(page, "Haircut")
    booking_steps.to_contact(page)
    number = booking_steps.book(page)
    page.goto(f"{demo.url}/mail/")
    _wait_for_mail(page)
    letter = page.frame_locator("iframe")
    expect(letter.get_by_role("heading", name="You’re booked")).to_be_visible()
    expect(letter.get_by_text(number)).to_be_visible()
    expect(letter.get_by_role("link", name="Change or cancel")).to_have_attribute(
        "href", re.compile(f"^{re.escape(demo.url)}/book/manage/")
    )
    assert not booking_steps.is_too_wide(page)
    page.get_by_text("The same as plain text").click()
    expect(page.locator(".post-text")).to_contain_text(f"Confirmation number: {number}")
    assert complaints == []  # a download counts as a request that was broken off
    with page.expect_download() as download:
        page.get_by_role("link", name="booking.ics").click()
    assert download.value.suggested_filename == "booking.ics"


@pytest.mark.matrix
@pytest.mark.parametrize("scheme", thinned(["light", "dark"]))
def test_a_mail_leaves_nobody_out(page: Page, demo: Demo, scheme: str):
    """No violation in light and dark, and room enough on the narrowest phone."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{demo.url}/book/")
    booking_steps.to_times(page, "Haircut")
    booking_steps.to_contact(page)
    booking_steps.book(page)
    page.goto(f"{demo.url}/mail/")
    _wait_for_mail(page)
    address = page.locator("iframe").get_attribute("src") or ""
    letter = page.request.get(f"{demo.url}{address}").text()
    page.goto("about:blank")  # where scripts may run, and so axe
    page.set_viewport_size({"width": 320, "height": 700})
    page.set_content(letter)
    assert not booking_steps.is_too_wide(page)
    inspector = Inspector(page)
    inspector.check("letter")
    assert inspector.wrong == []


def test_who_leaves_only_a_phone_number_gets_a_message_with_a_short_link(browser: Browser, demo: Demo):
    """On a phone, with JavaScript and without: the confirmation says so, and the link opens the booking."""
    for scripts, number in ((True, "+12125550141"), (False, "+12125550142")):
        with browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=scripts) as context:
            page = context.new_page()
            page.goto(f"{demo.url}/book/")
            booking_steps.to_times(page, "Haircut")
            booking_steps.to_contact(page)
            page.get_by_label("Name", exact=True).fill("Ada Lovelace")
            page.get_by_label("Phone (or email)", exact=True).fill(number)
            page.get_by_role("button", name="Book appointment").click()
            booking_steps.at(page, "confirmation")
            booked = booking_steps.number_on(page)
            expect(page.get_by_text(re.compile(f"text message with your link to .*{number[-2:]}"))).to_be_visible()
            page.goto(f"{demo.url}/mail/")
            message = page.get_by_role("heading", name=f"Message to {number}")
            booking_steps.reload_until(page, message)
            bubble = page.locator(".post-bubble")
            expect(bubble).to_contain_text("Confirmed: Haircut, ")
            assert not booking_steps.is_too_wide(page)
            link = bubble.get_by_role("link")
            expect(link).to_have_attribute("href", re.compile(f"^{re.escape(demo.url)}/book/m/[0-9a-z]{{16}}$"))
            link.click()
            booking_steps.at(page, "booking")
            assert booking_steps.number_on(page) == booked
            expect(page.get_by_role("button", name="Cancel booking")).to_be_visible()
            assert context.cookies() == []


def _wait_for_mail(page: Page) -> None:
    """It is sent in the background."""
    booking_steps.reload_until(page, page.get_by_role("navigation", name="Mails"))
