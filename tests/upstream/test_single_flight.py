"""One at a time: threads of a process, and processes around one cache."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from kordless_booking.clock import Clock
from kordless_booking.exceptions import TooMany
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.keys import cache_key
from kordless_booking.upstream.single_flight import LOCK_TTL, OwnerRefused, SingleFlight
from tests.support.controlled_cache import HandTime, SharedMemory, at_once

NAME = ("slots", "haircut", "2026-12")
LOCK = cache_key("north", "lock", *NAME)


def nothing() -> None:
    """Nothing has arrived."""


class Crowd:
    """Threads that start at once and whose outcomes are collected."""

    def __init__(self, size: int, act: Callable[[], object]) -> None:
        self.outcomes: list[object] = []
        self._barrier = threading.Barrier(size, timeout=30)
        self._act = act
        self._threads = [threading.Thread(target=self._run) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        self._barrier.wait()
        try:
            self.outcomes.append(self._act())
        except ArithmeticError as error:
            self.outcomes.append(type(error))

    def join(self) -> list[object]:
        """Wait for all; their outcomes in any order."""
        for thread in self._threads:
            thread.join(30)
        return self.outcomes


def far(clock: Clock) -> float:
    """A deadline that a test doesn't reach."""
    return clock.monotonic() + 30


def test_of_a_crowd_of_threads_one_works_and_all_get_its_outcome() -> None:
    """Thirty threads, one piece of work, thirty times the same object."""
    clock = Clock()
    single_flight: SingleFlight[object] = SingleFlight(FallbackCache(None, clock), account="north", clock=clock)
    working, release = threading.Event(), threading.Event()
    works: list[object] = []

    def work() -> object:
        works.append(object())
        working.set()
        release.wait(30)
        return works[-1]

    crowd = Crowd(30, lambda: single_flight.do(NAME, far(clock), work=work, poll=nothing))
    assert working.wait(30)
    release.set()
    outcomes = crowd.join()
    # A thread that came late may have flown again; never two at once, and nobody went without.
    assert len(outcomes) == 30
    assert set(map(id, outcomes)) == set(map(id, works))


def test_never_two_at_once_over_several_processes() -> None:
    """Four processes with eight threads each, on the real clock: the lock holds between them."""
    clock = Clock()
    memory = SharedMemory(clock)
    flying, most, guard = [0], [0], threading.Lock()

    def work() -> str:
        with guard:
            flying[0] += 1
            most[0] = max(most[0], flying[0])
        with guard:
            flying[0] -= 1
        return "done"

    processes: list[SingleFlight[str]] = [
        SingleFlight(FallbackCache(memory, clock), account="north", clock=clock) for _ in range(4)
    ]
    turn = iter(range(32))

    def act() -> str | None:
        with guard:
            is_owner = processes[next(turn) % 4]
        return is_owner.do(NAME, far(clock), work=work, poll=nothing)

    assert Crowd(32, act).join() == ["done"] * 32
    assert most == [1]
    assert LOCK not in memory.get_many([LOCK])


def test_an_error_reaches_everybody_who_joined_and_frees_the_name() -> None:
    """Nobody hangs on work that failed."""
    clock = Clock()
    single_flight: SingleFlight[object] = SingleFlight(FallbackCache(None, clock), account="north", clock=clock)
    working, release = threading.Event(), threading.Event()

    def work() -> object:
        working.set()
        release.wait(30)
        raise ZeroDivisionError

    crowd = Crowd(8, lambda: single_flight.do(NAME, far(clock), work=work, poll=nothing))
    assert working.wait(30)
    release.set()
    assert crowd.join() == [ZeroDivisionError] * 8
    assert single_flight.do(NAME, far(clock), work=lambda: "fine", poll=nothing) == "fine"


def test_who_waits_for_a_slow_neighbor_gives_up_at_the_deadline() -> None:
    """None, and the neighbor's work goes on undisturbed."""
    clock = Clock()
    single_flight: SingleFlight[str] = SingleFlight(FallbackCache(None, clock), account="north", clock=clock)
    working, release = threading.Event(), threading.Event()

    def work() -> str:
        working.set()
        release.wait(30)
        return "late"

    crowd = Crowd(1, lambda: single_flight.do(NAME, far(clock), work=work, poll=nothing))
    assert working.wait(30)
    assert single_flight.do(NAME, clock.monotonic() + 0.01, work=lambda: "mine", poll=nothing) is None
    release.set()
    assert crowd.join() == ["late"]


@pytest.fixture
def time() -> HandTime:
    """Return a clock that the test advances."""
    return HandTime()


