"""The page of time zones: the likely ones in sight, the continents folded, and a search that filters as one types."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo
from tests.support.matrix import thinned

PAGE = "/book/haircut/zone/"


def test_typing_filters_and_a_row_leads_to_its_times(page: Page, shared_demo: Demo):
    """The field keeps the focus and each letter, the number of results is announced, and clearing restores the list."""
    page.goto(f"{shared_demo.url}{PAGE}?tz=Europe/Berlin")
    booking_steps.at(page, "zone")
    search, rows = page.get_by_role("searchbox"), page.locator(".kb-zones button:visible")
    search.focus()
    page.keyboard.type("北京")
    expect(rows).to_have_count(1)
    expect(rows).to_have_text(re.compile("Beijing, China"))
    expect(page.locator("[data-kb-live]")).to_contain_text("1 time zone found")
    expect(search).to_be_focused()
    expect(page).to_have_url(re.compile("q=%E5%8C%97%E4%BA%AC"))
    for _ in "北京":
        page.keyboard.press("Backspace")
    expect(page.get_by_role("heading", name="Suggested")).to_be_visible()
    expect(search).to_be_focused()
    page.keyboard.type("nepal")
    expect(rows).to_have_count(1)
    rows.click()
    booking_steps.at(page, "slot")
    expect(page.get_by_text(re.compile("Your time zone: Kathmandu"))).to_be_visible()
    expect(page).to_have_url(re.compile("tz=Asia(/|%2F)Kathmandu"))
    page.go_back()
    booking_steps.at(page, "zone")


def test_typing_filters_inside_a_page_of_a_site(page: Page, shared_demo: Demo):
    """What is found is swapped in there too, and the site's address stays."""
    page.goto(f"{shared_demo.url}/")
    booking_steps.to_times(page, "Haircut")
    page.get_by_role("link", name="Change time zone").click()
    booking_steps.at(page, "zone")
    page.get_by_role("searchbox").press_sequentially("berl")
    rows = page.locator(".kb-zones button:visible")
    expect(rows).to_have_count(1)
    rows.click()
    booking_steps.at(page, "slot")
    expect(page.get_by_text(re.compile("Your time zone: Berlin"))).to_be_visible()
    expect(page).to_have_url(f"{shared_demo.url}/")


def test_the_way_through_the_continents_by_keyboard(page: Page, shared_demo: Demo):
    """Enter unfolds a continent, Tab goes on into it, and Enter on a row chooses it."""
    page.goto(f"{shared_demo.url}{PAGE}?tz=Europe/Berlin")
    booking_steps.at(page, "zone")
    asia = page.locator("summary", has_text="Asia")
    kabul = page.locator(".kb-zones button", has_text="Kabul")
    expect(kabul).to_be_hidden()
    asia.focus()
    page.keyboard.press("Enter")
    expect(kabul).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text(re.compile("^Aden"))
    kabul.focus()
    page.keyboard.press("Enter")
    booking_steps.at(page, "slot")
    expect(page.locator(":focus")).to_have_class(re.compile("kb-title"))
    expect(page.get_by_text(re.compile("Your time zone: Kabul"))).to_be_visible()


def test_continents_unfold_and_rows_choose_without_javascript(browser: Browser, shared_demo: Demo):
    """Only the visitor's own continent is open, and a row is a button of a plain form."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{shared_demo.url}{PAGE}?tz=Europe/Berlin&hours=24")
        expect(page.locator(".kb-continent[open] summary")).to_have_text("Europe")
        page.locator("summary", has_text="Africa").click()
        page.locator(".kb-zones button", has_text="Nairobi").click()
        expect(page.get_by_text(re.compile("Your time zone: Nairobi"))).to_be_visible()
        expect(page).to_have_url(re.compile("hours=24"))


@pytest.mark.parametrize("lang", thinned(["en", "de", "ar", "ja", "hi"], keep={"en", "ar"}.__contains__))
def test_likely_zones_stand_in_the_first_screen_of_a_phone(browser: Browser, shared_demo: Demo, lang: str):
    """At 390 by 844 four can be tapped without scrolling, rows are high enough for fingers, and nothing is cut off."""
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.goto(f"{shared_demo.url}{PAGE}?tz=America/New_York&lang={lang}")
        rows = page.locator(".kb-zones button:visible")
        boxes = rows.evaluate_all("rows => rows.map((row) => row.getBoundingClientRect().toJSON())")
        assert boxes[3]["bottom"] <= 844
        assert min(box["height"] for box in boxes) >= 44
        assert page.evaluate("document.documentElement.scrollHeight") < 6500  # it was 23,000
        for width, font in ((390, "100%"), (280, "100%"), (390, "200%")):
            booking_steps.resize(page, width, 844)
            page.evaluate("size => { document.documentElement.style.fontSize = size }", font)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            widest = rows.evaluate_all("rows => Math.max(...rows.map((row) => row.scrollWidth - row.clientWidth))")
            assert widest <= 0
