"""Attacks on the bookings that Kordless takes in a minute: what other visitors get while they go on."""

import pytest
from django.test import Client
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking.conf import get_account
from kordless_booking.models import BookingAttempt
from kordless_booking.sandbox import Limits, Sandbox
from kordless_booking.upstream.registry import background_worker, services_for
from tests.support.received_requests import count_requests
from tests.support.site_cache import empty_cache, use_wall_clock_cache
from tests.support.visitor import JANE, Page, Visitor, start_of

pytestmark = pytest.mark.django_db

BOTS = ("203.0.113.5", "203.0.113.6")
WAITING = "Confirming your booking…"


@pytest.fixture
def limited(site: Settings, sandbox: Sandbox) -> Settings:
    """Return the settings of a site with Kordless's own limits, and a cache that lives in the time of the test."""
    services_for(get_account("default")).client.close()
    use_wall_clock_cache(site)
    site.KORDLESS_BOOKING = {**site.KORDLESS_BOOKING, "REQUESTS_PER_MINUTE": 60, "CREATIONS_PER_MINUTE": 10}
    empty_cache()
    sandbox.limits = Limits()
    return site


def at_address(address: str) -> Visitor:
    """Return a visitor with a client address of their own."""
    return Visitor(Client(REMOTE_ADDR=address))


def post(visitor: Visitor, form: Page, name: str) -> Page:
    """Send a form with a contact of this name."""
    return visitor.send(form, "Book appointment", **{**JANE, "name": name, "email": f"{name}@example.com"})


def test_fifty_forms_of_two_addresses_for_one_time_cost_kordless_one_conflict_each_minute(
    limited: Settings, sandbox: Sandbox
):
    """The list shows the conflict already; an honest visitor who comes then books a free time at once."""
    bots = [at_address(address) for address in BOTS]
    forms = [(bot, bot.choose("haircut", "?day=2026-12-09&host=host_sarah")) for _ in range(50) for bot in bots]
    honest = at_address("198.51.100.7")
    honest_form = honest.choose("haircut", "?day=2026-12-10")
    pages = [post(bot, form, f"bot{number}") for number, (bot, form) in enumerate(forms)]
    statuses = [page.status for page in pages]
    assert {status: statuses.count(status) for status in set(statuses)} == {200: 1, 409: 59, 429: 40}
    assert count_requests(sandbox, "create") <= 2
    assert post(honest, honest_form, "honest").heading == "You’re booked"
    assert count_requests(sandbox, "create") <= 3


def test_the_list_is_not_asked_for_again_by_forms_that_it_rejects(limited: Settings, sandbox: Sandbox):
    """Nor by loading the page of a rejected attempt again: the list is as new as the cache says."""
    visitor = at_address("198.51.100.7")
    forms = [visitor.choose("haircut", "?day=2026-12-09&host=host_sarah") for _ in range(12)]
    for number, form in enumerate(forms[:2]):
        post(visitor, form, f"guest{number}")
    fetches = count_requests(sandbox, "availability")
    pages = [post(visitor, form, f"guest{number}") for number, form in enumerate(forms[2:], start=2)]
    assert {page.status for page in pages} == {409}
    assert all("taken" in page.text for page in pages)
    assert count_requests(sandbox, "availability") == fetches


@pytest.mark.parametrize(("seconds", "creates"), [(59, 0), (61, 1)])
def test_only_a_list_of_the_last_minute_decides_that_a_time_is_gone(
    limited: Settings, sandbox: Sandbox, clock: Traveller, seconds: int, creates: int
):
    """An older one may have changed since: Kordless is asked."""
    visitor = at_address("198.51.100.7")
    url = next(iter(visitor.open("/book/haircut/?day=2026-12-09&host=host_sarah").times.values()))
    form = visitor.open(url)
    taken = sandbox.book_by_phone("haircut", start_of(url), host_id="host_sarah")
    clock.shift(20)
    at_address("198.51.100.8").open("/book/haircut/?day=2026-12-09")
    background_worker.join()
    sandbox.set_status(taken, "canceled")
    clock.shift(seconds)
    page = post(visitor, form, "guest")
    assert count_requests(sandbox, "create") == creates
    assert page.status == (200 if creates else 409)


@pytest.mark.long
def test_forms_for_many_times_leave_an_honest_visitor_the_next_minute(
    limited: Settings, sandbox: Sandbox, clock: Traveller
):
    """Two addresses use up the minute and their places in the queue; who comes then is booked as they were told."""
    bots = [at_address(address) for address in BOTS]
    days = [bots[0].open(f"/book/color-consultation/?day=2026-12-{day:02}") for day in (7, 8, 9, 10, 11, 14, 15)]
    urls = [url for page in days for url in list(page.times.values())[::2]][:40]
    assert len(urls) == 40
    forms = [bots[number % 2].open(url) for number, url in enumerate(urls)]
    honest = at_address("198.51.100.7")
    honest_form = honest.choose("haircut", "?day=2026-12-10")
    waiting = []
    for number, form in enumerate(forms):
        bot = bots[number % 2]
        page = post(bot, form, f"bot{number}")
        if page.refresh:
            waiting.append((bot, page))
    assert count_requests(sandbox, "create") == 10
    assert BookingAttempt.objects.filter(state="waiting").count() == 10
    page = post(honest, honest_form, "honest")
    assert page.heading == WAITING
    mine = BookingAttempt.objects.get(service="haircut")
    before = BookingAttempt.objects.filter(state="waiting", turn__lte=mine.turn).exclude(pk=mine.pk)
    assert before.count() == 2
    seconds = int(page.text.partition("in about ")[2].split()[0])
    assert seconds <= 62
    clock.shift(seconds)
    for bot, held in waiting:
        bot.open(held.url)
    assert honest.open(page.url).heading == "You’re booked"


@pytest.mark.long
def test_the_owner_of_an_ipv6_network_holds_the_queue_no_longer_than_a_few_addresses_do(
    limited: Settings, sandbox: Sandbox
):
    """Each of their forms comes from a /64 of its own; who comes then waits for the rest of the minute all the same."""
    bots = [at_address(f"2001:db8:77:{number:x}::1") for number in range(40)]
    days = [bots[0].open(f"/book/color-consultation/?day=2026-12-{day:02}") for day in (7, 8, 9, 10, 11, 14, 15)]
    urls = [url for page in days for url in list(page.times.values())[::2]][:40]
    forms = [bot.open(url) for bot, url in zip(bots, urls, strict=True)]
    honest = at_address("198.51.100.7")
    honest_form = honest.choose("haircut", "?day=2026-12-10")
    for number, (bot, form) in enumerate(zip(bots, forms, strict=True)):
        post(bot, form, f"bot{number}")
    assert count_requests(sandbox, "create") == 10
    assert BookingAttempt.objects.filter(state="waiting").count() == 20
    page = post(honest, honest_form, "honest")
    mine = BookingAttempt.objects.get(service="haircut")
    assert BookingAttempt.objects.filter(state="waiting", turn__lt=mine.turn).count() < 10
    assert int(page.text.partition("in about ")[2].split()[0]) <= 62
