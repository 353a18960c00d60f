"""A site on an ill Kordless: inside the process, or over a real socket."""

import threading
from collections.abc import Iterator

import pytest
import stamina
import time_machine
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings

from kordless_booking.sandbox import SANDBOX_KEY, SANDBOX_ORG, Limits, Sandbox
from kordless_booking.upstream import background
from tests.conftest import NOW
from tests.faults.acts import Scene
from tests.views.walking import Walk


@pytest.fixture
def scene(db: None, site: Settings, client: Client, sandbox: Sandbox, clock: time_machine.Traveller) -> Iterator[Scene]:
    """Kordless inside the process, the clock standing still; second tries follow at once.

    The cache is one that is shared, so that circuit and allowance live in the same time as everything else.
    """
    site.CACHES = {"default": {"BACKEND": "tests.faults.wall_clock_cache.WallClockCache"}}
    with stamina.set_testing(True, attempts=2, cap=True):
        yield Scene(Walk(client), sandbox, clock, site)


@pytest.fixture
def street(db: None, settings: Settings, client: Client) -> Iterator[Scene]:
    """A site that reaches Kordless over HTTP, while time runs on from NOW."""
    over = threading.Event()
    with time_machine.travel(NOW, tick=True) as clock:
        sandbox = Sandbox(":memory:", now=NOW, limits=Limits.off(), sleep=lambda seconds: _wait(over, seconds))
        with sandbox.serve() as base:
            caches["default"].clear()
            settings.KORDLESS_BOOKING = {
                "API_KEY": SANDBOX_KEY,
                "ORG_SLUG": SANDBOX_ORG,
                "BASE_URL": base,
                "MINIMUM_FILL_SECONDS": 0,
            }
            scene = Scene(Walk(client), sandbox, clock, settings)
            yield scene
            scene.change()
            over.set()
            background.join()
            for thread in threading.enumerate():
                if "process_request_thread" in thread.name:
                    thread.join(5)
        sandbox.close()
    caches["default"].clear()


def _wait(over: threading.Event, seconds: float) -> None:
    """As long as the mischief says, but not beyond the test."""
    over.wait(seconds)
