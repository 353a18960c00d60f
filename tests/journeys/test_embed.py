"""The widget on other people's sites: one script, a real link, and nothing that needs a cookie."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, quote, unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, BrowserType, FrameLocator, Page, expect

from tests.journeys import booking_steps
from tests.journeys.booking_steps import move_and_cancel
from tests.journeys.embedding_pages import (
    SHOP,
    STRANGER,
    Elsewhere,
    framed,
    has_dialog,
    inner_frame,
    listen,
    received_events,
)
from tests.journeys.first_bodies import check_first_bodies
from tests.journeys.inspector import RULES
from tests.support.matrix import thinned

HAIRCUT = "Book haircut/"
CORNERS = [(360, "rtl"), (360, "ltr"), (1280, "rtl"), (1280, "ltr")]
"""Widths in pixels, and directions of a page."""


@pytest.fixture(scope="module")
def strict_browser(browser_type: BrowserType, chromium_launch_args: dict[str, Any]) -> Iterator[Browser]:
    """Chromium as it is without third-party cookies."""
    # The tests' own hosts are not of this machine, and would have to ask their visitors before they load from it.
    switches = ["--test-third-party-cookie-phaseout", "--disable-features=LocalNetworkAccessChecks"]
    arguments = [*chromium_launch_args["args"], *switches]
    browser = browser_type.launch(**{**chromium_launch_args, "args": arguments})
    yield browser
    browser.close()


@pytest.fixture
def context(strict_browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[BrowserContext]:
    """A visitor whose browser keeps third parties from storing anything."""
    with strict_browser.new_context(**browser_context_args) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    page = context.new_page()
    listen(page)
    return page


def book_in(frame: FrameLocator, email: str, nth: int = 0) -> None:
    """From the times to the confirmation, inside a frame."""
    booking_steps.to_contact(frame, nth)
    # A click that has to scroll first may be lost between the page and a frame of another site.
    frame.get_by_role("button", name="Book appointment").scroll_into_view_if_needed()
    booking_steps.book(frame, email=email)


def heights(page: Page, title: str = HAIRCUT) -> tuple[int, int]:
    """(height of the frame on the page, height of what is in it)."""
    element = page.locator(f'iframe[title="{title}"]')
    inside = element.content_frame.locator("body").evaluate("body => Math.ceil(body.getBoundingClientRect().height)")
    return int(element.evaluate("frame => frame.getBoundingClientRect().height")), int(inside)


def is_as_wide(page: Page, title: str) -> bool:
    """Return True once the frame's inside has heard how wide the frame is: until then its height is an old one."""
    element = page.locator(f'iframe[title="{title}"]')
    outer = element.evaluate("frame => frame.clientWidth")
    return bool(element.content_frame.locator("html").evaluate("(html, outer) => innerWidth === outer", outer))


def fits(page: Page, title: str = HAIRCUT) -> None:
    """Wait until the frame is as high as its content; nothing inside can be scrolled then."""
    booking_steps.wait_for(
        page,
        "title => receivedEvents.some(one => one.name === 'resize') && "
        "document.querySelector(`iframe[title='${title}']`).clientHeight > 0",
        title,
    )
    for _ in range(300):
        wide, (outer, inner) = is_as_wide(page, title), heights(page, title)
        if wide and outer == inner:
            break
        page.wait_for_timeout(50)
    assert wide
    assert outer == inner
    root = page.locator(f'iframe[title="{title}"]').content_frame.locator("html")
    assert root.evaluate("html => html.scrollHeight - html.clientHeight") <= 0
    assert root.evaluate("html => html.scrollWidth - html.clientWidth") <= 0


def test_books_from_a_strict_site(page: Page, elsewhere: Elsewhere, complaints: list[str]):
    """The guest house's guests book: no cookie, no storage, nothing refused, and nothing personal told to the page."""
    posts: list[str] = []
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.on("request", lambda request: posts.append(request.post_data or "") if request.method == "POST" else None)
    page.goto(f"{elsewhere.url}/?utm_source=river+letter&gclid=abc&guest=private")
    frame = framed(page, "Book a haircut at Acme Salon")
    booking_steps.at(frame, "slot")
    book_in(frame, "guest@example.com")
    booking_steps.wait_for(page, "receivedEvents.some(one => one.name === 'booked')")
    booked = received_events(page, "booked")
    assert [set(one) for one in booked] == [{"name", "link", "version", "service", "start", "status"}]
    assert (booked[0]["version"], booked[0]["service"], booked[0]["status"]) == (1, "haircut", "confirmed")
    assert [one["step"] for one in received_events(page, "step")] == ["slot", "contact", "confirmation"]
    expect(
        page.locator("#log li").filter(has_text="kordless:booked from “Book a haircut at Acme Salon”")
    ).to_be_visible()
    everything = json.dumps(page.evaluate("receivedEvents"))
    assert "guest@example.com" not in everything
    assert "Ada" not in everything
    assert str(elsewhere.demo.sandbox.bookings()).count("guest@example.com") == 1
    assert json.loads(parse_qs(posts[0])["attribution"][0]) == {"utm_source": "river letter", "gclid": "abc"}
    assert "private" not in posts[0]
    ours = [url for url in addresses if url.startswith(elsewhere.demo.url)]
    assert not any("utm_" in url or "gclid" in url or "guest" in url for url in ours)
    assert "river" not in str(elsewhere.demo.sandbox.requests)
    assert page.evaluate("refused") == []
    assert page.context.cookies() == []
    for each in page.frames:
        if each.url.startswith("http"):
            assert each.evaluate("localStorage.length + sessionStorage.length") == 0
    assert complaints == []


