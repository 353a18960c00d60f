"""Visitors who come at their own pace, not when the last one is served."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Came:
    """One visitor: the status (0 is no answer) and how long the page took."""

    status: int
    seconds: float
    text: str


def come(site: str, path_of: Callable[[int], str], *, visitors: int, within: float) -> list[Came]:
    """Let so many come evenly within so many seconds, each on a connection of their own."""
    begin = time.monotonic() + 0.2

    def visit(number: int) -> Came:
        time.sleep(max(0.0, begin + within * number / visitors - time.monotonic()))
        return ask(site, path_of(number))

    threading.stack_size(256 * 1024)
    with ThreadPoolExecutor(min(visitors, 400)) as pool:
        return list(pool.map(visit, range(visitors)))


def ask(site: str, path: str, method: str = "GET", body: str | None = None) -> Came:
    """One request, as a browser without JavaScript would make it."""
    parts = urlsplit(site)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    began = time.monotonic()
    try:
        headers = {"Connection": "close", "Sec-Fetch-Site": "same-origin"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        line.request(method, path, body, headers)
        response = line.getresponse()
        text = response.read().decode()
        return Came(response.status, time.monotonic() - began, response.headers.get("Location") or text)
    except (OSError, http.client.HTTPException):
        return Came(0, time.monotonic() - began, "")
    finally:
        line.close()
