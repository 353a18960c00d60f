"""Pointing at a link brings what is behind it, if that costs nothing, and a click finds it in the browser's cache."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, Response, Route, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo, furnish, served

PATIENT = "AbortSignal.timeout = () => new AbortController().signal"
"""A prefetch is given up after three seconds, in which a busy machine may not have answered it."""


@pytest.fixture
def demo(_prepared: Path, tmp_path: Path) -> Iterator[Demo]:
    """The demo, whose prefetched pages may be shown for longer than a busy machine takes from pointing to pressing."""
    furnish(tmp_path, _prepared)
    with served(tmp_path, JOURNEY_PREFETCH_SECONDS="60") as demo:
        yield demo


@pytest.fixture(autouse=True)
def _patient(page: Page) -> None:
    page.add_init_script(PATIENT)


class StepRequests:
    """The page's own requests for steps, with and without the header of a prefetch."""

    def __init__(self, page: Page) -> None:
        self.guesses: list[str] = []
        self.reported: list[str] = []
        """Prefetched pages that were shown."""
        self._page = page
        page.evaluate("performance.clearResourceTimings()")
        page.on("request", self._note)

    @property
    def clicks(self) -> list[str]:
        """Return the requests of htmx that reached the network, without those answered from the browser's cache."""
        return over_the_line(self._page, "xmlhttprequest")

    def _note(self, request: Request) -> None:
        if "kb-ahead" in request.headers:
            self.guesses.append(request.url)
        if "kb-taken" in request.headers or "kb-taken" in (request.post_data or ""):
            self.reported.append(request.url)


def over_the_line(page: Page, initiator: str) -> list[str]:
    """The addresses that the page has asked for in this way, but for what the browser had in its cache."""
    sent: list[str] = page.evaluate(
        """initiator => performance.getEntriesByType("resource").filter(({ initiatorType, transferSize }) =>
             initiatorType === initiator && transferSize).map(({ name }) => name)""",
        initiator,
    )
    return sent


def hovered(page: Page, selector: str, *, status: int = 200) -> None:
    """Rest the pointer on the first of these until the prefetch is answered, to the last byte."""
    link = page.locator(selector).first
    address = link.get_attribute("data-hx-get")
    assert address

    def is_final(answer: Response) -> bool:
        """Return True for the answer to this very prefetch: the pointer may have rested on another link before."""
        return "kb-ahead" in answer.request.headers and address in answer.url

    with page.expect_response(is_final) as caught:
        link.hover()
    caught.value.finished()
    assert caught.value.status == status


@contextmanager
def reported(page: Page) -> Iterator[None]:
    """Inside, a prefetched page comes to be shown; afterwards the browser has reported it."""
    with page.expect_request(lambda request: "kb-taken" in request.headers):
        yield


def test_a_click_after_a_look_asks_nothing_more(page: Page, demo: Demo, complaints: list[str]):
    """Day and contact form come from the look; the form, which counts, says so when sent; the draft books once."""
    page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
    requests = StepRequests(page)
    hovered(page, "a.kb-day:not([aria-current])")
    day = page.locator("a.kb-day:not([aria-current])").first
    words, address = day.get_attribute("aria-label"), day.get_attribute("href")
    day.click()
    expect(page.locator("a.kb-day[aria-current]")).to_have_attribute("aria-label", words or "")
    expect(page).to_have_url(f"{demo.url}{address}")
    page.mouse.move(0, 0)
    # What is under the pointer after the click may be a guess of its own.
    assert (requests.guesses[0], requests.clicks, requests.reported) == (page.url, [], [])
    hovered(page, ".kb-time")
    page.locator(".kb-time").first.click()
    booking_steps.at(page, "contact")
    assert (requests.clicks, requests.reported) == ([], [])
    expect(page).to_have_url(re.compile(r"/book/haircut/contact/\?.*draft="))
    assert page.title().startswith("Your details")
    booking_steps.book(page, email="ahead@example.com")
    assert str(demo.sandbox.bookings()).count("ahead@example.com") == 1
    assert complaints == []
    [sent] = requests.reported
    assert re.search(r"/contact/\?tz=[^&]+$", sent)
    booking_steps.back(page)
    # The form's address is that of its draft, which is booked by now.
    booking_steps.at(page, "problem")


