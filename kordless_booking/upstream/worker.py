"""Bounded thread pools: one for work that no visitor waits for, one for fetches that a page waits for in parallel."""

from __future__ import annotations

import logging
import os
import queue
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.db import connections

from kordless_booking.logs import error_location, log_event, request_id

from .pickleless_backend import close_pickleless_backends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)

in_background: ContextVar[bool] = ContextVar("in_background", default=False)
"""True inside a background job. The rate limiter gives such calls the lowest priority."""

is_parallel_fetch: ContextVar[bool] = ContextVar("is_parallel_fetch", default=False)
"""True inside a foreground job. The circuit breaker doesn't count failures of such calls: the parallel calls of a page
tend to fail together, and the page's own call counts for all of them.
"""


class BackgroundWorker:
    """Pool of daemon threads behind a bounded queue. Starts its threads with the first job, and again after a fork.

    `threads`: size of the pool. `waiting`: maximum number of queued jobs.
    """

    _kind = in_background
    _pauses = 0
    """Contexts of `paused` that are open, of all pools."""

    def __init__(self, *, threads: int = 2, waiting: int = 16) -> None:
        self._threads = threads
        self._waiting = waiting
        self._lock = threading.Lock()
        self._process = 0
        self._jobs: queue.Queue[tuple[str, Callable[[], object]]] = queue.Queue(waiting)

    def __call__(self, job: Callable[[], object]) -> bool:
        """Queue `job` and return True. Return False, without running it, when the queue is full.

        Log lines of the job carry the id of the request that queued it.
        """
        if BackgroundWorker._pauses:
            return False
        # Threads don't survive a fork: a forked worker has to start its own.
        if self._process != os.getpid():
            self._start()
        try:
            self._jobs.put_nowait((request_id.get(), job))
        except queue.Full:
            return False
        return True

    def join(self) -> None:
        """Wait until all jobs queued in this process are done, for a caller about to remove what they depend on."""
        if self._process == os.getpid():
            self._jobs.join()

    @staticmethod
    @contextmanager
    def paused() -> Iterator[None]:
        """Decline every job of every pool, for the tests of a site: a thread would use another test's database."""
        BackgroundWorker._pauses += 1
        try:
            yield
        finally:
            BackgroundWorker._pauses -= 1

    def _start(self) -> None:
        with self._lock:
            if self._process == os.getpid():
                return
            # A new queue: the parent runs the jobs of the old one, and its locks may have been locked during the fork.
            self._jobs = queue.Queue(self._waiting)
            for number in range(self._threads):
                name = f"kordless-background-{number}"
                threading.Thread(target=self._work, args=(self._jobs,), name=name, daemon=True).start()
            # Set last: `__call__` reads it without the lock.
            self._process = os.getpid()

    def _work(self, jobs: queue.Queue[tuple[str, Callable[[], object]]]) -> None:
        # A thread starts with an empty context, so this applies to all calls that are ever made in it.
        self._kind.set(True)
        while True:
            asked_by, job = jobs.get()
            request_id.set(asked_by)
            try:
                job()
            except Exception as error:  # noqa: BLE001 (a job may raise anything)
                log_event(logger, logging.ERROR, "background_job_failed", **error_location(error))
            finally:
                # Outside a request nobody else closes what the job has opened, in a database or a cache server.
                connections.close_all()
                close_pickleless_backends()
                jobs.task_done()


class FetchPool(BackgroundWorker):
    """Pool for work that a visitor waits for. Its calls have the same priority as those of the visitor's own thread.

    The thread that needs the result runs a job itself if the pool declined it or hasn't started it yet.
    """

    _kind = is_parallel_fetch
