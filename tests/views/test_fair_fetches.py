"""Attack tests: what one client address can cost, and what the others still get."""

from __future__ import annotations

import pytest
import time_machine
from pytest_django import Settings

from kordless_booking.sandbox import Limits
from tests.support.scarce_site import open_scarce_salon, statuses, visitor_from

pytestmark = pytest.mark.django_db

GREEDY = "203.0.113.7"
HONEST = "198.51.100.20"


def test_one_address_causes_only_so_many_fetches_and_everybody_else_gets_a_page(site: Settings) -> None:
    """A hundred cold pages cost fifteen requests; the next visitor, of a service that nobody has asked for, waits for
    nothing."""
    sandbox = open_scarce_salon(site, 60)
    greedy = visitor_from(GREEDY)
    answers = [greedy.open(f"/book/treat-{number % 58}/?month=2026-12").status for number in range(100)]
    assert set(answers) == {200, 503}
    assert len(sandbox.requests) == 15
    assert visitor_from(HONEST).open("/book/treat-58/").status == 200
    assert statuses(sandbox) == {200: len(sandbox.requests)}


def test_an_honest_visitor_may_compare_three_months_of_three_services(site: Settings) -> None:
    """None of it is cached, and every page is served."""
    sandbox = open_scarce_salon(site, 3, window_days=90)
    visitor = visitor_from(HONEST)
    services, months = ("haircut", "treat-0", "treat-1"), ("2026-12", "2027-01", "2027-02")
    pages = ["/book/", *(f"/book/{slug}/?month={month}" for slug in services for month in months)]
    assert {visitor.open(page).status for page in pages} == {200}
    assert len(sandbox.requests) <= 13


def test_cached_pages_cost_an_address_nothing(site: Settings) -> None:
    """What somebody else has fetched is free, also for an address that has used up its fetches."""
    open_scarce_salon(site, 40)
    honest, greedy = visitor_from(HONEST), visitor_from(GREEDY)
    assert honest.open("/book/haircut/").status == 200
    for number in range(20):
        greedy.open(f"/book/treat-{number}/")
    assert greedy.page.status == 503
    assert {greedy.open("/book/haircut/").status for _ in range(50)} == {200}


def test_the_refusal_of_one_address_is_nobody_elses_failure(site: Settings) -> None:
    """The same URL, a moment later, from another address: fetched and shown."""
    open_scarce_salon(site, 40)
    greedy = visitor_from(GREEDY)
    refused = next(
        url for number in range(40) if greedy.open(url := f"/book/treat-{number % 39}/").status == 503 or number == 39
    )
    assert greedy.open(refused).status == 503
    assert visitor_from(HONEST).open(refused).status == 200
    assert greedy.open(refused).status == 200


def test_an_address_over_its_limit_gets_what_is_old_and_others_get_what_is_new(
    site: Settings, clock: time_machine.Traveller
) -> None:
    """The old times come with the notice, and neither the cache nor the stored pages give them to anybody else."""
    open_scarce_salon(site, 40)
    greedy, honest = visitor_from(GREEDY), visitor_from(HONEST)
    assert honest.open("/book/haircut/").status == 200
    clock.shift(400)
    for number in range(20):
        greedy.open(f"/book/treat-{number}/")
    page = greedy.open("/book/haircut/")
    assert (page.status, "Last checked 6 minutes ago" in page.text) == (200, True)
    page = honest.open("/book/haircut/")
    assert (page.status, "Checked" in page.text) == (200, False)


@pytest.mark.long
def test_a_third_of_the_permits_stays_for_addresses_that_had_none_this_minute(site: Settings) -> None:
    """Addresses that come again and again share what is left; each new visitor is served."""
    sandbox = open_scarce_salon(site, 90)
    greedy = [visitor_from(f"203.0.113.{number}") for number in range(4)]
    for number in range(60):
        greedy[number % 4].open(f"/book/treat-{number}/")
    assert len(sandbox.requests) <= 45  # 33, and what the first pages of the four began
    newcomers = [visitor_from(f"198.51.100.{number}").open(f"/book/treat-{70 + number}/") for number in range(5)]
    assert [page.status for page in newcomers] == [200] * 5
    assert set(statuses(sandbox)) == {200}


def test_times_of_yesterday_are_shown_with_a_notice_while_the_quota_is_used_up(
    site: Settings, clock: time_machine.Traveller
) -> None:
    """What was taken meanwhile is refused by Kordless when it is booked, and nobody is told otherwise."""
    sandbox = open_scarce_salon(site, 2, DRAFT_SECONDS=86400)
    first, second = visitor_from(HONEST), visitor_from("198.51.100.21")
    times = list(first.open("/book/haircut/?day=2026-12-04").times.values())
    clock.shift(20 * 3600)
    assert first.book(query="?day=2026-12-04").number
    # What the booking has invalidated is gone from no cache, and Kordless says no to whoever asks for more.
    sandbox.limits = Limits(general=0)
    page = second.open("/book/haircut/?day=2026-12-04")
    assert (page.status, "Times may have changed; we’ll check again when you book." in page.text) == (200, True)
    clock.shift(23 * 3600)
    assert "Last checked 23 hours ago" in second.open("/book/haircut/?day=2026-12-04").text
    page = second.open(times[0])
    assert page.status == 200
    sandbox.limits = Limits()
    clock.shift(61)  # as long as Kordless said
    page = second.send(page, "Book appointment", name="Ann", email="ann@example.com")
    assert (page.status, page.number) == (409, "")
    assert "That time was just taken" in page.text


def test_visitors_behind_an_unnamed_proxy_of_this_machine_are_not_counted_as_one(site: Settings) -> None:
    """A loopback peer is no visitor's address: only the quota itself limits."""
    sandbox = open_scarce_salon(site, 30)
    sandbox.limits = Limits.off()
    visitor = visitor_from("127.0.0.1")
    assert {visitor.open(f"/book/treat-{number}/").status for number in range(15)} == {200}
