"""Timer that runs a job at the earliest time that anybody has asked for, in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol


class _Thread(Protocol):
    """The parts of threading.Timer that are used."""

    daemon: bool

    def start(self) -> None: ...

    def cancel(self) -> None: ...


class EarliestTimer:
    """Timer with one thread at most, which doesn't keep the process from exiting. Threads may share it.

    Where no thread can run, the next `run_if_due` runs the job. `job` must be quick: it starts the work elsewhere.
    """

    def __init__(
        self,
        job: Callable[[], object],
        *,
        clock: Callable[[], float] = time.monotonic,
        thread: Callable[[float, Callable[[], None]], _Thread] = threading.Timer,
    ) -> None:
        self._job = job
        self._clock = clock
        self._new_thread = thread
        #: How many `paused` blocks are open.
        self._pauses = 0
        self.reset()

    def reset(self) -> None:
        """Forget what was scheduled, also in a forked process: thread and lock are its parent's."""
        self._lock = threading.Lock()
        #: When the job is due, on `clock`; None while nothing is scheduled.
        self._due_at: float | None = None
        #: The thread that waits, and until when.
        self._waiting: tuple[_Thread, float] | None = None

    def schedule(self, seconds: float) -> None:
        """Run the job in `seconds`, or earlier if that was scheduled before."""
        with self._lock:
            if self._pauses:
                return
            due_at = self._clock() + seconds
            if self._due_at is None or due_at < self._due_at:
                self._due_at = due_at
            self._wait()

    def run_if_due(self) -> None:
        """Run the job now if its time has come. Costs each request one comparison while it hasn't."""
        due_at = self._due_at
        if due_at is None or self._clock() < due_at:
            return
        with self._lock:
            # Of several threads that saw it due, one runs it.
            if self._due_at != due_at:
                return
            self._due_at = None
        # A server without threads can't start the work either; `kordless_mail` does it there.
        with suppress(RuntimeError):
            self._job()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Schedule nothing, for tests: a thread would use another test's database."""
        with self._lock:
            self._pauses += 1
        try:
            yield
        finally:
            with self._lock:
                self._pauses -= 1

    def _wait(self) -> None:
        """See that a thread waits for the time that is due. Needs the lock."""
        if self._due_at is None or self._pauses:
            return
        if self._waiting is not None:
            waiting, until = self._waiting
            if until <= self._due_at:
                # It waits no longer than needed, and looks again when it wakes up.
                return
            waiting.cancel()
        thread = self._new_thread(max(0.0, self._due_at - self._clock()), self._wake_up)
        thread.daemon = True
        self._waiting = (thread, self._due_at)
        try:
            thread.start()
        except RuntimeError:  # no thread can be started (uWSGI, interpreter exit): the next request runs the job
            self._waiting = None

    def _wake_up(self) -> None:
        with self._lock:
            self._waiting = None
        self.run_if_due()
        with self._lock:
            self._wait()
