"""Search for a time zone by city, country, region, everyday name or offset, in the visitor's language.

The index of a language is built on its first search, in about 40 ms, and has an entry for each zone and for each of
`cities.large_cities`. `search_zones` ranks what matches; `likely_zones` and `list_zones` are what a visitor sees before
typing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from kordless_booking.lazy_imports import LazyModule

from .cities import City, large_cities
from .locales import locale_name, locale_of, regional_locale
from .search import MAX_QUERY, fold_digits, normalize_words
from .timezones import (
    get_timezone,
    offset_text,
    timezone_aliases,
    timezones_by_country,
    zone_country,
)

if TYPE_CHECKING:
    from babel import Locale, core
else:
    core = LazyModule("babel.core")

MAX_LIKELY: Final = 8
"""Zones that are offered before any typing: about a screen of a phone, with the search."""
_MAX_OF_COUNTRY: Final = 5
"""Further zones of the visitor's own country among them, at most: those of the mainland of the United States."""
_NEAR: Final = timedelta(hours=1)
"""Difference of clocks up to which another country of the continent is a neighbor."""


@dataclass(frozen=True, slots=True)
class ZoneChoice:
    """A zone as a list shows it, in words by CLDR."""

    name: str
    """Canonical IANA name."""
    label: str
    """The city: the zone's own, or the large city that was searched for."""
    country: str
    """May be ""."""
    region: str
    """The continent; may be ""."""
    everyday_name: str
    """Such as "Eastern Time"; may be ""."""
    offset: str
    local: datetime
    """The current time in the zone."""


def city_name(name: str, language: str) -> str:
    """Return the city of a zone (a name from `canonical_timezone`), without building the search index."""
    return _label(name, locale_name(language))


def zone_region(name: str, language: str) -> str:
    """Return the continent of a zone as `ZoneChoice.region` has it; "" for UTC and plain offsets."""
    return _region(name, locale_of(language))


def search_zones(query: str, now: datetime, language: str) -> list[ZoneChoice]:
    """Return the zones that match all words of a query, best first; for an empty query all, from west to east.

    Words match the beginning of a word of the city, country, region, zone name, old names, or everyday names
    ("Eastern", "CET"), in the language or in English; accents and case don't matter. Large cities that are no zone
    names are found in every language, and so is a word in another script than the language's. "+2", "GMT+5:45",
    "UTC-3", in the digits of any script and as the language itself writes it, match the offset at `now` (aware).
    Of a country's zones with the same clock only the best is listed, and of a zone's large cities none, unless they are
    meant by their names.
    """
    locale = locale_name(language)
    offset, words = _read(query, locale)
    entries = _index(locale)
    found = _find(entries, offset, words, now)
    for other in _other_locales(words, locale) if not found else ():
        # In the visitor's language again: the entries of all languages are in the same order.
        found = [each._replace(entry=entries[each.entry.position]) for each in _find(_index(other), offset, words, now)]
        if found:
            break
    if words or offset is not None:
        home = _home(locale)
        found.sort(key=lambda each: (each.rank, each.entry.code != home, each.entry.weight, each.entry.sort_key))
        found = list(_without_repetitions(found, now))
    else:
        found.sort(key=lambda each: (each.local.utcoffset(), each.entry.sort_key))
    return [_choice(each.entry, each.local, language) for each in found]


def likely_zones(current: str, business: str | None, now: datetime, language: str) -> list[ZoneChoice]:
    """Return the zones that a visitor may want, at most `MAX_LIKELY`, the likeliest first. The names are canonical.

    They are the one in use and the business's, then the large ones of the visitor's country, and one of each country
    of the same continent: those with the same clock now before those within an hour.
    """
    entries = _zones(locale_name(language))
    names = [current, *([business] if business else [])]
    if own := entries.get(current):
        same_clock, here = _same_clock(now.date()), _offset(current, now)
        shown = {same_clock[name] for name in names if name in entries}
        others = [entry for entry in _largest_first(locale_name(language), now.date()) if entry.name not in shown]
        domestic = [entry.name for entry in others if entry.code == own.code]
        abroad: dict[str, str] = {}
        for entry in others:
            if entry.region == own.region and entry.code != own.code:
                abroad.setdefault(entry.code, entry.name)
        near = [(abs(_offset(name, now) - here), name) for name in abroad.values()]
        near = sorted((pair for pair in near if pair[0] <= _NEAR), key=lambda pair: pair[0])
        names += [*domestic[:_MAX_OF_COUNTRY], *(name for _distance, name in near)]
    return [_choice_of(name, entries, now, language) for name in list(dict.fromkeys(names))[:MAX_LIKELY]]


