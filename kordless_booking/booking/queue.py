"""Queue of booking attempts, for when more are requested than Kordless creates per minute.

Only as many attempts from the front of the queue may be sent as Kordless accepts per minute, and a new attempt goes to
its end, so that none starves. Attempts are sent by the visitors' own pages, which ask again after the seconds that they
were given. An attempt whose page has not asked within `GRACE` of its time (a closed tab) does not hold up the others.
It has its old position again when the page comes back.

The queue is shared out over client addresses (fair queueing). An attempt's `arrival` is its number among those that
came; its `turn`, by which the queue is served, is the same for the first attempt of an address. For each further one
that waits at the same address, it is the number of attempts that Kordless accepts per minute later: so many attempts
that come after it go first. So nobody overtakes the first attempt of an address, unless its network has several. At
most `MAX_WAITING_PER_ADDRESS` attempts of an address are in the queue. More are held outside, and join its end. An IPv6
network, whose owner has as many addresses as they want, counts as `ADDRESSES_PER_NETWORK` addresses in all.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Max, Min, Q

from kordless_booking.api.documented import QUOTA_SECONDS
from kordless_booking.booking.hashes import NETWORK_CHARS
from kordless_booking.models import BookingAttempt

if TYPE_CHECKING:
    from django.db.models import QuerySet

ROUND_SECONDS: Final = QUOTA_SECONDS + 1
"""Seconds after which Kordless accepts the full number again; with a second to spare."""
RATE_WINDOW: Final = timedelta(seconds=QUOTA_SECONDS)
MAX_AGE: Final = timedelta(minutes=30)
"""Age up to which placed attempts are counted. Older attempts are hardly ever placed anymore, and the bound on
`created_at` lets an index exclude them from the count."""
GRACE: Final = timedelta(seconds=10)
"""Time after which a queued attempt whose page does not ask no longer holds up the others."""
MAX_POLL_SECONDS: Final = 30
"""Longest interval, in seconds, at which a waiting page reloads: what it says may have changed."""
KEEPS_PLACE: Final = timedelta(hours=1)
"""Age up to which an attempt whose page doesn't ask counts when others get their place: so it keeps its own."""
MAX_WAITING_PER_ADDRESS: Final = 5
"""Attempts of one client address in the queue: half of what Kordless accepts per minute."""
ADDRESSES_PER_NETWORK: Final = 4
"""Addresses as which a whole IPv6 network counts: one subscriber may own it, or a few hundred phones share it."""


def wait_for_new_attempt(account: str, now: datetime) -> int:
    """Return the seconds until the first waiting attempt may be sent; 0 when none waits.

    No new attempt may be sent before it.
    """
    earliest = _waiting(account, now).aggregate(earliest=Min("retry_at"))["earliest"]
    return max(1, _seconds(earliest, now)) if earliest else 0


