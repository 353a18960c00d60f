"""Prefetched pages: they cost Kordless nothing, and hold nothing personal."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.prefetch import PREFETCH_SECONDS
from kordless_booking.sandbox import Sandbox
from tests.support.clock import NOW
from tests.support.visitor import HTMX, Page, Visitor

pytestmark = [pytest.mark.django_db, pytest.mark.long]
GUESS = {**HTMX, "KB-Ahead": "1"}
BROWSERS = [{"Sec-Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}]


@pytest.fixture(params=[0, 1], ids=["the cache alone", "a second of memory"], autouse=True)
def memory(request: pytest.FixtureRequest, site: Settings) -> None:
    """The plain site, with and without a second of memory."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOCAL_CACHE_SECONDS": request.param}


def time_on(client: Client) -> str:
    """The address behind the first time that is shown."""
    page = Page("/book/haircut/", client.get("/book/haircut/?tz=America/New_York"))
    return page.tree.css_first("a.kb-time").attributes["href"] or ""


@pytest.mark.parametrize("headers", [GUESS, *BROWSERS])
@pytest.mark.parametrize("path", ["/book/", "/book/haircut/", "/book/haircut/?month=2027-01", "/book/haircut/zone/"])
def test_what_nobody_has_read_yet_is_not_fetched(client: Client, sandbox: Sandbox, path: str, headers: dict[str, str]):
    """A prefetch sends nothing to Kordless; the response is empty and not cached."""
    response = client.get(path, headers=headers)
    assert (response.status_code, response.content, response["Cache-Control"]) == (204, b"", "no-store, private")
    assert list(sandbox.requests) == []
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/book/", "/book/haircut/?tz=Europe/Paris", "/book/haircut/zone/?tz=Europe/Paris"])
def test_what_lies_at_hand_is_the_very_page(client: Client, sandbox: Sandbox, path: str):
    """The fragment that htmx would get a moment later, for no request to Kordless."""
    client.get("/book/haircut/?tz=America/New_York")
    asked = len(sandbox.requests)
    guessed = client.get(path, headers=GUESS)
    assert guessed.status_code == 200
    assert len(sandbox.requests) == asked
    assert guessed.content == client.get(path, headers=HTMX).content


def test_the_contact_form_is_at_hand_behind_a_time(client: Client, sandbox: Sandbox):
    """Through the redirect that puts the draft into the address, as a click would go."""
    time = time_on(client)
    asked = len(sandbox.requests)
    form = client.get(time, headers=GUESS, follow=True)
    assert form.redirect_chain[0][1] == 303
    assert b'data-kb-step="contact"' in form.content
    assert len(sandbox.requests) == asked


def test_the_visitors_own_browser_keeps_a_guess_for_a_few_seconds(client: Client, sandbox: Sandbox):
    """So that the click finds it there, through the redirect behind a time; it says that it must be reported."""
    time = time_on(client)
    for path in ("/book/", "/book/haircut/", "/book/haircut/zone/", time):
        response = client.get(path, headers=GUESS, follow=True)
        for answer in (response, client.get(path, headers=GUESS)):
            assert answer["Cache-Control"] == f"private, max-age={PREFETCH_SECONDS}", path
            assert answer["KB-Ahead"] == "1"
            assert {"HX-Request", "HX-Target"} <= set(answer["Vary"].split(", "))


@pytest.mark.parametrize("headers", [HTMX, *BROWSERS], ids=["a click", *[str(one) for one in BROWSERS]])
def test_a_prefetch_caches_nothing_else(client: Client, sandbox: Sandbox, headers: dict[str, str]):
    """Clicks, and browsers that prefetch by themselves, get pages that must be asked for each time."""
    time = time_on(client)
    for path, control in (("/book/haircut/", "private, no-cache"), (time, "no-store, private")):
        client.get(path, headers=GUESS)
        response = client.get(path, headers=headers)
        assert (response["Cache-Control"], "KB-Ahead" in response) == (control, False), path


@pytest.mark.parametrize("path", ["/book/haircut/", "/book/haircut/?tz=Asia/Tokyo", "/book/"])
def test_a_stale_page_is_not_refreshed_on_a_guess(client: Client, sandbox: Sandbox, clock: Traveller, path: str):
    """A prefetch starts no refresh, not even in the background."""
    client.get(path)
    asked = len(sandbox.requests)
    clock.move_to(NOW + timedelta(seconds=301 if path == "/book/" else 31))
    assert client.get(path, headers={"KB-Ahead": "1"}).status_code == 200
    assert client.get(path, headers={"KB-Ahead": "1"}).status_code == 200
    assert len(sandbox.requests) == asked


def test_nothing_personal_is_given_on_a_guess(visitor: Visitor, client: Client, sandbox: Sandbox):
    """No booking, no lookup page, and no form is sent."""
    confirmation = visitor.book()
    manage = next(link for link in confirmation.links().values() if "/manage/" in link and len(link) > 60)
    asked = len(sandbox.requests)
    for path in (confirmation.url, manage, "/book/manage/"):
        response = client.get(path, headers=GUESS)
        assert (response.status_code, response.content) == (204, b""), path
    assert len(sandbox.requests) == asked


def test_a_guess_at_what_is_not_there_says_nothing(client: Client, sandbox: Sandbox, caplog: pytest.LogCaptureFixture):
    """An unknown service, a time that is none and a page of nobody's: no page, and no line in the log."""
    client.get("/book/")
    caplog.clear()
    for path in ("/book/no-such/", "/book/no/such/page/", "/book/haircut/contact/?start=20261202T150000Z"):
        assert client.get(path, headers=GUESS).status_code == 204, path
    assert caplog.messages == []
