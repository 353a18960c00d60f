"""Who is next when more want to book than Kordless takes in a minute.

The attempts that wait are a line, oldest first. Only as many from its front may be sent as Kordless takes in a
minute, and a newcomer goes to its end, so that nobody is overtaken for ever. Who has not asked by some seconds after
its time (a closed tab) is not waited for, and finds its place again when it comes back.

Oldest is whose row was written first: by the clock, one could come in before others who were told their place already.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Min

from kordless_booking.api.client import QUOTA_SECONDS
from kordless_booking.booking.attempt import State
from kordless_booking.models import BookingAttempt

if TYPE_CHECKING:
    from django.db.models import QuerySet

__all__ = ["seconds_after_racing", "seconds_for_newcomer", "seconds_in_line"]

ROUND: Final = QUOTA_SECONDS + 1
"""Seconds after which Kordless takes as many again."""
MINUTE: Final = timedelta(seconds=QUOTA_SECONDS)
LONGEST: Final = timedelta(minutes=30)
"""Older attempts than this are hardly placed any more: an index leaves them out of what is counted."""
LATE: Final = timedelta(seconds=10)
"""How long after its time one is still waited for."""


def seconds_for_newcomer(account: str, now: datetime) -> int:
    """Until the first who waits may be sent, and nobody before; 0 when nobody waits."""
    first = _line(account, now).aggregate(first=Min("retry_at"))["first"]
    return max(1, _seconds(first, now)) if first else 0


def seconds_in_line(row: BookingAttempt, now: datetime, *, a_minute: int) -> int:
    """About how long until a waiting attempt is sent; 0 when it may be now. Kordless takes `a_minute` of them."""
    before = _line(row.account, now).filter(pk__lt=row.pk).aggregate(first=Min("retry_at"), many=Count("pk"))
    own = _seconds(row.retry_at, now)
    rounds = before["many"] // a_minute
    return max(own, _seconds(before["first"], now) + rounds * ROUND) if rounds else own


def seconds_after_racing(row: BookingAttempt, now: datetime, *, seconds: int, a_minute: int) -> int:
    """About how long until an attempt is sent for which Kordless, asked just now, had no room for `seconds`.

    Of the older ones that are being sent in this moment, those that Kordless will not take either are before it.
    """
    ours = BookingAttempt.objects.filter(account=row.account)
    waiting = _line(row.account, now).filter(pk__lt=row.pk).count()
    racing = ours.filter(state=State.PLACING, claimed_until__gt=now, pk__lt=row.pk).count()
    taken = ours.filter(state=State.PLACED, created_at__gt=now - LONGEST, changed_at__gt=now - MINUTE).count()
    lost = max(0, racing - max(0, a_minute - taken))
    return seconds + (waiting + lost) // a_minute * ROUND


def _line(account: str, now: datetime) -> QuerySet[BookingAttempt]:
    return BookingAttempt.objects.filter(account=account, state=State.WAITING, retry_at__gt=now - LATE)


def _seconds(moment: datetime | None, now: datetime) -> int:
    return int((moment - now).total_seconds()) + 1 if moment and moment > now else 0
