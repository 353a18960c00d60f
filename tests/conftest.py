"""A sandbox of its own for every test that asks for one, on a clock that stands still."""

import gc
import os
import signal
from collections.abc import Generator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import time_machine
from django.db import connection
from django.urls import clear_script_prefix
from django.utils import translation
from pytest_django import Settings

from kordless_booking import hooks
from kordless_booking.api.session import wsgi_transport
from kordless_booking.funnel import counters
from kordless_booking.mail import outbox
from kordless_booking.sandbox import NORTH_KEY, NORTH_ORG, SANDBOX_KEY, SANDBOX_ORG, Limits, Sandbox
from kordless_booking.upstream import warming
from tests.support.clock import MOMENT, NOW
from tests.support.site_cache import empty_cache, finish_fetches

# Of .ci/run, with the same examples in each run: a change isn't rejected for a fault that was there before. The runs of
# contributors try other examples each time.
hypothesis.settings.register_profile("thorough", deadline=None, derandomize=True)
hypothesis.settings.register_profile("default", deadline=None, max_examples=50)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=20)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

HERE = Path(__file__).parent
#: Folders whose tests all have a marker. The quick loop keeps to the visitor's way: pages, bookings, cache, client.
MARKED = {
    "doctor": pytest.mark.long,
    "erasure": pytest.mark.long,
    "faults": pytest.mark.long,
    "mail": pytest.mark.long,
    "management": pytest.mark.long,
    "hosts": pytest.mark.matrix,
    "projects": pytest.mark.matrix,
    "sandbox": pytest.mark.long,
    "staff": pytest.mark.long,
    "upgrades": pytest.mark.long,
    "webhooks": pytest.mark.long,
}

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell's background job ignores Ctrl-C, and so would every server that a test starts and ends by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Thousands of collected tests, which all live on, make each full collection of garbage cost half a second. They are
# frozen, and new objects are looked through a tenth as often as by default.
gc.set_threshold(10_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Collect the tests without looking for garbage, of which they make none, and never look through them later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what make quick or make test leaves out by its folder."""
    for item in items:
        if HERE in item.path.parents:
            mark = MARKED.get(item.path.relative_to(HERE).parts[0])
            if mark is not None:
                item.add_marker(mark)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Put SQLite's test database into a file, where threads wait for each other as they do on a site."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(autouse=True, scope="session")
def _uncounted() -> Iterator[None]:
    """Counts are written when a test says so, and never by a background thread."""
    with counters.paused():
        yield
        counters.drain()


@pytest.fixture(autouse=True, scope="session")
def _without_mail_timer() -> Iterator[None]:
    """Mail that is queued for later is sent when a test says so, and never by a background thread."""
    with outbox.timer.paused():
        yield


@pytest.fixture(autouse=True)
def _unwarmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no page view warm the cache, except in tests of warming: others count what a page itself costs."""
    monkeypatch.setattr(warming, "run", lambda _job: False)


@pytest.fixture(autouse=True)
def _counted_alone() -> Iterator[None]:
    """Drop what a test has counted and not written: another that writes would find it in its tables."""
    yield
    counters.drain()


@pytest.fixture(autouse=True)
def _unchanged_thread() -> Iterator[None]:
    """Undo what a request leaves in its thread: LocaleMiddleware its language, a server below a path its prefix."""
    yield
    translation.deactivate()
    clear_script_prefix()


@pytest.fixture(autouse=True)
def _no_hook_is_left() -> Iterator[None]:
    """Fail the test that leaves a hook registered, or takes one away: others in its process would see it."""
    before = [registry.items() for registry in hooks._ALL]
    yield
    changed = {
        registry.kind: registry.items()
        for registry, were in zip(hooks._ALL, before, strict=True)
        if registry.items() != were
    }
    assert not changed, f"Register hooks of a test within hooks.temporary_hooks(): {changed}"


@pytest.fixture
def now(request: pytest.FixtureRequest) -> datetime:
    """When the test begins: NOW, or for one that works on any date the moment that the environment names."""
    return MOMENT if request.node.get_closest_marker("dates") else NOW


@pytest.fixture
def clock(now: datetime) -> Iterator[time_machine.Traveller]:
    """The time, standing still until it is moved."""
    with time_machine.travel(now, tick=False) as moved:
        yield moved


@pytest.fixture
def sandbox(now: datetime, clock: time_machine.Traveller) -> Iterator[Sandbox]:
    """A fresh Kordless without rate limits; `sandbox.limits = Limits()` brings the documented ones back."""
    kordless = Sandbox(":memory:", now=now, limits=Limits.off())
    yield kordless
    finish_fetches()
    kordless.close()


@pytest.fixture
def account_settings(sandbox: Sandbox) -> dict[str, Any]:
    """KORDLESS_BOOKING for a site with one business."""
    return {
        "API_KEY": SANDBOX_KEY,
        "ORG_SLUG": SANDBOX_ORG,
        "TRANSPORT": wsgi_transport(sandbox),
        "REQUESTS_PER_MINUTE": 600,
        "CREATIONS_PER_MINUTE": 300,
        "BOOKINGS_PER_CONTACT": 0,
        "BOOKINGS_PER_CONTACT_DAILY": 0,
        "MINIMUM_FILL_SECONDS": 0,
        # So that a page's text is that of its elements alone. tests/views/test_inline_style.py is about the default.
        "INLINE_STYLE": False,
        # All the time that a page may be given: a test that is about slowness says how slow. On a busy machine the
        # default of 4 seconds can pass between two threads.
        "BROWSE_SECONDS": 25,
        "BOOKING_SECONDS": 25,
    }


@pytest.fixture
def site(settings: Settings, account_settings: dict[str, Any]) -> Iterator[Settings]:
    """The plain host project on the fresh sandbox, with nothing in its cache."""
    empty_cache()
    settings.KORDLESS_BOOKING = account_settings
    yield settings
    empty_cache()


@pytest.fixture
def two_accounts(settings: Settings, account_settings: dict[str, Any], sandbox: Sandbox) -> Iterator[Settings]:
    """A site with two businesses, mounted at /north/ and /south/."""
    empty_cache()
    settings.ROOT_URLCONF = "tests.projects.several.urls"
    settings.KORDLESS_BOOKING = {
        "TRANSPORT": wsgi_transport(sandbox),
        "MINIMUM_FILL_SECONDS": 0,
        "ACCOUNTS": {
            "north": {"API_KEY": NORTH_KEY, "ORG_SLUG": NORTH_ORG},
            "south": {"API_KEY": SANDBOX_KEY, "ORG_SLUG": SANDBOX_ORG},
        },
    }
    yield settings
    empty_cache()