def list_zones(now: datetime, language: str) -> list[ZoneChoice]:
    """Return one zone for each clock of each country, about 300, sorted by continent and city.

    The others, such as a dozen of Argentina, have the same clock as one of these for the year to come. `search_zones`
    finds them by their names.
    """
    same_clock = _same_clock(now.date())
    listed = [
        (entry, now.astimezone(get_timezone(entry.name)))
        for entry in _index(locale_name(language))
        if entry.is_zone and same_clock[entry.name] == entry.name
    ]
    if locale_name(language).startswith("zh"):
        # Code points are no order that readers of Chinese know, and Babel has no collation.
        listed.sort(key=lambda pair: (pair[0].region, pair[1].utcoffset(), pair[0].weight))
    else:
        listed.sort(key=lambda pair: (pair[0].region, pair[0].sort_key))
    return [_choice(entry, local, language) for entry, local in listed]


class _Entry(NamedTuple):
    position: int  # in the index; the same in each language
    name: str
    is_zone: bool  # and not one of the large cities that are no zone names
    label: str
    country: str
    code: str  # of the country, "" for none
    region: str
    everyday_name: str
    sort_key: str
    weight: int  # 0 for the largest city
    # Each folded and between two bars, as in "|berlin|europe berlin|": a set would take three times the memory.
    names: str  # of zone and city
    country_names: str  # with its codes
    common_names: str  # "Eastern Time", and abbreviations that speakers of the language or of English know
    abbreviations: str  # of the time zone database
    text: str  # all that can be searched for, folded, with a space before each word


@lru_cache(maxsize=32)  # as `_index`, whose entries these are
def _zones(locale: str) -> Mapping[str, _Entry]:
    """Return the zones of the index by name, without the large cities that are none."""
    return MappingProxyType({entry.name: entry for entry in _index(locale) if entry.is_zone})


@lru_cache(maxsize=64)  # two days, as `_same_clock`
def _largest_first(locale: str, day: date) -> tuple[_Entry, ...]:
    """Return one zone for each clock of each country, those with the largest cities first."""
    same_clock = _same_clock(day)
    listed = [entry for entry in _zones(locale).values() if same_clock[entry.name] == entry.name]
    return tuple(sorted(listed, key=lambda entry: (entry.weight, entry.position)))


def _choice(entry: _Entry, local: datetime, language: str) -> ZoneChoice:
    offset = offset_text(local, language)
    return ZoneChoice(entry.name, entry.label, entry.country, entry.region, entry.everyday_name, offset, local)


def _choice_of(name: str, entries: Mapping[str, _Entry], now: datetime, language: str) -> ZoneChoice:
    """Return the zone in words. It need not be one that is listed: UTC isn't, nor a business's plain offset."""
    local = now.astimezone(get_timezone(name))
    if name in entries:
        return _choice(entries[name], local, language)
    offset = offset_text(local, language)
    # An offset is no city, and its name has the opposite sign: Etc/GMT-2 is GMT+2.
    label = offset if name.startswith("Etc/") else city_name(name, language)
    return ZoneChoice(name, label, "", "", "", offset, local)


def _offset(name: str, now: datetime) -> timedelta:
    return now.astimezone(get_timezone(name)).utcoffset() or timedelta()


