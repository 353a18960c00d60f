"""Search for a time zone by city, country, region, everyday name or offset, in the visitor's language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from babel.core import get_global
from babel.dates import get_timezone_name

from .locales import locale_name, locale_of
from .search import MAX_QUERY, normalize_words
from .timezones import (
    get_timezone,
    offset_text,
    selectable_timezones,
    timezone_aliases,
    zone_country,
)

if TYPE_CHECKING:
    from babel import Locale


@dataclass(frozen=True, slots=True)
class ZoneChoice:
    """A zone as a list shows it, in words by CLDR."""

    name: str
    """Canonical IANA name."""
    label: str
    """The city."""
    country: str
    """May be ""."""
    region: str
    """The continent; may be ""."""
    offset: str
    local: datetime
    """The current time in the zone."""


def city_name(name: str, language: str) -> str:
    """Return the city of a zone (a name from `canonical_timezone`), without building the search index."""
    return _label(name, locale_name(language))


def search_zones(query: str, now: datetime, language: str) -> list[ZoneChoice]:
    """Return the listed zones that match all words of a query, best first; for an empty query all, from west to east.

    Words match the beginning of a word of the city, country, region, zone name, old names, or everyday names
    ("Eastern", "CET"), in the language or in English; accents and case don't matter. "+2", "GMT+5:45" or "UTC-3" match
    the offset at `now` (aware).
    """
    entries = _index(locale_name(language))
    offset, words = _read(query)
    moments = [(entry, now.astimezone(get_timezone(entry.name))) for entry in entries]
    if offset is not None:
        moments = [pair for pair in moments if pair[1].utcoffset() == offset]
    # Within words only if no word begins so: Chinese and Japanese write no spaces between words.
    for begins in (" ", ""):
        found = [pair for pair in moments if all(begins + word in pair[0].text for word in words)]
        if found:
            break
    if words:
        found.sort(key=lambda pair: (_rank(pair[0], words), pair[0].sort_key))
    else:
        found.sort(key=lambda pair: (pair[1].utcoffset(), pair[0].sort_key))
    return [_choice(entry, local, language) for entry, local in found]


class _Entry(NamedTuple):
    name: str
    label: str
    country: str
    region: str
    sort_key: str
    names: frozenset[str]  # the canonical name and all old ones, folded
    text: str  # all that can be searched for, folded, with a space before each word


def _choice(entry: _Entry, local: datetime, language: str) -> ZoneChoice:
    offset = offset_text(local, language)
    return ZoneChoice(entry.name, entry.label, entry.country, entry.region, offset, local)


def _rank(entry: _Entry, words: list[str]) -> int:
    """Rank a match: 0 for the zone itself, 1 when the first word begins a word of the city, 2 for any other match."""
    phrase = " ".join(words)
    if phrase in entry.names or entry.sort_key.startswith(phrase):
        return 0
    return 1 if f" {words[0]}" in f" {entry.sort_key}" else 2


_OFFSET = re.compile(r"(?:gmt|utc)?\s*([+\-−])\s*(\d{1,2})(?::?(\d{2}))?(?!\S)", re.IGNORECASE | re.ASCII)  # noqa: RUF001 (people paste a real minus)


def _read(query: str) -> tuple[timedelta | None, list[str]]:
    query = query[:MAX_QUERY]
    match = _OFFSET.search(query)
    offset = None
    if match:
        sign, hours, minutes = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0)) * (1 if sign == "+" else -1)
        query = query[: match.start()] + query[match.end() :]
    return offset, normalize_words(query).split()


# Locales. Each index describes some 420 zones.
@lru_cache(maxsize=32)
def _index(locale: str) -> tuple[_Entry, ...]:
    return tuple(_described(name, locale_of(locale)) for name in selectable_timezones())


@lru_cache(maxsize=2048)
def _label(name: str, locale: str) -> str:
    return _city(name, locale_of(locale))


def _described(name: str, locale: Locale) -> _Entry:
    english = locale_of("en")
    code = zone_country(name) or ""
    label = _city(name, locale)
    country = locale.territories.get(code, "")
    region = _region(name, locale)
    known_as = [label, _city(name, english), country, english.territories.get(code, ""), region]
    names = [name, *timezone_aliases(name)]
    known_as += [*names, *_everyday_names(name, locale), *_everyday_names(name, english)]
    known_as += _abbreviations(name)
    words = dict.fromkeys(word for text in known_as for word in normalize_words(text).split())
    return _Entry(
        name,
        label,
        country,
        region,
        normalize_words(label),
        frozenset(map(normalize_words, names)),
        " " + " ".join(words),
    )


def _city(name: str, locale: Locale) -> str:
    for key in (name, _cldr_names().get(name)):
        city = locale.time_zones.get(key, {}).get("city") if key else None
        if city:
            return str(city)
    return _last_part(name)


def _last_part(name: str) -> str:
    return name.rsplit("/", 1)[-1].replace("_", " ")


@cache
def _cldr_names() -> dict[str, str]:
    """Return the name under which CLDR has a renamed city's translations.

    CLDR keeps the first name: Kyiv's translations are at "Europe/Kiev".
    """
    english = locale_of("en").time_zones
    found = {}
    for old, new in get_global("zone_aliases").items():
        city = english.get(old, {}).get("city") or _last_part(old)
        # An alias may also be another city of the same zone, whose name would be wrong here.
        if city.startswith(_last_part(new)):
            found[new] = old
    return found


def _everyday_names(name: str, locale: Locale) -> list[str]:
    try:
        return [get_timezone_name(get_timezone(name), width="long", zone_variant="generic", locale=locale)]
    except KeyError:  # CLDR data of some languages is incomplete and lacks the text for an unknown country
        return []


def _abbreviations(name: str) -> list[str]:
    # January and July: one is standard time and the other summer time. The year hardly matters.
    days = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 7))
    names = (day.astimezone(get_timezone(name)).tzname() or "" for day in days)
    return [text for text in names if text.isalpha()]


# Continents by their CLDR codes (UN M.49). Oceans are not continents, so their islands are listed one by one.
_CONTINENTS = {"Africa": "002", "America": "019", "Asia": "142", "Europe": "150", "Australia": "009"}
_CONTINENTS |= {"Pacific": "009", "Antarctica": "AQ", "Arctic": "150"}
_ISLANDS = {"Atlantic/Bermuda": "019", "Atlantic/Stanley": "019", "Atlantic/South_Georgia": "019"}
_ISLANDS |= {"Atlantic/Cape_Verde": "002", "Atlantic/St_Helena": "002", "Atlantic": "150"}
_ISLANDS |= {"Indian/Maldives": "142", "Indian/Christmas": "009", "Indian/Cocos": "009", "Indian": "002"}


def _region(name: str, locale: Locale) -> str:
    sea = name.partition("/")[0]
    code = _CONTINENTS.get(sea) or _ISLANDS.get(name) or _ISLANDS.get(sea, "")
    return str(locale.territories.get(code, ""))
