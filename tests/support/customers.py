"""Changes of bookings as the app of customers hears of them, by the pages' own way or by a delivery."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.test import Client

from kordless_booking.api.resources import Booking, Contact
from kordless_booking.changes import BookingChange, publish_change
from kordless_booking.contrib.customers.models import Customer
from tests.support.clock import NOW
from tests.support.deliveries import delivery, event_body

FAR = NOW + timedelta(days=8)
"""Start of an appointment whose notice period hasn't begun."""
NEAR = NOW + timedelta(hours=2)
"""Start of one whose notice period has begun."""


def report(
    number: str,
    email: str | None = "jane@example.com",
    phone: str | None = None,
    *,
    change: BookingChange = BookingChange.CREATED,
    start: datetime = FAR,
    now: datetime = NOW,
    account: str = "default",
    **more: Any,
) -> None:
    """Report a change as the pages do."""
    contact = Contact(name="Jane Doe", email=email, phone=phone)
    booking = Booking(
        confirmation_number=number,
        status="canceled" if change is BookingChange.CANCELLED else "confirmed",
        start=start,
        end=start + timedelta(hours=1),
        service_slug="haircut",
        contact=contact if email or phone else None,
    )
    publish_change(change, booking, account=account, now=now, **more)


def deliver(kind: str = "booking.created", **booking: Any) -> None:
    """Report a change as Kordless does."""
    assert delivery(event_body(kind, **booking)).post(Client()).status_code == 200


def only_customer() -> Customer:
    """Return the one customer there is."""
    return Customer.objects.get()
