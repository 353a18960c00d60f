"""Texts of each kind of mail, in the active language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kordless_booking.models import OutgoingMail
from kordless_booking.normalization import JOINERS, compact_text, visible_text
from kordless_booking.presentation.texts import status_texts

MAX_SUBJECT_CHARS: Final = 150
"""Characters."""
MAX_NAME_CHARS: Final = 60
"""Characters."""
_LIKE_A_LINK: Final = re.compile(
    # A dot in the middle of the line is part of Japanese names, and of Catalan ones between two letters "l".
    r"[/\\@:<>]|\w\.\w|www|http|\d{4}|[a-z0-9](?:\u30fb|(?<!l)\xb7|\xb7(?!l))[a-z0-9]",
    re.IGNORECASE,
)
_LOOK_ALIKES: Final = str.maketrans(
    {
        # Full stops that IDNA reads as a dot (RFC 3490, 3.1), and those of other scripts that look like one.
        **dict.fromkeys("\u3002\uff0e\uff61\u2024\ufe52\u0701\u0702\u06d4\ua4f8\ua60e\U0001d16d", "."),
        **dict.fromkeys("\u2219\u22c5\u2022\u2027", "."),
        **dict.fromkeys("\u2044\u2215\u29f8\u2571\u3033\u1735\u2cc6", "/"),
        **dict.fromkeys("\u29f5\u29f9\u2216", "\\"),
        **dict.fromkeys("\u2236\ua789\u02d0\u05c3\u0589", ":"),
        **dict.fromkeys("\u2039\u203a\u3008\u3009\u27e8\u27e9", "<"),
    }
)
"""Characters that look like one of a link, and that NFKC leaves as they are."""


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
    enclosed = _("Open the attached file to add the appointment to your calendar.")
    texts = status_texts(status)
    match kind:
        case OutgoingMail.Kind.CANCELLED:
            canceled = status_texts("canceled")
            subject = _("Your booking has been canceled: %(service)s, %(when)s") % values
            return MailTexts(
                subject,
                canceled.headline,
                canceled.lead,
                _("Open the attached file to remove the appointment from your calendar."),
            )
        case OutgoingMail.Kind.RESCHEDULED:
            subject = _("Your booking has been rescheduled: %(service)s, %(when)s") % values
            moved = _("Your booking has been rescheduled.")
            # Staff may have to accept the new time first; the status text says so.
            return MailTexts(
                subject,
                pgettext("label", "New time"),
                f"{moved} {texts.lead}" if status == "pending" else moved,
                enclosed,
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
    # Unprintable are what is left of line breaks (header injection), unassigned characters and odd spaces. The joiners
    # that are left are part of words, such as Persian ones.
    line = " ".join("".join(c if c.isprintable() or c in JOINERS else " " for c in visible_text(text)).split())
    return line if len(line) <= max_chars else f"{line[: max_chars - 1].rstrip()}\u2026"


def greeting_name(name: str) -> str:
    """Return a name to greet with, or "" when the text looks like something else.

    Anybody can type a message with a link as the name and somebody else's address into the form.
    """
    # 1000 instead of the default, so that a name isn't cut before its length is checked.
    line = one_line(name, 1000)
    # As a mail program or a browser reads it: full-width letters as ASCII, and whatever looks like a full stop as one.
    read = compact_text(line).translate(_LOOK_ALIKES)
    return line if 0 < len(line) <= MAX_NAME_CHARS and not _LIKE_A_LINK.search(read) else ""
