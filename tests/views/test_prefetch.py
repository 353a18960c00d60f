"""Prefetched pages: they cost Kordless nothing, and hold nothing personal."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.prefetch import PREFETCH_SECONDS
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream.registry import background_worker
from kordless_booking.upstream.request_view import OPEN_PAGE_SECONDS
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
    request_count = len(sandbox.requests)
    guessed = client.get(path, headers=GUESS)
    assert guessed.status_code == 200
    assert len(sandbox.requests) == request_count
    assert guessed.content == client.get(path, headers=HTMX).content


def test_the_contact_form_is_at_hand_behind_a_time(client: Client, sandbox: Sandbox):
    """In one response, which says the address with the draft, as for a click."""
    time = time_on(client)
    request_count = len(sandbox.requests)
    form = client.get(time, headers=GUESS)
    assert form.status_code == 200
    assert b'data-kb-step="contact"' in form.content
    assert client.get(form["HX-Push-Url"], headers=HTMX).status_code == 200
    assert len(sandbox.requests) == request_count


def test_the_visitors_own_browser_keeps_a_guess_for_a_few_seconds(client: Client, sandbox: Sandbox):
    """So that the click finds it there, the first time that it is asked for and later."""
    time = time_on(client)
    for path in ("/book/", "/book/haircut/", "/book/haircut/zone/", time):
        for answer in (client.get(path, headers=GUESS), client.get(path, headers=GUESS)):
            assert answer["Cache-Control"] == f"private, max-age={PREFETCH_SECONDS}", path
            assert {"HX-Request", "HX-Target"} <= set(answer["Vary"].split(", "))


@pytest.mark.parametrize(
    ("path", "before", "counts"),
    [
        ("/book/haircut/?party=9", "/book/haircut/", True),
        ("/book/haircut/?party=9&hours=24", "/book/haircut/?party=9", False),
        ("/book/haircut/", "/book/", True),
        ("/book/haircut/", "", True),
        ("/book/haircut/?month=2027-01", "/book/haircut/", False),
        ("/book/haircut/?day=2026-12-09", "/book/haircut/?month=2026-12", False),
        ("/book/haircut/?month=2027-01", "/book/styling-class/", True),
        ("/book/haircut/contact/?start=20261209T153000Z", "/book/haircut/", True),
        ("/book/haircut/zone/", "/book/haircut/", False),
        ("/book/", "/book/haircut/", False),
    ],
)
def test_only_a_page_that_counts_must_be_reported(
    client: Client, site: Settings, path: str, before: str, *, counts: bool
):
    """Another day or month of the same service counts nothing, so the script need not report it; nor without counts."""
    client.get("/book/haircut/?month=2027-01")
    for funnel in (True, False):
        site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "FUNNEL": funnel}
        client.get(path)
        headers = {**GUESS, "HX-Current-URL": f"http://testserver{before}" if before else ""}
        # The first is rendered, or from the response cache; the second is from it, where it may be.
        for _ in range(2):
            response = client.get(path, headers=headers)
            assert response.status_code == 200
            assert ("KB-Ahead" in response) == (counts and funnel)


def test_a_page_that_should_have_been_refreshed_must_be_reported(
    site: Settings, client: Client, sandbox: Sandbox, clock: Traveller
):
    """A prefetch refreshes nothing; who points at a day before each click would see old times for minutes."""
    # Within the second of memory no click would refresh anything either.
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOCAL_CACHE_SECONDS": 0}
    path, headers = "/book/haircut/?day=2026-12-09", {**GUESS, "HX-Current-URL": "http://testserver/book/haircut/"}
    watch = Page(path, client.get(path)).tree.css_first("[data-kb-watch]")
    assert watch.attributes["data-hx-trigger"] == f"every {OPEN_PAGE_SECONDS}s"
    for seconds, expected in ((OPEN_PAGE_SECONDS - 1, None), (1, "1")):
        clock.shift(seconds)
        for _ in range(2):
            assert client.get(path, headers=headers).get("KB-Ahead") == expected
    request_count = len(sandbox.requests)
    client.get(path, headers={**HTMX, "KB-Taken": "1"})
    background_worker.join()
    assert len(sandbox.requests) == request_count + 1
    for _ in range(2):
        assert "KB-Ahead" not in client.get(path, headers=headers)


@pytest.mark.parametrize("headers", [HTMX, *BROWSERS], ids=["a click", *[str(one) for one in BROWSERS]])
def test_a_prefetch_caches_nothing_else(client: Client, sandbox: Sandbox, headers: dict[str, str]):
    """Clicks, and browsers that prefetch by themselves, get pages that must be asked for each time."""
    time = time_on(client)
    for path, control in (("/book/haircut/", "private, no-cache"), (time, "no-store, private")):
        assert client.get(path, headers=GUESS)["Cache-Control"] == f"private, max-age={PREFETCH_SECONDS}"
        response = client.get(path, headers=headers)
        assert (response["Cache-Control"], "KB-Ahead" in response) == (control, False), path


@pytest.mark.parametrize("path", ["/book/haircut/", "/book/haircut/?tz=Asia/Tokyo", "/book/"])
def test_a_stale_page_is_not_refreshed_on_a_guess(client: Client, sandbox: Sandbox, clock: Traveller, path: str):
    """A prefetch starts no refresh, not even in the background."""
    client.get(path)
    request_count = len(sandbox.requests)
    clock.move_to(NOW + timedelta(seconds=301 if path == "/book/" else 31))
    assert client.get(path, headers={"KB-Ahead": "1"}).status_code == 200
    assert client.get(path, headers={"KB-Ahead": "1"}).status_code == 200
    assert len(sandbox.requests) == request_count


def test_nothing_personal_is_given_on_a_guess(visitor: Visitor, client: Client, sandbox: Sandbox):
    """No booking, no lookup page, and no form is sent."""
    confirmation = visitor.book()
    manage = next(link for link in confirmation.links().values() if "/manage/" in link and len(link) > 60)
    request_count = len(sandbox.requests)
    for path in (confirmation.url, manage, "/book/manage/"):
        response = client.get(path, headers=GUESS)
        assert (response.status_code, response.content) == (204, b""), path
    assert len(sandbox.requests) == request_count


def test_a_guess_at_what_is_not_there_says_nothing(client: Client, sandbox: Sandbox, caplog: pytest.LogCaptureFixture):
    """An unknown service, a time that is none and a page of nobody's: no page, and no line in the log."""
    client.get("/book/")
    caplog.clear()
    for path in ("/book/no-such/", "/book/no/such/page/", "/book/haircut/contact/?start=20261202T150000Z"):
        assert client.get(path, headers=GUESS).status_code == 204, path
    assert caplog.messages == []
