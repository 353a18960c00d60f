"""Names of the values that a template reads from its context."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.template.base import FilterExpression, Node, NodeList, Template, Variable
from django.template.defaulttags import ForNode, WithNode
from django.template.smartif import TokenBase
from django.templatetags.i18n import BlockTranslateNode

EVERYWHERE = {"kb", "request", "forloop", "block", "True", "False", "None"}
"""Names that every template has, or that belong to a tag."""


def read_names(template: Template) -> set[str]:
    """Return the dotted names that a template reads, without those that it sets itself."""
    nodes = template.nodelist.get_nodes_by_type(Node)
    own = {name for node in nodes for name in _set_by(node)}
    found = {name for node in nodes for value in vars(node).values() for name in _names(value)}
    names = {name for name in found if name.split(".")[0] not in own | EVERYWHERE}
    # `service` says nothing beside `service.name`.
    return {name for name in names if not any(other.startswith(f"{name}.") for other in names)}


def _set_by(node: Node) -> Iterator[str]:
    match node:
        case ForNode():
            yield from node.loopvars
        case WithNode() | BlockTranslateNode():
            yield from node.extra_context
    if asvar := getattr(node, "asvar", None):
        yield asvar


def _names(value: Any) -> Iterator[str]:
    match value:
        case FilterExpression():
            arguments = [
                argument for _function, given in value.filters for is_variable, argument in given if is_variable
            ]
            yield from _names([value.var, *arguments])
        case Variable():
            if value.lookups:
                yield ".".join(name for name in value.lookups if not name.isdigit())
        case NodeList():
            return
        case list() | tuple():
            for each in value:
                yield from _names(each)
        case dict():
            yield from _names(list(value.values()))
        case TokenBase():
            # A condition: an operator with operands, or a literal.
            yield from _names([getattr(value, name, None) for name in ("value", "first", "second")])
