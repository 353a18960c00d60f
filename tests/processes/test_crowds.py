"""Many who look at once cost Kordless what one does."""

import time
from zoneinfo import available_timezones

import pytest

from kordless_booking.conf import Account
from tests.processes.crowd import Guest, all_at_once, counted
from tests.processes.gunicorn_site import Served


def refreshes_since(began: float) -> int:
    """Return how often the slots of a service may have been refreshed behind a page: they don't stay fresh for ever."""
    return int((time.monotonic() - began) // Account.slots_fresh_seconds)


def test_three_hundred_visitors_of_a_cold_service_cost_one_request_each_way(site: Served) -> None:
    """Nobody has asked before; Kordless takes its time. All get the page, and it is asked for once."""
    site.kordless.faults("slow", "availability", seconds=0.3)
    began = time.monotonic()
    answers = all_at_once(lambda _: Guest(site.url).open("/book/haircut/"), 300)
    assert counted([answer.status for answer in answers]) == {200: 300}, site.log()
    request_counts = counted([request["operation"] for request in site.kordless.requests()])
    assert 1 <= request_counts.pop("availability") <= 1 + refreshes_since(began)
    assert request_counts == {"organization": 1, "service": 1}


@pytest.mark.matrix
def test_two_thousand_slot_pages_from_forty_zones_cost_a_handful_of_requests(four: Served) -> None:
    """One month, whatever the zone, the day, the host or the hour format."""
    zones = sorted(zone for zone in available_timezones() if zone.startswith(("America/", "Asia/")))[::6][:40]
    assert len(zones) == 40

    def visit(number: int) -> list[int]:
        guest = Guest(four.url)
        clock = "24" if number % 3 else "12"
        pages = [f"/book/haircut/?tz={zone}&hours={clock}" for zone in zones for _ in range(2)]
        return [guest.open(page).status for page in pages]

    began = time.monotonic()
    statuses = [status for seen in all_at_once(visit, 25) for status in seen]
    assert counted(statuses) == {200: 2000}
    request_counts = counted([request["operation"] for request in four.kordless.requests()])
    assert request_counts["organization"] == request_counts["service"] == 1
    assert request_counts["availability"] <= 1 + refreshes_since(began)
