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
from kordless_booking.upstream.permits import from_millis
from kordless_booking.views.address_limits import Rejection, Rule
from kordless_booking.views.client_address import Bucket
from kordless_booking.views.throttle import PermitKeys, Use, read_permits, take_use

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

    def release(self) -> None:
        """Return the permits: nothing was booked or moved, so nobody got mail."""
        for use in self.uses:
            use.release()


class OverContactLimit(Exception):
    """A contact has booked too often. Nothing was sent."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection)
        self.rejection = rejection


class BookingPermits:
    """Permits of a booking's contacts, which `placement` takes when the attempt is sent or queued for the first time.

    So forms that are only held, and never followed up, take nothing from the person whose address they have.
    """

    def __init__(self, visit: WidgetRequest) -> None:
        self._visit = visit
        self._permits = ContactPermits()

    @property
    def has_permits(self) -> bool:
        """True if this request took them, and not an earlier one of the same form."""
        return bool(self._permits.uses)

    def take(self, contact_hashes: Iterable[str]) -> None:
        """Take a permit of each contact. Raises OverContactLimit, and takes none, when one has none left."""
        taken = _take(self._visit, contact_hashes)
        if taken.rejection:
            raise OverContactLimit(taken.rejection)
        self._permits = taken

    def release(self) -> None:
        """Return what this request has taken: nothing was booked."""
        self._permits.release()
        self._permits = ContactPermits()


def take_contact_permits(visit: WidgetRequest, contacts: Iterable[str | None]) -> ContactPermits:
    """Count one move of each contact; of none of them, when one is over its limit."""
    return _take(visit, (contact_hash(contact) for contact in contacts))


def _take(visit: WidgetRequest, contact_hashes: Iterable[str]) -> ContactPermits:
    cache = visit.access.cache.throttle_view()
    hashes = sorted(set(filter(None, contact_hashes)))
    taken = ContactPermits()
    for rule in _rules(visit):
        if not (rule.limit and hashes):
            continue
        keys = [_permit_keys(visit, rule, name) for name in hashes]
        use = take_use(cache, keys, seconds=rule.seconds, now=visit.now.timestamp())
        if use.seconds:
            taken.release()
            log_event(log, logging.WARNING, "throttled", scope=rule.scope, seconds=use.seconds)
            return ContactPermits(rejection=_reject(use.seconds))
        taken = ContactPermits((*taken.uses, use))
    return taken


def release_later(visit: WidgetRequest, hashes: Iterable[str], sent_at: int) -> None:
    """Return the permits that a form took in an earlier request, because it was rejected on its waiting page.

    The form was sent at `sent_at` (Unix seconds), and took its permits then or, if it was held, later. `hashes` are
    those of its contacts. Call it once for each form, and only if it took permits: those of others look the same.
    """
    cache = visit.access.cache.throttle_view()
    for rule in _rules(visit):
        for name in filter(None, hashes):
            keys = _permit_keys(visit, rule, name)
            found = read_permits(cache, [keys])
            # A permit says when it is free again, and so when it was taken. The oldest that may be this form's: those
            # of the contact's later bookings last at least as long as they should.
            free_at = {key: from_millis(found.get(key)) for key in keys.keys}
            taken = [key for key in keys.keys if int(free_at[key]) >= sent_at + rule.seconds]
            cache.delete_many(sorted(taken, key=free_at.__getitem__)[:1])


def _rules(visit: WidgetRequest) -> tuple[Rule, ...]:
    account = visit.account
    return (
        Rule("contact", account.bookings_per_contact),
        Rule("contact-day", account.bookings_per_contact_daily, DAY_SECONDS),
    )


def _permit_keys(visit: WidgetRequest, rule: Rule, name: str) -> PermitKeys:
    return PermitKeys.build(f"{visit.account.name}\0{rule.scope}", Bucket(name), rule.limit)


def _reject(seconds: int) -> Rejection:
    minutes = -(-seconds // 60)
    if minutes <= _MAX_MINUTES:
        text = ngettext(
            "Many appointments were booked or rescheduled with this email address or phone number. Please try again "
            "in %(minutes)s minute, or contact us directly.",
            "Many appointments were booked or rescheduled with this email address or phone number. Please try again "
            "in %(minutes)s minutes, or contact us directly.",
            minutes,
        )
        return Rejection(text % {"minutes": minutes}, seconds)
    hours = -(-minutes // 60)
    text = ngettext(
        "Many appointments were booked or rescheduled with this email address or phone number. Please try again in "
        "%(hours)s hour, or contact us directly.",
        "Many appointments were booked or rescheduled with this email address or phone number. Please try again in "
        "%(hours)s hours, or contact us directly.",
        hours,
    )
    return Rejection(text % {"hours": hours}, seconds)
