"""A visitor who books by the forms, while a crowd is looking."""

from __future__ import annotations

import re
import time
from html import unescape
from urllib.parse import urlencode

from benchmarks.crowds import address_of, ask
from benchmarks.world import month_in_view

_FORM = re.compile(r'<form[^>]*method="post"[^>]*>.*?</form>', re.DOTALL)
_ACTION = re.compile(r'action="([^"]*)"')
_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')
_FIELD = re.compile(r'(name|value)="([^"]*)"')


def book_throughout(site: str, mount: str, *, times: int, every: float) -> list[int]:
    """Book so many times, so many seconds apart; the last status of each."""
    found = []
    for number in range(times):
        began = time.monotonic()
        found.append(_book(site, mount, f"{month_in_view():%Y%m}{number + 1:02}T120000Z", number))
        time.sleep(max(0.0, every - (time.monotonic() - began)))
    return found


def _book(site: str, mount: str, start: str, number: int) -> int:
    address = address_of(-number - 1)
    begun = ask(site, f"/{mount}/month/contact/?start={start}", address=address)
    if begun.status != 303:
        return begun.status
    page = ask(site, begun.text, address=address)
    if page.status != 200 or _FORM.search(page.text) is None:
        return page.status
    where, fields = form_of(page.text, begun.text)
    fields |= {"name": f"Visitor {number}", "email": f"visitor{number}@example.com"}
    return ask(site, where, "POST", urlencode(fields), address=address).status


def form_of(html: str, url: str) -> tuple[str, dict[str, str]]:
    """Return the action of a page's first form that posts, and its hidden fields. `url` is that of the page."""
    form = _FORM.search(html)
    if form is None:
        raise LookupError("no form that posts")
    action = _ACTION.search(form[0])
    return unescape(action[1]) if action else url, dict(_named(found) for found in _HIDDEN.findall(form[0]))


def _named(tag: str) -> tuple[str, str]:
    given = dict(_FIELD.findall(tag))
    return given["name"], unescape(given.get("value", ""))
