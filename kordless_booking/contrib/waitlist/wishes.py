"""Wishes: what is encrypted in a row, where messages about it go, and how one is made, found and ended."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from django.db import IntegrityError, transaction

from kordless_booking.api.msgspec_warmup import warm_up
from kordless_booking.booking.choices import Choices
from kordless_booking.booking.hashes import contact_hash, contact_hashes, link_hash, link_hashes
from kordless_booking.booking.tokens import MAX_ROW_TOKEN, InvalidToken, decrypt_token, encrypt_token
from kordless_booking.contrib.waitlist.matching import Wanted
from kordless_booking.contrib.waitlist.models import Wish

if TYPE_CHECKING:
    from kordless_booking.conf import Account

ENABLED: Final = "WAITLIST"
DAYS: Final = "WAITLIST_DAYS"
"""Names of the settings."""
MAX_DAYS: Final = 56
"""Days ahead of the latest date. So one request for a service's near days (`upstream.window.NEAR_DAYS`) shows all times
that anybody waits for."""
MAX_WISHES: Final = 3
"""Wishes of one contact with one account at the same time."""
RETENTION: Final = timedelta(days=1)
"""Time for which a wish is kept after its latest date, so that its page can still say so."""


class WishData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Encrypted contents of a row."""

    contact: str
    """Email address in its canonical spelling, or phone number as E.164."""
    until: date
    zone: str
    """Zone of the latest date and of the part of the day, see `matching.Wanted`."""
    language: str
    code: str
    """Code of the links in messages."""
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
        return "WishData(…)"

    @property
    def wanted(self) -> Wanted:
        """Return the times that fit."""
        return Wanted(
            until=self.until,
            part=self.part,
            zone=self.zone,
            host_id=self.host_id,
            team_id=self.team_id,
            party_size=self.party_size,
        )

    @property
    def choices(self) -> Choices:
        """Return the choices of links that go on with this wish."""
        return Choices(
            timezone=self.timezone,
            host_id=self.host_id,
            team_id=self.team_id,
            party_size=self.party_size,
            hours=self.hours,
            lang=self.language,
        )

    @classmethod
    def from_row(cls, row: Wish) -> WishData:
        """Decrypt a row. Raises InvalidToken when it can't be, or was written by a version with other fields."""
        # However old: rows are deleted a day after their latest date.
        found = decrypt_token("wish", row.account, row.encrypted, max_age=None, now=0, max_length=MAX_ROW_TOKEN)
        try:
            return msgspec.convert(found, cls)
        except msgspec.ValidationError:
            raise InvalidToken from None


def find_channels(account: Account, service: str) -> tuple[str, ...]:
    """Return the contacts by which visitors of a service can be told: of "email" and "phone"; () for none.

    Those that the service's form asks for and that this site can write to. None where the waitlist is switched off.
    """
    if not account.extension_setting(ENABLED):
        return ()
    usable = {"email": account.mail, "phone": bool(account.messenger)}
    asked = account.service_settings(service).contact_fields.contacts
    return tuple(name for name in asked if usable[name])


class TooManyWishes(Exception):
    """The contact waits for MAX_WISHES already. Nothing was stored."""


def add_wish(account: str, service: str, data: WishData, now: datetime) -> None:
    """Store a wish. The same form sent again, which its code says, changes nothing. Raises TooManyWishes."""
    # Locked by nothing: of two forms in the same moment both may be stored, and nobody gains by a fourth wish.
    open_wishes = Wish.objects.filter(
        account=account, contact_hash__in=contact_hashes([data.contact]), expires_at__gt=now
    )
    others = open_wishes.exclude(link_hash=link_hash(data.code))
    if others.count() >= MAX_WISHES:
        raise TooManyWishes
    wish = Wish(
        account=account,
        service=service,
        contact_hash=contact_hash(data.contact),
        link_hash=link_hash(data.code),
        encrypted=encrypt_token("wish", account, msgspec.to_builtins(data)),
        until=data.until,
        expires_at=data.wanted.ends_at,
        created_at=now,
        changed_at=now,
    )
    try:
        # A savepoint, so that the unique constraint's error doesn't end the caller's transaction.
        with transaction.atomic():
            wish.save(force_insert=True)
    except IntegrityError:
        # A double click, or a reload.
        return


def find_wish(account: str, code: str) -> tuple[Wish, WishData] | None:
    """Return the wish behind a code; None when there is none, or it can't be decrypted anymore."""
    row = Wish.objects.filter(account=account, link_hash__in=link_hashes(code)).first()
    try:
        return (row, WishData.from_row(row)) if row else None
    except InvalidToken:
        # The SECRET_KEY has changed.
        return None


def count_wishes(account: str, contact: str, now: datetime) -> int:
    """Return how many wishes of a contact are open."""
    return Wish.objects.filter(account=account, contact_hash__in=contact_hashes([contact]), expires_at__gt=now).count()


def end_wish(account: str, code: str, *, all_of_contact: bool = False) -> None:
    """Delete the wish behind a code, or all of its contact with this account. Without one, nothing happens."""
    rows = Wish.objects.filter(account=account)
    found = rows.filter(link_hash__in=link_hashes(code)).first()
    if found is None:
        return
    # By the hash that the row has: after a change of key, the newer rows of a person have another one.
    (rows.filter(contact_hash=found.contact_hash) if all_of_contact else rows.filter(pk=found.pk)).delete()


def end_wishes_of(account: str, contacts: list[str], service: str) -> None:
    """Delete the wishes of these contacts for a service, because it was booked."""
    if contacts:
        Wish.objects.filter(account=account, service=service, contact_hash__in=contact_hashes(contacts)).delete()


def delete_expired(now: datetime) -> int:
    """Delete the wishes whose latest date is over. Return how many."""
    return Wish.objects.filter(expires_at__lte=now - RETENTION).delete()[0]


# While one thread imports this: msgspec crashes when two threads use a new type for the first time at once.
warm_up(WishData)