def test_the_frame_is_as_high_as_its_content(page: Page, elsewhere: Elsewhere):
    """It grows and shrinks with the steps and with the width, without an end of its own and without a scroll bar."""
    page.goto(elsewhere.write(page.context, elsewhere.link()))
    frame = framed(page)
    booking_steps.at(frame, "slot")
    fits(page)
    seen = [heights(page)[0]]
    booking_steps.to_contact(frame)
    fits(page)
    seen.append(heights(page)[0])
    frame.get_by_role("button", name="Book appointment").click()
    frame.locator("[aria-invalid=true]").first.wait_for()
    fits(page)
    seen.append(heights(page)[0])
    assert seen[0] > seen[1] < seen[2]
    booking_steps.resize(page, 360, 700)
    fits(page)
    assert heights(page)[0] > seen[2]
    for _ in range(10):  # the last message may be on its way yet
        count = len(received_events(page, "resize"))
        page.wait_for_timeout(400)
        if len(received_events(page, "resize")) == count:
            break
    assert len(received_events(page, "resize")) == count <= 8


def test_the_frame_survives_rules_that_are_for_other_frames(page: Page, elsewhere: Elsewhere):
    """A host's `!important` for videos and maps makes it neither narrow nor low, also after the next step."""
    rules = "max-width: 32px !important; height: auto !important; max-height: 9em !important; width: 5em !important"
    style = f"<style>iframe {{ {rules}; display: none !important; min-width: 200vw !important }}</style>"
    page.goto(elsewhere.write(page.context, style + elsewhere.link()))
    frame = framed(page)
    booking_steps.at(frame, "slot")
    fits(page)
    booking_steps.to_contact(frame)
    fits(page)
    width = "document.querySelector('iframe').clientWidth"
    booking_steps.wait_for(page, f"{width} > 900 && {width} <= innerWidth")


@pytest.mark.matrix
def test_loading_takes_no_focus_and_moves_nothing(page: Page, elsewhere: Elsewhere):
    """The page stays where its reader is; after a step the top of the widget comes into view, if it was out of it."""
    filler = '<input id="own" autofocus>' + "<p>Long text.</p>" * 60
    page.goto(elsewhere.write(page.context, f"{filler}{elsewhere.link()}{'<p>More.</p>' * 60}"))
    page.locator("iframe").scroll_into_view_if_needed()
    # The loader sees the frame at the next drawing; scrolled away at once, it might never have been in sight.
    expect(page.locator("iframe[src]")).to_be_attached()
    page.evaluate("scrollTo(0, 0)")
    booking_steps.at(framed(page), "slot")
    fits(page)
    assert page.evaluate("[document.activeElement.id, scrollY]") == ["own", 0]
    page.evaluate("scrollTo(0, document.querySelector('iframe').offsetTop + 300)")
    # Playwright's own clicks may scroll.
    framed(page).locator(".kb-time").last.evaluate("time => time.click()")
    booking_steps.wait_for(page, "receivedEvents.some(({ step }) => step === 'contact')")
    booking_steps.wait_for(page, "Math.abs(document.querySelector('iframe').getBoundingClientRect().top) < 2")
    page.evaluate("scrollTo(0, document.querySelector('iframe').offsetTop - 100)")
    framed(page).get_by_role("button", name="Choose another time").evaluate("button => button.click()")
    booking_steps.at(framed(page), "slot")
    booking_steps.wait_for(page, "receivedEvents.filter(({ step }) => step === 'slot').length === 2")
    fits(page)
    assert page.evaluate("document.querySelector('iframe').getBoundingClientRect().top") == pytest.approx(100, abs=2)


def test_the_wait_shows_in_the_part_of_the_frame_that_is_in_sight(page: Page, elsewhere: Elsewhere):
    """The frame is higher than the window: the line stands where its visible part begins, not at its top."""
    page.set_viewport_size({"width": 390, "height": 640})
    page.goto(elsewhere.write(page.context, f"{elsewhere.link()}{'<p>More.</p>' * 60}"))
    frame = framed(page)
    booking_steps.at(frame, "slot")
    fits(page)
    page.evaluate("scrollTo(0, document.querySelector('iframe').offsetTop + 300)")
    top = page.evaluate("-document.querySelector('iframe').getBoundingClientRect().top")
    assert top > 200
    # The frame hears of the scrolling with the next drawing of both.
    in_sight = """new Promise((done) => new IntersectionObserver(([{ intersectionRect }], observer) => {
      observer.disconnect();
      done(intersectionRect.top);
    }).observe(document.querySelector(".kb-stage")))"""
    inside = inner_frame(page, elsewhere)
    booking_steps.wait_for(inside, f"{in_sight}.then((seen) => Math.abs(seen - {top}) <= 2)")
    with booking_steps.unanswered(page, "**/book/haircut/contact/**"):
        # Playwright's own clicks may scroll.
        frame.locator(".kb-time").last.evaluate("time => time.click()")
        expect(frame.locator(".kb-stage")).to_have_attribute("aria-busy", "true")
        style = "getComputedStyle(document.body, '::before').top"
        for _ in range(100):
            if (shown := frame.locator("body").evaluate(f"() => {style}")) not in {"0px", "auto"}:
                break
            page.wait_for_timeout(50)
        assert float(shown.removesuffix("px")) == pytest.approx(top, abs=2)


def test_the_dialog(page: Page, elsewhere: Elsewhere, complaints: list[str]):
    """It opens by keyboard, keeps the focus, holds the page behind still, closes in many ways, gives the focus back."""
    page.goto(elsewhere.write(page.context, elsewhere.link("popup") + "<p>Text.</p>" * 99))
    has_dialog(page)
    link = page.get_by_role("link", name=HAIRCUT)
    assert page.locator("iframe").evaluate("frame => frame.isConnected && !frame.clientHeight")
    link.press("Enter")
    dialog, frame = page.get_by_role("dialog", name=HAIRCUT), framed(page)
    booking_steps.at(frame, "slot")
    fits(page)
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.mouse.move(5, 5)
    page.mouse.wheel(0, 400)
    page.wait_for_timeout(100)
    assert page.evaluate("scrollY") == 0
    found = Axe().run(page, options=RULES).response["violations"]
    assert [each["id"] for each in found] == []
    frame.locator(".kb-time").first.focus()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()
    link.click()
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    link.click()
    expect(dialog).to_be_visible()
    page.mouse.click(5, 5)
    expect(dialog).to_be_hidden()
    link.click()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()
    booking_steps.wait_for(
        page, "receivedEvents.filter(({ name }) => name === 'closed').length >= 4"
    )  # told after it has closed
    assert len(received_events(page, "closed")) == 4
    link.click()
    book_in(frame, "popup@example.com")
    assert str(elsewhere.demo.sandbox.bookings()).count("popup@example.com") == 1
    assert complaints == []


