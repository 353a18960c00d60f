"""Erasure and export of customers, for kordless_erase and kordless_export."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model, Q, QuerySet

from kordless_booking.booking.hashes import number_hashes
from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.contrib.customers.details import CustomerDetails
from kordless_booking.contrib.customers.models import Customer, CustomerBooking
from kordless_booking.contrib.customers.record import refresh_counts
from kordless_booking.erasure.base import ErasureResult, Person


class Customers:
    """Erasure and export target: a customer with all bookings, by contact.

    A booking of the person's that stands with another customer is erased as well, and that customer is counted anew:
    two people may use one email address, and only one of them has asked.
    """

    name = "customers"
    models: tuple[type[Model], ...] = (Customer, CustomerBooking)

    def erase_person(
        self, person: Person, now: datetime, *, accounts: list[str] | None, including_open: bool
    ) -> ErasureResult:
        deleted = _delete(Customer.objects.filter(pk__in=[row.pk for row, _details in _customers_of(person, accounts)]))
        result = ErasureResult(deleted=deleted)
        for booking in _bookings_of(person, accounts):
            customer = booking.customer
            booking.delete()
            if customer.bookings.exists():
                refresh_counts(customer)
                result.emptied += 1
            else:
                result.deleted += _delete(Customer.objects.filter(pk=customer.pk))
        return result

    def export_person(self, person: Person, *, accounts: list[str] | None) -> Iterator[dict[str, Any]]:
        for row, details in list(_customers_of(person, accounts)):
            if details is None:
                person.unreadable[self.name] = person.unreadable.get(self.name, 0) + 1
            yield {
                "account": row.account,
                **({"name": details.name, "email": details.email, "phone": details.phone} if details else {}),
                **({"language": details.language} if details else {}),
                "known_since": _text(row.first_seen_at),
                "last_change": _text(row.last_seen_at),
                "last_visit": _text(row.last_visit_at),
                "booked": row.booked,
                "rescheduled": row.rescheduled,
                "canceled": row.canceled,
                "canceled_late": row.canceled_late,
                "kordless_id": row.remote_id,
                "bookings": [_booking(booking) for booking in row.bookings.order_by("start", "pk")],
            }

    def erase_older_than(self, moment: datetime, now: datetime, *, accounts: list[str] | None) -> ErasureResult:
        return ErasureResult(deleted=_delete(older_customers(moment).filter(_in(accounts))))


def older_customers(moment: datetime) -> QuerySet[Customer]:
    """Return the customers whose last visit and last change were before a moment."""
    return Customer.objects.filter(Q(last_visit_at__lt=moment) | Q(last_visit_at=None), last_seen_at__lt=moment)


def _customers_of(person: Person, accounts: list[str] | None) -> Iterator[tuple[Customer, CustomerDetails | None]]:
    """Yield the person's rows with what is encrypted in them, None where that can't be read."""
    hashes = person.hashes
    for row in Customer.objects.filter(_in(accounts)).iterator():
        try:
            details = CustomerDetails.from_row(row)
        except InvalidToken:
            details = None
        is_known = not hashes.isdisjoint({row.identity_hash, row.phone_hash})
        # Read as well: the hash may be of another spelling, such as a phone number without its country code.
        if is_known or (details and (person.matches(details.email) or person.matches(details.phone))):
            yield row, details


def _bookings_of(person: Person, accounts: list[str] | None) -> QuerySet[CustomerBooking]:
    """Return the person's bookings by the numbers that the targets before this one have collected."""
    rows = CustomerBooking.objects.filter(_in(accounts), number_hash__in=number_hashes(person.numbers))
    return rows.select_related("customer")


def _delete(rows: QuerySet[Customer]) -> int:
    # `delete()` also counts the bookings that go with them.
    return rows.delete()[1].get(Customer._meta.label, 0)


def _booking(row: CustomerBooking) -> dict[str, Any]:
    return {
        "service": row.service,
        "start": _text(row.start),
        "status": row.status,
        "source": row.source,
        "campaign": row.campaign,
        "rescheduled": row.rescheduled,
        "canceled_late": row.canceled_late,
        "first_report": _text(row.seen_at),
    }


def _in(accounts: list[str] | None) -> Q:
    return Q() if accounts is None else Q(account__in=accounts)


def _text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
