"""`manage.py kordless_warm`, as a deployment or cron runs it."""

from __future__ import annotations

import io
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.clock import Clock
from kordless_booking.conf import get_account
from kordless_booking.exceptions import KordlessError
from kordless_booking.funnel.counters import today
from kordless_booking.models import FunnelCount
from kordless_booking.sandbox import Limits, Sandbox
from kordless_booking.upstream.registry import background_worker, services_for
from tests.support.odd_businesses import use_odd_business
from tests.support.permits import use_browse_permits
from tests.support.site_cache import use_wall_clock_cache

pytestmark = pytest.mark.django_db

PREFETCH = {"Sec-Purpose": "prefetch"}


@pytest.fixture(autouse=True)
def _shared_cache(site: Settings) -> None:
    """Use a cache that processes share, whose entries expire as the tests' clock goes."""
    use_wall_clock_cache(site)


@pytest.fixture
def documented_quota(site: Settings, sandbox: Sandbox, clock: Traveller) -> None:
    """Use the quota that Kordless documents, in a business of 300 services."""
    use_odd_business(site, sandbox, "many-services")
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "REQUESTS_PER_MINUTE": 60, "CREATIONS_PER_MINUTE": 10}
    # Its clock stands still, so its limit would be that of the whole run.
    sandbox.limits = Limits.off()


def run(clock: Traveller, **options: Any) -> str:
    """Run the command, whose waits move the clock, and return its output."""

    def sleep(seconds: float) -> None:
        clock.shift(seconds)

    output = io.StringIO()
    call_command("kordless_warm", stdout=output, clock=Clock(time.time, time.time, sleep), **options)
    return output.getvalue().strip()


def pop_request_counts(sandbox: Sandbox) -> Counter[str]:
    """Return the number of requests to Kordless, by operation, and forget them."""
    found = Counter(request.operation for request in sandbox.requests)
    sandbox.clear_requests()
    return found


def is_cached(path: str) -> bool:
    """Return True if the page can be shown without a request to Kordless: a prefetch may cause none."""
    return Client().get(path, headers=PREFETCH).status_code == 200


def test_after_it_no_page_of_next_times_asks_kordless(sandbox: Sandbox, clock: Traveller) -> None:
    """The business, each service that can be booked, and its times; a second run finds all of it."""
    slugs = [service.slug for service in sandbox.businesses[0].services if service.public]
    count = len(slugs)
    assert run(clock) == f"default: warm={2 * count + 1} calls={2 * count + 1} failed=0"
    assert pop_request_counts(sandbox) == {"organization": 1, "service": count, "availability": count}
    # That one is booked out for weeks: its page looks into later months.
    assert {slug for slug in slugs if not is_cached(f"/book/{slug}/")} <= {"head-spa"}
    assert run(clock).startswith(f"default: warm={2 * count + 1} calls=0 ")
    assert sandbox.requests == []


def test_it_begins_with_what_was_looked_at_most(sandbox: Sandbox, clock: Traveller) -> None:
    """By the funnel of the last week; and `--services` ends the list."""
    page, service = FunnelCount.Placement.PAGE, FunnelCount.Stage.SERVICE
    for slug, days, count in (("beard-trim", 0, 5), ("full-color", 2, 9), ("haircut", 30, 99)):
        day = today() - timedelta(days=days)
        FunnelCount.objects.create(day=day, account="default", service=slug, placement=page, stage=service, count=count)
    assert run(clock, services=2) == "default: warm=5 calls=5 failed=0"
    paths = [request.path.rsplit("/", 1)[-1] for request in sandbox.requests if request.operation == "service"]
    assert paths == ["full-color", "beard-trim"]


@pytest.mark.usefixtures("documented_quota")
def test_it_waits_for_permits_and_leaves_25_of_them(sandbox: Sandbox, clock: Traveller) -> None:
    """Twenty calls a minute: forty services take four minutes, and visitors are never short of permits."""
    began = time.time()
    assert run(clock, services=40) == "default: warm=81 calls=81 failed=0"
    assert 240 <= time.time() - began <= 260
    assert pop_request_counts(sandbox).total() == 81


@pytest.mark.usefixtures("documented_quota")
def test_when_the_time_is_over_it_says_so(sandbox: Sandbox, clock: Traveller) -> None:
    """With exit code 1: what isn't warm is fetched by the pages."""
    use_browse_permits(25)
    sandbox.clear_requests()
    with pytest.raises(CommandError, match="Not everything is warm: default") as ended:
        run(clock, seconds=30)
    assert ended.value.returncode == 1
    assert sandbox.requests == []


def test_a_failing_service_does_not_stop_the_others(sandbox: Sandbox, clock: Traveller) -> None:
    """It is named, and the exit code says that something is missing."""
    sandbox.faults.add("status", "service", times=1, status=404)
    output = io.StringIO()
    with pytest.raises(CommandError, match="Not everything is warm") as ended:
        call_command("kordless_warm", stdout=output, services=3)
    assert ended.value.returncode == 1
    assert "warm=6 calls=7 failed=1 (service " in output.getvalue()


def test_in_an_outage_it_stops(sandbox: Sandbox, clock: Traveller) -> None:
    """Neither does it wait for the end of the outage, nor is it the call that probes: that is a visitor's."""
    client = services_for(get_account("kordless_booking")).client
    sandbox.faults.add("status", status=500)
    for _ in range(5):
        with pytest.raises(KordlessError):
            client.service("haircut")
    sandbox.clear_requests()
    for seconds in (0, 20):
        clock.shift(seconds)
        output = io.StringIO()
        with pytest.raises(CommandError) as ended:
            call_command("kordless_warm", stdout=output)
        assert ended.value.returncode == 1
        assert "can't be reached" in output.getvalue()
    assert sandbox.requests == []


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_a_cache_of_one_process_cannot_be_warmed(site: Settings, sandbox: Sandbox, backend: str) -> None:
    """What is fetched would be lost with the command's own process."""
    site.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}
    with pytest.raises(CommandError, match="belongs to one process") as refused:
        call_command("kordless_warm")
    assert refused.value.returncode == 2
    assert sandbox.requests == []


def test_unknown_accounts_and_unusable_settings_are_refused(site: Settings) -> None:
    """With exit code 2, and without the settings in the message."""
    with pytest.raises(CommandError, match=r"Unknown account south\. Known accounts: default") as refused:
        call_command("kordless_warm", account="south")
    assert refused.value.returncode == 2
    site.KORDLESS_BOOKING = {"API_KEY": "canary"}
    with pytest.raises(CommandError, match="kordless_doctor") as refused:
        call_command("kordless_warm")
    assert refused.value.returncode == 2
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "", "9" * 30])
def test_a_number_of_services_is_a_number(number: str) -> None:
    """Anything else is an error of the command line."""
    with pytest.raises(CommandError, match="1 or more"):
        call_command("kordless_warm", f"--services={number}")


def test_each_account_has_its_line(two_accounts: Settings, clock: Traveller) -> None:
    """And `--account` selects one."""
    use_wall_clock_cache(two_accounts)
    assert [line.partition(":")[0] for line in run(clock).splitlines()] == ["north", "south"]
    assert run(clock, account="north").startswith("north: ")


def test_a_process_that_starts_warms_nothing(site: Settings, sandbox: Sandbox) -> None:
    """Neither a command nor a server fetches anything before somebody asks for it."""
    apps.get_app_config("kordless_booking").ready()
    background_worker.join()
    assert sandbox.requests == []
