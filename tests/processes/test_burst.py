"""Forty bookings in one minute, of which Kordless takes ten a minute: all are made, or rejected for a reason."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from tests.processes.crowd import Guest, all_at_once, counted
from tests.processes.gunicorn_site import Served

APART, TOGETHER = 34, 6
LOST = re.compile(r"That time (was just|is) taken")
ABOUT = re.compile(r"about (\d+) second")


def forms(site: Served) -> list[tuple[Guest, str, dict[str, str]]]:
    """34 filled in for times that don't touch, and six for one and the same time of one person."""
    first, ready, today = Guest(site.url), [], datetime.now(UTC)
    days = set()
    for month in (today, today.replace(day=1) + timedelta(days=32)):  # towards its end a month has too few days left
        page = first.open(f"/book/color-consultation/?month={month:%Y-%m}")
        days |= {re.search(r"day=[0-9-]+", url)[0] for url in page.hrefs("a[href*='day=']")}
    times = [found for day in sorted(days)[:6] for found in first.times("color-consultation", f"?{day}")[::2]]
    apart = list(dict.fromkeys(times))[:APART]
    assert len(apart) == APART
    host = first.open("/book/haircut/").hrefs("a[href*='host=host_sarah']")[0]
    contested = first.times("haircut", f"?{urlsplit(host).query}")[0]
    for number, url in enumerate(apart + TOGETHER * [contested]):
        guest = Guest(site.url)
        ready.append((guest, *guest.fill_in(url, name=f"Guest {number}")))
    return ready


def wait_in_line(guests: list[Guest], passes: Callable[[int], object]) -> dict[str, int]:
    """Let every page ask again when it says that it will, until none does; seconds waited, by address."""
    clock, due = 0, {guest.address: guest.page.refresh for guest in guests if guest.page.refresh}
    done = dict.fromkeys((guest.address for guest in guests if not guest.page.refresh), 0)
    while due:
        assert clock < 600, f"still waiting: {len(due)}"
        step = max(1, min(due.values()) - clock)
        passes(step)
        clock += step
        turn = [guest for guest in guests if due.get(guest.address, clock + 1) <= clock]
        all_at_once(lambda number: turn[number].reload(), len(turn))  # noqa: B023 (done when it returns)
        for guest in turn:
            if guest.page.refresh:
                due[guest.address] = clock + guest.page.refresh
            else:
                done[guest.address] = clock
                del due[guest.address]
    return done


def burst(site: Served, passes: Callable[[int], object]) -> None:
    """All send at once, and wait as long as it takes."""
    ready = forms(site)
    guests = [guest for guest, *_ in ready]
    all_at_once(lambda number: ready[number][0].open(*ready[number][1:]), len(ready))
    # A conflict may be known already: from the list of free times, which one of the first has read again.
    assert {guest.page.status for guest in guests} <= {200, 409}, [
        guest.page.html for guest in guests if guest.page.status not in {200, 409}
    ]
    told = {guest.address: int(ABOUT.search(guest.page.html)[1]) for guest in guests if guest.page.refresh}
    waited = wait_in_line(guests, passes)
    placed = {guest.address for guest in guests if guest.page.number}
    late = {address: waited[address] - told[address] for address in told}
    # Whose time is gone from a recent list learns it before their turn.
    right = [address for address in told if late[address] <= 70 and (late[address] >= -70 or address not in placed)]
    # Of those who send in the very same moment one may be told before another is written down who goes first.
    assert len(right) >= 0.9 * len(told), (told, waited)
    assert max(waited.values()) <= 310
    assert max(told.values()) > 110
    numbers = [guest.page.number for guest in guests if guest.page.number]
    refused = [guest for guest in guests if not guest.page.number]
    assert [guest.page.status for guest in refused] == [409] * len(refused)
    assert all(LOST.search(guest.page.html) for guest in refused)
    assert sorted(numbers) == sorted(booking["number"] for booking in site.kordless.bookings())
    assert (len(numbers), len(refused)) == (APART + 1, TOGETHER - 1)
    creates = site.kordless.requests("create")
    # A conflict that a recent list of free times shows isn't sent.
    sent = counted([create["status"] for create in creates])
    assert sent.pop(409, 0) <= TOGETHER - 1
    assert sent == {201: APART + 1}


def test_forty_at_once_are_forty_bookings_or_honest_conflicts(four: Served) -> None:
    """The minutes between are moved on, in Redis, the database and Kordless; see below for real ones."""
    burst(four, four.later)


@pytest.mark.slow
def test_forty_at_once_in_real_time(site: Served) -> None:
    """As above, with nothing moved: some four minutes of waiting, in several processes and in one."""
    burst(site, time.sleep)
