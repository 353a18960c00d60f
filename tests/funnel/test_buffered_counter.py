"""Counts in memory: exact among threads, bounded, kept when they can't be written, and a child's own after a fork."""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from kordless_booking.funnel.buffered_counter import WRITE_EVERY_SECONDS, BufferedCounter, run_later


class Book:
    """Where counts are written; refuses while `failures` last."""

    def __init__(self) -> None:
        self.written: Counter[str] = Counter()
        self.failures = 0

    def __call__(self, counts: Mapping[str, int]) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("canary")
        self.written.update(counts)


class Later:
    """Time in the test's hands: what is to be done, and after how many seconds."""

    def __init__(self) -> None:
        self.jobs: list[tuple[float, Callable[[], object]]] = []

    def __call__(self, seconds: float, job: Callable[[], object]) -> None:
        self.jobs.append((seconds, job))

    def pass_by(self) -> None:
        """Do everything that waits now."""
        due, self.jobs = self.jobs, []
        for _, job in due:
            job()


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def counter(book: Book, later: Later) -> BufferedCounter[str]:
    return BufferedCounter(book, name="things", max_keys=3, later=later)


def test_it_is_written_once_in_half_a_minute(counter: BufferedCounter[str], book: Book, later: Later) -> None:
    """The first count starts the wait; those after it go with it; without any nothing waits."""
    for key in ("a", "b", "a"):
        counter.add(key)
    assert [seconds for seconds, _ in later.jobs] == [WRITE_EVERY_SECONDS]
    assert not book.written
    later.pass_by()
    assert book.written == {"a": 2, "b": 1}
    assert later.jobs == []
    counter.add("a")
    assert len(later.jobs) == 1


def test_counts_that_can_not_be_written_stay_buffered_for_a_retry(
    counter: BufferedCounter[str], book: Book, later: Later, caplog: pytest.LogCaptureFixture
) -> None:
    """Together with what came in the meantime; the log has the kind of error alone."""
    book.failures = 2
    counter.add("a")
    later.pass_by()
    counter.add("a")
    counter.add("b")
    assert len(later.jobs) == 1
    later.pass_by()
    assert not book.written
    later.pass_by()
    assert book.written == {"a": 2, "b": 1}
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["event=counts_not_written counter=things error=ConnectionError"] * 2


def test_it_never_grows_without_end(
    counter: BufferedCounter[str], book: Book, later: Later, caplog: pytest.LogCaptureFixture
) -> None:
    """New keys beyond the bound are dropped and logged; known keys are still counted."""
    for key in "abcdeaa":
        counter.add(key)
    later.pass_by()
    assert book.written == {"a": 3, "b": 1, "c": 1}
    assert caplog.records[0].getMessage() == "event=counts_dropped counter=things count=2"
    assert caplog.records[0].levelno == logging.WARNING


def test_nothing_is_lost_or_counted_twice_among_threads(book: Book) -> None:
    """Sixteen threads count while two write all the time, and one writing in three fails."""
    counter: BufferedCounter[str] = BufferedCounter(book, name="things", later=lambda seconds, job: None)
    stop = threading.Event()

    def write_on() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            book.failures = int(number % 3 == 0)
            counter.flush()

    def count(number: int) -> None:
        for step in range(2000):
            counter.add(f"{(number + step) % 7}")

    with ThreadPoolExecutor(18) as threads:
        writers = [threads.submit(write_on) for _ in range(2)]
        list(threads.map(count, range(16)))
        stop.set()
        for writer in writers:
            writer.result()
    book.failures = 0
    assert counter.flush()
    assert book.written.total() == 16 * 2000


def test_a_thread_of_its_own_does_the_writing() -> None:
    """A daemon, so that it keeps no process from ending."""
    seen: list[bool] = []
    done = threading.Event()
    counter: BufferedCounter[str] = BufferedCounter(
        lambda counts: (seen.append(threading.current_thread().daemon), done.set())[1],  # type: ignore[func-returns-value]
        name="things",
        every=0.001,
        later=run_later,
    )
    counter.add("a")
    assert done.wait(30)
    assert seen == [True]


def test_no_thread_to_be_had_costs_nothing_but_the_wait(book: Book) -> None:
    """The next count tries again."""
    tries: list[float] = []

    def refuse(seconds: float, job: Callable[[], object]) -> None:
        tries.append(seconds)
        raise RuntimeError("can't start new thread")

    counter: BufferedCounter[str] = BufferedCounter(book, name="things", later=refuse)
    counter.add("a")
    counter.add("a")
    assert len(tries) == 2
    assert counter.flush()
    assert book.written == {"a": 2}


def test_while_it_is_held_nothing_is_written_by_itself(counter: BufferedCounter[str], book: Book, later: Later) -> None:
    """Also not by a wait that began before; afterwards it goes on."""
    counter.add("a")
    with counter.paused():
        later.pass_by()
        counter.add("b")
        assert later.jobs == []
        assert not book.written
    later.pass_by()
    assert book.written == {"a": 1, "b": 1}


def test_what_is_taken_is_not_written(counter: BufferedCounter[str], book: Book) -> None:
    """Whoever takes the counts has them."""
    counter.add("a")
    assert counter.drain() == {"a": 1}
    assert counter.flush()
    assert not book.written


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_counts_for_itself(counter: BufferedCounter[str], later: Later) -> None:
    """After a fork in the middle of a count it holds no lock, and its parent's counts are not its own to write."""
    counter.add("a")
    with counter._lock:
        child = os.fork()
        if child == 0:
            counter.reset_after_fork()
            later.jobs.clear()
            counter.add("b")
            os._exit(0 if counter.drain() == {"b": 1} and len(later.jobs) == 1 else 1)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert counter.drain() == {"a": 1}
