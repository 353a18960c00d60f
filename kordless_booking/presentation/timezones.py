"""Time zone names: validation, canonical names for old ones, countries and offsets.

A name from a visitor never reaches `ZoneInfo`, which raises a different error for a directory name, a long name and a
zero byte. It is looked up in a table instead, made once from the installed time zone database. Old names
("Asia/Calcutta") become canonical ones ("Asia/Kolkata") by CLDR first, then by the database's own links.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from kordless_booking.lazy_imports import LazyModule

from .locales import locale_name, locale_of

if TYPE_CHECKING:
    from datetime import datetime

    from babel import core
else:
    core = LazyModule("babel.core")

# Not places: these depend on the machine, or on who compiled the database.
_UNUSABLE = ("Factory", "localtime", "posixrules")
_UTC = "Etc/UTC"
_OFFSET = re.compile(r"(gmt|utc)? ?(?P<sign>[+-]) ?(?P<hours>[0-9]{1,2})(:?00)?", re.ASCII)


def canonical_timezone(name: str | None) -> str | None:
    """Return the canonical IANA name for an exact name from anywhere, or None. "Europe/Kiev" gives "Europe/Kyiv".

    "UTC" and "Etc/…" are accepted although they are not listed; every spelling of UTC gives "UTC".
    """
    return _todays_names().get(name) if name else None


@lru_cache(maxsize=256)  # what businesses have typed
def business_timezone(name: str | None) -> str | None:
    """Return the canonical name for a zone as a business's set-up may have it, or None.

    Accepts, in any case and with spaces for underscores: IANA names, the names of Windows ("Eastern Standard Time", by
    CLDR's windowsZones), and offsets in whole hours ("GMT+2", "UTC-05:00", "+3"), which have no daylight saving time.
    """
    text = " ".join((name or "").split()).casefold()
    if exact := _lenient_names().get(text.replace(" ", "_")) or _lenient_names().get(text):
        return exact
    offset = _OFFSET.fullmatch(text)
    if offset is None:
        return None
    hours = int(offset["sign"] + offset["hours"])
    # POSIX signs: Etc/GMT-2 is two hours ahead of UTC. It has no name for zero, and none for minutes.
    return canonical_timezone(f"Etc/GMT{-hours:+d}") if hours else "UTC"


@cache  # bounded: only known names get in
def get_timezone(name: str) -> ZoneInfo:
    """Return the zone for a name from `canonical_timezone`. Raises ValueError for any other name."""
    if name not in _todays_names():
        raise ValueError("not a time zone that is known here")
    return ZoneInfo(name)


def timezones_by_country() -> tuple[str, ...]:
    """Return the names to choose from: one for each place that the database lists, about 420.

    In the database's order: by country, and there the most populous zones first, mostly.
    """
    return tuple(_countries())


def zone_country(name: str) -> str | None:
    """Return the ISO 3166 code of a listed zone's country ("UA"), or None."""
    return _countries().get(name)


def timezone_aliases(name: str) -> tuple[str, ...]:
    """Return former and alternative names of a zone, sorted: people search for the name they know."""
    return _old_names().get(name, ())


def is_ambiguous(local: datetime) -> bool:
    """Return True when this aware local time is ambiguous (PEP 495), because the clocks are set back."""
    # A local time that the clocks skip differs too; but no instant converts to one.
    return local.replace(fold=1 - local.fold).utcoffset() != local.utcoffset()


def offset_text(moment: datetime, language: str = "en") -> str:
    """Format the UTC offset of an aware local time: "GMT+2", "GMT+5:45", "GMT"; "UTC+2" in French.

    As browsers format it (`timeZoneName: "shortOffset"`), and in order in right-to-left text. Raises ValueError for a
    naive time.
    """
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("a naive time has no offset")
    return _offset_words(int(offset / timedelta(minutes=1)), locale_name(language))


@lru_cache(maxsize=1024)
def _offset_words(minutes: int, locale: str) -> str:
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    number = f"{sign}{hours}:{rest:02}" if rest else f"{sign}{hours}" if hours else ""
    # After right-to-left letters a sign would be shown on the other side of its number.
    if number and locale_of(locale).text_direction == "rtl":
        number = f"\u200e{number}"
    return str(locale_of(locale).zone_formats["gmt"]) % number


@cache
def _countries() -> dict[str, str]:
    # zone.tab: country, coordinates, name, comments. Unlike zone1970.tab it has a zone for each country.
    rows = (line.split("\t") for line in _tzdata("zone.tab") if line and not line.startswith("#"))
    names = available_timezones()
    return {row[2]: row[0] for row in rows if row[2] in names}


@cache
def _todays_names() -> dict[str, str]:
    names = {name for name in available_timezones() if not name.startswith(_UNUSABLE)}
    listed = _countries()
    # In tzdata.zi, "L" lines are links: target, then alias.
    links = {new: old for mark, old, new in (line.split() for line in _tzdata("tzdata.zi") if line[:2] == "L ")}
    renamed = core.get_global("zone_aliases")

    def today(name: str) -> str:
        # Before any link: the database links listed places too, such as Europe/Oslo to Europe/Berlin.
        if name in listed:
            return name
        for better in (renamed.get(name), links.get(name)):
            if better in listed:
                return str(better)
        target = str(links.get(name, name))
        return "UTC" if target == _UTC else target

    return {name: today(name) for name in names}


@cache
def _lenient_names() -> dict[str, str]:
    """Return the canonical name by IANA and Windows names in lower case."""
    windows = {name: canonical_timezone(zone) for name, zone in core.get_global("windows_zone_mapping").items()}
    # IANA last: "utc" is a name in both.
    names: dict[str, str | None] = {**windows, **_todays_names()}
    return {name.casefold(): zone for name, zone in names.items() if zone is not None}


@cache
def _old_names() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for old, new in sorted(_todays_names().items()):
        if old != new:
            found.setdefault(new, []).append(old)
    return {new: tuple(old) for new, old in found.items()}


def _tzdata(file: str) -> list[str]:
    return files("tzdata").joinpath("zoneinfo", file).read_text(encoding="utf-8").splitlines()