@pytest.mark.matrix
def test_the_dialog_on_a_phone(page: Page, elsewhere: Elsewhere):
    """It takes the whole screen, and its words may be the host's."""
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(elsewhere.write(page.context, elsewhere.link("popup", close_label="Schließen")))
    has_dialog(page)
    page.get_by_role("link", name=HAIRCUT).click()
    booking_steps.at(framed(page), "slot")
    box = page.get_by_role("dialog").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 360, "height": 640}
    expect(page.get_by_role("button", name="Schließen")).to_be_visible()
    assert not booking_steps.is_too_wide(page)


@pytest.mark.matrix
def test_the_floating_button(page: Page, elsewhere: Elsewhere):
    """It stays in its corner while the page scrolls, can be read in any color, and opens the same dialog."""
    text = "<p>Text.</p>" * 99
    page.goto(elsewhere.write(page.context, text + elsewhere.link("button", "", accent="#ffee00", position="left")))
    has_dialog(page)
    button = page.get_by_role("link", name="Book")
    page.mouse.wheel(0, 900)
    booking_steps.wait_for(page, "scrollY > 0")
    box = button.bounding_box()
    assert box
    assert (box["x"], round(box["y"] + box["height"])) == (20, 880)
    look = button.evaluate(
        "link => ['backgroundColor', 'color', 'textDecorationLine'].map((name) => getComputedStyle(link)[name])"
    )
    assert look == ["rgb(255, 238, 0)", "rgb(0, 0, 0)", "none"]
    assert button.locator("i").bounding_box()
    assert [each["id"] for each in Axe().run(page, options=RULES).response["violations"]] == []
    button.click()
    booking_steps.at(page.locator("dialog iframe").content_frame, "service")


def test_the_floating_button_can_be_read_on_any_accent(page: Page, elsewhere: Elsewhere):
    """Its words are white on dark colors and black on light ones; without a color it is black."""
    for accent, text in (("#1f6f5c", "255, 255, 255"), ("#ffee00", "0, 0, 0"), ("", "255, 255, 255")):
        page.goto(elsewhere.write(page.context, elsewhere.link("button", "", accent=accent)))
        has_dialog(page)
        button = page.get_by_role("link", name="Book")
        assert button.evaluate("link => getComputedStyle(link).color") == f"rgb({text})", accent
        assert [each["id"] for each in Axe().run(page, options=RULES).response["violations"]] == [], accent


def test_the_floating_button_is_hidden_while_a_widget_in_the_page_is_in_sight(page: Page, elsewhere: Elsewhere):
    """It leads to the same widget, and would stand over its times; it is back when the widget is scrolled away."""
    text = "<p>Text.</p>" * 40
    body = elsewhere.link("button", "", text="Salon") + text + elsewhere.link() + text
    page.goto(elsewhere.write(page.context, body))
    has_dialog(page)
    button = page.locator("[data-kordless-booking=button]")
    expect(button).to_be_visible()
    page.locator('iframe[title="Book haircut/"]').evaluate("frame => frame.scrollIntoView()")
    expect(button).to_be_hidden()
    page.evaluate("scrollTo(0, 0)")
    expect(button).to_be_visible()


@pytest.mark.parametrize(("width", "direction"), thinned(CORNERS, unpack=True))
def test_the_close_button_of_the_dialog_stands_in_the_header_of_the_widget(
    page: Page, elsewhere: Elsewhere, width: int, direction: str
):
    """It covers nothing in the row of the business, stays there on later steps, and is 44 px wide and high."""
    page.set_viewport_size({"width": width, "height": 800})
    script = f"<script>document.documentElement.dir = '{direction}'</script>"
    page.goto(elsewhere.write(page.context, script + elsewhere.link("popup")))
    has_dialog(page)
    page.get_by_role("link", name=HAIRCUT).click()
    frame, close = framed(page), page.get_by_role("button", name="Close")
    for step in ("slot", "contact"):
        booking_steps.at(frame, step)
        if width > 640:
            fits(page)  # this dialog is in the middle, and moves while it grows; on a phone it fills the screen
        box, top = close.bounding_box(), frame.locator(".kb-top").bounding_box()
        assert box
        assert top
        assert (box["width"], box["height"]) == (44, 44)
        assert (box["x"] < width / 2) == (direction == "rtl")
        assert top["y"] - 12 <= box["y"] <= top["y"] + top["height"] - 32
        for each in frame.locator(".kb-top > *").all():
            part = each.bounding_box()
            assert part
            assert part["x"] >= box["x"] + 44 or part["x"] + part["width"] <= box["x"]
        if step == "slot":
            frame.locator(".kb-time").first.click()


def test_a_narrow_frame_is_one_box(page: Page, elsewhere: Elsewhere):
    """On a phone the card has no edge of its own inside the widget's; in a wide frame it stands on the ground."""
    page.goto(elsewhere.write(page.context, elsewhere.link()))
    card = framed(page).locator(".kb-card")
    booking_steps.at(framed(page), "slot")
    edges = "card => [getComputedStyle(card).borderTopWidth, getComputedStyle(card).boxShadow]"
    assert card.evaluate(edges) != ["0px", "none"]
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)  # by then the frame has heard of its width
    assert card.evaluate(edges) == ["0px", "none"]
    assert not booking_steps.is_too_wide(page)


