"""Texts of each kind of mail, in the active language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from kordless_booking.models import OutgoingMail
from kordless_booking.presentation.texts import status_texts

MAX_SUBJECT_CHARS: Final = 150
"""Characters."""
MAX_NAME_CHARS: Final = 60
"""Characters."""
_LIKE_A_LINK: Final = re.compile(r"[/\\@:<>]|\w\.\w|www|http|\d{4}", re.IGNORECASE)


@dataclass(frozen=True)
class MailTexts:
    """Texts of one mail."""

    subject: str
    headline: str
    about: str
    """The line under the headline."""
    enclosed: str
    """Purpose of the attached calendar file."""


def mail_texts(kind: OutgoingMail.Kind, status: str, service: str, when: str) -> MailTexts:
    """Return the texts. `service` and `when` are plain text; `status` is the booking's, as Kordless writes it."""
    values = {"service": service, "when": when}
    enclosed = _("The attached file puts it into your calendar.")
    texts = status_texts(status)
    match kind:
        case OutgoingMail.Kind.CANCELLED:
            canceled = status_texts("canceled")
            subject = _("Your booking has been canceled: %(service)s, %(when)s") % values
            return MailTexts(
                subject, canceled.headline, canceled.lead, _("The attached file takes it out of your calendar.")
            )
        case OutgoingMail.Kind.RESCHEDULED:
            subject = _("Your booking has been moved: %(service)s, %(when)s") % values
            moved = _("Your booking has been moved.")
            # Staff may have to accept the new time first; the status text says so.
            return MailTexts(
                subject, _("New time"), f"{moved} {texts.lead}" if status == "pending" else moved, enclosed
            )
        case OutgoingMail.Kind.REMINDER:
            subject = _("Reminder: %(service)s, %(when)s") % values
            return MailTexts(subject, _("See you soon"), _("This is a reminder of your booking."), enclosed)
        case OutgoingMail.Kind.REQUESTED:
            subject = _("We have received your request: %(service)s, %(when)s") % values
        case _:
            subject = _("Your booking is confirmed: %(service)s, %(when)s") % values
    return MailTexts(subject, texts.headline, texts.lead, enclosed)


def one_line(text: str, max_chars: int = MAX_SUBJECT_CHARS) -> str:
    """Return `text` as one line for a header: single spaces, at most `max_chars` characters."""
    # Unprintable are line breaks (header injection), control characters and bidirectional overrides.
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= max_chars else f"{line[: max_chars - 1].rstrip()}\u2026"


def greeting_name(name: str) -> str:
    """Return a name to greet with, or "" when the text looks like something else.

    Anybody can type a message with a link as the name and somebody else's address into the form.
    """
    # 1000 instead of the default, so that a name isn't cut before its length is checked.
    line = one_line(name, 1000)
    return line if 0 < len(line) <= MAX_NAME_CHARS and not _LIKE_A_LINK.search(line) else ""
