"""Visitors who all come at once, each on a connection and from an address of their own."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

from django.http import HttpResponse

from tests.processes.gunicorn_site import Served
from tests.support.deliveries import Delivery
from tests.support.visitor import HttpTransport, Visitor

R = TypeVar("R")
_houses = count(1)


def all_at_once(work: Callable[[int], R], how_many: int) -> list[R]:
    """Do `work(0)` to `work(how_many - 1)`, each in a thread, all let go in the same moment."""
    ready = Barrier(how_many)

    def run(number: int) -> R:
        ready.wait(30)
        return work(number)

    with ThreadPoolExecutor(how_many) as pool:
        return list(pool.map(run, range(how_many)))


def until(condition: Callable[[], R], *, seconds: float = 20) -> R:
    """Wait for a condition in another process, and return its value."""
    began = time.monotonic()
    while not (found := condition()):
        assert time.monotonic() - began < seconds, "the condition was not met in time"
        time.sleep(0.05)
    return found


class CutTransport(HttpTransport):
    """HTTP to a server that may be killed: a connection that breaks is a response with the status 0."""

    def send(self, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None) -> HttpResponse:
        """Send the request."""
        try:
            return super().send(url, headers, form)
        except (OSError, http.client.HTTPException) as error:
            response = HttpResponse(repr(error))
            response.status_code = 0
            return response


class Guest(Visitor):
    """A visitor without JavaScript, with an address of their own: limits for each address are not to be met."""

    def __init__(self, site: str, address: str = "") -> None:
        self.address = address or "10.{1}.{0}.7".format(*divmod(next(_houses), 250)[::-1])
        self.connection = CutTransport(site, {"X-Forwarded-For": self.address})
        super().__init__(self.connection)

    def times(self, service: str, query: str = "") -> list[str]:
        """The addresses of a service's first free times."""
        page = self.open(f"/book/{service}/{query}")
        assert page.status == 200, page.html
        return page.hrefs("a[href*='start=']")

    def fill_in(self, time_url: str, name: str = "Jane Doe") -> tuple[str, dict[str, str]]:
        """Choose a time and fill in the contact form: (address, fields), not sent yet."""
        page = self.open(time_url)
        assert page.status == 200, page.html
        _method, action, fields = page.form("Book appointment")
        email = f"{name.replace(' ', '.').lower()}@example.com"
        return urljoin(page.url, action), {**fields, "name": name, "email": email}


def counted(values: Sequence[R]) -> dict[R, int]:
    """Count how often each value occurs."""
    return {value: values.count(value) for value in set(values)}


def post(site: Served, sent: Delivery) -> tuple[int, str]:
    """Send a delivery, and return the status and the result in the body."""
    line = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=60)
    try:
        line.request("POST", "/book/webhook/", sent.body, {**sent.headers, "Content-Type": "application/json"})
        answer = line.getresponse()
        body = answer.read()
    finally:
        line.close()
    return answer.status, str(json.loads(body)["received"]) if body else ""
