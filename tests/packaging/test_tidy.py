"""The house's rules about names, and documents that must not drift from what they describe."""

import ast
import dataclasses
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kordless_booking import conf
from tests.support.in_force import numbers_in_force

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = sorted((ROOT / "kordless_booking").rglob("*.py"))
MODULES = [path for path in PRODUCT if path.name != "__init__.py" and "migrations" not in path.parts]
VAGUE = {"util", "utils", "helper", "helpers", "common", "core", "manager", "handler", "data", "process"}

GIVEN_NAMES = {"kordless_booking/booking/language.py: _data"}
"""Names that a base class of somebody else gives."""


def tracked_texts() -> Iterator[tuple[str, str]]:
    """(path, text) of every text file that git knows; skips the test outside of a git checkout."""
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 (fixed)
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in listed.stdout.split("\0"):
        path = ROOT / name
        if name and path.is_file() and path.suffix not in {".png", ".webp", ".mo", ".jar"}:
            yield name, path.read_text(encoding="utf-8")


def words_of(name: str) -> set[str]:
    """The lower-case words of a snake_case or CamelCase name."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}


def test_no_name_is_vague():
    """Modules, classes and functions are named for what they hold, never utils, manager or data."""
    vague = []
    for path in PRODUCT:
        names = [*path.relative_to(ROOT).with_suffix("").parts]
        definitions = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        names += [node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, definitions)]
        vague += [f"{path.relative_to(ROOT)}: {name}" for name in names if words_of(name) & VAGUE]
    assert [name for name in vague if name not in GIVEN_NAMES] == []


def test_no_file_names_a_package_registry_or_a_machine():
    """The project installs from wherever the reader's tools look, and uses no folder of one machine."""
    registries = [r"pypi\.org", r"pythonhosted\.", r"registry\.npmjs", r"deb\.debian\.", r"npmjs\.com"]
    machines = [r"(?<![\w.])/work/", r"(?<![\w.])/root/", r"(?<![\w.])/tmp/kb", r"\.pyenv/versions"]
    anything = re.compile("|".join(registries + machines))
    own = Path(__file__).relative_to(ROOT).as_posix()
    found = [f"{name}: {hit[0]}" for name, text in tracked_texts() if name != own for hit in anything.finditer(text)]
    assert found == []


def test_every_public_module_says_what_it_is_for():
    """Each module of the product that holds code opens with a docstring."""
    silent = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if (tree := ast.parse(path.read_text())).body and not ast.get_docstring(tree)
    ]
    assert silent == []


def test_the_readme_lists_every_setting_with_its_default():
    """The table in docs/settings.md has exactly the keys of conf.Account, each with its real default.

    What reaches the services of a real account is what the table says.
    """
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`)? *\|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    real = {field.name.upper(): field.default for field in dataclasses.fields(conf.Account) if field.name != "name"}
    documented = {key: ast.literal_eval(default or '""') for key, default in rows}
    assert documented == real
    in_force = numbers_in_force().settings
    assert {key: documented[key] for key in in_force} == in_force


def test_the_readme_names_only_commands_that_exist():
    """Every `make something` in the README and the CI run is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    documents = (ROOT / "README.md").read_text() + (ROOT / ".ci" / "run").read_text()
    named = set(re.findall(r"(?:`|^\s*)make ([a-z-]+)", documents, re.MULTILINE))
    assert {"demo", "test", "lint", "wheel-check"} <= named <= targets


def test_the_readme_names_every_variable_of_the_demo():
    """The list on top of the demo's settings has exactly the variables that the settings and their rules read."""
    source = (ROOT / "demo_site" / "settings.py").read_text()
    rows = re.findall(r"^([A-Z_]+(?:, [A-Z_]+)*) {2,}", source, re.MULTILINE)
    rules = (ROOT / "demo_site" / "exposure.py").read_text()
    reading = r"(?:environ(?:ment)?(?:\.get\(|\[)|_listed\(|switched_on\([a-z.]+, )\s*\"([A-Z_]+)\""
    read = re.findall(reading, source + rules)
    assert {name for row in rows for name in row.split(", ")} == {*read, "DATABASE_URL"}
