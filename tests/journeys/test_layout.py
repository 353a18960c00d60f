"""Layout on a phone that only a browser can show: nothing is split, cut off, or of another width than its neighbors."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from kordless_booking.presentation.locales import supported_languages
from kordless_booking.views.cells import nearest_day
from tests.journeys import booking_steps
from tests.journeys.all_pages import Tour
from tests.journeys.demo import Demo, furnish, served
from tests.journeys.languages import LANGUAGES
from tests.support.matrix import thinned

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
DETAILS = """
() => [...document.querySelectorAll(".kb-times small, .kb-hosts bdi, .kb-zone a")].map((element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  const lines = [...range.getClientRects()].filter((box) => box.width).map((box) => Math.round(box.bottom / 8));
  return new Set(lines).size > 1 ? element.textContent : null;
}).filter(Boolean)
"""
"""Texts that should stand in one line and don't."""
BROKEN = """
() => [...document.querySelectorAll(".kb-whole, .kb-time b, .kb-time")].flatMap((element) => {
  // A button with details has lines of its own for them: its own text is the clock time.
  const texts = element.matches(".kb-time") ? [...element.childNodes].filter((node) => node.nodeType === 3) : [element];
  return texts.filter((text) => text.textContent.trim()).map((text) => {
    const range = document.createRange();
    range.selectNodeContents(text);
    const rows = [...range.getClientRects()].filter((box) => box.width).map((box) => Math.round(box.bottom / 8));
    return new Set(rows).size > 1 ? text.textContent : null;
  });
}).filter(Boolean)
"""


@pytest.mark.parametrize("languages", LANGUAGES)
def test_a_clock_time_a_date_and_a_range_stay_in_one_line(
    browser: Browser, shared_demo: Demo, languages: tuple[str, ...]
):
    """On a phone, and a clock time in the narrowest frame, in every language, on the 12-hour clock."""
    with browser.new_context(viewport=PHONE) as context:
        page = context.new_page()
        for lang in languages:
            page.goto(f"{shared_demo.url}/book/haircut/?lang={lang}&hours=12")
            booking_steps.at(page, "slot")
            url = page.locator("a.kb-time").first.get_attribute("href")
            for width in (390, 280):
                booking_steps.resize(page, width, 844)
                assert page.evaluate(BROKEN) == [], f"{lang}, {width}"
            page.goto(f"{shared_demo.url}{url}")
            booking_steps.at(page, "contact")
            booking_steps.resize(page, **PHONE)
            assert page.locator(".kb-whole").count() or lang in {"ja", "ko", "zh-hans", "zh-hant"}
            assert page.evaluate(BROKEN) == [], lang
            # A Spanish range is wider than such a page: it breaks between two words.
            booking_steps.resize(page, 280, 844)
            assert not booking_steps.is_too_wide(page), lang


@pytest.fixture
def wide(_prepared: Path, tmp_path: Path) -> Iterator[Demo]:
    """The demo at the sandbox's business with long texts."""
    furnish(tmp_path, _prepared)
    with served(tmp_path, KORDLESS_SANDBOX_ORG="wide") as demo:
        yield demo


@pytest.mark.matrix
def test_a_business_with_long_texts_stays_in_its_lines(browser: Browser, wide: Demo):
    """Long names of hosts, ends on a later date and places left: each in one line, and nothing wider than the page."""
    with browser.new_context(viewport=PHONE, java_script_enabled=False) as context:
        page = context.new_page()
        for lang in ("en", "de", "uk", "ar", "ja"):
            for service in ("long-name", "long-hosts", "three-days", "class"):
                page.goto(f"{wide.url}/book/{service}/?lang={lang}&tz=Europe/Berlin")
                booking_steps.at(page, "slot")
                assert page.evaluate(DETAILS) == [], (lang, service)
                for width in (280, 390):
                    booking_steps.resize(page, width, 844)
                    assert not booking_steps.is_too_wide(page), (lang, service, width)


SPLIT_WORDS = """
(details) => [...document.querySelectorAll(".kb-nearest .kb-time")].flatMap((button, index) => {
  const small = button.querySelector("small"), range = document.createRange();
  const box = button.getBoundingClientRect();
  return details.filter((detail) => {
    small.textContent = detail;
    return [...detail.matchAll(/[^ ]+/g)].some(({ index: at, 0: word }) => {
      range.setStart(small.firstChild, at);
      range.setEnd(small.firstChild, at + word.length);
      const boxes = [...range.getClientRects()].filter(({ width }) => width);
      const rows = new Set(boxes.map(({ bottom }) => Math.round(bottom / 8)));
      return rows.size > 1 || boxes.some(({ left, right }) => left < box.left - 1 || right > box.right + 1);
    });
  });
})
"""
"""Puts each detail on the buttons of the nearest times, and returns those of which a word breaks or doesn't fit."""


