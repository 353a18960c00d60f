"""Slots of businesses with many hosts: complete, in one response where they fit, in parts where they don't."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.api import parsing
from kordless_booking.api.client import Kordless
from kordless_booking.api.resources import Slot
from kordless_booking.api.session import wsgi_transport
from kordless_booking.exceptions import OutcomeUnknown
from kordless_booking.sandbox import SANDBOX_KEY, SANDBOX_ORG, Limits, Sandbox
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.slot_parts import DAY, SlotPartsClient, split_range
from kordless_booking.upstream.worker import FetchPool
from tests.support.call_counter import count_calls
from tests.support.controlled_cache import HandTime, SharedMemory, at_once
from tests.support.odd_answers import OddAnswers, many_hosts

NOW = datetime(2026, 12, 1, tzinfo=UTC)
END = NOW + timedelta(days=33)


class Business:
    """A business with many hosts, and the processes of its site around one cache."""

    def __init__(self, hosts: int, *, minutes: int = 60) -> None:
        self.kordless = OddAnswers(Sandbox(":memory:", now=NOW, limits=Limits.off()))
        self.kordless.changes["availability"] = many_hosts(hosts, minutes=minutes)
        self.time = HandTime()
        self.memory = SharedMemory(self.time.clock)

    def client(self, run: Callable[[Callable[[], object]], bool] = lambda _job: False) -> SlotPartsClient:
        """Return the client of another process."""
        client = Kordless(
            api_key=SANDBOX_KEY,
            org_slug=SANDBOX_ORG,
            base_url="http://localhost/api/calendar/v1/public",
            transport=wsgi_transport(self.kordless),
            browse_seconds=25,
        )
        return SlotPartsClient(client, FallbackCache(self.memory, self.time.clock), account="acme", run=run)

    def requests(self) -> int:
        """Return how many requests were sent for slots since the last call."""
        return self.kordless.request_counts.pop("availability", 0)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower the limit of a response to 100 slots, so that few hosts are many."""
    monkeypatch.setattr(parsing, "MAX_SLOTS", 100)


@pytest.fixture
def pool() -> Iterator[FetchPool]:
    """A pool of threads of its own, which has ended its jobs after the test."""
    threads = FetchPool(threads=2)
    yield threads
    threads.join()


def starts(slots: tuple[Slot, ...]) -> list[tuple[datetime, str]]:
    """Return start and host of each slot."""
    return [(slot.start, slot.host.id if slot.host else "") for slot in slots]


def test_six_hosts_every_quarter_of_an_hour_fit_into_one_request() -> None:
    """A whole month, the last day and the last host included."""
    business = Business(6, minutes=15)
    slots = business.client().availability("haircut", NOW, END)
    assert len(slots) == 33 * 10 * 4 * 6
    assert starts(slots)[-1] == (END - timedelta(minutes=15), "host_person_5")
    assert business.requests() == 1


def test_each_of_a_month_of_15_000_slots_is_parsed_with_a_few_calls() -> None:
    """As few as for one of a few slots: a long answer is no more work for each."""
    business = Business(12, minutes=15)
    document = many_hosts(12)({}, {"service_slug": "haircut", "from": NOW.isoformat(), "to": END.isoformat()})
    assert len(document["slots"]) > 15_000
    few = {**document, "slots": document["slots"][:150]}

    def parse(answer: dict[str, Any]) -> tuple[Slot, ...]:
        return parsing.parse_slots(answer, parsing.SkippedItems())

    def calls_for_each(answer: dict[str, Any]) -> float:
        return count_calls(lambda: parse(answer)) / len(answer["slots"])

    # First, so that what is done only once is not counted.
    assert parse(document) == business.client().availability("haircut", NOW, END)
    assert calls_for_each(document) < 1.1 * calls_for_each(few) < 200


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("hosts", [1, 2, 7, 10])
def test_a_month_that_is_too_large_is_read_in_parts_and_complete(hosts: int) -> None:
    """As many slots as the business has, each once and in order."""
    business = Business(hosts)
    slots = business.client().availability("haircut", NOW, END)
    assert len(slots) == len(set(starts(slots))) == 33 * 10 * hosts
    assert starts(slots) == sorted(starts(slots))


