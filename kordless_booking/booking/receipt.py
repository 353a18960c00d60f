"""Encrypted tokens in URLs that lead a visitor to their attempt, to their confirmation, or to a manage page.

They contain the contact, because Kordless demands it as proof with each lookup. They are encrypted, so nobody without
SECRET_KEY can read it in the URL.
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from kordless_booking.api.msgspec_warmup import warm_up
from kordless_booking.api.resources import Booking
from kordless_booking.booking.form_input import without_longest
from kordless_booking.booking.terms import Terms
from kordless_booking.booking.tokens import MAX_URL_TOKEN, InvalidToken, decrypt_token, encrypt_token
from kordless_booking.limits import MAX_MANAGE_LINK_DAYS

ATTEMPT_SECONDS: Final = 24 * 3600
"""Seconds for which the link to an attempt works: as long as an attempt is sent again."""
MAX_NAMED_TOKEN: Final = 500
"""Characters of a manage link's token up to which it carries the names of host and team. It stands in mails, where a
short link is less likely to be broken."""
CONFIRMATION_SECONDS: Final = 30 * 86400
"""Seconds for which the link to a confirmation works."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A visitor's attempt, and its booking once there is one."""

    key: str
    """Key of the attempt: the draft's nonce."""
    terms: Terms
    contact: str
    """Email or phone that proves the right to manage the booking."""
    digest: str = ""
    """Plain hash of the body that was sent: proves that the attempt is this visitor's own. Empty once there is a
    booking."""
    form_input: dict[str, str] = {}
    """Form input, while the outcome is open. Shown again for some minutes after a rejection only."""
    sent_at: int = 0
    """When the form was posted, in Unix time."""
    attribution: dict[str, str] = {}
    booking: Booking | None = None
    """The booking, without its contact, once it is placed."""
    placed_at: int = 0
    """When the visitor was led to the confirmation, in Unix time."""

    def __repr__(self) -> str:
        # Without the contact, because a repr may end up in a log.
        return f"Receipt({self.terms.service!r}, …)"

    def to_token(self, account: str) -> str:
        """Return an encrypted token for URLs.

        When it would be too long, details that Kordless can be asked for again are left out, then the longest texts of
        the form input.
        """
        # Another purpose, so that the link to an attempt can't be used as one to a confirmation.
        purpose = "confirmation" if self.booking else "receipt"
        token = encrypt_token(purpose, account, msgspec.to_builtins(self))
        if len(token) <= MAX_URL_TOKEN:
            return token
        short = self._shortened()
        token = encrypt_token(purpose, account, msgspec.to_builtins(short))
        while len(token) > MAX_URL_TOKEN and short.form_input:
            short = msgspec.structs.replace(short, form_input=without_longest(short.form_input))
            token = encrypt_token(purpose, account, msgspec.to_builtins(short))
        return token

    def _shortened(self) -> Receipt:
        booking = self.booking
        return msgspec.structs.replace(
            self,
            terms=self.terms.without_names(),
            attribution={},
            booking=booking
            and Booking(
                confirmation_number=booking.confirmation_number,
                status=booking.status,
                start=booking.start,
                end=booking.end,
            ),
        )

    @classmethod
    def from_attempt_token(cls, token: str, account: str, now: float) -> Receipt:
        """Decrypt the token of an attempt. Raises InvalidToken; after a day, its subclass ExpiredToken."""
        return _read(cls, decrypt_token("receipt", account, token, max_age=ATTEMPT_SECONDS, now=now))

    @classmethod
    def from_confirmation_token(cls, token: str, account: str, now: float) -> Receipt:
        """Decrypt the token of a confirmation. Raises InvalidToken; after 30 days, its subclass ExpiredToken."""
        return _read(cls, decrypt_token("confirmation", account, token, max_age=CONFIRMATION_SECONDS, now=now))


class ManageLink(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Link to the manage page of a booking, valid until it expires."""

    number: str
    """Confirmation number."""
    contact: str
    """Email or phone that the booking was made with."""
    expires: int
    """Unix time."""
    timezone: str | None = None
    """The visitor's time zone (IANA name), if known."""
    host_id: str | None = None
    """Host id, if known. Kordless doesn't repeat host, team and party size, but the booking can only move to a time
    that fits all three."""
    party_size: int = 1
    team_id: str | None = None
    host_name: str | None = None
    team_name: str | None = None

    @classmethod
    def for_terms(
        cls, terms: Terms | None, *, number: str, contact: str, expires: int, timezone: str | None
    ) -> ManageLink:
        """Return the link to a booking on these terms; None when they aren't known."""
        # Only what the booking itself doesn't tell: the link stands in mails, and should be short.
        return cls(
            number=number,
            contact=contact,
            expires=expires,
            timezone=timezone,
            host_id=terms.host_id if terms else None,
            party_size=terms.party_size if terms else 1,
            team_id=terms.team_id if terms else None,
            host_name=terms.host_name if terms else None,
            team_name=terms.team_name if terms else None,
        )

    def build_terms(self, booking: Booking, timezone: str) -> Terms:
        """Return the terms of its booking, as far as link and booking know them."""
        return Terms(
            service=booking.service_slug or "",
            start=booking.start,
            end=booking.end,
            timezone=timezone,
            host_id=self.host_id,
            host_name=self.host_name,
            team_id=self.team_id,
            team_name=self.team_name,
            party_size=self.party_size,
        )

    def __repr__(self) -> str:
        # Number and contact together are the right to cancel the booking, and a repr may end up in a log.
        return "ManageLink(…)"

    def to_token(self, account: str) -> str:
        """Return an encrypted token for URLs. Without the names of host and team where they would make it long."""
        token = encrypt_token("manage", account, msgspec.to_builtins(self))
        if len(token) > MAX_NAMED_TOKEN and (self.host_name or self.team_name):
            return msgspec.structs.replace(self, host_name=None, team_name=None).to_token(account)
        return token

    @classmethod
    def from_token(cls, token: str, account: str, now: float) -> ManageLink:
        """Decrypt a token. Raises InvalidToken for anything but an unexpired manage link of this account."""
        # The link says itself when it expires. `max_age` only bounds that, with a day to spare.
        link = _read(cls, decrypt_token("manage", account, token, max_age=(MAX_MANAGE_LINK_DAYS + 1) * 86400, now=now))
        if link.expires < now:
            raise InvalidToken
        return link


T = TypeVar("T")


def _read(kind: type[T], payload: dict[str, object]) -> T:
    try:
        return msgspec.convert(payload, kind)
    except msgspec.ValidationError:
        raise InvalidToken from None


warm_up(Receipt, ManageLink)
