"""Texts of messages to phones, in the active language, and their length.

A message names kind, service, time and business, and ends with the link. It holds nothing that a visitor has typed.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

from django.utils.translation import get_language_bidi, pgettext

from kordless_booking.mail.texts import one_line, shorten
from kordless_booking.models import OutgoingMail

MAX_GSM: Final = 160
"""Characters of one message in the alphabet of GSM 03.38."""
MAX_UCS2: Final = 134
"""Characters of two joined messages in any other alphabet, where one has 70: date and link need about that by
themselves, and the customer would learn neither what is meant nor by whom."""
_JOINED: Final = {160: 153, 70: 67}
"""Characters of each part of a joined message, by those of a single one: the rest says which part it is."""
# 3GPP TS 23.038, 6.2.1, without the escape.
_GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Characters that count twice."""
_PLAIN: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u2032\u02bc", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u00a0\u2009\u202f", " "),
        **dict.fromkeys("\u200e\u200f\u2066\u2067\u2068\u2069", None),
        "\u2026": "...",
        "\u00b7": "-",
    }
)
"""Characters of good typography, one of which would make the whole message one of 70 characters, or that count for
nothing there. Marks of direction too: a message that needs them begins with its own."""
_RIGHT_TO_LEFT: Final = "\u200f"


def build_text(
    kind: OutgoingMail.Kind, status: str, *, business: str, service: str, when: str, url: str
) -> tuple[str, int]:
    """Return the text, and the number of messages that a phone company makes of it.

    `business`, `service` and `when` are plain text; `status` is the booking's, as Kordless writes it. What doesn't fit
    is left out in this order: the words before the link, the end of the business's name, the end of the service's, the
    business. Kind, time and link stay, however long they are.
    """
    return fit_text(
        lambda name: _sentence(kind, status, name, _plain(when)),
        business=business,
        service=service,
        url=url,
        labeled_url=_labeled_link(kind, url),
    )


def fit_text(
    sentence: Callable[[str], str], *, business: str, service: str, url: str, labeled_url: str
) -> tuple[str, int]:
    """Return a text as `build_text` does, with a sentence that is built from the service's name, which may be cut.

    `labeled_url` is the last line with words before the link, `url` the link alone.
    """
    text = ""
    for text in _candidates(sentence, _clean(business), _clean(service), url, labeled_url):
        if fits(text):
            break
    return text, count_messages(text)


def fits(text: str) -> bool:
    """Return True if the text isn't too long for its alphabet."""
    length = gsm_length(text)
    return utf16_length(text) <= MAX_UCS2 if length is None else length <= MAX_GSM


def count_messages(text: str) -> int:
    """Return the number of messages that a phone company makes of the text, and charges."""
    length, single = gsm_length(text), 160
    if length is None:
        length, single = utf16_length(text), 70
    return 1 if length <= single else math.ceil(length / _JOINED[single])


def gsm_length(text: str) -> int | None:
    """Return the length in GSM 03.38; None when the text has a character that isn't in it."""
    if not all(letter in _GSM or letter in _GSM_EXTENSION for letter in text):
        return None
    return len(text) + sum(letter in _GSM_EXTENSION for letter in text)


def utf16_length(text: str) -> int:
    """Return the number of UTF-16 code units, of which phones count two for each emoji."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _candidates(
    sentence: Callable[[str], str], business: str, service: str, url: str, labeled_url: str
) -> Iterator[str]:
    """Yield texts from the longest to the shortest."""
    for label, business_chars, service_chars in (
        (True, 40, 40),
        (False, 40, 40),
        (False, 20, 40),
        (False, 20, 20),
        (False, 20, 12),
        (False, 0, 12),
    ):
        said = sentence(_plain(shorten(service, service_chars)))
        name = _plain(shorten(business, business_chars)) if business_chars else ""
        link = labeled_url if label else url
        # A link in a line of its own: whatever stood behind it could be read as a part of it.
        lines = filter(None, [name, _plain(said), _plain(link)])
        # Phones take the first letter's direction for that of the line, and it may be that of a business's name.
        yield "\n".join(f"{_RIGHT_TO_LEFT}{line}" if _needs_mark(line) else line for line in lines)


def _sentence(kind: OutgoingMail.Kind, status: str, service: str, when: str) -> str:
    values = {"service": service, "when": when}
    match kind:
        case OutgoingMail.Kind.CANCELLED:
            # Translators: text message, as short as possible, such as "Canceled: Haircut, Wed, Dec 9, 9:00 AM."
            return pgettext("text message", "Canceled: %(service)s, %(when)s.") % values
        case OutgoingMail.Kind.RESCHEDULED if status == "pending":
            # Translators: text message, as short as possible. The booking was moved; the business still has to accept
            # the new time.
            return pgettext("text message", "New time, not accepted yet: %(service)s, %(when)s.") % values
        case OutgoingMail.Kind.RESCHEDULED:
            # Translators: text message, as short as possible. The booking was moved to this time.
            return pgettext("text message", "New time: %(service)s, %(when)s.") % values
        case OutgoingMail.Kind.REMINDER:
            # Translators: text message, as short as possible.
            return pgettext("text message", "Reminder: %(service)s, %(when)s.") % values
        case OutgoingMail.Kind.REQUESTED:
            # Translators: text message, as short as possible. The business still has to accept the booking.
            return pgettext("text message", "Request received: %(service)s, %(when)s.") % values
        case OutgoingMail.Kind.CONFIRMED:
            # Translators: text message, as short as possible, such as "Confirmed: Haircut, Wed, Dec 9, 9:00 AM."
            return pgettext("text message", "Confirmed: %(service)s, %(when)s.") % values


def _labeled_link(kind: OutgoingMail.Kind, url: str) -> str:
    if kind is OutgoingMail.Kind.CANCELLED:
        # Translators: last line of a text message, as short as possible.
        return pgettext("text message", "Book again: %(url)s") % {"url": url}
    # Translators: last line of a text message, as short as possible.
    return pgettext("text message", "Change or cancel: %(url)s") % {"url": url}


def _needs_mark(line: str) -> bool:
    """Return True for a line of a right-to-left text that doesn't begin in that direction. A bare link stays."""
    if not get_language_bidi() or "://" in line.split(" ", maxsplit=1)[0]:
        return False
    first = next((kind for kind in map(unicodedata.bidirectional, line) if kind in {"L", "R", "AL"}), "")
    return first == "L"


def _clean(name: str) -> str:
    """Return a name from Kordless as one line without symbols, which say little and cost half of the message."""
    kept = "".join(letter for letter in name if unicodedata.category(letter) not in {"So", "Sk", "Cs"})
    # What chose between a symbol's two looks.
    return one_line(kept.translate(dict.fromkeys(range(0xFE00, 0xFE10))))


def _plain(text: str) -> str:
    return text.translate(_PLAIN)
