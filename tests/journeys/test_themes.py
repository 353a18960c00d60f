"""The ready-made themes in a real browser: readable for everybody, in any color, and carried through the way."""

import pytest
from playwright.sync_api import Browser, Page, expect

from kordless_booking.presentation.themes import THEMES
from tests.journeys import booking_steps
from tests.journeys.demo import Demo
from tests.journeys.inspector import Inspector
from tests.support.matrix import thinned

LOOK = """card => {
  const { borderRadius, boxShadow, fontFamily } = getComputedStyle(card);
  return [borderRadius, boxShadow, fontFamily].join();
}"""


@pytest.mark.matrix
@pytest.mark.parametrize("scheme", thinned(["light", "dark"]))
@pytest.mark.parametrize("theme", thinned(THEMES, "salon".__eq__))
def test_each_theme_leaves_nobody_out(page: Page, demo: Demo, theme: str, scheme: str):
    """Each step in each theme, in the business's color and in one that nothing can be written on, has no violation."""
    page.emulate_media(reduced_motion="reduce")
    inspector = Inspector(page)
    for accent in ("", "&accent=ffee00"):
        page.goto(f"{demo.url}/book/?theme={theme}&scheme={scheme}{accent}")
        inspector.check(f"services{accent}")
        booking_steps.to_times(page, "Haircut")
        page.locator("a.kb-day").nth(1).hover()
        inspector.check(f"times{accent}")
        booking_steps.to_contact(page)
        page.get_by_role("button", name="Book appointment").click()
        page.locator("[aria-invalid=true]").first.wait_for()
        inspector.check(f"contact with errors{accent}")
    booking_steps.book(page, email=f"{theme}-{scheme}@example.com")
    inspector.check("confirmation")
    assert f"-{theme}.css" in (page.locator("link[data-kb-later]").get_attribute("href") or "")
    page.get_by_role("link", name="Change or cancel", exact=True).click()
    booking_steps.at(page, "booking")
    inspector.check("booking")
    assert inspector.wrong == []


@pytest.mark.matrix
@pytest.mark.parametrize("theme", thinned(THEMES, "salon".__eq__))
@pytest.mark.parametrize("width", thinned([280, 390]))
def test_each_theme_fits_a_phone(browser: Browser, demo: Demo, theme: str, width: int):
    """Nothing is wider than the screen, and what is pressed is large enough for a finger."""
    with browser.new_context(viewport={"width": width, "height": 700}, timezone_id="Europe/Berlin") as context:
        page = context.new_page()
        page.goto(f"{demo.url}/book/?theme={theme}")
        assert not booking_steps.is_too_wide(page)
        booking_steps.to_times(page, "Haircut")
        assert not booking_steps.is_too_wide(page)
        heights = page.locator("a.kb-day, a.kb-time").evaluate_all("all => all.map((one) => one.offsetHeight)")
        assert min(heights) >= 42
        booking_steps.to_contact(page)
        assert not booking_steps.is_too_wide(page)


@pytest.mark.matrix
@pytest.mark.parametrize("theme", thinned(THEMES, "salon".__eq__))
def test_the_labels_of_the_steps_never_touch(browser: Browser, demo: Demo, theme: str):
    """Between two labels of the progress bar is room, also where the widget is just wide enough for all of them."""
    with browser.new_context(viewport={"width": 480, "height": 700}) as context:
        page = context.new_page()
        for language in ("en", "fr", "de"):
            page.goto(f"{demo.url}/book/?theme={theme}&lang={language}")
            booking_steps.at(page, "service")
            gaps = page.locator(".kb-progress :is(a, span)").evaluate_all(
                """labels => labels.map(label => {
                    const range = document.createRange(); range.selectNodeContents(label);
                    return range.getBoundingClientRect()
                }).map((box, i, all) => i ? box.left - all[i - 1].right : 99)"""
            )
            assert len(gaps) >= 4
            assert min(gaps) > 4, (language, gaps)


@pytest.mark.matrix
def test_the_switcher_needs_no_script(browser: Browser, demo: Demo):
    """Plain links put the widget into another theme, scheme and color; the way on keeps them; nothing is stored."""
    with browser.new_context(java_script_enabled=False, color_scheme="light") as context:
        page = context.new_page()
        page.goto(f"{demo.url}/themes/")
        looks = []
        themes = page.get_by_role("list", name="Theme")
        for name in ("Plain", "Salon", "Clinic", "Studio"):
            with page.expect_navigation():  # to the end, with its style sheets
                themes.get_by_role("link", name=name, exact=True).click()
            expect(themes.get_by_role("link", name=name, exact=True)).to_have_attribute("aria-current", "true")
            looks.append(page.locator(".kb-card").evaluate(LOOK))
        assert len(set(looks)) == 4
        page.get_by_role("link", name="Dark", exact=True).click()
        expect(page.get_by_role("link", name="Dark", exact=True)).to_have_attribute("aria-current", "true")
        page.get_by_role("link", name="Green", exact=True).click()
        expect(page).to_have_url(f"{demo.url}/themes/?theme=studio&scheme=dark&accent=1f6f5c#book")
        page.get_by_role("link", name="Haircut", exact=True).click()
        booking_steps.at(page, "slot")
        assert "#1f6f5c" in (page.locator("head style").text_content() or "")
        assert "-studio.css" in (page.locator("link[data-kb-later]").get_attribute("href") or "")
        booking_steps.to_contact(page)
        booking_steps.book(page, email="theme@example.com")
        assert "#1f6f5c" in (page.locator("head style").text_content() or "")
        assert "-studio.css" in (page.locator("link[data-kb-later]").get_attribute("href") or "")
        assert context.cookies() == []


@pytest.mark.matrix
@pytest.mark.parametrize("scheme", thinned(["light", "dark"]))
def test_the_page_of_themes_leaves_nobody_out(page: Page, demo: Demo, scheme: str):
    """The demo's switcher itself has no violation."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    inspector = Inspector(page)
    for theme in ("plain", *THEMES):
        page.goto(f"{demo.url}/themes/?theme={theme}")
        inspector.check(theme)
    assert inspector.wrong == []
