"""Every page in every dress: by axe for WCAG 2.2 A and AA, and by measure for what axe can't see."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import booking_steps
from tests.journeys.all_pages import Tour
from tests.journeys.demo import Demo
from tests.journeys.inspector import Inspector
from tests.support.matrix import thinned

AIRY = (
    "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    " p { margin-block-end: 2em !important }"
)
WIDE, PHONE, NARROW = ({"width": width, "height": height} for width, height in ((1280, 900), (390, 844), (320, 640)))


@dataclass(frozen=True)
class Dress:
    """Display settings under which a visitor sees the widget.

    `least`: CSS pixels of a target; `text`: per cent; `airy`: with the text spacing of
    WCAG 1.4.12; `axe`: whether it looks too.
    """

    context: dict[str, Any]
    lang: str = "en"
    least: int = 24
    text: int = 100
    airy: bool = False
    axe: bool = True


DRESSES = {
    "light": Dress({"viewport": WIDE}),
    "dark, at 400 % zoom": Dress({"viewport": NARROW, "color_scheme": "dark"}, airy=True),
    "right to left, by touch": Dress({"viewport": PHONE, "has_touch": True, "is_mobile": True}, lang="ar", least=44),
    "forced colors, large text": Dress({"viewport": WIDE, "forced_colors": "active"}, text=200, axe=False),
    "large text on a phone": Dress({"viewport": PHONE, "color_scheme": "dark"}, lang="de", text=200, axe=False),
}


@pytest.mark.parametrize("dress", thinned(DRESSES))
def test_nobody_is_left_out(browser: Browser, demo: Demo, dress: Dress):
    """Each step, each page of the customer's way and each kind of trouble: no violation, and all of it in reach."""
    with browser.new_context(reduced_motion="reduce", **dress.context) as context:
        page = context.new_page()
        rules = f"html {{ font-size: {dress.text}% }} {AIRY if dress.airy else ''}"
        worn = f"const sheet = new CSSStyleSheet(); sheet.replaceSync('{rules}'); document.adoptedStyleSheets = [sheet]"
        page.add_init_script(f"addEventListener('DOMContentLoaded', () => {{ {worn} }})")
        inspector, seen = Inspector(page), []
        for name in Tour(page, demo, lang=dress.lang).everything():
            seen.append(name)
            inspector.measure(name, dress.least)
            if dress.axe:
                inspector.check(name)
        assert inspector.wrong == []
        assert len(seen) >= 21


@pytest.mark.matrix
def test_the_pages_around_the_widget(page: Page, demo: Demo):
    """The home page, the widget in a frame and the snippet builder have no violation, in light and in dark."""
    inspector = Inspector(page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        page.goto(f"{demo.url}/")
        inspector.check("home")
        page.goto(f"{demo.url}/book/haircut/?embed=1&accent=ffee00")
        inspector.check("framed times")
        page.goto(f"{demo.url}/snippet/?site=https://shop.example&accent=red")
        page.frame_locator("iframe").locator("iframe").first.wait_for()
        inspector.check("snippet builder")
    assert inspector.wrong == []
    assert len(inspector.looked_at) == 6


@pytest.mark.matrix
def test_motion_can_be_reduced(browser: Browser, demo: Demo):
    """Whoever asks for less motion gets none, and everybody else gets some."""
    moving = "document.getAnimations({subtree: true}).filter(one => one.effect.getTiming().duration > 0).length"
    counted = {}
    for wish in ("reduce", "no-preference"):
        with browser.new_context(reduced_motion="reduce" if wish == "reduce" else "no-preference") as context:
            page = context.new_page()
            demo.sandbox.faults.add("status", "create", status=503)
            tour = Tour(page, demo)
            tour.open("beard-trim/", "slot")
            tour.press(".kb-time", "contact")
            tour.fill(name="Ada", email=f"{wish}@example.com")
            tour.press(".kb-form .kb-primary", "attempt")
            counted[wish] = page.evaluate(moving)
            demo.sandbox.faults.clear()
    assert counted["reduce"] == 0
    assert counted["no-preference"] > 0


@pytest.mark.matrix
def test_text_may_be_pasted(page: Page, demo: Demo):
    """Into every field, as a password manager or a customer with a confirmation mail does."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tour = Tour(page, demo)
    tour.open("beard-trim/", "slot")
    tour.press(".kb-time", "contact")
    for name, text in (("name", "Ada"), ("email", "ada@example.com"), ("phone", "+1 212 555 0123"), ("notes", "Hi")):
        page.evaluate("text => navigator.clipboard.writeText(text)", text)
        page.locator(f"[name={name}]").focus()
        page.keyboard.press("Control+V")
        expect(page.locator(f"[name={name}]")).to_have_value(text)
    tour.press(".kb-form .kb-primary", "confirmation")
    assert re.fullmatch("BOOK_[A-Z0-9]+", booking_steps.number_on(page))
