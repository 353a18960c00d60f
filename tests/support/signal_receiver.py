"""Receiver of the site's signals that records them, and can fail on request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.dispatch import Signal

from kordless_booking.signals import booking_cancelled, booking_created, booking_rescheduled, event_received

SIGNALS: dict[str, Signal] = {
    "created": booking_created,
    "rescheduled": booking_rescheduled,
    "cancelled": booking_cancelled,
}


@dataclass
class SignalRecorder:
    """Recording receiver. `calls` has (signal, source, start) of changes; `failures` is how often it still raises."""

    calls: list[tuple[str, str, str]] = field(default_factory=list)
    arguments: list[dict[str, Any]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    failures: int = 0

    def record(self, what: str, **arguments: Any) -> None:
        """Record a change, or raise."""
        if self.failures:
            self.failures -= 1
            raise LookupError("canary-message")
        self.calls.append((what, str(arguments["source"]), f"{arguments['booking'].start:%d %H:%M}"))
        self.arguments.append(arguments)

    @property
    def names(self) -> list[str]:
        """Return the names of the signals, without sources and times."""
        return [what for what, *_ in self.calls]


@contextmanager
def record_signals() -> Iterator[SignalRecorder]:
    """Connect a recorder to all four signals in this context."""
    recorder = SignalRecorder()

    def build_receiver(what: str) -> Any:
        return lambda **arguments: recorder.record(what, **arguments)

    receivers = {what: build_receiver(what) for what in SIGNALS}

    def on_event(event: Any, **_arguments: Any) -> None:
        recorder.events.append(event.kind)

    for what, signal in SIGNALS.items():
        signal.connect(receivers[what])
    event_received.connect(on_event)
    try:
        yield recorder
    finally:
        for what, signal in SIGNALS.items():
            signal.disconnect(receivers[what])
        event_received.disconnect(on_event)
