"""Accessibility rules that every page must keep, checked on its HTML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from selectolax.lexbor import LexborHTMLParser, LexborNode

from tests.support.visitor import Page, text_of

PURPOSES = {"name": "name", "email": "email", "phone": "tel", "contact": "email"}
TOKENS = {"name", "email", "tel", "off"}
LTR = {"email", "phone", "number", "contact"}
"""Fields that hold left-to-right text in every language."""
FIELDS = "input:not([type=hidden]), select, textarea"


def broken(page: Page, *, whole: bool = True) -> list[str]:
    """Return the rules that a page breaks. `whole`: a full document, not a fragment."""
    tree = page.tree
    rules = [_headings, _fields, _errors, _names, _references, _order, _month]
    found = [complaint for rule in rules for complaint in rule(tree)]
    return [*found, *_frame(tree)] if whole else found


def _frame(tree: LexborHTMLParser) -> Iterator[str]:
    html = tree.css_first("html")
    if not html.attributes.get("lang") or html.attributes.get("dir") not in {"ltr", "rtl"}:
        yield "the page doesn't say its language and direction"
    if not text_of(tree.css_first("title")):
        yield "no title"
    for landmark in ("main", "footer"):
        if len(tree.css(landmark)) != 1:
            yield f"not one {landmark}"
    yield from (f"a nav without a name: {nav.html}" for nav in tree.css("nav") if not nav.attributes.get("aria-label"))
    viewport = tree.css_first("meta[name=viewport]").attributes["content"] or ""
    if re.search("user-scalable|maximum-scale", viewport):
        yield "the page can't be zoomed"
    live = tree.css("[role=status][data-kb-live]")
    if len(live) != 1 or text_of(live[0]):
        yield "no empty place for what is said politely"
    main = tree.css_first("main")
    outside = [node for node in tree.css("h1, h2, form") if main is None or not _within(node, main)]
    yield from (f"outside of main: {node.html}" for node in outside)


def _headings(tree: LexborHTMLParser) -> Iterator[str]:
    levels = [int(node.tag[1]) for node in tree.css("h1, h2, h3, h4, h5, h6")]
    if levels.count(1) != 1 or levels[0] != 1:
        yield f"headings of levels {levels}"
    yield from (f"level {after} after {before}" for before, after in pairwise(levels) if after > before + 1)
    yield from ("an empty heading" for node in tree.css("h1, h2, h3") if not text_of(node))
    titles = tree.css("h1[tabindex='-1'].kb-title")
    if len(titles) != 1:
        yield "no title that the focus can go to"


def _fields(tree: LexborHTMLParser) -> Iterator[str]:
    rtl = bool(tree.css("[dir=rtl]"))
    for field in tree.css(FIELDS):
        given, name = field.attributes, field.attributes.get("name") or ""
        if _hidden(field):
            if given.get("tabindex") != "-1":
                yield f"{name} is hidden, but not from the keyboard"
            continue
        labels = tree.css(f'label[for="{given.get("id")}"]')
        if not (len(labels) == 1 and text_of(labels[0])):
            yield f"{name} has no label"
        if field.tag != "select" and given.get("autocomplete") not in TOKENS:
            yield f"{name} has autocomplete {given.get('autocomplete')}"
        if name in PURPOSES and given.get("autocomplete") != PURPOSES[name]:
            yield f"{name} does not say what it is for"
        if rtl and (given.get("dir") == "ltr") is not (name in LTR) and field.tag != "select":
            yield f"{name} runs the wrong way"
        if "readonly" in given or "disabled" in given:
            yield f"{name} can't be typed or pasted into"


def _errors(tree: LexborHTMLParser) -> Iterator[str]:
    wrong = tree.css("[aria-invalid=true]")
    for field in wrong:
        descriptions = [text_of(node) for node in _named(tree, field.attributes.get("aria-describedby"))]
        if not any(descriptions):
            yield f"{field.attributes.get('name')} is wrong, and nothing beside it says why"
        if not tree.css(f'[role=alert] a[href="#{field.attributes.get("id")}"]'):
            yield f"{field.attributes.get('name')} is not in the summary"
    for label in tree.css("label"):
        required = (
            tree.css(f"[aria-required=true]#{label.attributes.get('for')}") if label.attributes.get("for") else []
        )
        marked = label.parent is not None and "Required" in text_of(label.parent)
        if marked and not required:
            yield f"{text_of(label)} is required, but only for the eye"


def _names(tree: LexborHTMLParser) -> Iterator[str]:
    # A button that neither eyes nor ears nor the Tab key find is there for the Enter key alone.
    for node in tree.css("a[href], button:not([aria-hidden=true][tabindex='-1'])"):
        if not (node.attributes.get("aria-label") or text_of(node)):
            yield f"without a name: {node.html}"
    for node in tree.css("img"):
        if node.attributes.get("alt") is None:
            yield f"without words: {node.html}"
    for node in tree.css("svg"):
        if node.attributes.get("aria-hidden") != "true":
            yield "a drawing that is read aloud"
    for node in tree.css("[role=alert], [role=status]"):
        if node.attributes.get("aria-live"):
            yield f"two words on how loud to be: {node.html}"


def _references(tree: LexborHTMLParser) -> Iterator[str]:
    ids = Counter(node.attributes["id"] for node in tree.css("[id]"))
    yield from (f"#{name} is there {times} times" for name, times in ids.items() if times > 1)
    wanted: set[str] = set()
    for attribute in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
        for node in tree.css(f"[{attribute}]"):
            wanted |= set((node.attributes[attribute] or "").split())
    wanted |= {(node.attributes["href"] or "")[1:] for node in tree.css('a[href^="#"]')}
    yield from (f"#{name} is named, but nowhere" for name in sorted(wanted - ids.keys()))


def _order(tree: LexborHTMLParser) -> Iterator[str]:
    yield from (
        f"in an order of its own: {node.html}"
        for node in tree.css("[tabindex]")
        if int(node.attributes["tabindex"] or 0) > 0
    )
    yield from (f"a key of its own: {node.html}" for node in tree.css("[accesskey]"))
    for node in tree.css("*"):
        yield from (f"{name} stands in the HTML" for name in node.attributes if re.match("on[a-z]|style$", name))
    for node in tree.css("[autofocus]"):
        if node.attributes.get("role") != "alert":
            yield f"takes the focus: {node.html}"


def _month(tree: LexborHTMLParser) -> Iterator[str]:
    for table in tree.css("table"):
        if not any(text_of(node) for node in _named(tree, table.attributes.get("aria-labelledby"))):
            yield "a month without a name"
        if len(table.css("thead th[scope=col]")) != 7:
            yield "not seven days over the month"
        if any(len(row.css("td")) != 7 for row in table.css("tbody tr")):
            yield "a row that is no week"
        for day in table.css("td a"):
            if not re.search(r"\d{4}.+\d", day.attributes.get("aria-label") or ""):
                yield f"a day that is not told in full: {day.html}"
        if len(table.css("td a[aria-current=date]")) > 1:
            yield "two days are chosen"


def _hidden(node: LexborNode) -> bool:
    around: LexborNode | None = node
    while around is not None:
        if around.attributes.get("aria-hidden") == "true":
            return True
        around = around.parent
    return False


def _within(node: LexborNode, outer: LexborNode) -> bool:
    around: LexborNode | None = node
    while around is not None:
        if around.mem_id == outer.mem_id:
            return True
        around = around.parent
    return False


def _named(tree: LexborHTMLParser, ids: str | None) -> list[LexborNode]:
    return [node for name in (ids or "").split() for node in tree.css(f"#{name}")]
