"""Who finds no time that suits them is told when one is free, at the demo, on a phone."""

import re
from datetime import UTC, datetime

from playwright.sync_api import Browser, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo
from tests.support.waitlist import book_up

PHONE = {"width": 390, "height": 844}


def test_the_first_of_two_who_wait_is_notified_and_the_other_stops(browser: Browser, demo: Demo):
    """One has JavaScript, the other hasn't: both ask, a booking is canceled, and one mail leads to the form."""
    booked = book_up(demo.sandbox, now=datetime.now(UTC))
    for scripts, email in ((True, "first@example.com"), (False, "second@example.com")):
        with browser.new_context(
            viewport=PHONE, java_script_enabled=scripts, has_touch=True, is_mobile=True
        ) as context:
            page = context.new_page()
            page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
            booking_steps.at(page, "slot")
            page.get_by_role("link", name="Tell me when another time is free").click()
            booking_steps.at(page, "waitlist")
            until = page.get_by_label("Latest date")
            page.get_by_role("button", name="Tell me", exact=True).click()
            expect(page.locator("[role=alert]")).to_contain_text("Please enter an email address or a phone number.")
            page.get_by_label("Email or phone").fill(email)
            page.get_by_role("button", name="Tell me", exact=True).click()
            # Tomorrow there are times, so nobody has to wait for one.
            expect(page.locator(".kb-good")).to_contain_text("A time like this is free right now")
            expect(page.get_by_label("Email or phone")).to_have_value(email)
            until.fill(until.get_attribute("min") or "")
            page.get_by_role("button", name="Tell me", exact=True).click()
            booking_steps.at(page, "waitlist_entry")
            expect(page.get_by_role("heading", name="You’re on the list")).to_be_visible()
            booking_steps.at_rest(page)
            assert not booking_steps.is_too_wide(page)
            assert context.cookies() == []
            if scripts:
                continue
            for number in booked[sorted(booked)[2]]:
                demo.sandbox.set_status(number, "canceled")
            demo.send_mail()
            page.goto(f"{demo.url}/mail/")
            expect(page.get_by_role("navigation", name="Mails").get_by_role("link")).to_have_count(1)
            letter = page.frame_locator("iframe")
            expect(letter.get_by_text("First come, first served")).to_be_visible()
            link = letter.get_by_role("link", name="Book this time")
            expect(link).to_have_attribute("href", re.compile(f"^{re.escape(demo.url)}/book/service/haircut/contact/"))
            stop = letter.get_by_role("link", name="Stop these emails").get_attribute("href") or ""
            # Followed in tests/contrib/waitlist: here the server may remember the times of before for some seconds.
            page.goto(stop)
            booking_steps.at(page, "waitlist_entry")
            expect(page.get_by_role("heading", name="A time is free")).to_be_visible()
            assert not booking_steps.is_too_wide(page)
            page.get_by_role("button", name="Stop these messages").click()
            booking_steps.at(page, "waitlist_ended")
            expect(page.get_by_role("heading", name="No more messages")).to_be_visible()
