"""The details step and the confirmation as they are seen: what is in the first screen, copied, and printed."""

import pytest
from playwright.sync_api import Browser, Page, expect

from kordless_booking.presentation.locales import supported_languages
from tests.journeys import booking_steps
from tests.journeys.all_pages import Tour
from tests.journeys.demo import Demo
from tests.journeys.languages import LANGUAGES
from tests.journeys.line_boxes import SPLIT
from tests.support.matrix import thinned
from tests.support.printed_pages import count_pages, read_text

PHONE = {"width": 390, "height": 844}
NAME_BY, NAME_BY_AT_LONGEST = 500, 560
"""Pixels from the top within which the name field begins on a phone, and in the language with the longest texts."""


@pytest.mark.matrix  # test_first_screen.py measures the field in all languages too, a little more loosely
def test_the_name_field_is_in_the_first_screen_of_a_phone(browser: Browser, shared_demo: Demo):
    """In all languages, for a visitor with two clocks in the summary."""
    tops = {}
    with browser.new_context(viewport=PHONE) as context:
        page = context.new_page()
        for lang in supported_languages():
            tour = Tour(page, shared_demo, lang=lang)
            tour.open("haircut/", "slot")
            tour.press(".kb-time", "contact")
            booking_steps.at_rest(tour.page)
            tops[lang] = tour.page.locator("[name=name]").bounding_box()["y"]  # type: ignore[index]
            assert tour.page.evaluate("scrollY") == 0
            assert not booking_steps.is_too_wide(tour.page)
    assert len(tops) == 20
    *most, longest = sorted(tops.values())
    assert most[-1] <= NAME_BY, tops
    assert longest <= NAME_BY_AT_LONGEST, tops


def test_the_summary_is_two_lines_on_a_phone_and_opens(browser: Browser, shared_demo: Demo):
    """Service and time are seen, and the rest when they are pressed, by keyboard or finger, also without JavaScript."""
    with browser.new_context(viewport=PHONE, java_script_enabled=False) as context:
        tour = Tour(context.new_page(), shared_demo, tz="America/New_York")
        tour.open("styling-class/", "slot")
        tour.press(".kb-time", "contact")
        page = tour.page
        expect(page.locator(".kb-brief .kb-what")).to_have_text("Styling class")
        expect(page.get_by_text("$30.00")).to_be_hidden()
        page.locator(".kb-brief").press("Enter")
        expect(page.get_by_text("$30.00")).to_be_visible()
        page.locator(".kb-brief").click()
        expect(page.get_by_text("$30.00")).to_be_hidden()


def test_the_summary_stands_beside_the_form_on_a_desktop(page: Page, shared_demo: Demo):
    """All of it, and with nothing to open."""
    tour = Tour(page, shared_demo, tz="America/New_York")
    tour.open("styling-class/", "slot")
    tour.press(".kb-time", "contact")
    expect(page.get_by_text("$30.00")).to_be_visible()
    expect(page.locator(".kb-brief")).to_be_hidden()
    booking_steps.at_rest(page)
    summary, form = (page.locator(place).bounding_box() for place in (".kb-summary", ".kb-form"))
    assert summary is not None
    assert form is not None
    assert form["x"] + form["width"] < summary["x"]
    assert abs(form["y"] - summary["y"]) < 40


def test_enter_leads_to_the_next_field_on_a_phone(browser: Browser, shared_demo: Demo):
    """Its keyboard says so; sending a form that is half filled in would give errors."""
    with browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True) as context:
        tour = Tour(context.new_page(), shared_demo)
        tour.open("haircut/", "slot")
        tour.press(".kb-time", "contact")
        tour.page.locator("[name=name]").focus()
        for following in ("email", "phone", "notes"):
            tour.page.keyboard.press("Enter")
            expect(tour.page.locator(f"[name={following}]")).to_be_focused()
        expect(tour.page.locator("[role=alert]")).to_have_count(0)