@pytest.fixture
def memory(time: HandTime) -> SharedMemory:
    """The cache of all processes."""
    return SharedMemory(time.clock)


@pytest.fixture
def single_flight(time: HandTime, memory: SharedMemory) -> SingleFlight[str]:
    """One process."""
    return SingleFlight(FallbackCache(memory, time.clock), account="north", clock=time.clock)


def test_what_another_process_brings_ends_the_waiting(
    time: HandTime, memory: SharedMemory, single_flight: SingleFlight[str]
) -> None:
    """No work of our own, though the other still holds its lock."""
    memory.add(LOCK, "other", 60)
    arrivals = iter([None, None, "theirs"])
    outcome = single_flight.do(NAME, time.steady + 4, work=lambda: "ours", poll=lambda: next(arrivals))
    assert outcome == "theirs"
    assert time.steady - 1000 < 0.2


def test_only_its_own_lock_is_deleted(time: HandTime, memory: SharedMemory, single_flight: SingleFlight[str]) -> None:
    """Work that outlived its lock must not free the next owner's."""

    def slow() -> str:
        time.pass_(LOCK_TTL)
        assert memory.add(LOCK, "next owner", 60)
        return "late"

    assert single_flight.do(NAME, time.steady + 4, work=slow, poll=nothing) == "late"
    assert memory.get_many([LOCK]) == {LOCK: "next owner"}


def test_a_lock_about_to_expire_is_left_to_expire(
    time: HandTime, memory: SharedMemory, single_flight: SingleFlight[str]
) -> None:
    """Between asking whose it is and deleting it, it could have become the next owner's."""

    def slow() -> str:
        time.pass_(LOCK_TTL - 0.5)
        return "late"

    single_flight.do(NAME, time.steady + 4, work=slow, poll=nothing)
    assert LOCK in memory.get_many([LOCK])


def test_a_lock_that_the_cache_lost_and_granted_anew_is_left_alone(
    time: HandTime, memory: SharedMemory, single_flight: SingleFlight[str]
) -> None:
    """A cache that evicts may break a lock; letting go checks whose it is."""

    def work() -> str:
        memory.delete_many([LOCK])
        memory.add(LOCK, "another", 60)
        return "done"

    single_flight.do(NAME, time.steady + 4, work=work, poll=nothing)
    assert memory.get_many([LOCK]) == {LOCK: "another"}


def test_work_behind_the_scenes_does_not_wait_for_another_process(
    memory: SharedMemory, single_flight: SingleFlight[str]
) -> None:
    """Somebody is at it already: nothing to do."""
    memory.add(LOCK, "other", 60)
    done: list[str] = []
    single_flight.start_in_background(NAME, at_once, work=lambda: done.append("twice") or "done")
    assert done == []
    memory.delete_many([LOCK])
    single_flight.start_in_background(NAME, at_once, work=lambda: done.append("once") or "done")
    assert done == ["once"]


def test_work_that_still_waits_for_a_thread_is_taken_over(time: HandTime, single_flight: SingleFlight[str]) -> None:
    """A reader who has to wait does it at once; the job finds nothing left to do."""
    jobs: list[Callable[[], object]] = []
    single_flight.start_in_background(NAME, lambda job: jobs.append(job) or True, work=lambda: "behind")
    single_flight.start_in_background(NAME, lambda job: jobs.append(job) or True, work=lambda: "behind again")
    assert len(jobs) == 1
    assert single_flight.do(NAME, time.steady + 4, work=lambda: "at once", poll=nothing) == "at once"
    assert jobs[0]() is None


def test_declined_work_leaves_the_name_free(single_flight: SingleFlight[str]) -> None:
    """The next one may try."""
    done: list[str] = []
    single_flight.start_in_background(NAME, lambda _job: False, work=lambda: "declined")
    single_flight.start_in_background(NAME, at_once, work=lambda: done.append("done") or "done")
    assert done == ["done"]


