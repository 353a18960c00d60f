"""One fake visitor: reads pages, follows links, sends forms, as a browser without JavaScript or as htmx does.

A transport carries the requests: Django's test client inside the process, or HTTP over a socket.
"""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlencode, urljoin, urlsplit

from django.http import HttpResponse
from django.test import Client
from selectolax.lexbor import LexborHTMLParser, LexborNode

from kordless_booking.upstream.registry import fetch_pool
from tests.support.spaces import plain_spaces

HTMX = {"HX-Request": "true", "HX-Target": "kb-stage"}
CONTROLS = "a[href], button[formaction], button[name=tz]"
"""Links, and buttons in the place of links."""
JANE = {"name": "Jane Doe", "email": "jane@example.com", "phone": "", "notes": ""}


def text_of(node: LexborNode | None) -> str:
    """The words of a node, with single spaces; nothing for no node."""
    return " ".join(node.text(separator=" ").split()) if node is not None else ""


def start_of(url: str) -> datetime:
    """The moment that a time's link stands for."""
    return datetime.fromisoformat(parse_qs(urlsplit(url).query)["start"][-1]).astimezone(UTC)


class ButtonAddress(str):
    """Address of a button that stands where there is usually a link, and posts a form."""

    fields: dict[str, str]
    """Fields of the form."""


class Page:
    """The content of a response, as a visitor reads it."""

    def __init__(self, url: str, response: HttpResponse, seconds: float = 0.0) -> None:
        self.requested_url = url
        self.url = response.headers.get("HX-Push-Url", url)
        """Address that the browser shows."""
        self.response = response
        self.seconds = seconds
        self.status = response.status_code
        self.html = response.content.decode()

    @cached_property
    def tree(self) -> LexborHTMLParser:
        """The parsed HTML. Parsed on first use: most pages of a crowd are only counted."""
        return LexborHTMLParser(self.html or "<!doctype html>")

    @property
    def text(self) -> str:
        return text_of(self.tree.root)

    @property
    def heading(self) -> str:
        return text_of(self.tree.css_first(".kb-title"))

    @property
    def alert(self) -> str:
        """The text of all error messages."""
        return " ".join(text_of(node) for node in self.tree.css("[role=alert]"))

    @property
    def query(self) -> dict[str, str]:
        """The last values of the address's query."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.url).query).items()}

    def texts(self, selector: str) -> list[str]:
        return [text_of(node) for node in self.tree.css(selector)]

    def links(self, selector: str = CONTROLS) -> dict[str, str]:
        """Accessible name to address, in reading order."""
        return {
            plain_spaces(node.attributes.get("aria-label") or "") or text_of(node): self._address(node)
            for node in self.tree.css(selector)
        }

    def hrefs(self, selector: str = CONTROLS) -> list[str]:
        """The addresses of links, in reading order."""
        return [self._address(node) for node in self.tree.css(selector)]

    def _address(self, node: LexborNode) -> str:
        if node.tag != "button":
            return node.attributes["href"] or ""
        form: LexborNode | None = node
        if name := node.attributes.get("form"):
            form = self.tree.css_first(f"form[id='{name}']")
        while form is not None and form.tag != "form":
            form = form.parent
        assert form is not None, f"no form of {node.html}"
        if name := node.attributes.get("name"):
            # Sent by GET, the form's fields and the button's own are the query.
            return f"{form.attributes['action']}?{urlencode({**_fields(form), name: node.attributes['value'] or ''})}"
        address = ButtonAddress(node.attributes["formaction"] or "")
        address.fields = _fields(form)
        return address

    def link(self, words: str) -> str:
        """The address of the first link with these words in its name."""
        return next(url for name, url in self.links().items() if words in name)

    @property
    def days(self) -> dict[str, str]:
        """The month's free days: full date to address."""
        return {
            re.sub(r", \d+ times? available.*", "", name): url
            for name, url in self.links("table a, table button").items()
        }

    @property
    def times(self) -> dict[str, str]:
        """The day's free times: label to address."""
        return self.links(".kb-times li a, .kb-times li button")

    @property
    def times_of_day(self) -> list[str]:
        """The clock times alone, without the text beside them."""
        return [plain_spaces(node.text(deep=False) or "").strip() for node in self.tree.css(".kb-times .kb-time")]

    def form(self, button: str) -> tuple[str, str, dict[str, str]]:
        """(method, action, fields as they stand) of the form with this button."""
        form = self._form(button)
        return (form.attributes.get("method") or "get").lower(), form.attributes.get("action") or "", _fields(form)

    def field_names(self, button: str) -> set[str]:
        """The names of all fields of the form with this button, also of boxes that aren't checked."""
        return {field.attributes["name"] or "" for field in self._form(button).css("[name]:not(button)")}

    def _form(self, button: str) -> LexborNode:
        for form in self.tree.css("form"):
            if button in [text_of(node) for node in form.css("button")]:
                return form
        raise AssertionError(f"no form with {button!r} in: {self.text}")

    @property
    def refresh(self) -> int | None:
        """Seconds after which a browser without JavaScript reloads the page; None for a page that stays."""
        node = self.tree.css_first('meta[http-equiv="refresh"]')
        return int((node.attributes["content"] or "").partition(";")[0]) if node is not None else None

    @property
    def number(self) -> str:
        """The confirmation number; empty on every other page."""
        return text_of(self.tree.css_first(".kb-number"))


def _fields(form: LexborNode) -> dict[str, str]:
    found: dict[str, Any] = {}
    for node in form.css("[name]:not(button)"):
        name = node.attributes["name"] or ""
        if node.attributes.get("type") in {"checkbox", "radio"} and "checked" not in node.attributes:
            continue
        # Several checked boxes of one name: a list, which is sent as several values.
        both = node.attributes.get("type") == "checkbox" and name in found
        found[name] = [*_several(found[name]), _value(node)] if both else _value(node)
    return found


