"""The page of times on a phone: the first free time is in the first screen, in every language and at every service."""

from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from kordless_booking.sandbox.seeds import ACME
from tests.journeys import booking_steps
from tests.journeys.demo import Demo

PHONE, SMALL_PHONE = {"width": 390, "height": 844}, {"width": 360, "height": 640}
LOWEST_FIRST_TIME = 800
HIGHEST_PAGE = 920
"""Of what the widget itself shows, without the day's times, which are more on one day than on another. Below it stand
the lines of the optional apps."""
HIGHEST_LINE = 48
"""A link that a finger can press, which an optional app adds below the times."""
LOWEST_NAME_FIELD = 560
"""In the longest language; 500 in the others."""
FAR_ZONE = "Asia/Kathmandu"
"""A visitor whose clock isn't the salon's, by hours and minutes."""
LANGUAGES = [
    pytest.param(["en"], id="in English"),
    pytest.param([code for code, _name in settings.LANGUAGES], id="in every language", marks=pytest.mark.matrix),
]
SERVICES = [service.slug for service in ACME.services if service.public]
MEASURE = """
() => {
  const added = [...document.querySelectorAll(".kb-slot ~ *")];
  const whole = document.documentElement.scrollHeight;
  for (const line of added) line.style.display = "none";
  const height = document.documentElement.scrollHeight;
  for (const line of added) line.style.display = "";
  const times = [...document.querySelectorAll(".kb-times .kb-time")].map((time) => time.getBoundingClientRect());
  const nearest = [...document.querySelectorAll(".kb-nearest .kb-time")];
  return {
    first: times[0]?.top + scrollY,
    times: times.length,
    month: document.querySelector(".kb-month table").getBoundingClientRect().height,
    height: height - (times.length ? times.at(-1).bottom - times[0].top : 0),
    added: whole - height,
    lines: added.length,
    rows: document.querySelectorAll(".kb-month tbody tr").length,
    nearest: nearest.map((time) => time.getBoundingClientRect().bottom),
    scrolled: scrollY,
  };
}
"""


def open_times(
    page: Page, demo: Demo, service: str, query: str = "", *, zone: str = "America/New_York"
) -> dict[str, Any]:
    """Open the page of a service's times, and return its measures in pixels."""
    page.goto(f"{demo.url}/book/{service}/?tz={zone}{query}", wait_until="domcontentloaded")
    booking_steps.at(page, "slot")
    return measure(page)


def measure(page: Page) -> dict[str, Any]:
    """Return the measures of the page of times in pixels, once nothing in it moves."""
    booking_steps.at_rest(page)
    measures: dict[str, Any] = page.evaluate(MEASURE)
    return measures


@pytest.mark.parametrize("languages", LANGUAGES)
def test_the_first_time_is_in_the_first_screen_of_a_phone(browser: Browser, shared_demo: Demo, languages: list[str]):
    """At the service with most above the calendar, its hosts; on a small phone it is within 1.2 screens."""
    with browser.new_context(viewport=PHONE, java_script_enabled=False) as context:  # type: ignore[arg-type]
        page = context.new_page()
        low = {}
        # Without scripts, and one load for each language: the sizes of the screen share it.
        for language in languages:
            page.set_viewport_size(PHONE)  # type: ignore[arg-type]
            first = open_times(page, shared_demo, "haircut", f"&lang={language}")["first"]
            booking_steps.resize(page, **SMALL_PHONE)
            on_small = measure(page)["first"]
            if first > LOWEST_FIRST_TIME or on_small > 1.2 * SMALL_PHONE["height"]:
                low[language] = first, on_small
        assert not low


@pytest.mark.parametrize("languages", LANGUAGES)
def test_two_clocks_keep_the_first_time_and_the_name_field_in_the_first_screen(
    browser: Browser, shared_demo: Demo, languages: list[str]
):
    """The sentence about the clocks and its switch, and both clocks in the summary, take little."""
    with browser.new_context(viewport=PHONE, java_script_enabled=False) as context:  # type: ignore[arg-type]
        page = context.new_page()
        low = {}
        for language in languages:
            first = open_times(page, shared_demo, "haircut", f"&lang={language}", zone=FAR_ZONE)["first"]
            assert page.locator(".kb-by a").count() == 1, language
            page.locator(".kb-times .kb-time").first.click()
            booking_steps.at(page, "contact")
            booking_steps.at_rest(page)
            name: float = page.evaluate("document.querySelector('[name=name]').getBoundingClientRect().top + scrollY")
            if first > LOWEST_FIRST_TIME or name > LOWEST_NAME_FIELD:
                low[language] = first, name
        assert not low