@pytest.mark.parametrize("way", ["another time", "another tab"])
def test_a_form_that_is_left_is_reported_once(page: Page, demo: Demo, way: str):
    """Whoever doesn't send it has been shown it all the same; a report is sent when the widget or the tab is left."""
    page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
    requests = StepRequests(page)
    hovered(page, ".kb-time")
    page.locator(".kb-time").first.click()
    booking_steps.at(page, "contact")
    assert requests.reported == []
    with reported(page):
        if way == "another tab":
            page.evaluate(
                """Object.defineProperty(document, "hidden", { configurable: true, value: true });
                   document.dispatchEvent(new Event("visibilitychange"))"""
            )
        else:
            page.get_by_role("button", name="Choose another time").click()
            booking_steps.at(page, "slot")
    page.goto("about:blank")
    [form] = requests.reported
    assert re.search("/contact/.*start=", form)


@pytest.mark.matrix
def test_a_guess_costs_kordless_nothing(page: Page, demo: Demo, complaints: list[str]):
    """A prefetch of a page that isn't cached sends no request to Kordless; a click does."""
    page.goto(f"{demo.url}/book/?tz=America/New_York")
    requests = StepRequests(page)
    before = len(demo.sandbox.requests)
    hovered(page, '.kb-service a:has-text("Beard trim")', status=204)
    assert len(demo.sandbox.requests) == before
    booking_steps.to_times(page, "Beard trim")
    assert len(requests.clicks) == 1
    assert len(demo.sandbox.requests) > before
    assert complaints == []


@pytest.mark.matrix
def test_passing_over_asks_nothing(page: Page, demo: Demo):
    """A pointer that is on its way elsewhere rests nowhere; one prefetch is not sent twice."""
    page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
    requests = StepRequests(page)
    page.evaluate(
        """document.querySelectorAll("a.kb-day, a.kb-time").forEach((link) =>
             link.dispatchEvent(new PointerEvent("pointerover", { bubbles: true })));
           document.body.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }))"""
    )
    page.wait_for_timeout(250)
    assert requests.guesses == []
    hovered(page, "a.kb-day:not([aria-current])")
    page.mouse.move(0, 0)
    hovered(page, "a.kb-day:not([aria-current])")
    assert over_the_line(page, "fetch") == requests.guesses[:1]


@pytest.mark.matrix
def test_who_saves_data_is_not_guessed_at(page: Page, demo: Demo):
    """A visitor who asked for little traffic gets what they click on, no more."""
    page.add_init_script("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })")
    page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
    requests = StepRequests(page)
    day = page.locator("a.kb-day:not([aria-current])").first
    words = day.get_attribute("aria-label")
    day.click(delay=150)
    expect(page.locator("a.kb-day[aria-current]")).to_have_attribute("aria-label", words or "")
    assert (requests.guesses, len(requests.clicks)) == ([], 1)


@pytest.mark.matrix
def test_a_prefetched_fragment_never_replaces_a_whole_page(page: Page, demo: Demo):
    """The fragment lies in the cache under the page's own address; Back from elsewhere brings the whole page."""
    page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
    hovered(page, ".kb-time")
    page.locator(".kb-time").first.click()
    booking_steps.at(page, "contact")
    page.goto(f"{demo.url}/book/manage/")
    booking_steps.at(page, "find")
    booking_steps.back(page)
    booking_steps.at(page, "contact")
    expect(page.locator("head style")).to_be_attached()


@pytest.mark.matrix
@pytest.mark.parametrize("touch", [True, False])
def test_a_touch_is_a_look(browser: Browser, demo: Demo, touch: bool):
    """The finger is down before the click is made: the click joins what is under way."""
    with browser.new_context(has_touch=touch, is_mobile=touch, timezone_id="America/New_York") as context:
        page = context.new_page()
        page.add_init_script(PATIENT)
        page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
        requests = StepRequests(page)
        day = page.locator("a.kb-day:not([aria-current])").first
        words = day.get_attribute("aria-label")
        if touch:
            day.tap()
        else:
            day.click(delay=60)
        expect(page.locator("a.kb-day[aria-current]")).to_have_attribute("aria-label", words or "")
        page.wait_for_timeout(150)  # the pointer rests on the day that is shown now: nothing to look ahead to
        assert len(requests.guesses) == 1
        assert requests.clicks == []


