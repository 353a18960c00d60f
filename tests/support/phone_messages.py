"""A messenger that keeps what it is told to send, and the settings of sites that use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from kordless_booking.api.resources import Booking
from kordless_booking.mail.outbox import send_due
from kordless_booking.models import OutgoingMail
from tests.support.mail_settings import MAIL

TEXTING: Final[dict[str, Any]] = {**MAIL, "MAIL": False, "MESSENGER": f"{__name__}.send"}
"""Settings of a site that sends no mail, but messages to phones."""
PHONE: Final = "+12125550147"
"""Number of a cell phone."""


@dataclass(frozen=True)
class Received:
    """Message as a phone shows it."""

    to: str
    text: str
    kind: str
    booking: Booking

    @property
    def link(self) -> str:
        """Return the link, which is the last word."""
        return self.text.split()[-1]


_received: list[Received] = []
_failures: list[Callable[[], object]] = []


def send(to: str, text: str, kind: str, booking: Booking) -> None:
    """Stand for the function of a site: keep the message, unless the test wants it to fail."""
    for fail in _failures:
        fail()
    _received.append(Received(to, text, kind, booking))


async def send_async(to: str, text: str, kind: str, booking: Booking) -> None:
    """Stand for a function that nobody awaits."""


def send_without_booking(to: str, text: str) -> None:
    """Stand for a function that takes too little."""


@contextmanager
def failing(fail: Callable[[], object]) -> Iterator[None]:
    """Have each call do this first."""
    _failures.append(fail)
    try:
        yield
    finally:
        _failures.remove(fail)


def clear_messages() -> None:
    """Forget what was sent in another test."""
    _received.clear()


def received() -> list[Received]:
    """Return what was sent so far."""
    return list(_received)


def texted() -> list[Received]:
    """Send what is due, and return all messages so far. Those about moves don't wait for their minute."""
    waiting = OutgoingMail.objects.filter(state=OutgoingMail.State.QUEUED, kind=OutgoingMail.Kind.RESCHEDULED, tries=0)
    waiting.update(due_at=datetime.now(UTC))
    send_due()
    return received()
