"""Retention of the funnel's counts and of the counts of rejected deliveries. They contain nothing personal."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model
from django.utils import timezone

from kordless_booking.erasure.base import ErasureResult, Person
from kordless_booking.models import FunnelCount, RejectedDeliveryCount

__all__ = ["Counts"]


class Counts:
    """Erasure target that deletes rows by their day, which is one of the site's TIME_ZONE."""

    def __init__(self, name: str, model: type[FunnelCount] | type[RejectedDeliveryCount]) -> None:
        self.name = name
        self.models: tuple[type[Model], ...] = (model,)
        self._model = model

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        # A count is about nobody, so there is nothing to erase.
        return ErasureResult()

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        old = self._model.objects.filter(day__lt=timezone.localdate(moment, timezone.get_default_timezone()))
        deleted, _ = (old if accounts is None else old.filter(account__in=accounts)).delete()
        return ErasureResult(deleted)