@pytest.mark.parametrize(
    "trust",
    thinned(
        {
            "strict-dynamic": "'nonce-2hQ8' 'strict-dynamic'",
            "origin": "{site}",
            "nonce": "'nonce-2hQ8'",
            "trusted types": "{site}; require-trusted-types-for 'script'",
        }
    ),
)
def test_the_dialog_comes_under_every_policy_that_lets_the_loader_in(
    page: Page, elsewhere: Elsewhere, complaints: list[str], trust: str
):
    """The second file is trusted as the first one is; the page's policy refuses nothing."""
    site = elsewhere.demo.url
    policy = f"default-src 'none'; frame-src {site}; script-src {trust.format(site=site)}"
    body = elsewhere.link("popup")
    page.goto(elsewhere.write(page.context, body, nonce="2hQ8", Content_Security_Policy=policy))
    has_dialog(page)
    page.get_by_role("link", name=HAIRCUT).click()
    booking_steps.at(framed(page), "slot")
    assert page.evaluate("refused") == []
    assert complaints == []


@pytest.mark.matrix
def test_a_link_whose_dialog_can_not_be_had_stays_a_link(page: Page, elsewhere: Elsewhere):
    """Without the second file a click leads to the booking page, and the widgets in the page are as ever."""
    page.context.route("**/embed-dialog.js*", lambda route: route.abort())
    page.goto(elsewhere.write(page.context, elsewhere.link("popup") + elsewhere.link("inline", "")))
    booking_steps.at(framed(page, "Book"), "service")
    page.get_by_role("link", name=HAIRCUT).click()
    booking_steps.at(page, "slot")
    assert page.url == f"{elsewhere.book}haircut/"


@pytest.mark.matrix
def test_a_click_for_a_new_tab_opens_one(page: Page, elsewhere: Elsewhere):
    """With Ctrl or in the middle the link is a link."""
    page.goto(elsewhere.write(page.context, elsewhere.link("popup")))
    has_dialog(page)
    with page.context.expect_page() as opening:
        page.get_by_role("link", name=HAIRCUT).click(modifiers=["ControlOrMeta"])
    expect(opening.value).to_have_url(f"{elsewhere.book}haircut/")
    expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.matrix
def test_two_widgets_on_a_page(page: Page, elsewhere: Elsewhere, complaints: list[str]):
    """Each is its own: two bookings, each told by its own link, each frame as high as what is in it."""
    page.goto(f"{elsewhere.url}/two/")
    # Not at the same time: it may be the same hairdresser.
    for title, email, nth in (("Book a beard trim", "his@example.com", 0), ("Book a haircut", "hers@example.com", -1)):
        book_in(framed(page, title), email, nth)
        booking_steps.wait_for(
            page, "link => receivedEvents.some(one => one.name === 'booked' && one.link === link)", title
        )
        fits(page, title)
    assert [(one["link"], one["service"]) for one in received_events(page, "booked")] == [
        ("Book a beard trim", "beard-trim"),
        ("Book a haircut", "haircut"),
    ]
    booked = str(elsewhere.demo.sandbox.bookings())
    assert (booked.count("his@example.com"), booked.count("hers@example.com")) == (1, 1)
    assert complaints == []


@pytest.mark.matrix
def test_links_come_and_go(page: Page, elsewhere: Elsewhere, complaints: list[str]):
    """Links that a page's own script adds are upgraded; removed ones leave nothing behind, and may be added again."""
    page.goto(elsewhere.write(page.context, "<main></main>"))
    booking_steps.wait_for(page, "window.KordlessBooking?.version === 1")
    add = f"document.querySelector('main').innerHTML = {json.dumps(elsewhere.link() + elsewhere.link('popup', ''))}"
    for _ in range(2):
        page.evaluate(f"{add}; KordlessBooking.scan()")
        expect(page.locator("iframe")).to_have_count(2)
        booking_steps.at(framed(page), "slot")
        page.evaluate("KordlessBooking.scan(); KordlessBooking.scan(document.querySelector('main'))")
        assert page.locator("iframe").count() == 2
        page.evaluate("document.querySelector('main a').remove()")
        booking_steps.wait_for(page, "document.querySelectorAll('iframe').length === 1")
        page.evaluate("document.querySelector('main').replaceChildren()")
        booking_steps.wait_for(page, "!document.querySelector('iframe, dialog')")
    page.evaluate(
        f"document.body.append(Object.assign(document.createElement('script'), {{src: '{elsewhere.book}embed.js'}}))"
    )
    page.evaluate(add)
    booking_steps.at(framed(page), "slot")
    expect(page.locator("iframe")).to_have_count(2)
    # A frame that goes while it loads aborts what it asked for.
    assert [each for each in complaints if "ERR_ABORTED" not in each] == []


