"""Sites with a waitlist, a salon without a free time today, and the messages to its customers."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django.core import mail
from django.core.mail import EmailMultiAlternatives

from kordless_booking.contrib.waitlist import notifying
from kordless_booking.contrib.waitlist.entries import EntryData
from kordless_booking.contrib.waitlist.models import WaitlistEntry
from kordless_booking.sandbox import Sandbox
from tests.support.clock import BUSINESS, NOW
from tests.support.mail_settings import MAIL
from tests.support.phone_messages import TEXTING
from tests.support.visitor import Page, Visitor

TODAY: Final = "2026-12-01"
"""Date of NOW in New York."""
WAITLIST_SETTINGS: Final[dict[str, Any]] = {**MAIL, "MESSENGER": TEXTING["MESSENGER"]}
"""Settings of a site that can write to mailboxes and to phones."""
FORM_URL: Final = "/book/waitlist/haircut/"
JANE: Final = "jane@example.com"


def book_up(sandbox: Sandbox, service: str = "haircut", now: datetime = NOW) -> dict[datetime, list[str]]:
    """Book all times of the day that it is `now` at the salon, and return the numbers of the bookings by start."""
    end = datetime.combine(now.astimezone(BUSINESS).date() + timedelta(days=1), time(), BUSINESS).astimezone(UTC)
    booked: dict[datetime, list[str]] = {}
    while free := sandbox.free(service, now, end):
        booked.setdefault(free[0], []).append(sandbox.book_by_phone(service, free[0]))
    return booked


def join_waitlist(visitor: Visitor, contact: str = JANE, url: str = FORM_URL, **answers: str) -> Page:
    """Enter the waitlist for a time today."""
    return visitor.send(visitor.open(url), "Tell me", **{"contact": contact, "until": TODAY, **answers})


def run_notifications(moment: datetime | None = None) -> list[EmailMultiAlternatives]:
    """Do what kordless_mail does for the waitlist, and return the mails that it has sent."""
    before = len(mail.outbox)
    notifying.run(moment or datetime.now(UTC))
    return sent_mails()[before:]


def message_url(contact: str = JANE) -> str:
    """Return the link of messages about the newest entry of a contact, which only that contact gets."""
    found = [EntryData.from_row(row) for row in WaitlistEntry.objects.order_by("-pk")]
    return f"/book/waitlist/{next(data for data in found if data.contact == contact).message_code}"


def sent_mails() -> list[EmailMultiAlternatives]:
    """Return all mails that were sent."""
    return [each for each in mail.outbox if isinstance(each, EmailMultiAlternatives)]


def recipients(letters: list[EmailMultiAlternatives]) -> list[str]:
    """Return to whom they were sent."""
    return [address for letter in letters for address in letter.to]


def states() -> list[str]:
    """Return the state of each entry, in the order of asking."""
    return list(WaitlistEntry.objects.order_by("pk").values_list("state", flat=True))


HOUR: Final = timedelta(hours=1)
