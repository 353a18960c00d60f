"""Where a visitor came from, as far as the page around the widget says: campaign parameters and click ids.

It reaches the site's own code and nobody else: never Kordless, and no URL after the first.
"""

from __future__ import annotations

import json
from typing import Final

__all__ = ["KNOWN", "read_attribution"]

KNOWN: Final = (
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
"""The names that are passed on."""
LONGEST_VALUE: Final = 200
LONGEST: Final = 4096


def read_attribution(text: str) -> dict[str, str]:
    """The known parameters in a JSON object, printable and cut to length; nothing for anything else."""
    if not text or len(text) > LONGEST:
        return {}
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(given, dict):
        return {}
    return {
        name: given[name][:LONGEST_VALUE]
        for name in KNOWN
        if isinstance(given.get(name), str) and given[name] and given[name].isprintable()
    }
