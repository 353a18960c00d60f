"""Counters of this process, and how they are written: one row per day and key, incremented.

A day is one of the site's TIME_ZONE. The process writes its counts when it exits, too.
"""

from __future__ import annotations

import atexit
import os
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db import IntegrityError, connections, models, router, transaction
from django.db.models import F
from django.utils import timezone

from kordless_booking import hooks
from kordless_booking.funnel.buffered_counter import BufferedCounter
from kordless_booking.models import CampaignCount, FunnelCount, LostDemandCount, RejectedDeliveryCount

OTHER_SOURCES: Final = "(other)"
"""Campaign source that stands for all that aren't counted by name. No name has brackets."""
MAX_SOURCES: Final = 50
"""Different campaign sources of an account and day that are counted by name. No site has so many campaigns at once."""
_MAX_SERVICE: Final = 200
"""Characters of the column `service` in all tables."""
_MAX_SOURCE: Final = 40
"""Characters of the column `source`."""


class StageKey(NamedTuple):
    """Key of a count in the funnel. `service` is empty while none was chosen."""

    day: date
    account: str
    service: str
    placement: FunnelCount.Placement
    stage: str
    """A `FunnelCount.Stage`, or one of `hooks.funnel_stages`."""


class LostDemandKey(NamedTuple):
    """Key of a count of pages without a free time. `month` is the first day of the one in which a time was wanted."""

    day: date
    account: str
    service: str
    placement: FunnelCount.Placement
    month: date


class CampaignKey(NamedTuple):
    """Key of a count of bookings by campaign."""

    day: date
    account: str
    service: str
    placement: FunnelCount.Placement
    source: str


class RejectionKey(NamedTuple):
    """Key of a count of rejected deliveries. `reason` is the name of the log event."""

    day: date
    account: str
    reason: str


def count_stage(account: str, service: str, placement: FunnelCount.Placement, stage: FunnelCount.Stage | str) -> None:
    """Count a visitor who has reached `stage`. Raises ValueError for one that nobody has registered.

    Each different `service` is a row of the day: pass slugs that exist.
    """
    if not isinstance(stage, FunnelCount.Stage) and stage not in hooks.funnel_stages:
        raise ValueError(f"No hook of hooks.funnel_stages has the name {stage!r}.")
    stage_counter.add(StageKey(today(), account, _storable(service, _MAX_SERVICE), placement, stage))


def count_lost_demand(account: str, service: str, placement: FunnelCount.Placement, month: date) -> None:
    """Count a visitor who was shown that no time is free in `month`, given by its first day."""
    lost_demand_counter.add(LostDemandKey(today(), account, _storable(service, _MAX_SERVICE), placement, month))


def count_campaign(account: str, service: str, placement: FunnelCount.Placement, source: str) -> None:
    """Count a booking whose visitor came from this campaign source."""
    service, source = _storable(service, _MAX_SERVICE), _storable(source, _MAX_SOURCE)
    campaign_counter.add(CampaignKey(today(), account, service, placement, source))


def count_rejection(account: str, reason: str) -> None:
    """Count a delivery that was rejected."""
    rejection_counter.add(RejectionKey(today(), account, reason))


def _storable(text: str, length: int) -> str:
    """Return what a text column of every database can hold of `text`: no NUL, no half of a surrogate pair."""
    if not text.isascii():
        text = text.encode("utf-8", "ignore").decode()
    return text.replace("\0", "")[:length]


def today() -> date:
    """Return the current day in the site's TIME_ZONE, whatever zone a visitor has chosen."""
    # Cached per minute, because every count needs it. A new minute is a new key, and so is another TIME_ZONE in tests.
    return _day(int(time.time() // 60), timezone.get_default_timezone())


@lru_cache(maxsize=4)
def _day(minute: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(minute * 60, zone).date()


def flush() -> bool:
    """Write everything that this process has counted, now. Return False when something could not be written."""
    # All are called before the results are looked at: when the first fails, the others must still be written.
    written = [counter.flush() for counter in COUNTERS]
    return all(written)


def paused() -> AbstractContextManager[Any]:
    """Suspend automatic writing, for the tests of a site: a thread would write into the test's database."""
    stack = ExitStack()
    for counter in COUNTERS:
        stack.enter_context(counter.paused())
    return stack


def drain() -> None:
    """Discard everything that this process has counted and not written. For tests."""
    for counter in COUNTERS:
        counter.drain()


def _write_stages(counts: Mapping[StageKey, int]) -> None:
    _write(FunnelCount, counts)


def _write_lost_demand(counts: Mapping[LostDemandKey, int]) -> None:
    _write(LostDemandCount, counts)


def _write_campaigns(counts: Mapping[CampaignKey, int]) -> None:
    """Write the counts. Sources beyond the day's MAX_SOURCES are added to OTHER_SOURCES."""
    bounded: Counter[CampaignKey] = Counter()
    # Read before the transaction, which must begin with a write. Of two processes that write at once each may add a few
    # more: the bound is a bound still.
    known: dict[tuple[date, str], set[str]] = {}
    for key, number in counts.items():
        day = key.day, key.account
        if day not in known:
            rows = CampaignCount.objects.filter(day=key.day, account=key.account)
            known[day] = set(rows.order_by().values_list("source", flat=True).distinct())
        if key.source not in known[day] and len(known[day]) >= MAX_SOURCES:
            key = key._replace(source=OTHER_SOURCES)  # noqa: PLW2901 (the same count, under another name)
        known[day].add(key.source)
        bounded[key] += number
    _write(CampaignCount, bounded)


def _write_refusals(counts: Mapping[RejectionKey, int]) -> None:
    _write(RejectedDeliveryCount, counts)


def _write(model: type[models.Model], counts: Mapping[Any, int]) -> None:
    """Add the counts to their rows, all or none of them."""
    rows = model._default_manager
    using = router.db_for_write(model)
    fresh = connections[using].connection is None
    try:
        with transaction.atomic(using=using):
            # Sorted, so that two processes lock rows in the same order and can't deadlock.
            for key, number in sorted(counts.items()):
                names = key._asdict()
                if rows.filter(**names).update(count=F("count") + number):
                    # The usual case: the row of the day exists. An increment in SQL loses no count of another process.
                    continue
                try:
                    with transaction.atomic(using=using):
                        rows.create(**names, count=number)
                except IntegrityError:  # another process inserted the row first
                    rows.filter(**names).update(count=F("count") + number)
    finally:
        if fresh:  # outside of a request nobody else closes what was opened here
            connections[using].close()


stage_counter: Final[BufferedCounter[StageKey]] = BufferedCounter(_write_stages, name="funnel")
lost_demand_counter: Final[BufferedCounter[LostDemandKey]] = BufferedCounter(_write_lost_demand, name="lost_demand")
campaign_counter: Final[BufferedCounter[CampaignKey]] = BufferedCounter(_write_campaigns, name="campaigns")
rejection_counter: Final[BufferedCounter[RejectionKey]] = BufferedCounter(_write_refusals, name="refusals")
COUNTERS: Final[tuple[BufferedCounter[Any], ...]] = (
    stage_counter,
    lost_demand_counter,
    campaign_counter,
    rejection_counter,
)

atexit.register(flush)
# A forked worker (gunicorn with --preload) starts with its parent's counts, which the parent writes as well.
if hasattr(os, "register_at_fork"):
    for _counter in COUNTERS:
        os.register_at_fork(after_in_child=_counter.reset_after_fork)
