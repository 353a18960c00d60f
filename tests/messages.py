"""Bring the languages up to date with the code: `make messages`, translate what is empty, `make messages` again.

Adds new texts without a translation, drops texts that nothing uses anymore, and compiles. A folder in
kordless_booking/locale/ without a catalog is a new language, and gets one. Files whose texts stay the same are not
written.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import django
from babel import Locale
from babel.messages import Catalog, Message
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.conf.locale import LANG_INFO
from django.utils.translation import to_language, to_locale

from kordless_booking import __version__
from tests.support.translatable_texts import CATALOG_FOLDERS, Text, texts_of

DJANGO_LOCALES = Path(django.__file__).parent / "conf" / "locale"


def update_language(folder: Path, texts: frozenset[Text]) -> int:
    """Update the catalog of one language, whose folder is named as gettext names it (`pt_BR`).

    Creates the catalog when there is none. Return the number of texts to translate. Raises ValueError when Django
    knows no such language.
    """
    path = folder / "LC_MESSAGES" / "django.po"
    if not path.exists():
        catalog = _new_catalog(folder.name)
        path.parent.mkdir(exist_ok=True)
        _write_po(path, catalog)
    return update_catalog(path, texts)


def update_catalog(path: Path, texts: frozenset[Text]) -> int:
    """Add and drop texts in one .po file, and compile it. Return the number of texts to translate."""
    with path.open("rb") as file:
        catalog = read_po(file)
    needed = {(text.context, text.singular): text for text in texts}
    known = {(message.context, _singular(message)): message for message in catalog if message.id}
    for key in known.keys() - needed.keys():
        catalog.delete(known[key].id, known[key].context)
    for key in sorted(needed.keys() - known.keys(), key=str):
        text = needed[key]
        catalog.add((text.singular, text.plural) if text.plural else text.singular, context=text.context)
    if needed.keys() != known.keys() or catalog.obsolete:
        catalog.obsolete.clear()
        catalog.project, catalog.version = "kordless-booking", __version__
        _write_po(path, catalog)
    _compile(catalog, path.with_suffix(".mo"))
    return sum(message.fuzzy or not all(_forms(message)) for message in catalog if message.id)


def _new_catalog(name: str) -> Catalog:
    """Return a catalog without texts, with the header of the language whose folder is called `name`."""
    code = to_language(name)
    plurals = DJANGO_LOCALES / name / "LC_MESSAGES" / "django.po"
    # A page asks Django for a language's name and direction, so one that Django doesn't know can't be shown.
    if to_locale(code) != name or code not in LANG_INFO or not plurals.exists():
        known = ", ".join(sorted(path.parent.name for path in DJANGO_LOCALES.glob("*/LC_MESSAGES")))
        raise ValueError(f"Django knows no language whose folder is called {name}. It knows: {known}.")
    english = LANG_INFO[code]["name"]
    catalog = Catalog(
        Locale.parse(name),
        project="kordless-booking",
        version=__version__,
        header_comment=f"# {english} texts of kordless-booking.\n#",
        last_translator="kordless-booking",
        language_team=english,
        charset="utf-8",
        fuzzy=False,
    )
    # Babel's rule has another number of forms for French, Italian, Polish and others.
    with plurals.open("rb") as file:
        catalog.mime_headers = [("Plural-Forms", read_po(file).plural_forms)]
    # Not as arguments above, where an empty one means Babel's "EMAIL@ADDRESS".
    catalog.msgid_bugs_address, catalog.revision_date = "", catalog.creation_date
    return catalog


def _write_po(path: Path, catalog: Catalog) -> None:
    with path.open("wb") as file:
        write_po(file, catalog, width=120, no_location=True)


def _compile(catalog: Catalog, path: Path) -> None:
    """Write the .mo file, unless it says the same already: its header also names the version of Babel."""
    compiled = BytesIO()
    write_mo(compiled, catalog)
    if not path.exists() or _translations(path.read_bytes()) != _translations(compiled.getvalue()):
        path.write_bytes(compiled.getvalue())


def _translations(compiled: bytes) -> tuple[str, list[tuple[object, object, object]]]:
    """Return what a .mo file says: the rule for plurals, and each text with its context and translation."""
    catalog = read_mo(BytesIO(compiled))
    return catalog.plural_forms, [(each.context, each.id, each.string) for each in catalog if each.id]


def _singular(message: Message) -> str:
    return (message.id if isinstance(message.id, str) else message.id[0]).replace("%%", "%")


def _forms(message: Message) -> tuple[str, ...]:
    # None in a text that was just added.
    return (message.string or "",) if isinstance(message.string, str | None) else tuple(message.string)


if __name__ == "__main__":
    for folder in CATALOG_FOLDERS:
        for found in sorted((folder / "locale").iterdir()):
            print(f"{folder.name} {found.name}: {update_language(found, texts_of(folder))} to translate")  # noqa: T201
