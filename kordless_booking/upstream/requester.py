"""Requester: the client address that a page's upstream requests are made for.

A context variable, because many layers lie between the view, which knows the address, and the rate limiter, which
counts. Background work has no requester. Threads that fetch for a page get the page's (`with_same_requester`).
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Requester:
    """Client address of one page request.

    - `identify`: returns a keyed hash of the address, or None when the address isn't the visitor's own. Called only
      when something is fetched: a page from the cache doesn't pay for the hash.
    - `max_fetches`: requests to Kordless that the address may cause in a minute; 0 for no limit.
    - `identify_network`: returns a keyed hash of the network whose owner may have many addresses, or None.
    """

    def __init__(
        self,
        identify: Callable[[], str | None],
        max_fetches: int,
        identify_network: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._identify = identify
        self._identify_network = identify_network
        self.max_fetches = max_fetches
        self.was_refused = False
        """A fetch was refused for a reason that concerns this requester alone, so the page isn't for others."""
        self.is_guessing = False
        """The page looks a booking up by what was typed, which anybody may do: some permits stay for those who have the
        link of one."""
        self._guard = threading.Lock()
        self._is_newcomer: bool | None = None

    @cached_property
    def id(self) -> str | None:
        """Keyed hash of the address, or None for an address that isn't the visitor's own."""
        return self._identify()

    @cached_property
    def network(self) -> str | None:
        """Keyed hash of the network whose owner may have many addresses; None for an address that stands alone."""
        return self._identify_network()

    def is_newcomer(self, has_fetched: Callable[[], bool]) -> bool:
        """Return True if the address had caused no fetch in this minute when the page began.

        Decided by the first call: the fetches of one page must not make each other a second visit. Only that one calls
        `has_fetched`, which returns True if the address has caused a fetch in this minute.
        """
        with self._guard:
            if self._is_newcomer is None:
                self._is_newcomer = not has_fetched()
            return self._is_newcomer


_current: ContextVar[Requester | None] = ContextVar("kordless_booking.upstream.requester", default=None)


class requested_by:  # noqa: N801 (used as a function; one that yields takes three times as long)
    """Make upstream requests in the `with` block on behalf of this requester."""

    __slots__ = ("_requester", "_token")

    def __init__(self, requester: Requester) -> None:
        self._requester = requester

    def __enter__(self) -> Requester:
        self._token = _current.set(self._requester)
        return self._requester

    def __exit__(self, *_error: object) -> None:
        _current.reset(self._token)


def current_requester() -> Requester | None:
    """Return the requester, or None in background work and outside of a page."""
    return _current.get()


def with_same_requester(work: Callable[[], T]) -> Callable[[], T]:
    """Return `work` bound to the current requester, to be called in another thread, which has none of its own."""
    requester = _current.get()

    def bound() -> T:
        token = _current.set(requester)
        try:
            return work()
        finally:
            _current.reset(token)

    return bound
