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
COLLECTIONS = {"util", "utils", "helper", "helpers", "common", "misc"}
"""Module names that say nothing about the subject."""
PUBLIC_MODULES = {
    "kordless_booking/api/client.py",
    "kordless_booking/api/resources.py",
    "kordless_booking/api/session.py",
    "kordless_booking/exceptions.py",
    "kordless_booking/hooks.py",
    "kordless_booking/messenger.py",
    "kordless_booking/python_api.py",
    "kordless_booking/sandbox/__init__.py",
    "kordless_booking/signals.py",
    "kordless_booking/sitemaps.py",
    "kordless_booking/testing/__init__.py",
}
NO_BEGINNING = re.compile(r"(Who|What|Whether|That|How)\b")
"""First words of a docstring that describes instead of saying what is done."""


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


def test_modules_are_named_for_their_subject():
    """No module is a collection of whatever was left over."""
    named = {path: {*path.relative_to(ROOT).with_suffix("").parts} for path in PRODUCT}
    assert [str(path.relative_to(ROOT)) for path, names in named.items() if names & COLLECTIONS] == []


def test_docstrings_begin_with_a_verb_or_a_subject():
    """No docstring of the package begins with Who, What, Whether, That or How (docs/architecture.md)."""
    found = []
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                first = (ast.get_docstring(node) or "").strip()
                if NO_BEGINNING.match(first):
                    found.append(f"{path.relative_to(ROOT)}: {first.splitlines()[0]}")
    assert found == []


def test_only_public_modules_have_a_list_of_exports():
    """`__all__` stands where adopters import from, and nowhere else. Tests of these modules pin the lists."""
    found = {name for name, text in tracked_texts() if name.endswith(".py") and re.search(r"^__all__ = ", text, re.M)}
    assert found == PUBLIC_MODULES


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


def test_the_settings_page_has_each_setting_with_its_default_and_accepted_values():
    """The rows of docs/settings.md are the fields of conf.Account in their order: name, default and hint are equal.

    What reaches the services of a real account is what the table says. Backquotes in the column of values are markup.
    """
    page = (ROOT / "docs" / "settings.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`(.*?)`)? *\| (.+?) \| .+ \|$", page, re.MULTILINE)
    documented = [(key, ast.literal_eval(default or '""'), values.replace("`", "")) for key, default, values in rows]
    columns = {field.name.upper(): field for field in dataclasses.fields(conf.Account)}
    plain = conf.Account()
    assert documented == [(key, getattr(plain, key.lower()), setting.hint) for key, setting in conf.SETTINGS.items()]
    assert columns.keys() - conf.SETTINGS.keys() == {"NAME", "EXTENSION_VALUES"}
    defaults = {key: default for key, default, _ in documented}
    in_force = numbers_in_force().settings
    assert {key: defaults[key] for key in in_force} == in_force


def test_the_readme_names_only_commands_that_exist():
    """Every `make something` in README, CONTRIBUTING and the CI run is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    documents = "".join((ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md", ".ci/run"))
    named = set(re.findall(r"(?:`|^\s*)make ([a-z-]+)", documents, re.MULTILINE))
    assert {"demo", "test", "lint", "wheel-check"} <= named <= targets


def test_every_marked_test_is_in_the_folder_that_its_run_collects():
    """The Makefile collects some runs from one folder; a test that is marked for one elsewhere would never run."""
    folders = {
        "journey": "journeys",
        "firefox": "journeys",
        "webkit": "journeys",
        "processes": "processes",
        "packaging": "packaging",
    }
    marked = {
        (marker, path.relative_to(ROOT / "tests").parts[0])
        for path in (ROOT / "tests").rglob("*.py")
        for marker in re.findall(r"\bmark\.(\w+)", path.read_text())
        if marker in folders
    }
    assert marked == set(folders.items())


def test_the_readme_names_every_variable_of_the_demo():
    """The list on top of the demo's settings has exactly the variables that the settings and their rules read."""
    source = (ROOT / "demo_site" / "settings.py").read_text()
    rows = re.findall(r"^([A-Z_]+(?:, [A-Z_]+)*) {2,}", source, re.MULTILINE)
    rules = (ROOT / "demo_site" / "exposure.py").read_text()
    reading = r"(?:environ(?:ment)?(?:\.get\(|\[)|_listed\(|env_flag\([a-z.]+, )\s*\"([A-Z_]+)\""
    read = re.findall(reading, source + rules)
    assert {name for row in rows for name in row.split(", ")} == {*read, "DATABASE_URL"}


def test_no_message_names_a_file_of_the_documentation():
    """An installed package has no such folder, so a message says what to do. Docstrings may name it."""
    found = []
    for path in PRODUCT:
        tree = ast.parse(path.read_text())
        # A string that is a statement documents a module, a function or what is in front of it.
        documenting = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        found += [
            f"{path}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documenting
            if re.search(r"docs/|\w\.md\b", node.value)
        ]
    found += [str(path) for path in (ROOT / "kordless_booking").rglob("*.html") if "docs/" in path.read_text()]
    assert not found
