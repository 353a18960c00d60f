"""Write-behind counter: a count costs a request a microsecond, and a thread writes the sums now and then."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

from django.db import DataError

from kordless_booking.logs import log_event

log = logging.getLogger("kordless_booking.funnel")

WRITE_EVERY_SECONDS: Final = 30.0
"""Seconds between a count and its writing, and until a failed writing is tried again."""
MAX_KEYS: Final = 2000
"""Different keys between two writings, so that visitors can't fill the memory. More are dropped, and logged."""

_UNWRITABLE: Final = (DataError, ValueError)
"""Errors of values that no row can hold, whenever it is tried. Which one it is depends on the database's driver."""

K = TypeVar("K", bound=Hashable)


def run_later(seconds: float, job: Callable[[], object]) -> None:
    """Run `job` after `seconds`, in a thread that doesn't keep the process from exiting."""
    timer = threading.Timer(seconds, job)
    timer.daemon = True
    timer.name = "kordless-counts"
    timer.start()


class BufferedCounter(Generic[K]):
    """Write-behind counter. Threads may share it.

    `write` gets the counts and must write all of them or, raising, none. After a DataError or ValueError it gets each
    count alone, and those that raise it again are dropped: one that no row can hold would keep all back.
    `later(seconds, job)` schedules a job. The first count after a writing schedules the next one, so that an idle
    process does nothing.
    """

    def __init__(
        self,
        write: Callable[[Mapping[K, int]], None],
        *,
        name: str,
        every: float = WRITE_EVERY_SECONDS,
        max_keys: int = MAX_KEYS,
        later: Callable[[float, Callable[[], object]], None] = run_later,
    ) -> None:
        self._write = write
        self._name = name
        self._every = every
        self._max_keys = max_keys
        self._later = later
        #: How many `paused` blocks are open.
        self._pauses = 0
        self._begin()

    def _begin(self) -> None:
        #: Guards the fields below.
        self._lock = threading.Lock()
        #: Held during a writing: one at a time.
        self._writing = threading.Lock()
        self._counts: dict[K, int] = {}
        #: A writing is scheduled.
        self._waits = False
        #: How many counts were dropped.
        self._lost = 0

    def add(self, key: K) -> None:
        """Count one more."""
        with self._lock:
            self._count(key, 1)
            start = self._is_to_start()
        # Outside of the lock: starting a thread takes time, in which other requests must be able to count.
        if start:
            self._start()

    def flush(self) -> bool:
        """Write what was counted. Return False when that failed: then it is kept for the next time."""
        with self._writing:
            # Only for the exchange: requests go on counting during the writing.
            with self._lock:
                counts, self._counts = self._counts, {}
                lost, self._lost = self._lost, 0
                self._waits = False
            if lost:
                log_event(log, logging.WARNING, "counts_dropped", counter=self._name, count=lost)
            if not counts:
                return True
            try:
                try:
                    self._write(counts)
                except _UNWRITABLE:
                    self._write_singly(counts)
            except Exception as error:  # noqa: BLE001 (a database raises anything, and no visitor must hear of it)
                log_event(log, logging.ERROR, "counts_not_written", counter=self._name, error=type(error).__name__)
                self._take_back(counts)
                return False
        return True

    def drain(self) -> dict[K, int]:
        """Return what isn't written yet, and forget it. For tests."""
        with self._lock:
            counts, self._counts = self._counts, {}
        return counts

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Suspend automatic writing. For tests, in whose database nobody else may write."""
        with self._lock:
            self._pauses += 1
        try:
            yield
        finally:
            with self._lock:
                self._pauses -= 1
                start = bool(self._counts) and self._is_to_start()
            if start:
                self._start()

    def reset_after_fork(self) -> None:
        """Start empty in a forked process. The parent writes what it has counted.

        The locks are new too: the parent's may be held by a thread that this process doesn't have.
        """
        self._begin()

    def _write_singly(self, counts: dict[K, int]) -> None:
        """Write each count alone. Removes from `counts` what was written or dropped, also when it raises."""
        dropped, error_name = 0, ""
        try:
            for key, number in list(counts.items()):
                try:
                    self._write({key: number})
                except _UNWRITABLE as error:
                    dropped, error_name = dropped + number, type(error).__name__
                del counts[key]
        finally:
            if dropped:
                log_event(log, logging.WARNING, "counts_dropped", counter=self._name, count=dropped, error=error_name)

    def _count(self, key: K, number: int) -> None:
        if key in self._counts:
            self._counts[key] += number
        elif len(self._counts) < self._max_keys:
            self._counts[key] = number
        else:
            self._lost += number

    def _take_back(self, counts: Mapping[K, int]) -> None:
        """Add counts that could not be written to those that were counted meanwhile."""
        with self._lock:
            for key, number in counts.items():
                self._count(key, number)
            start = self._is_to_start()
        if start:
            self._start()

    def _is_to_start(self) -> bool:
        """Return whether the caller must schedule a writing. Needs the lock."""
        if self._waits or self._pauses:
            return False
        self._waits = True
        return True

    def _start(self) -> None:
        try:
            self._later(self._every, self._on_time)
        except RuntimeError:  # no thread can be started (uWSGI, interpreter exit): the next count tries again
            self._waits = False

    def _on_time(self) -> None:
        # Paused after this was scheduled: the end of the pause schedules again.
        if self._pauses:
            self._waits = False
        else:
            self.flush()
