"""Code samples and links of the documents: what a reader copies works, and what a reader clicks exists."""

import ast
import importlib
import re
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

import pytest

from kordless_booking.funnel import counters
from kordless_booking.signals import ChangeSource

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("docs/recipes/*.md"))]
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
PASTED = re.compile(r"^ *```(?:sh|django|html|js|swift|toml|ini|yaml|nginx)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
"""Samples in other languages than Python that a reader pastes; what a program prints is `json` or has no language."""
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def _statements() -> list[ast.AST]:
    """Parse the Python samples of all documents."""
    return [node for path in DOCUMENTS for sample in _python(path) for node in ast.walk(ast.parse(sample))]


def _python(path: Path) -> list[str]:
    """Return the Python samples of a document."""
    return [dedent(sample) for sample in PYTHON.findall(path.read_text())]


def _replaced_settings(sample: str) -> list[str]:
    """Return the settings that a sample would take from a reader who pastes it after the tutorial's."""
    found = []
    for node in ast.parse(sample).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        keys = {key.value for key in getattr(node.value, "keys", []) if isinstance(key, ast.Constant)}
        # An account of its own, or the sandbox, is what a first block of settings is about.
        is_first = name == "KORDLESS_BOOKING" and keys & {"SANDBOX", "API_KEY", "ACCOUNTS"}
        if name in {"KORDLESS_BOOKING", "INSTALLED_APPS", "MIDDLEWARE"} and not is_first:
            found.append(name)
    return found


def _exists(module: str, name: str) -> bool:
    """Return whether `from module import name` works, also for a submodule."""
    found = importlib.import_module(module)
    return hasattr(found, name) or (hasattr(found, "__path__") and find_spec(f"{module}.{name}") is not None)


def _anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_each_sample_can_be_pasted(path: Path):
    """Python compiles, no sample has an ellipsis in the place of code, and none replaces settings that exist."""
    for sample in _python(path):
        compile(sample, path.name, "exec")
        elided = [node for node in ast.walk(ast.parse(sample)) if getattr(node, "value", None) is ...]
        assert not elided, sample
        assert "…" not in sample, sample
        assert _replaced_settings(sample) == [], sample
    for sample in PASTED.findall(path.read_text()):
        assert "…" not in sample, sample


def test_documented_imports_exist():
    """Each name that a sample imports from the package is there."""
    names = [
        (node.module, alias.name)
        for node in _statements()
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("kordless_booking")
        for alias in node.names
    ]
    assert len(names) > 5
    assert [name for name in names if not _exists(*name)] == []


def test_documented_attributes_exist():
    """Each attribute of `counters` and `ChangeSource` in a sample is there."""
    known = {"counters": counters, "ChangeSource": ChangeSource}
    used = [
        (node.value.id, node.attr)
        for node in _statements()
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known
    ]
    assert {name for name, _ in used} == set(known)
    assert [(name, attribute) for name, attribute in used if not hasattr(known[name], attribute)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documented_links_lead_somewhere(path: Path):
    """Each relative link leads to a file, and its fragment to a heading there."""
    broken = []
    for address in LINK.findall(path.read_text()):
        if re.match(r"[a-z]+:", address):
            continue
        name, _, fragment = address.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.is_file() or (fragment and fragment not in _anchors(target)):
            broken.append(address)
    assert broken == []
