"""The two lines that a business pastes into somebody's page, as docs/embed.md describes them."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import urlencode

__all__ = ["MODES", "Snippet"]

MODES: Final = ("inline", "popup", "button")


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """`book` is the absolute address that the widget is mounted at, `service` the path of a service below it.

    Of the rest what is empty is left out: then the visitor's language, the host page's scheme, the business's color
    and theme and the whole width are used.
    """

    book: str
    service: str = ""
    mode: str = "inline"
    text: str = "Book now"
    lang: str = ""
    scheme: str = ""
    accent: str = ""
    theme: str = ""
    width: str = ""
    close_label: str = ""
    open_label: str = ""

    def html(self) -> str:
        """Script and link."""
        return f'<script async src="{escape(self.book)}embed.js"></script>\n{self.link()}'

    def link(self) -> str:
        """The link alone; it books without the script as well."""
        attributes = {"href": f"{self.book}{self.service}", "data-kordless-booking": self.mode}
        attributes |= {f"data-{name.replace('_', '-')}": text for name, text in self._chosen().items()}
        written = " ".join(f'{name}="{escape(text)}"' for name, text in attributes.items())
        return f"<a {written}>{escape(self.text)}</a>"

    def query(self) -> str:
        """What a preview page makes the same link of."""
        return urlencode({"service": self.service, "mode": self.mode, "text": self.text, **self._chosen()})

    def _chosen(self) -> dict[str, str]:
        names = ["lang", "scheme", "accent", "theme", "width", "open_label"]
        if self.mode != "inline":
            names.append("close_label")
        return {name: text for name in names if (text := getattr(self, name))}
