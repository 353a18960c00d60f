"""Forty bookings in one minute, of which Kordless takes ten a minute: all are made, or rejected for a reason."""

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from kordless_booking.booking.queue import MAX_POLL_SECONDS, ROUND_SECONDS
from tests.processes.crowd import Guest, all_at_once, counted
from tests.processes.gunicorn_site import Served
from tests.support.visitor import Page

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


class RealTime:
    """Seconds that pass by themselves, however long the machine takes for its requests."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def now(self) -> int:
        """Return the seconds since the beginning."""
        return int(time.monotonic() - self._began)

    def wait(self, seconds: int) -> None:
        """Let as many seconds pass."""
        time.sleep(seconds)


class MovedTime:
    """Seconds that pass at once, on the clocks of a site and of its Kordless."""

    def __init__(self, site: Served) -> None:
        self._site, self._passed = site, 0

    def now(self) -> int:
        """Return the seconds since the beginning."""
        return self._passed

    def wait(self, seconds: int) -> None:
        """Let as many seconds pass."""
        self._site.later(seconds)
        self._passed += seconds


@dataclass
class Wait:
    """Estimates on the pages of one visitor in line, and the end of the wait."""

    estimates: list[tuple[int, int]] = field(default_factory=list)
    """When a page said so, and the moment that it named; both in seconds since the beginning."""
    ended: int = 0
    """When the last page came."""

    def read(self, page: Page, now: int) -> None:
        """Note what a page says."""
        self.estimates.append((now, now + int(ABOUT.search(page.html)[1])))


def wait_in_line(guests: list[Guest], clock: RealTime | MovedTime) -> dict[str, Wait]:
    """Let every page ask again when it says that it will, until none does; by address."""
    waits = {guest.address: Wait() for guest in guests}
    due = {}

    def read(guest: Guest) -> None:
        now = clock.now()
        if guest.page.refresh:
            waits[guest.address].read(guest.page, now)
            due[guest.address] = now + guest.page.refresh
        else:
            waits[guest.address].ended = now
            due.pop(guest.address, None)

    for guest in guests:
        read(guest)
    while due:
        assert clock.now() < 600, f"still waiting: {len(due)}"
        clock.wait(max(1, min(due.values()) - clock.now()))
        now = clock.now()
        turn = [guest for guest in guests if due.get(guest.address, now + 1) <= now]
        all_at_once(lambda number: turn[number].reload(), len(turn))  # noqa: B023 (done when it returns)
        for guest in turn:
            read(guest)
    return waits


def burst(site: Served, clock: RealTime | MovedTime) -> None:
    """All send at once, and wait as long as it takes."""
    ready = forms(site)
    guests = [guest for guest, *_ in ready]
    all_at_once(lambda number: ready[number][0].open(*ready[number][1:]), len(ready))
    # A conflict may be known already: from the list of free times, which one of the first has read again.
    assert {guest.page.status for guest in guests} <= {200, 409}, [
        guest.page.html for guest in guests if guest.page.status not in {200, 409}
    ]
    waits = wait_in_line(guests, clock)
    for guest in guests:
        wait = waits[guest.address]
        # Without the first: of those who send in the very same moment one may read an estimate before others are
        # written down who go first. A page may find out 30 s later that it is its turn.
        late = [wait.ended - named for _moment, named in wait.estimates[1:]]
        assert all(seconds <= ROUND_SECONDS + MAX_POLL_SECONDS for seconds in late), (guest.address, wait)
        # Whose time is gone from a recent list learns it before their turn, which lets others in a minute early.
        # Seconds pass beside the minutes that are moved on.
        if guest.page.number:
            assert all(seconds >= -ROUND_SECONDS - MAX_POLL_SECONDS for seconds in late), (guest.address, wait)
    assert max(wait.ended for wait in waits.values()) <= 310
    assert max(named for wait in waits.values() for _moment, named in wait.estimates[:1]) > 110
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
    burst(four, MovedTime(four))


@pytest.mark.slow
def test_forty_at_once_in_real_time(site: Served) -> None:
    """As above, with nothing moved: some four minutes of waiting, in several processes and in one."""
    burst(site, RealTime())
