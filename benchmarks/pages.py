"""Cost of each page in one process, in microseconds of CPU over a view that answers hello.

`python -m benchmarks.pages` prints JSON: by page, the median microseconds of CPU. Requests go through the whole WSGI
application, with its nine middlewares and Redis, and without a server around it. All pages are measured in turns: so
each gets its share of whatever else the machine does.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from statistics import median
from typing import Any

from benchmarks.load import BROWSER, distinct_queries
from benchmarks.world import month_in_view

SETTINGS = "benchmarks.site.pages"
HELLO = "hello"
HELLO_WITH_REDIS = "hello that reads Redis once"
ROUNDS = 40
BARS = {
    "slot page, cached in memory": (50, "added"),
    "slot page, cached, one Redis round trip": (170, "added"),
    "slot page, uncached": (800, "added"),
    "list of 1,000 services, uncached": (15, "ms"),
    "contact form": (15, "ratio"),
    "zone page, uncached": (25, "ratio"),
}
"""Bars of the pages: microseconds over hello, milliseconds, or times hello."""
_BATCH = 20
"""Requests of a page in a row: with fewer, each would begin with the processor's caches full of another page."""


class _Site:
    """The WSGI application in this process, as a server calls it."""

    def __init__(self) -> None:
        from benchmarks.site.wsgi import application  # noqa: PLC0415 (needs settings)

        self._application: Any = application

    def get(self, url: str) -> tuple[str, dict[str, str], bytes]:
        """Return status, headers and body."""
        path, _, query = url.partition("?")
        environ = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_USER_AGENT": BROWSER,
            "HTTP_ACCEPT": "text/html",
            "HTTP_ACCEPT_LANGUAGE": "en-US,en;q=0.9",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        started: list[Any] = []
        response = self._application(environ, lambda status, headers, error=None: started.append((status, headers)))
        body = b"".join(response)
        response.close()
        status, headers = started[-1]
        return status, dict(headers), body


def _pages(site: _Site) -> dict[str, Iterator[str]]:
    """Return for each page the URLs that are requested, one after another."""
    month = month_in_view()
    queries = distinct_queries(month)
    zones = list(dict.fromkeys(query.partition("&")[0] for query in queries))
    start = f"{month:%Y%m}02T080000Z"
    status, headers, _ = site.get(f"/memory/day/contact/?start={start}")
    if not status.startswith("303"):
        raise RuntimeError(f"no contact form: {status}")
    # A worker meets every time zone in its first hours, and reads its file once.
    for zone in zones:
        _expect(site.get(f"/memory/month/{zone}"))
    # Each list in its own order of zones, so that none is made of what another has just cached.
    return {
        HELLO: cycle(["/hello"]),
        HELLO_WITH_REDIS: cycle(["/hello-with-redis"]),
        "slot page, cached in memory": cycle([f"/memory/month/?month={month:%Y-%m}"]),
        "slot page, cached, one Redis round trip": cycle([f"/redis/month/?month={month:%Y-%m}"]),
        "slot page, uncached": cycle([f"/memory/month/{query}" for query in queries]),
        "list of 1,000 services, uncached": cycle([f"/wide/{zone}" for zone in zones]),
        "contact form": cycle([headers["Location"]]),
        "zone page, uncached": cycle([f"/memory/month/zone/{zone}" for zone in reversed(zones)]),
    }


def measure_all(site: _Site, *, rounds: int, only: str = "") -> dict[str, float]:
    """Return the median microseconds of CPU of each page whose name has `only`, and of hello with and without Redis."""
    pages = {name: urls for name, urls in _pages(site).items() if only in name or name.startswith(HELLO)}
    found: dict[str, list[float]] = {name: [] for name in pages}
    # What is compiled and cached by the first requests isn't measured.
    for number in range(-1, rounds):
        for name, urls in pages.items():
            batch = [next(urls) for _ in range(_BATCH if "1,000" not in name else 3)]
            took = [_microseconds(lambda url=url: _expect(site.get(url))) for url in batch]  # type: ignore[misc]
            if number >= 0:
                found[name] += took
    return {name: median(each) for name, each in found.items()}


def _expect(answer: tuple[str, dict[str, str], bytes]) -> None:
    status, _, body = answer
    if not status.startswith("200"):
        raise RuntimeError(f"{status} instead of 200: {body[:300]!r}")


def _microseconds(work: Callable[[], None]) -> float:
    # CPU time: what else the machine does must not count.
    began = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - began) / 1000


def main() -> None:
    """Measure the pages of a site that begins with empty caches."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="pages whose names have this text")
    given = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    import django  # noqa: PLC0415 (needs settings)

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 (needs settings)

    call_command("migrate", verbosity=0)
    print(json.dumps(measure_all(_Site(), rounds=given.rounds, only=given.only)))


if __name__ == "__main__":
    main()