def test_a_busy_page_is_searched_where_it_changes_and_a_dialog_is_warmed(page: Page, elsewhere: Elsewhere):
    """No change has the whole document searched; a frame is loaded near the window, or when its link is pressed."""
    far = f'<p style="height: 9000px"></p>{elsewhere.link(service="beard-trim/")}'
    # The link is above the frame in sight, which grows: pressed while it moves, it would not be clicked.
    page.goto(elsewhere.write(page.context, f"{elsewhere.link('popup', '')}<main></main>{far}"))
    has_dialog(page)
    sources = "[...document.querySelectorAll('iframe')].map(({ title, src }) => src && title)"
    page.evaluate(
        """window.searches = 0;
        const search = document.querySelectorAll;
        document.querySelectorAll = (selector) => { searches += 1; return search.call(document, selector); };
        const main = document.querySelector("main");
        for (let count = 0; count < 1000; count += 1) main.append(document.createElement("p"));"""
    )
    page.evaluate(f"document.querySelector('main').insertAdjacentHTML('beforeend', '<b>{elsewhere.link()}</b>')")
    expect(page.locator("main iframe")).to_be_attached()
    assert page.evaluate("searches") == 0
    booking_steps.at(framed(page), "slot")
    # Far below, and in a dialog that isn't open: nothing is loaded. The third is the one in sight.
    assert [bool(source) for source in page.evaluate(sources)] == [True, False, False]
    link = page.locator("a[data-kordless-booking=popup]")
    link.dispatch_event("pointerdown", {"button": 2})
    assert page.evaluate(sources)[-1] == ""
    link.dispatch_event("pointerdown", {"button": 0})
    assert page.evaluate(sources)[-1] == "Book"
    inside = page.locator("dialog iframe")
    expect(inside.content_frame.locator('[data-kb-step="service"]')).to_be_attached()
    link.click()
    expect(page.get_by_role("dialog").locator("iframe")).to_be_visible()
    booking_steps.wait_for(page, "document.querySelector('dialog iframe').clientHeight > 400")
    booking_steps.to_times(inside.content_frame, "Haircut")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    far_frame = page.locator('iframe[title="Book beard-trim/"]')
    assert far_frame.get_attribute("src") is None
    far_frame.scroll_into_view_if_needed()
    booking_steps.at(framed(page, "Book beard-trim/"), "slot")


@pytest.mark.matrix
def test_a_link_that_goes_while_its_dialog_is_open(page: Page, elsewhere: Elsewhere):
    """The dialog goes with it, and the page can be scrolled again."""
    page.goto(elsewhere.write(page.context, elsewhere.link("popup") + "<p>Text.</p>" * 99))
    has_dialog(page)
    page.get_by_role("link", name=HAIRCUT).click()
    booking_steps.at(framed(page), "slot")
    page.evaluate("document.querySelector('a').remove()")
    expect(page.locator("dialog, iframe")).to_have_count(0)
    booking_steps.wait_for(page, "getComputedStyle(document.documentElement).overflowY === 'visible'")
    # Two frames later the browser's scrolling, which is not the page's own thread, knows of it too.
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.mouse.move(5, 5)
    page.mouse.wheel(0, 400)
    booking_steps.wait_for(page, "scrollY > 0")


@pytest.mark.matrix
def test_only_links_under_the_scripts_own_address(page: Page, elsewhere: Elsewhere):
    """A link to anywhere else stays a link, whatever it calls itself."""
    other = '<a href="https://elsewhere.example/book/" data-kordless-booking="inline">Elsewhere</a>'
    page.goto(elsewhere.write(page.context, other + elsewhere.link()))
    booking_steps.at(framed(page), "slot")
    assert page.locator("iframe").count() == 1
    expect(page.get_by_role("link", name="Elsewhere")).to_be_visible()


@pytest.mark.matrix
def test_the_loader_works_or_leaves_the_link_however_a_page_holds_it(
    context: BrowserContext, page: Page, elsewhere: Elsewhere, complaints: list[str]
):
    """Optimizers of pages make it a module, load it by CORS, or put it into the page, where it can't know its site."""
    source = (Path(__file__).parents[2] / "kordless_booking/static/kordless_booking/embed.js").read_text("utf-8")
    for attributes in ('type="module"', 'crossorigin="anonymous"', 'type="module" crossorigin async'):
        script = f'<script {attributes} src="{elsewhere.book}embed.js"></script>'
        page.goto(elsewhere.write(context, elsewhere.link(), script=script))
        booking_steps.at(framed(page), "slot")
    for attributes in ("", 'type="module"', f'src="data:text/javascript,{quote(source)}"'):
        script = f"<script {attributes}>{'' if 'src' in attributes else source}</script>"
        page.goto(elsewhere.write(context, elsewhere.link() + elsewhere.link("popup"), script=script))
        booking_steps.wait_for(page, "window.KordlessBooking?.version === 1")
        expect(page.get_by_role("link", name="Book haircut/")).to_have_count(2)
        expect(page.locator("iframe, dialog")).to_have_count(0)
    # Errors of scripts alone: what a frame still loads is given up when its page is left.
    assert [one for one in complaints if one.startswith("error:")] == []


def test_strange_messages_are_ignored_both_ways(page: Page, elsewhere: Elsewhere):
    """Neither the page nor the frame heeds a message unless it is from the one origin and the one window."""
    page.goto(elsewhere.write(page.context, f'{elsewhere.link()}<iframe id="ad" srcdoc="An advertisement"></iframe>'))
    frame = framed(page)
    booking_steps.to_contact(frame)
    fits(page)
    before = heights(page)
    page.evaluate(
        """async (book) => {
          const say = (data, origin, source) =>
            window.dispatchEvent(new MessageEvent("message", { data, origin, source }));
          const ours = document.querySelector("iframe[title]"), ad = document.querySelector("#ad");
          const height = { kordless: "resize", detail: { height: 9999 } };
          const booked = { kordless: "booked", detail: { service: "fake" } };
          for (const lie of [height, booked, null, "kordless", 7]) {
            window.postMessage(lie, "*");
            ad.contentWindow.parent.postMessage(lie, "*");
            say(lie, new URL(book).origin, window);
            say(lie, "https://evil.example", ours.contentWindow);
          }
          await new Promise((done) => setTimeout(done, 200));
        }""",
        elsewhere.book,
    )
    assert heights(page) == before
    assert received_events(page, "booked") == []
    inside = inner_frame(page, elsewhere)
    inside.evaluate(
        """async () => {
          const hello = { kordless: "hello", detail: { prefillName: "Mallory" } };
          window.postMessage(hello, "*");
          const say = (origin, source) =>
            window.dispatchEvent(new MessageEvent("message", { data: hello, origin, source }));
          say("https://evil.example", parent);
          say("https://www.shop.example.evil.example", parent);
          say("https://shop.example", parent);
          say(location.origin, window);
          await new Promise((done) => setTimeout(done, 100));
        }"""
    )
    expect(frame.get_by_label("Name", exact=True)).to_have_value("")


