"""The way through the widget as a visitor sees it: by the words on links, fields and buttons."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

from playwright.sync_api import Error, Frame, FrameLocator, Locator, Page, Route, expect

from tests.journeys.demo import Demo


def wait_for(page: Page | Frame, expression: str, given: object = None) -> None:
    """Wait until a JavaScript expression, or a function of `given`, is true in the page.

    Asked again and again from here: the page's own policy may forbid eval, and then Playwright's `wait_for_function`
    fails when it looks for the second time.
    """
    give_up = monotonic() + 25
    while not page.evaluate(expression, given):
        assert monotonic() < give_up, f"{expression} has not come true"
        page.wait_for_timeout(20)


def until_htmx(page: Page | Frame) -> None:
    """Wait until htmx is there, which pages of the widget load at the first sign of a visitor, or after two seconds."""
    wait_for(page, "!!window.htmx")


def without_mouse(page: Page) -> None:
    """Keep mouse moves from pages opened from now on: Chromium tells some where the mouse is, as if it had moved."""
    page.add_init_script(
        """addEventListener("pointermove", (event) => {
             if (event.pointerType === "mouse") event.stopImmediatePropagation();
           }, true)"""
    )


def loaded(page: Page) -> None:
    """Wait until the document is there as a whole: until then the last day in it isn't the last one."""
    expect(page.locator("html")).to_have_js_property("ownerDocument.readyState", "complete")


def settled(page: Page | FrameLocator) -> None:
    """Wait until what has been swapped in works, which is a moment after it can be seen.

    Until then htmx doesn't know its links, what was typed isn't back in its fields, and the focus and the entry in the
    history are still to come.
    """
    expect(page.locator(".htmx-settling")).to_have_count(0)


def at(page: Page, step: str) -> None:
    """Wait until the page shows this step, all of it, and it works."""
    expect(page.locator(f'[data-kb-step="{step}"]')).to_be_visible()
    loaded(page)
    settled(page)


def resize(page: Page, width: int, height: int) -> None:
    """Make the window this big, and wait until the page has heard of it."""
    page.set_viewport_size({"width": width, "height": height})
    wait_for(page, "width => innerWidth === width", width)


def to_times(page: Page, service: str) -> None:
    """From the services to the times of one of them."""
    at(page, "service")
    page.get_by_role("link", name=service, exact=True).click()
    at(page, "slot")
    expect(page.locator("[data-kb-step]").get_by_role("heading", name=service)).to_be_visible()


def at_rest(page: Page) -> None:
    """Wait until nothing moves: a step slides in for a quarter of a second, and places measured meanwhile differ."""
    wait_for(
        page,
        """!document.getAnimations().some(
          (one) => one.playState === "running" && one.effect.getComputedTiming().endTime !== Infinity)""",
    )


@contextmanager
def unanswered(page: Page, address: str) -> Iterator[None]:
    """Inside, what the page asks for under this address (a pattern) is as slow as the test: it gets no answer."""

    def hold(route: Route) -> None:
        """Neither let it go nor answer it; but a prefetch, which the script gives up after a while, is refused."""
        if "kb-ahead" in route.request.headers:
            route.fulfill(status=204)

    page.route(address, hold)
    yield
    page.unroute(address, hold)  # which lets go all that wait


def another_day(page: Page) -> Locator:
    """A free day that isn't the one shown: in the next month when there is none in this one."""
    others = page.locator("a.kb-day:not([aria-current])")
    if not others.count():
        page.locator("a[rel~=next]").click()
        expect(others.first).to_be_visible()
    return others.first


def show_day(page: Page, day: Locator) -> None:
    """Press a day, and wait until it is the one that is shown: until then the times are those of another day."""
    words = day.get_attribute("aria-label") or ""
    day.click()
    expect(page.locator("a.kb-day[aria-current]")).to_have_attribute("aria-label", words)


def choose_day(page: Page, day: Locator) -> None:
    """Show a day, and wait until its times work."""
    show_day(page, day)
    settled(page)


def choose_last_day(page: Page) -> None:
    """Choose the last free day: far beyond the notice that the business needs for a change."""
    at(page, "slot")
    choose_day(page, page.locator(".kb-day[href]").last)


def to_contact(page: Page, nth: int = 0) -> str:
    """From the times to the contact form, with the nth time of the day shown; answers that time's words."""
    at(page, "slot")
    time = page.locator(".kb-time").nth(nth)
    words = time.inner_text()
    time.click()
    at(page, "contact")
    return words


def book(page: Page, name: str = "Ada Lovelace", email: str = "ada@example.com") -> str:
    """From the contact form to the confirmation; answers the confirmation number."""
    at(page, "contact")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Email (or phone)", exact=True).fill(email)
    page.get_by_role("button", name="Book appointment").click()
    at(page, "confirmation")
    return number_on(page)


def address(page: Page) -> str:
    """The address of the page, asked of itself: `page.url` hears of one that a script has set a moment later."""
    return str(page.evaluate("location.href"))


def recorded(page: Page) -> None:
    """Wait until the step that is shown has its entry in the history: it gets it a moment after it is to be seen."""
    page.wait_for_load_state("networkidle")
    for frame in page.frames:
        wait_for(frame, "!document.querySelector('.htmx-settling')")


def back(page: Page) -> None:
    """Press the browser's button; whoever does waits for what is to be seen next."""
    recorded(page)
    # Playwright's own way waits for a page to be loaded, and most steps of the history load none.
    with suppress(Error):
        page.evaluate("history.back()")


def forward(page: Page) -> None:
    """As `back`, the other way."""
    recorded(page)
    with suppress(Error):
        page.evaluate("history.forward()")


def reload_until(page: Page, shown: Locator) -> None:
    """Load the page again until this is on it: it comes about in the background, and the page asks for it only once.

    Whoever has just sent a form waits for its answer first, or the reload takes its place.
    """
    give_up = monotonic() + 60
    while not shown.count():
        assert monotonic() < give_up, f"{shown} has not come"
        page.wait_for_timeout(100)
        page.reload()


def number_on(page: Page) -> str:
    """The confirmation number that the page shows."""
    return page.locator(".kb-number").inner_text()


def find(page: Page, number: str, contact: str) -> None:
    """Fill in the manage page's lookup and send it."""
    at(page, "find")
    page.get_by_label("Confirmation number", exact=True).fill(number)
    page.get_by_label("Email or phone", exact=True).fill(contact)
    page.get_by_role("button", name="Find booking").click()


def is_too_wide(page: Page) -> bool:
    """Return True if the page can be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def move_and_cancel(page: Page, demo: Demo, number: str) -> None:
    """From the booking's page: another time, and then none at all."""
    at(page, "booking")
    page.get_by_role("button", name="Reschedule").click()
    choose_last_day(page)
    page.locator(".kb-time").last.click()
    at(page, "move")
    page.get_by_role("button", name="Reschedule").click()
    at(page, "booking")
    assert number in page.locator("[data-kb-step]").inner_text()
    page.get_by_role("button", name="Cancel booking").click()
    at(page, "cancel")
    page.get_by_role("button", name="Cancel booking").click()
    at(page, "booking")
    expect(page.get_by_text(re.compile("cancell?ed", re.IGNORECASE)).first).to_be_visible()
    assert page.get_by_role("button", name="Reschedule").count() == 0