@lru_cache(maxsize=2)  # today's, and yesterday's for the requests around midnight; 25 ms
def _same_clock(day: date) -> dict[str, str]:
    """Return for each zone the largest one of its country that has the same clock from this day on for a year.

    Looks at one moment of each week: no two zones of a country change their clocks in different weeks of a season.
    """
    begin = datetime.combine(day, time(), UTC)
    moments = [begin + timedelta(weeks=week) for week in range(53)]
    weights = _weights()
    largest: dict[tuple[object, ...], str] = {}
    clocks = {}
    for name in sorted(timezones_by_country(), key=lambda name: weights.get(name, len(large_cities()))):
        zone = get_timezone(name)
        clock = (zone_country(name), *[moment.astimezone(zone).utcoffset() for moment in moments])
        clocks[name] = largest.setdefault(clock, name)
    return clocks


@cache
def _weights() -> dict[str, int]:
    """Return for each zone that has a large city the place of its largest one, 0 for the largest of all."""
    weights: dict[str, int] = {}
    for place, city in enumerate(large_cities()):
        weights.setdefault(city.zone, place)
    return weights


class _Match(NamedTuple):
    entry: _Entry
    local: datetime
    rank: int


def _find(entries: Iterable[_Entry], offset: timedelta | None, words: list[str], now: datetime) -> list[_Match]:
    # Within words only if no word begins so: Chinese and Japanese write no spaces between words.
    for begins in (" ", ""):
        found = [
            _Match(entry, now.astimezone(get_timezone(entry.name)), _rank(entry, words))
            for entry in entries
            if all(begins + word in entry.text for word in words) and (words or entry.is_zone)
        ]
        if offset is not None:
            found = [each for each in found if each.local.utcoffset() == offset]
        if found:
            return found
    return []


_CITY_RANKS: Final = frozenset({0, 3, 5})
"""Ranks of the matches of a city's name."""


def _rank(entry: _Entry, words: list[str]) -> int:
    """Rank a match: 0 for a complete name, and 6 for what only has the words somewhere."""
    begins = f"|{' '.join(words)}"
    whole = f"{begins}|"
    if whole in entry.names:
        return 0
    # A country and an abbreviation stand for their zones, not for each city of them.
    if entry.is_zone and (whole in entry.country_names or whole in entry.common_names):
        return 1
    if entry.is_zone and whole in entry.abbreviations:
        return 2
    # Not the old names of a zone: "Indian/Maldives" is no city that begins with "ind".
    cities = f"|{entry.sort_key}|" if entry.is_zone else entry.names
    if words and begins in cities:
        return 3
    if words and entry.is_zone and begins in entry.country_names:
        return 4
    return 5 if any(f"|{word}" in cities or f" {word}" in cities for word in words) else 6


def _without_repetitions(found: Iterable[_Match], now: datetime) -> Iterator[_Match]:
    """Yield all cities that are meant by their names, and else one zone for each clock of a country."""
    same_clock = _same_clock(now.date())
    listed: set[str] = set()
    for each in found:
        clock = same_clock[each.entry.name]
        if each.rank in _CITY_RANKS or (clock not in listed and each.entry.is_zone):
            yield each
            # "Ind" finds Indore, and still Kolkata, for India.
            listed |= {clock} if each.entry.is_zone else set()


# Characters that are seen as a minus, and marks of direction that come along with a copied text.
_SIGNS = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
    | dict.fromkeys("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "")
)
_FRACTIONS: Final[Mapping[str, int]] = {"5": 30, "50": 30, "25": 15, "75": 45}
"""Minutes by the decimals of an hour, as in "+5.5"."""


@lru_cache(maxsize=64)
def _offset_pattern(locale: str) -> tuple[re.Pattern[str], frozenset[str]]:
    """Return the pattern of an offset, and the words for UTC: GMT, UTC, and what the language itself has for them."""
    own = str(locale_of(locale).zone_formats["gmt"]).replace("%s", "").translate(_SIGNS).strip()
    words = frozenset({"gmt", "utc", own.casefold()})
    # In Portuguese it stands behind: "-3 GMT".
    name = f"(?:{'|'.join(map(re.escape, sorted(words)))})"
    return (
        re.compile(rf"(?:{name}\s*)?([+\-±])\s*([0-9]{{1,2}})(?:[:.,]?([0-9]{{2}})|[.,]([0-9]))?(?:\s*{name})?(?!\S)"),
        words,
    )


