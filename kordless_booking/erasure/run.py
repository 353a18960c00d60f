"""Erasure in all tables, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from django.db import DatabaseError, router, transaction

from kordless_booking import hooks
from kordless_booking.erasure.base import ErasureResult, ErasureTarget, Person, PersonalDataTarget
from kordless_booking.erasure.guests import Guests
from kordless_booking.erasure.targets import (
    Appointments,
    Attempts,
    BookingProjections,
    ConsentProofs,
    Counts,
    Deliveries,
)
from kordless_booking.logs import error_location
from kordless_booking.models import BookingAttempt, CampaignCount, FunnelCount, LostDemandCount, RejectedDeliveryCount

TARGETS: Final[tuple[PersonalDataTarget, ...]] = (
    Attempts(),
    Deliveries(),
    Appointments(),
    ConsentProofs(),
    BookingProjections(),
    Guests(),
    Counts("funnel days", FunnelCount),
    Counts("lost demand days", LostDemandCount),
    Counts("campaign days", CampaignCount),
    Counts("rejected delivery days", RejectedDeliveryCount),
)
"""In this order: the projections are found by confirmation numbers that the targets before them collect."""

ErasureResults = dict[str, ErasureResult]


class TargetFailed(Exception):
    """A target has raised, so nothing was done. The text names the target, the error's class and its place."""


def find_targets() -> tuple[tuple[str, ErasureTarget], ...]:
    """Return all targets by name, each name once.

    The extensions' come last, and so find the numbers that ours have collected.
    """
    return (*((target.name, target) for target in TARGETS), *hooks.erasure_targets.items())


def export_person(person: Person, *, accounts: list[str] | None = None) -> dict[str, list[Mapping[str, Any]]]:
    """Return what is stored about a person, by the targets' names; those that have nothing are left out.

    The extensions' come last. Rows that may be the person's and can't be decrypted are counted in `person.unreadable`.
    Raises TargetFailed, DatabaseError.
    """
    exporters = [*((target.name, target) for target in TARGETS), *hooks.export_targets.items()]
    found = {}
    for name, target in exporters:
        # Incomplete would be worse than failed, as in an erasure.
        with _loudly(name):
            found[name] = list(target.export_person(person, accounts=accounts))
    return {name: rows for name, rows in found.items() if rows}


def erase_person(
    person: Person, now: datetime, *, accounts: list[str] | None = None, including_open: bool = False, dry: bool = False
) -> ErasureResults:
    """Erase a person's data. Returns the results by the targets' names. Raises django.db.DatabaseError.

    `accounts` are names, None for all. `including_open` also erases attempts that may still become a booking. `dry`
    erases, counts, and rolls back. Raises TargetFailed when a target fails.
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
        results = {}
        for name, kind in find_targets():
            # Incomplete would be worse than failed: whoever asks for it can't see what is left.
            with _loudly(name):
                results[name] = erase(kind)
        if dry:
            # Not a calculation of its own: the numbers are those of a real run.
            transaction.set_rollback(True, using=alias)
    return results


@contextmanager
def _loudly(name: str) -> Iterator[None]:
    """Turn what a target raises into TargetFailed, without its message, which may be personal."""
    try:
        yield
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 (a target of an extension may raise anything)
        location = error_location(error)
        raise TargetFailed(f"{name}: {location['error']} at {location['at']}") from None
