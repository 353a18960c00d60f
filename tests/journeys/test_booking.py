"""Booking an appointment: with JavaScript and without, on a small phone, inside another page."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo
from tests.journeys.first_bodies import check_first_bodies


def test_the_whole_way_with_javascript(page: Page, demo: Demo, complaints: list[str]):
    """Four steps without loading a page anew; one booking stands in the business's calendar, in its words."""
    page.goto(f"{demo.url}/book/")
    page.evaluate("window.sameDocument = true")
    booking_steps.to_times(page, "Haircut")
    booking_steps.to_contact(page)
    number = booking_steps.book(page, "Ada Lovelace", "ada@example.com")
    assert page.evaluate("window.sameDocument") is True
    booked = [booking for booking in demo.sandbox.bookings() if number in str(booking)]
    assert len(booked) == 1
    assert "Ada Lovelace" in str(booked[0])
    assert page.context.cookies() == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert complaints == []


def test_back_and_forward(page: Page, demo: Demo, complaints: list[str]):
    """The browser's own buttons lead through the steps, and what was chosen is still chosen."""
    page.goto(f"{demo.url}/book/")
    booking_steps.to_times(page, "Haircut")
    expect(page).to_have_url(re.compile("/haircut/"))
    first = page.url
    month = page.locator("[data-kb-say]").first
    shown = month.inner_text()
    page.get_by_role("link", name="Later dates").click()
    expect(page).to_have_url(re.compile("month="))
    chosen = page.url
    booking_steps.to_contact(page)
    booking_steps.back(page)
    booking_steps.at(page, "slot")
    expect(page).to_have_url(chosen)
    booking_steps.back(page)
    expect(page).to_have_url(first)
    expect(month).to_have_text(shown)  # the URL is there before the step
    booking_steps.at(page, "slot")
    booking_steps.back(page)
    booking_steps.at(page, "service")
    booking_steps.forward(page)
    booking_steps.at(page, "slot")
    assert complaints == []


def test_reloading_the_confirmation_books_nothing(page: Page, demo: Demo):
    """The confirmation may be reloaded, left and come back to; it stays one booking."""
    page.goto(f"{demo.url}/book/")
    booking_steps.to_times(page, "Beard trim")
    booking_steps.to_contact(page)
    number = booking_steps.book(page, email="reload@example.com")
    page.reload()
    assert booking_steps.number_on(page) == number
    page.goto(f"{demo.url}/book/")
    booking_steps.back(page)
    assert booking_steps.number_on(page) == number
    assert str(demo.sandbox.bookings()).count("reload@example.com") == 1


