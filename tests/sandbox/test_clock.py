"""The sandbox's clock: real by default, settable, stored in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from kordless_booking.sandbox import Sandbox
from tests.support.sandbox_api import NOW


def test_real_by_default() -> None:
    """Without a word it is now."""
    with time_machine.travel(NOW, tick=False):
        assert Sandbox().clock.now() == NOW


def test_set_stands_still_and_advances() -> None:
    """A set clock waits to be moved."""
    sandbox = Sandbox(now=NOW)
    assert sandbox.clock.now() == NOW
    sandbox.clock.advance(timedelta(hours=2))
    assert sandbox.clock.now() == NOW + timedelta(hours=2)
    sandbox.clock.use_real_time()
    assert abs(sandbox.clock.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_may_run_on_from_the_set_moment() -> None:
    """Unfrozen, it goes with the real time from there, also after an advance."""
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as traveller:
        clock = Sandbox().clock
        clock.set(NOW, frozen=False)
        traveller.shift(90)
        clock.advance(timedelta(seconds=10))
        assert clock.now() == NOW + timedelta(seconds=100)


def test_naive_times_are_rejected() -> None:
    """A moment without a zone is none."""
    with pytest.raises(ValueError, match="aware"):
        Sandbox().clock.set(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive one is the point
