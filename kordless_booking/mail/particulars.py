"""Whose appointment it is and how that person reads: what an appointment's row keeps, encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from kordless_booking.api.resources import Booking, Contact
from kordless_booking.api.worked_out import worked_out
from kordless_booking.booking.reader import Reader
from kordless_booking.booking.seal import BrokenSeal, seal, unseal

if TYPE_CHECKING:
    from kordless_booking.models import Appointment

__all__ = ["Particulars", "usable_email"]

KEPT: Final = 10 * 366 * 86400
"""Seconds that the seal holds: rows are deleted long before."""
LONGEST: Final = 200_000
LONGEST_ADDRESS: Final = 254


class Particulars(msgspec.Struct, frozen=True, kw_only=True):
    """A booking with all that was ever said of it, and its reader as far as known."""

    booking: Booking
    reader: Reader | None = None

    def __repr__(self) -> str:
        return "Particulars(…)"

    @property
    def contact(self) -> Contact:
        return self.booking.contact or Contact()

    @property
    def email(self) -> str:
        """Where to write to; "" when there is no address that could be one."""
        return usable_email(self.contact.email)

    def seal(self, account: str) -> str:
        return seal("appointment", account, msgspec.to_builtins(self))

    @classmethod
    def of(cls, row: Appointment) -> Particulars:
        """What a row keeps, with the row's own times and status. Raises BrokenSeal when nobody can read it any more."""
        sealed = unseal("appointment", row.account, row.sealed, max_age=KEPT, now=0, longest=LONGEST)
        try:
            kept = msgspec.convert(sealed, cls)
        except msgspec.ValidationError:
            raise BrokenSeal from None
        now = msgspec.structs.replace(kept.booking, start=row.start, end=row.end, status=row.status)
        return msgspec.structs.replace(kept, booking=now)

    def learn(self, booking: Booking, reader: Reader | None, *, news: bool) -> Particulars:
        """The same with what `booking` says beyond it, and with its times and status if they are `news`."""
        mine, own = self.booking, {"contact"} if news else {"contact", "start", "end", "status"}
        said = {
            name: value for name in Booking.__struct_fields__ if name not in own and (value := getattr(booking, name))
        }
        contact, heard = self.contact, booking.contact or Contact()
        said["contact"] = Contact(
            name=heard.name or contact.name, email=heard.email or contact.email, phone=heard.phone or contact.phone
        )
        return Particulars(booking=msgspec.structs.replace(mine, **said), reader=_joined(self.reader, reader))


def _joined(known: Reader | None, heard: Reader | None) -> Reader | None:
    """The newer, with what was chosen for the booking when it was made."""
    if known is None or heard is None:
        return heard or known
    party = heard.party if heard.party > 1 else known.party
    chosen = heard if heard.host else known
    return msgspec.structs.replace(heard, host=chosen.host, host_id=chosen.host_id, party=party)


def usable_email(text: str | None) -> str:
    """The address if mail can go there, else ""."""
    address = (text or "").strip()
    if len(address) > LONGEST_ADDRESS or not address.isprintable():
        return ""
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address


worked_out(Particulars)
