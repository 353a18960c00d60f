"""This process's counts, and how they are written: one row for each day and thing counted, added to.

A day is one of the site's TIME_ZONE. What the process has counted is written when it ends, too.
"""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import date, datetime, tzinfo
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db import IntegrityError, connections, models, router, transaction
from django.db.models import F
from django.utils import timezone

from kordless_booking.counts.stages import Source, Stage
from kordless_booking.counts.tally import Tally
from kordless_booking.models import FunnelCount, RefusalCount

__all__ = ["count_refusal", "count_stage", "flush", "held", "refusals", "today", "visitors"]


class Passed(NamedTuple):
    """Somebody came as far as `stage`, on that day. No service while none was chosen."""

    day: date
    account: str
    service: str
    source: Source
    stage: Stage


class Refused(NamedTuple):
    """A webhook's delivery was refused for a reason: the event's name in the log."""

    day: date
    account: str
    reason: str


def count_stage(account: str, service: str, source: Source, stage: Stage) -> None:
    """Count somebody who came as far as that."""
    visitors.add(Passed(today(), account, service, source, stage))


def count_refusal(account: str, reason: str) -> None:
    """Count a delivery that was refused."""
    refusals.add(Refused(today(), account, reason))


def today() -> date:
    """The day that it is where the site is, whatever zone a visitor has chosen."""
    return _day(int(time.time() // 60), timezone.get_default_timezone())


@lru_cache(maxsize=4)
def _day(minute: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(minute * 60, zone).date()


def flush() -> bool:
    """Write all that this process has counted, now. False when that failed."""
    stages, deliveries = visitors.flush(), refusals.flush()
    return stages and deliveries


def held() -> AbstractContextManager[Any]:
    """Nothing that is counted is written by itself while this lasts: for the tests of a site."""
    stack = ExitStack()
    stack.enter_context(visitors.held())
    stack.enter_context(refusals.held())
    return stack


def _write_stages(counts: Mapping[Passed, int]) -> None:
    _write(FunnelCount, counts)


def _write_refusals(counts: Mapping[Refused, int]) -> None:
    _write(RefusalCount, counts)


def _write(model: type[models.Model], counts: Mapping[Any, int]) -> None:
    """Add the counts to their rows, in one transaction and, so that two processes can't lock each other, in order."""
    rows = model._default_manager
    using = router.db_for_write(model)
    fresh = connections[using].connection is None
    try:
        with transaction.atomic(using=using):
            for key, number in sorted(counts.items()):
                names = key._asdict()
                if rows.filter(**names).update(count=F("count") + number):
                    continue
                try:
                    with transaction.atomic(using=using):
                        rows.create(**names, count=number)
                except IntegrityError:  # another process was quicker
                    rows.filter(**names).update(count=F("count") + number)
    finally:
        if fresh:  # outside of a request nobody else would close it
            connections[using].close()


visitors: Final[Tally[Passed]] = Tally(_write_stages, name="funnel")
refusals: Final[Tally[Refused]] = Tally(_write_refusals, name="refusals")

atexit.register(flush)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=visitors.begin_anew)
    os.register_at_fork(after_in_child=refusals.begin_anew)
