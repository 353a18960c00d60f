"""Kordless over a real socket, for whoever wants its line to be slow, silent or cut."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import time_machine

from kordless_booking.sandbox import Limits, Sandbox
from tests.support.clock import NOW
from tests.support.site_cache import finish_fetches


@contextmanager
def far_kordless() -> Iterator[tuple[Sandbox, str, time_machine.Traveller]]:
    """A sandbox, its address, and the time, which runs on from NOW.

    It dawdles as long as the faults says, but not beyond the test.
    """
    over = threading.Event()
    with time_machine.travel(NOW, tick=True) as clock:
        sandbox = Sandbox(":memory:", now=NOW, limits=Limits.off(), sleep=lambda seconds: over.wait(seconds) and None)
        with sandbox.serve() as base:
            yield sandbox, base, clock
            over.set()
            finish_fetches()
            for thread in threading.enumerate():
                if "process_request_thread" in thread.name:
                    thread.join(30)
        sandbox.close()
