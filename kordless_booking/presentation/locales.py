"""Babel locales (CLDR data) for Django language codes.

Every function that formats for people takes a Django code ("pt-br", "zh-hans", "he"); this module converts it to a
Babel locale. Codes come from the query string too, so an unusable one means English and never raises.
"""

from __future__ import annotations

import re
from copy import deepcopy
from functools import cached_property, lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.localedata import LocaleDataDict, load

__all__ = ["locale_name", "locale_of", "regional_locale"]

DEFAULT = "en"
_CODE = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8}){0,3}", re.IGNORECASE | re.ASCII)


class _Locale(Locale):
    """Locale with data of its own.

    Babel's locales share the data that they inherit, and write into it what they look up first, so that after a Sindhi
    page a Spanish one may have Sindhi weekdays. A copy takes 20 milliseconds and 1 MB, once for each language.
    """

    @cached_property
    def _data(self) -> LocaleDataDict:
        own: Any = deepcopy(load(str(self)))
        return LocaleDataDict(own)


@lru_cache(maxsize=256)
def locale_name(language: str) -> str:
    """Return the Babel identifier of a Django code.

    "pt-br" gives "pt_BR", "de-xx" gives "de", and anything unknown "en".
    """
    # Codes come from the query string: only what looks like one gets to Babel's parser.
    if not _CODE.fullmatch(language):
        return DEFAULT
    parts = re.split("[-_]", language)
    while parts:
        try:
            return str(Locale.parse("_".join(parts)))
        except (UnknownLocaleError, ValueError):
            # Fall back from the most specific to the plain language.
            parts.pop()
    return DEFAULT


def locale_of(language: str) -> Locale:
    """Return the Babel locale of a Django language code. Never raises."""
    return _locale(locale_name(language))


def regional_locale(language: str) -> Locale:
    """Return the locale with its likeliest country where the code has none.

    The first day of the week and the clock depend on the country, not on the language.
    """
    return _regional(locale_name(language))


@lru_cache(maxsize=64)
def _locale(name: str) -> Locale:
    return _Locale.parse(name)


@lru_cache(maxsize=64)
def _regional(name: str) -> Locale:
    if _locale(name).territory:
        return _locale(name)
    try:
        return _Locale.parse(get_global("likely_subtags").get(name, name))
    except UnknownLocaleError:  # "no" is Norwegian, but Norway's data is filed under "nb"
        return _locale(name)
