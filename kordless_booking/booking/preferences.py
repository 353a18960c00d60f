"""A visitor's preferences, kept with a booking for mails that are written later, without the visitor's request."""

from __future__ import annotations

from typing import Literal

import msgspec

from kordless_booking.api.msgspec_warmup import warm_up
from kordless_booking.booking.terms import Terms


class VisitorPreferences(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The visitor's language, time zone and clock, and the terms that they chose."""

    language: str
    """Django language code."""
    timezone: str | None = None
    """IANA name."""
    hours: Literal["12", "24"] | None = None
    """12-hour or 24-hour clock; None for the language's own."""
    terms: Terms | None = None
    """Terms as chosen with the slot, where they are known: Kordless's responses repeat neither the host nor the party
    size. The booking may have moved since."""


warm_up(VisitorPreferences)
