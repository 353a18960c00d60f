"""The catalog's clock."""

from __future__ import annotations

import time

import time_machine

from kordless_booking.clock import Clock


def test_by_default_it_is_the_real_one() -> None:
    """The wall clock can be travelled with; steady time can't be, and only runs forward."""
    clock = Clock()
    before = clock.monotonic()
    with time_machine.travel(1_900_000_000, tick=False):
        assert clock.now() == 1_900_000_000
    assert clock.monotonic() >= before
    assert clock.sleep is time.sleep
