"""The catalog over the real client and the sandbox: what is asked of Kordless, and what is shown meanwhile."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from kordless_booking.api.client import Kordless
from kordless_booking.api.session import wsgi_transport
from kordless_booking.conf import Account
from kordless_booking.exceptions import KeyRefused, NotFound, TooMany, Unavailable
from kordless_booking.sandbox import NORTH_KEY, NORTH_ORG, SANDBOX_KEY, SANDBOX_ORG, Sandbox, operations
from kordless_booking.sandbox import Limits as RateLimits
from kordless_booking.upstream.catalog import Catalog, Lifetimes
from kordless_booking.upstream.entries import Lifetime
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.gate import UpstreamGate
from kordless_booking.upstream.read_through import ReadThroughCache
from kordless_booking.upstream.registry import build_lifetimes
from kordless_booking.upstream.request_view import RequestView
from kordless_booking.upstream.slot_block import SlotBlock
from kordless_booking.upstream.window import Days
from tests.support.controlled_cache import WAITS, HandTime, SharedMemory, at_once

NOW = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)
DECEMBER = date(2026, 12, 1)


class CatalogScenario:
    """Processes of a site around one cache, one sandbox and one time."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.time = HandTime()
        self.time.wall = NOW.timestamp()
        self.memory = SharedMemory(self.time.clock)

    def process(self, *, key: str = SANDBOX_KEY, org: str = SANDBOX_ORG, lifetimes: Lifetimes | None = None) -> Catalog:
        clock = self.time.clock
        cache = FallbackCache(self.memory, clock)
        client = Kordless(
            api_key=key,
            org_slug=org,
            base_url="http://localhost/api/calendar/v1/public",
            transport=wsgi_transport(self.sandbox),
            gate=UpstreamGate(cache, account=key, clock=clock),
        )
        catalog_cache = ReadThroughCache(cache, account=org, run=at_once, clock=clock, **WAITS)
        lifetimes = lifetimes or build_lifetimes(Account())
        return Catalog(account=org, client=client, cache=catalog_cache, lifetimes=lifetimes, clock=clock)

    def pass_(self, seconds: float) -> None:
        """Let time pass here and at Kordless."""
        self.time.pass_(seconds)
        self.sandbox.clock.advance(timedelta(seconds=seconds))

    def request_counts(self) -> Counter[str]:
        """Return the number of requests to Kordless, by operation."""
        return Counter(request.operation for request in self.sandbox.requests)


@pytest.fixture
def scenario() -> Iterator[CatalogScenario]:
    """A site on a fresh sandbox with the documented limits."""
    sandbox = Sandbox(":memory:", now=NOW, limits=RateLimits())
    yield CatalogScenario(sandbox)
    sandbox.close()


def test_a_slot_page_costs_three_calls_for_everybody(scenario: CatalogScenario) -> None:
    """Two thousand pages a minute from four processes: one call for organization and service each, a few for slots."""
    processes = [scenario.process() for _ in range(4)]
    for number in range(2000):
        catalog = processes[number % 4]
        catalog.preload("haircut", Days.of_month(DECEMBER))
        assert catalog.service("haircut").value.service.name
        assert catalog.slots("haircut", Days.of_month(DECEMBER)).value
        scenario.pass_(0.03)
    assert scenario.request_counts()["organization"] == scenario.request_counts()["service"] == 1
    assert scenario.request_counts()["availability"] <= 5


def test_slots_are_kordless_own_for_the_padded_month(scenario: CatalogScenario) -> None:
    """Nothing lost or made up on the way through the cache."""
    catalog = scenario.process()
    slots = Kordless(
        api_key=SANDBOX_KEY,
        org_slug=SANDBOX_ORG,
        base_url="http://localhost/api/calendar/v1/public",
        transport=wsgi_transport(scenario.sandbox),
    ).availability("haircut", datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 31, tzinfo=UTC))
    assert scenario.process().slots("haircut", Days.of_month(date(2027, 1, 1)), window_days=60).value == slots
    assert catalog.slots("haircut", Days.of_month(date(2027, 1, 17)), window_days=60).value == slots


