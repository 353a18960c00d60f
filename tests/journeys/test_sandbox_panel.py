"""The panel of the sandbox: what staff do there, the widget beside it shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo, furnish, served
from tests.support.matrix import thinned


@pytest.fixture
def desk(page: Page, demo: Demo) -> Page:
    """The page, with webhooks delivered to the site."""
    page.clock.install()
    page.goto(f"{demo.url}/sandbox/?service=color-consultation")
    page.get_by_role("button", name="Deliver to this site").click()
    expect(page.get_by_text("Webhooks are delivered to this site.")).to_be_visible()
    page.wait_for_load_state()  # with the widget in the frame: until its script runs, it doesn't look again
    return page


@pytest.mark.matrix
def test_a_call_takes_a_time_out_of_the_widget_beside_it(desk: Page, demo: Demo):
    """Booked by phone in another window; the widget that was open all the time hears of it."""
    widget = desk.frame_locator("iframe")
    expect(widget.locator(".kb-time").first).to_be_visible()
    first = widget.locator(".kb-time").first
    taken = (first.get_attribute("href") or "").rpartition("start=")[2]
    with desk.context.new_page() as phone:
        phone.goto(desk.url)
        phone.get_by_role("button", name="Book by phone").click()
        expect(phone.get_by_text("is booked by phone.")).to_be_visible()
        expect(phone.get_by_role("cell", name="booking.created")).to_be_visible()
        booking_steps.reload_until(phone, phone.get_by_role("cell", name="delivered"))
    # htmx, which asks for taken times, comes after two seconds of the clock that stands still.
    desk.clock.fast_forward(3_000)
    booking_steps.until_htmx(desk.frames[1])
    with desk.expect_response(lambda response: "kb-seen" in response.request.headers):
        desk.clock.fast_forward(31_000)
    expect(widget.locator(f'.kb-time[href*="{taken}"]')).to_have_count(0)
    assert demo.log().count("event=webhook_received") == 1


@pytest.mark.matrix
def test_a_booking_is_moved_and_canceled(desk: Page):
    """With a word about each."""
    desk.get_by_role("button", name="Book by phone").click()
    expect(desk.get_by_text("is booked by phone.")).to_be_visible()
    desk.get_by_role("button", name="Reschedule").click()
    expect(desk.get_by_text("is rescheduled to")).to_be_visible()
    desk.get_by_role("button", name="Cancel").click()
    expect(desk.get_by_text("is canceled.")).to_be_visible()
    expect(desk.get_by_text("canceled", exact=True)).to_be_visible()


@pytest.mark.matrix
def test_things_break_and_are_mended(desk: Page):
    """And the page says what is broken."""
    desk.get_by_label("Kordless", exact=True).select_option(label="Kordless is down")
    desk.get_by_role("button", name="Break it").click()
    expect(desk.get_by_role("listitem").filter(has_text="Kordless is down")).to_be_visible()
    desk.get_by_label("Its webhooks").select_option(label="Each webhook comes three times")
    desk.get_by_role("button", name="Break them").click()
    expect(desk.get_by_role("listitem").filter(has_text="Each webhook comes three times")).to_be_visible()
    desk.get_by_role("button", name="Fix everything").click()
    expect(desk.get_by_text("Everything works again.")).to_be_visible()
    booking_steps.loaded(desk)  # what is broken would stand below
    expect(desk.locator(".desk-force")).to_have_count(0)


@pytest.mark.matrix
def test_a_form_without_a_meaning(desk: Page):
    """Somebody else was quicker: the page says so and stays."""
    desk.locator("#start option").first.evaluate("option => option.value = '2020-01-01T10:00:00+00:00'")
    desk.get_by_role("button", name="Book by phone").click()
    expect(desk.get_by_text("That didn’t work")).to_be_visible()


@pytest.mark.matrix
@pytest.mark.parametrize("width", thinned([320, 1280]))
def test_it_fits(browser: Browser, demo: Demo, width: int):
    """Without JavaScript, and on a phone."""
    with browser.new_context(viewport={"width": width, "height": 700}, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{demo.url}/")
        page.get_by_role("link", name="Play the staff").click()
        expect(page.get_by_role("heading", name="Sandbox panel")).to_be_visible()
        page.get_by_role("button", name="Book by phone").click()
        expect(page.get_by_text("is booked by phone.")).to_be_visible()
    with browser.new_context(viewport={"width": width, "height": 700}) as context:
        page = context.new_page()
        page.goto(f"{demo.url}/sandbox/")
        assert not booking_steps.is_too_wide(page)


def test_every_page_of_the_demo_has_the_same_navigation(page: Page, demo: Demo):
    """Each of its links leads to a page, which marks its own; the tour on the home page has the same stops."""
    page.goto(f"{demo.url}/")
    links = page.get_by_role("navigation", name="Demo").get_by_role("link")
    names, urls = links.all_inner_texts(), [link.get_attribute("href") or "" for link in links.all()]
    assert names == ["Salon", "Mails", "Sandbox", "All options", "Admin", "Themes", "Snippet"]
    stops = page.locator(".site-tour li a")
    assert [stop.get_attribute("href") for stop in stops.all()] == ["#book", *urls[1:]]
    for name, url in zip(names, urls, strict=True):
        answer = page.goto(f"{demo.url}{url}")
        assert answer is not None
        assert answer.status == 200
        # The widget's own pages are those of any site.
        if name not in {"Admin", "All options"}:
            assert links.all_inner_texts() == names
            expect(page.get_by_role("navigation", name="Demo").locator("[aria-current=page]")).to_have_text(name)
            expect(page.get_by_role("navigation", name="Main").get_by_role("link")).to_have_text(
                ["Booking page", "Your booking"]
            )


def test_what_breaks_and_what_a_visitor_sees_of_it_are_in_sight_together(page: Page, shared_demo: Demo):
    """The form that breaks things comes first, with the widget right beside or below it."""
    for width, height in ((390, 844), (1280, 900)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{shared_demo.url}/sandbox/")
        trouble, widget = page.locator(".desk-trouble").bounding_box(), page.locator(".desk-frame").bounding_box()
        assert trouble
        assert widget
        assert trouble["y"] + trouble["height"] < height
        assert widget["y"] < height - 100
        assert not booking_steps.is_too_wide(page)


@pytest.fixture
def real(_prepared: Path, tmp_path: Path) -> Iterator[Demo]:
    """The demo with an account of its own."""
    furnish(tmp_path, _prepared)
    with served(
        tmp_path,
        KORDLESS_API_KEY="a-key",
        KORDLESS_ORG_SLUG="salon",
        KORDLESS_SANDBOX_WEBHOOK="http://127.0.0.1:9/",
        KORDLESS_BASE_URL="http://127.0.0.1:9/",
    ) as demo:
        yield demo


@pytest.mark.matrix
def test_with_a_real_account_there_is_no_counter(page: Page, real: Demo):
    """Only the sandbox has one."""
    answer = page.goto(f"{real.url}/sandbox/")
    assert answer is not None
    assert answer.status == 404
