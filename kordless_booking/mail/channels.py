"""Channels: which of email and phone a customer is notified by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kordless_booking.lazy_imports import LazyModule
from kordless_booking.models import OutgoingMail
from kordless_booking.normalization import to_e164

if TYPE_CHECKING:
    import phonenumbers

    from kordless_booking.conf import Account
    from kordless_booking.mail.appointment_data import AppointmentData
else:
    phonenumbers = LazyModule("phonenumbers")

_NOT_TEXTED: Final = (
    # Most can't receive a message. Where nobody can tell them from a cell phone, as in the US, the type is another.
    "FIXED_LINE",
    # Whoever types such a number into the form earns money with each message.
    "PREMIUM_RATE",
    "SHARED_COST",
    "TOLL_FREE",
    "UAN",
    "VOICEMAIL",
    "PAGER",
)
"""Names of the types of numbers that get no message."""


def channels_for(account: Account, data: AppointmentData) -> tuple[OutgoingMail.Channel, ...]:
    """Return the channels by which the customer of a booking is notified; () for none."""
    channels = []
    if account.mail and data.email:
        channels.append(OutgoingMail.Channel.EMAIL)
    wanted = account.messenger and (account.messenger_for == "all" or not data.email)
    if wanted and usable_phone(data.contact.phone, account.phone_region):
        channels.append(OutgoingMail.Channel.PHONE)
    return tuple(channels)


def usable_phone(text: str | None, region: str) -> str:
    """Return the number as E.164 when a message can be sent to it, else "".

    `region` (ISO 3166) is where a number without a country code is from; "" when that isn't known.
    """
    number = to_e164(text or "", region or None) or ""
    if not number:
        return ""
    parsed = phonenumbers.parse(number)
    # "001": no country's. Satellite phones and international networks, whose messages cost many times as much.
    types = phonenumbers.PhoneNumberType
    not_texted = {getattr(types, name) for name in _NOT_TEXTED}
    if phonenumbers.number_type(parsed) in not_texted or phonenumbers.region_code_for_number(parsed) in {None, "001"}:
        return ""
    return number
