"""Records the changes of bookings with their customers, in the transaction that records the change.

A customer is found by the booking, else by the email address, else by the phone number. A phone number alone means one
person only while nobody else has it:

    reported        known                                  is
    address         the same address                       that customer
    address, phone  the phone, once and without an address that customer, whose address is known now
    phone           the phone without an address           that customer
    phone           the phone, once, with an address       that customer
    anything else                                          a new customer

Customers are never merged later: of a number that two addresses share, nobody knows whose the next booking is.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Min, Q, Sum

from kordless_booking.booking.attribution import campaign_source
from kordless_booking.booking.hashes import contact_hash, contact_hashes, number_hash, number_hashes, rekey_row
from kordless_booking.booking.tokens import InvalidToken
from kordless_booking.conf import get_account
from kordless_booking.contrib.customers.details import CustomerDetails
from kordless_booking.contrib.customers.models import CANCELED, Customer, CustomerBooking
from kordless_booking.funnel.counters import count_stage
from kordless_booking.models import FunnelCount
from kordless_booking.signals import ChangeSource
from kordless_booking.upstream.registry import services_for

if TYPE_CHECKING:
    from datetime import datetime

    from kordless_booking.hooks import Change

FIRST_STAGE, AGAIN_STAGE = "first_time", "returning"
"""Stages of the funnel: bookings of customers without, and with, another booking that stands."""
_MAX_STATUS_CHARS, _MAX_SERVICE_CHARS = 30, 200
"""Widths of the columns."""


def record_change(change: Change) -> None:
    """Record a change with the booking's customer. A hook of `change_handlers`, so it is called once for each change.

    A booking without a contact is nobody's: it is recorded with the first change that has one.
    """
    booking = _find_booking(change)
    is_known = booking is not None
    customer = (
        # Locked, as below: the counts are computed from all bookings of the customer.
        Customer.objects.select_for_update().filter(pk=booking.customer_id).first() if booking else _identify(change)
    )
    if customer is None:
        return
    booking = booking or CustomerBooking(
        customer=customer,
        account=change.account,
        number_hash=number_hash(change.booking.confirmation_number),
        start=change.booking.start,
        seen_at=change.now,
    )
    _apply(booking, change, is_known=is_known)
    booking.save()
    customer.last_seen_at = max(customer.last_seen_at, change.now)
    refresh_counts(customer)
    if change.kind == "created" and get_account(change.account).funnel:
        stage = AGAIN_STAGE if customer.visits > 1 else FIRST_STAGE
        # The counter is in memory, and no rollback takes back what it has counted. Nobody knows the placement here.
        transaction.on_commit(
            lambda: count_stage(change.account, booking.service, FunnelCount.Placement.PAGE, stage), robust=True
        )


def count_visits(change: Change) -> int | None:
    """Return how many bookings of the customer stand, this one included; None when the customer isn't known."""
    booking = _find_booking(change)
    return booking.customer.visits if booking else None


def refresh_counts(customer: Customer) -> None:
    """Compute what is counted from the customer's bookings, and save the row."""
    stands = ~Q(status=CANCELED)
    totals = customer.bookings.aggregate(
        booked=Count("pk"),
        rescheduled=Sum("rescheduled", default=0),
        canceled=Count("pk", filter=~stands),
        canceled_late=Count("pk", filter=Q(canceled_late=True)),
        first_seen_at=Min("seen_at"),
        last_visit_at=Max("start", filter=stands),
    )
    for name, value in totals.items():
        setattr(customer, name, value)
    customer.save()


def _find_booking(change: Change) -> CustomerBooking | None:
    number = change.booking.confirmation_number
    rows = CustomerBooking.objects.filter(account=change.account, number_hash__in=number_hashes([number]))
    return rekey_row(rows.select_related("customer"), number)


