"""`manage.py kordless_templates`: list the package's templates, copy some for editing, find outdated copies.

Exit code 0; 1 when `--check` finds a copy to look at, or when something couldn't be done.
"""

from __future__ import annotations

import difflib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from kordless_booking.views.template_copies import (
    PACKAGE,
    CopyState,
    TemplateCopy,
    build_copy,
    find_copies,
    find_copy,
    read_original,
    shipped_names,
    template_folders,
)

_TO_LOOK_AT: Final = {CopyState.OUTDATED, CopyState.UNKNOWN, CopyState.UNUSED}


class Command(BaseCommand):
    help = "Lists the widget's templates, copies them for editing, and shows which copies are outdated."
    # It has to work while the settings are being written, and needs none of what they check.
    requires_system_checks: list[str] = []  # noqa: RUF012 (Django's own attribute)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "names", nargs="*", metavar="NAME", help="templates to copy, such as parts/service_card.html"
        )
        parser.add_argument("--to", default="", metavar="FOLDER", help="templates folder to copy to")
        parser.add_argument("--check", action="store_true", help="list only copies to look at; exit code 1 if any")
        parser.add_argument("--diff", default="", metavar="NAME", help="show what a copy changes in the original")
        parser.add_argument(
            "--reviewed", default="", metavar="NAME", help="note that a copy has what is new in its original"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["names"]:
            for name in [_full_name(each) for each in options["names"]]:
                self._copy(name, options["to"])
        elif options["diff"]:
            self._show_changes(_full_name(options["diff"]))
        elif options["reviewed"]:
            self._mark_reviewed(_full_name(options["reviewed"]))
        elif options["check"]:
            self._check()
        else:
            self._list()

    def _list(self) -> None:
        copies = find_copies()
        places = {copy.name: copy for copy in copies}
        for name in [*shipped_names(), *[copy.name for copy in copies if copy.state is CopyState.UNUSED]]:
            self.stdout.write(_line(places[name]) if name in places else name)
        self.stdout.write(f"\n{len(shipped_names())} templates, {len(copies)} of them yours.")
        self.stdout.write("To edit one: manage.py kordless_templates NAME")

    def _check(self) -> None:
        found = [copy for copy in find_copies() if copy.state in _TO_LOOK_AT]
        for copy in found:
            self.stdout.write(_line(copy))
        if found:
            raise CommandError(
                f"{len(found)} to look at. Compare: manage.py kordless_templates --diff NAME; then --reviewed NAME."
            )
        self.stdout.write("No copy is outdated.")

    def _copy(self, name: str, folder: str) -> None:
        root = Path(folder) if folder else _default_folder()
        target = root / name
        if target.exists():
            raise CommandError(f"{target} is there already. To see what it changes: --diff {name}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(build_copy(name), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{target} can't be written ({type(error).__name__}).") from None
        self.stdout.write(f"{target} is yours to edit.")
        found = find_copy(name)
        if found is None or Path(found.place) != target.resolve():
            self.stdout.write(_advice(root, found))

    def _show_changes(self, name: str) -> None:
        copy = _require_copy(name)
        original = read_original(name).splitlines()
        changed = build_copy(name, copy.source).partition("#}")[2].splitlines()
        for line in difflib.unified_diff(original, changed, f"{PACKAGE}'s own", copy.place, lineterm=""):
            self.stdout.write(line)

    def _mark_reviewed(self, name: str) -> None:
        copy = _require_copy(name)
        path = Path(copy.place)
        if not path.is_file():
            raise CommandError(f"{name} comes from no file, so nothing can be noted in it.")
        path.write_text(build_copy(name, copy.source), encoding="utf-8")
        self.stdout.write(f"{path} is based on the current original now.")


def _line(copy: TemplateCopy) -> str:
    version = f" ({copy.version})" if copy.state is CopyState.OUTDATED else ""
    return f"{copy.name}: {copy.state.value}{version}, {copy.place}"


def _full_name(name: str) -> str:
    """Return the name of a template as Django knows it; the package's folder may be left out."""
    names = shipped_names()
    for each in (name, f"{PACKAGE}/{name}"):
        if each in names:
            return each
    near = difflib.get_close_matches(name, [each.removeprefix(f"{PACKAGE}/") for each in names], n=1)
    hint = f" Did you mean {near[0]}?" if near else " manage.py kordless_templates lists all."
    raise CommandError(f"The package has no template {name}.{hint}")


def _require_copy(name: str) -> TemplateCopy:
    copy = find_copy(name)
    if copy is None:
        raise CommandError(f"Django finds the package's own {name}: you have no copy that it uses.")
    return copy


def _default_folder() -> Path:
    """Return the first of the site's own template folders, or the one that most sites name."""
    for engine in settings.TEMPLATES:
        for folder in engine.get("DIRS", []):
            return Path(folder)
    return Path(getattr(settings, "BASE_DIR", ".")) / "templates"


def _advice(root: Path, found: TemplateCopy | None) -> str:
    """Return why Django doesn't use the copy, and what to change."""
    if root.resolve() in {folder.resolve() for folder in template_folders()}:
        if found is not None:
            return f"Django finds {found.place} first: edit or remove that one."
        app = 'Put the app of that folder before "kordless_booking" in INSTALLED_APPS.'
        return f"Django finds the package's own template first. {app}"
    folder, base = root.resolve(), Path(getattr(settings, "BASE_DIR", root)).resolve()
    named = f'"{folder}"'
    if base != folder and folder.is_relative_to(base):
        named = "BASE_DIR" + "".join(f' / "{part}"' for part in folder.relative_to(base).parts)
    return f'Django doesn\'t look there yet. In your settings: TEMPLATES = [{{…, "DIRS": [{named}], …}}]'