def test_a_warm_page_costs_one_round_trip_to_the_cache_and_then_none(scenario: CatalogScenario) -> None:
    """`page` brings all that the three reads need."""
    scenario.process().slots("haircut", Days.of_month(DECEMBER))
    scenario.process().service("haircut")
    catalog = scenario.process()
    before = scenario.memory.trips
    catalog.preload("haircut", Days.of_month(DECEMBER))
    catalog.organization()
    catalog.service("haircut")
    catalog.slots("haircut", Days.of_month(DECEMBER))
    assert scenario.memory.trips == before + 1


def test_made_up_services_cost_nothing(scenario: CatalogScenario) -> None:
    """A bot with a dictionary spends one call: the organization."""
    catalog = scenario.process()
    for number in range(300):
        with pytest.raises(NotFound):
            catalog.service(f"made-up-{number}")
        with pytest.raises(NotFound):
            catalog.slots(f"made-up\r\n{number}\ud800", Days.of_month(DECEMBER))
    assert scenario.request_counts() == {"organization": 1}


@pytest.mark.parametrize("month", [date(1, 1, 1), date(2026, 10, 1), date(2027, 3, 1), date(9999, 12, 1)])
def test_months_outside_of_the_booking_window_are_empty_and_cost_nothing(
    scenario: CatalogScenario, month: date
) -> None:
    """The past, the far future, and the ends of the calendar."""
    cached = scenario.process().slots("haircut", Days.of_month(month), window_days=60)
    assert (cached.value, cached.stale, cached.degraded) == ((), False, False)
    assert scenario.request_counts() == {"organization": 1}


def test_near_months_are_one_request_and_each_later_month_is_one(scenario: CatalogScenario) -> None:
    """All that can be booked in 60 days is a single cache item."""
    catalog = scenario.process()
    for window, months in ((60, [DECEMBER, date(2027, 1, 1)]), (180, [DECEMBER, date(2027, 3, 1), date(2027, 4, 1)])):
        for month in months * 3:
            catalog.slots("styling-class", Days.of_month(month), window_days=window)
    assert scenario.request_counts()["availability"] == 3


def test_businesses_on_one_cache_do_not_meet(scenario: CatalogScenario) -> None:
    """Each key and organization has its own cache entries."""
    south, north = scenario.process(), scenario.process(key=NORTH_KEY, org=NORTH_ORG)
    assert south.organization().value.organization.slug == SANDBOX_ORG
    assert north.organization().value.organization.slug == NORTH_ORG


def test_after_a_booking_everybody_sees_fresh_times_of_that_service(scenario: CatalogScenario) -> None:
    """Every month of it is invalidated, in every process; other services are not."""
    booking, browsing = scenario.process(), scenario.process()
    first = browsing.slots("haircut", Days.of_month(DECEMBER)).value[0]
    browsing.slots("beard-trim", Days.of_month(DECEMBER))
    scenario.sandbox.book_by_phone("haircut", first.start, first.host.id if first.host else None)
    booking.invalidate_slots("haircut")
    scenario.pass_(1)
    assert first not in browsing.slots("haircut", Days.of_month(DECEMBER)).value
    browsing.slots("beard-trim", Days.of_month(DECEMBER))
    assert scenario.request_counts()["availability"] == 3


def test_an_invalidated_organization_or_service_is_fetched_again(scenario: CatalogScenario) -> None:
    """For a business that changed something."""
    catalog = scenario.process()
    catalog.service("haircut")
    catalog.invalidate_organization()
    catalog.invalidate_service("haircut")
    catalog.service("haircut")
    assert scenario.request_counts() == {"organization": 2, "service": 2}


def test_a_service_removed_midway_is_not_found_and_invalidates_the_list(scenario: CatalogScenario) -> None:
    """Its cached times are not offered anymore, and the list is asked for anew."""
    catalog = scenario.process()
    catalog.slots("haircut", Days.of_month(DECEMBER))
    scenario.sandbox.faults.add("service_removed", service="haircut")
    scenario.pass_(16)
    catalog.slots("haircut", Days.of_month(DECEMBER))
    for _ in range(20):
        with pytest.raises(NotFound):
            catalog.slots("haircut", Days.of_month(DECEMBER))
    assert "haircut" not in [service.slug for service in catalog.organization().value.services]
    assert scenario.request_counts() == {"organization": 2, "availability": 2}