def test_after_an_invalidation_nobody_joins_the_work_in_progress(
    time: HandTime, single_flight: SingleFlight[str]
) -> None:
    """Later callers start anew; callers that wait already get the old result."""
    later: list[str | None] = []

    def work() -> str:
        single_flight.forget(NAME[:2])
        thread = threading.Thread(
            target=lambda: later.append(single_flight.do(NAME, time.steady + 0.01, work=lambda: "new", poll=nothing))
        )
        thread.start()
        thread.join(30)
        return "old"

    assert single_flight.do(NAME, time.steady + 4, work=work, poll=nothing) == "old"
    assert later == [None]
    assert single_flight.do(NAME, time.steady + 4, work=lambda: "new", poll=nothing) == "new"


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 warns of forking with threads
def test_a_forked_child_does_not_wait_for_its_parents_threads() -> None:
    """A fetch that was in progress at the fork is never waited for in the child process."""
    clock = Clock()
    single_flight: SingleFlight[str] = SingleFlight(FallbackCache(None, clock), account="north", clock=clock)

    def work() -> str:
        child = os.fork()
        if child == 0:  # pragma: no cover - another process
            began = clock.monotonic()
            single_flight.do(NAME, clock.monotonic() + 0.2, work=lambda: "child", poll=nothing)
            single_flight.do(("other",), clock.monotonic() + 30, work=lambda: "child", poll=nothing)
            # Far from both: what a busy machine takes, and a wait for threads that aren't there.
            os._exit(0 if clock.monotonic() - began < 15 else 1)
        return str(os.waitpid(child, 0)[1])

    assert single_flight.do(NAME, far(clock), work=work, poll=nothing) == "0"


def test_started_work_counts_after_it_has_ended() -> None:
    """Its result is returned, and nothing is done twice."""
    time = HandTime()
    single_flight: SingleFlight[str] = SingleFlight(FallbackCache(None, time.clock), account="north", clock=time.clock)
    started = single_flight.start_in_background(NAME, at_once, work=lambda: "started")
    assert not single_flight.is_in_progress(NAME)
    joined = single_flight.do(NAME, far(time.clock), work=lambda: "again", poll=nothing, started=started)
    assert joined == "started"


@pytest.mark.parametrize("taken", [True, False])
def test_started_work_that_waits_for_a_thread_is_taken_over(taken: bool) -> None:
    """Started work is taken over, whether queued or declined; the thread that reaches it later does nothing."""
    time = HandTime()
    single_flight: SingleFlight[str] = SingleFlight(FallbackCache(None, time.clock), account="north", clock=time.clock)
    jobs: list[Callable[[], object]] = []
    started = single_flight.start_in_background(NAME, lambda job: jobs.append(job) or taken, work=lambda: "started")
    joined = single_flight.do(NAME, far(time.clock), work=lambda: "mine", poll=nothing, started=started)
    assert joined == "mine"
    for job in jobs:
        job()
    assert not single_flight.is_in_progress(NAME)


def test_started_work_without_a_result_is_done_by_the_caller() -> None:
    """None is no outcome."""
    time = HandTime()
    single_flight: SingleFlight[str] = SingleFlight(FallbackCache(None, time.clock), account="north", clock=time.clock)
    started = single_flight.start_in_background(NAME, at_once, work=lambda: None)
    assert single_flight.do(NAME, far(time.clock), work=lambda: "mine", poll=nothing, started=started) == "mine"


def test_who_waits_for_refused_work_does_it_instead() -> None:
    """A refusal of its owner's own reaches the owner alone; the waiting thread works under its own name."""
    clock = Clock()
    single_flight: SingleFlight[str] = SingleFlight(FallbackCache(None, clock), account="north", clock=clock)
    working, release = threading.Event(), threading.Event()
    refused: list[TooMany] = []

    def refused_work() -> str:
        working.set()
        release.wait(30)
        raise OwnerRefused(TooMany(reason="address_limit"))

    def owner() -> None:
        try:
            single_flight.do(NAME, far(clock), work=refused_work, poll=nothing)
        except OwnerRefused as refusal:
            refused.append(refusal.error)

    thread = threading.Thread(target=owner)
    thread.start()
    assert working.wait(30)
    waiting = Crowd(3, lambda: single_flight.do(NAME, far(clock), work=lambda: "mine", poll=nothing))
    release.set()
    assert waiting.join() == ["mine"] * 3
    thread.join(30)
    assert [error.reason for error in refused] == ["address_limit"]


def test_a_refusal_of_started_work_reaches_the_page_that_started_it() -> None:
    """It doesn't try again, and the thread that was refused reports no error of its own."""
    time = HandTime()
    single_flight: SingleFlight[str] = SingleFlight(FallbackCache(None, time.clock), account="north", clock=time.clock)

    def refused_work() -> str:
        raise OwnerRefused(TooMany(reason="reserved"))

    started = single_flight.start_in_background(NAME, at_once, work=refused_work)
    with pytest.raises(OwnerRefused) as refusal:
        single_flight.do(NAME, far(time.clock), work=lambda: "again", poll=nothing, started=started)
    assert refusal.value.error.reason == "reserved"
    assert not single_flight.is_in_progress(NAME)
