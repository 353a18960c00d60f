"""A Kordless that shows which of its calls are made at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from pytest_django import Settings

from kordless_booking.api.session import wsgi_transport
from kordless_booking.sandbox import Sandbox
from tests.support.site_cache import empty_cache

PATIENCE = 20
"""Seconds after which a round is given up. A page whose calls overlap never waits so long."""


class Rounds(httpx.BaseTransport):
    """Answers the calls of a round when all of them have arrived, so none of those made one after another.

    `sizes` says how many calls there are in each round; further ones are refused.
    """

    def __init__(self, sandbox: Sandbox, sizes: tuple[int, ...]) -> None:
        self._within = wsgi_transport(sandbox)
        self.barriers = [barrier for size in sizes for barrier in [threading.Barrier(size, timeout=PATIENCE)] * size]
        self._guard = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._guard:
            together = self.barriers.pop(0)
        together.wait()
        return self._within.handle_request(request)


@contextmanager
def cold_in_rounds(site: Settings, sandbox: Sandbox, *sizes: int) -> Iterator[None]:
    """Nothing is known of Kordless, which is asked in rounds of these sizes, and of nothing else, inside."""
    rounds = Rounds(sandbox, sizes)
    before = site.KORDLESS_BOOKING
    empty_cache()
    site.KORDLESS_BOOKING = {**before, "TRANSPORT": rounds, "BROWSE_SECONDS": 25}
    sandbox.clear_requests()
    yield
    assert not rounds.barriers
    assert len(sandbox.requests) == sum(sizes)
    site.KORDLESS_BOOKING = before
