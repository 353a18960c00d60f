"""Every cell books: two browsers, cookies of third parties or none, scripts in the frame or none, one widget or two, in
the page or in a dialog. Nothing is left behind in any of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import BrowserType

from tests.journeys.chromium import Chromium, chromium
from tests.journeys.conftest import FIREFOX
from tests.journeys.demo import furnish
from tests.journeys.embedding_pages import Elsewhere, opened
from tests.journeys.firefox import Firefox, firefox
from tests.journeys.strict_hosts import DIALOGS, SERVICES, host
from tests.support.matrix import thinned

SETTINGS = [
    pytest.param(
        (browser, cookies, scripts),
        id=f"{browser}-{cookies}-{'scripts' if scripts else 'plain'}",
        marks=[
            *([pytest.mark.firefox] if browser == "firefox" else []),
            # Chromium without third-party cookies is the setting of most visitors.
            *([] if (browser, cookies, scripts) == ("chromium", "blocked", True) else [pytest.mark.matrix]),
        ],
    )
    for browser, cookies, scripts in product(("chromium", "firefox"), ("allowed", "blocked"), (True, False))
]


@dataclass(frozen=True)
class Visit:
    """One browser with one setting, and both sites as it sees them."""

    visitor: Chromium | Firefox
    elsewhere: Elsewhere
    cookies: str
    scripts: bool


@pytest.fixture(scope="module", params=SETTINGS)
def visit(
    request: pytest.FixtureRequest,
    browser_type: BrowserType,
    chromium_launch_args: dict[str, Any],
    _prepared: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Visit]:
    """A browser and sites for each setting: four cells book six times, less than Kordless allows in a minute."""
    browser, cookies, scripts = request.param
    folder, profile = tmp_path_factory.mktemp("sites"), tmp_path_factory.mktemp("browser")
    furnish(folder, _prepared)
    if browser == "firefox":
        assert FIREFOX
        started: Any = firefox(FIREFOX, profile, cookies=cookies, scripts=scripts)
    else:
        started = chromium(browser_type, chromium_launch_args, profile, cookies=cookies, scripts=scripts)
    with opened(folder, host) as both, started as visitor:
        yield Visit(visitor, both, cookies, scripts)


def book(visitor: Chromium | Firefox, frame: str, email: str) -> None:
    """From the times to the confirmation, inside a frame."""
    visitor.click(".kb-time", frame)
    visitor.see('[data-kb-step="contact"]', frame)
    visitor.fill("[name=name]", "Ada Lovelace", frame)
    visitor.fill("[name=email]", email, frame)
    visitor.click("form[method=post] .kb-primary", frame)
    visitor.see('[data-kb-step="confirmation"]', frame)


@pytest.mark.parametrize("mode", thinned(["inline", "popup"]))
@pytest.mark.parametrize("links", thinned({"two": list(SERVICES), "one": list(SERVICES)[:1]}))
def test_books(visit: Visit, mode: str, links: list[str]):
    """Each widget on the page books once; no policy is broken, and neither site has kept anything."""
    visitor = visit.visitor
    with visitor.tab(f"{visit.elsewhere.url}/?{urlencode({'mode': mode, 'link': links}, doseq=True)}"):
        if mode == "popup":
            visitor.evaluate(DIALOGS)
        for link in links:
            email = f"{mode}-{len(links)}-{link.lower()}@example.com"
            if mode == "popup":
                visitor.click(f'a[href$="{SERVICES[link]}"]')
            book(visitor, link, email)
            if mode == "popup":
                visitor.click("dialog[open] button")
            assert str(visit.elsewhere.demo.sandbox.bookings()).count(email) == 1
        if visit.scripts:
            visitor.see(f'html[data-booked="{len(links)}"]')
            assert visitor.complaints() == []
        reported = visitor.evaluate("receivedEvents.filter(({ name }) => name === 'booked').map(({ link }) => link)")
        assert reported == (links if visit.scripts else [])
        assert visitor.evaluate("refused") == []
        assert visitor.kept(*links) == []


def test_the_setting_is_what_it_says(visit: Visit):
    """A third party's cookie comes back, or doesn't; scripts run in frames, or don't."""
    visitor = visit.visitor
    with visitor.tab(f"{visit.elsewhere.url}/third/"):
        visitor.click("a", "Party")
        visitor.see("#got", "Party")
        assert visitor.text("#got", "Party") == ("third=party" if visit.cookies == "allowed" else "nothing")
        assert bool(visitor.kept("Party")) is (visit.cookies == "allowed")
        visitor.forget()
        assert visitor.kept("Party") == []


@pytest.mark.matrix
def test_stored_data_would_be_found(visit: Visit):
    """Each place that a site may keep something in is looked into."""
    visitor = visit.visitor
    for keep in (
        "void (document.cookie = 'one=thing')",
        "localStorage.setItem('one', 'thing')",
        "sessionStorage.setItem('one', 'thing')",
        "new Promise((done) => { indexedDB.open('one').onsuccess = () => done(); })",
        "caches.open('one').then(() => null)",
    ):
        with visitor.tab(f"{visit.elsewhere.url}/bare/"):
            assert visitor.kept() == [], keep
            visitor.evaluate(keep)
            assert len(visitor.kept()) == 1, keep
            visitor.forget()
