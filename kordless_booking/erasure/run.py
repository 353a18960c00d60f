"""Erasure in all tables, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import router, transaction

from kordless_booking.erasure.appointments import Appointments
from kordless_booking.erasure.base import Kind, Person, Tally
from kordless_booking.erasure.counts import Counts
from kordless_booking.erasure.deliveries import Deliveries
from kordless_booking.erasure.known import KnownBookings
from kordless_booking.erasure.targets import Attempts
from kordless_booking.models import BookingAttempt, FunnelCount, RefusalCount

__all__ = ["KINDS", "forget_old", "forget_person"]

KINDS: Final[tuple[Kind, ...]] = (
    Attempts(),
    Deliveries(),
    Appointments(),
    KnownBookings(),
    Counts("days of the funnel", FunnelCount),
    Counts("days of refused deliveries", RefusalCount),
)
"""In this order: the projections are found by confirmation numbers that the targets before them collect."""

Tallies = dict[str, Tally]


def forget_person(
    person: Person, now: datetime, *, accounts: list[str] | None = None, including_open: bool = False, dry: bool = False
) -> Tallies:
    """Erase a person's data. Returns the results by the targets' names. Raises django.db.DatabaseError.

    `accounts` are names, None for all. `including_open` also erases attempts that may still become a booking. `dry`
    erases, counts, and rolls back.
    """
    return _all(lambda kind: kind.of(person, now, accounts=accounts, including_open=including_open), dry=dry)


def forget_old(moment: datetime, now: datetime, *, accounts: list[str] | None = None, dry: bool = False) -> Tallies:
    """Erase what was last changed before `moment`. Everything else is as in `forget_person`."""
    return _all(lambda kind: kind.older_than(moment, now, accounts=accounts), dry=dry)


def _all(forget: Callable[[Kind], Tally], *, dry: bool) -> Tallies:
    alias = router.db_for_write(BookingAttempt)
    with transaction.atomic(using=alias):
        tallies = {kind.name: forget(kind) for kind in KINDS}
        if dry:
            # Not a calculation of its own: the numbers are those of a real run.
            transaction.set_rollback(True, using=alias)
    return tallies
