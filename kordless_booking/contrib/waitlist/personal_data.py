"""Erasure and export of entries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db.models import Model, QuerySet

from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.contrib.waitlist.entries import EntryData
from kordless_booking.contrib.waitlist.models import WaitlistEntry
from kordless_booking.erasure.base import ErasureResult, Person


class WaitlistEntries:
    """Erasure and export target: deletes the entries of a person. A message that waits goes with its entry."""

    name = "waitlist entries"
    models: tuple[type[Model], ...] = (WaitlistEntry,)

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        return ErasureResult(_rows_of(person, accounts).delete()[0])

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        return ErasureResult(_rows_in(accounts).filter(created_at__lt=moment).delete()[0])

    def export_person(self, person: Person, *, accounts: list[str] | None) -> Iterator[dict[str, Any]]:
        for row in _rows_of(person, accounts).order_by("created_at", "pk"):
            # Ended, and emptied: of whom it was says the hash alone.
            entry: dict[str, Any] = {}
            if row.encrypted:
                try:
                    entry = msgspec.to_builtins(EntryData.from_row(row))
                except InvalidToken:
                    person.unreadable[self.name] = person.unreadable.get(self.name, 0) + 1
                    continue
            # The code opens the page of the entry: the person has it in each message.
            for name in ("code", "proof"):
                entry.pop(name, None)
            yield {
                "account": row.account,
                "service": row.service,
                "entry": entry,
                "created": _text(row.created_at),
                "state": row.state,
                "last_told": _text(row.notified_at),
                "last_told_of": _text(row.offered_start),
            }


def _rows_of(person: Person, accounts: list[str] | None) -> QuerySet[WaitlistEntry]:
    return _rows_in(accounts).filter(contact_hash__in=person.hashes)


def _rows_in(accounts: list[str] | None) -> QuerySet[WaitlistEntry]:
    rows = WaitlistEntry.objects.all()
    return rows if accounts is None else rows.filter(account__in=accounts)


def _text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None


target = WaitlistEntries()
