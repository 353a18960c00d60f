"""Warming after page views: what is popular is refreshed before anybody waits for it, within its own limit."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import httpx
import pytest
import time_machine
from pytest_django import Settings

from kordless_booking.conf import get_account
from kordless_booking.exceptions import KordlessError
from kordless_booking.funnel.popularity import popularity
from kordless_booking.sandbox import Sandbox
from kordless_booking.upstream import warming
from kordless_booking.upstream.registry import background_worker, services_for
from tests.support.odd_businesses import use_odd_business
from tests.support.permits import use_browse_permits
from tests.support.site_cache import empty_cache, use_wall_clock_cache
from tests.support.warming import WarmingRecorder, view_page

pytestmark = [pytest.mark.django_db, pytest.mark.long]

PREFETCH = {"Sec-Purpose": "prefetch"}


@pytest.fixture(autouse=True)
def warmed(site: Settings, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[WarmingRecorder]:
    """Let page views warm the cache in the background, as on a site, and begin with no popularity."""
    recorder = WarmingRecorder(sandbox)
    # Permits expire as the tests' clock goes, and a page is compared with the cache each time.
    use_wall_clock_cache(site)
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "LOCAL_CACHE_SECONDS": 0, "TRANSPORT": recorder}
    empty_cache()
    monkeypatch.setattr(warming, "run", background_worker)
    popularity.clear()
    yield recorder
    popularity.clear()


def test_what_is_popular_and_old_is_refreshed_after_a_page_view(warmed: WarmingRecorder, clock: time_machine.Traveller):
    """One item after each view: the times of the service that more people looked at come first."""
    for path in ("beard-trim", "full-color", "full-color", "haircut"):
        view_page(f"/book/{path}/")
        clock.shift(2)
    clock.shift(100)
    warmed.take()
    view_page("/book/haircut/")
    assert warmed.take() == ["availability full-color"]
    clock.shift(2)
    view_page("/book/haircut/")
    assert warmed.take() == ["availability beard-trim"]
    clock.shift(2)
    view_page("/book/haircut/")
    assert warmed.take() == []


def test_a_service_that_people_looked_at_is_there_without_a_wait(sandbox: Sandbox, clock: time_machine.Traveller):
    """Ten minutes later, when its times would be too old to be shown, because others looked at something else."""
    view_page("/book/beard-trim/")
    for _ in range(20):
        clock.shift(30)
        view_page("/book/haircut/")
    # A prefetched page may be made of what is cached alone.
    assert view_page("/book/beard-trim/", **PREFETCH) == 200


def test_an_idle_site_asks_nothing(warmed: WarmingRecorder, sandbox: Sandbox, clock: time_machine.Traveller):
    """Nothing without a visitor; and the first one in the morning causes what their own page needs."""
    for path in ("haircut", "beard-trim", "full-color"):
        view_page(f"/book/{path}/")
    sandbox.clear_requests()
    clock.shift(12 * 3600)
    background_worker.join()
    assert sandbox.requests == []
    view_page("/book/haircut/")
    assert {request.operation for request in sandbox.requests} == {"organization", "service", "availability"}
    assert warmed.take() == []


def test_a_busy_site_asks_at_most_20_times_a_minute(
    warmed: WarmingRecorder, site: Settings, sandbox: Sandbox, clock: time_machine.Traveller
):
    """Views every other second, with permits in plenty: 20 are never exceeded, and all of them used."""
    use_odd_business(site, sandbox, "many-services")
    minute: deque[tuple[int, int]] = deque()
    total, most = 0, 0
    for second in range(0, 100, 2):
        view_page(f"/book/service-{second // 2 % 40}/")
        calls = len(warmed.take())
        minute.append((second, calls))
        while minute[0][0] <= second - 60:
            minute.popleft()
        total, most = total + calls, max(most, sum(number for _, number in minute))
        clock.shift(2)
    assert most == 20
    assert total > 22


def test_warming_leaves_25_permits_for_pages(warmed: WarmingRecorder, site: Settings, clock: time_machine.Traveller):
    """It ends before visitors need them, and goes on when there are more."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "REQUESTS_PER_MINUTE": 60, "CREATIONS_PER_MINUTE": 10}
    view_page("/book/beard-trim/")
    view_page("/book/haircut/")
    clock.shift(100)
    use_browse_permits(25)
    view_page("/book/haircut/")
    assert warmed.take() == []
    clock.shift(62)
    view_page("/book/haircut/")
    assert warmed.take() == ["availability beard-trim"]


def test_an_address_that_makes_everything_popular_takes_nothing_from_others(
    warmed: WarmingRecorder, site: Settings, sandbox: Sandbox, clock: time_machine.Traveller
):
    """A minute of cached pages of twenty services costs no permit that a newcomer to a cold service needs."""
    use_odd_business(site, sandbox, "many-services")
    for number in range(20):
        view_page(f"/book/service-{number}/")
        clock.shift(1)
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "REQUESTS_PER_MINUTE": 60, "CREATIONS_PER_MINUTE": 10}
    clock.shift(62)
    warmed.take()
    calls = 0
    for second in range(60):
        view_page(f"/book/service-{second % 20}/", address="203.0.113.7")
        calls += len(warmed.take())
        if second % 20 == 19:
            assert view_page(f"/book/service-{100 + second}/", address="198.51.100.4") == 200
        clock.shift(1)
    assert calls <= 20


