"""Finds the values on which the output of templates depends beyond inserting them.

A skeleton has a placeholder in the place of each text that its templates only insert, or test for being empty. It can
not have one where a template compares the text, filters it or passes it to a tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.template.base import FilterExpression, Node, NodeList, Template, TextNode, Variable, VariableNode
from django.template.defaultfilters import default
from django.template.defaulttags import AutoEscapeControlNode, CommentNode, ForNode, IfNode, LoadNode, WithNode
from django.template.loader_tags import BlockNode, IncludeNode
from django.templatetags.i18n import BlockTranslateNode

from kordless_booking.presentation.texts import whole, whole_with_dot


class ComputedNames(NamedTuple):
    """Names of the values with which templates compute."""

    variables: frozenset[str]
    """Names in the context itself: "kind" for the variable `kind`."""
    attributes: frozenset[str]
    """Names in other values, as the last part of a variable's path: "url" for `month.next.url`."""


def find_computed_names(templates: Iterable[Template]) -> ComputedNames:
    """Return the names of all values with which these templates compute.

    A tag that isn't known here counts as one that computes with all that it gets.
    """
    nodes = [node for template in templates for node in template.nodelist.get_nodes_by_type(Node)]
    computed = {name for node in nodes for name in _computed(node)}
    aliases = [alias for node in nodes for alias in _aliases(node)]
    while more := {old for new, old in aliases if new in computed} - computed:
        computed |= more
    return ComputedNames(
        frozenset(name for name in computed if not name.startswith(".")),
        frozenset(name.removeprefix(".") for name in computed if name.startswith(".")),
    )


def _computed(node: Node) -> Iterator[str]:
    """Yield the names of the values with which a tag computes."""
    match node:
        case TextNode() | BlockNode() | CommentNode() | LoadNode():
            return
        case VariableNode():
            yield from _filtered(node.filter_expression)
        case IfNode():
            for condition, _nodes in node.conditions_nodelists:
                yield from _compared(condition)
        case ForNode():
            yield from _filtered(node.sequence)
        case IncludeNode() | WithNode() | BlockTranslateNode():
            for given in node.extra_context.values():
                yield from _filtered(given)
            yield from _names({name: value for name, value in vars(node).items() if name != "extra_context"})
        case AutoEscapeControlNode():
            # Where escaping is off, a filled-in value would be escaped all the same.
            for inner in node.nodelist.get_nodes_by_type(Node):
                yield from _names(vars(inner))
        case _:
            yield from _names(vars(node))


def _aliases(node: Node) -> Iterator[tuple[str, str]]:
    """Yield pairs of the name that a tag gives to a value and the value's own."""
    match node:
        case ForNode():
            given: list[tuple[str, Any]] = [(new, node.sequence) for new in node.loopvars]
        case IncludeNode() | WithNode() | BlockTranslateNode():
            given = list(node.extra_context.items())
        case _:
            return
    for new, value in given:
        for old in _names(value):
            yield new, old


def _filtered(value: Any) -> Iterator[str]:
    """Yield the names in a value that goes through a filter."""
    # `default` is a test for being empty. `whole` leaves a placeholder as it is, and so what it has itself returned:
    # a page that is made from a skeleton has to give such texts. `whole_with_dot` finds a placeholder in a text.
    if any(function not in {default, whole, whole_with_dot} for function, _arguments in value.filters):
        yield from _names(value)


def _compared(condition: Any) -> Iterator[str]:
    """Yield the names in the condition of an `if`, except of values that are only tested for being empty."""
    if condition is None:  # of `else`
        return
    if condition.id in {"and", "or", "not"}:
        for operand in (condition.first, condition.second):
            yield from _compared(operand)
    elif condition.id == "literal":
        yield from _filtered(condition.value)
    else:
        for operand in (condition.first, condition.second):
            yield from _all_names(operand)


def _all_names(operand: Any) -> Iterator[str]:
    if operand is None:
        return
    if operand.id == "literal":
        yield from _names(operand.value)
    for inner in (operand.first, operand.second):
        yield from _all_names(inner)


def _names(value: Any) -> Iterator[str]:
    """Yield the name of each variable in a tag's values, with a dot before an attribute's.

    Leaves out the variables in the nodes between a tag and its end.
    """
    match value:
        case FilterExpression():
            yield from _names(value.var)
            for _function, arguments in value.filters:
                yield from _names([argument for _is_variable, argument in arguments])
        case Variable():
            # A position in a list has no name: its texts have the list's.
            path = [name for name in value.lookups or () if not name.isdigit()]
            if path:
                yield path[0] if len(path) == 1 else f".{path[-1]}"
        case NodeList():
            return
        case list() | tuple():
            for each in value:
                yield from _names(each)
        case dict():
            for each in value.values():
                yield from _names(each)
