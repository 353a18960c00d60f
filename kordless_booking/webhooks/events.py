"""What a verified delivery says: which event, when, and about which booking.

Source: Kordless's public documentation. Unknown events and unknown fields are welcome; a known event without a readable
booking is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from kordless_booking.api import parsing, payload, spelling
from kordless_booking.api.resources import Booking
from kordless_booking.exceptions import OutcomeUnknown

__all__ = ["CANCELLED", "CREATED", "UPDATED", "Event", "Outcome", "UnreadableEvent", "read_event"]

CREATED: Final = "booking.created"
UPDATED: Final = "booking.updated"
CANCELLED: Final = "booking.cancelled"
ABOUT_BOOKINGS: Final = frozenset({CREATED, UPDATED, CANCELLED})
LONGEST_KIND: Final = 100
_KIND: Final = re.compile(rf"[!-~]{{1,{LONGEST_KIND}}}")
_OTHER_SPELLINGS: Final = {"booking.canceled": CANCELLED, "booking.rescheduled": UPDATED}


class Outcome(StrEnum):
    """What became of a delivery: TOLD to the site as a change of a booking, KNOWN already or overtaken by newer news,
    of some OTHER kind, or a DUPLICATE, which is not written down again.
    """

    TOLD = "told"
    KNOWN = "known"
    OTHER = "other"
    DUPLICATE = "duplicate"


class UnreadableEvent(Exception):
    """The body is no event. The message is for operators and holds nothing of the body."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is Kordless's name for the event, `at` when it happened there (UTC, None when it doesn't say).

    `booking` is there for the three known kinds, and `document` is the whole body as parsed JSON, in Kordless's own
    spelling and with decimals for fractions, for kinds that this version doesn't know.
    """

    kind: str
    at: datetime | None = None
    booking: Booking | None = None
    document: Mapping[str, Any] = {}

    def __repr__(self) -> str:
        return f"Event({self.kind!r}, …)"


def read_event(body: bytes) -> Event:
    """The event in a delivery's raw body. Raises UnreadableEvent.

    The status follows the event: after `booking.cancelled` a booking is canceled, whatever else the body says.
    """
    try:
        document = payload.load(body)
        fields = spelling.Fields(document)
        kind = fields.text("event", "type", limit=LONGEST_KIND + 1) or ""
        kind = _OTHER_SPELLINGS.get(kind, kind)
        if not _KIND.fullmatch(kind):
            raise UnreadableEvent("unreadable $.event")
        booking = None
        if kind in ABOUT_BOOKINGS:
            inner = fields.raw("data")
            booking = parsing.read_booking(inner if isinstance(inner, Mapping) else document)
    except spelling.Unreadable as error:
        problem = f"unreadable {error.path}"
    except OutcomeUnknown as error:
        problem = str(error)
    else:
        if booking and kind == CANCELLED:
            booking = msgspec.structs.replace(booking, status="canceled")
        at = fields.moment("timestamp", "created_at")
        return Event(kind=kind, at=at, booking=booking, document=_as_mapping(document))
    # Raised out here, so that no chained error carries the body along.
    raise UnreadableEvent(problem)


def _as_mapping(document: object) -> Mapping[str, Any]:
    assert isinstance(document, Mapping)  # noqa: S101 (Fields has just made sure)
    return document