def _read(query: str, locale: str) -> tuple[timedelta | None, list[str]]:
    """Return the offset that a query names, or None, and its other words, folded. Never raises."""
    # Cut again: a single character may be composed of many (NFKC).
    query = unicodedata.normalize("NFKC", query[:MAX_QUERY].translate(_SIGNS))[: 2 * MAX_QUERY]
    query = fold_digits(query).casefold()
    pattern, utc_words = _offset_pattern(locale)
    if query.strip() in utc_words - {"gmt"}:  # GMT is London's as well
        return timedelta(), []
    match = pattern.search(query)
    if match is None:
        return None, normalize_words(query).split()
    sign, hours, digits, tenth = match.groups()
    is_decimal = match[0].rstrip().count(".") + match[0].count(",") > 0
    minutes = _FRACTIONS.get(tenth or digits or "", int(digits or 0)) if is_decimal or tenth else int(digits or 0)
    offset = timedelta(hours=int(hours), minutes=minutes) * (-1 if sign == "-" else 1)
    return offset, normalize_words(f"{query[: match.start()]} {query[match.end() :]}").split()


# By the first word of the Unicode names of their characters.
_LOCALES_OF_SCRIPTS: Final[Mapping[str, tuple[str, ...]]] = {
    "ARABIC": ("ar",),
    "CJK": ("zh_Hans", "zh_Hant", "ja"),
    "CYRILLIC": ("ru", "uk"),
    "DEVANAGARI": ("hi",),
    "HANGUL": ("ko",),
    "HEBREW": ("he",),
    "KATAKANA": ("ja",),
}


def _other_locales(words: list[str], locale: str) -> tuple[str, ...]:
    """Return the locales of the first word's script, if it is another one than Latin."""
    name = unicodedata.name(words[0][0], "") if words else ""
    return tuple(each for each in _LOCALES_OF_SCRIPTS.get(name.split(" ")[0], ()) if each != locale)


# Locales. Each index describes some 420 zones and 200 cities.
@lru_cache(maxsize=32)
def _index(locale: str) -> tuple[_Entry, ...]:
    names = timezones_by_country()
    zones = [_described(name, locale_of(locale), position) for position, name in enumerate(names)]
    by_name = {entry.name: entry for entry in zones}
    cities = [(place, city) for place, city in enumerate(large_cities()) if city.names and city.zone in by_name]
    return (
        *zones,
        *[
            _described_city(city, by_name[city.zone], locale, position=len(zones) + number, place=place)
            for number, (place, city) in enumerate(cities)
        ],
    )


@lru_cache(maxsize=2048)
def _label(name: str, locale: str) -> str:
    return _city(name, locale_of(locale))


def _described(name: str, locale: Locale, position: int) -> _Entry:
    english = locale_of("en")
    code = zone_country(name) or ""
    label, region = _city(name, locale), _region(name, locale)
    country = locale.territories.get(code, "")
    locales = [locale, english]
    if locale.language == "zh":
        # Both scripts, as people have either keyboard.
        locales.append(locale_of("zh_Hant" if locale.script == "Hans" else "zh_Hans"))
    aliases = timezone_aliases(name)
    # In capitals: "EST" is an old name of Panama's zone, but means another one to people.
    capitals = [alias for alias in aliases if alias.isupper()]
    abbreviations = [*_abbreviations(name), *capitals]
    common = [*_cldr_abbreviations(name, locale), *_cldr_abbreviations(name, english)]
    if code == _home(str(locale)):
        # At home an abbreviation means the own zone: CST in China.
        common += abbreviations
    names = [label, *(_city(name, each) for each in locales), name, *_also_called(name)]
    names += [alias for alias in aliases if alias not in capitals]
    countries = [*(each.territories.get(code, "") for each in locales), code, *_codes(code, 2)]
    everyday = [_everyday_name(name, each) for each in locales]
    return _Entry(
        position=position,
        name=name,
        is_zone=True,
        label=label,
        country=country,
        code=code,
        region=region,
        everyday_name=everyday[0],
        sort_key=_fold(label),
        weight=_weights().get(name, len(large_cities())),
        names=_folded(names),
        country_names=_folded(countries),
        common_names=_folded([*common, *everyday]),
        abbreviations=_folded(abbreviations),
        text=_searchable([*names, *countries, region, *everyday, *common, *abbreviations, *_codes(code, 3)]),
    )


