"""What is news about a booking, and telling it once.

This site's own pages and Kordless's webhook both hear of most changes, in any order and perhaps more than once. One
row for each booking remembers the newest that was told, so that the second teller is silent, and an old delivery that
comes late never turns a cancelled booking back into a confirmed one, or moves one back to where it was.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Final

import msgspec
from django.db import DatabaseError, IntegrityError, transaction
from django.dispatch import Signal

from kordless_booking.booking.hashes import number_hash
from kordless_booking.catalog.keys import cache_key
from kordless_booking.conf import account_named
from kordless_booking.logs import say, where
from kordless_booking.mail.intake import take_in
from kordless_booking.mail.occasions import Occasion
from kordless_booking.models import KnownBooking
from kordless_booking.signals import Source, booking_cancelled, booking_created, booking_rescheduled
from kordless_booking.unrepeated import unrepeated

if TYPE_CHECKING:
    from kordless_booking.api.resources import Booking
    from kordless_booking.booking.reader import Reader
    from kordless_booking.catalog.steady import SteadyCache
    from kordless_booking.conf import Account

__all__ = ["Change", "announce", "being_changed_here", "newer_is_known", "news", "now_changing", "write_about"]

log = logging.getLogger("kordless_booking.signals")

CHANGING_SECONDS: Final = 60
"""How long after a page of ours has asked for a change a webhook about it is still about that."""


class Change(Enum):
    """What happens to a booking, and the signal that tells it."""

    CREATED = booking_created
    RESCHEDULED = booking_rescheduled
    CANCELLED = booking_cancelled

    @property
    def signal(self) -> Signal:
        return self.value


def announce(
    change: Change,
    booking: Booking,
    *,
    account: str,
    now: datetime,
    attribution: Mapping[str, str] | None = None,
    reader: Reader | None = None,
) -> None:
    """Tell of a change that was made on our own pages, unless the webhook was quicker. Raises nothing.

    `reader` is how the customer reads, for mails.
    """
    told: Booking | None
    try:
        with transaction.atomic():
            told = news(change, booking, account=account, at=now)
            write_about(change, told, booking, account=account_named(account), now=now, reader=reader)
    except DatabaseError as error:
        # Better told twice than not at all: the visitor's booking stands.
        say(log, logging.ERROR, "news_not_written", change=change.name.lower(), error=type(error).__name__)
        told = booking
    if told is None:
        return
    source = Source.WIDGET
    with unrepeated():
        answers = change.signal.send_robust(
            sender=source,
            booking=told,
            account=account,
            source=source,
            attribution=dict(attribution or {}),
            replay=False,
        )
    for listener, answer in answers:
        if isinstance(answer, Exception):
            name = getattr(listener, "__qualname__", type(listener).__name__)
            say(log, logging.ERROR, "receiver_failed", receiver=name, **where(answer))


def news(change: Change, booking: Booking, *, account: str, at: datetime) -> Booking | None:
    """The booking to tell of, or None when there is nothing new in it. Needs a transaction; raises DatabaseError.

    `at` is when the change was made. A booking whose creation is heard of only after it was moved is told as it is now.
    """
    at = at.replace(microsecond=0)  # Kordless's own times have whole seconds
    names = {"account": account, "number_hash": number_hash(booking.confirmation_number)}
    mine = KnownBooking.objects.select_for_update()
    known = mine.filter(**names).first()
    if known is None:
        known = KnownBooking(**names, changed_at=at)
        told = _learn(known, change, booking, at)
        try:
            with transaction.atomic():
                known.save(force_insert=True)
        except IntegrityError:  # another teller was quicker
            known = mine.get(**names)
        else:
            return told
    told = _learn(known, change, booking, at)
    known.save()
    return told


def newer_is_known(booking: Booking, *, account: str, at: datetime) -> bool:
    """Whether something was told of the booking that was newer than what happened `at` that time."""
    names = {"account": account, "number_hash": number_hash(booking.confirmation_number)}
    return KnownBooking.objects.filter(**names, changed_at__gt=at.replace(microsecond=0)).exists()


def write_about(
    change: Change,
    told: Booking | None,
    heard: Booking,
    *,
    account: Account,
    now: datetime,
    reader: Reader | None = None,
) -> None:
    """Queue the mail to the customer, if the account writes any. In the transaction of the news; raises DatabaseError.

    `told` is what `news` gave for what was `heard`.
    """
    take_in(account, told or heard, _OCCASIONS[change] if told else None, now=now, reader=reader)


def now_changing(cache: SteadyCache, account: str, number: str) -> None:
    """A page of ours is about to ask for a change, whose webhook may be quicker than its answer."""
    cache.set(cache_key(account, "changing", number_hash(number)), 1, CHANGING_SECONDS)


def being_changed_here(cache: SteadyCache, account: str, number: str) -> bool:
    """Whether a page of ours has just asked for a change of this booking."""
    return cache.get(cache_key(account, "changing", number_hash(number))) is not None


_OCCASIONS: Final = {
    Change.CREATED: Occasion.CONFIRMED,
    Change.RESCHEDULED: Occasion.RESCHEDULED,
    Change.CANCELLED: Occasion.CANCELLED,
}


def _learn(known: KnownBooking, change: Change, booking: Booking, at: datetime) -> Booking | None:
    """What is told of the change; `known` knows it then, and has to be saved."""
    older = at < known.changed_at
    known.changed_at = max(at, known.changed_at)
    if known.cancelled:
        return None
    match change:
        case Change.CANCELLED:
            known.cancelled = True
            return booking
        case Change.CREATED:
            if known.created:
                return None
            known.created = True
            booking = booking if known.start is None else _at(booking, known.start)
        case Change.RESCHEDULED:
            if known.start is not None and (older or known.start == booking.start):
                return None
    known.start = booking.start
    return booking


def _at(booking: Booking, start: datetime) -> Booking:
    return msgspec.structs.replace(booking, start=start, end=start + (booking.end - booking.start))
