"""Text at 200 % on a phone (WCAG 1.4.4): what is read as one piece stays in one line, in every language."""

import pytest
from playwright.sync_api import Browser

from tests.journeys import booking_steps
from tests.journeys.all_pages import Tour
from tests.journeys.demo import Demo
from tests.journeys.languages import LANGUAGES
from tests.journeys.line_boxes import SPLIT

LARGE = """
addEventListener("DOMContentLoaded", () => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("html { font-size: 200% }");
  document.adoptedStyleSheets = [sheet];
});
"""

LABELS = """
() => [...document.querySelectorAll(".kb-month [data-kb-month]")].map((cell) => {
  const label = getComputedStyle(cell, "::before"), range = document.createRange();
  const day = cell.querySelector(".kb-day");
  range.selectNodeContents(day);
  const { top, height } = range.getBoundingClientRect();
  // Digits are about 0.73em high, in the middle of their line.
  const digits = top + height / 2 - 0.37 * parseFloat(getComputedStyle(day).fontSize);
  const above = cell.getBoundingClientRect().top + parseFloat(label.top) + parseFloat(label.lineHeight);
  return Math.round(digits - above);
})
"""
"""Pixels between the name of each month and the digits of its first day, below zero where they touch."""


@pytest.mark.parametrize("languages", LANGUAGES)
def test_days_and_weekdays_are_never_split_in_large_text(
    browser: Browser, shared_demo: Demo, languages: tuple[str, ...]
):
    """Each day and each weekday is in one line box, inside its own cell."""
    split = {}
    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script(LARGE)
        for lang in languages:
            Tour(page, shared_demo, lang=lang).open("haircut/", "slot")
            assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
            assert page.locator(".kb-day").count() > 27
            for width in (390, 320):
                booking_steps.resize(page, width, 844)
                if found := page.evaluate(SPLIT, ".kb-day, .kb-if-no-room"):
                    split[lang, width] = found
                if booking_steps.is_too_wide(page):
                    split.setdefault((lang, width), []).append("has to be scrolled sideways")
    assert split == {}


def test_a_confirmation_number_is_never_split_in_large_text(browser: Browser, demo: Demo):
    """It is read out, typed and compared, so half of it in another line is a wrong number."""
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.add_init_script(LARGE)
        tour = Tour(page, demo)
        tour.open("haircut/", "slot")
        tour.press(".kb-time", "contact")
        booking_steps.book(page)
        for number in (booking_steps.number_on(page), "BOOK_CGCWVZWD"):
            page.locator(".kb-number").evaluate("(element, number) => (element.textContent = number)", number)
            assert page.evaluate(SPLIT, ".kb-number") == []
        assert not booking_steps.is_too_wide(page)


@pytest.mark.matrix
def test_the_name_of_a_month_never_touches_its_first_day(browser: Browser, shared_demo: Demo):
    """In large text as well as in small, on a phone and on a desktop."""
    for script in (LARGE, ""):
        with browser.new_context() as context:
            page = context.new_page()
            page.add_init_script(script)
            Tour(page, shared_demo).open("haircut/", "slot")
            for width in (1280, 390, 280):
                booking_steps.resize(page, width, 844)
                booking_steps.at_rest(page)
                gaps = page.evaluate(LABELS)
                assert gaps
                assert min(gaps) >= 0, (script, width)
