"""Widgets inside a page of the site: beside an htmx of the page's own, several of them, and one that loads on sight."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo
from tests.journeys.host_htmx import PLACES, SCRIPT, VERSIONS, serve_host
from tests.support.matrix import thinned


@pytest.mark.parametrize("place", thinned({place: place for place in PLACES}))
@pytest.mark.parametrize("version", thinned({version: version for version in VERSIONS}))
def test_no_htmx_acts_on_the_elements_of_the_other(page: Page, demo: Demo, version: str, place: str):
    """The host's elements work with its own htmx, once for each click; so do the widget's, up to one booking."""
    requests = serve_host(page, demo, version, place, "/", "</h1>")
    page.goto(f"{demo.url}/")
    expect(page.get_by_text("Answered a GET")).to_be_visible()
    expect(page.locator(".kb.kb-js")).to_be_visible()  # the widget's script has started
    page.get_by_role("button", name="The host's").click()
    expect(page.locator("#host-answer")).to_have_text("Answered a POST")
    booking_steps.to_times(page, "Haircut")
    # As a host does after it has changed its page.
    page.evaluate("htmx.process(document.body)")
    booking_steps.to_contact(page)
    booking_steps.book(page)
    assert page.evaluate("htmx.version").startswith(version)
    # An htmx of the host's notes the path of the host's page by itself.
    stored = page.evaluate("Object.values({...localStorage, ...sessionStorage})")
    assert set(stored) <= ({"/"} if version != "4" else set())
    assert booking_steps.address(page) == f"{demo.url}/"
    posted = [each for each in requests if each.startswith("POST")]
    assert posted == ["POST /host/", "POST /book/haircut/contact/"]
    assert requests.count("GET /host/") == 1
    assert requests.count("GET /book/haircut/") == 1
    assert requests.count(f"GET {SCRIPT}") == 1


def test_several_widgets_act_in_their_own_places_and_one_loads_on_sight(browser: Browser, page: Page, demo: Demo):
    """On a phone: the second keeps its color and takes no step in the first; without scripts the third is a link."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{demo.url}/several/")
    first, second, third = (page.locator(f"#kb-inline-{name}") for name in ("widget", "widget--2", "widget--3"))
    expect(second.locator("[data-kb-step=service]")).to_be_visible()
    expect(page.locator(".kb.kb-js")).to_have_count(3)
    colors = [
        stage.evaluate("(stage) => getComputedStyle(stage).getPropertyValue('--kb-accent')")
        for stage in (first, second)
    ]
    assert colors[0] != colors[1]
    second.locator(".kb-service a").first.click()
    expect(second.locator("[data-kb-step=slot]")).to_be_visible()
    expect(first.locator("[data-kb-step=slot] .kb-title")).to_have_text("Haircut")
    third.scroll_into_view_if_needed()
    expect(third.locator("[data-kb-step=slot] .kb-title")).to_have_text("Full color")
    assert booking_steps.address(page) == f"{demo.url}/several/"
    with browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844}) as context:
        plain = context.new_page()
        plain.goto(f"{demo.url}/several/")
        plain.locator("#kb-inline-widget--3").get_by_role("link", name="Book now").click()
        booking_steps.at(plain, "slot")
        expect(plain.locator(".kb-title")).to_have_text("Full color")