def test_the_whole_way_without_javascript(browser: Browser, demo: Demo):
    """Plain links and forms do the same."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{demo.url}/book/")
        booking_steps.to_times(page, "Haircut")
        page.get_by_role("link", name="Change time zone").click()
        page.get_by_role("searchbox").or_(page.locator("input[name=q]")).first.fill("Kathmandu")
        page.keyboard.press("Enter")
        page.wait_for_url("**q=Kathmandu**")  # the list before the search has this link too
        page.locator("[data-kb-step=zone]").get_by_role("button", name=re.compile("Kathmandu")).first.click()
        expect(page.get_by_text(re.compile("Your time zone: Kathmandu"))).to_be_visible()
        booking_steps.to_contact(page)
        page.get_by_role("button", name="Book appointment").click()
        expect(page.locator("[aria-invalid=true]").first).to_be_visible()
        booking_steps.at(page, "contact")
        booking_steps.book(page, email="plain@example.com")
        assert str(demo.sandbox.bookings()).count("plain@example.com") == 1
        assert context.cookies() == []


@pytest.mark.parametrize("width", [280, pytest.param(320, marks=[pytest.mark.dates, pytest.mark.matrix])])
def test_on_a_small_phone(browser: Browser, demo: Demo, width: int):
    """Nothing has to be scrolled sideways on any step."""
    with browser.new_context(viewport={"width": width, "height": 640}, timezone_id="Europe/Berlin") as context:
        page = context.new_page()
        page.goto(f"{demo.url}/")
        assert not booking_steps.is_too_wide(page)
        page.goto(f"{demo.url}/book/")
        assert not booking_steps.is_too_wide(page)
        booking_steps.to_times(page, "Color consultation")
        assert not booking_steps.is_too_wide(page)
        booking_steps.to_contact(page)
        assert not booking_steps.is_too_wide(page)
        booking_steps.book(page, email=f"phone{width}@example.com")
        assert not booking_steps.is_too_wide(page)


def test_inside_the_home_page(page: Page, demo: Demo, complaints: list[str]):
    """The widget books inside a page of the host, whose address and title stay."""
    page.goto(f"{demo.url}/")
    expect(page.get_by_text("This demo runs on the sandbox")).to_be_visible()
    title = page.title()
    booking_steps.to_times(page, "Haircut")
    booking_steps.to_contact(page, nth=1)
    booking_steps.book(page, email="inline@example.com")
    assert (page.url, page.title()) == (f"{demo.url}/", title)
    assert str(demo.sandbox.bookings()).count("inline@example.com") == 1
    assert page.get_by_role("link", name="Booking page", exact=True).get_attribute("href") == "/book/"
    assert page.get_by_role("link", name="Your booking", exact=True).get_attribute("href") == "/book/manage/"
    assert complaints == []


def test_the_first_times_come_cheap(browser: Browser, demo: Demo):
    """A deep link shows free times with two responses and 16 KB of bodies, packed; the first press brings the rest."""
    with browser.new_context(timezone_id="America/New_York") as context:
        page = context.new_page()
        booking_steps.without_mouse(page)
        page.goto(f"{demo.url}/book/")
        address = page.get_by_role("link", name="Haircut", exact=True).get_attribute("href")
        context.new_cdp_session(page).send("Network.clearBrowserCache")
        page.goto(f"{demo.url}{address}", wait_until="networkidle")
        # As full as a month can be: its days and times are much of the page.
        assert page.locator("a.kb-day").count() > 20
        assert page.locator(".kb-time").count() > 0
        check_first_bodies(page)
        # The form brings its style along, in one response: nothing jumps.
        urls: list[str] = []
        page.on("request", lambda request: urls.append(request.url))
        page.locator(".kb-time").first.press("Enter")
        booking_steps.at(page, "contact")
        expect(page.locator(".kb-summary").first).to_have_css("border-top-style", "solid")
        kinds = [kind for url in urls for kind in ("/style-later", "/contact/?start=") if kind in url]
        assert kinds == ["/contact/?start="]
        assert page.locator("link[data-kb-later]").count() == 0
        scripts = page.evaluate("performance.getEntriesByType('resource').filter(({ name }) => name.includes('/htmx'))")
        assert len(scripts) == 1


def test_a_press_waits_for_htmx_and_is_a_link_without_it(browser: Browser, demo: Demo):
    """Pressed while htmx is on its way, a time is chosen once it is there, by one request; else as without scripts."""
    with browser.new_context(timezone_id="America/New_York") as context:
        page = context.new_page()
        with booking_steps.unanswered(page, "**/htmx*"):
            page.goto(f"{demo.url}/book/haircut/")
            page.evaluate("window.isSamePage = true")
            urls: list[str] = []
            page.on("request", lambda request: "/contact/?start=" in request.url and urls.append(request.url))
            page.locator(".kb-time").first.press("Enter")
            expect(page.locator("[aria-busy=true]")).to_be_attached()
            booking_steps.at(page, "slot")
        booking_steps.at(page, "contact")
        assert page.evaluate("window.isSamePage") is True
        assert len(urls) == 1
        page.route("**/htmx*", lambda route: route.abort())
        page.goto(f"{demo.url}/book/haircut/")
        page.evaluate("window.isSamePage = true")
        page.locator(".kb-time").first.press("Enter")
        booking_steps.at(page, "contact")
        assert page.evaluate("window.isSamePage") is None
        booking_steps.book(page, email="without-htmx@example.com")
    assert str(demo.sandbox.bookings()).count("without-htmx@example.com") == 1
