"""How a customer reads: what a page knows of its visitor, and a mail that is written later must still know."""

from __future__ import annotations

from typing import Literal

import msgspec

from kordless_booking.api.worked_out import worked_out

__all__ = ["Reader"]


class Reader(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`language` is a Django code, `zone` an IANA name, `hours` the clock if one was chosen.

    `host` and `party` are what the visitor chose with the slot, where Kordless's answers don't repeat it.
    """

    language: str
    zone: str | None = None
    hours: Literal["12", "24"] | None = None
    host: str | None = None
    host_id: str | None = None
    party: int = 1


worked_out(Reader)
