"""All kinds of rows at once, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import router, transaction

from kordless_booking.forgetting.appointments import Appointments
from kordless_booking.forgetting.attempts import Attempts
from kordless_booking.forgetting.counts import Counts
from kordless_booking.forgetting.deliveries import Deliveries
from kordless_booking.forgetting.kind import Kind, Person, Tally
from kordless_booking.forgetting.known import KnownBookings
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
"""In this order: what comes last is found by the confirmation numbers that the first ones know."""

Tallies = dict[str, Tally]


def forget_person(
    person: Person, now: datetime, *, accounts: list[str] | None = None, including_open: bool = False, dry: bool = False
) -> Tallies:
    """Forget somebody. `dry` does it all, counts, and takes it back. Raises django.db.DatabaseError."""
    return _all(lambda kind: kind.of(person, now, accounts=accounts, including_open=including_open), dry=dry)


def forget_old(moment: datetime, now: datetime, *, accounts: list[str] | None = None, dry: bool = False) -> Tallies:
    """Forget what was last changed before `moment`. Raises django.db.DatabaseError."""
    return _all(lambda kind: kind.older_than(moment, now, accounts=accounts), dry=dry)


def _all(forget: Callable[[Kind], Tally], *, dry: bool) -> Tallies:
    alias = router.db_for_write(BookingAttempt)
    with transaction.atomic(using=alias):
        tallies = {kind.name: forget(kind) for kind in KINDS}
        if dry:
            transaction.set_rollback(True, using=alias)
    return tallies
