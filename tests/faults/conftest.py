"""A site with a faulty Kordless: inside the process, or over a real socket."""

from collections.abc import Iterator

import pytest
import stamina
import time_machine
from django.test import Client
from pytest_django import Settings

from kordless_booking.sandbox import SANDBOX_KEY, SANDBOX_ORG, Sandbox
from tests.support.fault_scenario import FaultScenario
from tests.support.sandbox_over_http import far_kordless
from tests.support.site_cache import empty_cache, use_wall_clock_cache
from tests.support.visitor import Visitor


@pytest.fixture
def scenario(
    db: None, site: Settings, client: Client, sandbox: Sandbox, clock: time_machine.Traveller
) -> Iterator[FaultScenario]:
    """Kordless inside the process, the clock standing still; second tries follow at once.

    The cache is one that is shared, so that circuit and quota live in the same time as everything else.
    """
    use_wall_clock_cache(site)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield FaultScenario(Visitor(client), sandbox, clock, site)


@pytest.fixture
def http_scenario(db: None, settings: Settings, client: Client) -> Iterator[FaultScenario]:
    """A site that reaches Kordless over HTTP, while time runs on from NOW."""
    with far_kordless() as (sandbox, base, clock):
        empty_cache()
        settings.KORDLESS_BOOKING = {
            "API_KEY": SANDBOX_KEY,
            "ORG_SLUG": SANDBOX_ORG,
            "BASE_URL": base,
            "MINIMUM_FILL_SECONDS": 0,
            "BOOKINGS_PER_CONTACT": 0,
        }
        scenario = FaultScenario(Visitor(client), sandbox, clock, settings)
        yield scenario
        scenario.change()
    empty_cache()
