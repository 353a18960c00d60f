"""A real browser against the demo as it is served for real; skipped, and said so, without Chromium."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from playwright.sync_api import Page, Request, expect

from kordless_booking.sandbox import Limits
from tests.journeys.demo import Demo, furnish, prepare, served
from tests.journeys.embedding_pages import Elsewhere, opened
from tests.journeys.strict_hosts import host
from tests.support.clock import MOMENT

HERE = Path(__file__).parent
CHROMIUM = os.environ.get("KORDLESS_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
# Most journeys need no windows, menus and extensions: the same engine without them needs about half the processor time.
CHROMIUM_ENGINE = os.environ.get("KORDLESS_CHROMIUM") or shutil.which("chromium-headless-shell") or CHROMIUM
FIREFOX = os.environ.get("KORDLESS_FIREFOX") or shutil.which("firefox-esr")
WEBKIT = os.environ.get("KORDLESS_WEBKIT") or shutil.which("WebKitWebDriver")
XVFB = shutil.which("Xvfb")
REQUIRED = os.environ.get("KORDLESS_JOURNEYS") == "required"
MISSING = {
    name: f"{name} is missing: install it (Debian: apt-get install {package}), or set {variable} to its path"
    for name, found, package, variable in (
        ("Chromium", CHROMIUM, "chromium", "KORDLESS_CHROMIUM"),
        ("Firefox", FIREFOX, "firefox-esr", "KORDLESS_FIREFOX"),
        ("WebKit", WEBKIT and XVFB, "webkit2gtk-driver xvfb", "KORDLESS_WEBKIT"),
    )
    if not found
}

# Playwright's event loop stays on this thread for the rest of the run, and Django would refuse the database
# to every test after it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


def has(item: pytest.Item, browser: str) -> bool:
    """Return True if a test is marked as one of this browser's."""
    return item.get_closest_marker(browser.lower()) is not None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a journey, most of them in Chromium."""
    journeys = [item for item in items if HERE in item.path.parents]
    if journeys and REQUIRED and MISSING:
        raise pytest.UsageError(f"KORDLESS_JOURNEYS=required, but {'; '.join(MISSING.values())}.")
    for item in journeys:
        item.add_marker(pytest.mark.journey)
        why = MISSING.get(next((name for name in ("Firefox", "WebKit") if has(item, name)), "Chromium"))
        if why:
            item.add_marker(pytest.mark.skip(reason=why))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it where nobody overlooks it."""
    for why in MISSING.values():
        terminalreporter.write_line(f"Browser journeys were skipped, {why}.", yellow=True)


# Playwright's own five seconds are what a busy machine may need for a single page.
expect.set_options(timeout=25_000)


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    """Each journey begins at the same moment, here as in the demo, and time runs on from there.

    The browser keeps its own time: of the widget's scripts none asks what time it is, only how much has passed.
    """
    with time_machine.travel(MOMENT, tick=True):
        yield


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """The system's Chromium, without a sandbox of its own (root has none) and without calls to its maker."""
    return {
        "executable_path": CHROMIUM_ENGINE,
        "headless": True,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.fixture(scope="session")
def chromium_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """As above for the whole browser, with its settings for cookies and its extensions."""
    return {**browser_type_launch_args, "executable_path": CHROMIUM}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    """A visitor in New York, the salon's own city; a test that wants another one makes its own context."""
    return {"timezone_id": "America/New_York", "locale": "en-US", "viewport": {"width": 1280, "height": 900}}


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """Collect the errors the browser reports on `page`: script errors, blocked resources, failed requests.

    A prefetch and its report may be aborted: when the page is left, and a prefetch when its response takes long.
    """
    errors: list[str] = []

    def note_failure(request: Request) -> None:
        is_optional = {"kb-ahead", "kb-taken"} & request.headers.keys()
        if not (is_optional and request.failure == "net::ERR_ABORTED"):
            errors.append(f"failed: {request.url} {request.failure}")

    page.on("pageerror", lambda error: errors.append(f"error: {error}"))
    page.on("console", lambda message: errors.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("requestfailed", note_failure)
    return errors


@pytest.fixture(scope="session")
def _prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's empty database and its static files, of this worker's own."""
    folder = tmp_path_factory.mktemp("prepared")
    prepare(folder, tmp_path_factory.mktemp("static"))
    return folder


@pytest.fixture
def demo(_prepared: Path, tmp_path: Path) -> Iterator[Demo]:
    """The demo site, fresh for each journey: nobody else books, and nobody else uses up the sandbox's rate limit."""
    furnish(tmp_path, _prepared)
    with served(tmp_path) as demo:
        yield demo


@pytest.fixture(scope="module")
def strict_elsewhere(_prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """The demo and a host's strict pages on another site, for all journeys of a module."""
    folder = tmp_path_factory.mktemp("sites")
    furnish(folder, _prepared)
    with opened(folder, host) as both:
        yield both


@pytest.fixture
def shared_demo(_shared_demo: Demo) -> Iterator[Demo]:
    """One demo for all journeys that leave no trace in it: those that look at pages, and book and break nothing.

    Its clock has run on from the moment at which it was started, so a journey marked `dates` takes a `demo` of its own.
    No journey meets a limit that others before it have reached.
    """
    before = len(_shared_demo.sandbox.bookings())
    yield _shared_demo
    assert len(_shared_demo.sandbox.bookings()) == before, "books in the demo of others: take `demo` instead"


@pytest.fixture(scope="session")
def _shared_demo(_prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("shared")
    furnish(folder, _prepared)
    with served(folder, JOURNEY_REQUESTS_PER_MINUTE="1000") as demo:
        demo.sandbox.limits = Limits.off()
        yield demo


@pytest.fixture
def elsewhere(_prepared: Path, tmp_path: Path) -> Iterator[Elsewhere]:
    """The demo and someone else's website, fresh for each journey: its rate limit is for one visitor's minute."""
    furnish(tmp_path, _prepared)
    with opened(tmp_path) as both:
        yield both
