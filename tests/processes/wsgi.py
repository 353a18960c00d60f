"""The demo, with all its code loaded before the processes part: they start quicker so.

It writes down what its signals tell, one line each, so that a test can count them over all processes.
"""

import sys
from typing import Any

from django.urls import resolve

from demo_site.wsgi import application  # noqa: F401 (what gunicorn serves)
from kordless_booking.signals import booking_created, event_received

resolve("/book/")


def note_booking(*, booking: Any, source: str, **_arguments: Any) -> None:
    """A line about a booking."""
    print(f"signal=created number={booking.confirmation_number} source={source}", file=sys.stderr, flush=True)  # noqa: T201 (read by a test)


def note_event(*, delivery: str, **_arguments: Any) -> None:
    """A line about a delivery."""
    print(f"signal=event delivery={delivery}", file=sys.stderr, flush=True)  # noqa: T201 (read by a test)


booking_created.connect(note_booking)
event_received.connect(note_event)
