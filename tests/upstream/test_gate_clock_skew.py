"""A clock of Kordless's that is off is said, once in a while."""

from __future__ import annotations

import pytest

from kordless_booking.api.responses import ResponseMeta
from kordless_booking.upstream.fallback_cache import FallbackCache
from kordless_booking.upstream.gate import UpstreamGate, seconds_ahead
from tests.support.controlled_cache import HandTime, SharedMemory


def pop_messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the messages about clock skew since the last call, and clear them."""
    lines = [record.getMessage() for record in caplog.records if "clock_skew" in record.getMessage()]
    caplog.clear()
    return lines


def test_clock_skew_is_logged_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    """Ahead or behind by more than two minutes; a stepped clock of our own doesn't count as an hour."""
    time = HandTime()
    gate = UpstreamGate(FallbackCache(SharedMemory(time.clock), time.clock), account="key", clock=time.clock)

    def answered(ahead: float | None) -> list[str]:
        gate.before("organization")
        gate.after("organization", ResponseMeta(200, date=None if ahead is None else time.wall + ahead))
        return pop_messages(caplog)

    assert answered(None) == answered(120) == answered(-119) == []
    assert answered(600) == ["event=clock_skew seconds=600"]
    assert answered(-600) == []
    time.step(-4000)
    assert answered(600) == []
    time.pass_(3601)
    assert answered(-600) == ["event=clock_skew seconds=-600"]


def test_no_answer_and_no_date_say_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A time-out is no clock."""
    time = HandTime()
    gate = UpstreamGate(FallbackCache(None, time.clock), account="key", clock=time.clock)
    gate.before("organization")
    gate.after("organization", None)
    assert pop_messages(caplog) == []
    assert seconds_ahead(ResponseMeta(200), time.wall) is None
