"""Entries: what is encrypted in a row, where messages about it go, and how one is made, found and ended."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare

from kordless_booking.api.msgspec_warmup import warm_up
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.hashes import contact_hash, contact_hashes, link_hash, link_hashes
from kordless_booking.booking.tokens import MAX_ROW_TOKEN, InvalidToken, decrypt_token, encrypt_token
from kordless_booking.contrib.waitlist.matching import TimePreferences
from kordless_booking.contrib.waitlist.models import WaitlistEntry
from kordless_booking.mail.short_link import CODE_LENGTH, generate_code

if TYPE_CHECKING:
    from kordless_booking.conf import Account

ENABLED: Final = "WAITLIST"
DAYS: Final = "WAITLIST_DAYS"
"""Names of the settings."""
MAX_DAYS: Final = 56
"""Days ahead of the latest date. So one request for a service's near days (`upstream.window.NEAR_DAYS`) shows all times
that anybody waits for."""
MAX_ENTRIES: Final = 3
"""Entries of one contact with one account at the same time."""
RETENTION: Final = timedelta(days=1)
"""Time for which an entry is kept after its latest date, so that its page can still say so."""
MESSAGE_INTERVAL: Final = timedelta(days=1)
"""One message in this time for each entry, and for each contact of a service, also for those that were ended."""
PROOF_LENGTH: Final = 6
"""Characters of `EntryData.proof`: 30 bits, and wrong ones are limited as wrong codes are."""


class EntryData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Encrypted contents of a row."""

    contact: str
    """Email address in its canonical spelling, or phone number as E.164."""
    until: date
    zone: str
    """Zone of the latest date and of the part of the day, see `matching.TimePreferences`."""
    language: str
    code: str
    """Code under which who sent the form sees the entry, and may stop this one."""
    proof: str = ""
    """End of the code in the links of messages, which only the contact gets: anybody can enter a stranger's contact,
    and is neither told what else waits for it nor may stop that."""
    part: str = ""
    timezone: str | None = None
    """The visitor's own zone, where it is known."""
    hours: Literal["12", "24"] | None = None
    host_id: str | None = None
    team_id: str | None = None
    provider_name: str = ""
    """Name of the host or team that was chosen, where it is known."""
    party_size: int = 1

    def __repr__(self) -> str:
        # Personal data: it must not appear in a traceback or a log.
        return "EntryData(…)"

    @property
    def message_code(self) -> str:
        """Return the code of the links in messages."""
        return self.code + self.proof

    @property
    def preferences(self) -> TimePreferences:
        """Return the times that fit."""
        return TimePreferences(
            until=self.until,
            part=self.part,
            zone=self.zone,
            host_id=self.host_id,
            team_id=self.team_id,
            party_size=self.party_size,
        )

    @property
    def choices(self) -> Choices:
        """Return the choices of links that go on with this entry."""
        return Choices(
            timezone=self.timezone,
            host_id=self.host_id,
            team_id=self.team_id,
            party_size=self.party_size,
            hours=self.hours,
            lang=self.language,
        )

    @classmethod
    def from_row(cls, row: WaitlistEntry) -> EntryData:
        """Decrypt a row. Raises InvalidToken when it can't be, or was written by a version with other fields."""
        # However old: rows are deleted a day after their latest date.
        found = decrypt_token(
            "waitlist-entry", row.account, row.encrypted, max_age=None, now=0, max_length=MAX_ROW_TOKEN
        )
        try:
            return msgspec.convert(found, cls)
        except msgspec.ValidationError:
            raise InvalidToken from None


def find_channels(account: Account, service: str) -> tuple[str, ...]:
    """Return the contacts by which visitors of a service can be notified: of "email" and "phone"; () for none.

    Those that the service's form asks for and that this site can write to. None where the waitlist is switched off.
    """
    if not account.extension_setting(ENABLED):
        return ()
    usable = {"email": account.mail, "phone": bool(account.messenger)}
    asked = account.service_settings(service).contact_fields.contacts
    return tuple(name for name in asked if usable[name])


class TooManyEntries(Exception):
    """The contact waits for MAX_ENTRIES already. Nothing was stored."""


