"""Write the assistant's table of calendar words anew from Babel's CLDR data: `python -m tests.cldr_table`.

Run it when a language was added, or when a new Babel brings better words. The table is committed, so that the grammar
reads no private data of Babel, and understands the same with each version of it.
"""

from __future__ import annotations

import json
from typing import Any, Final

from babel import Locale

from tests.support.translatable_texts import PACKAGE

TABLE: Final = PACKAGE / "contrib" / "assistant" / "cldr.json"
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS: Final = {"en": {"morning1": [6 * 60, 12 * 60]}}
"""Corrections. CLDR's English morning begins at midnight since version 48, as "AM" does; nobody means that."""


def read_language(name: str) -> dict[str, Any]:
    """Return the words of one language, by what they mean, and the hours of its parts of the day in minutes."""
    locale = Locale.parse(name)
    fields = locale._data["date_fields"]
    periods: dict[str, list[str]] = {}
    for widths in locale.day_periods.values():
        for words in widths.values():
            for key, word in words.items():
                _add(periods.setdefault(key, []), word)
    hours = {}
    for key, rules in locale.day_period_rules[None].items():
        for rule in rules:
            if "from" in rule:
                hours[key] = [rule["from"] // 60, rule["before"] // 60]
    return {
        "order": _order(locale),
        "weekdays": [_names(locale.days, day) for day in range(7)],
        "months": [_names(locale.months, month) for month in range(1, 13)],
        "periods": dict(sorted(periods.items())),
        "hours": dict(sorted((hours | HOURS.get(name, {})).items())),
        "relative": {
            unit: _relative(fields, unit) for unit in ("day", "week", "month", *WEEKDAYS) if _relative(fields, unit)
        },
    }


def _names(widths: Any, index: int) -> list[str]:
    names: list[str] = []
    # Not the short names: many are common words, such as "je" and "me" for days in French.
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            _add(names, widths[context].get(width, {}).get(index, ""))
    return names


def _relative(fields: Any, unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for width in ("", "-short", "-narrow"):
        for offset, word in fields.get(f"{unit}{width}", {}).get("relative", {}).items():
            _add(found.setdefault(str(offset), []), word)
    return dict(sorted(found.items(), key=lambda item: int(item[0])))


def _order(locale: Locale) -> str:
    """Return the order of day and month in "3/12"."""
    pattern = locale.date_formats["short"].pattern
    return "dm" if pattern.lower().index("d") < pattern.lower().index("m") else "md"


def _add(words: list[str], word: str) -> None:
    # Single letters mean nothing by themselves, and numbers are read as such.
    if len(word.strip(". ")) > 1 and not any(letter.isdigit() for letter in word) and word not in words:
        words.append(word)


if __name__ == "__main__":
    languages = ["en", *sorted(path.name for path in (PACKAGE / "locale").iterdir() if path.is_dir())]
    table = {name: read_language(name) for name in languages}
    # One line for each list of words: differences between versions of CLDR are readable.
    text = json.dumps(table, ensure_ascii=False, indent=1)
    TABLE.write_text(text + "\n")
    print(f"{len(table)} languages: {TABLE}, {len(text) // 1000} KB")  # noqa: T201
