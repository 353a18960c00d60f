"""Copies of the package's templates that a site has made to change them, and what became of their originals.

A copy that `kordless_templates` has made begins with a comment that has the digest of its original. After an upgrade of
the package, that tells a copy of an older original from one that is only changed. The comment stays with the file
wherever it is moved, and adds nothing to a page.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Final

from django.apps import apps
from django.template import TemplateDoesNotExist, engines
from django.template.backends.django import DjangoTemplates
from django.template.loaders.base import Loader

from kordless_booking import __version__
from kordless_booking.setting_changes import on_setting_change

PACKAGE: Final = "kordless_booking"
_HEADER: Final = re.compile(r"\{# kordless_templates: copy of version (\S{1,40}), sha256 ([0-9a-f]{16}) #\}")
_DIGEST_CHARACTERS: Final = 16
"""Characters of a digest: 64 bits are enough to tell versions of one file apart."""


class CopyState(Enum):
    """State of a site's template in the place of one of the package's. Its value is what the command says of it."""

    UNCHANGED = "yours, and still the same as the package's"
    CURRENT = "yours, based on the current original"
    OUTDATED = "yours, based on an older original"
    UNKNOWN = "yours, of an unknown original"
    UNUSED = "yours, and the package has no template of this name"


@dataclass(frozen=True)
class TemplateCopy:
    """Template of the site's that Django finds before the package's, or that has the package's folder."""

    name: str
    """Name as in {% include %}, such as "kordless_booking/parts/foot.html"."""
    place: str
    """Path of the file, or what a loader without files calls it."""
    state: CopyState
    source: str
    version: str = ""
    """Version of the package that it was copied from, or ""."""


@cache
def _shipped() -> dict[str, Path]:
    """Return the files of the package's templates, and of its installed optional apps, by name."""
    roots = [
        Path(config.path) / "templates"
        for config in apps.get_app_configs()
        if config.name == PACKAGE or config.name.startswith(f"{PACKAGE}.")
    ]
    return {
        path.relative_to(root).as_posix(): path
        for root in roots
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix in {".html", ".txt"}
    }


def shipped_names() -> list[str]:
    """Return the names of all templates that a site may replace."""
    return list(_shipped())


def read_original(name: str) -> str:
    """Return the text of the package's own template. Raises KeyError for a name that it doesn't have."""
    return _shipped()[name].read_text(encoding="utf-8")


def build_copy(name: str, source: str | None = None) -> str:
    """Return the text of a copy: the header for the current original, then `source` or that original."""
    original = read_original(name)
    header = f"{{# kordless_templates: copy of version {__version__}, sha256 {_digest(original)} #}}"
    # No line break: in some templates it would stand on the page.
    return header + (original if source is None else _without_header(source))


def find_copies() -> list[TemplateCopy]:
    """Return the site's templates in the place of the package's, in the order of their names."""
    shipped = _shipped()
    found = [copy for name in shipped if (copy := find_copy(name)) is not None]
    known = {copy.place for copy in found} | {str(path.resolve()) for path in shipped.values()}
    unused = [
        TemplateCopy(name, str(path), CopyState.UNUSED, path.read_text(encoding="utf-8", errors="replace"))
        for name, path in _files_in_package_folders()
        if name not in shipped and str(path) not in known
    ]
    return sorted([*found, *unused], key=lambda copy: copy.name)


def find_copy(name: str) -> TemplateCopy | None:
    """Return what Django finds in the place of the package's template, or None where that is the package's own."""
    for loader in _loaders():
        for origin in loader.get_template_sources(name):
            try:
                source: str = loader.get_contents(origin)  # type: ignore[attr-defined]
            except TemplateDoesNotExist:
                continue
            own = _shipped().get(name)
            path = Path(origin.name)
            if own is not None and path.resolve() == own.resolve():
                return None
            header = _HEADER.match(source)
            version = header[1] if header else ""
            return TemplateCopy(name, _place(path), _state(name, source), source, version)
    return None


def _place(path: Path) -> str:
    return str(path.resolve()) if path.exists() else str(path)


def _state(name: str, source: str) -> CopyState:
    original = read_original(name)
    if _lines(_without_header(source)) == _lines(original):
        return CopyState.UNCHANGED
    header = _HEADER.match(source)
    if header is None:
        return CopyState.UNKNOWN
    return CopyState.CURRENT if header[2] == _digest(original) else CopyState.OUTDATED


def _without_header(source: str) -> str:
    return _HEADER.sub("", source, count=1) if _HEADER.match(source) else source


def _digest(text: str) -> str:
    return hashlib.sha256("\n".join(_lines(text)).encode()).hexdigest()[:_DIGEST_CHARACTERS]


def _lines(text: str) -> list[str]:
    # Version control and editors may change the ends of lines.
    return text.removeprefix("\ufeff").splitlines()


def _loaders() -> Iterator[Loader]:
    """Yield the loaders of Django's engines, in the order in which a template is looked for."""
    for engine in engines.all():
        if isinstance(engine, DjangoTemplates):
            yield from engine.engine.template_loaders


def template_folders() -> list[Path]:
    """Return the folders in which Django looks for templates, in its order."""
    folders: list[Path] = []
    for loader in _loaders():
        # The cached loader has the others.
        for each in getattr(loader, "loaders", [loader]):
            if callable(get_dirs := getattr(each, "get_dirs", None)):
                folders += [Path(folder) for folder in get_dirs()]
    return folders


def _files_in_package_folders() -> Iterator[tuple[str, Path]]:
    """Yield name and file of each template in a folder that has the name of one of the package's apps."""
    names = {name.partition("/")[0] for name in _shipped()}
    for folder in dict.fromkeys(template_folders()):
        for name in sorted(names):
            for path in sorted((folder / name).rglob("*")):
                if path.is_file() and path.suffix in {".html", ".txt"}:
                    yield path.relative_to(folder).as_posix(), path.resolve()


on_setting_change({"INSTALLED_APPS"}, _shipped.cache_clear)