def test_the_confirmation_number_is_copied_with_one_press(page: Page, demo: Demo):
    """The button says so, and so does the live region."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    number = _booked(page, demo)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    expect(page.locator("[data-kb-live]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == number


@pytest.mark.matrix
def test_a_browser_that_refuses_the_clipboard_copies_the_old_way(page: Page, demo: Demo):
    """As in a frame without the permission: the number is selected, and copied as a selection."""
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))")
    number = _booked(page, demo)
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("[data-kb-live]")).to_have_text("Copied")
    assert page.evaluate("getSelection().toString()") == number


@pytest.mark.parametrize("script", thinned(["no script", "no clipboard"]))
def test_there_is_no_copy_button_where_it_could_not_copy(browser: Browser, demo: Demo, script: str):
    """Without JavaScript, and without a clipboard; a double click selects the number as a whole."""
    with browser.new_context(java_script_enabled=script != "no script") as context:
        page = context.new_page()
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        _booked(page, demo)
        expect(page.locator(".kb-copy")).to_be_hidden()
        style = page.locator(".kb-number").evaluate("(number) => getComputedStyle(number).userSelect")
        assert style == "all"


@pytest.mark.parametrize(("paper", "scheme"), thinned([("A4", "dark"), ("Letter", "light")], unpack=True))
def test_the_confirmation_prints_on_one_page(browser: Browser, demo: Demo, paper: str, scheme: str):
    """Number, time and address in black on white, and nothing to press."""
    # Without the animation, in which a step is still transparent.
    color_scheme = "dark" if scheme == "dark" else "light"
    with browser.new_context(color_scheme=color_scheme, reduced_motion="reduce") as context:
        page = context.new_page()
        number = _booked(page, demo)
        _check_print(page, paper, number)
        page.locator(".kb-onward a").first.click()
        booking_steps.at(page, "booking")
        _check_print(page, paper, number)


def _booked(page: Page, demo: Demo) -> str:
    tour = Tour(page, demo, tz="America/New_York")
    tour.open("haircut/", "slot")
    tour.press(".kb-time", "contact")
    return booking_steps.book(page)


def _check_print(page: Page, paper: str, number: str) -> None:
    pdf = page.pdf(format=paper)
    text = read_text(pdf)
    assert count_pages(pdf) == 1
    for printed in (number, "123MainStreet", "Haircut", "Confirmationnumber"):
        assert printed in text
    for pressed in ("Google", "Copy", "Cancel", "Allservices"):
        assert pressed not in text
    page.emulate_media(media="print")
    assert page.locator(":is(button, .kb-button):visible").count() == 0
    colors = page.locator(".kb-number").evaluate(
        """(number) => {
          const grounds = [];
          for (let box = number; box; box = box.parentElement) grounds.push(getComputedStyle(box).backgroundColor);
          return [getComputedStyle(number).color, grounds.find((color) => color !== "rgba(0, 0, 0, 0)") || "none"];
        }"""
    )
    assert colors[0] == "rgb(0, 0, 0)"
    assert colors[1] in {"none", "rgb(255, 255, 255)"}
    # None of both: with "screen" the next PDF would be of the screen.
    page.emulate_media(media="null")


@pytest.mark.parametrize("languages", LANGUAGES)
def test_the_label_of_the_number_is_in_one_line(browser: Browser, demo: Demo, languages: tuple[str, ...]):
    """On phone, tablet and desktop, on the confirmation and the booking's own page; so is the number."""
    split = {}
    with browser.new_context() as context:
        tour = Tour(context.new_page(), demo, tz="America/New_York")
        tour.open("haircut/", "slot")
        tour.press(".kb-time", "contact")
        tour.fill(name="Jane Doe", email="jane@example.com")
        tour.press(".kb-form .kb-primary", "confirmation")
        for step in ("confirmation", "booking"):
            if step == "booking":
                tour.press(".kb-onward a", step)
            address = booking_steps.address(tour.page)
            assert "lang=en" in address
            for lang in languages:
                tour.page.goto(address.replace("lang=en", f"lang={lang}"))
                tour.at(step)
                for width in (390, 600, 1280):
                    booking_steps.resize(tour.page, width, 900)
                    booking_steps.at_rest(tour.page)
                    if found := tour.page.evaluate(SPLIT, "dt:has(+ dd .kb-number), .kb-number"):
                        split[step, lang, width] = found
            tour.page.goto(address)
            tour.at(step)
    assert split == {}


def test_a_zone_below_the_times_is_in_one_line_with_the_dot_behind_it(browser: Browser, shared_demo: Demo):
    """At each width of a phone; no line begins with the dot."""
    with browser.new_context(viewport=PHONE) as context:
        for lang in ("en", "de", "ja"):
            tour = Tour(context.new_page(), shared_demo, lang=lang, tz="America/Argentina/Buenos_Aires")
            tour.open("haircut/", "slot", clock="visitor")
            for width in range(300, 460, 20):
                booking_steps.resize(tour.page, width, 844)
                booking_steps.at_rest(tour.page)
                expect(tour.page.locator(".kb-zone .kb-whole")).to_contain_text("GMT-3 ·")
                assert tour.page.evaluate(SPLIT, ".kb-zone .kb-whole") == []
