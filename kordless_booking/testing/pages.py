"""Reads of a page what a visitor without JavaScript uses: its links, its forms, its error messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
"""Elements without an end tag."""


@dataclass
class Form:
    """A form, with its fields as they stand."""

    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)
    """Values that would be sent, by name."""
    names: set[str] = field(default_factory=set)
    """Names of all fields, also of boxes that aren't checked."""


class PageReader(HTMLParser):
    """Parser of one page. Reads with a parser of the standard library, so that the kit needs no other package."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        """Addresses of links, in reading order."""
        self.forms: list[Form] = []
        self.title = ""
        """Text of the first heading."""
        self.alerts: list[str] = []
        """Texts of the error messages."""
        self._open: list[tuple[str, str]] = []
        self._select = ""
        self._textarea = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a link, a form or a field."""
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form":
            # What the form before has left open isn't a field of this one.
            self._select = self._textarea = ""
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif self.forms:
            self._read_field(tag, given)
        if given.get("role") == "alert":
            self.alerts.append("")
        if tag not in _VOID:
            self._open.append((tag, "alert" if given.get("role") == "alert" else ""))

    def handle_endtag(self, tag: str) -> None:
        """Leave an element, with those inside it that have no end tag."""
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""
        if any(name == tag for name, _ in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Collect the text of headings, error messages and text areas."""
        if self._textarea:
            self.forms[-1].values[self._textarea][-1] += data.removeprefix("\n")
        if any(name == "h1" for name, _ in self._open):
            self.title = f"{self.title} {data}".strip()
        if any(role == "alert" for _, role in self._open):
            self.alerts[-1] = " ".join(f"{self.alerts[-1]} {data}".split())

    def find_form(self, name: str) -> Form | None:
        """Return the first form with a field of this name."""
        return next((form for form in self.forms if name in form.names), None)

    def _read_field(self, tag: str, given: dict[str, str]) -> None:
        form, name = self.forms[-1], given.get("name", "")
        if tag == "option" and self._select:
            value = given.get("value", "")
            if "selected" in given or self._select not in form.values:
                form.values[self._select] = [value]
        if not name or tag not in ("input", "select", "textarea"):
            return
        form.names.add(name)
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
            form.values.setdefault(name, []).append("")
        elif given.get("type") not in ("checkbox", "radio"):
            form.values.setdefault(name, []).append(given.get("value", ""))
        elif "checked" in given:
            form.values.setdefault(name, []).append(given.get("value", "on"))
