"""Single-flight: of all threads and processes that want the same work done, one does it and the others get its result.

A `Future` joins the threads of this process, a lock in the cache joins the processes. Both are needed: LocMem and file
caches don't lock between processes, and a thread that waits for its neighbor should cost no round trips.
"""

from __future__ import annotations

import os
import secrets
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from .keys import cache_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from kordless_booking.clock import Clock
    from kordless_booking.exceptions import TooMany

    from .fallback_cache import FallbackCache

POLL_SECONDS = 0.05
"""Seconds between two polls for the result of another process."""

LOCK_TTL = 10
"""Whole seconds until a lock expires. Well above the time of any fetch, so that only a crashed owner's lock expires."""

GRACE_SECONDS = 1.0
"""Extra seconds to wait for work that this caller started. It ends by the same deadline, but on a busy machine its
thread may report that a moment late.
"""


class OwnerRefused(Exception):
    """Raised by work that was refused for a reason that concerns its owner alone. Who waits for it does it instead."""

    def __init__(self, error: TooMany) -> None:
        super().__init__()
        self.error = error
        """The refusal."""


R = TypeVar("R")
Name = tuple[str, ...]


class SingleFlight(Generic[R]):
    """Single-flight for threads and processes. Knows the work in progress of this process, by name.

    Deadlines are in the clock's monotonic seconds.
    """

    def __init__(self, cache: FallbackCache, *, account: str, clock: Clock) -> None:
        self._cache = cache
        self._account = account
        self._clock = clock
        self._guard = threading.Lock()
        self._in_progress: dict[Name, Future[R | None]] = {}
        self._process = os.getpid()

    def do(
        self,
        name: Name,
        deadline: float,
        *,
        work: Callable[[], R],
        poll: Callable[[], R | None],
        started: Future[R | None] | None = None,
    ) -> R | None:
        """Run `work`, or wait for the caller that is running it, and return the result.

        Return None if another caller did not finish by the deadline. An exception of `work` is raised to all callers of
        this process, but OwnerRefused to the caller alone that ran it or started it.

        - `work` runs under the lock. It should check once more for a result of another process before it starts: the
          lock may have been released a moment ago.
        - `poll` returns the result of another process, or None while there is none.
        - `started` is what `start_in_background` returned for this work. Its result counts even if it is complete by
          now. It ends by the same deadline, so it gets `GRACE_SECONDS` more to report.
        """
        while (left := deadline - self._clock.monotonic()) > 0:
            # `cancel` succeeds if the work still waits for a background thread. Then this thread takes it over.
            if started is not None and not started.cancel():
                future, is_owner, left = started, False, left + GRACE_SECONDS
            else:
                future, is_owner = self._join_or_start(name)
            is_mine = is_owner or future is started
            # For the first round only: after it, that work has ended or was taken over.
            started = None
            try:
                if is_owner:
                    outcome = self._run(name, future, lambda: self._run_locked(name, deadline, work, poll))
                else:
                    outcome = future.result(left)
            except TimeoutError:
                break
            except OwnerRefused:
                if is_mine:
                    raise
                continue
            # None: the one whose work this was gave up at its own, earlier deadline. Try again with ours.
            if outcome is not None:
                return outcome
        return None

    def start_in_background(
        self, name: Name, submit: Callable[[Callable[[], object]], bool], *, work: Callable[[], R | None]
    ) -> Future[R | None] | None:
        """Start `work` in another thread by `submit`, and return its future; None if this process does it already.

        The future is canceled when `submit` declines the job, or when a reader takes over the queued work. Its result
        is None when another process does the work, or when `work` returned None.
        """

        def job() -> None:
            # False when a reader has taken the work over while this waited for a background thread.
            if future.set_running_or_notify_cancel():
                # A deadline of now: when another process holds the lock, it refreshes, and nobody waits here.
                now = self._clock.monotonic()
                # A refusal is no error of the thread: whoever waits for the future gets it.
                with suppress(OwnerRefused):
                    self._run(name, future, lambda: self._run_locked(name, now, work, lambda: None))

        with self._guard:
            if name in self._current():
                return None
            future = self._in_progress[name] = Future()
        # Not taken, and no reader has joined meanwhile: without this, later callers would wait for nobody.
        if not submit(job) and future.cancel():
            self._finish(name, future)
        return future

    def is_in_progress(self, name: Name) -> bool:
        """Return True if a thread of this process does this work, or is about to."""
        with self._guard:
            return name in self._current()

    def forget(self, group: Name) -> None:
        """Forget the work in progress of this group, because its result is out of date: later callers start anew.

        Callers that wait already still get the result.
        """
        with self._guard:
            for name in [name for name in self._current() if name[: len(group)] == group]:
                del self._in_progress[name]

    def _join_or_start(self, name: Name) -> tuple[Future[R | None], bool]:
        with self._guard:
            future = self._current().get(name)
            # `cancel` succeeds only while the work still waits for a background thread. A reader would wait for that
            # thread too, so it takes the work over.
            if future is not None and not future.cancel():
                return future, False
            future = self._in_progress[name] = Future()
            future.set_running_or_notify_cancel()
            return future, True

    def _current(self) -> dict[Name, Future[R | None]]:
        if self._process != os.getpid():
            # Threads don't survive a fork: in the child nobody would ever complete these futures.
            self._in_progress, self._process = {}, os.getpid()
        return self._in_progress

    def _run(self, name: Name, future: Future[R | None], call: Callable[[], R | None]) -> R | None:
        try:
            outcome = call()
        except BaseException as error:
            # Unregistered before the result is set: a later caller starts new work instead of getting an old result.
            self._finish(name, future)
            future.set_exception(error)
            raise
        self._finish(name, future)
        future.set_result(outcome)
        return outcome

    def _finish(self, name: Name, future: Future[R | None]) -> None:
        with self._guard:
            # After `forget`, the name may belong to newer work.
            if self._in_progress.get(name) is future:
                del self._in_progress[name]

    def _run_locked(
        self, name: Name, deadline: float, work: Callable[[], R | None], poll: Callable[[], R | None]
    ) -> R | None:
        lock, token = cache_key(self._account, "lock", *name), secrets.token_hex(8)
        while not self._cache.add(lock, token, LOCK_TTL):
            if self._clock.monotonic() >= deadline:
                return None
            self._clock.sleep(POLL_SECONDS)
            if (outcome := poll()) is not None:
                return outcome
        # A second of margin: the lock must not expire between this check and the delete.
        until = self._clock.monotonic() + LOCK_TTL - 1
        try:
            return work()
        finally:
            # Past its time the lock may be another's; and a cache that lost our lock may have granted it anew.
            if self._clock.monotonic() < until and self._cache.get_many([lock]).get(lock) == token:
                self._cache.delete_many([lock])
