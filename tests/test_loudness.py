"""Log throttling: which lines keep their level."""

import logging

import pytest

from kordless_booking.clock import Clock
from kordless_booking.logs import LogThrottle


@pytest.mark.parametrize(("level", "quiet"), [(logging.WARNING, 60), (logging.ERROR, 60), (logging.CRITICAL, 300)])
def test_a_kind_is_told_aloud_once_in_a_while(level: int, quiet: int):
    """The first line of a kind is loud, those that follow are INFO until its time is over; another kind is loud too."""
    now = [1000.0]
    loudness = LogThrottle(Clock(now=lambda: now[0]))
    assert loudness.level_for("one", level) == level
    assert loudness.level_for("one", level) == logging.INFO
    assert loudness.level_for("other", level) == level
    now[0] += quiet - 0.5
    assert loudness.level_for("one", level) == logging.INFO
    now[0] += 0.5
    assert loudness.level_for("one", level) == level


def test_a_clock_set_back_silences_nothing():
    """After the clock was put back by an hour, trouble is told aloud again."""
    now = [10_000.0]
    loudness = LogThrottle(Clock(now=lambda: now[0]))
    assert loudness.level_for("one", logging.ERROR) == logging.ERROR
    now[0] -= 3600
    assert loudness.level_for("one", logging.ERROR) == logging.ERROR


def test_what_is_no_trouble_stays_as_it_is():
    """INFO is told each time as it is."""
    loudness = LogThrottle(Clock())
    assert [loudness.level_for("one", logging.INFO) for _ in range(3)] == [logging.INFO] * 3