def _several(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _value(field: LexborNode) -> str:
    if field.tag == "textarea":
        return (field.text() or "").removeprefix("\n").replace("\n", "\r\n")
    if field.tag == "select":
        chosen = field.css_first("option[selected]") or field.css_first("option")
        return chosen.attributes["value"] or ""
    return field.attributes.get("value") or ""


class Transport(Protocol):
    """A way to the site: sends one request and returns status, headers and body, without following redirects."""

    def send(self, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None) -> HttpResponse: ...


class ClientTransport:
    """Django's test client, inside the process of the test."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def send(self, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None) -> HttpResponse:
        """Send a GET, or with a form a POST as a browser sends it from the site's own page."""
        if form is None:
            response = self.client.get(url, headers=dict(headers))
        else:
            response = self.client.post(
                url,
                urlencode(form, doseq=True),
                content_type="application/x-www-form-urlencoded",
                headers={"Sec-Fetch-Site": "same-origin", **headers},
            )
        # Parallel fetches of the page end before the next step. Else a test that changes the sandbox or the clock in
        # between would find a late response in its cache.
        fetch_pool.join()
        return response


class HttpTransport:
    """HTTP to a running server, each request on a connection of its own.

    `headers` go along with every request; `port` is the local port of the newest connection.
    """

    def __init__(self, site: str, headers: Mapping[str, str] | None = None) -> None:
        self.site = site
        self.headers = dict(headers or {})
        self.port = 0

    def send(self, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None) -> HttpResponse:
        """Send a GET, or with a form a POST with the site's own Origin."""
        parts = urlsplit(urljoin(self.site, url))
        given = {**self.headers, **headers, "Connection": "close"}
        body = None
        if form is not None:
            body = urlencode(form, doseq=True)
            given = {
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": f"{parts.scheme}://{parts.netloc}",
                **given,
            }
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        try:
            connection.connect()
            self.port = connection.sock.getsockname()[1]
            target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            connection.request("GET" if body is None else "POST", target, body, given)
            received = connection.getresponse()
            response = HttpResponse(received.read(), status=received.status)
        finally:
            connection.close()
        for name, value in received.getheaders():
            if name.lower() == "set-cookie":
                response.cookies.load(value)
            else:
                response[name] = value
        return response


@dataclass(eq=False)
class Visitor:
    """One visit over a transport; a test client stands for the transport that is made of it.

    `headers` go along with every request, also after a redirect, as in a browser; `responses` has every response.
    `prefix` is what the site's server takes off each path before Django sees it.
    """

    transport: Transport | Client
    headers: dict[str, str] = field(default_factory=dict)
    base: str = "/book/"
    prefix: str = ""
    responses: list[Page] = field(default_factory=list)

    @property
    def client(self) -> Client:
        """Django's test client, for requests that no page leads to."""
        assert isinstance(self.transport, Client)
        return self.transport

    @property
    def page(self) -> Page:
        """The page that the visitor is on."""
        return self.responses[-1]

    def open(self, url: str, sent: dict[str, str] | None = None, **headers: str) -> Page:
        """Go to an address, with a form's fields when there are any; follows redirects."""
        page = self.once(url, sent, **headers)
        while page.status in {301, 302, 303, 307}:
            page = self.once(urljoin(page.url, page.response["Location"]))
        return page

    def once(self, url: str, sent: dict[str, str] | None = None, **headers: str) -> Page:
        """As `open`, without following a redirect."""
        if sent is None and isinstance(url, ButtonAddress):
            sent = url.fields
        if self.responses and not url.startswith("/"):
            url = urljoin(self.page.url, url)
        transport = ClientTransport(self.transport) if isinstance(self.transport, Client) else self.transport
        began = time.perf_counter()
        response = transport.send(url.removeprefix(self.prefix), {**self.headers, **headers}, sent)
        page = Page(url, response, time.perf_counter() - began)
        self.responses.append(page)
        return page

    def follow(self, words: str) -> Page:
        """Follow the first link of the page with these words in its name or address."""
        return self.open(next(url for name, url in self.page.links().items() if words in name or words in url))

    def reload(self) -> Page:
        """Ask for the page again, as it does by itself when it has to wait."""
        return self.open(self.page.url)

    def send(self, page: Page, button: str, *, once: bool = False, **answers: Any) -> Page:
        """Fill in and send the form with this button, by the form's own method and action.

        A list is the values of several checked boxes.
        """
        method, action, fields = page.form(button)
        unknown = answers.keys() - page.field_names(button)
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

    def show_last_day(self) -> Page:
        """The times of the last free day in the page's calendar.

        They can be booked, moved and canceled for some time yet. The first free time of a site on the machine's own
        clock may begin before its form is sent.
        """
        return self.open([*self.page.days.values()][-1])

    def choose_late(self, service: str = "haircut") -> Page:
        """The contact form for the first time of the last free day of a service."""
        self.open(f"{self.base}{service}/")
        return self.open(next(iter(self.show_last_day().times.values())))

    def book(self, service: str = "haircut", query: str = "", time: int = 0, **answers: Any) -> Page:
        """Choose a time, fill in the form, send it."""
        return self.send(self.choose(service, query, time), "Book appointment", **{**JANE, **answers})

    def book_late(self) -> Page:
        """Book the time of `choose_late`."""
        return self.send(self.choose_late(), "Book appointment", **JANE)

    @property
    def urls(self) -> list[str]:
        """The addresses of all requests, and those that the browser showed instead, unquoted."""
        return [unquote(url) for page in self.responses for url in dict.fromkeys((page.requested_url, page.url))]