def test_the_frame_speaks_to_nobody_but_its_page(page: Page, elsewhere: Elsewhere):
    """Every message has the page's exact origin as its address."""
    source = (Path(__file__).resolve().parents[2] / "kordless_booking/static/kordless_booking").glob("*.js")
    for script in source:
        assert not re.search(r"""postMessage\([^)]*,\s*["']\*""", script.read_text()), script.name
    page.goto(elsewhere.write(page.context, elsewhere.link()))
    booking_steps.at(framed(page), "slot")
    fits(page)
    booking_steps.wait_for(
        page, "['ready', 'step', 'resize'].every((name) => receivedEvents.some((one) => one.name === name))"
    )
    assert {one["name"] for one in page.evaluate("receivedEvents")} == {"ready", "step", "resize"}


def test_prefilled_by_message(page: Page, elsewhere: Elsewhere):
    """Values from the host fill the form unless they are invalid; typed text stays; no URL holds any of them."""
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    attributes = {
        "prefill_name": "Grace Hopper",
        "prefill_email": "not an address",
        "prefill_phone": "+1 212 555 0123",
        "prefill_notes": "x" * 2000,
    }
    page.goto(elsewhere.write(page.context, elsewhere.link(**attributes)))
    frame = framed(page)
    booking_steps.to_contact(frame)
    expect(frame.get_by_label("Name", exact=True)).to_have_value("Grace Hopper")
    expect(frame.get_by_label("Phone (or email)", exact=True)).to_have_value("+1 212 555 0123")
    expect(frame.get_by_label("Email (or phone)", exact=True)).to_have_value("")
    expect(frame.locator("[name=notes]")).to_have_value("")
    frame.get_by_label("Name", exact=True).fill("")
    frame.get_by_role("button", name="Book appointment").click()
    frame.locator("[aria-invalid=true]").first.wait_for()
    expect(frame.get_by_label("Name", exact=True)).to_have_value("")
    # However the number is written in a URL; "555" alone may stand in the version of the style sheet.
    assert not any("Grace" in url or "5550123" in re.sub(r"\D", "", unquote(url)) for url in addresses)


@pytest.mark.matrix
def test_what_the_snippet_says_about_the_booking(page: Page, elsewhere: Elsewhere):
    """Host, party size and language are chosen from the start; what the page is not to pass on stays with it."""
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.post_data or "") if request.method == "POST" else None)
    cut = elsewhere.link("inline", host="host_sarah", lang="de", attribution="off")
    group = elsewhere.link("inline", "styling-class/", party="3")
    page.goto(f"{elsewhere.write(page.context, cut + group)}?utm_source=letter")
    frame = framed(page)
    expect(frame.locator("[aria-current=true]", has_text="Sarah")).to_be_visible()
    assert frame.locator("html").get_attribute("lang") == "de"
    booking_steps.to_contact(frame)
    expect(frame.locator("[data-kb-step]")).to_contain_text("Sarah")
    frame.locator("[name=name]").fill("Ada Lovelace")
    frame.locator("[name=email]").fill("ada@example.com")
    frame.locator("form[method=post] .kb-primary").click()
    booking_steps.at(frame, "confirmation")
    assert json.loads(parse_qs(posts[0]).get("attribution", ["{}"])[0] or "{}").get("utm_source") is None
    several = framed(page, "Book styling-class/")
    expect(several.locator("[name=party]")).to_have_value("3")


@pytest.mark.matrix
def test_moved_and_cancelled_in_the_frame(page: Page, elsewhere: Elsewhere):
    """The page hears of each once, with nothing personal; a frame that is loaded anew tells nothing again."""
    # So tall that nothing is scrolled: a click that scrolls first may be lost between the page and a frame of another.
    page.set_viewport_size({"width": 1280, "height": 2400})
    page.goto(elsewhere.write(page.context, elsewhere.link(service="beard-trim/")))
    frame = framed(page, "Book beard-trim/")
    booking_steps.to_contact(frame)
    number = booking_steps.book(frame, email="mover@example.com")
    booking_steps.wait_for(page, "receivedEvents.some(({ name }) => name === 'booked')")
    inside = inner_frame(page, elsewhere)
    inside.evaluate("location.reload()")
    booking_steps.wait_for(page, "receivedEvents.filter(({ name }) => name === 'ready').length === 2")
    frame.get_by_role("link", name="Change or cancel", exact=True).click()
    move_and_cancel(frame, elsewhere.demo, number)
    booking_steps.wait_for(page, "receivedEvents.some(({ name }) => name === 'cancelled')")
    events = received_events(page, "booked", "rescheduled", "cancelled")
    assert [(one["name"], one["service"], one["status"]) for one in events] == [
        ("booked", "beard-trim", "confirmed"),
        ("rescheduled", "beard-trim", "confirmed"),
        ("cancelled", "beard-trim", "canceled"),
    ]
    assert events[0]["start"] != events[1]["start"] == events[2]["start"]
    assert all(set(one) == {"name", "link", "version", "service", "start", "status"} for one in events)
    assert number not in json.dumps(page.evaluate("receivedEvents"))


