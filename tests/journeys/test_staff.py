"""Staff pages in a real browser: accessible in light and dark, on a phone and right to left."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys import booking_steps
from tests.journeys.demo import Demo, furnish, served
from tests.journeys.inspector import Inspector
from tests.support.matrix import thinned

ADMIN = "/admin/kordless_booking"
VISITOR = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


def book(browser: Browser, demo: Demo) -> None:
    """Somebody comes, looks at another day, and books."""
    with browser.new_context(timezone_id="Europe/Paris") as context:
        # A robot, by its user agent: it counts as nobody, and leaves the times to be prefetched.
        context.new_page().goto(f"{demo.url}/book/haircut/?tz=Europe/Paris")
    with browser.new_context(user_agent=VISITOR, timezone_id="Europe/Paris") as context:
        page = context.new_page()
        page.goto(f"{demo.url}/book/")
        with page.expect_request(lambda request: "kb-taken" in request.headers):
            booking_steps.to_times(page, "Haircut")
        booking_steps.choose_day(page, page.locator("a.kb-day").last)
        booking_steps.to_contact(page)
        booking_steps.book(page)


@pytest.fixture
def watched(_prepared: Path, tmp_path: Path, browser: Browser) -> Iterator[Demo]:
    """The demo with a login for staff, after a visit whose process has ended: its counts were written then."""
    furnish(tmp_path, _prepared)
    with served(tmp_path, DEBUG="1") as demo:
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(f"{demo.url}/sandbox/?service=color-consultation")
            page.get_by_role("button", name="Deliver to this site").click()
            expect(page.get_by_text("Webhooks are delivered to this site.")).to_be_visible()
            page.get_by_role("button", name="Book by phone").click()
            expect(page.get_by_text("is booked by phone.")).to_be_visible()
            booking_steps.reload_until(page, page.get_by_role("cell", name="delivered"))
        book(browser, demo)
        demo.finish()
    with served(tmp_path, DEBUG="1") as demo:
        yield demo


def enter(page: Page, demo: Demo) -> None:
    """From the demo's home page into the admin, as it says there."""
    page.goto(f"{demo.url}/")
    page.get_by_role("link", name="Open the admin").click()
    page.get_by_label("Username").fill("salon")
    page.get_by_label("Password").fill("salon")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


@pytest.mark.matrix
@pytest.mark.parametrize("scheme", thinned(["light", "dark"]))
def test_the_operators_way(page: Page, watched: Demo, scheme: str, complaints: list[str]) -> None:
    """Overview, funnel, deliveries, one masked and then in full, the question before a replay: axe finds nothing."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    inspector = Inspector(page)
    enter(page, watched)
    inspector.check("overview")
    page.get_by_role("link", name="Funnel").last.click()
    rows = page.locator(".kb-funnel tbody tr")
    for number, words in enumerate(["Visits 1", "Services opened 1", "Times chosen 1", "Forms sent 1", "Booked 1"]):
        name, _, count = words.rpartition(" ")
        expect(rows.nth(number)).to_contain_text(name)
        expect(rows.nth(number).locator("td").nth(1)).to_have_text(count)
    expect(page.get_by_role("img", name="Day by day")).to_be_visible()
    inspector.check("funnel")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert "haircut,page,0,1,1,1,1,0" in download.value.path().read_text()
    page.goto(f"{watched.url}{ADMIN}/webhookdelivery/")
    page.locator("#result_list tbody th a").last.click()
    show = page.get_by_role("button", name="Show personal data")
    mask_again = page.get_by_role("link", name="Mask it again")
    expect(show).to_be_visible()
    expect(page.get_by_text("••••").first).to_be_visible()
    inspector.check("delivery")
    show.click()
    expect(mask_again).to_be_visible()  # first: on the empty document before it nothing is masked either
    inspector.check("delivery in full")
    expect(page.get_by_text("••••")).to_have_count(0)
    mask_again.click()
    expect(show).to_be_visible()
    page.get_by_role("link", name="Replay to receivers").click()
    replay = page.get_by_role("button", name="Replay to receivers")
    expect(replay).to_be_visible()
    inspector.check("replay")
    replay.click()
    expect(page.get_by_text("The receivers were notified again.")).to_be_visible()
    assert inspector.wrong == []
    assert len(inspector.looked_at) == 5
    assert [
        text for text in complaints if "favicon" not in text and "404" not in text and "ERR_ABORTED" not in text
    ] == []


@pytest.mark.matrix
@pytest.mark.parametrize("scheme", thinned(["light", "dark"]))
def test_the_lists_of_staff(page: Page, watched: Demo, scheme: str) -> None:
    """Deliveries and attempts with their legend and search, an attempt, mails, and one with its address."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    inspector = Inspector(page)
    enter(page, watched)
    for name in ("webhookdelivery", "bookingattempt"):
        page.goto(f"{watched.url}{ADMIN}/{name}/")
        page.get_by_text("What the states mean").click()
        inspector.check(f"list of {name}")
        page.get_by_label("Confirmation number, email or phone").fill("nobody@example.com")
        page.get_by_role("button", name="Find").click()
        expect(page.get_by_text("None was found.")).to_be_visible()
        inspector.check(f"find {name}")
    page.goto(f"{watched.url}{ADMIN}/bookingattempt/")
    expect(page.get_by_role("cell", name="Booked")).to_be_visible()
    page.locator("#result_list tbody th a").first.click()
    expect(page.get_by_text("Kordless has accepted the booking.")).to_be_visible()
    inspector.check("attempt")
    page.goto(f"{watched.url}{ADMIN}/outgoingmail/")
    inspector.check("list of mails")
    page.locator("#result_list tbody th a").first.click()
    expect(page.get_by_text("The mail server has accepted it.")).to_be_visible()
    page.get_by_role("button", name="Show the address").click()
    expect(page.get_by_role("link", name="Mask it again")).to_be_visible()
    inspector.check("mail")
    assert inspector.wrong == []
    assert len(inspector.looked_at) == 7


@pytest.mark.matrix
@pytest.mark.parametrize("width", thinned([320, 1280]))
def test_it_fits(browser: Browser, watched: Demo, width: int) -> None:
    """On a phone too, and right to left; without JavaScript as well."""
    with browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=False) as context:
        page = context.new_page()
        enter(page, watched)
        cookies = context.cookies()
    with browser.new_context(viewport={"width": width, "height": 800}) as context:
        context.add_cookies(cookies)  # type: ignore[arg-type]
        page = context.new_page()
        for path in (
            "overview/",
            "funnelcount/",
            "funnelcount/?days=90&service=haircut",
            "webhookdelivery/1/change/",
            "bookingattempt/1/change/",
            "outgoingmail/1/change/",
        ):
            page.goto(f"{watched.url}{ADMIN}/{path}")
            assert page.locator(".kb-card").first.is_visible(), path
            assert not booking_steps.is_too_wide(page), path
            page.evaluate("document.documentElement.dir = 'rtl'")
            assert not booking_steps.is_too_wide(page), path
