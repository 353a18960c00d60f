"""Blocks of slots: what one cache item holds, from which the catalog cuts the weeks that pages show.

Most pages are about the next two months, and one request brings both: the near block. Months beyond it are a block
each. Where Kordless refuses so long a range, or it has more slots than are good for one item, the near block ends after
a month, and what lies behind it comes by month as well. The block says until when it is complete, so a reader knows.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from datetime import datetime
from itertools import chain
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Final

import msgspec

from kordless_booking.api.msgspec_warmup import warm_up
from kordless_booking.api.resources import Slot, decode, encode, intern_values
from kordless_booking.booking.slot_cache import cached_by_slots
from kordless_booking.exceptions import BadRequest
from kordless_booking.logs import log_event

from .window import DAY, LONGEST_MONTH_DAYS

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

MONTH_ONLY_SECONDS: Final = 3600
"""Seconds after a refusal of the long range, or too many slots in it, in which the near block is a month at most."""
MAX_NEAR_SLOTS: Final = 50_000
"""Slots of a near block of more than a month. 50,000 take about 10 MB as JSON, 0.3 MB compressed in the cache, and 6 MB
in each process; a month may have more, because there is nothing smaller to show.
"""
MAX_CUTS: Final = 128
"""Cuts of a block: pages of the calendar and days need fewer, but a program may ask for any of 1,700 ranges of days."""


class SlotBlock:
    """The slots that start before `until`, from the day of the request or the start of the month on, by start."""

    __slots__ = ("_cuts", "month_only_until", "slots", "until")

    def __init__(self, slots: tuple[Slot, ...], until: datetime, month_only_until: float = 0.0) -> None:
        self.slots = slots
        #: Exclusive end of the range that was asked for: there are no slots of later days here, free or not.
        self.until = until
        #: Unix seconds before which no range of more than a month is asked for again; 0 when nothing forbids it.
        self.month_only_until = month_only_until
        self._cuts: dict[tuple[datetime, datetime], tuple[Slot, ...]] = {}

    def between(self, start: datetime, end: datetime) -> tuple[Slot, ...]:
        """Return the slots that start in [`start`, `end`): the same tuple each time.

        What is computed from slots is cached by the identity of the tuple. The cuts live as long as the block, MAX_CUTS
        of them at a time: those of the calendar's few pages, of the days of which a time was chosen, and of the ranges
        that programs ask for.
        """
        cut = self._cuts.get((start, end))
        if cut is None:
            first, last = (bisect_left(self.slots, moment, key=attrgetter("start")) for moment in (start, end))
            if len(self._cuts) >= MAX_CUTS:
                # All at once: dropping the oldest would need a lock. The few that pages need are soon there again.
                self._cuts = {}
            # A slice of everything is the tuple itself. `setdefault`: two threads must end up with the same one.
            cut = self._cuts.setdefault((start, end), self.slots[first:last])
        return cut


class _Parts:
    """Cache key for several tuples of slots, compared by identity."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[tuple[Slot, ...], ...]) -> None:
        self.parts = parts

    @property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(chain.from_iterable(self.parts))

    def __hash__(self) -> int:
        # Safe, because the cache holds the tuples: their ids can't be given to others.
        return hash(tuple(map(id, self.parts)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Parts) and len(self.parts) == len(other.parts) and all(map(is_, self.parts, other.parts))
        )


def join_slots(*parts: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """Return the slots of several blocks as one tuple: the same one for the same parts, as `SlotBlock.between`."""
    return _join(_Parts(parts))


@cached_by_slots
def _join(parts: _Parts) -> tuple[Slot, ...]:
    return parts.slots


class _StoredBlock(msgspec.Struct, frozen=True):
    """Format of a block in the cache. A new field needs a default, as those of the resources."""

    until: datetime
    slots: tuple[Slot, ...]
    month_only_until: float = 0.0


warm_up(_StoredBlock)


def encode_block(block: SlotBlock) -> bytes:
    """Return the JSON bytes of a block, to be cached."""
    return encode(_StoredBlock(block.until, block.slots, block.month_only_until))


def decode_block(raw: bytes) -> SlotBlock:
    """Return the block that was given to `encode_block`. Raises ValueError for anything else."""
    stored = decode(raw, _StoredBlock)
    if stored.until.tzinfo is None:
        raise ValueError("The bytes do not hold what was expected.")
    return SlotBlock(intern_values(stored.slots), stored.until, stored.month_only_until)


class LongRanges:
    """One process's memory that an account's Kordless refuses long ranges: not every service has to learn it."""

    def __init__(self) -> None:
        self.refused_until = 0.0
        """Unix seconds; 0 for not refused. A float is assigned at once, so it needs no lock."""


def fetch_near_block(
    fetch: Callable[[datetime, datetime], tuple[Slot, ...]],
    start: datetime,
    end: datetime,
    *,
    known: SlotBlock | None,
    now: float,
    long_ranges: LongRanges | None = None,
) -> SlotBlock:
    """Fetch [`start`, `end`) in one call, or only the first month of it where so long a range has failed.

    `known`: the block from the cache, however old. It carries the memory of a refusal to every process. `now`: Unix
    seconds. `long_ranges`: what the other services of the account have learned. Raises what `fetch` raises for a month.
    """
    long_ranges = long_ranges or LongRanges()
    month_end = min(end, start + LONGEST_MONTH_DAYS * DAY)
    month_only_until = max(known.month_only_until if known else 0.0, long_ranges.refused_until)
    # The upper bound is for a stepped clock: a time further ahead can't have been meant.
    if not 0 < month_only_until - now <= MONTH_ONLY_SECONDS:
        month_only_until = 0.0
    if end > month_end and not month_only_until:
        try:
            whole = SlotBlock(fetch(start, end), end)
        except BadRequest:
            # The largest range is undocumented. If a month is refused too, its error is raised: then it isn't that.
            slots, reason = fetch(start, month_end), "refused"
            long_ranges.refused_until = now + MONTH_ONLY_SECONDS
        else:
            if len(whole.slots) <= MAX_NEAR_SLOTS:
                return whole
            slots, reason = whole.between(start, month_end), "too_many_slots"
        month_only_until = now + MONTH_ONLY_SECONDS
        log_event(logger, logging.INFO, "near_times_by_month", reason=reason, slots=len(slots))
        return SlotBlock(slots, month_end, month_only_until)
    return SlotBlock(fetch(start, month_end), month_end, month_only_until)
