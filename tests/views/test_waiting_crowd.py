"""Waiting instead of turning away: a crowd before a cold cache, in virtual time, with Kordless's limits."""

from __future__ import annotations

import pytest
import time_machine
from pytest_django import Settings

from tests.support.scarce_site import open_scarce_salon, statuses, visitor_from
from tests.support.virtual_crowd import arrive, let_pass

pytestmark = pytest.mark.django_db


def slugs(count: int) -> list[str]:
    """Return the services of a salon of this size."""
    return ["haircut", *(f"treat-{number}" for number in range(count - 1))]


def test_cold_nobody_is_turned_away_for_good_and_kordless_never_says_too_many(
    site: Settings, clock: time_machine.Traveller
) -> None:
    """160 visitors in 30 seconds, 80 services that nobody has looked at: each visitor gets a page.

    A service costs one request; two while permits aren't short, because its settings are fetched as well.
    """
    sandbox = open_scarce_salon(site, 80)
    crowd = arrive([f"/book/{slug}/" for _ in range(2) for slug in slugs(80)], within=30)
    let_pass(crowd, clock, seconds=300)
    waits = sorted(waiting.served_after for waiting in crowd if waiting.served_after is not None)
    assert len(waits) == len(crowd)
    assert waits[len(waits) * 95 // 100] <= 90
    assert waits[-1] > 10
    assert 81 <= len(sandbox.requests) <= 161
    assert set(statuses(sandbox)) == {200}


def test_a_free_permit_serves_the_service_that_most_visitors_wait_for(
    site: Settings, clock: time_machine.Traveller
) -> None:
    """It is served with the first permits, although its visitors came last; of those that one visitor each waits for,
    some need the permits of another minute."""
    sandbox = open_scarce_salon(site, 140)
    services = [f"/book/treat-{number}/" for number in range(130)]
    crowd = arrive([*services, *["/book/haircut/"] * 8], within=10)
    let_pass(crowd, clock, seconds=300)
    served_at = [waiting.arrives + (waiting.served_after or 999) for waiting in crowd]
    assert max(served_at[-8:]) < 80
    assert sum(120 < moment < 150 for moment in served_at[:-8]) >= 5
    assert set(statuses(sandbox)) == {200}


def test_a_visitor_whose_turn_it_is_not_takes_no_permit(site: Settings, clock: time_machine.Traveller) -> None:
    """A free permit is left to those who wait, and the next page costs Kordless nothing."""
    sandbox = open_scarce_salon(site, 90)
    let_pass(arrive([f"/book/treat-{number}/" for number in range(70)], within=10), clock, seconds=10)
    clock.shift(51)  # the first permits are free again
    before = len(sandbox.requests)
    newcomer = visitor_from("198.51.100.77")
    page = newcomer.once("/book/treat-80/")
    assert (page.status, len(sandbox.requests)) == (503, before)
    assert "this page goes on by itself" in page.text


def test_a_crowd_of_two_addresses_holds_nobody_up(site: Settings, clock: time_machine.Traveller) -> None:
    """They ask for one cold page after another; each of ten others, a second apart, is served at once."""
    sandbox = open_scarce_salon(site, 90)
    greedy = [visitor_from("203.0.113.1"), visitor_from("203.0.113.2")]
    seen = []
    for number in range(10):
        for step in range(6):
            greedy[step % 2].once(f"/book/treat-{number * 6 + step}/")
        seen.append(visitor_from(f"198.51.100.{number // 2}").once(f"/book/treat-{70 + number // 2}/").status)
        clock.shift(1)
    assert seen == [200] * 10
    assert set(statuses(sandbox)) == {200}