def test_the_settings_that_a_page_did_without_are_fetched_when_permits_are_free_again(
    warmed: WarmingRecorder, site: Settings, sandbox: Sandbox, clock: time_machine.Traveller
):
    """Nobody has to wait for them then. Times that are nearly too old to be shown come before them."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "REQUESTS_PER_MINUTE": 60, "CREATIONS_PER_MINUTE": 10}
    view_page("/book/haircut/")
    use_browse_permits(10)
    sandbox.clear_requests()
    view_page("/book/beard-trim/")
    assert "service" not in {request.operation for request in sandbox.requests}
    clock.shift(200)
    for expected in (["availability beard-trim"], ["beard-trim"]):
        view_page("/book/haircut/")
        assert warmed.take() == expected
        clock.shift(2)


def test_nothing_is_warmed_in_an_outage(warmed: WarmingRecorder, sandbox: Sandbox, clock: time_machine.Traveller):
    """Neither while the circuit is open nor as the probe after it: what is cached would be marked as degraded."""
    view_page("/book/beard-trim/")
    clock.shift(31)
    sandbox.faults.add("status", "organization", status=500)
    services = services_for(get_account("kordless_booking"))
    for _ in range(5):
        with pytest.raises(KordlessError):
            services.client.organization()
    assert services.gate.open_circuits()
    # The list of services stays fresh: the refresh of a page's own would be the probe, and close the circuit.
    for seconds in (0, 16):
        clock.shift(seconds)
        view_page("/book/")
    assert warmed.take() == []
    sandbox.faults.clear()
    services.client.organization()
    clock.shift(2)
    view_page("/book/")
    assert warmed.take() == ["availability beard-trim"]


def test_warming_yields_while_the_quota_refuses_visitors(warmed: WarmingRecorder, clock: time_machine.Traveller):
    """The key that says so is the rate limiter's."""
    view_page("/book/beard-trim/")
    view_page("/book/haircut/")
    clock.shift(100)
    gate = services_for(get_account("kordless_booking")).gate
    gate._cache.set(gate._warming._exhausted, 1, 60)
    warmed.take()
    view_page("/book/haircut/")
    assert warmed.take() == []
    clock.shift(61)
    view_page("/book/haircut/")
    assert len(warmed.take()) == 1


def test_pages_of_the_site_with_the_widget_inside_drive_it_too(warmed: WarmingRecorder, clock: time_machine.Traveller):
    """A site may show the widget by its template tag alone."""
    view_page("/page/?service=beard-trim")
    view_page("/page/?service=haircut")
    clock.shift(100)
    view_page("/page/?service=haircut")
    assert warmed.take() == ["availability beard-trim"]


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        PREFETCH,
        {"KB-Seen": "0"},
        {"Cache-Control": "no-cache"},
    ],
    ids=["robot", "prefetch", "open page", "reload"],
)
def test_only_people_who_open_a_page_drive_it(
    warmed: WarmingRecorder, clock: time_machine.Traveller, headers: dict[str, str]
):
    """A robot that reads all services, and a page that asks by itself, make nothing popular."""
    view_page("/book/beard-trim/", **headers)
    view_page("/book/haircut/", **headers)
    clock.shift(100)
    view_page("/book/haircut/", **headers)
    assert warmed.take() == []
    assert popularity.services("default") == {}


@pytest.mark.parametrize("setting", ["WARMING", "FUNNEL"])
def test_it_can_be_switched_off(warmed: WarmingRecorder, site: Settings, clock: time_machine.Traveller, setting: str):
    """By its own setting, or with the counts that it needs."""
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, setting: False}
    view_page("/book/beard-trim/")
    view_page("/book/haircut/")
    clock.shift(100)
    view_page("/book/haircut/")
    assert warmed.take() == []


def test_a_service_that_is_no_longer_offered_is_not_warmed(warmed: WarmingRecorder, clock: time_machine.Traveller):
    """Whatever its popularity was."""
    popularity.add("default", "gone")
    view_page("/book/haircut/")
    clock.shift(3)
    view_page("/book/haircut/?tz=Asia/Tokyo")
    assert warmed.take() == []


def test_a_page_view_costs_one_look_at_the_clock(monkeypatch: pytest.MonkeyPatch, clock: time_machine.Traveller):
    """The job is queued once a second at most, however many pages are shown."""
    jobs: list[object] = []
    monkeypatch.setattr(warming, "run", jobs.append)
    for _ in range(1000):
        warming.warm_after_view("default")
    assert len(jobs) == 1
    clock.shift(1)
    warming.warm_after_view("default")
    assert len(jobs) == 2
    warming.warm_after_view("no account of this name")
    assert len(jobs) == 2


def test_a_slow_kordless_holds_one_background_thread_at_most(
    warmed: WarmingRecorder, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
):
    """While a call of warming is under way, none is begun: the other threads are for refreshes and mails."""
    view_page("/book/beard-trim/")
    view_page("/book/full-color/")
    clock.shift(100)
    jobs: list[Callable[[], object]] = []
    monkeypatch.setattr(warming, "run", jobs.append)
    handle = warmed.handle_request

    def handle_slowly(request: httpx.Request) -> httpx.Response:
        clock.shift(2)
        warming.warm_after_view("default")
        jobs.pop()()
        return handle(request)

    monkeypatch.setattr(warmed, "handle_request", handle_slowly)
    warming.warm_after_view("default")
    jobs.pop()()
    assert len(warmed.take()) == 1
