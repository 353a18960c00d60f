"""All that the package asks gettext for, read from its code and templates."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from babel.messages.extract import extract
from django.utils.translation.template import templatize

PACKAGE = Path(__file__).parents[2] / "kordless_booking"
CATALOG_FOLDERS = sorted([PACKAGE, *(path.parent for path in PACKAGE.glob("contrib/*/locale"))])
"""The package, and each optional app with catalogs of its own."""
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


class Text(NamedTuple):
    """One text to translate, as gettext knows it; `plural` is empty for one that doesn't count anything."""

    context: str | None
    singular: str
    plural: str = ""


def texts_of_the_package() -> frozenset[Text]:
    """Return the texts of the package itself, without the optional apps'."""
    return texts_of(PACKAGE)


@cache
def texts_of(folder: Path) -> frozenset[Text]:
    """Return the texts that templates and code of one of CATALOG_FOLDERS pass to gettext.

    Leaves out the sandbox, which speaks English only, and apps that have catalogs of their own.
    """
    others = [other for other in CATALOG_FOLDERS if other != folder and other.is_relative_to(folder)]
    found: set[Text] = set()
    for path in folder.rglob("*.py"):
        if "sandbox" not in path.parts and not any(path.is_relative_to(other) for other in others):
            found |= set(_texts_in(path.read_text()))
    for suffix in ("html", "txt"):
        for path in (folder / "templates").rglob(f"*.{suffix}"):
            found |= set(_texts_in(templatize(path.read_text())))
    return frozenset(text for text in found if text.singular)


def _texts_in(code: str) -> Iterator[Text]:
    for _line, found, _comments, context in extract("python", io.BytesIO(code.encode()), keywords=KEYWORDS):
        forms = [found] if isinstance(found, str) else found
        yield Text(context, *[form.replace("%%", "%") for form in forms])
