"""Texts of each kind of mail, in the active language."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kordless_booking.models import OutgoingMail
from kordless_booking.normalization import JOINERS, compact_text, visible_text
from kordless_booking.presentation.texts import before_marks, status_texts

MAX_SUBJECT_CHARS: Final = 150
"""Characters."""
MAX_SUBJECT_SERVICE_CHARS: Final = 30
"""Characters of the service's name in a subject. Phones show about 45 of a subject, and the day has to be in sight."""
MAX_NAME_CHARS: Final = 60
"""Characters."""
_BEFORE_CUT: Final = " ,;:.\u2013-("
"""Characters that don't stand before an ellipsis."""
_DIRECTION: Final = "\u200e\u200f\u2066\u2067\u2068\u2069"
"""Marks and isolates of text direction, with which dates and times are formatted."""
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
    """Return the texts. `service` and `when` are plain text; `status` is the booking's, as Kordless writes it.

    A subject begins with what and when, because phones and lists of mails show no more of it.
    """
    values = {"service": shorten(one_line(service), MAX_SUBJECT_SERVICE_CHARS), "when": when}
    enclosed = _("Open the attached file to add the appointment to your calendar.")
    texts = status_texts(status)
    match kind:
        case OutgoingMail.Kind.CANCELLED:
            canceled = status_texts("canceled")
            # Translators: subject of an email, such as "Haircut, Wed, Dec 9, 9:00 AM: canceled".
            subject = pgettext("subject of an email", "%(service)s, %(when)s: canceled") % values
            return MailTexts(
                subject,
                canceled.headline,
                canceled.lead,
                _("Open the attached file to remove the appointment from your calendar."),
            )
        case OutgoingMail.Kind.RESCHEDULED:
            # Translators: subject of an email; the date and time are the new ones.
            subject = pgettext("subject of an email", "%(service)s, %(when)s: rescheduled") % values
            about = (
                _("Your booking has been rescheduled. The new time still has to be accepted. We’ll let you know.")
                if status == "pending"
                else _("Your booking has been rescheduled.")
            )
            return MailTexts(subject, pgettext("label", "New time"), about, enclosed)
        case OutgoingMail.Kind.REMINDER:
            # Translators: subject of an email.
            subject = pgettext("subject of an email", "%(service)s, %(when)s: reminder") % values
            return MailTexts(subject, _("See you soon"), _("This is a reminder of your booking."), enclosed)
        case OutgoingMail.Kind.REQUESTED:
            # Translators: subject of an email. The business still has to accept the booking.
            subject = pgettext("subject of an email", "%(service)s, %(when)s: request received") % values
        case _:
            # Translators: subject of an email, such as "Haircut, Wed, Dec 9, 9:00 AM: confirmed".
            subject = pgettext("subject of an email", "%(service)s, %(when)s: confirmed") % values
    return MailTexts(subject, texts.headline, texts.lead, enclosed)


def labeled_line(label: str, text: str) -> str:
    """Return a row of a mail as a line of plain text, such as "With: Sarah"."""
    # Translators: a line in an email, such as "With: Sarah". Keep your language's space before a colon, if it has one.
    return pgettext("label and value", "%(label)s: %(value)s") % {"label": label, "value": text}


def subject_line(text: str, direction: str) -> str:
    """Return `text` as one line for a subject, as `one_line` does, which reads in `direction` ("rtl" or "ltr").

    Keeps marks of direction, with which times are formatted.
    """
    line = one_line(text, keep=_DIRECTION)
    opened, closed = (sum(line.count(mark) for mark in marks) for marks in ("\u2066\u2067\u2068", "\u2069"))
    if opened != closed:
        # One of a pair was cut off, or Kordless's text has one: the rest of the line would be turned round.
        line = one_line(line)
    first = next((kind for kind in map(unicodedata.bidirectional, line) if kind in {"L", "R", "AL"}), "")
    # Mail programs take the first letter's direction for that of the line, and it may be that of a service's name.
    if direction == "rtl" and first == "L":
        return f"\u200f{line}"
    return f"\u200e{line}" if direction == "ltr" and first in {"R", "AL"} else line


def one_line(text: str, max_chars: int = MAX_SUBJECT_CHARS, *, keep: str = "") -> str:
    """Return `text` as one line for a header: single spaces, at most `max_chars` characters.

    `keep` are characters that stay although they don't show.
    """
    parts = re.split(f"([{keep}])", text) if keep else [text]
    visible = "".join(part if part and part in keep else visible_text(part) for part in parts)
    # Unprintable are what is left of line breaks (header injection), unassigned characters and odd spaces. The joiners
    # that are left are part of words, such as Persian ones.
    shown = "".join(c if c.isprintable() or c in JOINERS or c in keep else " " for c in visible)
    return shorten(" ".join(shown.split()), max_chars)


def shorten(text: str, max_chars: int) -> str:
    """Return one line cut to `max_chars` characters, between two words where that costs little.

    Never between a letter and its marks.
    """
    if len(text) <= max_chars:
        return text
    end = max_chars - 1
    space = text.rfind(" ", end // 2, end + 1)
    if space > 0:
        end = space
    return text[: before_marks(text, end)].rstrip(_BEFORE_CUT) + "\u2026"


def greeting_name(name: str) -> str:
    """Return a name to greet with, or "" when the text looks like something else.

    Anybody can type a message with a link as the name and somebody else's address into the form.
    """
    # 1000 instead of the default, so that a name isn't cut before its length is checked.
    line = one_line(name, 1000)
    # As a mail program or a browser reads it: full-width letters as ASCII, and whatever looks like a full stop as one.
    read = compact_text(line).translate(_LOOK_ALIKES)
    return line if 0 < len(line) <= MAX_NAME_CHARS and not _LIKE_A_LINK.search(read) else ""
