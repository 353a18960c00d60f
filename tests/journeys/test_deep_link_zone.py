"""A link to a service, opened from afar over a slow network: no time changes once a visitor can read it."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo

LINK = "/book/color-consultation/"
"""A video call: its times are by the visitor's clock, which the first request doesn't say."""
HELD_MS = 3000
"""Time for which the style sheet holds the times back at most."""
SLOW = {"offline": False, "latency": 300, "downloadThroughput": 60_000, "uploadThroughput": 60_000}
"""About a phone on a bad line: 300 ms for each answer, 480 kbit/s."""
WATCH = """
  window.watched = { frames: [], shifts: [] };
  new PerformanceObserver((list) => list.getEntries().forEach(
    (entry) => entry.hadRecentInput || watched.shifts.push(entry.value))
  ).observe({ type: "layout-shift", buffered: true });
  const look = () => {
    const times = [...document.querySelectorAll(".kb-time")];
    const read = times.filter((time) => getComputedStyle(time).visibility === "visible");
    const last = watched.frames.at(-1), labels = read.map((time) => time.textContent.trim()).join();
    // Until then all of the page is hidden, whatever its times are.
    if (times.length && !document.querySelector(".kb-page > .kb-stage:not(:has(~ p))")) {
      if (last?.labels !== labels) watched.frames.push({ labels, from: performance.now() });
      watched.frames.at(-1).until = performance.now();
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
"""


@pytest.fixture
def far(browser: Browser) -> Iterator[Page]:
    """A visitor in Berlin, six hours ahead of the salon, on a phone."""
    with browser.new_context(viewport={"width": 390, "height": 844}, timezone_id="Europe/Berlin") as context:
        page = context.new_page()
        page.add_init_script(WATCH)
        yield page


def watched_frames(page: Page) -> list[dict[str, Any]]:
    """Return what was seen, once a frame with readable times is among it: it may be noted later than it is drawn."""
    booking_steps.wait_for(page, "watched.frames.some((frame) => frame.labels)")
    frames: list[dict[str, Any]] = page.evaluate("watched.frames")
    return frames


def readable(page: Page) -> list[str]:
    """Return the labels of the times in the order in which they could be read, each set once."""
    frames = watched_frames(page)
    return [frame["labels"] for frame in frames if frame["labels"]]


def held_ms(page: Page) -> float:
    """Return the milliseconds from the first frame of the whole page to the last in which its times can't be read.

    Not to the first in which they can: a busy machine draws that one later.
    """
    frames = watched_frames(page)
    began = frames[0]["from"]
    return float(max((frame["until"] for frame in frames if not frame["labels"]), default=began) - began)


def stop_animations(page: Page) -> None:
    """Let no time pass for the page's animations: what holds the times back then ends by the script alone."""
    page.context.new_cdp_session(page).send("Animation.setPlaybackRate", {"playbackRate": 0})


def clock_line(page: Page, text: str) -> None:
    """Wait until the sentence above the times says this."""
    expect(page.locator(".kb-times .kb-hint")).to_have_text(text)


def test_times_appear_once_and_by_the_visitors_clock(far: Page, shared_demo: Demo):
    """On a slow line they are held back until the script has asked in the visitor's zone; nothing jumps."""
    stop_animations(far)  # a busy machine may need longer than the times are held back at most
    far.context.new_cdp_session(far).send("Network.emulateNetworkConditions", SLOW)
    far.goto(f"{shared_demo.url}{LINK}")
    clock_line(far, "Times in Berlin.")
    expect(far.locator(".kb-time").first).to_be_visible()
    assert len(readable(far)) == 1
    assert readable(far) == [",".join(label.strip() for label in far.locator(".kb-time").all_inner_texts())]
    assert far.evaluate("watched.shifts") == []


def test_times_by_the_clock_of_the_place_are_never_held_back(far: Page, shared_demo: Demo):
    """The visitor comes there: their zone adds a sentence, and changes no time."""
    far.context.new_cdp_session(far).send("Network.emulateNetworkConditions", SLOW)
    far.goto(f"{shared_demo.url}/book/haircut/")
    clock_line(far, "Times in New York. You’re 6 hours ahead.")
    assert len(readable(far)) == 1
    assert held_ms(far) == 0
    assert far.evaluate("watched.shifts") == []


def test_times_come_back_when_the_answer_does_not(far: Page, shared_demo: Demo):
    """After three seconds they stand by the business's clock and stay so; the visitor's own is a link away."""
    offer = far.get_by_role("link", name="Use my time zone")
    with booking_steps.unanswered(far, f"**{LINK}?tz=**"):
        far.goto(f"{shared_demo.url}{LINK}")
        expect(far.locator(".kb-time").first).to_be_visible()
        expect(offer).to_be_visible()
        clock_line(far, "Times in New York.")
        assert held_ms(far) < HELD_MS + 1000
    assert len(readable(far)) == 1
    offer.click()
    clock_line(far, "Times in Berlin.")


def test_a_visitor_who_goes_on_is_not_taken_back(far: Page, shared_demo: Demo):
    """A time that is pressed while the page in the visitor's zone is under way leads to its form, and stays there."""
    with booking_steps.unanswered(far, "**/book/haircut/?tz=**"):
        far.goto(f"{shared_demo.url}/book/haircut/")
        with far.expect_event("requestfailed", lambda request: "haircut/?tz=" in request.url):
            booking_steps.to_contact(far)
    far.wait_for_load_state("networkidle")
    booking_steps.at(far, "contact")


def test_times_stay_when_the_script_comes_late(far: Page, shared_demo: Demo):
    """Whoever has begun to read sees no other times, and is offered their own zone."""
    waiting: list[Route] = []

    def keep(route: Route) -> None:
        waiting.append(route)

    far.route("**/booking*.js", keep)
    far.goto(f"{shared_demo.url}{LINK}", wait_until="commit")
    expect(far.locator(".kb-time").first).to_be_visible()
    assert held_ms(far) < HELD_MS + 1000
    booking_steps.wait_for(far, "document.querySelector('script[data-kb-ours]')")
    while not waiting:
        far.wait_for_timeout(20)
    for route in waiting:
        route.continue_()
    expect(far.get_by_role("link", name="Use my time zone")).to_be_visible()
    clock_line(far, "Times in New York.")
    assert len(readable(far)) == 1


def test_a_visitor_in_the_business_zone_waits_for_the_script_alone(page: Page, shared_demo: Demo):
    """No second request, and the times are there with the script."""
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.add_init_script(WATCH)
    stop_animations(page)
    page.goto(f"{shared_demo.url}{LINK}", wait_until="networkidle")
    expect(page.locator(".kb-time").first).to_be_visible()
    assert len(readable(page)) == 1
    assert not [url for url in urls if "tz=" in url]
    expect(page.get_by_role("link", name="Use my time zone")).to_have_count(0)


def test_nothing_is_held_back_without_scripts(browser: Browser, shared_demo: Demo):
    """The page is what it is, and names its clock."""
    with browser.new_context(java_script_enabled=False, timezone_id="Europe/Berlin") as context:
        page = context.new_page()
        page.goto(f"{shared_demo.url}{LINK}")
        held = page.locator("[data-kb-hold] .kb-time").first
        assert held.is_visible()
        clock_line(page, "Times in New York.")
        assert not page.get_by_text("Use my time zone").is_visible()
