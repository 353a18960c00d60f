"""Cache of bookings: anonymous, one lookup for all who look, and gone everywhere after a change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from pytest_django import Settings

from kordless_booking.api.resources import Booking, Contact
from kordless_booking.exceptions import NotFound, Unavailable
from kordless_booking.upstream.booking_cache import POLL_SECONDS, VIEW_SECONDS, BookingCache
from kordless_booking.upstream.fallback_cache import FallbackCache
from tests.support.api_clients import CONTACT, NUMBER
from tests.support.controlled_cache import HandTime, SharedMemory

START = datetime(2026, 12, 1, 14, tzinfo=UTC)
BOOKING = Booking(
    confirmation_number=NUMBER,
    status="confirmed",
    start=START,
    end=START + timedelta(hours=1),
    service_slug="haircut",
    id=NUMBER.lower(),
    contact=Contact(name="Canary Bird", email=CONTACT, phone="+12125550147"),
)
CACHED = msgspec.structs.replace(BOOKING, id="", contact=None)
"""The same booking, as far as it is cached."""


class Scenario:
    """Processes with a cache in common, and a Kordless that counts its lookups."""

    def __init__(self) -> None:
        self.time = HandTime()
        self.memory = SharedMemory(self.time.clock)
        self.looked_up = 0
        self.during: Callable[[], object] = lambda: None

    def process(self, *, is_shared: bool = True) -> BookingCache:
        cache = FallbackCache(self.memory, self.time.clock)
        return BookingCache(
            cache,
            account="key",
            clock=self.time.clock,
            is_shared=lambda: is_shared and cache.up,
            max_wait_seconds=5,
        )

    def look_up(self) -> Booking:
        self.looked_up += 1
        self.during()
        return BOOKING


@pytest.fixture
def scenario() -> Scenario:
    """Return new processes around an empty cache."""
    return Scenario()


def test_a_booking_is_looked_up_once_for_all_processes(scenario: Scenario) -> None:
    """The second process reads what the first has cached, as it was."""
    one, other = scenario.process(), scenario.process()
    assert one.get(NUMBER, CONTACT) is None
    assert one.fetch(NUMBER, CONTACT, scenario.look_up) == BOOKING
    assert other.get(NUMBER, CONTACT) == other.fetch(NUMBER, CONTACT, scenario.look_up) == CACHED
    assert scenario.looked_up == 1


def test_a_cached_booking_costs_one_round_trip(scenario: Scenario) -> None:
    """The booking and its generation are read together."""
    process = scenario.process()
    process.fetch(NUMBER, CONTACT, scenario.look_up)
    before = scenario.memory.trips
    process.get(NUMBER, CONTACT)
    assert scenario.memory.trips == before + 1


def test_a_cached_booking_is_shown_for_seconds_and_polled_for_minutes(scenario: Scenario) -> None:
    """Each reader says how old it may be."""
    process = scenario.process()
    process.fetch(NUMBER, CONTACT, scenario.look_up)
    scenario.time.pass_(VIEW_SECONDS + 2)
    assert process.get(NUMBER, CONTACT) is None
    assert process.get(NUMBER, CONTACT, max_age_seconds=POLL_SECONDS) == CACHED
    scenario.time.pass_(POLL_SECONDS)
    assert process.get(NUMBER, CONTACT, max_age_seconds=POLL_SECONDS) is None


def test_another_contact_of_the_same_number_gets_nothing(scenario: Scenario) -> None:
    """The contact is the proof, in the cache as at Kordless."""
    process = scenario.process()
    process.fetch(NUMBER, CONTACT, scenario.look_up)
    assert process.get(NUMBER, "mallory@example.com") is None
    assert process.get(NUMBER.lower(), CONTACT.upper()) == CACHED


def test_an_invalidated_booking_is_gone_in_every_process(scenario: Scenario) -> None:
    """In any spelling of its number, and also for those who would take an old one."""
    one, other = scenario.process(), scenario.process()
    one.fetch(NUMBER, CONTACT, scenario.look_up)
    other.invalidate(f" {NUMBER.lower()} ")
    assert one.get(NUMBER, CONTACT, max_age_seconds=POLL_SECONDS) is None
    one.fetch(NUMBER, CONTACT, scenario.look_up)
    assert scenario.looked_up == 2
    assert other.get(NUMBER, CONTACT) == CACHED


def test_a_lookup_that_began_before_a_change_brings_nothing_back(scenario: Scenario) -> None:
    """Its result may be of before or after, so nobody else gets it."""
    one, other = scenario.process(), scenario.process()
    scenario.during = lambda: other.invalidate(NUMBER)
    one.fetch(NUMBER, CONTACT, scenario.look_up)
    scenario.during = lambda: None
    assert other.get(NUMBER, CONTACT, max_age_seconds=POLL_SECONDS) is None
    scenario.time.pass_(POLL_SECONDS - 1)
    assert other.get(NUMBER, CONTACT, max_age_seconds=POLL_SECONDS) is None


def test_who_comes_after_a_change_does_not_wait_for_an_older_lookup(scenario: Scenario) -> None:
    """A page that follows the change in the same process looks the booking up itself."""
    process = scenario.process()
    began, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        began.set()
        go_on.wait(30)

    scenario.during = hold
    with ThreadPoolExecutor(2) as threads:
        older = threads.submit(process.fetch, NUMBER, CONTACT, scenario.look_up)
        assert began.wait(30)
        process.invalidate(NUMBER)
        # It waits for the lock alone, and then looks up what is true now.
        scenario.time.while_sleeping = lambda: (go_on.set(), older.result(30))
        moved = msgspec.structs.replace(BOOKING, start=START + timedelta(days=1))
        assert process.fetch(NUMBER, CONTACT, lambda: moved) == moved
        assert older.result(30) == BOOKING
    assert process.get(NUMBER, CONTACT) == msgspec.structs.replace(moved, id="", contact=None)


def test_of_many_who_look_at_one_moment_one_asks_kordless(scenario: Scenario) -> None:
    """Sixteen threads, one lookup; all of them get its result, a thread that comes late from the cache."""
    process, ready = scenario.process(), threading.Barrier(16, timeout=30)
    scenario.during = lambda: threading.Event().wait(0.2)

    def look(_number: int) -> Booking:
        ready.wait()
        return process.fetch(NUMBER, CONTACT, scenario.look_up)

    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(look, range(16)))
    assert [each for each in found if each not in (BOOKING, CACHED)] == []
    assert scenario.looked_up == 1


def test_nothing_personal_stands_in_the_cache(scenario: Scenario) -> None:
    """Neither number, contact, name nor phone, in any key or value."""
    process = scenario.process()
    process.fetch(NUMBER, CONTACT, scenario.look_up)
    process.invalidate(NUMBER)
    kept = repr(scenario.memory._entries).casefold()
    for text in (NUMBER, CONTACT, "canary", "2125550147"):
        assert text.casefold() not in kept


def test_a_number_that_kordless_writes_in_mixed_case_is_not_cached(scenario: Scenario) -> None:
    """It could not be shown as Kordless writes it without being stored."""
    process = scenario.process()
    process.fetch("book_ab12", CONTACT, lambda: msgspec.structs.replace(BOOKING, confirmation_number="Book_Ab12"))
    assert process.get("book_ab12", CONTACT) is None


def test_a_failed_lookup_is_raised_and_not_cached(scenario: Scenario) -> None:
    """The next page asks again."""
    process = scenario.process()

    def fail() -> Booking:
        raise NotFound(operation="lookup")

    with pytest.raises(NotFound):
        process.fetch(NUMBER, CONTACT, fail)
    assert process.fetch(NUMBER, CONTACT, scenario.look_up) == BOOKING


def test_without_time_left_nobody_looks_up(scenario: Scenario) -> None:
    """The page says that Kordless can't be reached."""
    process = scenario.process()
    process._max_wait_seconds = 0
    with pytest.raises(Unavailable):
        process.fetch(NUMBER, CONTACT, scenario.look_up)
    assert scenario.looked_up == 0


