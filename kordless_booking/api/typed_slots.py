"""First reading of an answer with slots: typed and fast, for answers of exactly the documented shape.

Most answers have that shape, and one of a busy business has thousands of slots. `parsing.parse_slots` reads whatever
can be understood, at about ten times the cost. This reader returns what that one would return, or None when anything in
the answer needs tolerance: another spelling, an unknown or absent field, a name that comes twice, a slot that has to be
skipped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from kordless_booking.api import parsing
from kordless_booking.api.lenient import MAX_INTEGER, InvalidField, LenientObject, as_datetime
from kordless_booking.api.msgspec_warmup import warm_up
from kordless_booking.api.resources import Slot

if TYPE_CHECKING:
    from datetime import datetime

_Seats = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]


class _WireProvider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Host or team as documented."""

    id: str
    displayName: str | None  # noqa: N815 (the name on the wire)


class _WireSlot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Slot as documented: all of these fields, and no other."""

    startsAt: str  # noqa: N815 (the names on the wire)
    endsAt: str  # noqa: N815
    capacity: _Seats
    availableCapacity: _Seats  # noqa: N815
    serviceId: str | None  # noqa: N815
    hostId: str | None  # noqa: N815
    teamId: str | None  # noqa: N815
    timezone: str | None
    host: _WireProvider | None
    team: _WireProvider | None


class _WireSlots(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answer of "Get availability" as documented."""

    slots: list[_WireSlot]


_DECODER: Final = msgspec.json.Decoder(_WireSlots)
warm_up(_WireSlots)

# Any escape but that of a character beyond ASCII: it could hide a quotation mark, or a letter of a field's name.
_ODD_ESCAPE: Final = re.compile(rb"\\(?!u(?!00[0-7]))")


def parse_typed_slots(body: bytes) -> tuple[Slot, ...] | None:
    """Parse the answer of "Get availability" as `parse_json_strict` and `parse_slots` would, or return None.

    None says nothing about the answer. Never raises for what a body may contain.
    """
    try:
        listed = _DECODER.decode(body).slots
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if len(listed) > parsing.MAX_SLOTS or _ODD_ESCAPE.search(body):
        return None
    moments: dict[str, datetime | None] = {}
    shared: dict[object, tuple[Slot, int]] = {}
    values: dict[object, object] = {}
    slots: list[Slot] = []
    quotes = 2  # of "slots"
    order: tuple[datetime, str] | None = None
    is_sorted = True
    for item in listed:
        start, end = _moment(item.startsAt, moments), _moment(item.endsAt, moments)
        if start is None or end is None or end <= start:
            return None
        key = (item.serviceId, item.hostId, item.teamId, item.timezone, item.host, item.team)
        known = shared.get(key)
        if known is None:
            try:
                # What slots have in common is read by the tolerant reader, once for all of them.
                model = parsing.parse_slot(LenientObject(msgspec.to_builtins(item)))
            except InvalidField:
                return None
            for name in ("service_id", "host", "team", "timezone"):
                # Two hosts share their time zone and their team as well. Nobody else has the model yet.
                value = getattr(model, name)
                msgspec.structs.force_setattr(model, name, values.setdefault(value, value))
            known = shared[key] = model, _count_quotes(item)
        model, own_quotes = known
        quotes += own_quotes
        slots.append(
            Slot(
                start=start,
                end=end,
                capacity=item.capacity,
                available=min(item.availableCapacity, item.capacity),
                service_id=model.service_id,
                host=model.host,
                team=model.team,
                timezone=model.timezone,
            )
        )
        previous, order = order, (start, model.host.id if model.host else "")
        is_sorted = is_sorted and (previous is None or previous < order)
    # msgspec takes the last of two equal names without a word, but neither may be trusted. Each name stands at least
    # once in its object, so another one shows by its quotation marks.
    if body.count(b'"') != quotes:
        return None
    # In order without two of the same start and host, so there is nothing to merge.
    return tuple(slots) if is_sorted else parsing.merge_sorted_slots(slots)


def _moment(text: str, known: dict[str, datetime | None]) -> datetime | None:
    if text not in known:
        known[text] = as_datetime(text)
    return known[text]


def _count_quotes(item: _WireSlot) -> int:
    """Return the number of quotation marks that a slot is written with when each of its names stands there once."""
    texts: list[str | None] = [item.startsAt, item.endsAt, item.serviceId, item.hostId, item.teamId, item.timezone]
    names = len(_WireSlot.__struct_fields__)
    for provider in (item.host, item.team):
        if provider is not None:
            texts += [provider.id, provider.displayName]
            names += len(_WireProvider.__struct_fields__)
    return 2 * (names + sum(text is not None for text in texts))
