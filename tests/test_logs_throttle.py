"""Log throttling: which lines keep their level, and how often an event is logged."""

import logging

import pytest

from kordless_booking.clock import Clock
from kordless_booking.logs import LogThrottle


@pytest.mark.parametrize(("level", "quiet"), [(logging.WARNING, 60), (logging.ERROR, 60), (logging.CRITICAL, 300)])
def test_an_event_keeps_its_level_once_in_each_interval(level: int, quiet: int):
    """The first line of a kind has its level, later ones are INFO until the interval is over; other kinds are apart."""
    now = [1000.0]
    throttle = LogThrottle(Clock(monotonic=lambda: now[0]))
    assert throttle.level_for("one", level) == level
    assert throttle.level_for("one", level) == logging.INFO
    assert throttle.level_for("other", level) == level
    now[0] += quiet - 0.5
    assert throttle.level_for("one", level) == logging.INFO
    now[0] += 0.5
    assert throttle.level_for("one", level) == level


def test_a_wall_clock_set_back_silences_nothing():
    """The interval is over after its seconds, even if the wall clock was set back by an hour meanwhile."""
    wall, steady = [10_000.0], [0.0]
    throttle = LogThrottle(Clock(now=lambda: wall[0], monotonic=lambda: steady[0]))
    assert throttle.level_for("one", logging.ERROR) == logging.ERROR
    wall[0] -= 3600
    steady[0] += 60
    assert throttle.level_for("one", logging.ERROR) == logging.ERROR


def test_info_is_never_throttled():
    """INFO stays INFO, each time."""
    throttle = LogThrottle(Clock())
    assert [throttle.level_for("one", logging.INFO) for _ in range(3)] == [logging.INFO] * 3


def test_an_event_is_due_once_in_the_given_seconds():
    """Each kind has its own interval, which the caller chooses."""
    now = [0.0]
    throttle = LogThrottle(Clock(monotonic=lambda: now[0]))
    assert [throttle.is_due("one", 3600), throttle.is_due("one", 3600), throttle.is_due("other", 1)] == [
        True,
        False,
        True,
    ]
    now[0] = 3599.0
    assert not throttle.is_due("one", 3600)
    now[0] = 3600.0
    assert throttle.is_due("one", 3600)
