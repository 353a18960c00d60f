"""Interface of all erasure targets, and the person and the result that they share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from django.db.models import Model

from kordless_booking.booking.hashes import contact_hashes
from kordless_booking.forms import MAX_PHONE
from kordless_booking.normalization import normalize_email, to_e164

_MAX_CONTACT: Final = 1000
"""Characters. Far more than an email address has, with whatever doesn't show pasted along."""


@dataclass
class ErasureResult:
    """Result of one target: numbers of rows."""

    deleted: int = 0
    emptied: int = 0
    """Rows that stay without their personal data."""
    kept: dict[str, int] = field(default_factory=dict)
    """Rows that stay as they are, by reason."""
    kept_personal: int = 0
    """Those of the kept rows that still contain personal data."""

    def keep(self, reason: str, *, personal: bool) -> None:
        """Count a row that stays, with the reason."""
        self.kept[reason] = self.kept.get(reason, 0) + 1
        self.kept_personal += personal


class AmbiguousContact(ValueError):
    """A phone number without a country code that may be several people's."""


@dataclass
class Person:
    """Person to erase, by their contacts."""

    contacts: frozenset[str]
    """Canonical spellings: email addresses in lower case, phone numbers as E.164."""
    regions: frozenset[str] = frozenset()
    """Countries (ISO 3166) that a phone number without a country code may be from."""
    numbers: set[str] = field(default_factory=set)
    """Confirmation numbers of the person's bookings. Targets add to it; later ones search by it."""
    unreadable: dict[str, int] = field(default_factory=dict)
    """Numbers of rows, by target, that may be the person's and can't be decrypted. An export adds to it."""

    @classmethod
    def from_texts(cls, texts: list[str], regions: frozenset[str]) -> Person:
        """Parse what an operator typed: email addresses and phone numbers in any spelling.

        Raises ValueError when one of the texts is neither, and AmbiguousContact when a phone number is another one in
        each of several regions.
        """
        contacts: set[str] = set()
        for text in texts:
            found = _normalize_contact(text, regions)
            if not found:
                raise ValueError("neither an email address nor a phone number")
            # They belong to different people, of whom only one has asked.
            if len(found) > 1:
                raise AmbiguousContact("another phone number in each region")
            contacts |= found
        return cls(frozenset(contacts), regions)

    @property
    def hashes(self) -> set[str]:
        """Return the keyed hashes of all contacts, under the SECRET_KEY and its fallbacks."""
        return contact_hashes(self.contacts)

    def matches(self, text: str | None) -> bool:
        """Return whether `text` is one of the contacts, in any spelling."""
        return bool(text) and not self.contacts.isdisjoint(_normalize_contact(text or "", self.regions))


class ErasureTarget(Protocol):
    """Erasure in one table, or in several that belong together.

    `accounts` are names of accounts. None means all, also those that are no longer in the settings.
    """

    name: str
    models: tuple[type[Model], ...]

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        """Erase a person's data."""

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        """Erase what was written, or last changed, before `moment`, which is at least a day ago."""


class PersonalDataTarget(ErasureTarget, Protocol):
    """Erasure target that can also tell what it would erase."""

    def export_person(self, person: Person, *, accounts: list[str] | None) -> Iterable[Mapping[str, Any]]:
        """Return what is stored about a person, as JSON can hold it: times are texts in ISO 8601, UTC."""


def iter_strings(document: Any) -> Iterator[str]:
    """Yield every text in a JSON document, at any depth, without the names of fields."""
    # A stack instead of recursion: the document comes from outside and may be nested deeply.
    waiting = [document]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, Mapping):
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found


def _normalize_contact(text: str, regions: frozenset[str]) -> set[str]:
    """Return the spellings under which a contact is compared: one of an email, one per region of a phone number."""
    # Any text of a delivery's body comes here, of any length.
    if len(text) > _MAX_CONTACT:
        return set()
    address = normalize_email(text)
    if "@" in address:
        before, _, after = address.rpartition("@")
        return {address.casefold()} if before and after and not any(letter.isspace() for letter in address) else set()
    if not any(letter.isdigit() for letter in text) or len(text) > MAX_PHONE:
        return set()
    found = {to_e164(text, region) for region in regions or {None}}
    return {number for number in found if number}
