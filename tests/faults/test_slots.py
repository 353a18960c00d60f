"""Slot pages with an abnormal list of slots: only times that exist and can be booked are offered."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.clock import NOW
from tests.support.fault_scenario import FaultScenario
from tests.support.visitor import Page


def page_with(scenario: FaultScenario, kind: str, query: str = "", **options: object) -> Page:
    """The haircut's times, under this faults."""
    scenario.sandbox.faults.clear()
    scenario.cold()
    scenario.sandbox.faults.add(kind, "availability", **options)
    return scenario.visitor.open(f"/book/haircut/{query}")


def starts(page: Page) -> list[str]:
    """The moments that the times lead to."""
    return [url.split("start=")[1][:16] for url in page.times.values() if "start=" in url]


@pytest.mark.parametrize("kind", ["duplicates", "unsorted", "mixed_offsets", "past", "null_host", "null_team"])
def test_strange_lists_make_the_same_times(scenario: FaultScenario, kind: str):
    """Doubled, shuffled, in other offsets, with what is past, without hosts: a time stands there once, in order."""
    plain = starts(scenario.visitor.open("/book/haircut/"))
    assert plain
    found = starts(page_with(scenario, kind))
    assert found == plain == sorted(set(plain))
    assert all(datetime.strptime(start, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) > NOW for start in found)


def test_full_times_are_not_offered(scenario: FaultScenario):
    """Every second slot is full and can't be chosen; with none free, the next free day is looked for and none found."""
    plain = starts(scenario.visitor.open("/book/haircut/?day=2026-12-04&host=host_sarah"))
    half = starts(page_with(scenario, "full", "?day=2026-12-04&host=host_sarah"))
    assert set(half) < set(plain)
    nothing = page_with(scenario, "full", every=1)
    assert nothing.status == 200
    assert not nothing.times
    assert "There are no free times at the moment" in nothing.text


def test_no_slots_cost_a_few_requests(scenario: FaultScenario):
    """Looking for the next free day asks for four months at most, and once for everybody."""
    page = page_with(scenario, "no_slots")
    fetches = [request.operation for request in scenario.sandbox.requests].count("availability")
    assert fetches <= 4
    assert "There are no free times" in page.text
    scenario.visitor.open("/book/haircut/?tz=Asia/Tokyo")
    assert [request.operation for request in scenario.sandbox.requests].count("availability") == fetches


@pytest.mark.long
def test_three_thousand_slots_fit_a_page(scenario: FaultScenario):
    """A slot a minute makes pages of at most 60 kB and 120 links among days and times, and every time is reachable."""
    page = page_with(scenario, "many")
    offered, pages = starts(page), [page]
    while "Later times" in page.text:
        page = scenario.visitor.open(page.link("Later times"))
        offered += starts(page)
        pages.append(page)
    assert "Earlier times" in page.text
    assert starts(scenario.visitor.open(page.link("Earlier times"))) == starts(pages[0])
    for each in pages:
        assert len(each.response.content) <= 60_000
        assert len(each.times) + len(each.days) <= 120
    first = datetime.strptime(offered[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert offered == [f"{first + timedelta(minutes=index):%Y%m%dT%H%M%SZ}" for index in range(len(offered))]
    midnight = datetime(2026, 12, 2, 5, tzinfo=UTC)
    assert len(offered) == (midnight - first) // timedelta(minutes=1)


def test_times_of_another_service_are_not_offered(scenario: FaultScenario):
    """Slots that belong to another service are no answer to the question."""
    page = page_with(scenario, "other_booking")
    assert (page.status, page.times) == (503, {})


@pytest.mark.parametrize(("zone", "day"), [("America/New_York", "2026-11-01"), ("Europe/Berlin", "2026-10-25")])
def test_a_clock_change_names_both_hours(scenario: FaultScenario, zone: str, day: str):
    """On the day that the clocks go back, the hour that comes twice is offered twice, each with its offset."""
    before = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(days=3)
    scenario.clock.move_to(before)
    scenario.sandbox.clock.set(before)
    scenario.cold()
    page = scenario.visitor.open(f"/book/late-advice/?tz={zone}&day={day}&hours=24")
    assert page.status == 200
    assert len(starts(page)) == len(set(starts(page)))
    labels = list(page.times)
    assert len(labels) == len(set(labels)), labels