def test_a_key_revoked_midway_closes_everything_without_a_storm(scenario: CatalogScenario) -> None:
    """Within a refresh nothing cached is offered, and Kordless is asked twice a minute, not by each page."""
    catalog = scenario.process()
    catalog.slots("haircut", Days.of_month(DECEMBER))
    catalog.service("haircut")
    scenario.sandbox.faults.add("key_revoked")
    scenario.pass_(16)
    catalog.slots("haircut", Days.of_month(DECEMBER))
    scenario.sandbox.clear_requests()
    for _ in range(60):
        for read in (
            catalog.organization,
            lambda: catalog.service("haircut"),
            lambda: catalog.slots("haircut", Days.of_month(DECEMBER)),
        ):
            with pytest.raises(KeyRefused):
                read()
        scenario.pass_(1)
    assert sum(scenario.request_counts().values()) <= 2
    scenario.sandbox.faults.clear()
    scenario.pass_(31)
    assert catalog.slots("haircut", Days.of_month(DECEMBER)).value


def test_an_api_key_rejected_for_a_booking_closes_the_catalog_too(scenario: CatalogScenario) -> None:
    """Whoever books learns it first; nothing cached is offered anymore, without another call."""
    catalog = scenario.process()
    catalog.slots("haircut", Days.of_month(DECEMBER))
    calls = scenario.request_counts()
    catalog.mark_key_refused(KeyRefused(status=401))
    for process in (catalog, scenario.process()):
        with pytest.raises(KeyRefused):
            process.slots("haircut", Days.of_month(DECEMBER))
    assert scenario.request_counts() == calls
    scenario.pass_(31)
    assert catalog.slots("haircut", Days.of_month(DECEMBER)).value


@pytest.mark.parametrize(
    ("kind", "options"), [("status", {"status": 500}), ("html", {}), ("broken_json", {}), ("empty", {})]
)
def test_pages_go_on_through_an_outage_and_recover_by_themselves(
    scenario: CatalogScenario, kind: str, options: dict[str, int]
) -> None:
    """A minute of nothing but failures at fifty visitors a second: the old times with a notice, at most ten calls."""
    catalog = scenario.process()
    catalog.service("haircut")
    young = catalog.slots("haircut", Days.of_month(DECEMBER))
    scenario.pass_(16)
    scenario.sandbox.clear_requests()
    scenario.sandbox.faults.add(kind, **options)
    for number in range(600):
        cached = catalog.slots("haircut", Days.of_month(DECEMBER))
        assert cached.value == young.value
        assert cached.degraded or number == 0
        scenario.pass_(0.1)
    assert sum(scenario.request_counts().values()) <= 10
    scenario.sandbox.faults.clear()
    for _ in range(160):
        scenario.pass_(0.1)
        cached = catalog.slots("haircut", Days.of_month(DECEMBER))
    assert (cached.stale, cached.degraded) == (False, False)


def test_with_an_empty_cache_an_outage_fails_fast_and_costs_few_calls(scenario: CatalogScenario) -> None:
    """Nothing to show: the circuit answers, not Kordless."""
    catalog = scenario.process()
    scenario.sandbox.faults.add("status", status=500)
    for _ in range(600):
        with pytest.raises(Unavailable):
            catalog.organization()
        scenario.pass_(0.1)
    assert sum(scenario.request_counts().values()) <= 10


def separate_items(count: int) -> list[tuple[str, date]]:
    """Return services and months that are cache items of their own: the near days, and each month from March on."""
    slugs = ("haircut", "beard-trim", "styling-class", "full-color", "makeover", "head-spa", "color-consultation")
    months = [DECEMBER, *(date(2027, number, 1) for number in range(3, 12))]
    return [(slug, month) for slug in slugs for month in months][:count]


def test_many_cold_items_stay_within_the_quota(scenario: CatalogScenario) -> None:
    """Sixty-one months of services at once: 58 are requested, the rest get a Retry-After; no 429."""
    processes = [scenario.process() for _ in range(4)]
    served, waits = 0, []
    for number, (slug, month) in enumerate(separate_items(61)):
        try:
            processes[number % 4].slots(slug, Days.of_month(month))
            served += 1
        except TooMany as error:
            waits.append(error.retry_after)
    assert served == 57
    assert all(wait is not None and 1 <= wait <= 61 for wait in waits)
    assert sum(scenario.request_counts().values()) == 58
    assert {request.status for request in scenario.sandbox.requests} == {200}


