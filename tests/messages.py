"""Bring the languages up to date with the code: `make messages`, translate what is empty, `make messages` again.

New texts are added without words, texts that nobody asks for any more are dropped, and what visitors see is compiled.
"""

from __future__ import annotations

from pathlib import Path

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from kordless_booking import __version__
from tests.support.translatable_texts import PACKAGE, Text, texts_of_the_package


def bring_up_to_date(path: Path, texts: frozenset[Text]) -> int:
    """Add and drop texts in one .po file and compile it; how many have no words yet."""
    with path.open("rb") as file:
        catalog = read_po(file)
    catalog.project, catalog.version = "kordless-booking", __version__
    asked = {(text.context, text.singular): text for text in texts}
    for message in list(catalog):
        if message.id and (message.context, _singular(message.id)) not in asked:
            catalog.delete(message.id, message.context)
    for context, singular in sorted(asked.keys() - _known(catalog), key=str):
        text = asked[context, singular]
        catalog.add((singular, text.plural) if text.plural else singular, context=context)
    catalog.obsolete.clear()
    with path.open("wb") as file:
        write_po(file, catalog, width=120, no_location=True)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalog)
    return sum(not message.string or not all(_forms(message.string)) for message in catalog if message.id)


def _known(catalog: Catalog) -> set[tuple[str | None, str]]:
    return {(message.context, _singular(message.id)) for message in catalog if message.id}


def _singular(said: str | tuple[str, ...] | list[str]) -> str:
    return (said if isinstance(said, str) else said[0]).replace("%%", "%")


def _forms(said: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said)


if __name__ == "__main__":
    for found in sorted(PACKAGE.glob("locale/*/LC_MESSAGES/django.po")):
        print(f"{found.parent.parent.name}: {bring_up_to_date(found, texts_of_the_package())} without words")  # noqa: T201
