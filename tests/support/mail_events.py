"""Change events for the mail tests, as the widget's pages and the webhook report them."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

from django.db import connections, transaction

from kordless_booking.api.resources import Booking, Contact
from kordless_booking.booking.preferences import VisitorPreferences
from kordless_booking.changes import BookingChange, publish_change, queue_mail, record_change
from kordless_booking.conf import get_account
from kordless_booking.mail.outbox import send_due
from tests.support.clock import NOW
from tests.support.terms import make_terms

FIRST, MOVED = NOW + timedelta(days=1), NOW + timedelta(days=2)
TERMS = make_terms(timezone="Europe/Berlin", host_name="Sarah", party_size=2)
GERMAN = VisitorPreferences(language="de", timezone="Europe/Berlin", hours="24", terms=TERMS)


def booking(**changes: Any) -> Booking:
    """An hour of Canary Bird's, tomorrow."""
    fields: dict[str, Any] = {
        "confirmation_number": "BOOK_AB12CD34",
        "status": "confirmed",
        "start": FIRST,
        "contact": Contact(name="Canary Bird", email="canary@example.com", phone="+12125550147"),
        "service_slug": "haircut",
    }
    fields |= changes
    return Booking(**fields, end=fields["start"] + timedelta(hours=1))


def page(change: BookingChange, preferences: VisitorPreferences = GERMAN, **changes: Any) -> None:
    """Our own page has the answer."""
    publish_change(change, booking(**changes), account="default", now=NOW, preferences=preferences)


def hook(change: BookingChange, at: int = 0, **changes: Any) -> None:
    """Kordless calls back about a change that was made `at` seconds after NOW."""
    reported = booking(**changes)
    with transaction.atomic():
        change_record = record_change(change, reported, account="default", at=NOW + timedelta(seconds=at))
        queue_mail(change, change_record, reported, account=get_account(None), now=NOW)


def send_from_twenty_threads() -> None:
    """Send due mail from twenty threads at once, and wait for them.

    After a committed change the background sender is one more, which may have claimed the mail before: wait for the
    mail's state before counting what was sent.
    """
    barrier = threading.Barrier(20, timeout=60)

    def send() -> None:
        barrier.wait()
        send_due()
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
