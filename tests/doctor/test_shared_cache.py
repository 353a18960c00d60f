"""The doctor's report on the cache: whether it works, and which processes share it."""

from typing import Any

import pytest
from django.core.cache.backends.locmem import LocMemCache
from pytest_django import Settings

from kordless_booking.conf import get_account
from kordless_booking.doctor.shared_cache import examine
from tests.support.doctor import run_as_json
from tests.support.wall_clock_cache import WallClockCache

pytestmark = pytest.mark.django_db

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
BACKENDS = "django.core.cache.backends"


class Forgetful(LocMemCache):
    """Says that it keeps everything, and keeps nothing."""

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return True

    def set(self, *args: Any, **kwargs: Any) -> None: ...


@pytest.mark.parametrize(
    ("backend", "given", "found"),
    [
        ("tests.support.wall_clock_cache.WallClockCache", {}, {"cache_shared": "ok"}),
        (LOCMEM, {}, {"cache_per_process": "fix"}),
        (LOCMEM, {"PROCESSES": 1}, {"cache_per_process": "ok"}),
        (LOCMEM, {"PROCESSES": 4}, {"cache_per_process": "ok"}),
        (f"{BACKENDS}.dummy.DummyCache", {"PROCESSES": 1}, {"cache_keeps_nothing": "fix"}),
        ("tests.doctor.test_shared_cache.Forgetful", {"PROCESSES": 1}, {"cache_keeps_nothing": "fix"}),
    ],
)
def test_each_kind_of_cache(well: Settings, backend: str, given: dict[str, Any], found: dict[str, str]):
    """A cache of one process alone is a mistake, unless it is said how many there are."""
    well.CACHES = {"default": {"BACKEND": backend}}
    well.KORDLESS_BOOKING = {**well.KORDLESS_BOOKING, **given}
    report = run_as_json()
    assert report.of("cache") == found
    assert report.fixes() == [code for code, level in found.items() if level == "fix"]


def test_a_cache_on_another_continent(well: Settings):
    """Every page would wait for it."""
    moments = iter([0.0, 0.9])
    found = examine(get_account(None), timer=lambda: next(moments))
    assert [(one.code, one.level) for one in found] == [("cache_slow", "note"), ("cache_shared", "ok")]


class SlowToStart(WallClockCache):
    """Takes a minute for its first operation, as a client that is imported and connects."""

    def get(self, *args: Any, **kwargs: Any) -> Any:
        started.append(60.0)
        return super().get(*args, **kwargs)


started: list[float] = []


def test_imports_and_connecting_are_not_timed(well: Settings):
    """Only what a page of a running site waits for, too."""
    started.clear()
    well.CACHES = {"default": {"BACKEND": "tests.doctor.test_shared_cache.SlowToStart"}}
    moments: list[list[float]] = []

    def timer() -> float:
        moments.append(list(started))
        return 0.0

    found = list(examine(get_account(None), timer=timer))
    assert moments[0] == [60.0]
    assert [one.code for one in found] == ["cache_shared"]


def test_a_client_that_is_not_installed(well: Settings):
    """It says what to install, not to start a server."""
    well.CACHES = {"default": {"BACKEND": "tests.doctor.test_shared_cache.WithoutClient"}}
    report = run_as_json()
    assert report.of("cache") == {"cache_missing": "fix"}
    assert "install the package of pylibmc" in report.line("cache_missing")
    well.CACHES = {"default": {"BACKEND": LOCMEM}}


class WithoutClient(LocMemCache):
    """Misses the package that talks to its server."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise ModuleNotFoundError("No module named 'pylibmc'", name="pylibmc")


def test_while_trying_out(well: Settings):
    """With DEBUG nobody serves a site in several processes."""
    well.CACHES = {"default": {"BACKEND": LOCMEM}}
    well.DEBUG = True
    assert run_as_json().of("cache") == {"cache_per_process": "note"}


def test_files_are_shared_but_do_not_count(well: Settings, tmp_path: Any):
    """Two processes may both be the first to add something."""
    well.CACHES = {"default": {"BACKEND": f"{BACKENDS}.filebased.FileBasedCache", "LOCATION": str(tmp_path)}}
    assert run_as_json().of("cache") == {"cache_per_process": "fix"}


def test_a_redis_that_is_down(well: Settings):
    """Everything else is still looked at, Kordless included."""
    well.CACHES = {"default": {"BACKEND": f"{BACKENDS}.redis.RedisCache", "LOCATION": "redis://:canary@127.0.0.1:1/0"}}
    report = run_as_json()
    assert report.fixes() == ["cache_down"]
    assert "ConnectionError" in report.line("cache_down")
    assert report.of("kordless")["key"] == "ok"
    well.CACHES = {"default": {"BACKEND": LOCMEM}}


def test_a_backend_that_is_not_there(well: Settings):
    """A misspelt name in CACHES is no reason to stop."""
    well.CACHES = {"default": {"BACKEND": "canary.cache.Nowhere"}}
    report = run_as_json()
    assert report.of("cache") == {"cache_missing": "fix"}
    assert "BACKEND" in report.line("cache_missing")
    assert report.of("database")["database_writes"] == "ok"
    assert report.status == 1
    well.CACHES = {"default": {"BACKEND": LOCMEM}}


def test_several_accounts_may_say_it_together(two_accounts: Settings):
    """PROCESSES beside ACCOUNTS counts for all of them, in one of them for that one."""
    given = two_accounts.KORDLESS_BOOKING
    two_accounts.KORDLESS_BOOKING = {**given, "PROCESSES": 2}
    assert [run_as_json().of("cache", name)["cache_per_process"] for name in ("north", "south")] == ["ok", "ok"]
    one = {**given["ACCOUNTS"]["north"], "PROCESSES": 2}
    two_accounts.KORDLESS_BOOKING = {**given, "ACCOUNTS": {**given["ACCOUNTS"], "north": one}}
    assert [run_as_json().of("cache", name)["cache_per_process"] for name in ("north", "south")] == ["ok", "fix"]
