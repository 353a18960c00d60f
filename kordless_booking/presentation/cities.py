"""Large cities, for the search for a time zone: most of them give no zone its name.

CLDR names the cities after which zones are called, so "Munich" or "北京" would find nothing. `cities.tsv` beside this
module adds them: one city a line, the largest metropolitan areas first, with tabs between

- `zone`: the canonical name of its time zone;
- `name`: its English name;
- `also`: other names that people type, with semicolons between;
- one column for each language whose script isn't Latin, empty in `uk` where the name is that of `ru`, and in `zh_Hant`
  where it is that of `zh_Hans`;
- `other`: names in the other languages where they differ from the English one, as `de=München;fr=…`.

A city with the name of its zone has no other columns, because CLDR has its translations. It is listed for its place in
the order, and for what else people call it. That includes CLDR's names in the languages with Latin letters, because a
search on an English page doesn't load the data of nine others to understand "Londres".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

_COLUMNS_BEFORE_NAMES: Final = 3
"""`zone`, `name` and `also`."""
_SAME_NAME_AS: Final[Mapping[str, str]] = {"uk": "ru", "zh_Hant": "zh_Hans"}


class City(NamedTuple):
    """Large city."""

    zone: str
    """Canonical IANA name of its time zone."""
    name: str
    """English name."""
    also: tuple[str, ...]
    """Other names, which are searched but not shown."""
    names: Mapping[str, str]
    """Names by Babel locale, where they differ from the English one; empty for a city that gives its zone the name."""

    def name_in(self, locale: str) -> str:
        """Return the name in the language of a Babel locale."""
        return self.names.get(locale, self.name)


@cache
def large_cities() -> tuple[City, ...]:
    """Return all cities, the largest first. Reads the file once, in about 2 ms, on the first search of a process."""
    text = files(__package__).joinpath("cities.tsv").read_text(encoding="utf-8")
    header, *rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    languages = header[_COLUMNS_BEFORE_NAMES:-1]
    return tuple(_city([*row, *[""] * (len(header) - len(row))], languages) for row in rows)


def _city(row: list[str], languages: list[str]) -> City:
    zone, name, also = row[:_COLUMNS_BEFORE_NAMES]
    names = dict(zip(languages, row[_COLUMNS_BEFORE_NAMES:-1], strict=True))
    for language, other in _SAME_NAME_AS.items():
        names[language] = names[language] or names[other]
    names |= dict(pair.split("=") for pair in row[-1].split(";") if pair)
    return City(zone, name, tuple(filter(None, also.split(";"))), {key: each for key, each in names.items() if each})