@pytest.mark.matrix
def test_what_the_snippet_says_about_looks(page: Page, elsewhere: Elsewhere):
    """Colors, scheme, theme, width, zone and service stand in the frame's first address and stay through the steps."""
    link = elsewhere.link(
        "inline", "", accent="#8a3b12", scheme="dark", theme="clinic", tz="Asia/Kathmandu", width="480px"
    )
    page.goto(elsewhere.write(page.context, link.replace("<a ", '<a data-service="beard-trim" ')))
    frame = framed(page, "Book")
    expect(frame.get_by_role("heading", name="Beard trim")).to_be_visible()
    expect(frame.get_by_text(re.compile("Your time zone: Kathmandu"))).to_be_visible()
    assert page.locator("iframe").evaluate("frame => frame.clientWidth") == 480
    booking_steps.to_contact(frame)
    assert frame.locator("body").get_attribute("data-scheme") == "dark"
    inside = inner_frame(page, elsewhere)
    assert "accent=8a3b12" in inside.url
    assert "embed=1" in inside.url
    expect(frame.locator("body")).to_have_css("--kb-accent", re.compile("8a3b12"))
    assert "-clinic.css" in (frame.locator("link[data-kb-later]").get_attribute("href") or "")


def test_a_frame_has_the_colors_of_the_page_around_it_where_nobody_has_chosen_any(page: Page, elsewhere: Elsewhere):
    """Its first address says that it is only that page's, for a site with COLOR_SCHEME; the steps keep it."""
    page.goto(elsewhere.write(page.context, elsewhere.link().replace("<a ", '<a style="color-scheme: dark" ')))
    frame = framed(page)
    booking_steps.at(frame, "slot")
    expect(frame.locator("body")).to_have_attribute("data-scheme", "dark")
    assert "scheme=page+dark" in (page.locator("iframe").get_attribute("src") or "")
    booking_steps.to_contact(frame)
    expect(frame.locator("body")).to_have_attribute("data-scheme", "dark")
    inside = inner_frame(page, elsewhere)
    booking_steps.wait_for(inside, "location.search.includes('scheme=dark')")


def test_a_site_that_may_not_embed_shows_a_way_out(page: Page, elsewhere: Elsewhere):
    """The browser refuses the frame; after a while the link stands in its place, and leads to a new tab."""
    # For the page's animations no time passes: it is hidden for nine seconds, and a busy machine may be slower.
    page.context.new_cdp_session(page).send("Animation.setPlaybackRate", {"playbackRate": 0})
    page.goto(elsewhere.write(page.context, elsewhere.link(tz="Asia/Tokyo"), origin=STRANGER))
    way_out = page.get_by_text("Open in a new tab")
    way_out.wait_for(state="attached")
    expect(way_out).to_be_hidden()
    page.evaluate("document.getAnimations().forEach((one) => one.finish())")
    expect(way_out).to_be_visible()
    with page.context.expect_page() as opening:
        way_out.click()
    booking_steps.at(opening.value, "slot")
    expect(opening.value.get_by_text(re.compile("Your time zone: Tokyo"))).to_be_visible()
    assert "embed" not in opening.value.url
    assert opening.value.evaluate("window.opener") is None


def test_a_frame_without_scripts(page: Page, elsewhere: Elsewhere):
    """Inside the frame plain links and forms book; the way out is there too."""
    page.context.route(re.compile(r"/static/.*\.js$"), lambda route: route.abort())
    page.goto(elsewhere.write(page.context, elsewhere.link()))
    frame = framed(page)
    book_in(frame, "plain@example.com")
    assert str(elsewhere.demo.sandbox.bookings()).count("plain@example.com") == 1
    page.evaluate("document.getAnimations().forEach((one) => one.finish())")
    expect(page.get_by_text("Open in a new tab")).to_be_visible()


@pytest.mark.matrix
def test_without_the_loader(context: BrowserContext, page: Page, elsewhere: Elsewhere):
    """Blocked or late, the script leaves a link that books."""
    context.route("**/embed.js", lambda route: route.abort())
    page.goto(elsewhere.write(context, elsewhere.link()))
    page.get_by_role("link", name=HAIRCUT).click()
    booking_steps.to_contact(page)
    booking_steps.book(page, email="link@example.com")
    assert str(elsewhere.demo.sandbox.bookings()).count("link@example.com") == 1


@pytest.mark.matrix
def test_a_sandboxed_frame_leads_on_in_a_new_tab(page: Page, elsewhere: Elsewhere):
    """Without an origin the form can't be sent, but a new tab has everything that was typed, and books."""
    sandbox = "allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox"
    raw = (
        f'<iframe sandbox="{sandbox}" title="{HAIRCUT}" height="1500" src="{elsewhere.book}haircut/?embed=1"></iframe>'
    )
    page.goto(elsewhere.write(page.context, raw))
    frame = framed(page)
    booking_steps.to_contact(frame)
    frame.get_by_label("Name", exact=True).fill("Ada Lovelace")
    frame.get_by_label("Email (or phone)", exact=True).fill("boxed@example.com")
    frame.get_by_role("button", name="Book appointment").click()
    booking_steps.at(frame, "problem")
    with page.context.expect_page() as opening:
        frame.get_by_role("button", name="Continue in a new tab").click()
    tab = opening.value
    booking_steps.at(tab, "contact")
    expect(tab.get_by_label("Name", exact=True)).to_have_value("Ada Lovelace")
    expect(tab.get_by_label("Email (or phone)", exact=True)).to_have_value("boxed@example.com")
    assert "boxed" not in tab.url
    tab.get_by_role("button", name="Book appointment").click()
    booking_steps.at(tab, "confirmation")
    assert str(elsewhere.demo.sandbox.bookings()).count("boxed@example.com") == 1


@pytest.mark.matrix
def test_an_isolated_page_may_embed(page: Page, elsewhere: Elsewhere, complaints: list[str]):
    """Script and frame say what a page with COOP and COEP wants to hear."""
    page.goto(f"{elsewhere.url}/isolated/")
    assert page.evaluate("self.crossOriginIsolated") is True
    book_in(framed(page, "Book a haircut at Acme Salon"), "isolated@example.com")
    assert str(elsewhere.demo.sandbox.bookings()).count("isolated@example.com") == 1
    assert complaints == []