def test_freshness_stretches_when_there_are_many_keys(scenario: CatalogScenario) -> None:
    """Forty live keys for three minutes: never a 429, nobody fails, ten creations are always left."""
    catalog = scenario.process()
    keys = separate_items(40)
    for slug, month in keys:
        catalog.slots(slug, Days.of_month(month))
    oldest = 0.0
    for _ in range(180):
        for slug, month in keys:
            cached = catalog.slots(slug, Days.of_month(month))
            oldest = max(oldest, scenario.time.wall - cached.fetched_at)
        scenario.pass_(1)
    assert {request.status for request in scenario.sandbox.requests} == {200}
    assert oldest < 300


def test_all_limits_can_be_set(scenario: CatalogScenario) -> None:
    """A site may want its times fresher."""
    brief = Lifetime(fresh=1, stale_while_revalidate=1, stale_if_error=1)
    catalog = scenario.process(lifetimes=replace(build_lifetimes(Account()), slots=brief))
    for _ in range(3):
        catalog.slots("haircut", Days.of_month(DECEMBER))
        scenario.pass_(2)
    assert scenario.request_counts()["availability"] == 3


def state_of_haircut(catalog: Catalog) -> list[tuple[str, str, int | None]]:
    """Return (what, state, age in whole seconds) of the entries of the organization and of haircut."""
    statuses = [entry for entry in catalog.cache_status([DECEMBER]) if entry.service in {"", "haircut"}]
    return [(entry.what, entry.state, None if entry.age is None else int(entry.age)) for entry in statuses]


def test_how_old_everything_is_costs_kordless_nothing(scenario: CatalogScenario) -> None:
    """Neither while nothing is there nor when all of it is out of date; another process sees the same."""
    catalog = scenario.process()
    assert [(entry.what, entry.state) for entry in catalog.cache_status([DECEMBER])] == [("organization", "absent")]
    catalog.slots("haircut", Days.of_month(DECEMBER))
    request_counts = scenario.request_counts()
    assert state_of_haircut(scenario.process()) == [
        ("organization", "fresh", 0),
        ("service", "absent", None),
        ("slots", "fresh", 0),
    ]
    scenario.pass_(100)
    assert state_of_haircut(catalog) == [
        ("organization", "fresh", 100),
        ("service", "absent", None),
        ("slots", "stale", 100),
    ]
    catalog.invalidate_slots("haircut")
    assert state_of_haircut(catalog)[2] == ("slots", "invalidated", 100)
    assert scenario.request_counts() == request_counts


def test_the_cache_status_says_what_can_not_be_refreshed(scenario: CatalogScenario) -> None:
    """Degraded while there is a value, failed while there is none, and rejected with the key."""
    catalog = scenario.process()
    catalog.slots("haircut", Days.of_month(DECEMBER))
    scenario.sandbox.faults.add("status", "availability", status=500)
    scenario.pass_(20)
    catalog.slots("haircut", Days.of_month(DECEMBER))
    scenario.pass_(2)
    assert state_of_haircut(catalog)[2] == ("slots", "degraded", 22)
    with pytest.raises(Unavailable):
        catalog.slots("haircut", Days.of_month(date(2027, 1, 1)))
    january = [entry for entry in catalog.cache_status([date(2027, 1, 1)]) if entry.what == "slots"]
    assert {entry.state for entry in january if entry.service == "haircut"} == {"failed"}
    catalog.mark_key_refused(KeyRefused())
    assert {entry.state for entry in catalog.cache_status([DECEMBER])} == {"refused"}


def availability_statuses(scenario: CatalogScenario) -> list[int]:
    """Return the statuses of all requests for slots, in order."""
    return [request.status for request in scenario.sandbox.requests if request.operation == "availability"]


