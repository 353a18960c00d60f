"""Counts that cost a request a microsecond: kept in the process, and written by and by from a thread of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

from kordless_booking.logs import say

__all__ = ["Tally", "in_a_thread"]

log = logging.getLogger("kordless_booking.counts")

EVERY: Final = 30.0
"""Seconds that a count waits before it is written; a failed writing is tried again as late."""
MOST: Final = 2000
"""Different things that are counted between two writings. What is new beyond that is lost, and said to be."""

K = TypeVar("K", bound=Hashable)


def in_a_thread(seconds: float, job: Callable[[], object]) -> None:
    """Do `job` after some seconds. Its thread keeps no process from ending."""
    timer = threading.Timer(seconds, job)
    timer.daemon = True
    timer.name = "kordless-counts"
    timer.start()


class Tally(Generic[K]):
    """How often each key was counted since the last writing. Safe to share between threads.

    `write` is given the counts and writes all of them or, raising, none; `later` does something after some seconds.
    The first count after a writing starts the wait for the next, so that nothing runs while nothing happens.
    """

    def __init__(
        self,
        write: Callable[[Mapping[K, int]], None],
        *,
        name: str,
        every: float = EVERY,
        most: int = MOST,
        later: Callable[[float, Callable[[], object]], None] = in_a_thread,
    ) -> None:
        self._write = write
        self._name = name
        self._every = every
        self._most = most
        self._later = later
        self._held = 0
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._counts: dict[K, int] = {}
        self._waits = False
        self._lost = 0

    def add(self, key: K) -> None:
        """Count one more."""
        with self._lock:
            self._count(key, 1)
            start = self._is_to_start()
        if start:
            self._start()

    def flush(self) -> bool:
        """Write what was counted. False when that failed: then it is kept for the next time."""
        with self._writing:
            with self._lock:
                counts, self._counts = self._counts, {}
                lost, self._lost = self._lost, 0
                self._waits = False
            if lost:
                say(log, logging.WARNING, "counts_dropped", what=self._name, number=lost)
            if not counts:
                return True
            try:
                self._write(counts)
            except Exception as error:  # noqa: BLE001 (a database raises anything, and no visitor must hear of it)
                say(log, logging.ERROR, "counts_not_written", what=self._name, error=type(error).__name__)
                self._take_back(counts)
                return False
        return True

    def take(self) -> dict[K, int]:
        """What is not written yet; from now on it counts as written."""
        with self._lock:
            counts, self._counts = self._counts, {}
        return counts

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing is written by itself while this lasts: for tests, whose database is nobody else's to write to."""
        with self._lock:
            self._held += 1
        try:
            yield
        finally:
            with self._lock:
                self._held -= 1
                start = bool(self._counts) and self._is_to_start()
            if start:
                self._start()

    def begin_anew(self) -> None:
        """In a process that has just been forked: what was counted is its parent's to write, and no lock is held."""
        self._begin()

    def _count(self, key: K, number: int) -> None:
        if key in self._counts:
            self._counts[key] += number
        elif len(self._counts) < self._most:
            self._counts[key] = number
        else:
            self._lost += number

    def _take_back(self, counts: Mapping[K, int]) -> None:
        with self._lock:
            for key, number in counts.items():
                self._count(key, number)
            start = self._is_to_start()
        if start:
            self._start()

    def _is_to_start(self) -> bool:
        if self._waits or self._held:
            return False
        self._waits = True
        return True

    def _start(self) -> None:
        try:
            self._later(self._every, self._on_time)
        except RuntimeError:  # no thread can be started: the next count tries again
            self._waits = False

    def _on_time(self) -> None:
        if self._held:
            self._waits = False
        else:
            self.flush()
