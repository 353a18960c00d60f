"""Phrases in which people say when they want an appointment, and what each of them means.

A line of `tests/contrib/assistant/phrases/<language>.tsv` is a phrase, a tab, and JSON: first, last, after, before,
service, host, party, excluded (weekdays), soonest; what is absent is None. `{"understood": false}` is a phrase where a
miss is right. Those in `<language>.held.tsv` were held out while the language's words were found. At the first look at
them 655 of 700 were understood as a whole, 86 % or more in each language, and 8 with a wrong date; then what they
showed was mended. Those in `<language>.fresh.tsv` were written by other testers afterwards, in shapes that differ from
the usual: several clauses, two times, slang, negations, numerals as words, and traps. At the first look at 40 of them
in each of ten languages 355 of 400 were understood as a whole, and 10 with a wrong date.

`python -m tests.support.phrases [language …] [--held | --fresh] [--wrong]` reports how many are understood.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from kordless_booking.contrib.assistant.grammar import Named, Offer, TimeQuery, parse

Kind = Literal["tuning", "held", "fresh"]
"""Files of a language."""

FOLDER: Final = Path(__file__).parents[1] / "contrib" / "assistant" / "phrases"
NOW: Final = datetime(2026, 12, 2, 10, tzinfo=ZoneInfo("Europe/Berlin"))
"""A Wednesday."""
OFFER: Final = Offer(
    services=(Named("haircut", ("Haircut",)), Named("beard-trim", ("Beard trim",))),
    hosts=(Named("host_sarah", ("Sarah",)), Named("host_miguel", ("Miguel",))),
    opening=(time(9), time(19)),
)


@dataclass
class Report:
    """How the phrases of a file were understood."""

    language: str
    count: int = 0
    spans_right: int = 0
    """All of it as expected."""
    days_right: int = 0
    """The first day as expected, or a miss where one is right."""
    dates_wrong: list[str] = field(default_factory=list)
    """Phrases that were understood with another day than was meant."""
    failures: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Return the numbers on one line."""
        share = [f"{100 * each / (self.count or 1):5.1f} %" for each in (self.spans_right, self.days_right)]
        wrong = len(self.dates_wrong)
        return f"{self.language:<8} {self.count:3} phrases: whole {share[0]}, first day {share[1]}, wrong {wrong}"


def read_phrases(language: str, kind: Kind = "tuning") -> list[tuple[str, dict[str, Any]]]:
    """Return the phrases of a language, with what they mean."""
    path = FOLDER / f"{language}{'' if kind == 'tuning' else f'.{kind}'}.tsv"
    pairs = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [(phrase, json.loads(meaning)) for phrase, meaning in pairs]


def measure(language: str, kind: Kind = "tuning") -> Report:
    """Understand each phrase of a file and compare."""
    report = Report(language)
    for phrase, meaning in read_phrases(language, kind):
        found = describe(parse(phrase, OFFER, language=language.replace("_", "-").lower(), now=NOW))
        wanted = expected(meaning)
        report.count += 1
        report.spans_right += found == wanted
        report.days_right += found.get("first") == wanted.get("first")
        if found and found.get("first") != wanted.get("first") and found.get("first"):
            report.dates_wrong.append(phrase)
        if found != wanted:
            report.failures.append(f"{phrase}\n      found {found}\n     wanted {wanted}")
    return report


def describe(query: TimeQuery) -> dict[str, Any]:
    """Return what was understood in the form of the files; nothing where nothing was."""
    found: dict[str, Any] = {
        "first": query.first,
        "last": query.last,
        "after": query.after,
        "before": query.before,
        "service": query.service,
        "host": query.host,
        "party": query.party,
        "excluded": sorted(query.excluded_weekdays),
        "soonest": query.soonest,
    }
    return {key: value for key, value in found.items() if value}


def expected(meaning: dict[str, Any]) -> dict[str, Any]:
    """Return the meaning of a phrase with dates and times as such. Midnight is an open end."""
    known: dict[str, Any] = {}
    for key, value in meaning.items():
        if key in {"first", "last"} and value:
            known[key] = date.fromisoformat(value)
        elif key in {"after", "before"} and value and value not in {"00:00", "24:00"}:
            known[key] = time.fromisoformat(value)
        elif key not in {"first", "last", "after", "before", "understood"} and value:
            known[key] = value
    return known


if __name__ == "__main__":
    names = [each for each in sys.argv[1:] if not each.startswith("--")]
    chosen: Kind = "held" if "--held" in sys.argv else "fresh" if "--fresh" in sys.argv else "tuning"
    for name in names or sorted({path.name.split(".")[0] for path in FOLDER.glob("*.tsv")}):
        report = measure(name, chosen)
        print(report.line())  # noqa: T201
        if "--wrong" in sys.argv:
            print(*(f"    {each}" for each in report.failures), sep="\n")  # noqa: T201
