"""A visitor made of Django's test client: reads pages, follows links, sends forms, as a browser or as htmx does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlencode, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from kordless_booking.upstream.registry import fetch_pool

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.test import Client

HTMX = {"HX-Request": "true", "HX-Target": "kb-stage"}
JANE = {"name": "Jane Doe", "email": "jane@example.com", "phone": "", "notes": ""}


def text_of(node: LexborNode | None) -> str:
    """The words of a node, with single spaces; nothing for no node."""
    return " ".join(node.text(separator=" ").split()) if node is not None else ""


def start_of(url: str) -> datetime:
    """The moment that a time's link stands for."""
    return datetime.strptime(url.rpartition("start=")[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


class Page:
    """What an answer holds for a visitor."""

    def __init__(self, url: str, response: HttpResponse) -> None:
        self.url = url
        self.response = response
        self.status = response.status_code
        self.html = response.content.decode()
        self.tree = LexborHTMLParser(self.html or "<!doctype html>")

    @property
    def text(self) -> str:
        return text_of(self.tree.root)

    @property
    def heading(self) -> str:
        return text_of(self.tree.css_first(".kb-title"))

    @property
    def alert(self) -> str:
        """What is said aloud because it went wrong."""
        return " ".join(text_of(node) for node in self.tree.css("[role=alert]"))

    @property
    def query(self) -> dict[str, str]:
        """The last values of the address's query."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.url).query).items()}

    def texts(self, selector: str) -> list[str]:
        return [text_of(node) for node in self.tree.css(selector)]

    def links(self, selector: str = "a[href]") -> dict[str, str]:
        """Accessible name to address, in reading order."""
        return {
            node.attributes.get("aria-label") or text_of(node): node.attributes["href"] or ""
            for node in self.tree.css(selector)
        }

    def link(self, words: str) -> str:
        """The address of the first link with these words in its name."""
        return next(url for name, url in self.links().items() if words in name)

    @property
    def days(self) -> dict[str, str]:
        """The month's free days: full date to address."""
        return {re.sub(r", \d+ times? free.*", "", name): url for name, url in self.links("table a").items()}

    @property
    def times(self) -> dict[str, str]:
        """The day's free times: what stands on them to address."""
        return self.links(".kb-times a")

    @property
    def times_of_day(self) -> list[str]:
        """The clock times alone, without what is said beside them."""
        return [(node.text(deep=False) or "").strip() for node in self.tree.css(".kb-times a")]

    def form(self, button: str) -> tuple[str, str, dict[str, str]]:
        """(method, action, fields as they stand) of the form with this button."""
        for form in self.tree.css("form"):
            if button in [text_of(node) for node in form.css("button")]:
                return (
                    (form.attributes.get("method") or "get").lower(),
                    form.attributes.get("action") or "",
                    {field.attributes["name"] or "": _value(field) for field in form.css("[name]")},
                )
        raise AssertionError(f"no form with {button!r} in: {self.text}")

    @property
    def number(self) -> str:
        return text_of(self.tree.css_first(".kb-number"))


def _value(field: LexborNode) -> str:
    if field.tag == "textarea":
        return (field.text() or "").removeprefix("\n").replace("\n", "\r\n")
    if field.tag == "select":
        return field.css_first("option[selected]").attributes["value"] or ""
    return field.attributes.get("value") or ""


@dataclass
class Walk:
    """One visit. `headers` go along with every request, also after a redirect, as in a browser; `seen` has it all.

    `prefix` is what the site's server takes off each path before Django sees it.
    """

    client: Client
    headers: dict[str, str] = field(default_factory=dict)
    base: str = "/book/"
    prefix: str = ""
    seen: list[Page] = field(default_factory=list)

    def open(self, url: str, sent: dict[str, str] | None = None, **headers: str) -> Page:
        """Go to an address, with a form's fields when there are any; follows redirects."""
        page = self.once(url, sent, **headers)
        while page.status in {301, 302, 303, 307}:
            page = self.once(urljoin(page.url, page.response["Location"]))
        return page

    def once(self, url: str, sent: dict[str, str] | None = None, **headers: str) -> Page:
        """As `open`, but stands still at a redirect."""
        given = {**self.headers, **headers}
        path = url.removeprefix(self.prefix)
        if sent is None:
            response = self.client.get(path, headers=given)
        else:
            response = self.client.post(
                path,
                urlencode(sent),
                content_type="application/x-www-form-urlencoded",
                headers={"Sec-Fetch-Site": "same-origin", **given},
            )
        # Parallel fetches of the page end before the next step. Else a test that changes the sandbox or the clock in
        # between would find a late response in its cache.
        fetch_pool.join()
        page = Page(url, response)
        self.seen.append(page)
        return page

    def send(self, page: Page, button: str, *, once: bool = False, **answers: str) -> Page:
        """Fill in and send the form with this button, as the page says."""
        method, action, fields = page.form(button)
        unknown = answers.keys() - fields.keys()
        assert not unknown, f"the form has no {unknown}"
        filled = {**fields, **answers}
        go = self.once if once else self.open
        if method == "post":
            return go(action, filled)
        return go(f"{action.split('?')[0]}?{urlencode(filled)}")

    def choose(self, service: str = "haircut", query: str = "", time: int = 0) -> Page:
        """The contact form for one of the first free times of a service."""
        page = self.open(f"{self.base}{service}/{query}")
        return self.open(list(page.times.values())[time])

    def book(self, service: str = "haircut", query: str = "", time: int = 0, **answers: str) -> Page:
        """Choose a time, fill in the form, send it."""
        return self.send(self.choose(service, query, time), "Book appointment", **{**JANE, **answers})

    @property
    def urls(self) -> list[str]:
        """Every address that was gone to, unquoted."""
        return [unquote(page.url) for page in self.seen]
