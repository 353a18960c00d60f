"""Reads mails as a mail program does, with their calendar files."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from django.core import mail
from icalendar import Calendar
from selectolax.lexbor import LexborHTMLParser

from kordless_booking.mail.outbox import send_due
from kordless_booking.models import OutgoingMail
from tests.support.spaces import plain_spaces


@dataclass(frozen=True)
class Letter:
    """Mail, parsed from the bytes that were sent."""

    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"]).strip()

    @property
    def parts(self) -> list[str]:
        """Return the content types of all parts, in order."""
        return [part.get_content_type() for part in self.message.walk()]

    def part(self, kind: str) -> EmailMessage:
        """Return the one part with this content type."""
        [found] = [part for part in self.message.walk() if part.get_content_type() == kind]
        assert isinstance(found, EmailMessage)
        return found

    @property
    def text(self) -> str:
        """Return the plain text, with plain spaces."""
        return plain_spaces(str(self.part("text/plain").get_content()))

    @property
    def html(self) -> LexborHTMLParser:
        return LexborHTMLParser(str(self.part("text/html").get_content()))

    @property
    def words(self) -> str:
        """Return the text of the HTML part, with single spaces."""
        body = self.html.body
        return " ".join(body.text(separator=" ").split()) if body else ""

    @property
    def links(self) -> list[str]:
        return [node.attributes["href"] or "" for node in self.html.css("a")]

    @property
    def calendar(self) -> Calendar:
        found = Calendar.from_ical(self.part("text/calendar").get_content())
        assert isinstance(found, Calendar)
        return found

    @property
    def event(self) -> Any:
        [event] = self.calendar.walk("VEVENT")
        return event

    @property
    def start(self) -> datetime:
        started: datetime = self.event["dtstart"].dt
        return started


def opened(message: Any) -> Letter:
    """Parse a mail as it arrives."""
    parsed = email.message_from_bytes(message.message().as_bytes(), policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return Letter(parsed)


def sent() -> list[Letter]:
    """Send what is due, and return all mails of the site so far. Mails about moves don't wait for their minute."""
    waiting = OutgoingMail.objects.filter(state=OutgoingMail.State.QUEUED, kind=OutgoingMail.Kind.RESCHEDULED, tries=0)
    waiting.update(due_at=datetime.now(UTC))
    send_due()
    outbox: Sequence[Any] = mail.outbox
    return [opened(message) for message in outbox]
