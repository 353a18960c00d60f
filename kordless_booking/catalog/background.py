"""Pools of threads: for work that no visitor waits for, and for what one visitor waits for several of."""

from __future__ import annotations

import logging
import os
import queue
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.db import connections

from kordless_booking.logs import request_id, say, where

from .own_backend import close_own_backends

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Background", "Foreground", "beside", "unattended"]

logger = logging.getLogger(__name__)

unattended: ContextVar[bool] = ContextVar("unattended", default=False)
"""True inside a background job: the budget grants such calls less."""

beside: ContextVar[bool] = ContextVar("beside", default=False)
"""True inside a foreground job: the circuit takes the calls of one page that fail together for one failure."""


class Background:
    """A few daemon threads, started when first needed (and again after a fork), with a short queue before
    them.
    """

    _kind = unattended

    def __init__(self, *, threads: int = 2, waiting: int = 16) -> None:
        self._threads = threads
        self._waiting = waiting
        self._lock = threading.Lock()
        self._process = 0
        self._jobs: queue.Queue[tuple[str, Callable[[], object]]] = queue.Queue(waiting)

    def __call__(self, job: Callable[[], object]) -> bool:
        """Have `job` done soon; False when too much is waiting already, and then it is not done.

        What it says in the log carries the id of the request that asked for it.
        """
        if self._process != os.getpid():
            self._start()
        try:
            self._jobs.put_nowait((request_id.get(), job))
        except queue.Full:
            return False
        return True

    def join(self) -> None:
        """Wait until all that was asked for in this process is done, for who is about to take its ground away."""
        if self._process == os.getpid():
            self._jobs.join()

    def _start(self) -> None:
        with self._lock:
            if self._process == os.getpid():
                return
            self._jobs = queue.Queue(self._waiting)
            for number in range(self._threads):
                name = f"kordless-background-{number}"
                threading.Thread(target=self._work, args=(self._jobs,), name=name, daemon=True).start()
            self._process = os.getpid()

    def _work(self, jobs: queue.Queue[tuple[str, Callable[[], object]]]) -> None:
        self._kind.set(True)
        while True:
            asked_by, job = jobs.get()
            request_id.set(asked_by)
            try:
                job()
            except Exception as error:  # noqa: BLE001 (a job may raise anything)
                say(logger, logging.ERROR, "background_job_failed", **where(error))
            finally:
                # Outside a request nobody else closes what the job has opened, in a database or a cache server.
                connections.close_all()
                close_own_backends()
                jobs.task_done()


class Foreground(Background):
    """The same for work that a visitor waits for: the budget grants its calls what it grants visitors.

    A job that is declined, or still waits when its result is needed, is done by the thread that needs it.
    """

    _kind = beside
