"""Parsing of a verified delivery: which event, when, and about which booking.

Source: Kordless's public documentation. Unknown events and unknown fields are accepted. A known event without a
readable booking is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from kordless_booking.api import lenient, parsing, responses
from kordless_booking.api.resources import Booking
from kordless_booking.changes import BookingChange
from kordless_booking.exceptions import OutcomeUnknown
from kordless_booking.models import MAX_KIND_CHARS

CREATED: Final = "booking.created"
UPDATED: Final = "booking.updated"
CANCELLED: Final = "booking.cancelled"
CHANGES: Final[Mapping[str, BookingChange]] = {
    CREATED: BookingChange.CREATED,
    UPDATED: BookingChange.RESCHEDULED,
    CANCELLED: BookingChange.CANCELLED,
}
"""The known events: each is about one booking, and reports a change of it."""
_KIND: Final = re.compile(rf"[!-~]{{1,{MAX_KIND_CHARS}}}")
"""Printable ASCII without spaces: the name goes into the log and the database."""
_OTHER_SPELLINGS: Final = {"booking.canceled": CANCELLED, "booking.rescheduled": UPDATED}
"""Undocumented but likely spellings: a booking's status has one l, and Kordless's endpoint is called reschedule."""


class UnreadableEvent(Exception):
    """The body is no event. The message is for operators and contains nothing of the body."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Event of a delivery."""

    kind: str
    """Kordless's name for the event, such as `booking.created`."""
    at: datetime | None = None
    """Time of the change at Kordless, in UTC. None when the body doesn't say."""
    booking: Booking | None = None
    """Always set for the known kinds, else None."""
    document: Mapping[str, Any] = {}
    """The whole body as parsed JSON, in Kordless's spelling and with Decimal for fractions; for unknown kinds."""

    def __repr__(self) -> str:
        # Personal data: it must not appear in a traceback or a log.
        return f"Event({self.kind!r}, …)"


def parse_event(body: bytes) -> Event:
    """Parse the raw body of a delivery. Raises UnreadableEvent.

    After `booking.cancelled` the booking's status is "canceled", whatever the body says.
    """
    try:
        document = responses.parse_json_strict(body)
        fields = lenient.LenientObject(document)
        # One character more than allowed, so that a name that is too long fails below instead of being cut.
        kind = fields.text("event", "type", limit=MAX_KIND_CHARS + 1) or ""
        kind = _OTHER_SPELLINGS.get(kind, kind)
        if not _KIND.fullmatch(kind):
            raise UnreadableEvent("unreadable $.event")
        booking = None
        if kind in CHANGES:
            # Accept a booking without the documented wrapper, too.
            inner = fields.raw("data")
            booking = parsing.parse_booking(inner if isinstance(inner, Mapping) else document)
    except lenient.InvalidField as error:
        problem = f"unreadable {error.path}"
    # The parsers of API responses raise this for unusable JSON. Its message says where, never what.
    except OutcomeUnknown as error:
        problem = str(error)
    else:
        if booking and kind == CANCELLED:
            booking = msgspec.structs.replace(booking, status="canceled")
        at = fields.utc_datetime("timestamp", "created_at")
        return Event(kind=kind, at=at, booking=booking, document=_as_mapping(document))
    # Raised outside of the `except` blocks: a chained exception would carry the body along.
    raise UnreadableEvent(problem)


def _as_mapping(document: object) -> Mapping[str, Any]:
    assert isinstance(document, Mapping)  # noqa: S101 (Fields has just made sure)
    return document