def add_entry(account: str, service: str, data: EntryData, now: datetime) -> EntryData:
    """Store an entry, and return it with the code that it has. Raises TooManyEntries.

    The same form sent again, which its code says, changes nothing. Sent again with other contents, after Back, it is
    another entry with a code of its own, and takes the place of one that nobody was notified of yet.
    """
    corrected = None
    if (earlier := find_entry(account, data.code)) is not None:
        row, stored = earlier
        if row.service == service and stored == msgspec.structs.replace(data, code=stored.code, proof=stored.proof):
            return stored
        data = msgspec.structs.replace(data, code=generate_code())
        # Who was notified rests for a day: the row is the memory of it.
        corrected = row if row.notified_at is None else None
    # Locked by nothing: of two forms in the same moment both may be stored, and nobody gains by a fourth entry.
    others = WaitlistEntry.objects.filter(
        account=account, contact_hash__in=contact_hashes([data.contact]), expires_at__gt=now
    )
    if corrected is not None:
        others = others.exclude(pk=corrected.pk)
    if others.count() >= MAX_ENTRIES:
        raise TooManyEntries
    data = msgspec.structs.replace(data, proof=generate_code()[:PROOF_LENGTH])
    entry = WaitlistEntry(
        account=account,
        service=service,
        contact_hash=contact_hash(data.contact),
        link_hash=link_hash(data.code),
        encrypted=encrypt_token("waitlist-entry", account, msgspec.to_builtins(data)),
        until=data.until,
        expires_at=data.preferences.ends_at,
        created_at=now,
        changed_at=now,
    )
    try:
        # A savepoint, so that the unique constraint's error doesn't end the caller's transaction.
        with transaction.atomic():
            entry.save(force_insert=True)
            if corrected is not None:
                # Unless somebody is being notified of it right now.
                WaitlistEntry.objects.filter(pk=corrected.pk, notified_at=None).delete()
    except IntegrityError:
        # A double click: the other request has stored it.
        pass
    return data


def is_message_code(code: str) -> bool:
    """Return True for a code as the links of messages have it. Whether it is right, `find_entry` says."""
    return len(code) > CODE_LENGTH


def find_entry(account: str, code: str) -> tuple[WaitlistEntry, EntryData] | None:
    """Return the entry behind a code, with or without a proof; None for a wrong one, or while it can't be decrypted."""
    code, proof = code[:CODE_LENGTH], code[CODE_LENGTH:].casefold()
    row = WaitlistEntry.objects.filter(account=account, link_hash__in=link_hashes(code)).first()
    if row is None:
        return None
    try:
        data = EntryData.from_row(row)
    except InvalidToken:
        # The SECRET_KEY has changed.
        return None
    return (row, data) if not proof or constant_time_compare(proof, data.proof) else None


def count_entries(account: str, contact: str, now: datetime) -> int:
    """Return how many entries of a contact are open."""
    return WaitlistEntry.objects.filter(
        account=account, contact_hash__in=contact_hashes([contact]), expires_at__gt=now
    ).count()


def end_entry(account: str, code: str, now: datetime, *, all_of_contact: bool = False) -> None:
    """End the entry behind a code, or all of its contact with this account. Without one, nothing happens.

    A row that was notified in the last day is emptied, and deleted when that day is over: it remembers that its contact
    rests. Else whoever enters a stranger's contact, stops it and enters it again could send one message after another.
    """
    found = find_entry(account, code)
    if found is None:
        return
    rows = WaitlistEntry.objects.filter(account=account)
    # Under each key: after a rotation, the newer rows of a person have another hash.
    hashes = {found[0].contact_hash, *contact_hashes([found[1].contact])}
    ended = rows.filter(contact_hash__in=hashes) if all_of_contact else rows.filter(pk=found[0].pk)
    with transaction.atomic():
        for row in ended.filter(notified_at__gt=now - MESSAGE_INTERVAL, expires_at__gt=now - RETENTION):
            ended.filter(pk=row.pk).update(
                encrypted="",
                link_hash=link_hash(generate_code()),
                expires_at=min(row.expires_at, now),
                state=WaitlistEntry.State.WAITING,
                # Free for the next in line.
                offered_start=None,
                offered_end=None,
                known_starts=[],
                changed_at=now,
            )
        ended.exclude(encrypted="").delete()


def end_entries_of(account: str, contacts: list[str], service: str) -> None:
    """Delete the entries of these contacts for a service, because it was booked."""
    if contacts:
        WaitlistEntry.objects.filter(
            account=account, service=service, contact_hash__in=contact_hashes(contacts)
        ).delete()


def delete_expired(now: datetime) -> int:
    """Delete the entries whose latest date is over. Return how many."""
    return WaitlistEntry.objects.filter(expires_at__lte=now - RETENTION).delete()[0]


# While one thread imports this: msgspec crashes when two threads use a new type for the first time at once.
warm_up(EntryData)
