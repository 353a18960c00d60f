"""A visitor's preferences, kept with a booking for mails that are written later, without the visitor's request."""

from __future__ import annotations

from typing import Literal

import msgspec

from kordless_booking.api.msgspec_warmup import warm_up


class VisitorPreferences(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The visitor's language, time zone and clock, and what they chose with the slot."""

    language: str
    """Django language code."""
    timezone: str | None = None
    """IANA name."""
    hours: Literal["12", "24"] | None = None
    """12-hour or 24-hour clock; None for the language's own."""
    host: str | None = None
    """The host's name, as chosen with the slot. Kordless's responses repeat neither the host nor the party size."""
    host_id: str | None = None
    party_size: int = 1
    """Party size."""


warm_up(VisitorPreferences)
