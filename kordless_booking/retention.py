"""Retention: deletes rows that are older than the settings say, a few hundred at a time.

It runs along with what a site does anyway: with `kordless_mail`, with `kordless_warm`, and with deliveries of the
webhook. So tables stay bounded without a cron line of their own. Nothing is deleted that still guards against a second
booking or a second publication: the settings' minimums are longer than a form, a delivery or its body lives.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.db.models import Q, QuerySet
from django.utils import timezone

from kordless_booking import conf
from kordless_booking.logs import log_event
from kordless_booking.mail.enqueue import delete_past
from kordless_booking.models import (
    BookingAttempt,
    BookingProjection,
    CampaignCount,
    FunnelCount,
    LostDemandCount,
    RejectedDeliveryCount,
    WebhookDelivery,
)
from kordless_booking.webhooks.stored_body import BODY_RETENTION

log = logging.getLogger("kordless_booking.erasure")

BATCH_ROWS: Final = 500
"""Rows of one table that are deleted at once: a few milliseconds, for which SQLite lets nobody else write."""
MAX_BATCHES: Final = 20
"""Batches of each table in one run of a command."""
RUN_EVERY: Final = 100
"""Deliveries of a process after which one of them deletes a batch. Each delivery leads to one new row of a table, or a
few, so a batch is more than what has come meanwhile."""
RUN_EVERY_SECONDS: Final = 3600
"""Seconds after which a delivery deletes a batch, however few there were."""
OVERDUE_AFTER: Final = timedelta(days=3)
"""Time for which an expired row may wait for the next run, before the doctor reports it."""


@dataclass(frozen=True)
class RetentionRule:
    """Rule for the rows of one table."""

    name: str
    """What is kept, in words, for the doctor."""
    get_days: Callable[[conf.Account], int]
    """Days that an account keeps it; 0 is for ever."""
    find_older: Callable[[datetime, datetime], QuerySet[Any]]
    """Rows of all accounts that are older than a moment, which is given with the current time."""


def _old_attempts(before: datetime, now: datetime) -> QuerySet[BookingAttempt]:
    # Each state is named, so that the index of account, state and time is of use.
    rows = BookingAttempt.objects.filter(state__in=BookingAttempt.State.values, created_at__lt=before)
    return rows.filter(changed_at__lt=before).exclude(state=BookingAttempt.State.PLACING, claimed_until__gt=now)


def _old_deliveries(before: datetime, _now: datetime) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(received_at__lt=before)


def _old_projections(before: datetime, _now: datetime) -> QuerySet[BookingProjection]:
    # Until then an old delivery could be published as a new change. Null: only the cancellation was reported.
    over = Q(start__lt=before) | Q(start__isnull=True)
    return BookingProjection.objects.filter(over, changed_at__lt=before)


def _old_counts(
    model: type[FunnelCount | LostDemandCount | CampaignCount | RejectedDeliveryCount],
) -> Callable[[datetime, datetime], QuerySet[Any]]:
    def find(before: datetime, _now: datetime) -> QuerySet[Any]:
        return model._default_manager.filter(day__lt=timezone.localdate(before, timezone.get_default_timezone()))

    return find


RULES: Final = (
    RetentionRule("booking attempts", lambda account: account.attempt_retention_days, _old_attempts),
    RetentionRule("webhook deliveries", lambda account: account.delivery_retention_days, _old_deliveries),
    RetentionRule("booking projections", lambda account: account.delivery_retention_days, _old_projections),
    RetentionRule("funnel counts", lambda account: account.count_retention_days, _old_counts(FunnelCount)),
    RetentionRule("counts of lost demand", lambda account: account.count_retention_days, _old_counts(LostDemandCount)),
    RetentionRule(
        "counts of bookings by campaign", lambda account: account.count_retention_days, _old_counts(CampaignCount)
    ),
    RetentionRule(
        "counts of rejected deliveries",
        lambda account: account.count_retention_days,
        _old_counts(RejectedDeliveryCount),
    ),
)


def expired_rows(rule: RetentionRule, now: datetime, *, overdue: timedelta = timedelta(0)) -> Iterator[QuerySet[Any]]:
    """Yield the expired rows of each account, then those of accounts that are no longer in the settings.

    The latter are kept as long as the account that keeps them longest. Of what is kept for ever, nothing is yielded.
    With `overdue`, only rows that expired so long ago. The last ones are found quickly only when there are no others.
    """
    days = {name: rule.get_days(account) for name, account in conf.accounts().items()}
    for name, number in days.items():
        if number:
            yield rule.find_older(now - timedelta(days=number) - overdue, now).filter(account=name)
    if all(days.values()):
        longest = timedelta(days=max(days.values()))
        yield rule.find_older(now - longest - overdue, now).exclude(account__in=list(days))


def delete_expired(now: datetime, *, batches: int = MAX_BATCHES) -> int:
    """Delete expired rows, `batches` times BATCH_ROWS of each table and account at most. Return how many.

    Also empties the bodies of deliveries, and deletes the appointments of the past. Several processes may do this at
    once. Never raises: a database that can't be written to is logged.
    """
    deleted: dict[str, int] = {}
    try:
        for rule in RULES:
            deleted[rule.name] = _delete_by_rule(rule, now, batches)
        emptied = empty_bodies(now)
        appointments = delete_past(now)
    except (DatabaseError, ImproperlyConfigured) as error:
        log_event(log, logging.ERROR, "retention_failed", error=type(error).__name__)
        return sum(deleted.values())
    number = sum(deleted.values()) + appointments
    if number or emptied:
        log_event(log, logging.INFO, "rows_expired", deleted=number, emptied=emptied)
    return number


def empty_bodies(now: datetime) -> int:
    """Empty the bodies of deliveries that are older than BODY_RETENTION, a batch of them. Return how many."""
    old = WebhookDelivery.objects.filter(received_at__lt=now - BODY_RETENTION).exclude(encrypted="")
    return WebhookDelivery.objects.filter(pk__in=_first(old)).update(encrypted="")


def delete_after_delivery(now: datetime) -> None:
    """Delete a batch of expired rows now and then: after each hundredth delivery of this process, or after an hour."""
    if _schedule.is_due():
        delete_expired(now, batches=1)


def _delete_by_rule(rule: RetentionRule, now: datetime, batches: int) -> int:
    deleted = 0
    for rows in expired_rows(rule, now):
        number = _delete(rows, batches)
        deleted += number
        if number >= batches * BATCH_ROWS:
            # There may be more. The next run goes on here: other rows would be searched for among these.
            break
    return deleted


def _delete(rows: QuerySet[Any], batches: int) -> int:
    deleted = 0
    for _batch in range(batches):
        keys = _first(rows)
        if keys:
            # By key, not with the conditions: only some databases have a DELETE with a limit.
            rows.model._default_manager.filter(pk__in=keys).delete()
        deleted += len(keys)
        if len(keys) < BATCH_ROWS:
            break
    return deleted


def _first(rows: QuerySet[Any]) -> list[int]:
    return list(rows.order_by().values_list("pk", flat=True)[:BATCH_ROWS])


class _Schedule:
    """Decides which deliveries of this process delete a batch. Safe to share between threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._deliveries = 0
        self._due_at = time.monotonic() + RUN_EVERY_SECONDS

    def is_due(self) -> bool:
        """Count a delivery. Return True for the one that is to delete a batch."""
        with self._guard:
            self._deliveries += 1
            if self._deliveries < RUN_EVERY and time.monotonic() < self._due_at:
                return False
            self._deliveries, self._due_at = 0, time.monotonic() + RUN_EVERY_SECONDS
            return True


_schedule = _Schedule()
