"""Back, Forward and reload through the steps: on a page of the widget's own, inside a host's page, and in a frame."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, Route, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo
from tests.journeys.embedding_pages import Elsewhere, framed
from tests.support.matrix import thinned

TYPED = {"Name": "Ada Lovelace", "Email": "ada@example.com", "Phone": "+1 212 555 0142", "Notes": "By the window"}
FIELDS = ("name", "email", "phone", "notes")


def fill_in(root: Page | FrameLocator) -> None:
    """Fill in all fields of the contact form."""
    for name, text in zip(FIELDS, TYPED.values(), strict=True):
        root.locator(f".kb-field [name={name}]").fill(text)


def expect_typed(root: Page | FrameLocator, typed: dict[str, str] = TYPED) -> None:
    """Wait until the contact form has these texts."""
    for name, label in zip(FIELDS, TYPED, strict=True):
        expect(root.locator(f".kb-field [name={name}]")).to_have_value(typed.get(label, ""))


def open_times(page: Page, elsewhere: Elsewhere, place: str) -> Page | FrameLocator:
    """Open the widget in one of the three places, and go to the times of a haircut."""
    if place == "frame":
        page.goto(f"{elsewhere.url}/")
        frame = framed(page, "Book a haircut at Acme Salon")
        booking_steps.at(frame, "slot")
        return frame
    page.goto(f"{elsewhere.demo.url}/{'book/' if place == 'page' else ''}")
    booking_steps.to_times(page, "Haircut")
    return page


def remember_document(root: Page | FrameLocator) -> None:
    root.locator("html").evaluate("() => { window.sameDocument = true; }")


def is_same_document(root: Page | FrameLocator) -> bool:
    return bool(root.locator("html").evaluate("() => window.sameDocument === true"))


@pytest.mark.parametrize("place", thinned({"inline": "inline", "page": "page", "frame": "frame"}))
def test_back_and_forward_lead_through_the_steps_and_keep_what_was_typed(
    page: Page, elsewhere: Elsewhere, complaints: list[str], place: str
):
    """The document stays, the form has what was typed each time that it comes back, and one booking is made."""
    root = open_times(page, elsewhere, place)
    remember_document(root)
    address = booking_steps.address(page)
    booking_steps.to_contact(root)
    fill_in(root)
    booking_steps.back(page)
    booking_steps.at(root, "slot")
    if place != "frame":
        booking_steps.back(page)
        booking_steps.at(root, "service")
        booking_steps.forward(page)
        booking_steps.at(root, "slot")
    booking_steps.forward(page)
    booking_steps.at(root, "contact")
    expect_typed(root)
    root.locator(".kb-field [name=notes]").fill("")
    booking_steps.back(page)
    booking_steps.at(root, "slot")
    booking_steps.to_contact(root, nth=1)
    expect_typed(root, {**TYPED, "Notes": ""})
    if place != "page":
        assert booking_steps.address(page) == address
    assert is_same_document(root)
    root.get_by_role("button", name="Book appointment").click()
    booking_steps.at(root, "confirmation")
    assert str(elsewhere.demo.sandbox.bookings()).count("ada@example.com") == 1
    booking_steps.back(page)
    booking_steps.at(root, "problem")
    expect(root.get_by_role("heading", name="This time was already requested from this page")).to_be_visible()
    booking_steps.forward(page)
    booking_steps.at(root, "confirmation")
    assert is_same_document(root)
    # The page that says so is a 409, which Chromium reports.
    assert [each for each in complaints if "409" not in each] == []


@pytest.mark.parametrize("place", thinned({"inline": "inline", "page": "page", "frame": "frame"}))
def test_another_time_keeps_what_was_typed(page: Page, elsewhere: Elsewhere, place: str):
    """With JavaScript: by the form's own button, and by Back from the times that follow it."""
    root = open_times(page, elsewhere, place)
    booking_steps.to_contact(root)
    fill_in(root)
    root.get_by_role("button", name="Choose another time").click()
    booking_steps.to_contact(root, nth=1)
    expect_typed(root)
    root.locator(".kb-field [name=name]").fill("Grace Hopper")
    booking_steps.back(page)
    booking_steps.at(root, "slot")
    booking_steps.to_contact(root)
    expect_typed(root, {**TYPED, "Name": "Grace Hopper"})


@pytest.mark.parametrize("place", thinned({"inline": "inline", "page": "page", "frame": "frame"}))
def test_another_time_keeps_what_was_typed_without_javascript(browser: Browser, demo: Demo, place: str):
    """The button posts the form, the page of times carries it, and the next form has it all."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        root: Page | FrameLocator = page
        if place == "frame":
            html = f'<!doctype html><title>A page</title><iframe src="{demo.url}/book/haircut/?embed=1" title="Book">'

            def answer(route: Route) -> None:
                route.fulfill(body=html, headers={"Content-Type": "text/html; charset=utf-8"})

            context.route(f"{demo.url}/framed/", answer)
            page.goto(f"{demo.url}/framed/")
            root = page.locator("iframe").content_frame
        else:
            page.goto(f"{demo.url}/{'book/' if place == 'page' else ''}")
            booking_steps.to_times(page, "Haircut")
        booking_steps.to_contact(root)
        fill_in(root)
        root.get_by_role("button", name="Choose another time").click()
        booking_steps.to_contact(root, nth=1)
        expect_typed(root)
        root.get_by_role("button", name="Book appointment").click()
        booking_steps.at(root, "confirmation")
        assert str(demo.sandbox.bookings()).count("ada@example.com") == 1


def history_state(page: Page) -> dict[str, Any]:
    """Return what the page's entry in the history says."""
    state: dict[str, Any] = page.evaluate("history.state")
    return state


