"""Texts and addresses that a site gives in its settings: one for all languages, or one by language code."""

from __future__ import annotations

import re
import reprlib
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils import translation
from django.utils.functional import Promise

from kordless_booking.normalization import has_visible_text
from kordless_booking.presentation.locales import best_supported_language, default_language

_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}", re.ASCII)

SiteText = str | Promise | Mapping[str, Any]
"""Text in one language, translated by gettext, or by language code."""


def text_in(text: SiteText, language: str) -> str:
    """Return a text in a language, else in the site's own, else in the first one that it has. "" for an empty one."""
    if isinstance(text, Mapping):
        if not text:
            return ""
        found = best_supported_language(language, text) or best_supported_language(default_language(), text)
        return text_in(text[found or next(iter(text))], language)
    if isinstance(text, str):
        return text
    with translation.override(language):
        return str(text)


def languages_without(text: SiteText, languages: Iterable[str]) -> list[str]:
    """Return those of the languages for which a text by language has none, so that another one is shown."""
    if not isinstance(text, Mapping):
        return []
    return [language for language in languages if best_supported_language(language, text) is None]


def find_wrong_text(value: object, *, longest: int) -> str:
    """Return a description of the first mistake in a text, which it repeats; "" when there is none."""
    if isinstance(value, Promise):
        # What it says is known in each language only.
        return ""
    if not isinstance(value, Mapping):
        return _find_wrong_line(value, longest)
    if not value:
        return "is an empty dictionary: give it a text for each language."
    for language, text in value.items():
        if wrong := find_wrong_language(language):
            return wrong
        if not isinstance(text, Promise) and (wrong := _find_wrong_line(text, longest)):
            return f'of "{language}" {wrong}'
    return ""


def find_wrong_language(language: object) -> str:
    """Return what is wrong with a key of a dictionary by language; "" when it looks like a language code."""
    if isinstance(language, str) and _LANGUAGE.fullmatch(language):
        return ""
    return f'has the key {reprlib.repr(language)}, which is no language code such as "de".'


def _find_wrong_line(value: object, longest: int) -> str:
    if not isinstance(value, str) or not has_visible_text(value):
        return f"is {reprlib.repr(value)}: write a text, or a dictionary of texts by language."
    # Not `isprintable`, which also refuses the narrow spaces of French.
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in value):
        return f"has a line break or another control character: {reprlib.repr(value)}."
    return f"has {len(value)} characters, more than {longest}." if len(value) > longest else ""
