"""Layout on a phone that only a browser can show: nothing is split, cut off, or of another width than its neighbors."""

import pytest
from playwright.sync_api import Browser

from tests.journeys import booking_steps
from tests.journeys.all_pages import Tour
from tests.journeys.demo import Demo

PHONE = {"width": 390, "height": 844}
WIDTHS = """
() => [...document.querySelectorAll(".kb-form input[name=name], .kb-form button")].map(
  (element) => Math.round(element.getBoundingClientRect().width)
)
"""
LINES = """
(number) => {
  const element = document.querySelector(".kb-number"), range = document.createRange();
  element.textContent = number;
  range.selectNodeContents(element);
  return range.getClientRects().length;
}
"""


@pytest.mark.parametrize("lang", ["ja", "ar"])
def test_buttons_of_a_form_are_as_wide_as_its_fields(browser: Browser, demo: Demo, lang: str):
    """However short their labels are: in Japanese both would fit into one line."""
    with browser.new_context(viewport=PHONE) as context:
        tour = Tour(context.new_page(), demo, lang=lang)
        tour.open("haircut/", "slot")
        tour.press(".kb-time", "contact")
        [field, *buttons] = tour.page.evaluate(WIDTHS)
        assert buttons == [field, field]


def test_a_confirmation_number_stays_in_one_line(browser: Browser, demo: Demo):
    """Numbers of wide letters go below their label; one that is wider than the page is split."""
    with browser.new_context(viewport=PHONE) as context:
        tour = Tour(context.new_page(), demo)
        tour.open("haircut/", "slot")
        tour.press(".kb-time", "contact")
        booking_steps.book(tour.page)
        assert tour.page.evaluate(LINES, "BOOK_CGCWVZWD") == 1
        assert tour.page.evaluate(LINES, "BOOK_WWWWMMMM") == 1
        assert tour.page.evaluate(LINES, "W" * 64) > 1
        assert not booking_steps.is_too_wide(tour.page)
