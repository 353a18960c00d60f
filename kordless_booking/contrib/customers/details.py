"""Encrypted contents of a customer's row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kordless_booking.api.msgspec_warmup import warm_up
from kordless_booking.booking.tokens import MAX_ROW_TOKEN, InvalidToken, decrypt_token, encrypt_token
from kordless_booking.conf import get_account
from kordless_booking.normalization import compact_text, normalize_email, to_e164
from kordless_booking.upstream.phone_region import cached_phone_region
from kordless_booking.upstream.registry import services_for

if TYPE_CHECKING:
    from kordless_booking.contrib.customers.models import Customer
    from kordless_booking.hooks import Change


class CustomerDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything personal that is known about a customer, as it was last given; "" for what isn't known."""

    name: str = ""
    email: str = ""
    phone: str = ""
    """As E.164 where its country is known."""
    language: str = ""
    """Django code of the language in which they booked."""

    def __repr__(self) -> str:
        # Personal data: it must not appear in a traceback or a log.
        return "CustomerDetails(…)"

    def updated_with(self, newer: CustomerDetails) -> CustomerDetails:
        """Return these details with each value that the newer ones have."""
        given = {name: value for name, value in msgspec.structs.asdict(newer).items() if value}
        return msgspec.structs.replace(self, **given)

    def encrypt(self, account: str) -> str:
        """Encrypt for the row's column `encrypted`."""
        return encrypt_token("customer", account, msgspec.to_builtins(self))

    @classmethod
    def from_row(cls, row: Customer) -> CustomerDetails:
        """Decrypt a row. Raises InvalidToken when it can't be, because its SECRET_KEY is gone."""
        stored = decrypt_token("customer", row.account, row.encrypted, max_age=None, now=0, max_length=MAX_ROW_TOKEN)
        try:
            return msgspec.convert(stored, cls)
        except msgspec.ValidationError:
            raise InvalidToken from None

    @classmethod
    def from_change(cls, change: Change) -> CustomerDetails:
        """Read the contact of a booking, and the language where it is known."""
        contact, preferences = change.booking.contact, change.preferences
        email = normalize_email(contact.email or "") if contact else ""
        return cls(
            name=contact.name if contact else "",
            # Without "@" it would be hashed as a phone number is.
            email=email if "@" in email else "",
            phone=_phone(change.account, contact.phone) if contact and contact.phone else "",
            language=preferences.language if preferences else "",
        )


def _phone(account_name: str, text: str) -> str:
    """Return a phone number in the spelling under which its owner is found again: E.164, else without its spaces."""
    if known := to_e164(text, None):
        return known
    account = get_account(account_name)
    return to_e164(text, cached_phone_region(account, services_for(account).catalog)) or compact_text(text)


# While one thread imports this: msgspec crashes when two threads use a new type for the first time at once.
warm_up(CustomerDetails)
