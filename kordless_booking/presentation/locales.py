"""Babel locales (CLDR data) for Django language codes.

Every function that formats for people takes a Django code ("pt-br", "zh-hans", "he"); this module converts it to a
Babel locale. Codes come from the query string too, so an unusable one means English and never raises.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from copy import deepcopy
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import global_settings, settings
from django.conf.locale import LANG_INFO
from django.utils import translation

from kordless_booking.lazy_imports import LazyModule
from kordless_booking.setting_changes import on_setting_change

if TYPE_CHECKING:
    from babel import Locale, core, localedata
else:
    core = LazyModule("babel.core")
    localedata = LazyModule("babel.localedata")

DEFAULT = "en"
_CODE = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8}){0,3}", re.IGNORECASE | re.ASCII)


@cache
def _locale_class() -> type[Locale]:
    # In a function, because the class needs its base, which is imported with the first page.
    class OwnLocale(core.Locale):
        """Locale with data of its own.

        Babel's locales share the data that they inherit, and write into it what they look up first, so that after a
        Sindhi page a Spanish one may have Sindhi weekdays. A copy takes 20 milliseconds and 1 MB, once for each
        language.
        """

        @cached_property
        def _data(self) -> localedata.LocaleDataDict:
            own: Any = deepcopy(localedata.load(str(self)))
            return localedata.LocaleDataDict(own)

    return OwnLocale


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
            return str(core.Locale.parse("_".join(parts)))
        except (core.UnknownLocaleError, ValueError):
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
    return _locale_class().parse(name)


@lru_cache(maxsize=64)
def _regional(name: str) -> Locale:
    if _locale(name).territory:
        return _locale(name)
    try:
        return _locale_class().parse(core.get_global("likely_subtags").get(name, name))
    except core.UnknownLocaleError:  # "no" is Norwegian, but Norway's data is filed under "nb"
        return _locale(name)


_LOCALE = Path(__file__).parent.parent / "locale"


def supported_languages() -> tuple[str, ...]:
    """Return the codes that the site lists in LANGUAGES and that we have translations for.

    "de-at" is served by the translation of "de", unless the site lists that as well. A code without a translation to
    fall back to, such as "pt", is replaced by the nearest that has one, "pt-br". ("en",) when there are none, and with
    USE_I18N off, where Django translates nothing: dates in another language than the words would help nobody.
    """
    return tuple(_served_languages()) or ("en",)


def site_code(language: str) -> str:
    """Return the code under which the site lists a supported language, in its paths: "pt" for "pt-br" where that is so.

    Any other language is returned as it is.
    """
    return _served_languages().get(language, language)


@cache
def _served_languages() -> Mapping[str, str]:
    """Return the supported languages with the codes in LANGUAGES that each of them serves first."""
    if not settings.USE_I18N:
        return {}
    ours = sorted(
        {"en"} | {translation.to_language(mo.parent.parent.name) for mo in _LOCALE.glob("*/LC_MESSAGES/*.mo")}
    )
    listed = [code for code, _name in settings.LANGUAGES]
    known = {code.lower() for code in listed}
    found: dict[str, str] = {}
    for code in listed:
        nearest = code if code.lower() in ours else best_supported_language(code, ours)
        # Django's own list has a dozen regions beside their languages, which would each be another page for search
        # engines.
        if nearest is None or (nearest is not code and nearest in known):
            continue
        # Django finds the words of "de" for "de-at" by itself, whose dates differ. For "pt" it doesn't look at "pt-br".
        found.setdefault(code if nearest is code or code.lower().split("-")[0] == nearest else nearest, code)
    return found


def is_monolingual() -> bool:
    """Return True where the site has chosen one language for all of its visitors: that of LANGUAGE_CODE.

    Such a site has another one than Django's default, no list of languages, and no middleware that chooses among them.
    """
    # A new project has "en-us" written down, so that says nothing.
    chosen = settings.LANGUAGE_CODE.lower() != global_settings.LANGUAGE_CODE
    return chosen and settings.LANGUAGES is global_settings.LANGUAGES and not has_locale_middleware()


def has_locale_middleware() -> bool:
    """Return True where the site activates a language for each request. A subclass of Django's middleware counts."""
    return any(name.endswith("LocaleMiddleware") for name in settings.MIDDLEWARE)


def default_language() -> str:
    """Return the site's own language, or the nearest supported one."""
    return best_supported_language(settings.LANGUAGE_CODE) or "en"


def best_supported_language(code: str, languages: Collection[str] | None = None) -> str | None:
    """Return the best supported language for a code, or None.

    `pt-pt` is served by `pt-br` when that is all there is, `de-AT` and `de_AT` by `de`, `zh-TW` and `zh-Hant-HK` by
    `zh-hant`. `languages` are the supported ones, by default those of the site.
    """
    # From a query or a header, too: only what looks like a code is looked up.
    if not _CODE.fullmatch(code):
        return None
    parts = code.lower().replace("_", "-").split("-")
    # A site may write its codes as it likes: "pt-BR".
    supported = {one.lower(): one for one in languages or supported_languages()}
    for length in range(len(parts), 0, -1):
        wanted = "-".join(parts[:length])
        relatives: list[str] = LANG_INFO.get(wanted, {}).get("fallback", [])
        for one in (wanted, *relatives):
            if one in supported:
                return supported[one]
    return next((known for one, known in supported.items() if one.split("-")[0] == parts[0]), None)


on_setting_change({"LANGUAGES", "LANGUAGE_CODE", "USE_I18N"}, _served_languages.cache_clear)
