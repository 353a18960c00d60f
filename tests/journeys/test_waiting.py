"""Waiting in the browser: slow answers, and failures of the network or the server in between."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo
from tests.journeys.tcp_proxy import relayed

TYPED = {
    "Name": "Ada Lovelace",
    "Email (or phone)": "ada@example.com",
    "Phone (or email)": "+1 212 555 0142",
    "Notes (optional)": "By the window",
}


def watch_for_busy(page: Page) -> None:
    """Remember for how long the page has shown that it waits: it is looked at on every frame."""
    page.evaluate(
        """() => {
          window.busy = []; window.pressed = [];
          const look = (now) => {
            const stage = document.querySelector(".kb-stage");
            if (stage.getAttribute("aria-busy") === "true") busy.push(now);
            if (stage.querySelector("[type=submit][aria-disabled=true]")) pressed.push(now);
            requestAnimationFrame(look);
          };
          requestAnimationFrame(look);
        }"""
    )


def animation_of(page: Page, selector: str, part: str = "") -> str:
    """Return the name of the animation of an element, or of a pseudo-element."""
    script = "(element, part) => getComputedStyle(element, part || null).animationName"
    return str(page.locator(selector).evaluate(script, part))


def fill_in(page: Page) -> None:
    for label, text in TYPED.items():
        page.get_by_label(label, exact=True).fill(text)


def typed(page: Page) -> dict[str, str]:
    return {label: page.get_by_label(label, exact=True).input_value() for label in TYPED}


def to_the_form(page: Page, url: str) -> None:
    page.goto(f"{url}/book/")
    booking_steps.to_times(page, "Haircut")
    booking_steps.to_contact(page)
    fill_in(page)


@pytest.mark.matrix
def test_a_quick_answer_does_not_flash(page: Page, demo: Demo):
    """Nothing is shown to be waiting when the next step is there at once."""
    page.clock.install()
    page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
    watch_for_busy(page)
    day = booking_steps.another_day(page)
    # However long the answer takes on this machine: on the page's clock it takes no time.
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)
    booking_steps.show_day(page, day)
    page.clock.run_for(400)
    assert page.evaluate("busy") == []


@pytest.mark.dates
def test_a_slow_answer_is_announced(page: Page, demo: Demo, complaints: list[str]):
    """After about 300 ms the card says that it is busy, in sight and aloud; then all is as before."""
    page.goto(f"{demo.url}/book/")
    watch_for_busy(page)
    with booking_steps.unanswered(page, "**/book/full-color/**"):
        began = page.evaluate("performance.now()")
        page.get_by_role("link", name="Full color", exact=True).click()
        expect(page.locator(".kb-stage")).to_have_attribute("aria-busy", "true")
        booking_steps.wait_for(
            page, "getComputedStyle(document.querySelector('.kb'), '::before').backgroundImage.includes('gradient')"
        )
        expect(page.locator("[data-kb-live]")).to_have_text("One moment, please.")
        booking_steps.wait_for(page, "busy.length")
    booking_steps.at(page, "slot")
    expect(page.locator(".kb-stage")).not_to_have_attribute("aria-busy", "true")
    assert page.evaluate("busy[0]") - began >= 300
    assert complaints == []


@pytest.mark.matrix
def test_without_motion_the_wait_stands_still(page: Page, demo: Demo):
    """Visitors who prefer reduced motion see the same progress line without animation."""
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{demo.url}/book/")
    with booking_steps.unanswered(page, "**/book/full-color/**"):
        page.get_by_role("link", name="Full color", exact=True).click()
        expect(page.locator(".kb-stage")).to_have_attribute("aria-busy", "true")
        assert animation_of(page, ".kb", "::before") == "none"
        assert animation_of(page, "[data-kb-pressed]") == "none"
    booking_steps.at(page, "slot")


def test_a_pressed_button_is_pressed_once(page: Page, demo: Demo):
    """Further presses while it is sent do nothing, and it says that it can't be pressed."""
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    to_the_form(page, demo.url)
    button = page.get_by_role("button", name="Book appointment")
    with booking_steps.unanswered(page, "**/book/haircut/contact/**"):
        button.evaluate("button => { button.click(); button.click(); button.form.requestSubmit(); }")
        expect(button).to_have_attribute("aria-disabled", "true")
        button.dispatch_event("click")
        button.press("Enter")
    booking_steps.at(page, "confirmation")
    assert len(posts) == 1
    assert str(demo.sandbox.bookings()).count("ada@example.com") == 1


@pytest.mark.matrix
def test_enter_in_a_field_books_and_the_button_waits(page: Page, demo: Demo):
    """It doesn't press the way back, which stands above the fields and belongs to the form too."""
    to_the_form(page, demo.url)
    with booking_steps.unanswered(page, "**/book/haircut/contact/**"):
        page.get_by_label("Email (or phone)", exact=True).press("Enter")
        expect(page.get_by_role("button", name="Book appointment")).to_have_attribute("data-kb-pressed", "")
        expect(page.locator("[data-kb-live]")).to_have_text("Booking…")
    booking_steps.at(page, "confirmation")


