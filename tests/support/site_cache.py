"""The cache of the site under test: emptied with nothing on its way into it, or replaced by one in a test's time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.cache import caches

from kordless_booking.upstream.registry import background_worker, fetch_pool

if TYPE_CHECKING:
    from pytest_django import Settings


def finish_fetches() -> None:
    """Wait until all that pages have asked for beside themselves, or left to the background, is done."""
    fetch_pool.join()
    background_worker.join()


def empty_cache() -> None:
    """Empty the default cache, once nothing is on its way anymore: a late answer would be found by the next reader."""
    finish_fetches()
    caches["default"].clear()


def use_wall_clock_cache(settings: Settings) -> None:
    """Give the site an empty cache that all threads share, as Redis is, and whose time a test can travel."""
    settings.CACHES = {"default": {"BACKEND": "tests.support.wall_clock_cache.WallClockCache"}}
    # Its entries outlive the settings of a test.
    empty_cache()
