"""Retention of the funnel's counts and of the counts of rejected deliveries. They contain nothing personal."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Model
from django.utils import timezone

from kordless_booking.erasure.base import Person, Tally
from kordless_booking.models import FunnelCount, RefusalCount

__all__ = ["Counts"]


class Counts:
    """Erasure target that deletes rows by their day, which is one of the site's TIME_ZONE."""

    def __init__(self, name: str, model: type[FunnelCount] | type[RefusalCount]) -> None:
        self.name = name
        self.models: tuple[type[Model], ...] = (model,)
        self._model = model

    def of(self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool) -> Tally:
        # A count is about nobody, so there is nothing to erase.
        return Tally()

    def older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> Tally:
        old = self._model.objects.filter(day__lt=timezone.localdate(moment, timezone.get_default_timezone()))
        deleted, _ = (old if accounts is None else old.filter(account__in=accounts)).delete()
        return Tally(deleted)