def test_a_refused_long_range_falls_back_to_months_for_an_hour(
    scenario: CatalogScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next months come one by one; every process knows of the refusal, and none tries again within the hour."""
    monkeypatch.setattr(operations, "MAX_RANGE_DAYS", 40)
    january = date(2027, 1, 1)
    catalog = scenario.process()
    assert catalog.slots("haircut", Days.of_month(DECEMBER), window_days=60).value
    assert availability_statuses(scenario) == [400, 200]
    assert catalog.slots("haircut", Days.of_month(january), window_days=60).value
    catalog.invalidate_slots("haircut")
    scenario.pass_(2)
    for month in (DECEMBER, january):
        assert scenario.process().slots("haircut", Days.of_month(month), window_days=60).value
    states = [entry.state for entry in catalog.cache_status([DECEMBER, january]) if entry.service == "haircut"]
    assert states == ["absent", "fresh", "fresh"]
    assert availability_statuses(scenario) == [400, 200, 200, 200, 200]
    monkeypatch.undo()
    scenario.pass_(3601)
    scenario.sandbox.clear_requests()
    for month in (DECEMBER, january):
        assert scenario.process().slots("haircut", Days.of_month(month), window_days=60).value
    assert scenario.request_counts()["availability"] == 1


def test_a_refused_long_range_is_tried_once_an_hour_for_all_services_of_the_account(
    scenario: CatalogScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each further service costs one request, as where nothing is refused; requests share what was learned."""
    monkeypatch.setattr(operations, "MAX_RANGE_DAYS", 40)
    catalog = scenario.process()
    for slug in ("haircut", "beard-trim", "full-color"):
        view = RequestView(catalog._cache)  # type: ignore[arg-type]
        assert catalog.for_request(view).slots(slug, Days.of_month(DECEMBER), window_days=60).value
    assert availability_statuses(scenario) == [400, 200, 200, 200]


def test_a_booking_window_that_grows_is_shown_at_once_and_soon_costs_one_request_again(
    scenario: CatalogScenario,
) -> None:
    """The cached block is too short for it: the month comes by itself until the block is refreshed."""
    catalog, january = scenario.process(), date(2027, 1, 1)
    catalog.slots("haircut", Days.of_month(DECEMBER), window_days=10)
    assert catalog.slots("haircut", Days.of_month(DECEMBER), window_days=60).value[-1].start > datetime(
        2026, 12, 31, tzinfo=UTC
    )
    assert scenario.request_counts()["availability"] == 2
    scenario.pass_(20)
    catalog.slots("haircut", Days.of_month(DECEMBER), window_days=60)
    scenario.sandbox.clear_requests()
    for month in (DECEMBER, january):
        assert scenario.process().slots("haircut", Days.of_month(month), window_days=60).value
    assert scenario.request_counts()["availability"] == 0


def test_near_days_fetched_before_midnight_have_the_last_day_after_it(scenario: CatalogScenario) -> None:
    """The day that can be booked from midnight on is in the block already, and shown without a request."""
    scenario.pass_((datetime(2026, 12, 3, 23, 59, 50, tzinfo=UTC) - NOW).total_seconds())
    catalog = scenario.process()
    february, last_day = date(2027, 2, 1), datetime(2027, 2, 2, tzinfo=UTC)
    # Kordless would let it be booked 90 days ahead, so it lists the day before midnight too.
    assert not any(
        slot.start >= last_day for slot in catalog.slots("head-spa", Days.of_month(february), window_days=60).value
    )
    request_counts = scenario.request_counts()
    scenario.pass_(12)
    assert any(
        slot.start >= last_day for slot in catalog.slots("head-spa", Days.of_month(february), window_days=60).value
    )
    assert scenario.request_counts() == request_counts


def test_a_stored_page_keeps_no_slots_alive(scenario: CatalogScenario) -> None:
    """Neither the snapshot of what it read nor the refresh that its check begins: a block may have thousands."""

    def blocks() -> int:
        gc.collect()
        return sum(isinstance(each, SlotBlock) for each in gc.get_objects())

    catalog, before, snapshots = scenario.process(), blocks(), []
    for _ in range(4):
        view = RequestView(catalog._cache)  # type: ignore[arg-type]
        catalog.for_request(view).slots("haircut", Days.of_month(DECEMBER))
        snapshots.append(view.snapshot())
        scenario.pass_(20)
        for snapshot in snapshots:
            snapshot.is_current()
        scenario.pass_(20)
    assert scenario.request_counts()["availability"] >= 4
    assert blocks() - before <= 2
