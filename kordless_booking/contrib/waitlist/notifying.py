"""Notification: whose turn it is when free times were fetched, and the sweep that fetches what somebody waits for."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import F, Max, Q, QuerySet

from kordless_booking import conf
from kordless_booking.booking.availability import AvailableTime
from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.contrib.waitlist import outbox
from kordless_booking.contrib.waitlist.entries import ENABLED, MAX_DAYS, MESSAGE_INTERVAL, EntryData, delete_expired
from kordless_booking.contrib.waitlist.matching import (
    MAX_KNOWN_STARTS,
    TimePreferences,
    first_new_time,
    fitting_times,
    minute_of,
    remove_taken_starts,
)
from kordless_booking.contrib.waitlist.models import WaitlistEntry
from kordless_booking.exceptions import KordlessError
from kordless_booking.hooks import RefreshedTimes
from kordless_booking.logs import log_event
from kordless_booking.upstream.registry import background_worker, services_for
from kordless_booking.upstream.window import Days, bookable_days

log = logging.getLogger("kordless_booking.waitlist")

HOLD_TIME: Final = outbox.HOLD_TIME
"""Time for which a free time is held back from the others once somebody was notified of it."""
MAX_QUEUE: Final = 500
"""Entries of one service that are looked at in one go: each is decrypted."""


def notify_about(refreshed: RefreshedTimes, now: datetime | None = None) -> int:
    """Queue a message for each entry whose turn it is. Return how many.

    First comes who was never notified, in the order of asking, then who was notified longest ago. Each is notified of
    one time, the first that is new to them; for HOLD_TIME nobody else is notified of it, or of one that overlaps it.

    Several processes may do this at once. Who waits, and which times are held, is read in one query. So whoever reads
    before another's claim picks the same entry and loses it, and whoever reads after it knows that the time is held.
    """
    now = now or datetime.now(UTC)
    account = conf.accounts().get(refreshed.account)
    if account is None or not account.extension_setting(ENABLED):
        return 0
    # Also those that are over, or were ended, and whose contact rests.
    rows = WaitlistEntry.objects.filter(
        Q(expires_at__gt=now) | Q(notified_at__gt=now - MESSAGE_INTERVAL),
        account=refreshed.account,
        service=refreshed.service,
    )
    queue = _read_queue(rows, now)
    # After the queue, where that may be cut off: see above.
    notified = list(rows.filter(notified_at__gt=now - MESSAGE_INTERVAL)) if len(queue) == MAX_QUEUE else queue
    times = [
        (entry, entry.notified_at)
        for entry in notified
        if entry.notified_at and entry.notified_at > now - MESSAGE_INTERVAL
    ]
    held = {
        (entry.offered_start, entry.offered_end)
        for entry, notified_at in times
        if entry.offered_start and entry.offered_end and notified_at > now - HOLD_TIME
    }
    resting = {entry.contact_hash for entry, _notified_at in times}
    queued = 0
    # Many want the same.
    fits: dict[TimePreferences, list[AvailableTime]] = {}
    for entry in queue:
        if entry.expires_at <= now or entry.state in {WaitlistEntry.State.QUEUED, WaitlistEntry.State.SENDING}:
            continue
        try:
            preferences = EntryData.from_row(entry).preferences
        except InvalidToken:
            # The SECRET_KEY has changed: nobody can be notified anymore.
            continue
        if preferences not in fits:
            fits[preferences] = fitting_times(refreshed.slots, preferences, now)
        fitting = fits[preferences]
        known = remove_taken_starts(entry.known_starts, fitting, refreshed.slots, refreshed.until)
        new_time = None if entry.contact_hash in resting else first_new_time(fitting, known, held)
        if new_time is None:
            if known != entry.known_starts:
                _update(entry, known_starts=known)
            continue
        starts = sorted({*known, *(minute_of(each.start) for each in fitting)})[:MAX_KNOWN_STARTS]
        is_ours = _update(
            entry,
            claim=F("claim") + 1,
            state=WaitlistEntry.State.QUEUED,
            notified_at=now,
            offered_start=new_time.start,
            offered_end=new_time.end,
            known_starts=starts,
            tries=0,
            due_at=now,
            changed_at=now,
        )
        if not is_ours:
            # Another process tells of these times right now, or the visitor has just ended the entry.
            break
        held.add((new_time.start, new_time.end))
        resting.add(entry.contact_hash)
        queued += 1
        log_event(log, logging.INFO, "waitlist_notified", account=entry.account, service=entry.service, entry=entry.pk)
    return queued


def _read_queue(rows: QuerySet[WaitlistEntry], now: datetime) -> list[WaitlistEntry]:
    """Return who waits, in order: MAX_QUEUE of them, of a longer queue another part each hour.

    Else whoever enters many entries that nothing can fit would keep all who ask later from ever being notified.
    """
    ordered = rows.order_by(F("notified_at").asc(nulls_first=True), "pk")
    queue = list(ordered[:MAX_QUEUE])
    if len(queue) < MAX_QUEUE:
        return queue
    parts = -(-rows.count() // MAX_QUEUE)
    # By the hour, so that processes that look at the same moment look at the same part.
    begin = int(now.timestamp()) // 3600 % parts * MAX_QUEUE
    return list(ordered[begin : begin + MAX_QUEUE]) if begin else queue


def _update(entry: WaitlistEntry, **changes: object) -> bool:
    """Change a row that is as it was read. Return False for another, and for one that is gone."""
    return bool(WaitlistEntry.objects.filter(pk=entry.pk, claim=entry.claim, state=entry.state).update(**changes))


def on_times_refreshed(refreshed: RefreshedTimes) -> None:
    """Tell of times that were fetched for some page. Runs in a background thread; mail goes out in another one."""
    if notify_about(refreshed):
        outbox.send_in_background()


def run(now: datetime) -> None:
    """Do what is due, with each run of kordless_mail: the sweep, messages that wait, and expired entries."""
    delete_expired(now)
    outbox.release_stuck(now)
    sweep(now)
    # Of the times that the sweep has fetched, background threads of this process notify too. With its end they would
    # end as well, and a message that one of them has claimed would never be sent.
    background_worker.join()
    outbox.send_due()
    outbox.join()


def sweep(now: datetime) -> int:
    """Look at the free times of each service that somebody waits for. Return how many messages were queued.

    Costs one request for each service whose times aren't fresh, within what background work may spend.
    """
    queued = 0
    waiting = WaitlistEntry.objects.filter(expires_at__gt=now).values_list("account", "service")
    for name, slug, until in waiting.annotate(last=Max("until")).order_by("account", "service"):
        account = conf.accounts().get(name)
        if account is None or not account.extension_setting(ENABLED):
            continue
        catalog = services_for(account).catalog
        today = now.date()
        days = Days(today, min(until, today + timedelta(days=MAX_DAYS)))
        detail = catalog.cached_services([slug]).get(slug)
        window = bookable_days(detail.calendar.booking_window_days) if detail else None
        try:
            cached = catalog.slots(slug, days, window_days=window)
            if cached.stale:
                # What is stale is refreshed in the background, also in this process, which would end before that.
                background_worker.join()
                cached = catalog.slots(slug, days, window_days=window)
        except KordlessError as error:
            # Visitors and the next run go on. The others of this account may be cached.
            log_event(log, logging.WARNING, "waitlist_not_swept", account=name, service=slug, reason=error.reason)
            continue
        if not cached.degraded:
            end = datetime(days.last.year, days.last.month, days.last.day, tzinfo=UTC) + timedelta(days=2)
            found = RefreshedTimes(account=name, service=slug, slots=cached.value, until=end)
            queued += notify_about(found, now)
    return queued