@pytest.mark.usefixtures("small")
def test_the_next_refresh_asks_in_parts_at_once() -> None:
    """Of another process too, and of a shorter range in fewer parts: no request is wasted."""
    business = Business(6)
    slots = business.client().availability("haircut", NOW, END)
    assert business.requests() == 5 + 33  # of 33, 16, 8, 4 and 2 days, each once, and then of one
    again = business.client()
    assert again.availability("haircut", NOW, END) == slots
    assert business.requests() == 33  # of a day each: 60 slots
    again.availability("haircut", NOW, NOW + 6 * DAY)
    assert business.requests() == 6
    again.availability("beard-trim", NOW, NOW + 1 * DAY)
    assert business.requests() == 1


@pytest.mark.usefixtures("small")
def test_after_a_week_a_month_is_tried_as_a_whole_again() -> None:
    """A business that has become smaller doesn't cost many requests for ever."""
    business = Business(6)
    client = business.client()
    client.availability("haircut", NOW, END)
    business.kordless.changes["availability"] = many_hosts(1, minutes=60, hours=range(14, 15))
    business.time.pass_(7 * 86_400 + 1)
    business.requests()
    client.availability("haircut", NOW, END)
    assert business.requests() == 1


@pytest.mark.usefixtures("small")
def test_a_day_that_is_too_large_is_an_error_and_never_cut() -> None:
    """Slots that were cut off would look booked out. Each page costs six requests, and not one for each day."""
    business = Business(11)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown) as caught:
            business.client(at_once).availability("haircut", NOW, END)
        assert caught.value.reason == "too_large"
        assert business.requests() == 6  # of 33, 16, 8, 4, 2 days and of one


@pytest.mark.usefixtures("small")
def test_parts_are_read_side_by_side(pool: FetchPool) -> None:
    """Two requests are under way at the same time, where threads are free."""
    business = Business(1)
    business.client().availability("haircut", NOW, END)
    both = threading.Barrier(2, timeout=20)
    arrivals = count(1)

    def meet(_environ: object) -> None:
        # Only the first two: the last of an odd number would wait for nobody.
        if next(arrivals) <= 2:
            both.wait()

    business.kordless.before = meet
    assert len(business.client(pool).availability("haircut", NOW, END)) == 33 * 10


@pytest.mark.usefixtures("small")
def test_parts_complete_when_each_thread_waits_for_another(pool: FetchPool) -> None:
    """A reader takes over a part that no thread has begun, so many readers in few threads don't wait for each other."""
    business = Business(6)
    found: list[int] = []

    def read() -> None:
        found.append(len(business.client(pool).availability("haircut", NOW, END)))

    for _ in range(6):
        assert pool(read)
    pool.join()
    assert found == [33 * 10 * 6] * 6


@pytest.mark.usefixtures("small")
def test_a_part_that_fails_fails_the_whole(pool: FetchPool) -> None:
    """A month with a hole would show days as booked out."""
    business = Business(1)
    business.client().availability("haircut", NOW, END)
    whole = business.kordless.changes["availability"]

    def broken(document: dict[str, object], query: dict[str, str]) -> object:
        return "nonsense" if query["from"] > "2026-12-10" else whole(document, query)

    business.kordless.changes["availability"] = broken
    for run in (pool, lambda _job: False):
        with pytest.raises(OutcomeUnknown) as caught:
            business.client(run).availability("haircut", NOW, END)
        assert caught.value.reason == "bad_payload"


@given(
    start=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 (bounds)
    length=st.timedeltas(timedelta(seconds=1), timedelta(days=400)),
    days=st.integers(-1, 400),
)
def test_parts_of_a_range_cover_it_once(start: datetime, length: timedelta, days: int) -> None:
    """They begin at its start, end at its end, follow each other, and none is longer than allowed."""
    parts = split_range(start, start + length, days)
    assert (parts[0][0], parts[-1][1]) == (start, start + length)
    assert all(one[1] == other[0] for one, other in pairwise(parts))
    assert all(timedelta(0) < end - begin <= max(1, days) * DAY for begin, end in parts)
