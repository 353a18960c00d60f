"""The timer of delayed mail: one thread at most, the earliest time wins, and a request helps where no thread runs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kordless_booking.mail.timer import EarliestTimer
from tests.support.call_counter import count_calls


class Threads:
    """Threads that wait on a clock of the test."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waiting: list[Thread] = []
        self.runs: list[float] = []
        self.most = 0
        self.timer = EarliestTimer(lambda: self.runs.append(self.now), clock=lambda: self.now, thread=self.build)

    def build(self, seconds: float, job: Callable[[], None]) -> Thread:
        """Stand in for threading.Timer."""
        return Thread(self, self.now + seconds, job)

    def pass_(self, seconds: float) -> None:
        """Let time pass, and wake what waits in its order."""
        end = self.now + seconds
        while due := [thread for thread in self.waiting if thread.until <= end]:
            first = min(due, key=lambda thread: thread.until)
            self.now = first.until
            self.waiting.remove(first)
            first.job()
        self.now = end


class Thread:
    """One of them."""

    def __init__(self, threads: Threads, until: float, job: Callable[[], None]) -> None:
        self.threads, self.until, self.job = threads, until, job
        self.daemon = False

    def start(self) -> None:
        assert self.daemon, "it would keep the process alive"
        self.threads.waiting.append(self)
        self.threads.most = max(self.threads.most, len(self.threads.waiting))

    def cancel(self) -> None:
        self.threads.waiting.remove(self)


@pytest.fixture
def threads() -> Threads:
    """Return a timer on a clock that the test moves."""
    return Threads()


def test_the_job_runs_once_when_its_time_has_come(threads: Threads) -> None:
    """Not before, and not again."""
    threads.timer.schedule(60)
    threads.pass_(59)
    assert threads.runs == []
    threads.pass_(100)
    assert threads.runs == [160]


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 20)), max_size=30))
def test_one_thread_waits_and_no_job_is_late(steps: list[tuple[int, int]]) -> None:
    """Whatever is scheduled in whatever order: a run follows each time, at or before what was asked for."""
    threads, deadlines = Threads(), []
    for seconds, passed in steps:
        deadlines.append((threads.now, threads.now + seconds))
        threads.timer.schedule(seconds)
        threads.pass_(passed)
    threads.pass_(100)
    assert threads.most <= 1
    assert not threads.waiting
    assert all(any(since <= run <= until for run in threads.runs) for since, until in deadlines)
    assert len(threads.runs) <= len(deadlines)


def test_the_next_request_runs_what_no_thread_can(threads: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server without threads can't start one."""

    def refuse(_thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    threads.timer.schedule(60)
    threads.timer.run_if_due()
    assert threads.runs == []
    threads.now += 60
    for _ in range(3):
        threads.timer.run_if_due()
    assert threads.runs == [160]


def test_a_job_that_can_start_no_thread_breaks_no_request() -> None:
    """The visitor's page is what matters."""

    def refuse() -> None:
        raise RuntimeError("can't start new thread")

    now = [0.0]
    timer = EarliestTimer(refuse, clock=lambda: now[0], thread=Threads().build)
    timer.schedule(1)
    now[0] = 2
    timer.run_if_due()


def test_of_many_requests_one_runs_the_job() -> None:
    """All see that it is due at the same moment."""
    ran, now = [], [0.0]
    timer = EarliestTimer(lambda: ran.append(1), clock=lambda: now[0], thread=Threads().build)
    timer.schedule(1)
    now[0] = 2
    barrier = threading.Barrier(8, timeout=30)

    def run() -> None:
        barrier.wait()
        timer.run_if_due()

    racers = [threading.Thread(target=run) for _ in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(30)
    assert ran == [1]


def test_a_real_thread_runs_the_job() -> None:
    """threading.Timer on the monotonic clock."""
    done = threading.Event()
    EarliestTimer(done.set).schedule(0.01)
    assert done.wait(60)


def test_a_request_pays_for_a_comparison_alone() -> None:
    """It looks at the clock, and calls nothing else."""
    timer = EarliestTimer(lambda: None, thread=Threads().build)
    timer.schedule(3600)
    # Itself, the clock, and the end of counting.
    assert count_calls(timer.run_if_due) <= 3


def test_a_waiting_timer_does_not_keep_the_process_alive() -> None:
    """The process ends at once, and leaves the mail to the others."""
    code = (
        "from kordless_booking.mail.timer import EarliestTimer\n"
        "EarliestTimer(lambda: None).schedule(3600)\n"
        "print('scheduled')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 (ours)
    assert done.stdout == "scheduled\n"


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 warns of forking with threads
def test_a_forked_process_has_a_timer_of_its_own() -> None:
    """The parent's thread and what it waits for stay behind; a lock that is held at the fork blocks nobody."""
    done = threading.Event()
    timer = EarliestTimer(done.set)
    timer.schedule(3600)
    with warnings.catch_warnings(), timer._lock:
        child = os.fork()
        if not child:
            status = 1
            try:
                timer.reset()
                started_empty = timer._due_at is None
                timer.schedule(0.01)
                status = 0 if started_empty and done.wait(30) else 2
            finally:
                os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not done.is_set()
    timer.reset()


def test_nothing_is_scheduled_while_it_is_paused(threads: Threads) -> None:
    """For tests, in whose database nobody else may write."""
    with threads.timer.paused():
        threads.timer.schedule(1)
    assert not threads.waiting
    threads.timer.schedule(1)
    assert len(threads.waiting) == 1
