"""Every language says everything: nothing missing, nothing fuzzy, no placeholder lost, and what is compiled is it."""

import ast
import re
from collections import Counter
from functools import cache
from gettext import c2py
from pathlib import Path

import pytest
from babel.messages import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.test import override_settings
from django.utils.translation import to_language
from django.utils.translation.trans_real import DjangoTranslation

from kordless_booking import hooks
from kordless_booking.presentation.locales import supported_languages
from tests.support.translatable_texts import CATALOG_FOLDERS, PACKAGE, texts_of

LANGUAGES = sorted(path.parent.parent.name for path in PACKAGE.glob("locale/*/LC_MESSAGES/django.po"))
CATALOGS = [pytest.param(each, name, id=f"{each.name}-{name}") for each in CATALOG_FOLDERS for name in LANGUAGES]
"""Folder and language: the package speaks all languages, and so does each optional app with a catalog."""
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%%|%[sd]")


@cache
def catalog(language: str, folder: Path = PACKAGE) -> Catalog:
    """A language's texts."""
    with (folder / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file)


def forms(message: Message) -> list[str]:
    """All forms of a translation: one, or as many as the language has plurals."""
    return list(message.string) if isinstance(message.string, tuple | list) else [message.string]


def test_twenty_languages() -> None:
    """English and nineteen more, all of which the site offers."""
    assert len(LANGUAGES) == 19
    assert {to_language(name) for name in LANGUAGES} | {"en"} <= set(supported_languages())


@pytest.mark.parametrize(("folder", "language"), CATALOGS)
def test_nothing_is_missing(folder: Path, language: str) -> None:
    """Each text in code and templates has a translation that somebody stands by."""
    messages = {(message.context, _singular(message)): message for message in catalog(language, folder) if message.id}
    known = {(context, text.replace("%%", "%")) for context, text in messages}
    needed = {(text.context, text.singular) for text in texts_of(folder)}
    assert sorted(needed - known, key=str) == []
    assert [message.id for message in messages.values() if message.fuzzy or not all(forms(message))] == []


@pytest.mark.parametrize(("folder", "language"), CATALOGS)
def test_no_placeholder_is_lost(folder: Path, language: str) -> None:
    """Each form of a translation has the placeholders of the text, and no others.

    A plural form for exactly one number may leave it out: "in one minute", or one word for two minutes.
    """
    one_number = forms_for_one_number(language)
    for message in catalog(language, folder):
        if message.id:
            counts = isinstance(message.id, tuple | list)
            text = message.id[-1] if counts else message.id
            for index, form in enumerate(forms(message)):
                found, expected = Counter(PLACEHOLDER.findall(form)), Counter(PLACEHOLDER.findall(text))
                spared = counts and index in one_number
                assert (found <= expected) if spared else (found == expected), message.id


def test_a_form_for_more_numbers_than_one_has_to_say_which() -> None:
    """Arabic has a form each for none, one and two; the first of French is for none and one."""
    assert {language: forms_for_one_number(language) for language in ("ar", "he", "de", "fr", "ru", "ja")} == {
        "ar": {0, 1, 2},
        "he": {0, 1},
        "de": {0},
        "fr": set(),
        "ru": set(),
        "ja": set(),
    }


def forms_for_one_number(language: str) -> set[int]:
    """Return the plural forms that the language's rule picks for a single number."""
    rule = c2py(catalog(language).plural_expr)
    return {form for form, numbers in Counter(map(rule, range(1000))).items() if numbers == 1}


@pytest.mark.parametrize(("folder", "language"), CATALOGS)
def test_a_site_says_what_our_catalog_says(folder: Path, language: str) -> None:
    """No text is answered by the catalog of another app of the demo, or of Django itself, which come first."""
    # The apps' ready() registers their hooks.
    with hooks.temporary_hooks(), override_settings(INSTALLED_APPS=[*_demo_apps(), "django.contrib.humanize"]):
        site = DjangoTranslation(to_language(language))
    rule = c2py(catalog(language, folder).plural_expr)
    differing = []
    for message in catalog(language, folder):
        if message.id:
            # As Django joins a context and its text.
            key = f"{message.context}\x04{_singular(message)}" if message.context else _singular(message)
            if isinstance(message.id, tuple | list):
                theirs = [site.ngettext(key, key, number) for number in range(120)]
                ours = [message.string[rule(number)] for number in range(120)]
            else:
                theirs, ours = [site.gettext(key)], [message.string]
            differing += [(key, each, own) for each, own in zip(theirs, ours, strict=True) if each != own]
    assert differing == []


def _demo_apps() -> list[str]:
    """Read the demo's apps without its settings, which look at the environment."""
    code = (PACKAGE.parent / "demo_site" / "settings.py").read_text()
    for node in ast.parse(code).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INSTALLED_APPS":
            return ast.literal_eval(node.value)
    raise LookupError("INSTALLED_APPS")


def test_a_short_text_has_a_context() -> None:
    """One or two words may stand in any app's catalog, in another sense; the context says what ours are."""
    assert [
        text.singular
        for folder in CATALOG_FOLDERS
        for text in texts_of(folder)
        if text.context is None
        and len(text.singular.split()) <= 2
        and not PLACEHOLDER.search(text.singular)
        and not text.singular.endswith(".")
    ] == []


def test_one_apostrophe() -> None:
    """The typographic one, also in code: with two, a sentence would have to be translated twice."""
    assert [
        text.singular for folder in CATALOG_FOLDERS for text in texts_of(folder) if "'" in text.singular + text.plural
    ] == []


@pytest.mark.parametrize(("folder", "language"), CATALOGS)
def test_what_is_compiled_is_what_is_written(folder: Path, language: str) -> None:
    """The .mo file, which is what visitors see, says the same as the .po file."""
    with (folder / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = read_mo(file)
    assert _texts(compiled) == _texts(catalog(language, folder))


def _texts(of: Catalog) -> dict[tuple[str | None, str], list[str]]:
    return {(_context(message), _singular(message)): forms(message) for message in of if message.id}


def _context(message: Message) -> str | None:
    """Babel leaves it in bytes when it reads what is compiled."""
    return message.context.decode() if isinstance(message.context, bytes) else message.context


def _singular(message: Message) -> str:
    return message.id[0] if isinstance(message.id, tuple | list) else message.id