def test_where_processes_share_no_cache_nothing_is_cached(scenario: Scenario) -> None:
    """A change in one process could not be made known to the others."""
    process = scenario.process(is_shared=False)
    for _ in range(2):
        assert process.fetch(NUMBER, CONTACT, scenario.look_up) == BOOKING
        assert process.refresh(NUMBER, CONTACT, scenario.look_up) == BOOKING
        assert process.get(NUMBER, CONTACT) is None
    assert scenario.looked_up == 4


def test_while_the_shared_cache_is_down_every_page_asks_kordless(scenario: Scenario) -> None:
    """In the memory of one process, no change of another one would be seen."""
    process = scenario.process()
    process.fetch(NUMBER, CONTACT, scenario.look_up)
    scenario.memory.broken = True
    for _ in range(3):
        assert process.fetch(NUMBER, CONTACT, scenario.look_up) == BOOKING
        assert process.get(NUMBER, CONTACT, max_age_seconds=POLL_SECONDS) is None
    assert scenario.looked_up == 4


@pytest.mark.parametrize("rubbish", ["rubbish", b"\x80pickle", b"{}", 7])
def test_rubbish_in_the_cache_is_a_miss(scenario: Scenario, rubbish: str | bytes | int) -> None:
    """Another version may have written it."""
    process = scenario.process()
    scenario.memory.set(process._entry_key(NUMBER, CONTACT), rubbish, 60)
    assert process.get(NUMBER, CONTACT) is None
    assert process.fetch(NUMBER, CONTACT, scenario.look_up) == BOOKING
    assert process.get(NUMBER, CONTACT) == CACHED


def test_a_process_with_the_old_key_invalidates_during_a_rotation(scenario: Scenario, settings: Settings) -> None:
    """The webhook runs where the new SECRET_KEY is not there yet; the page knows both."""
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [old]
    scenario.process().fetch(NUMBER, CONTACT, scenario.look_up)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = old, []
    scenario.process().invalidate(NUMBER)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [old]
    assert scenario.process().get(NUMBER, CONTACT) is None
