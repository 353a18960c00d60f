"""Marketing attribution: campaign parameters and click ids that the host page passes to the widget.

They are given to the site's own code only. They are never sent to Kordless, and stand in no URL after the first.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from kordless_booking.funnel.counters import OTHER_SOURCES

PARAMETERS: Final = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "utm_id",
    "gclid",
    "gbraid",
    "wbraid",
    "fbclid",
    "msclkid",
    "ttclid",
    "twclid",
    "li_fat_id",
)
"""Parameter names that are passed on. All others are dropped."""
MAX_VALUE_CHARS: Final = 200
"""Characters of a value that are kept."""
MAX_JSON_CHARS: Final = 4096
"""Characters of the JSON text; a longer one is ignored."""


def parse_attribution(text: str) -> dict[str, str]:
    """Return the known parameters of a JSON object, printable and cut to length. Never raises.

    Anything but an object gives an empty dict.
    """
    if not text or len(text) > MAX_JSON_CHARS:
        return {}
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):  # deeply nested brackets
        return {}
    if not isinstance(values, dict):
        return {}
    return {
        name: values[name][:MAX_VALUE_CHARS]
        for name in PARAMETERS
        if isinstance(values.get(name), str) and values[name] and values[name].isprintable()
    }


_MAX_SOURCE_CHARS: Final = 40
_MAX_SOURCE_DIGITS: Final = 5
"""A year or a week is the name of a campaign; more digits are a date of birth, a phone number or somebody's id."""
_MAX_WORD_CHARS: Final = 20
_SOURCE: Final = re.compile(r"[\w.+ -]+")
_WORD_ENDS: Final = re.compile(r"[\W_]+")
_MIXED: Final = re.compile(r"[^\W\d_]\d+[^\W\d_]+\d|\d[^\W\d_]+\d+[^\W\d_]")
"""Letters and digits in turn, as in random tokens."""


def campaign_source(attribution: Mapping[str, str]) -> str:
    """Return the `utm_source` in one spelling, to be counted; "" for none.

    Whoever makes a link can write anything there. What may be an id, an email address or a phone number is one of
    OTHER_SOURCES, and so is what has more than 40 characters.
    """
    text = " ".join(unicodedata.normalize("NFKC", attribution.get("utm_source", "")).casefold().split())
    if not text:
        return ""
    words = _WORD_ENDS.split(text)
    is_name = (
        len(text) <= _MAX_SOURCE_CHARS
        and _SOURCE.fullmatch(text) is not None
        and sum(map(str.isnumeric, text)) <= _MAX_SOURCE_DIGITS
        and max(map(len, words)) <= _MAX_WORD_CHARS
        and not any(map(_MIXED.search, words))
    )
    return text if is_name else OTHER_SOURCES