def test_a_page_of_times_by_two_clocks_is_short(browser: Browser, shared_demo: Demo):
    """At the service with most above the calendar, for someone at home at the place and for someone far away."""
    with browser.new_context(viewport=PHONE) as context:  # type: ignore[arg-type]
        page = context.new_page()
        for zone in ("America/New_York", FAR_ZONE):
            measures = open_times(page, shared_demo, "haircut", "&day=2026-12-06", zone=zone)
            assert measures["times"], zone
            assert measures["height"] <= HIGHEST_PAGE, (zone, measures)
            assert 0 < measures["added"] <= measures["lines"] * HIGHEST_LINE, (zone, measures)


@pytest.mark.matrix
def test_a_page_of_times_by_two_clocks_is_short_in_every_language(browser: Browser, shared_demo: Demo):
    """The sentence about the clocks, the lines about the zone and the foot stay short, for a visitor from Berlin."""
    with browser.new_context(viewport=PHONE, java_script_enabled=False) as context:  # type: ignore[arg-type]
        page = context.new_page()
        long = {}
        for language, _name in settings.LANGUAGES:
            measures = open_times(
                page, shared_demo, "haircut", f"&day=2026-12-06&lang={language}", zone="Europe/Berlin"
            )
            assert measures["times"], language
            if measures["height"] > HIGHEST_PAGE:
                long[language] = measures["height"]
        assert not long


def test_a_page_of_times_is_short_at_every_service_of_the_demo(browser: Browser, shared_demo: Demo):
    """Its first time is in the first screen, the calendar has five weeks, and no service's page is long."""
    with browser.new_context(viewport=PHONE) as context:  # type: ignore[arg-type]
        page = context.new_page()
        for service in SERVICES:
            measures = open_times(page, shared_demo, service)
            assert measures["rows"] == 5, service
            assert measures["first"] <= LOWEST_FIRST_TIME, (service, measures)
            assert measures["height"] <= HIGHEST_PAGE, (service, measures)
            assert not booking_steps.is_too_wide(page), service


def test_the_calendar_has_one_height_on_all_its_pages(page: Page, shared_demo: Demo):
    """Nothing below it jumps when it is turned or another day is chosen."""
    assert open_times(page, shared_demo, "haircut")["scrolled"] == 0
    measures = open_times(page, shared_demo, "bridal-styling")
    for _ in range(3):
        shown = page.locator(".kb-month .kb-sub").inner_text()
        page.locator("a[rel~=next]").click()
        expect(page.locator(".kb-month .kb-sub")).not_to_have_text(shown)
        assert measure(page)["month"] == measures["month"]
    booking_steps.choose_day(page, page.locator("a.kb-day:not([aria-current])").first)
    assert measure(page)["month"] == measures["month"]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_who_loses_a_time_has_the_nearest_free_ones_in_sight(browser: Browser, demo: Demo, scripts: bool):
    """Three buttons below the notice, without scrolling; one of them leads on to the form, which has what was typed."""
    with browser.new_context(viewport=PHONE, java_script_enabled=scripts) as context:  # type: ignore[arg-type]
        page = context.new_page()
        open_times(page, demo, "haircut")
        booking_steps.to_contact(page, nth=1)
        demo.sandbox.faults.add("status", "create", times=1, status=409)
        page.get_by_label("Name", exact=True).fill("Ada Lovelace")
        page.get_by_label("Email (or phone)", exact=True).fill("ada@example.com")
        page.get_by_role("button", name="Book appointment").click()
        booking_steps.at(page, "slot")
        expect(page.get_by_role("alert")).to_contain_text("taken")
        measures = measure(page)
        assert measures["scrolled"] == 0
        assert len(measures["nearest"]) == 3
        assert max(measures["nearest"]) <= PHONE["height"]
        page.locator(".kb-nearest .kb-time").first.click()
        booking_steps.at(page, "contact")
        expect(page.get_by_label("Name", exact=True)).to_have_value("Ada Lovelace")
