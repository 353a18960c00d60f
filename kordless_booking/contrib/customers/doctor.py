"""Check of the doctor: that all customers are recorded, can be read, and are deleted in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.conf import Account
from kordless_booking.contrib.customers.details import CustomerDetails
from kordless_booking.contrib.customers.models import Customer
from kordless_booking.contrib.customers.retention import SETTING, get_days, is_overdue
from kordless_booking.doctor.finding import Finding, fix, note, ok
from kordless_booking.retention import OVERDUE_AFTER


def examine(account: Account) -> Iterator[Finding]:
    """Examine the customers of one account."""
    if is_overdue(account, datetime.now(UTC), overdue=OVERDUE_AFTER):
        yield fix(
            "customers_overdue",
            f"Customers are kept longer than {SETTING} says ({get_days(account)} days after their last visit)",
            "let cron run manage.py kordless_mail every minute, which deletes them",
        )
    newest = Customer.objects.filter(account=account.name).order_by("-last_seen_at").first()
    if newest and not _is_readable(newest):
        yield fix(
            "customers_unreadable",
            "Customers can't be read with this SECRET_KEY, so those who come again count as new",
            "add the former key to SECRET_KEY_FALLBACKS",
        )
    elif not account.webhook_secrets:
        yield note(
            "customers_webhook",
            "Customers are recorded when they book here, and not when they book by phone",
            "set up a webhook in Kordless, and its secret in WEBHOOK_SECRETS",
        )
    else:
        yield ok("customers", "Customers are recorded, wherever they book")


def _is_readable(row: Customer) -> bool:
    try:
        CustomerDetails.from_row(row)
    except InvalidToken:
        return False
    return True
