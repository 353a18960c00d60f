"""Every language says everything: nothing missing, nothing fuzzy, no placeholder lost, and what is compiled is it."""

import re
from functools import cache

import pytest
from babel.messages import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils.translation import to_language

from kordless_booking.presentation.locales import supported_languages
from tests.support.translatable_texts import PACKAGE, texts_of_the_package

LANGUAGES = sorted(path.parent.parent.name for path in PACKAGE.glob("locale/*/LC_MESSAGES/django.po"))
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|%%|%[sd]")


@cache
def catalog(language: str) -> Catalog:
    """A language's texts."""
    with (PACKAGE / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file)


def forms(message: Message) -> list[str]:
    """All forms of a translation: one, or as many as the language has plurals."""
    return list(message.string) if isinstance(message.string, tuple | list) else [message.string]


def test_twenty_languages() -> None:
    """English and nineteen more, all of which the site offers."""
    assert len(LANGUAGES) == 19
    assert {to_language(name) for name in LANGUAGES} | {"en"} <= set(supported_languages())


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing(language: str) -> None:
    """Each text in code and templates has a translation that somebody stands by."""
    said = {(message.context, _singular(message)): message for message in catalog(language) if message.id}
    known = {(context, text.replace("%%", "%")) for context, text in said}
    asked = {(text.context, text.singular) for text in texts_of_the_package()}
    assert sorted(asked - known, key=str) == []
    assert [message.id for message in said.values() if message.fuzzy or not all(forms(message))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_placeholder_is_lost(language: str) -> None:
    """Each form of a translation has the placeholders of the text, and no others."""
    for message in catalog(language):
        if message.id:
            text = message.id[-1] if isinstance(message.id, tuple | list) else message.id
            for form in forms(message):
                assert sorted(PLACEHOLDER.findall(form)) == sorted(PLACEHOLDER.findall(text)), message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    """The .mo file, which is what visitors see, says the same as the .po file."""
    with (PACKAGE / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = read_mo(file)
    assert _texts(compiled) == _texts(catalog(language))


def _texts(of: Catalog) -> dict[tuple[str | None, str], list[str]]:
    return {(_context(message), _singular(message)): forms(message) for message in of if message.id}


def _context(message: Message) -> str | None:
    """Babel leaves it in bytes when it reads what is compiled."""
    return message.context.decode() if isinstance(message.context, bytes) else message.context


def _singular(message: Message) -> str:
    return message.id[0] if isinstance(message.id, tuple | list) else message.id
