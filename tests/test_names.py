"""Names of the package's modules, classes, functions, fields and constants: nouns and verbs that say what they hold."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "kordless_booking"
BARE_PARTICIPLES = frozenset({"asked", "begun", "given", "gone", "heard", "said", "seen", "told", "wanted"})
"""They say that something happened, and not what is stored: a request, a message, a search term."""


def defined_names(path: Path) -> Iterator[str]:
    """Yield the names that a module defines for others: its own, and those of classes, functions and fields."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (
                each.target.id
                for each in node.body
                if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
            )


def test_no_module_class_function_or_field_is_a_bare_participle() -> None:
    """A name such as `said` makes the reader look up what it holds."""
    found = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in PACKAGE.rglob("*.py")
        for name in defined_names(path)
        if name.lower().strip("_") in BARE_PARTICIPLES
    }
    assert found == set()
