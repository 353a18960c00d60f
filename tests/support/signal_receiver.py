"""Receiver of the site's signals that records them, and can be told to fail."""

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
class Listener:
    """Recording receiver. `heard` has (signal, source, start) of changes; `failures` is how often it still raises."""

    heard: list[tuple[str, str, str]] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    failures: int = 0

    def hear(self, what: str, **said: Any) -> None:
        """Record a change, or raise."""
        if self.failures:
            self.failures -= 1
            raise LookupError("canary-message")
        self.heard.append((what, str(said["source"]), f"{said['booking'].start:%d %H:%M}"))
        self.said.append(said)

    @property
    def told(self) -> list[str]:
        """Return the names of the signals, without sources and times."""
        return [what for what, *_ in self.heard]


@contextmanager
def listening() -> Iterator[Listener]:
    """Connect a listener to all four signals in this context."""
    listener = Listener()

    def hearer(what: str) -> Any:
        return lambda **said: listener.hear(what, **said)

    hearers = {what: hearer(what) for what in SIGNALS}

    def on_event(event: Any, **_said: Any) -> None:
        listener.events.append(event.kind)

    for what, signal in SIGNALS.items():
        signal.connect(hearers[what])
    event_received.connect(on_event)
    try:
        yield listener
    finally:
        for what, signal in SIGNALS.items():
            signal.disconnect(hearers[what])
        event_received.disconnect(on_event)
