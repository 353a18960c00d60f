"""Embed code: the two lines of HTML that a business pastes into a page, as described in docs/embed.md."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import urlencode

__all__ = ["MODES", "Snippet"]

MODES: Final = ("inline", "popup", "button")


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """Embed code of one widget.

    What is empty is left out of the HTML: then the visitor's language, the host page's color scheme, the business's
    color and theme and the full width apply.
    """

    base_url: str
    """Absolute URL at which the widget is mounted, with a slash at its end."""
    service: str = ""
    """Path of a service below `book`; "" for all services."""
    mode: str = "inline"
    """One of `MODES`."""
    text: str = "Book now"
    lang: str = ""
    scheme: str = ""
    accent: str = ""
    theme: str = ""
    width: str = ""
    close_label: str = ""
    open_label: str = ""

    def html(self) -> str:
        """Return the script and the link."""
        return f'<script async src="{escape(self.base_url)}embed.js"></script>\n{self.link()}'

    def link(self) -> str:
        """Return the link alone. It works without the script as well: it then opens the booking page."""
        attributes = {"href": f"{self.base_url}{self.service}", "data-kordless-booking": self.mode}
        attributes |= {f"data-{name.replace('_', '-')}": text for name, text in self._chosen().items()}
        written = " ".join(f'{name}="{escape(text)}"' for name, text in attributes.items())
        return f"<a {written}>{escape(self.text)}</a>"

    def query(self) -> str:
        """Return the query string with which the preview page builds the same link."""
        return urlencode({"service": self.service, "mode": self.mode, "text": self.text, **self._chosen()})

    def _chosen(self) -> dict[str, str]:
        names = ["lang", "scheme", "accent", "theme", "width", "open_label"]
        # An inline widget has nothing to close.
        if self.mode != "inline":
            names.append("close_label")
        return {name: text for name in names if (text := getattr(self, name))}
