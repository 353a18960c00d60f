"""Erasure in all tables, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import router, transaction

from kordless_booking.erasure.base import ErasureResult, ErasureTarget, Person
from kordless_booking.erasure.targets import Appointments, Attempts, BookingProjections, Counts, Deliveries
from kordless_booking.models import BookingAttempt, CampaignCount, FunnelCount, LostDemandCount, RejectedDeliveryCount

TARGETS: Final[tuple[ErasureTarget, ...]] = (
    Attempts(),
    Deliveries(),
    Appointments(),
    BookingProjections(),
    Counts("funnel days", FunnelCount),
    Counts("lost demand days", LostDemandCount),
    Counts("campaign days", CampaignCount),
    Counts("rejected delivery days", RejectedDeliveryCount),
)
"""In this order: the projections are found by confirmation numbers that the targets before them collect."""

ErasureResults = dict[str, ErasureResult]


def erase_person(
    person: Person, now: datetime, *, accounts: list[str] | None = None, including_open: bool = False, dry: bool = False
) -> ErasureResults:
    """Erase a person's data. Returns the results by the targets' names. Raises django.db.DatabaseError.

    `accounts` are names, None for all. `including_open` also erases attempts that may still become a booking. `dry`
    erases, counts, and rolls back.
    """
    return _all(lambda kind: kind.erase_person(person, now, accounts=accounts, including_open=including_open), dry=dry)


def erase_old(
    moment: datetime, now: datetime, *, accounts: list[str] | None = None, dry: bool = False
) -> ErasureResults:
    """Erase what was last changed before `moment`. Everything else is as in `erase_person`."""
    return _all(lambda kind: kind.erase_older_than(moment, now, accounts=accounts), dry=dry)


def _all(erase: Callable[[ErasureTarget], ErasureResult], *, dry: bool) -> ErasureResults:
    alias = router.db_for_write(BookingAttempt)
    with transaction.atomic(using=alias):
        results = {kind.name: erase(kind) for kind in TARGETS}
        if dry:
            # Not a calculation of its own: the numbers are those of a real run.
            transaction.set_rollback(True, using=alias)
    return results