def test_a_finger_that_scrolls_pays_for_one_style_at_most(browser: Browser, demo: Demo):
    """None where it touches no time; of several times that it touches, the first brings what all forms need."""
    with browser.new_context(has_touch=True, is_mobile=True, timezone_id="America/New_York") as context:
        page = context.new_page()
        page.add_init_script(PATIENT)
        booking_steps.without_mouse(page)
        page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
        link = page.locator("link[data-kb-later]")
        swipe = {"x": 200, "y": 300, "yDistance": -100, "gestureSourceType": "touch"}
        context.new_cdp_session(page).send("Input.synthesizeScrollGesture", swipe)
        booking_steps.until_htmx(page)  # the first sign of a visitor has been noticed
        expect(link).to_have_js_property("disabled", True)
        asked: list[bool] = []
        page.on("request", lambda request: asked.append("kb-style" in request.headers))
        for nth in (0, 1):
            with page.expect_response(lambda response: "kb-ahead" in response.request.headers) as caught:
                page.locator(".kb-time").nth(nth).dispatch_event("pointerdown")
            caught.value.finished()
            expect(link).to_have_count(0)
        assert asked == [True, False]
        booking_steps.to_contact(page, nth=1)
        expect(page.locator(".kb-summary").first).to_have_css("border-top-style", "solid")


def test_what_a_site_has_in_its_head_comes_after_the_style_of_the_form(page: Page, demo: Demo):
    """A rule of its own counts for a form that has brought that style, as it does where the page links it."""

    def add_rule(route: Route) -> None:
        if route.request.resource_type != "document":
            route.continue_()
            return
        answer = route.fetch()
        rule = f'<link rel="stylesheet" href="{demo.url}/static/own.css"></head>'
        route.fulfill(response=answer, body=answer.text().replace("</head>", rule))

    booking_steps.without_mouse(page)
    page.route(
        "**/static/own.css",
        lambda route: route.fulfill(content_type="text/css", body=".kb-summary { border-top-style: dotted; }"),
    )
    page.route(re.compile("/book/haircut/"), add_rule)
    page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
    page.locator(".kb-time").first.press("Enter")
    booking_steps.at(page, "contact")
    linked = page.locator("link[data-kb-later]")
    expect(linked).to_have_count(0)
    expect(page.locator(".kb-summary").first).to_have_css("border-top-style", "dotted")
    page.reload()
    booking_steps.at(page, "contact")
    expect(linked).to_have_count(1)
    expect(page.locator(".kb-summary").first).to_have_css("border-top-style", "dotted")


def test_a_lost_time_is_reported_as_the_times_that_are_shown(page: Page, demo: Demo):
    """What was prefetched for it has led to the free times: nobody has seen a form, which the funnel would count."""
    # As when the free times are older than an open page lets them become.
    page.add_init_script("XMLHttpRequest.prototype.getResponseHeader = (name) => (name === 'KB-Ahead' ? '1' : null)")
    page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
    lost = page.locator(".kb-time").first.get_attribute("data-hx-get") or ""
    times = f"{demo.url}/book/haircut/?tz=America/New_York&taken=1"
    page.route(f"{demo.url}{lost}", lambda route: route.fulfill(status=303, headers={"Location": times}))
    requests = StepRequests(page)
    with reported(page):
        page.locator(".kb-time").first.click()
    assert requests.reported == [times]
    expect(page.get_by_role("alert")).to_be_visible()


@pytest.mark.matrix
def test_inside_the_home_page(page: Page, demo: Demo):
    """The widget in a host's page looks ahead as well, and leaves the host's address alone."""
    page.goto(f"{demo.url}/")
    booking_steps.to_times(page, "Haircut")
    requests = StepRequests(page)
    hovered(page, ".kb-time")
    page.locator(".kb-time").first.click()
    booking_steps.at(page, "contact")
    assert requests.clicks == []
    assert page.url == f"{demo.url}/"


@pytest.mark.matrix
def test_a_dead_line_is_noticed_at_the_click(page: Page, demo: Demo):
    """A look that fails says nothing; the click asks in earnest, and then the visitor is told."""
    page.goto(f"{demo.url}/book/haircut/?tz=America/New_York")
    booking_steps.until_htmx(page)
    page.context.set_offline(True)
    with page.expect_event("requestfailed"):
        page.locator("a.kb-day:not([aria-current])").first.hover()
    expect(page.locator("[data-kb-trouble]")).to_be_hidden()
    page.locator("a.kb-day:not([aria-current])").first.click()
    expect(page.locator("[data-kb-trouble]")).to_be_visible()
