"""Work that no visitor waits for."""

from __future__ import annotations

import logging
import os
import threading

import pytest

from kordless_booking.logs import request_id
from kordless_booking.upstream.worker import BackgroundWorker, FetchPool, in_background


def test_jobs_are_done_in_daemon_threads_that_know_that_nobody_waits() -> None:
    """They don't keep a process from ending, and the rate limiter can tell their calls apart."""
    seen: list[tuple[bool, bool]] = []
    done = threading.Event()

    def job() -> None:
        seen.append((threading.current_thread().daemon, in_background.get()))
        done.set()

    assert BackgroundWorker()(job)
    assert done.wait(30)
    assert seen == [(True, True)]
    assert not in_background.get()


def test_foreground_jobs_are_calls_that_a_visitor_waits_for() -> None:
    """The rate limiter must not take them for refreshes."""
    seen: list[bool] = []
    foreground = FetchPool()
    assert foreground(lambda: seen.append(in_background.get()))
    foreground.join()
    assert seen == [False]


def test_what_does_not_fit_is_declined_at_once() -> None:
    """One thread busy, one job waiting: the third is not taken, and never done."""
    background = BackgroundWorker(threads=1, waiting=1)
    started, release, done = threading.Event(), threading.Event(), threading.Event()
    extra: list[str] = []

    def busy() -> None:
        started.set()
        release.wait(30)

    assert background(busy)
    assert started.wait(30)
    assert background(done.set)
    assert not background(lambda: extra.append("done"))
    release.set()
    assert done.wait(30)
    assert extra == []


def test_paused_pools_decline_every_job() -> None:
    """Those that there are and new ones, until the last context ends."""
    background, foreground = BackgroundWorker(), FetchPool()
    with BackgroundWorker.paused(), BackgroundWorker.paused():
        assert not background(lambda: None)
    with BackgroundWorker.paused():
        assert not foreground(lambda: None)
    assert background(lambda: None)
    background.join()


def test_a_job_that_raises_is_logged_and_the_next_is_done(caplog: pytest.LogCaptureFixture) -> None:
    """One bad job costs neither the thread nor the others."""
    background = BackgroundWorker(threads=1)
    done = threading.Event()

    def bad() -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        assert background(bad)
        assert background(done.set)
        assert done.wait(30)
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("event=background_job_failed error=ZeroDivisionError at=tests.upstream.test_worker:")


def test_a_job_is_known_by_the_request_that_asked_for_it() -> None:
    """And the next one in the same thread by its own."""
    background, names, done = BackgroundWorker(threads=1), [], threading.Semaphore(0)

    def job() -> None:
        names.append(request_id.get())
        done.release()

    for name in ("first-request", ""):
        token = request_id.set(name)
        background(job)
        request_id.reset(token)
        assert done.acquire(timeout=30)
    assert names == ["first-request", ""]


def test_whoever_joins_waits_for_all_that_was_asked_for() -> None:
    """For what waits in the queue as well; where nothing was ever asked for, there is nothing to wait for."""
    background, done, release = BackgroundWorker(threads=2), [], threading.Event()
    background.join()

    def job() -> None:
        release.wait(30)
        done.append("done")

    for _ in range(5):
        assert background(job)
    threading.Timer(0.05, release.set).start()
    background.join()
    assert done == ["done"] * 5


def test_never_more_threads_than_asked_for() -> None:
    """Many callers at once start the pool once."""
    before = threading.enumerate()
    background = BackgroundWorker(threads=2, waiting=100)
    barrier = threading.Barrier(8, timeout=30)
    done = threading.Semaphore(0)

    def submit() -> None:
        barrier.wait()
        background(done.release)

    callers = [threading.Thread(target=submit) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(30)
    for _ in range(8):
        assert done.acquire(timeout=30)
    # One of an earlier test may end meanwhile, so they are not just counted.
    assert len([thread for thread in threading.enumerate() if thread not in before]) == 2


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 warns of forking with threads
def test_after_a_fork_the_child_has_threads_of_its_own() -> None:
    """A preloading server forks; the parent's threads stay behind with it."""
    background = BackgroundWorker()
    done = threading.Event()
    background(done.set)
    assert done.wait(30)
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        background.join()
        again = threading.Event()
        background(again.set)
        os._exit(0 if again.wait(30) else 1)
    assert os.waitpid(child, 0)[1] == 0
