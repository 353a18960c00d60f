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
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def _statements() -> list[ast.AST]:
    """Parse the Python samples of all documents. An ellipsis as a dict item stands for what a reader fills in."""
    found: list[ast.AST] = []
    for path in DOCUMENTS:
        for sample in PYTHON.findall(path.read_text()):
            found += ast.walk(ast.parse(dedent(sample.replace("…,", "").replace("…", ""))))
    return found


def _exists(module: str, name: str) -> bool:
    """Return whether `from module import name` works, also for a submodule."""
    found = importlib.import_module(module)
    return hasattr(found, name) or (hasattr(found, "__path__") and find_spec(f"{module}.{name}") is not None)


def _anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


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
