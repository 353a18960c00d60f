"""Visitors who all come at once, each on a connection and from an address of their own."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html import unescape
from itertools import count
from threading import Barrier
from typing import TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from tests.processes.gunicorn_site import Served
from tests.support.deliveries import Delivery
from tests.support.http_visitor import Form, Reading

R = TypeVar("R")
_houses = count(1)
REFRESH = re.compile(r'http-equiv="refresh" content="(\d+)"')
NUMBER = re.compile(r"kb-number[^>]*>\s*([A-Z0-9_-]+)")


@dataclass(frozen=True)
class Answer:
    """A page, where it stands, and how long it took in seconds. `status` 0 is no answer, but an error."""

    url: str
    status: int
    html: str
    seconds: float
    location: str = ""

    @property
    def refresh(self) -> int | None:
        """In how many seconds it asks again by itself, without JavaScript."""
        found = REFRESH.search(self.html)
        return int(found[1]) if found else None

    @property
    def number(self) -> str | None:
        """The confirmation number on it."""
        found = NUMBER.search(self.html)
        return found[1] if found else None


def all_at_once(work: Callable[[int], R], how_many: int) -> list[R]:
    """Do `work(0)` to `work(how_many - 1)`, each in a thread, all let go in the same moment."""
    ready = Barrier(how_many)

    def run(number: int) -> R:
        ready.wait(30)
        return work(number)

    with ThreadPoolExecutor(how_many) as pool:
        return list(pool.map(run, range(how_many)))


def until(condition: Callable[[], R], *, seconds: float = 20) -> R:
    """Wait for something that happens in another process; gives what was waited for."""
    began = time.monotonic()
    while not (found := condition()):
        assert time.monotonic() - began < seconds, "waited in vain"
        time.sleep(0.05)
    return found


@dataclass
class Guest:
    """A visitor without JavaScript, who keeps the last answer."""

    site: str
    address: str = field(default_factory=lambda: "10.{1}.{0}.7".format(*divmod(next(_houses), 250)[::-1]))
    seen: list[Answer] = field(default_factory=list)
    port: int = 0
    """Where the newest connection comes from."""

    @property
    def last(self) -> Answer:
        """Where the visitor stands."""
        return self.seen[-1]

    def open(self, url: str, sent: dict[str, str] | None = None, *, redirects: int = 5) -> Answer:
        """Go to an address, with a form's fields when there are any, and on to where that leads."""
        url = urljoin(self.seen[-1].url if self.seen else self.site, url)
        answer = self._exchange(url, sent)
        self.seen.append(answer)
        if answer.location and redirects:
            return self.open(answer.location, redirects=redirects - 1)
        return answer

    def _exchange(self, url: str, sent: dict[str, str] | None) -> Answer:
        parts = urlsplit(url)
        line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        headers = {"X-Forwarded-For": self.address, "Connection": "close"}
        body = None
        if sent is not None:
            body = urlencode(sent)
            headers |= {"Origin": self.site, "Content-Type": "application/x-www-form-urlencoded"}
        began = time.perf_counter()
        try:
            line.connect()
            self.port = line.sock.getsockname()[1]
            line.request("GET" if body is None else "POST", url[len(self.site) :], body, headers)
            response = line.getresponse()
            html, status = response.read().decode(), response.status
            location = response.headers.get("Location", "")
        except (OSError, http.client.HTTPException) as error:
            html, status, location = repr(error), 0, ""
        finally:
            line.close()
        return Answer(url, status, html, time.perf_counter() - began, location)

    def times(self, service: str, query: str = "") -> list[str]:
        """The addresses of a service's first free times."""
        page = self.open(f"/book/{service}/{query}")
        assert page.status == 200, page.html
        return [link.url for link in Reading(page.html).links if "start=" in link.url]

    def fill_in(self, time_url: str, name: str = "Jane Doe") -> tuple[str, dict[str, str]]:
        """Choose a time and fill in the contact form: (where to send it, what)."""
        page = self.open(time_url)
        assert page.status == 200, page.html
        form = self._form(page, "Book")
        email = f"{name.replace(' ', '.').lower()}@example.com"
        return urljoin(page.url, unescape(form.action)), {**form.fields, "name": name, "email": email}

    def look_up(self, number: str, contact: str) -> Answer:
        """Find a booking on the manage page."""
        page = self.open("/book/manage/")
        form = self._form(page, "Find")
        filled = {**form.fields, "number": number, "contact": contact}
        return self.open(form.action, {name: value for name, value in filled.items() if name in form.fields})

    def reload(self) -> Answer:
        """What the page does by itself when it asks again."""
        return self.open(self.last.url)

    @staticmethod
    def _form(page: Answer, button: str) -> Form:
        return next(form for form in Reading(page.html).forms if button in form.button)


def counted(values: Sequence[R]) -> dict[R, int]:
    """How often each value is there."""
    return {value: values.count(value) for value in set(values)}


def post(site: Served, sent: Delivery) -> tuple[int, str]:
    """The status, and what became of it."""
    line = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=60)
    try:
        line.request("POST", "/book/webhook/", sent.body, {**sent.headers, "Content-Type": "application/json"})
        answer = line.getresponse()
        body = answer.read()
    finally:
        line.close()
    return answer.status, str(json.loads(body)["received"]) if body else ""
