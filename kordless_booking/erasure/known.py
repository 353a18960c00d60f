"""Erasure of booking projections, which contain a keyed hash of the number, a time and a state, but nobody's name.

A projection keeps an old delivery from being published as news, so it stays until the booking's time has passed.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model, Q, QuerySet

from kordless_booking.booking.hashes import number_hashes
from kordless_booking.erasure.base import ErasureResult, Person
from kordless_booking.models import BookingProjection

__all__ = ["KnownBookings"]


class KnownBookings:
    """Erasure target that deletes rows whose time has passed."""

    name = "known bookings"
    models: tuple[type[Model], ...] = (BookingProjection,)

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        theirs = _all(accounts).filter(number_hash__in=number_hashes(person.numbers))
        tally = ErasureResult()
        tally.deleted, _ = theirs.filter(_passed(now)).delete()
        for _row in theirs:
            tally.keep("still to come; they hold a time and a keyed hash, and nothing of a person", personal=False)
        return tally

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        deleted, _ = _all(accounts).filter(_passed(now), changed_at__lt=moment).delete()
        return ErasureResult(deleted)


def _all(accounts: list[str] | None) -> QuerySet[BookingProjection]:
    rows = BookingProjection.objects.all()
    return rows if accounts is None else rows.filter(account__in=accounts)


def _passed(now: datetime) -> Q:
    # Null when only the cancellation was reported: no time that could pass is known.
    return Q(start__lt=now) | Q(start__isnull=True)
