"""A page that stays open: what is booked elsewhere vanishes from it, and nothing else moves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from kordless_booking.sandbox.webhook_sender import Endpoint
from tests.journeys import booking_steps
from tests.journeys.demo import Demo, furnish, served

SECRET = "whsec_journeys_0123456789abcdef"
SERVICE = "color-consultation"
NEW_YORK = ZoneInfo("America/New_York")
LOOKS = 31_000
"""Milliseconds after which an open page has looked again."""
HTMX_COMES = 2_000
"""Milliseconds after which a page that nobody touches loads htmx."""


@pytest.fixture
def webhook_demo(_prepared: Path, tmp_path: Path) -> Iterator[Demo]:
    """The demo with a webhook, which its sandbox delivers to over real HTTP."""
    furnish(tmp_path, _prepared)
    with served(tmp_path, KORDLESS_WEBHOOK_SECRET=SECRET) as demo:
        demo.sandbox.webhook_sender.by_hand = True
        demo.sandbox.webhook_sender.endpoints = (Endpoint(f"{demo.url}/book/webhook/", SECRET),)
        yield demo


def busy_day(demo: Demo) -> str:
    """The address of a day that keeps plenty of times when one is taken."""
    now = datetime.now(UTC)
    starts = demo.sandbox.free(SERVICE, now + timedelta(days=2), now + timedelta(days=14))
    days = [f"{start.astimezone(NEW_YORK):%Y-%m-%d}" for start in starts]
    return f"{demo.url}/book/{SERVICE}/?tz=America/New_York&day={max(set(days), key=days.count)}"


def start_of(time: Locator) -> datetime:
    """The moment that a time on the page stands for."""
    query = urlsplit(time.get_attribute("href") or "").query
    return datetime.strptime(query.rpartition("start=")[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def by_phone(demo: Demo, time: Locator, service: str = SERVICE) -> None:
    """Somebody calls and takes that time; the site hears of it."""
    demo.sandbox.book_by_phone(service, start_of(time))
    assert demo.sandbox.webhook_sender.deliver() == 1
    assert demo.sandbox.webhook_sender.deliveries()[0]["status"] == 200


def looked(page: Page) -> int:
    """Let half a minute pass on the open page; the status of what it asks, once the page has taken it in."""
    with page.expect_response(lambda response: "kb-seen" in response.request.headers) as caught:
        page.clock.fast_forward(LOOKS)
    caught.value.finished()
    # Only then does it count the seconds until it looks again.
    booking_steps.wait_for(page, "!document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')")
    return caught.value.status


def opened(page: Page, url: str) -> Locator:
    """The times of a service, on a clock that the test moves."""
    page.clock.install()
    page.goto(url)
    booking_steps.at(page, "slot")
    expect(page.locator("body.kb-js, .kb.kb-js")).to_be_visible()
    # htmx, which looks, is loaded once the visitor has done nothing for a while.
    page.clock.fast_forward(HTMX_COMES)
    booking_steps.until_htmx(page)
    return page.locator(".kb-time")


@pytest.mark.dates
def test_a_time_that_is_taken_by_phone_vanishes(page: Page, webhook_demo: Demo, complaints: list[str]):
    """The focus stays where it is, so does the page, and nothing is said aloud; then all is quiet again."""
    times = opened(page, busy_day(webhook_demo))
    count, address = times.count(), page.url
    assert count > 2
    assert looked(page) == 204
    first, kept = times.first, times.nth(count - 1)
    gone, words = start_of(first), kept.inner_text()
    kept.focus()
    scrolled = page.evaluate("scrollY")
    by_phone(webhook_demo, first)
    assert looked(page) == 200
    expect(page.locator(f'.kb-time[href*="{gone:%Y%m%dT%H%M%SZ}"]')).to_have_count(0)
    expect(page.locator(":focus")).to_have_text(words)
    assert page.evaluate("scrollY") == scrolled
    assert page.url == address
    assert page.locator("[data-kb-live]").inner_text() == ""
    assert looked(page) == 204
    assert complaints == []


@pytest.mark.matrix
def test_the_time_under_the_focus_vanishes(page: Page, webhook_demo: Demo):
    """The focus goes to the day above, never to another time."""
    times = opened(page, busy_day(webhook_demo))
    day = page.locator(".kb-times .kb-sub").inner_text()
    times.first.focus()
    by_phone(webhook_demo, times.first)
    assert looked(page) == 200
    expect(page.locator(":focus")).to_have_text(day)


@pytest.mark.matrix
def test_a_day_that_fills_up_makes_room_for_another(page: Page, webhook_demo: Demo):
    """It is said aloud, because what is shown is not what was chosen."""
    opened(page, busy_day(webhook_demo))
    day = page.locator(".kb-times .kb-sub").inner_text()
    now, chosen = datetime.now(UTC), start_of(page.locator(".kb-time").first).astimezone(NEW_YORK).date()
    while left := [
        start
        for start in webhook_demo.sandbox.free(SERVICE, now + timedelta(days=1), now + timedelta(days=15))
        if start.astimezone(NEW_YORK).date() == chosen
    ]:
        webhook_demo.sandbox.book_by_phone(SERVICE, left[0])
    webhook_demo.sandbox.webhook_sender.deliver()
    assert looked(page) == 200
    other = page.locator(".kb-times .kb-sub")
    expect(other).not_to_have_text(day)
    expect(page.locator("[data-kb-live]")).to_contain_text(other.inner_text())


@pytest.mark.matrix
def test_a_page_that_nobody_sees_does_not_look(page: Page, webhook_demo: Demo):
    """A hidden tab costs nothing."""
    opened(page, busy_day(webhook_demo))
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.clock.fast_forward(LOOKS)
    page.evaluate("delete document.hidden")
    assert looked(page) == 204
    assert len(urls) == 1


@pytest.mark.matrix
def test_a_server_that_is_away_is_not_complained_of(page: Page, webhook_demo: Demo):
    """Nobody asked for the look; the next one may work."""
    opened(page, busy_day(webhook_demo))
    page.route("**/book/color-consultation/**", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.clock.fast_forward(LOOKS)
    booking_steps.wait_for(page, "!document.querySelector('.htmx-request')")
    expect(page.locator("[data-kb-trouble]")).to_be_hidden()
    page.unroute("**/book/color-consultation/**")
    assert looked(page) == 204


@pytest.mark.matrix
def test_inside_the_home_page(page: Page, webhook_demo: Demo):
    """As on a page of its own."""
    page.clock.install()
    page.goto(f"{webhook_demo.url}/")
    booking_steps.to_times(page, "Full color")
    times = page.locator(".kb-time")
    gone = start_of(times.first)
    by_phone(webhook_demo, times.first, "full-color")
    assert looked(page) == 200
    expect(page.locator(f'.kb-time[href*="{gone:%Y%m%dT%H%M%SZ}"]')).to_have_count(0)
    expect(page.get_by_role("heading", name="Book your visit")).to_be_visible()