def test_the_pressed_button_says_what_is_being_done(page: Page, demo: Demo):
    """A spinner and "Booking…" take the place of its label, nothing moves, and it is announced once."""
    to_the_form(page, demo.url)
    button = page.get_by_role("button", name="Book appointment")
    style = "(button, [part, name]) => getComputedStyle(button, part)[name]"
    assert button.evaluate(style, ["::after", "visibility"]) == "hidden"
    booking_steps.at_rest(page)
    before = button.bounding_box()
    page.evaluate(
        """() => {
          window.announcements = [];
          new MutationObserver(() => announcements.push(document.querySelector("[data-kb-live]").textContent))
            .observe(document.querySelector("[data-kb-live]"), { childList: true });
        }"""
    )
    with booking_steps.unanswered(page, "**/book/haircut/contact/**"):
        button.click()
        expect(button).to_have_attribute("data-kb-pressed", "")
        expect(button).to_have_attribute("data-kb-wait", "Booking…")
        assert button.evaluate(style, ["::after", "visibility"]) == "visible"
        assert button.evaluate(style, ["::before", "animationName"]) == "kb-spin"
        assert button.locator("span").evaluate("span => getComputedStyle(span).opacity") == "0"
        assert button.bounding_box() == before
        expect(page.locator("[data-kb-live]")).to_have_text("Booking…")
        assert page.evaluate("announcements") == ["Booking…"]
    booking_steps.at(page, "confirmation")


def test_the_pressed_time_pulses_and_a_second_press_does_nothing(page: Page, demo: Demo):
    """It is the one that shows the wait, and it is asked for once."""
    urls: list[str] = []
    page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
    with booking_steps.unanswered(page, "**/book/haircut/contact/**"):
        time = page.locator(".kb-time").nth(1)
        # The pointer on it fetches ahead, so no real pointer here.
        page.on("request", lambda request: urls.append(request.url) if "/contact/" in request.url else None)
        time.dispatch_event("click")
        expect(time).to_have_attribute("data-kb-pressed", "")
        assert page.locator("[data-kb-pressed]").count() == 1
        assert animation_of(page, "[data-kb-pressed]") == "kb-press"
        time.dispatch_event("click")
        time.press("Enter")
        assert len(urls) == 1
    booking_steps.at(page, "contact")
    assert page.locator("[data-kb-pressed]").count() == 0


@pytest.mark.matrix
def test_the_wait_shows_in_forced_colors(page: Page, demo: Demo):
    """The line has the system's color, and so has the outline of what was pressed."""
    page.emulate_media(forced_colors="active")
    page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
    with booking_steps.unanswered(page, "**/book/haircut/contact/**"):
        page.locator(".kb-time").first.click()
        pressed = page.locator("[data-kb-pressed]")
        expect(pressed).to_be_visible()
        assert pressed.evaluate("pressed => getComputedStyle(pressed).outlineStyle") == "solid"
        image = page.locator(".kb").evaluate("kb => getComputedStyle(kb, '::before').backgroundImage")
        assert image == "none"


def test_offline(page: Page, context: BrowserContext, demo: Demo):
    """The visitor is told politely, the button is back, everything is still typed; a second try books."""
    to_the_form(page, demo.url)
    button = page.get_by_role("button", name="Book appointment")
    context.set_offline(True)
    button.click()
    notice = page.get_by_role("status").filter(has_text="You seem to be offline.")
    expect(notice).to_contain_text("Nothing you typed is lost.")
    expect(button).not_to_have_attribute("aria-disabled", "true")
    expect(button).to_be_enabled()
    assert page.locator("[data-kb-pressed]").count() == 0
    assert typed(page) == TYPED
    with page.expect_event("requestfailed"):  # else it may still be on its way when the line is back
        button.click()
    expect(button).not_to_have_attribute("aria-disabled", "true")
    expect(notice).to_be_visible()
    context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    booking_steps.at(page, "confirmation")
    assert str(demo.sandbox.bookings()).count("ada@example.com") == 1
    expect(page.locator("[data-kb-trouble]")).to_be_hidden()


@pytest.mark.matrix
def test_a_server_that_dies_while_it_books(page: Page, demo: Demo):
    """The line breaks when the form is sent: nothing is lost, and trying again ends in exactly one booking."""
    with relayed(demo.url) as relay:
        to_the_form(page, relay.url)
        # Long enough that a busy machine cuts the line before the answer, not so long that the page below gives up.
        demo.sandbox.faults.add("slow", "create", times=1, seconds=8)
        button = page.get_by_role("button", name="Book appointment")
        button.click()
        expect(button).to_have_attribute("aria-disabled", "true")
        relay.cut()
        notice = page.locator("[data-kb-trouble]")
        expect(notice).to_be_visible()
        expect(notice).to_contain_text("Nothing you typed is lost.")
        expect(notice.get_by_text("You seem to be offline.")).to_be_hidden()
        expect(button).not_to_have_attribute("aria-disabled", "true")
        assert typed(page) == TYPED
        button.click()
        expect(button).not_to_have_attribute("aria-disabled", "true")
        expect(notice).to_be_visible()
        relay.mend()
        page.get_by_role("button", name="Try again").click()
        booking_steps.at(page, "confirmation")
        assert str(demo.sandbox.bookings()).count("ada@example.com") == 1


@pytest.mark.matrix
@pytest.mark.dates
def test_a_link_while_offline(page: Page, context: BrowserContext, demo: Demo):
    """A day that can't be fetched leaves the page as it is, and can be tried again."""
    page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
    other = booking_steps.another_day(page)
    heading = page.locator(".kb-times .kb-sub").inner_text()
    context.set_offline(True)
    other.click()
    expect(page.get_by_text("You seem to be offline.")).to_be_visible()
    assert page.locator(".kb-times .kb-sub").inner_text() == heading
    context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".kb-times .kb-sub")).not_to_have_text(heading)
