"""Saying when, on a phone: the link below the times, words that aren't understood, and words that are."""

import re
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, expect

from kordless_booking.contrib.assistant.grammar import is_supported
from tests.journeys import booking_steps
from tests.journeys.demo import Demo

PHONE = {"width": 390, "height": 844}


class Words(NamedTuple):
    """What is typed in a language, and what of it is said back."""

    language: str
    words: str
    hour: str
    """Pattern of the hour in the second button."""


WORDS = [
    Words("en", "tomorrow after 3", r"3:00\sPM"),
    Words("de", "morgen nach 15 Uhr", r"15:00"),
    Words("ar", "غدا بعد الساعة 3 مساء", r"3:00|\u0663:\u0660\u0660"),
    Words("ja", "明日15時以降", r"15:00"),
]
# A language whose words aren't complete yet has no field.
CASES = [
    pytest.param(each, scripts, id=f"{each.language} {'with' if scripts else 'without'} scripts", marks=marks)
    for each in WORDS
    if is_supported(each.language)
    for scripts in (True, False)
    for marks in ([] if each.language == "en" else [pytest.mark.matrix],)
]


@pytest.mark.parametrize(("typed", "scripts"), CASES)
def test_a_visitor_says_when(browser: Browser, demo: Demo, typed: Words, scripts: bool):
    """The words never stand in an address; what was understood is said back, and each part of it can be removed."""
    with browser.new_context(viewport=PHONE, java_script_enabled=scripts, has_touch=True, is_mobile=True) as context:
        page = context.new_page()
        addresses: list[str] = []
        page.on("request", lambda request: addresses.append(f"{request.url} {request.headers.get('referer')}"))
        page.goto(f"{demo.url}/book/haircut/?tz=America/New_York&lang={typed.language}")
        booking_steps.at(page, "slot")
        field = page.locator("input[name=words]")
        expect(field).to_be_hidden()
        page.locator(".kb-words-link a").click()
        booking_steps.at(page, "say")
        field.fill("zzyzx")
        field.press("Enter")
        expect(page.get_by_role("alert")).to_be_visible()
        booking_steps.at(page, "say")
        expect(field).to_have_value("zzyzx")
        assert not booking_steps.is_too_wide(page)
        field.fill(typed.words)
        field.press("Enter")
        booking_steps.at(page, "slot")
        limits = page.locator(".kb-limits a")
        expect(limits).to_have_count(2)
        expect(limits.nth(1)).to_have_text(re.compile(typed.hour))
        assert not booking_steps.is_too_wide(page)
        booking_steps.at_rest(page)
        for limit in limits.all():
            box = limit.bounding_box()
            assert box is not None
            # As high as a finger; of the pixels of a layout only whole ones count.
            assert round(box["height"]) >= 44
        limits.nth(1).click()
        expect(limits).to_have_count(1)
        assert not any("zzyzx" in address or "words" in address for address in addresses)