@pytest.mark.matrix
def test_what_it_costs(page: Page, elsewhere: Elsewhere):
    """One script for a host without dialogs; in the frame two responses and 16 KB to the first times."""
    url = elsewhere.write(page.context, elsewhere.link(scheme="dark", accent="#1f6f5c"))
    page.goto(url)
    booking_steps.at(framed(page), "slot")
    page.wait_for_load_state("networkidle")
    entries = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert [name for name in entries if name.endswith(".js")] == [f"{elsewhere.book}embed.js"]
    inside = inner_frame(page, elsewhere)
    check_first_bodies(inside)


@pytest.mark.matrix
def test_the_snippet_builder(page: Page, elsewhere: Elsewhere, complaints: list[str]):
    """The chosen options show at once on another website, a booking works there, and the snippet can be copied."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{elsewhere.demo.url}/snippet/")
    page.get_by_label("Service").select_option("beard-trim")
    page.get_by_label("Link text").fill("Trim & shave")
    page.get_by_label("Website it goes on").fill("https://other.example")
    expect(page.get_by_text("https://other.example may not embed your booking yet")).to_be_visible()
    setting = page.locator("code", has_text='"https://*.shop.example", "https://other.example"]')
    expect(setting).to_be_visible()
    page.get_by_role("button", name="Copy the setting").click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == setting.inner_text()
    page.get_by_label("Website it goes on").fill("https://my.shop.example")
    expect(page.get_by_text("https://my.shop.example may embed your booking")).to_be_visible()
    expect(page.get_by_text("may not embed")).to_be_hidden()
    page.get_by_label("Accent color", exact=True).fill("red")
    expect(page.get_by_text("A color is # and six digits")).to_be_visible()
    page.get_by_label("Pick the accent color").fill("#1f6f5c")
    expect(page.get_by_text("A color is # and six digits")).to_be_hidden()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("textarea").input_value()
    script, link = copied.splitlines()
    assert script == f'<script async src="{elsewhere.book}embed.js"></script>'
    assert link.startswith(f'<a href="{elsewhere.book}beard-trim/" data-kordless-booking="inline"')
    assert link.endswith(' data-accent="#1f6f5c">Trim &amp; shave</a>')
    preview = page.frame_locator("iframe[title=Preview]")
    stage = preview.locator("html").evaluate("html => location.origin")
    assert stage == elsewhere.url
    frame = preview.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Beard trim")).to_be_visible()
    # Not in a preview of the choices before: the last one takes its place.
    expect(frame.locator("body")).to_have_css("--kb-accent", re.compile("1f6f5c"))
    book_in(frame, "preview@example.com")
    assert str(elsewhere.demo.sandbox.bookings()).count("preview@example.com") == 1
    page.goto(elsewhere.write(page.context, link))
    booking_steps.at(framed(page, "Trim & shave"), "slot")
    # A preview that the next one overtakes is given up by the browser.
    assert [each for each in complaints if "ERR_ABORTED" not in each] == []


@pytest.mark.matrix
def test_the_snippet_builder_without_javascript(strict_browser: Browser, elsewhere: Elsewhere):
    """A form and a button do the same."""
    with strict_browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{elsewhere.demo.url}/snippet/")
        page.get_by_label("Link that opens a dialog").check()
        page.get_by_label("Website it goes on").fill("other.example")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("textarea")).to_have_value(re.compile('data-kordless-booking="popup"'))
        expect(page.get_by_label("Link that opens a dialog")).to_be_checked()
        expect(page.get_by_text("https://other.example may not embed your booking yet")).to_be_visible()
        expect(page.get_by_role("button", name="Copy")).to_have_count(0)


@pytest.mark.matrix
@pytest.mark.parametrize("scheme", thinned(["light", "dark"]))
def test_the_snippet_builder_is_for_everybody(page: Page, elsewhere: Elsewhere, scheme: Literal["light", "dark"]):
    """Small, wide, light and dark it can be read and reached, with all that it has to say."""
    page.emulate_media(color_scheme=scheme)
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{elsewhere.demo.url}/snippet/?mode=popup&accent=red&site=other.example")
        expect(page.get_by_label("At most 480 pixels")).to_be_hidden()
        page.get_by_label("In the page").check()
        expect(page.get_by_label("At most 480 pixels")).to_be_visible()
        assert not booking_steps.is_too_wide(page)
        found = Axe().run(page, options=RULES).response["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
    preview = page.locator("iframe[title=Preview]")
    wide = preview.evaluate("frame => frame.clientWidth")
    page.get_by_label("Phone", exact=True).check()
    expect(preview).to_have_js_property("clientWidth", 390)
    assert wide > 390


def test_the_thank_you_page_replaces_the_page_around_the_frame(
    page: Page, strict_browser: Browser, elsewhere: Elsewhere
):
    """On a phone: the booking is told to the page once, and "Continue" leaves the frame; without scripts as well."""
    page.set_viewport_size({"width": 390, "height": 844})
    thanks = f"{SHOP}/thanks?of=haircut"
    page.goto(elsewhere.write(page.context, elsewhere.link(done_url="/thanks?of={service}")))
    frame = framed(page)
    book_in(frame, "thanks@example.com")
    onward = frame.get_by_role("link", name="Continue", exact=True)
    expect(onward).to_have_attribute("href", thanks)
    booking_steps.wait_for(page, "receivedEvents.some(({ name }) => name === 'booked')")
    assert len(received_events(page, "booked")) == 1
    onward.click()
    page.wait_for_url(thanks)
    with strict_browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844}) as context:
        plain = context.new_page()
        elsewhere.write(context, "Thank you")
        for origin in (STRANGER, SHOP):
            plain.goto(f"{elsewhere.book}haircut/?thanks={origin}/thanks")
            booking_steps.to_contact(plain)
            booking_steps.book(plain, email="plain@example.com")
            onward = plain.get_by_role("link", name="Continue", exact=True)
            expect(onward).to_have_count(int(origin == SHOP))
        onward.click()
        plain.wait_for_url(f"{SHOP}/thanks")