def _apply(booking: CustomerBooking, change: Change, *, is_known: bool) -> None:
    """Apply a change to the row of its booking."""
    reported, service = change.booking, change.service
    booking.service = (service.slug if service else reported.service_slug or booking.service)[:_MAX_SERVICE_CHARS]
    if change.kind == "created":
        booking.source = change.source
        booking.campaign = campaign_source(change.attribution)
    # Kordless reports other changes as a move, too, and of a booking that was unknown nobody knows what it was.
    elif change.kind == "rescheduled" and is_known and booking.start != reported.start:
        booking.rescheduled += 1
    booking.start, booking.status = reported.start, reported.status[:_MAX_STATUS_CHARS]
    if change.kind == "cancelled":
        booking.status = CANCELED
        booking.canceled_late = change.source == ChangeSource.WIDGET and _is_within_notice(change)


def _is_within_notice(change: Change) -> bool:
    """Return True for a time so near that the service's notice period has begun, as far as its settings are cached."""
    slug = change.service.slug if change.service else change.booking.service_slug
    detail = services_for(get_account(change.account)).catalog.cached_services([slug]).get(slug) if slug else None
    policy = detail.calendar.cancellation_policy if detail else None
    hours = policy.notice_hours if policy else None
    start: datetime = change.booking.start
    return bool(hours) and start - change.now < timedelta(hours=hours or 0)


def _identify(change: Change) -> Customer | None:
    """Return the customer of a booking that isn't known yet, locked and with the newest details; None without contact.

    A cancellation makes nobody known: where a person was erased here and then in Kordless, its report would bring them
    back. Two bookings of a new customer may come at once. The unique constraint decides: who is second finds the first
    one's.
    """
    new_details = CustomerDetails.from_change(change)
    if not (new_details.email or new_details.phone):
        return None
    if change.kind == "cancelled" and _find_customer(change.account, new_details) is None:
        return None
    try:
        return _write(change, new_details)
    except IntegrityError:
        return _write(change, new_details)


def _write(change: Change, new_details: CustomerDetails) -> Customer:
    """Insert or update the customer. Raises IntegrityError where another transaction has just inserted the same."""
    customer = _find_customer(change.account, new_details) or Customer(
        account=change.account, first_seen_at=change.now, last_seen_at=change.now
    )
    _update(customer, new_details)
    # A savepoint: the constraint's error must not end the outer transaction.
    with transaction.atomic():
        customer.save()
    return customer


def _find_customer(account: str, new_details: CustomerDetails) -> Customer | None:
    """Return the customer whom these details mean, by the table at the top. Needs a transaction."""
    rows = Customer.objects.select_for_update().filter(account=account).order_by("pk")
    if new_details.email and (
        found := _prefer(rows.filter(identity_hash__in=contact_hashes([new_details.email])), new_details.email)
    ):
        return found
    if not new_details.phone:
        return None
    hashes = contact_hashes([new_details.phone])
    same_phone = list(rows.filter(phone_hash__in=hashes))
    without_email = _prefer([row for row in same_phone if row.identity_hash in hashes], new_details.phone)
    if without_email and not new_details.email:
        return without_email
    return same_phone[0] if len(same_phone) == 1 and (without_email or not new_details.email) else None


def _prefer(rows: Iterable[Customer], contact: str) -> Customer | None:
    """Return the row with the current hash of its contact, else one with that under an older SECRET_KEY."""
    current = contact_hash(contact)
    return max(rows, key=lambda row: row.identity_hash == current, default=None)


def _update(customer: Customer, new_details: CustomerDetails) -> None:
    """Bring details and hashes up to date, all under the current SECRET_KEY."""
    is_by_phone = not customer.identity_hash or customer.identity_hash == customer.phone_hash
    details = new_details
    if customer.encrypted:
        # Where the SECRET_KEY is gone, what is new now is all that is known.
        with suppress(InvalidToken):
            details = CustomerDetails.from_row(customer).updated_with(new_details)
    if details.email:
        customer.identity_hash = contact_hash(details.email)
    elif is_by_phone:
        customer.identity_hash = contact_hash(details.phone)
    customer.phone_hash = contact_hash(details.phone)
    customer.encrypted = details.encrypt(customer.account)
