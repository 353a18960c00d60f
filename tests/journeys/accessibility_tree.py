"""The page as Chromium hands it to a screen reader: its accessibility tree, one line for each thing that is said."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

QUIET = {"StaticText", "InlineTextBox", "generic", "none", "paragraph", "LineBreak", "ListMarker", "emphasis", "strong"}
QUIET |= {"RootWebArea", "listitem", "LabelText", "rowgroup", "deletion", "DescriptionListDetail", "ListGrid"}
STATES = {"focused": "focused", "invalid": "invalid", "required": "required", "disabled": "disabled", "level": "level"}


def accessibility_lines(page: Page) -> list[str]:
    """Role, name, states and description of all that is in the tree, in reading order.

    As `link "Haircut"`, `heading "Your details" level=1 focused` or `textbox "Name" invalid required: Please tell us`.
    Alerts and other things without a name of their own are told by their text.
    """
    session = page.context.new_cdp_session(page)
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    known = {node["nodeId"]: node for node in nodes}
    found: list[str] = []

    def text(node: dict[str, Any]) -> str:
        if node["role"]["value"] == "StaticText":
            return str(node["name"]["value"])
        return " ".join(filter(None, (text(known[child]) for child in node.get("childIds", ()) if child in known)))

    def visit(node: dict[str, Any]) -> None:
        role = node["role"]["value"]
        if not node.get("ignored") and role not in QUIET:
            found.append(_line(node, role, text(node)))
        for child in node.get("childIds", ()):
            if child in known:
                visit(known[child])

    visit(nodes[0])
    return found


def _line(node: dict[str, Any], role: str, text: str) -> str:
    name = str(node.get("name", {}).get("value") or ("" if role in {"table", "list", "form"} else text)).strip()
    states = {one["name"]: one["value"].get("value") for one in node.get("properties", ())}
    line = f'{role} "{" ".join(name.split())}"'
    for state, word in STATES.items():
        value = states.get(state)
        if state == "level" and value:
            line += f" level={value}"
        elif value and value not in {"false", False}:
            line += f" {word}"
    described = node.get("description", {}).get("value")
    return f"{line}: {described}" if described else line


def in_order(lines: list[str], *wanted: str) -> list[str]:
    """Return those of `wanted` that are missing from the lines or out of order. A trailing "…" matches by prefix."""
    missing, begin = [], 0
    for one in wanted:
        start = one.removesuffix("…")
        hits = (
            at for at in range(begin, len(lines)) if lines[at] == one or (start != one and lines[at].startswith(start))
        )
        at = next(hits, None)
        if at is None:
            missing.append(one)
        else:
            begin = at + 1
    return missing