def test_saying_when_and_the_waitlist_act_in_the_place_of_their_widget(browser: Browser, demo: Demo):
    """Of two accounts on one page; without scripts they lead to a page of their own, and Back to the site's."""
    phone = {"width": 390, "height": 844}
    with browser.new_context(viewport=phone, timezone_id="America/New_York") as context:
        page = context.new_page()
        page.goto(f"{demo.url}/several/")
        first, second = page.locator("#kb-inline-widget"), page.locator("#kb-inline-widget--2")
        expect(page.locator(".kb.kb-js")).to_have_count(3)
        second.locator(".kb-service a").first.click()
        expect(second.locator("[data-kb-step=slot]")).to_be_visible()
        title = second.locator(".kb-title").inner_text()
        for widget in (first, second):
            widget.locator(".kb-words-link a").click()
            expect(widget.locator("[data-kb-step=say]")).to_be_visible()
        # The fields of both stand side by side: each has an id of its own.
        ids = page.locator("[id]").evaluate_all("(all) => all.map(({ id }) => id)")
        assert len(ids) == len(set(ids))
        for widget, other in ((first, "say"), (second, "slot")):
            widget.locator("input[name=words]").fill("tomorrow after 3")
            widget.locator("input[name=words]").press("Enter")
            expect(widget.locator("[data-kb-step=slot] .kb-limits li")).to_have_count(2)
            expect((second if widget is first else first).locator(f"[data-kb-step={other}]")).to_be_visible()
        expect(first.locator(".kb-title")).to_have_text("Haircut")
        expect(second.locator(".kb-title")).to_have_text(title)
        for widget, other in ((second, first), (first, second)):
            widget.get_by_role("link", name=WAITLIST).click()
            expect(widget.locator("[data-kb-step=waitlist]")).to_be_visible()
            expect(other.locator("[data-kb-step=slot], [data-kb-step=waitlist]")).to_be_visible()
        assert booking_steps.address(page) == f"{demo.url}/several/"
    with browser.new_context(viewport=phone, java_script_enabled=False) as context:
        page = context.new_page()
        for link, step in (
            (page.locator(".kb-words-link a"), "say"),
            (page.get_by_role("link", name=WAITLIST), "waitlist"),
        ):
            page.goto(f"{demo.url}/several/")
            link.first.click()
            booking_steps.at(page, step)
            page.locator(".kb-back a").click()
            booking_steps.at(page, "slot")
            expect(page.locator(".kb-title")).to_have_text("Haircut")
            page.go_back()
            page.go_back()
            expect(page.locator("#kb-inline-widget--2")).to_be_visible()


LISTEN = """
window.receivedEvents = [];
for (const name of ["ready", "step", "booked", "rescheduled", "cancelled", "resize", "closed"])
  document.addEventListener("kordless:" + name, ({ type, detail, target }) =>
    receivedEvents.push(
      [target.querySelector(".kb-stage").id, type.slice(9), detail.step, detail.status, detail.version]));
"""


def test_a_widget_tells_its_page_what_happens_in_it(page: Page, demo: Demo):
    """By the events that a frame's link has, on its own element: at once, with each swap, and a booking once."""
    page.add_init_script(LISTEN)
    page.goto(f"{demo.url}/")
    expect(page.locator(".kb.kb-js")).to_be_visible()
    own = "kb-inline-widget"
    expected = [[own, "ready", None, None, 1], [own, "step", "service", None, 1]]
    assert page.evaluate("receivedEvents") == expected
    booking_steps.to_times(page, "Haircut")
    booking_steps.choose_day(page, page.locator("a.kb-day").last)  # the same step
    booking_steps.to_contact(page)
    booking_steps.book(page)
    expected += [[own, "step", step, None, 1] for step in ("slot", "contact", "confirmation")]
    expected.append([own, "booked", None, "confirmed", 1])
    booking_steps.wait_for(page, "(count) => receivedEvents.length >= count", len(expected))
    assert page.evaluate("receivedEvents") == expected
    page.locator(".kb-onward a").first.click()
    booking_steps.at(page, "booking")
    page.locator(".kb-card").get_by_text("Cancel booking").click()
    booking_steps.at(page, "cancel")
    page.get_by_role("button", name="Cancel booking").click()
    booking_steps.wait_for(page, "receivedEvents.at(-1)[1] === 'cancelled'")
    page.reload()
    booking_steps.wait_for(page, "receivedEvents.some(([, name]) => name === 'step')")
    assert {name for _id, name, *_rest in page.evaluate("receivedEvents")} == {"ready", "step"}


def test_a_widget_that_loads_on_sight_is_ready_once_it_has_loaded(page: Page, demo: Demo):
    """The link in its place is no step; each widget of a page speaks for itself."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.add_init_script(LISTEN)
    page.goto(f"{demo.url}/several/")
    last = "kb-inline-widget--3"
    expect(page.locator(".kb.kb-js")).to_have_count(3)
    before = page.evaluate("receivedEvents")
    assert [name for own, name, *_rest in before if own == "kb-inline-widget"] == ["ready", "step"]
    assert "lazy" not in [step for _own, _name, step, *_rest in before]
    page.locator(f"#{last}").scroll_into_view_if_needed()
    booking_steps.wait_for(page, "(own) => receivedEvents.some(([id, name]) => id === own && name === 'step')", last)
    assert [each[1:3] for each in page.evaluate("receivedEvents") if each[0] == last] == [
        ["ready", None],
        ["step", "slot"],
    ]


WAITLIST = re.compile("Tell me when")
