"""Marketing attribution: campaign parameters and click ids that the host page passes to the widget.

They are given to the site's own code only. They are never sent to Kordless, and stand in no URL after the first.
"""

from __future__ import annotations

import json
from typing import Final

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
