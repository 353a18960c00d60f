"""Loading: the largest contentful paint is in the first response, and the layout doesn't shift.

`benchmarks/first_visit.py` measures both in milliseconds, and the interaction to next paint.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from kordless_booking.sandbox import SANDBOX_KEY, SANDBOX_ORG, Limits, Sandbox
from kordless_booking.sandbox.seeds import ACME
from tests.journeys import booking_steps
from tests.journeys.demo import Demo, served
from tests.journeys.page_in_pieces import slow_line
from tests.support.matrix import thinned

SHOWN_AS_ZERO = 0.005
"""Cumulative layout shift that every tool rounds to 0.00. A busy browser draws a page before it has read its end, and
the progress line then grows, step by step, beside the name of the business.
"""
LOGO = "https://logos.example/salon.svg"
OBSERVE = """
  window.seen = { shifts: [], largest: null };
  const kept = (type, keep) =>
    new PerformanceObserver((list) => list.getEntries().forEach(keep)).observe({ type, buffered: true });
  const named = (node) => (node ? node.className || node.nodeName : "?");
  kept("layout-shift", (entry) => entry.hadRecentInput || seen.shifts.push(
    { value: entry.value, of: entry.sources.map(({ node }) => named(node)) }));
  kept("largest-contentful-paint", ({ element, startTime }) => element && (seen.largest =
    { name: named(element), text: element.textContent.trim(), at: startTime }));
"""


def observed(page: Page) -> dict[str, Any]:
    """Return the entries of the browser's performance observers, two frames after the call."""
    found: dict[str, Any] = page.evaluate(
        "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50, seen))))"
    )
    return found


def layout_shift(page: Page) -> float:
    """Return the sum of all shifts of the page's layout that no press of the visitor explains."""
    return float(sum(shift["value"] for shift in observed(page)["shifts"]))


@pytest.mark.parametrize("path", thinned(["/book/haircut/?tz=America/New_York", "/book/", "/book/manage/", "/"]))
def test_what_is_largest_is_in_the_first_answer(page: Page, demo: Demo, path: str):
    """The element that decides when the page seems to be there waits for no script and no second request."""
    page.add_init_script(OBSERVE)
    response = page.goto(f"{demo.url}{path}", wait_until="networkidle")
    assert response is not None
    booking_steps.wait_for(page, "seen.largest")  # reported once it is on the screen, which takes a busy machine longer
    largest = observed(page)["largest"]
    assert largest is not None
    first = response.text()
    words = largest["text"].split("\n")[0].strip()
    assert words in first.replace("&#x27;", "'"), largest


def the_whole_way(page: Page, demo: Demo, email: str) -> None:
    """From the services to the confirmation, over another day, another month and back, and a form with mistakes."""
    page.goto(f"{demo.url}/book/")
    booking_steps.to_times(page, "Haircut")
    booking_steps.choose_day(page, page.locator("a.kb-day:not([aria-current])").first)
    page.locator("a[rel~=next]").click()
    page.wait_for_url("**month=**")
    booking_steps.at(page, "slot")
    booking_steps.to_contact(page)
    page.get_by_role("button", name="Book appointment").click()
    page.locator("[aria-invalid=true]").first.wait_for()
    booking_steps.book(page, email=email)
    page.get_by_role("link", name="Change or cancel", exact=True).click()
    booking_steps.at(page, "booking")


@pytest.mark.parametrize("device", thinned(["phone", "desktop"]))
@pytest.mark.parametrize("slow", thinned({"quick": 0, "slow": 0.7}))
def test_nothing_jumps(browser: Browser, demo: Demo, device: str, slow: float):
    """No layout shift on any step, in a zone that the first answer could not know, also when an answer takes longer."""
    width = {"phone": 390, "desktop": 1280}[device]
    with browser.new_context(viewport={"width": width, "height": 800}, timezone_id="Europe/Berlin") as context:
        page = context.new_page()
        page.add_init_script(OBSERVE)
        if slow:
            demo.sandbox.faults.add("slow", seconds=slow)
        the_whole_way(page, demo, f"{device}{slow}@example.com")
        assert layout_shift(page) < SHOWN_AS_ZERO, observed(page)


@pytest.mark.parametrize("path", thinned(["styling-class/", "", "haircut/?tz=America/New_York", "manage/"]))
def test_nothing_jumps_while_a_page_arrives_in_pieces(browser: Browser, demo: Demo, path: str):
    """Drawn before its end on a slow line, it moves nothing that stands already."""
    with (
        browser.new_context(viewport={"width": 390, "height": 800}, timezone_id="America/New_York") as context,
        slow_line(demo.url) as line,
    ):
        page = context.new_page()
        page.add_init_script(OBSERVE)
        line.send_next()
        page.goto(f"{line.url}/book/{path}", wait_until="commit")
        for _ in line.pieces[1:]:
            page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
            line.send_next()
        page.wait_for_load_state("networkidle")
        assert len(line.pieces) > 10
        assert layout_shift(page) < SHOWN_AS_ZERO, observed(page)


@pytest.mark.parametrize("there", [True, False], ids=["a logo", "a logo that is broken"])
def test_a_logo_moves_nothing(page: Page, demo: Demo, tmp_path: Path, there: bool):
    """Its room is kept; it is asked for without a referrer; where it doesn't come, the initial stands there."""
    branded = replace(ACME, branding={**ACME.branding, "logo": LOGO})
    kordless = Sandbox(str(tmp_path / "kordless.sqlite3"), limits=Limits.off(), businesses=(branded,))
    sent_headers: list[dict[str, str]] = []
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30"><rect width="90" height="30" fill="#075"/></svg>'
    )

    def answer(route: Any) -> None:
        sent_headers.append(route.request.headers)
        if there:
            route.fulfill(body=picture, content_type="image/svg+xml")
        else:
            route.abort()

    page.add_init_script(OBSERVE)
    page.route(LOGO, answer)
    with (
        kordless.serve() as address,
        served(
            demo.folder, KORDLESS_API_KEY=SANDBOX_KEY, KORDLESS_ORG_SLUG=SANDBOX_ORG, KORDLESS_BASE_URL=address
        ) as branded_demo,
    ):
        page.goto(f"{branded_demo.url}/book/", wait_until="networkidle")
        booking_steps.to_times(page, "Haircut")
        booking_steps.wait_for(page, "document.querySelector('.kb-logo img').complete")  # there, or given up
        assert layout_shift(page) < SHOWN_AS_ZERO, observed(page)
        logo = page.locator(".kb-logo")
        assert logo.evaluate("logo => [logo.offsetWidth, logo.offsetHeight]") == [36, 36]
        image = logo.locator("img")
        assert image.evaluate("image => [image.width, image.height, image.alt]") in ([34, 34, ""], [36, 36, ""])
        assert image.evaluate("image => image.naturalWidth > 0") is there
        if not there:
            shown = image.evaluate("image => getComputedStyle(image, '::after').content")
            assert shown == '"A"'
    assert sent_headers
    assert not any("referer" in headers for headers in sent_headers)
