"""Throttle per recipient: how often one email address or phone number may book or move, whatever the client address.

Each booking and each move sends mail to its contact. Somebody with many addresses could else fill a stranger's mailbox,
and the business's calendar, with bookings in one name. Looking at a booking and canceling it are not counted.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from hashlib import sha256
from math import ceil
from typing import TYPE_CHECKING, Final

from django.utils.translation import ngettext

from kordless_booking.booking.hashes import contact_hash
from kordless_booking.logs import log_event
from kordless_booking.upstream.permits import first_free_at, take_permit
from kordless_booking.views.abuse import Rejection, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kordless_booking.upstream.fallback_cache import FallbackCache
    from kordless_booking.views.request import WidgetRequest

log = logging.getLogger("kordless_booking.views")

DAY_SECONDS: Final = 86400
_MAX_MINUTES: Final = 90
"""Longest wait that is told in minutes; a longer one is told in hours."""


@dataclass(frozen=True)
class ContactPermits:
    """Permits that one booking or move has taken, or the reason why there were none."""

    cache: FallbackCache
    keys: list[str] = field(default_factory=list)
    rejection: Rejection | None = None

    def give_back(self) -> None:
        """Return the permits: nothing was booked or moved, so nobody got mail."""
        if self.keys:
            self.cache.delete_many(self.keys)


def take_contact_permits(visit: WidgetRequest, contacts: Iterable[str | None]) -> ContactPermits:
    """Count one booking or move of each contact; of none of them, when one is over its limit."""
    account, cache, now = visit.account, visit.access.cache, visit.now.timestamp()
    rules = (
        Rule("contact", account.bookings_per_contact),
        Rule("contact-day", account.bookings_per_contact_daily, DAY_SECONDS),
    )
    hashes = sorted({contact_hash(contact) for contact in contacts if contact})
    pools = [(rule, _keys(account.name, rule, name)) for rule in rules for name in hashes if rule.limit]
    taken = ContactPermits(cache)
    found = cache.get_many([key for _rule, keys in pools for key in keys]) if pools else {}
    for rule, keys in pools:
        free_at = now + rule.seconds
        key = take_permit(cache, keys, found, free_at=free_at, timeout=rule.seconds)
        if key is None:
            taken.give_back()
            seconds = min(max(1, ceil(first_free_at(keys, found, free_at) - now)), rule.seconds)
            log_event(log, logging.WARNING, "throttled", scope=rule.scope, seconds=seconds)
            return ContactPermits(cache, rejection=_reject(seconds))
        taken.keys.append(key)
    return taken


def _keys(account: str, rule: Rule, name: str) -> list[str]:
    # Of a keyed hash. Not `cache_key`: it remembers its keys, and every contact would take the place of others there.
    digest = sha256(f"{account}\0{rule.scope}\0{name}".encode()).hexdigest()[:40]
    return [f"kb:throttle:{digest}:{number}" for number in range(rule.limit)]


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