def _described_city(city: City, zone: _Entry, locale: str, *, position: int, place: int) -> _Entry:
    label = city.name_in(locale)
    names, words = _folded_city(place)
    country = zone.country_names.replace("|", " ").rstrip()
    return zone._replace(
        position=position,
        is_zone=False,
        label=label,
        sort_key=_fold(label),
        weight=place,
        names=names,
        text=f"{words}{country} {_fold(zone.region)}",
    )


@cache
def _folded_city(place: int) -> tuple[str, str]:
    """Return the names of a large city, and the words of these. In all languages: travelers have their own keyboard."""
    city = large_cities()[place]
    names = [city.name, *city.also, *city.names.values()]
    return _folded(names), _searchable(names)


# Of all indexes together: the English names and those of the large cities are in each of them.
_fold = lru_cache(maxsize=8192)(normalize_words)


def _folded(names: Iterable[str]) -> str:
    return "".join(["|", *(f"{name}|" for name in dict.fromkeys(map(_fold, names)) if name)])


def _searchable(texts: Iterable[str]) -> str:
    # The part behind an apostrophe begins a word too: "d'Ivoire".
    split = [text.replace("'", " ").replace("\u2019", " ") for text in texts if "'" in text or "\u2019" in text]
    words = dict.fromkeys(word for text in (*texts, *split) for word in _fold(text).split())
    return " " + " ".join(words)


@cache
def _home(locale: str) -> str:
    """Return the code of the country where the language is spoken most, by CLDR; "" for none."""
    # CLDR has no likely country for zh_Hans: it is that of zh.
    return regional_locale(locale).territory or regional_locale(locale.partition("_")[0]).territory or ""


@cache
def _names_beside_cldr() -> dict[str, tuple[str, ...]]:
    return {city.zone: city.also for city in large_cities() if not city.names}


def _also_called(name: str) -> tuple[str, ...]:
    return _names_beside_cldr().get(name, ())


def _codes(country: str, length: int) -> list[str]:
    # Those of three letters don't count as names of the country: "ind" is on the way to Indianapolis.
    return [code for code in _country_codes().get(country, ()) if len(code) == length]


@cache
def _country_codes() -> dict[str, tuple[str, ...]]:
    """Return what stands for the ISO 3166 code of a country: "UK", and the codes of three letters, such as "USA"."""
    found: dict[str, tuple[str, ...]] = {}
    for alias, codes in core.get_global("territory_aliases").items():
        if len(codes) == 1 and alias.isalpha():
            found[codes[0]] = (*found.get(codes[0], ()), alias)
    return found


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
    for old, new in core.get_global("zone_aliases").items():
        city = english.get(old, {}).get("city") or _last_part(old)
        # An alias may also be another city of the same zone, whose name would be wrong here.
        if city.startswith(_last_part(new)):
            found[new] = old
    return found


def _everyday_name(name: str, locale: Locale) -> str:
    """Return such as "Eastern Time"; "" where CLDR has no name for what the zone belongs to."""
    names = locale.meta_zones.get(_metazone(name), {}).get("long", {})
    return str(names.get("generic") or names.get("standard") or "")


def _cldr_abbreviations(name: str, locale: Locale) -> list[str]:
    """Return the abbreviations that are common among speakers of the language: "EST" and "ET" in English."""
    return list(locale.meta_zones.get(_metazone(name), {}).get("short", {}).values())


def _metazone(name: str) -> str:
    # CLDR keeps the first name of a zone.
    metazones = core.get_global("meta_zones")
    return next((metazones[each] for each in (name, *timezone_aliases(name)) if each in metazones), "")


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
