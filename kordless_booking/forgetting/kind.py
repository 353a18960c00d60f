"""What every kind of row can do: forget a person, and forget what is old."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import phonenumbers
from django.db.models import Model

from kordless_booking.booking.hashes import contact_hashes
from kordless_booking.forms import e164

__all__ = ["Kind", "Person", "Tally", "texts_in"]


@dataclass
class Tally:
    """How many rows were deleted, or emptied of all that is personal, or kept, and then `why`.

    `remains` counts those of the kept that still hold something personal.
    """

    deleted: int = 0
    emptied: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    remains: int = 0

    def keep(self, why: str, *, personal: bool) -> None:
        """One row stays, for this reason."""
        self.kept[why] = self.kept.get(why, 0) + 1
        self.remains += personal


@dataclass
class Person:
    """Somebody by their contacts: e-mail addresses in lower case, phone numbers as E.164.

    `numbers` are confirmation numbers, collected by one kind for those that follow.
    """

    contacts: frozenset[str]
    regions: frozenset[str] = frozenset()
    numbers: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, texts: list[str], regions: frozenset[str]) -> Person:
        """`regions` (ISO 3166) are where a phone number without a country code may be from.

        Raises ValueError when one of the texts is neither an e-mail address nor a phone number.
        """
        contacts: set[str] = set()
        for text in texts:
            found = _normal(text, regions)
            if not found:
                raise ValueError("neither an e-mail address nor a phone number")
            contacts |= found
        return cls(frozenset(contacts), regions)

    @property
    def hashes(self) -> set[str]:
        """What rows that keep no contact know them by."""
        return contact_hashes(self.contacts)

    def is_meant_by(self, text: str | None) -> bool:
        """Whether this is one of the contacts, in any spelling."""
        return bool(text) and not self.contacts.isdisjoint(_normal(text or "", self.regions))


class Kind(Protocol):
    """One kind of row. `accounts` are the names of those that are meant; `None` is every one, also those of old."""

    name: str
    models: tuple[type[Model], ...]

    def of(self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool) -> Tally:
        """Forget a person."""

    def older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> Tally:
        """Forget what was written, or last changed, before `moment`, which is a day ago at least."""


def texts_in(document: Any) -> Iterator[str]:
    """Every text in a JSON document, however deep."""
    waiting = [document]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, Mapping):
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found


def _normal(text: str, regions: frozenset[str]) -> set[str]:
    """How a contact is written for comparing: one way for an e-mail, one for each region that a phone may be from."""
    text = text.strip()
    if "@" in text:
        before, _, after = text.rpartition("@")
        return {text.casefold()} if before and after and not any(letter.isspace() for letter in text) else set()
    if not any(letter.isdigit() for letter in text) or len(text) > 40:
        return set()
    found = {e164(text, region) for region in regions or {phonenumbers.UNKNOWN_REGION}}
    return {number for number in found if number}
