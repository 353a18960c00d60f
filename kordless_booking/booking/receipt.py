"""What a visitor carries away from the contact form: the way back to an attempt, a booking, or its manage page.

Receipts are sealed into URLs. They hold the contact, because Kordless asks for it as proof with every look at a
booking; nobody without SECRET_KEY can read it there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypeVar

import msgspec

from kordless_booking.api.resources import Booking
from kordless_booking.api.worked_out import worked_out
from kordless_booking.booking.seal import MAX_URL_TOKEN, BrokenSeal, seal, unseal
from kordless_booking.booking.typed import without_longest
from kordless_booking.limits import MAX_MANAGE_LINK_DAYS

__all__ = ["ManageLink", "Receipt"]

ATTEMPT_SECONDS: Final = 24 * 3600
CONFIRMATION_SECONDS: Final = 30 * 86400


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt as its visitor knows it; with `booking` once Kordless has said yes.

    `contact` is the e-mail or phone that proves the right to manage. `start` and `end` are the slot's, in UTC.
    `digest` is of the body that was sent, by which the attempt is known to be the visitor's own, and `typed` what
    stood in the form; both for as long as the outcome is open. `placed_at` is Unix time.
    """

    key: str
    service: str
    zone: str
    contact: str
    start: datetime
    end: datetime
    host: str | None = None
    host_id: str | None = None
    party: int = 1
    digest: str = ""
    typed: dict[str, str] = {}
    attribution: dict[str, str] = {}
    booking: Booking | None = None
    placed_at: int = 0

    def __repr__(self) -> str:
        return f"Receipt({self.service!r}, …)"

    def seal(self, account: str) -> str:
        """A token for URLs. What would make it too long for one, and can be asked for again, is left out."""
        purpose = "confirmation" if self.booking else "receipt"
        token = seal(purpose, account, msgspec.to_builtins(self))
        if len(token) <= MAX_URL_TOKEN:
            return token
        short = self._short()
        token = seal(purpose, account, msgspec.to_builtins(short))
        while len(token) > MAX_URL_TOKEN and short.typed:
            short = msgspec.structs.replace(short, typed=without_longest(short.typed))
            token = seal(purpose, account, msgspec.to_builtins(short))
        return token

    def _short(self) -> Receipt:
        said = self.booking
        return msgspec.structs.replace(
            self,
            host=None,
            attribution={},
            booking=said
            and Booking(
                confirmation_number=said.confirmation_number, status=said.status, start=said.start, end=said.end
            ),
        )

    @classmethod
    def of_attempt(cls, token: str, account: str, now: float) -> Receipt:
        """Raises BrokenSeal, or OldSeal after a day."""
        return _read(cls, unseal("receipt", account, token, max_age=ATTEMPT_SECONDS, now=now))

    @classmethod
    def of_booking(cls, token: str, account: str, now: float) -> Receipt:
        """Raises BrokenSeal, or OldSeal after a month."""
        return _read(cls, unseal("confirmation", account, token, max_age=CONFIRMATION_SECONDS, now=now))


class ManageLink(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Leads straight to a booking, for as long as the account's settings say.

    `expires` is Unix time; `zone` is the visitor's, when it is known. So are `host` (an id) and `party`, which Kordless
    doesn't repeat: the booking can only move to a time that both of them fit.
    """

    number: str
    contact: str
    expires: int
    zone: str | None = None
    host: str | None = None
    party: int = 1

    def __repr__(self) -> str:
        return "ManageLink(…)"

    def seal(self, account: str) -> str:
        return seal("manage", account, msgspec.to_builtins(self))

    @classmethod
    def read(cls, token: str, account: str, now: float) -> ManageLink:
        """Raises BrokenSeal for anything that is not a living manage link of this account."""
        link = _read(cls, unseal("manage", account, token, max_age=(MAX_MANAGE_LINK_DAYS + 1) * 86400, now=now))
        if link.expires < now:
            raise BrokenSeal
        return link


T = TypeVar("T")


def _read(kind: type[T], payload: dict[str, object]) -> T:
    try:
        return msgspec.convert(payload, kind)
    except msgspec.ValidationError:
        raise BrokenSeal from None


worked_out(Receipt, ManageLink)