def wait_for(row: BookingAttempt, now: datetime, *, creations_per_minute: int, newcomers: int = 0) -> int:
    """Estimate the seconds until a waiting attempt is sent; 0 when it may be sent now.

    Kordless takes `creations_per_minute` of them. `newcomers` are counted as well: attempts that may still come, and go
    first.
    """
    before = _waiting(row.account, now).filter(_before(row)).aggregate(first=Min("retry_at"), count=Count("pk"))
    own, count = _seconds(row.retry_at, now), int(before["count"]) + newcomers
    # With fewer than `creations_per_minute` attempts before it, it is sent in the same round.
    rounds, place = divmod(count, creations_per_minute)
    seconds = own
    if rounds or place:
        # Also when those before are due a little later: their room is theirs.
        room = _wait_for_room(row.account, now, place, creations_per_minute)
        first = _seconds(before["first"] or row.retry_at, now) if rounds else 0
        seconds = max(own, max(room, first) + rounds * ROUND_SECONDS)
    if not seconds:
        return 0
    # Those that are being sent were let through because there is room, as far as they are no more than a minute's.
    crowded_out = _count_crowded_out(row, now, creations_per_minute)
    return seconds + ((count + crowded_out) // creations_per_minute - rounds) * ROUND_SECONDS


def _wait_for_room(account: str, now: datetime, place: int, creations_per_minute: int) -> int:
    """Return the seconds until Kordless takes one more than those `place` before an attempt; 0 when it does now.

    Without it, the attempt that polls first would be sent, and those whose turn it is would find no room.
    """
    # Two queries: with one for either state, databases read all rows of the account.
    sent_lately = _placed(account, now), _in_flight(account, now)
    sent = sorted(moment for found in sent_lately for moment in found.values_list("changed_at", flat=True))
    missing = place + 1 - (creations_per_minute - len(sent))
    if missing <= 0:
        return 0
    # Each of those that were sent makes room when its window ends.
    return _seconds(sent[missing - 1] + RATE_WINDOW, now) or 1


def longest_wait_for(row: BookingAttempt, now: datetime, *, creations_per_minute: int) -> int:
    """Estimate the seconds until a waiting attempt is sent, if all come that may overtake it.

    The same as `wait_for` for the first attempt of an address, which nobody may, unless its network has several.
    """
    # Those that are yet to come have a later arrival. With an equal turn, the primary key decides.
    newcomers = max(0, row.turn - next_arrival(row.account, now)) if row.turn > row.arrival else 0
    return wait_for(row, now, creations_per_minute=creations_per_minute, newcomers=newcomers)


def next_arrival(account: str, now: datetime) -> int:
    """Return the number of an attempt that comes to the queue now. Two that come in the same moment may share it."""
    there = BookingAttempt.objects.filter(
        account=account,
        state__in=[BookingAttempt.State.PLACING, BookingAttempt.State.WAITING],
        created_at__gt=now - KEEPS_PLACE,
    )
    return int(there.aggregate(last=Max("arrival"))["last"] or 0) + 1


def take_turn(row: BookingAttempt, now: datetime, *, creations_per_minute: int) -> bool:
    """Give an attempt its turn that has just been queued, behind all others of its address.

    Return False, and hold it instead, when too many of these are waiting, or of its network.
    """
    if not row.address_hash:
        return True
    queued = BookingAttempt.objects.filter(account=row.account, state=BookingAttempt.State.WAITING)
    near = Q(address_hash__startswith=row.address_hash[:NETWORK_CHARS])
    network = queued.filter(near, created_at__gt=now - KEEPS_PLACE).exclude(pk=row.pk)
    # Counted when this one is in the queue already: of two that join in the same moment at least one sees the other.
    # Those of closed tabs count too: together they would else come back as the first of their address.
    own, asks = Q(address_hash=row.address_hash), Q(retry_at__gt=now - GRACE)
    found = network.aggregate(
        own=Count("pk", filter=own),
        own_waiting=Count("pk", filter=own & asks),
        all=Count("pk"),
        waiting=Count("pk", filter=asks),
    )
    if (
        found["own_waiting"] >= MAX_WAITING_PER_ADDRESS
        or found["waiting"] >= MAX_WAITING_PER_ADDRESS * ADDRESSES_PER_NETWORK
    ):
        queued.filter(pk=row.pk, claim=row.claim).update(state=BookingAttempt.State.HELD)
        row.state = BookingAttempt.State.HELD
        return False
    if rounds := max(found["own"], found["all"] // ADDRESSES_PER_NETWORK):
        # One more, because those that come later lose a tie.
        row.turn = row.arrival + rounds * creations_per_minute + 1
        queued.filter(pk=row.pk).update(turn=row.turn)
    return True


def is_behind_same_slot(row: BookingAttempt, now: datetime) -> bool:
    """Return True while an earlier attempt of the same address or contact at the same slot is under way.

    Two people of a family are served one after the other: if the slot has room for one, the second must not cost
    Kordless a request.
    """
    hashes = {name: value for name in ("address_hash", "email_hash", "phone_hash") if (value := getattr(row, name, ""))}
    if row.start is None or not hashes:
        return False
    same = Q()
    for name, value in hashes.items():
        same |= Q(**{name: value})
    asks = Q(retry_at__gt=now - GRACE)
    states = BookingAttempt.State
    under_way = (
        Q(state=states.PLACING, claimed_until__gt=now)
        | asks & Q(state__in=[states.WAITING, states.OUTCOME_UNKNOWN])
        # A new one only. One that is held because of its address may itself wait for those that came after it.
        | asks & Q(state=states.HELD, created_at__gt=now - GRACE)
    )
    # The states stand outside of `under_way` once more, because databases find no index by those inside.
    rows = BookingAttempt.objects.filter(
        same,
        under_way,
        account=row.account,
        state__in=[state for state in states if state.is_open],
        created_at__gt=now - KEEPS_PLACE,
    )
    earlier = rows.filter(pk__lt=row.pk) if row.pk else rows
    return earlier.filter(service=row.service, start=row.start).exists()


def wait_after_contention(row: BookingAttempt, now: datetime, *, seconds: int, creations_per_minute: int) -> int:
    """Estimate the seconds until an attempt is sent that Kordless has just refused with a 429 for `seconds`."""
    room = max(0, creations_per_minute - _placed(row.account, now).count())
    before = _waiting(row.account, now).filter(_before(row)).count() + _count_crowded_out(row, now, room)
    return seconds + before // creations_per_minute * ROUND_SECONDS


def _count_crowded_out(row: BookingAttempt, now: datetime, room: int) -> int:
    """Return how many attempts that are being sent at this moment come before this one and find no room either.

    They are queued again in a moment. Without them, those who come at once would read a wait that is too short.
    """
    return max(0, _in_flight(row.account, now).filter(_before(row)).count() - room)


def _before(row: BookingAttempt) -> Q:
    """Return the condition for what is served before the attempt."""
    # Never by time: an attempt from a worker with a slow clock could otherwise overtake others that were told their
    # position already.
    return Q(turn__lt=row.turn) | Q(turn=row.turn, pk__lt=row.pk)


def _waiting(account: str, now: datetime) -> QuerySet[BookingAttempt]:
    return BookingAttempt.objects.filter(account=account, state=BookingAttempt.State.WAITING, retry_at__gt=now - GRACE)


def _placed(account: str, now: datetime) -> QuerySet[BookingAttempt]:
    """Return the attempts that were placed within the last minute."""
    return BookingAttempt.objects.filter(
        account=account,
        state=BookingAttempt.State.PLACED,
        created_at__gt=now - MAX_AGE,
        changed_at__gt=now - RATE_WINDOW,
    )


def _in_flight(account: str, now: datetime) -> QuerySet[BookingAttempt]:
    """Return the attempts that are being sent now, in any thread or process: their leases have not expired."""
    return BookingAttempt.objects.filter(account=account, state=BookingAttempt.State.PLACING, claimed_until__gt=now)


def _seconds(moment: datetime | None, now: datetime) -> int:
    # Rounded up, so that a page that waits this long never asks too early.
    return int((moment - now).total_seconds()) + 1 if moment and moment > now else 0
