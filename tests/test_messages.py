"""`make messages`: updates the catalogs of all languages, and creates that of a new one."""

import re
import shutil
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po, write_po

from tests.messages import update_catalog, update_language
from tests.support.translatable_texts import PACKAGE, Text, texts_of_the_package

LANGUAGES = sorted(path.name for path in (PACKAGE / "locale").iterdir())


def test_new_texts_come_old_ones_go_and_translations_stay(tmp_path: Path):
    """A translated text keeps its translation, a new one waits for it, and one that nothing uses is dropped."""
    path = tmp_path / "django.po"
    before = Catalog(locale="de")
    before.add("Book", "Buchen")
    before.add(("%(n)s place", "%(n)s places"), ("%(n)s Platz", "%(n)s Plätze"))
    before.add("Fax us", "Faxen Sie uns")
    with path.open("wb") as file:
        write_po(file, before)
    texts = frozenset({Text(None, "Book"), Text(None, "%(n)s place", "%(n)s places"), Text("price", "Free")})
    assert update_catalog(path, texts) == 1
    with path.open("rb") as file:
        after = {message.id: message.string for message in read_po(file) if message.id}
    assert after == {"Book": "Buchen", ("%(n)s place", "%(n)s places"): ("%(n)s Platz", "%(n)s Plätze"), "Free": ""}
    with path.with_suffix(".mo").open("rb") as file:
        assert read_mo(file)["Book"].string == "Buchen"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_up_to_date_language_keeps_every_byte(language: str, tmp_path: Path):
    """No file of a language is written while the code asks for the texts that it has."""
    folder = tmp_path / language
    shutil.copytree(PACKAGE / "locale" / language, folder)
    before = {path: path.read_bytes() for path in folder.rglob("django.*")}
    assert update_language(folder, texts_of_the_package()) == 0
    assert {path: path.read_bytes() for path in folder.rglob("django.*")} == before
    assert len(before) == 2


def test_a_corrected_translation_changes_the_compiled_file_only(tmp_path: Path):
    """The .po file stays as the translator has written it, even in a layout of their own."""
    folder = tmp_path / "de"
    shutil.copytree(PACKAGE / "locale" / "de", folder)
    path = folder / "LC_MESSAGES" / "django.po"
    mine = path.read_text().replace('msgstr "Vor- und Nachname"', 'msgstr ""\n"Ihr "\n"Name"')
    path.write_text(mine)
    update_language(folder, texts_of_the_package())
    assert path.read_text() == mine
    with path.with_suffix(".mo").open("rb") as file:
        assert GNUTranslations(file).pgettext("label", "Name") == "Ihr Name"


@pytest.mark.parametrize(
    ("name", "english", "plurals"),
    [
        ("cs", "Czech", 4),
        ("sv", "Swedish", 2),
        ("th", "Thai", 1),
        ("ga", "Irish", 5),
        ("sr_Latn", "Serbian Latin", 3),
        ("en_GB", "British English", 2),
    ],
)
def test_a_new_language_gets_the_header_of_its_language(name: str, english: str, plurals: int, tmp_path: Path):
    """An empty folder gets a catalog that names the language, and has as many plural forms as Django's own."""
    folder = tmp_path / name
    folder.mkdir()
    text, counted = Text(None, "Book"), Text(None, "%(count)s spot left", "%(count)s spots left")
    assert update_language(folder, frozenset({text, counted})) == 2
    path = folder / "LC_MESSAGES" / "django.po"
    written = path.read_text()
    assert written.startswith(f'# {english} texts of kordless-booking.\n#\nmsgid ""\nmsgstr ""\n')
    assert f'"Language: {name}\\n"' in written
    assert '"Content-Type: text/plain; charset=utf-8\\n"' in written
    assert f'"Plural-Forms: nplurals={plurals}; plural=' in written
    assert re.findall(r"(?m)^msgstr\[(\d)\]", written) == [str(number) for number in range(plurals)]
    assert not re.search(r"PROJECT|VERSION|EMAIL|FULL NAME|YEAR|LL@|fuzzy", written)


def test_the_plural_rule_of_a_new_language_is_djangos(tmp_path: Path):
    """Each number gets the form that Django's own texts use for it: in Czech, 1, 2 to 4, and 5."""
    folder = tmp_path / "cs"
    folder.mkdir()
    counted = Text(None, "%(count)s spot left", "%(count)s spots left")
    update_language(folder, frozenset({counted}))
    path = folder / "LC_MESSAGES" / "django.po"
    for number in range(4):
        path.write_text(path.read_text().replace(f'msgstr[{number}] ""', f'msgstr[{number}] "form {number}"'))
    assert update_language(folder, frozenset({counted})) == 0
    with path.with_suffix(".mo").open("rb") as file:
        translations = GNUTranslations(file)
    found = [translations.ngettext(counted.singular, counted.plural, number) for number in (1, 2, 4, 5, 21)]
    assert found == ["form 0", "form 1", "form 1", "form 3", "form 3"]


@pytest.mark.parametrize("name", ["zh-hans", "cz", "tlh", "DE"])
def test_a_folder_that_names_no_language_is_rejected(name: str, tmp_path: Path):
    """A misspelled folder is reported with the names that are known, and stays empty."""
    folder = tmp_path / name
    folder.mkdir()
    with pytest.raises(ValueError, match=rf"called {name}\. It knows: af, ar, .*zh_Hans"):
        update_language(folder, frozenset({Text(None, "Book")}))
    assert list(folder.iterdir()) == []


def test_the_texts_of_the_package_are_found():
    """Texts of templates and code are both there: an empty list would drop every translation."""
    texts = {text.singular for text in texts_of_the_package()}
    assert {"Please enter your name.", "Add to calendar"} <= texts
    assert len(texts) > 200
