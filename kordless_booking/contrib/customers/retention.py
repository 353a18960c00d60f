"""Retention: deletes customers CUSTOMER_DAYS after their last visit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from kordless_booking.conf import Account, integer_between
from kordless_booking.contrib.customers.erasure import older_customers
from kordless_booking.contrib.customers.models import Customer
from kordless_booking.hooks import ExtensionSetting
from kordless_booking.retention import BATCH_ROWS, MAX_BATCHES, RetentionRule, expired_rows

SETTING: Final = "CUSTOMER_DAYS"
RULE: Final = ExtensionSetting(
    # Not for ever: nobody may keep a customer's name for no reason.
    is_valid=integer_between(30, 3650),
    hint="A whole number of days from 30 to 3650.",
    default=400,
)


def get_days(account: Account) -> int:
    """Return for how many days after the last visit an account keeps a customer."""
    days: int = account.extension_setting(SETTING)
    return days


EXPIRED: Final = RetentionRule("customers", get_days, lambda before, _now: older_customers(before))


def delete_expired(now: datetime) -> None:
    """Delete customers whose time is over, with their bookings, a bounded number at once. Raises DatabaseError."""
    for rows in expired_rows(EXPIRED, now):
        for _batch in range(MAX_BATCHES):
            keys = list(rows.order_by().values_list("pk", flat=True)[:BATCH_ROWS])
            Customer.objects.filter(pk__in=keys).delete()
            if len(keys) < BATCH_ROWS:
                break


def is_overdue(account: Account, now: datetime, *, overdue: timedelta) -> bool:
    """Return True when a customer of the account should have been deleted so long ago."""
    before = now - timedelta(days=get_days(account)) - overdue
    return older_customers(before).filter(account=account.name).exists()
