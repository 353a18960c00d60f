"""Visitors who come at their own pace, not when the last one is served, each from an address of their own."""

from __future__ import annotations

import heapq
import http.client
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from ipaddress import IPv4Address
from queue import Empty, SimpleQueue
from urllib.parse import urljoin, urlsplit

from benchmarks.load import BROWSER

PATIENCE_SECONDS = 300.0
"""Seconds after which a visitor who still waits counts as turned away."""
_THREADS = 400
_REFRESH = re.compile(r'<meta http-equiv="refresh" content="(\d+)(?:; *url=([^"]*))?"')
_TIMES = 'data-kb-step="slot"'


@dataclass(frozen=True)
class Came:
    """One visitor: the status (0 is no answer) and how long the page took."""

    status: int
    seconds: float
    text: str

    @property
    def shows_times(self) -> bool:
        """True for the page of times, as opposed to a page that asks for patience."""
        return self.status == 200 and _TIMES in self.text

    @property
    def reload(self) -> tuple[int, str] | None:
        """Seconds after which a browser reloads the page, and the address if it is another one; None if it stays."""
        found = _REFRESH.search(self.text)
        return (int(found[1]), unescape(found[2] or "")) if found else None


@dataclass(frozen=True)
class Stay:
    """One visitor from coming to the page of times, or to giving up."""

    served: bool
    seconds: float
    """From coming to the end of the last page."""
    pages: int
    status: int
    """Status of the last page."""


def address_of(number: int) -> str:
    """Return the client address of a visitor."""
    return str(IPv4Address(0x0A800000 + number))


def come(site: str, path_of: Callable[[int], str], *, visitors: int, within: float) -> list[Came]:
    """Let so many come evenly within so many seconds, each on a connection of their own."""
    begin = time.monotonic() + 0.2

    def visit(number: int) -> Came:
        time.sleep(max(0.0, begin + within * number / visitors - time.monotonic()))
        return ask(site, path_of(number), address=address_of(number))

    with _pool(min(visitors, _THREADS)) as pool:
        return list(pool.map(visit, range(visitors)))


def come_and_wait(site: str, visits: Sequence[tuple[float, str]]) -> list[Stay]:
    """Let visitors come at these seconds to these paths, and reload as often as the page tells their browser to.

    A page that says nothing of a reload ends the stay, as it does in a browser.
    """
    begin = time.monotonic() + 0.2 - min(at for at, _path in visits)
    # Who waits needs no thread: the pool is for the requests alone.
    due = [(begin + at, number, path, 1) for number, (at, path) in enumerate(visits)]
    heapq.heapify(due)
    arrived: SimpleQueue[tuple[int, str, int, Came]] = SimpleQueue()
    stays: dict[int, Stay] = {}

    def visit(number: int, path: str, pages: int) -> None:
        arrived.put((number, path, pages, ask(site, path, address=address_of(number))))

    with _pool(_THREADS) as pool:
        while len(stays) < len(visits):
            while due and due[0][0] <= time.monotonic():
                _at, number, path, pages = heapq.heappop(due)
                pool.submit(visit, number, path, pages)
            pause = due[0][0] - time.monotonic() if due else 1.0
            try:
                number, path, pages, came = arrived.get(timeout=max(0.001, min(pause, 1.0)))
            except Empty:
                continue
            seconds = time.monotonic() - begin - visits[number][0]
            reload = None if came.shows_times or seconds > PATIENCE_SECONDS else came.reload
            if reload is None:
                stays[number] = Stay(came.shows_times, seconds, pages, came.status)
            else:
                after, url = reload
                heapq.heappush(due, (time.monotonic() + after, number, urljoin(path, url) if url else path, pages + 1))
    return [stays[number] for number in range(len(visits))]


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads with small stacks, because there are hundreds."""
    before = threading.stack_size(256 * 1024)
    try:
        with ThreadPoolExecutor(threads) as pool:
            yield pool
    finally:
        threading.stack_size(before)


def ask(site: str, path: str, method: str = "GET", body: str | None = None, *, address: str = "10.127.0.1") -> Came:
    """One request, as a browser without JavaScript would make it, from this client address."""
    parts = urlsplit(site)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    began = time.monotonic()
    try:
        headers = {"Connection": "close", "Sec-Fetch-Site": "same-origin", "User-Agent": BROWSER}
        # The site trusts one proxy, and what stands here is what that one says.
        headers["X-Forwarded-For"] = address
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        line.request(method, path, body, headers)
        response = line.getresponse()
        text = response.read().decode(errors="replace")
        return Came(response.status, time.monotonic() - began, response.headers.get("Location") or text)
    except (OSError, http.client.HTTPException):
        return Came(0, time.monotonic() - began, "")
    finally:
        line.close()
