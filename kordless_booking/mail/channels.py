"""Channels: which of email and phone a customer is notified by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import phonenumbers
from phonenumbers import PhoneNumberType

from kordless_booking.models import OutgoingMail
from kordless_booking.normalization import to_e164

if TYPE_CHECKING:
    from kordless_booking.conf import Account
    from kordless_booking.mail.appointment_data import AppointmentData

_NOT_TEXTED: Final = frozenset(
    {
        # Most can't receive a message. Where nobody can tell them from a cell phone, as in the US, the type is another.
        PhoneNumberType.FIXED_LINE,
        # Whoever types such a number into the form earns money with each message.
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
        PhoneNumberType.PAGER,
    }
)
"""Types of numbers that get no message."""


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
    if phonenumbers.number_type(parsed) in _NOT_TEXTED or phonenumbers.region_code_for_number(parsed) in {None, "001"}:
        return ""
    return number
