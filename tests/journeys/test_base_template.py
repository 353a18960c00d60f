"""The widget inside the site's own base template, with JavaScript and without."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo, furnish, served
from tests.journeys.host_htmx import VERSIONS, serve_host
from tests.support.matrix import thinned

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def based(_prepared: Path, tmp_path: Path) -> Iterator[Demo]:
    """The demo with its own base template around the widget."""
    furnish(tmp_path, _prepared)
    with served(tmp_path, DJANGO_SETTINGS_MODULE="tests.projects.based.settings") as demo:
        yield demo


def expect_site_frame(page: Page, title: str) -> None:
    """Wait for the document's title, and find the site's frame once around the widget."""
    expect(page).to_have_title(f"{title} · Acme Salon")
    expect(page.locator(".site-header + main > .kb")).to_have_count(1)
    expect(page.locator(".site-footer")).to_have_count(1)


def test_a_visitor_books_inside_the_sites_own_frame(browser: Browser, based: Demo):
    """Steps are swapped in below the site's header, which stays; Back and Forward keep what was typed; no cookie."""
    with browser.new_context(viewport=PHONE, timezone_id="America/New_York") as context:
        page = context.new_page()
        page.goto(f"{based.url}/book/")
        expect_site_frame(page, "Choose a service")
        page.locator(".site-header").evaluate("(header) => { header.dataset.same = 'yes'; }")
        booking_steps.to_times(page, "Haircut")
        expect_site_frame(page, "Haircut")
        assert not booking_steps.is_too_wide(page)
        booking_steps.to_contact(page)
        expect_site_frame(page, "Your details")
        page.get_by_label("Name").fill("Ada")
        booking_steps.back(page)
        booking_steps.at(page, "slot")
        expect_site_frame(page, "Haircut")
        booking_steps.forward(page)
        booking_steps.at(page, "contact")
        expect(page.get_by_label("Name")).to_have_value("Ada")
        booking_steps.book(page)
        booking_steps.at(page, "confirmation")
        expect(page.locator(".site-header[data-same=yes]")).to_have_count(1)
        page.reload()
        expect_site_frame(page, "You’re booked")
        assert context.cookies() == []
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    with browser.new_context(viewport=PHONE, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{based.url}/book/")
        booking_steps.to_times(page, "Haircut")
        expect_site_frame(page, "Haircut")
        booking_steps.to_contact(page)
        booking_steps.book(page, email="grace@example.com")
        expect_site_frame(page, "You’re booked")
        assert context.cookies() == []
    assert str(based.sandbox.bookings()).count("@example.com") >= 2


FRAMES = """
() => [".kb", ".kb-stage", ".kb-card"].filter((selector) => {
  const { borderTopWidth, backgroundColor, boxShadow } = getComputedStyle(document.querySelector(selector));
  return borderTopWidth !== "0px" || backgroundColor !== "rgba(0, 0, 0, 0)" || boxShadow !== "none";
})
"""
"""What of the widget is to be seen as a box."""


@pytest.mark.matrix
def test_the_widget_in_the_sites_frame_is_one_surface_and_no_box_in_a_box(browser: Browser, based: Demo):
    """On a desktop its ground has the color of its card, on a phone it has the one border; in light and dark."""
    for scheme in ("light", "dark"):
        with browser.new_context(color_scheme=scheme, java_script_enabled=False) as context:  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(f"{based.url}/book/haircut/")
            booking_steps.at(page, "slot")
            for width in (1280, 390):
                booking_steps.resize(page, width, 844)
                assert page.evaluate(FRAMES) == [".kb"], (scheme, width)


@pytest.mark.parametrize("version", thinned({version: version for version in VERSIONS}))
def test_an_htmx_of_the_sites_base_and_the_page_in_it_leave_each_other_alone(page: Page, based: Demo, version: str):
    """Each click asks once, each step has its URL, Back and Forward lead through them, and one booking is made."""
    requests = serve_host(page, based, version, "in the head", "/book/", "</nav>")
    page.goto(f"{based.url}/book/")
    expect(page.get_by_text("Answered a GET")).to_be_visible()
    expect(page.locator(".kb.kb-js")).to_be_visible()  # the widget's script has started
    page.get_by_role("button", name="The host's").click()
    expect(page.locator("#host-answer")).to_have_text("Answered a POST")
    booking_steps.to_times(page, "Haircut")
    expect_site_frame(page, "Haircut")
    page.evaluate("htmx.process(document.body)")
    booking_steps.to_contact(page)
    page.get_by_label("Name").fill("Ada")
    booking_steps.back(page)
    booking_steps.at(page, "slot")
    booking_steps.forward(page)
    booking_steps.at(page, "contact")
    expect(page.get_by_label("Name")).to_have_value("Ada")
    booking_steps.book(page)
    booking_steps.at(page, "confirmation")
    expect(page).not_to_have_url(f"{based.url}/book/")
    assert page.evaluate("htmx.version").startswith(version)
    assert [each for each in requests if each.startswith("POST")] == ["POST /host/", "POST /book/haircut/contact/"]
    assert requests.count("GET /host/") == 1
    expect(page.locator("#host-answer")).to_have_text("Answered a POST")  # the page was never loaded again
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