def test_a_reload_inside_a_host_page_shows_the_step_again(page: Page, demo: Demo, complaints: list[str]):
    """The host's URL stays, and nothing personal and no token that opens something stands in the history."""
    page.goto(f"{demo.url}/#book")
    assert history_state(page) is None
    booking_steps.to_times(page, "Haircut")
    with page.expect_request(
        lambda request: "/book/haircut/" in request.url and "kb-ahead" not in request.headers
    ) as another:
        booking_steps.choose_day(page, booking_steps.another_day(page))
    # What the server counts depends on the step before, which the host's URL doesn't say.
    assert another.value.headers["hx-current-url"].startswith(f"{demo.url}/book/haircut/?")
    day = page.locator("a.kb-day[aria-current]").get_attribute("aria-label") or ""
    page.reload()
    booking_steps.at(page, "slot")
    expect(page.locator("a.kb-day[aria-current]")).to_have_attribute("aria-label", day)
    when = booking_steps.to_contact(page)
    fill_in(page)
    assert booking_steps.address(page) == f"{demo.url}/#book"
    page.reload()
    booking_steps.at(page, "contact")
    expect(page.locator(".kb-summary")).to_contain_text(when.split()[0])
    booking_steps.back(page)
    booking_steps.at(page, "slot")
    booking_steps.back(page)
    booking_steps.at(page, "service")
    booking_steps.forward(page)
    booking_steps.at(page, "slot")
    booking_steps.to_contact(page)
    number = booking_steps.book(page, email="private@example.com")
    assert list(history_state(page)) == ["kordlessBooking"]  # a name that no router of the host's has
    written = json.dumps(history_state(page))
    assert not [each for each in ("private", "Ada", number, "confirmation", "gAAAA") if each in written]
    page.reload()
    booking_steps.at(page, "service")
    assert complaints == []


def test_a_host_with_a_router_keeps_its_history_to_itself(page: Page, demo: Demo):
    """With `history=False` the widget goes through its steps and adds no entry."""

    def without_history(route: Route) -> None:
        response = route.fetch()
        html = response.text()
        assert " data-kb-history" in html
        route.fulfill(response=response, body=html.replace(" data-kb-history", ""))

    page.route(f"{demo.url}/", without_history)
    page.goto(f"{demo.url}/")
    entries = page.evaluate("history.length")
    booking_steps.to_times(page, "Haircut")
    booking_steps.to_contact(page)
    assert page.evaluate("[history.length, history.state]") == [entries, None]


@pytest.mark.parametrize("state", thinned(["[1, 2]", "'page two'", "42", "new Date(0)"]))
def test_a_state_of_the_host_that_is_no_object_stays_as_it_is(page: Page, shared_demo: Demo, state: str):
    """A text or a list can't hold the widget's entry as well, so the widget leaves the history alone."""
    page.goto(f"{shared_demo.url}/")
    page.evaluate(f"history.replaceState({state}, '')")
    before = page.evaluate("[history.length, JSON.stringify(history.state)]")
    booking_steps.to_times(page, "Haircut")
    booking_steps.to_contact(page)
    assert page.evaluate("[history.length, JSON.stringify(history.state)]") == before


def test_the_form_is_empty_for_whoever_books_next(page: Page, demo: Demo):
    """After a booking nothing of it is kept: the next one on this page may be somebody else."""
    page.goto(f"{demo.url}/book/")
    booking_steps.to_times(page, "Haircut")
    booking_steps.to_contact(page)
    booking_steps.book(page)
    page.locator(".kb-button", has_text="Book another appointment").click()
    booking_steps.to_times(page, "Haircut")
    booking_steps.to_contact(page)
    expect_typed(page, {})


def test_the_search_for_a_booking_is_empty_once_it_has_found_one(page: Page, demo: Demo):
    """Number and contact open the booking: on a shared screen the next one to search must not find them filled in."""
    page.goto(f"{demo.url}/book/")
    booking_steps.to_times(page, "Haircut")
    booking_steps.to_contact(page)
    number = booking_steps.book(page, email="ada@example.com")
    page.goto(f"{demo.url}/book/")
    page.get_by_role("link", name="Change or cancel a booking").click()
    booking_steps.find(page, number, "ada@example.com")
    booking_steps.at(page, "booking")
    page.get_by_role("link", name="Change or cancel a booking").click()
    booking_steps.at(page, "find")
    for name in ("number", "contact"):
        expect(page.locator(f".kb-field [name={name}]")).to_have_value("")


def test_back_while_an_answer_is_on_its_way_shows_the_step_before(page: Page, demo: Demo):
    """The late answer doesn't take its place; Back while offline can be tried again."""
    page.goto(f"{demo.url}/book/")
    booking_steps.to_times(page, "Haircut")
    with booking_steps.unanswered(page, "**/book/haircut/contact/**"):
        page.locator(".kb-time").first.click()
        expect(page.locator(".kb-stage")).to_have_attribute("aria-busy", "true")
        page.evaluate("history.back()")
        booking_steps.at(page, "service")
    expect(page.locator(".kb-stage")).not_to_have_attribute("aria-busy", "true")
    page.context.set_offline(True)
    page.evaluate("history.forward()")
    expect(page.locator("[data-kb-trouble]")).to_be_visible()
    booking_steps.at(page, "service")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    booking_steps.at(page, "slot")
    expect(page.locator("[data-kb-trouble]")).to_be_hidden()
