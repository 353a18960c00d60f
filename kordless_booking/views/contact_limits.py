"""Throttle per recipient: how often one email address or phone number may book or move, whatever the client address.

Each booking and each move sends mail to its contact. Somebody with many addresses could else fill a stranger's mailbox,
and the business's calendar, with bookings in one name. Looking at a booking and canceling it are not counted.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import ngettext

from kordless_booking.booking.hashes import contact_hash
from kordless_booking.logs import log_event
from kordless_booking.views.abuse import Rejection, Rule
from kordless_booking.views.client_address import Bucket
from kordless_booking.views.throttle import PermitKeys, Use, take_use

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kordless_booking.views.request import WidgetRequest

log = logging.getLogger("kordless_booking.views")

DAY_SECONDS: Final = 86400
_MAX_MINUTES: Final = 90
"""Longest wait that is told in minutes; a longer one is told in hours."""


@dataclass(frozen=True)
class ContactPermits:
    """Permits that one booking or move has taken, or the reason why there were none."""

    uses: tuple[Use, ...] = ()
    rejection: Rejection | None = None

    def give_back(self) -> None:
        """Return the permits: nothing was booked or moved, so nobody got mail."""
        for use in self.uses:
            use.give_back()


def take_contact_permits(visit: WidgetRequest, contacts: Iterable[str | None]) -> ContactPermits:
    """Count one booking or move of each contact; of none of them, when one is over its limit."""
    account, cache = visit.account, visit.access.cache.throttle_view()
    rules = (
        Rule("contact", account.bookings_per_contact),
        Rule("contact-day", account.bookings_per_contact_daily, DAY_SECONDS),
    )
    hashes = sorted({contact_hash(contact) for contact in contacts if contact})
    taken = ContactPermits()
    for rule in rules:
        if not (rule.limit and hashes):
            continue
        keys = [PermitKeys.build(f"{account.name}\0{rule.scope}", Bucket(name), rule.limit) for name in hashes]
        use = take_use(cache, keys, seconds=rule.seconds, now=visit.now.timestamp())
        if use.seconds:
            taken.give_back()
            log_event(log, logging.WARNING, "throttled", scope=rule.scope, seconds=use.seconds)
            return ContactPermits(rejection=_reject(use.seconds))
        taken = ContactPermits((*taken.uses, use))
    return taken


def _reject(seconds: int) -> Rejection:
    minutes = -(-seconds // 60)
    if minutes <= _MAX_MINUTES:
        text = ngettext(
            "Many appointments were booked or moved with this email address or phone number. "
            "Please try again in %(minutes)s minute, or contact us directly.",
            "Many appointments were booked or moved with this email address or phone number. "
            "Please try again in %(minutes)s minutes, or contact us directly.",
            minutes,
        )
        return Rejection(text % {"minutes": minutes}, seconds)
    hours = -(-minutes // 60)
    text = ngettext(
        "Many appointments were booked or moved with this email address or phone number. "
        "Please try again in %(hours)s hour, or contact us directly.",
        "Many appointments were booked or moved with this email address or phone number. "
        "Please try again in %(hours)s hours, or contact us directly.",
        hours,
    )
    return Rejection(text % {"hours": hours}, seconds)
