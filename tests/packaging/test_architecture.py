"""docs/architecture.md and CONTRIBUTING.md name what is there: layers, packages, modules, classes and functions."""

import re
import tomllib
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "kordless_booking"
PAGE = (ROOT / "docs" / "architecture.md").read_text()
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
NAMED = sorted(set(re.findall(r"`([A-Za-z_.]+)`\s+\(`([a-z_/]+\.py)`\)", PAGE)))
"""Each class or function that the page names, with its module: `Name` (`path.py`)."""


def rows(heading: str) -> list[list[str]]:
    """The cells of each row of the tables in one section of the page, without the header rows."""
    [section] = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    tables = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for one in tables for row in one.splitlines()[2:]]


def test_the_picture_of_the_layers_is_the_contract():
    """The rows of the picture are the layers of the import contract, from the top down."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    [contract] = [one for one in config["tool"]["importlinter"]["contracts"] if one["type"] == "layers"]
    [picture] = re.findall(r"```\n(\+--.*?)```", PAGE, re.DOTALL)
    # A layer may have several lines.
    boxes = re.split(r"^\+-+\+\n", picture, flags=re.MULTILINE)
    drawn = [" | ".join(line.strip("|").strip() for line in box.splitlines()) for box in boxes if box]
    assert drawn == contract["layers"]


def test_every_package_and_module_has_a_row():
    """The tables list each package and each module at the top of kordless_booking, and none besides."""
    listed = [name for cells in rows("Packages") for name in re.findall(r"`([a-z_]+(?:/|\.py))`", cells[0])]
    packages = {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}
    modules = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    assert sorted(listed) == sorted(packages | modules)


def test_every_path_in_the_page_exists():
    """Each file and folder that the page names is there, in the package or at the top of the project."""
    paths = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*(?:\.[a-z]+|/))`", PAGE))
    assert len(paths) > 40
    assert sorted(path for path in paths if not (PACKAGE / path).exists() and not (ROOT / path).exists()) == []


@pytest.mark.parametrize(("name", "path"), NAMED)
def test_every_name_in_the_page_is_in_its_module(name: str, path: str):
    """A class, function or constant that the page names is defined in the module that stands beside it."""
    found = attrgetter(name)(import_module("kordless_booking." + path.removesuffix(".py").replace("/", ".")))
    defined_in = getattr(found, "__module__", None)
    # A constant has no module of its own.
    assert defined_in is None or not defined_in.startswith("kordless_booking") or path == _path_of(defined_in)


def test_every_glossary_entry_names_its_place():
    """Each term has a meaning, and a name with its module; the terms are in order."""
    entries = rows("Glossary")
    assert len(entries) >= 20
    assert [cells for cells in entries if not re.fullmatch(r"`[\w.]+` \(`[a-z_/]+\.py`\)", cells[2])] == []
    assert [cells[0] for cells in entries] == sorted(cells[0] for cells in entries)


def test_every_path_in_the_guide_exists():
    """Each file and folder that CONTRIBUTING.md names is there, those in commands too, but not the example's own."""
    paths = set(re.findall(r"(?<![\w/.])(?:[A-Za-z_]+/)+[A-Za-z_]*(?:/|\.[a-z]+)?|[A-Za-z_]+\.(?:md|py)\b", GUIDE))
    # The media type of a command looks like a path; the others are folders that commands make.
    others = {"application/json", "build/docs", "build/release", "dist/"}
    missing = {path for path in paths - others if not (ROOT / path).exists()}
    assert len(paths) > 30
    assert missing == {"kordless_booking/locale/cs", "kordless_booking/locale/cs/LC_MESSAGES/django.po"}


def test_every_name_in_the_guide_is_in_its_module():
    """A name in backticks with its file beside it is in the text of that file."""
    named = re.findall(r"`([A-Za-z_]+)`\s+(?:in|of|\()\s*`([a-z_/]+\.py)`", GUIDE)
    assert len(named) >= 10
    assert [(name, path) for name, path in named if not re.search(rf"\b{name}\b", (ROOT / path).read_text())] == []


def _path_of(module: str) -> str:
    return module.removeprefix("kordless_booking.").replace(".", "/") + ".py"
