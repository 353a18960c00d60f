"""Queue of booking attempts, for when more are requested than Kordless creates per minute.

The queue is first in, first out. Only as many attempts from its front may be sent as Kordless accepts per minute, and a
new attempt goes to its end, so that none starves. Attempts are sent by the visitors' own pages, which ask again after
the seconds that they were given. An attempt whose page has not asked within `GRACE` of its time (a closed tab) does not
hold up the others. It has its old position again when the page comes back.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Min

from kordless_booking.api.client import QUOTA_SECONDS
from kordless_booking.models import BookingAttempt

if TYPE_CHECKING:
    from django.db.models import QuerySet

WINDOW_SECONDS: Final = QUOTA_SECONDS + 1
"""Seconds after which Kordless accepts the full number again; with a second to spare."""
RATE_WINDOW: Final = timedelta(seconds=QUOTA_SECONDS)
MAX_AGE: Final = timedelta(minutes=30)
"""Age up to which placed attempts are counted. Older attempts are hardly ever placed any more, and the bound on
`created_at` lets an index exclude them from the count."""
GRACE: Final = timedelta(seconds=10)
"""Time after which a queued attempt whose page does not ask no longer holds up the others."""


def wait_for_new_attempt(account: str, now: datetime) -> int:
    """Return the seconds until the first waiting attempt may be sent; 0 when none waits.

    No new attempt may be sent before it.
    """
    earliest = _waiting(account, now).aggregate(earliest=Min("retry_at"))["earliest"]
    return max(1, _seconds(earliest, now)) if earliest else 0


def wait_for(row: BookingAttempt, now: datetime, *, creations_per_minute: int) -> int:
    """Estimate the seconds until a waiting attempt is sent; 0 when it may be sent now.

    Kordless takes `creations_per_minute` of them.
    """
    # By primary key, not by time: an attempt from a worker with a slow clock could otherwise overtake others that were
    # told their position already.
    before = _waiting(row.account, now).filter(pk__lt=row.pk).aggregate(first=Min("retry_at"), count=Count("pk"))
    own = _seconds(row.retry_at, now)
    # Whole rounds only: with fewer than `creations_per_minute` attempts before it, it is sent in the same round.
    rounds = before["count"] // creations_per_minute
    return max(own, _seconds(before["first"], now) + rounds * WINDOW_SECONDS) if rounds else own


def wait_after_contention(row: BookingAttempt, now: datetime, *, seconds: int, creations_per_minute: int) -> int:
    """Estimate the seconds until an attempt is sent that Kordless has just refused with a 429 for `seconds`.

    Older attempts that are being sent at this moment, and for which Kordless will have no room either, come before it.
    """
    rows = BookingAttempt.objects.filter(account=row.account)
    waiting = _waiting(row.account, now).filter(pk__lt=row.pk).count()
    # Leases that have not expired: these are in flight right now, in other threads and processes.
    in_flight = rows.filter(state=BookingAttempt.State.PLACING, claimed_until__gt=now, pk__lt=row.pk).count()
    placed = rows.filter(
        state=BookingAttempt.State.PLACED, created_at__gt=now - MAX_AGE, changed_at__gt=now - RATE_WINDOW
    ).count()
    crowded_out = max(0, in_flight - max(0, creations_per_minute - placed))
    return seconds + (waiting + crowded_out) // creations_per_minute * WINDOW_SECONDS


def _waiting(account: str, now: datetime) -> QuerySet[BookingAttempt]:
    return BookingAttempt.objects.filter(account=account, state=BookingAttempt.State.WAITING, retry_at__gt=now - GRACE)


def _seconds(moment: datetime | None, now: datetime) -> int:
    # Rounded up, so that a page that waits this long never asks too early.
    return int((moment - now).total_seconds()) + 1 if moment and moment > now else 0
