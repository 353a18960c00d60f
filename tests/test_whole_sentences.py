"""Texts for people are whole sentences with places for values, never built from pieces."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.translatable_texts import KEYWORDS, PACKAGE

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "sandbox" not in path.parts)


def is_translated(node: ast.expr) -> bool:
    """Return True for a call of gettext, also with values filled in by the percent operator."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return is_translated(node.left)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS


def built_from_pieces(code: str) -> Iterator[int]:
    """Yield the lines on which a translated text is part of an f-string or of a sum of strings."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.JoinedStr):
            values = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
            # A text that is all of an f-string isn't built from anything.
            if len(node.values) > 1 and any(map(is_translated, values)):
                yield node.lineno
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):  # noqa: SIM102 (the order reads better)
            if is_translated(node.left) or is_translated(node.right):
                yield node.lineno


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_text_is_built_from_translated_pieces(path: Path):
    """Languages differ in order, spaces and punctuation, which only a translator of the whole text can set."""
    assert list(built_from_pieces(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "f'{_(\"With\")}: {name}'",
        'f\'{name} {pgettext("label", "today")}\'',
        '_("Please wait.") + text',
        'f\'{ngettext("%(n)s day", "%(n)s days", n) % values} ago\'',
    ],
)
def test_a_text_of_pieces_is_found(code: str):
    """The test above sees each way to glue a translation to something else."""
    assert list(built_from_pieces(code)) == [1]