@pytest.mark.matrix
def test_no_word_breaks_on_the_buttons_of_the_nearest_times(browser: Browser, shared_demo: Demo):
    """Not the longest dates of a year, in no language and at no width."""
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    until = datetime.now(UTC).date() + timedelta(days=9)
    with browser.new_context(viewport=PHONE, java_script_enabled=True) as context:
        page = context.new_page()
        for lang in supported_languages():
            dates = {nearest_day(day, lang) for day in days}
            longest = sorted(dates, key=len)[-12:]
            page.set_viewport_size(PHONE)
            page.goto(f"{shared_demo.url}/book/haircut/?lang={lang}&until={until}&after=23:00")
            booking_steps.at(page, "slot")
            expect(page.locator(".kb-nearest small")).to_have_count(3)
            booking_steps.at_rest(page)
            for width in (280, 390, 768, 1280):
                booking_steps.resize(page, width, 844)
                assert page.evaluate(SPLIT_WORDS, longest) == [], (lang, width)


@pytest.mark.matrix
def test_two_links_below_the_times_share_a_line_of_an_english_phone(browser: Browser, shared_demo: Demo):
    """Those of the waitlist and of the assistant."""
    with browser.new_context(viewport=PHONE, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{shared_demo.url}/book/haircut/?tz=America/New_York")
        booking_steps.at(page, "slot")
        expect(page.locator(".kb-after")).to_have_count(2)
        tops = page.locator(".kb-after").evaluate_all("(links) => links.map((link) => link.offsetTop)")
        assert abs(tops[0] - tops[1]) <= 1


@pytest.mark.parametrize("lang", thinned(["ja", "ar"]))
def test_buttons_of_a_form_are_as_wide_as_its_fields(browser: Browser, shared_demo: Demo, lang: str):
    """However short their labels are."""
    with browser.new_context(viewport=PHONE) as context:
        tour = Tour(context.new_page(), shared_demo, lang=lang)
        tour.open("haircut/", "slot")
        tour.press(".kb-time", "contact")
        [field, *buttons] = tour.page.evaluate(WIDTHS)
        assert buttons == [field]


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


LAST_WORDS = """
() => [...document.querySelectorAll(".kb-summary strong")].map((element) => {
  const range = document.createRange(), lines = new Map();
  for (const node of [...element.childNodes].flatMap((each) => each.firstChild ?? each)) {
    for (const { index, 0: word } of node.data.matchAll(/\\S+/g)) {
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const line = Math.round(range.getBoundingClientRect().bottom / 8);
      lines.set(line, [...(lines.get(line) ?? []), word]);
    }
  }
  const all = [...lines.values()];
  return all.length > 1 && all.at(-1).length < 2 ? element.textContent : null;
}).filter(Boolean)
"""
"""Times whose last line is a single word."""


@pytest.mark.matrix
def test_no_word_of_a_time_is_alone_on_its_line(browser: Browser, demo: Demo):
    """Of the desktop's narrow summary: “your time” stays together below its range."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.goto(f"{demo.url}/book-all/massage/?tz=America/New_York")
        booking_steps.to_contact(page)
        booking_steps.wait_for(page, "document.querySelectorAll('.kb-summary small + strong').length")
        assert page.evaluate(LAST_WORDS) == []


ROWS = """
(element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  return new Set([...range.getClientRects()].map(({ bottom }) => Math.round(bottom / 8))).size;
}
"""
"""Lines of an element."""


@pytest.mark.matrix
def test_a_tagline_has_the_width_of_a_phone(browser: Browser, demo: Demo):
    """Below name and progress, in one line, in either direction; the pages after it have none."""
    with browser.new_context(viewport=PHONE) as context:
        page = context.new_page()
        for lang in ("en", "ar"):
            page.goto(f"{demo.url}/book-all/?lang={lang}")
            booking_steps.at(page, "service")
            booking_steps.at_rest(page)
            assert page.locator(".kb-tagline").evaluate(ROWS) == 1
            assert not booking_steps.is_too_wide(page)
