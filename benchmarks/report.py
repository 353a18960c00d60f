"""The table: printed, and written into docs/benchmarks.md with the machine it was made on."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

from benchmarks.environment import ROOT

MARKS = {True: "holds", False: "**does not hold**", None: ""}
PAGE = """# Benchmarks

Made by `make bench` on {when}: {machine}.

Servers, wrk, Redis and the sandbox share these cores; the load average was {load:.1f} when it began, so the machine was
{otherwise}. Only ratios within one run mean anything; on another machine the rates differ, the ratios hardly.

{table}

## What is measured

- *hello* is a Django view that answers `hello` behind the same nine middlewares, in the same process. All pages are
  whole pages, asked for by wrk over {connections} connections; each ratio is the median of {rounds} rounds, in each of
  which all are measured one after the other. CPU is what the workers used for a request; the ratio by CPU is less
  disturbed by whatever else the machine does.
  The bars are the same under both servers. Granian answers hello's five bytes quicker than gunicorn, and a page of
  13 KB hardly, so that ratios are lower there and may miss a bar.
- *100 free slots in view*: the month shown has exactly a hundred free slots, five on each of twenty days. The rows
  "100 on one day" have them all on the day shown, so that the page lists a hundred times.
- *asked before*: somebody asked for the same service, zone and language. Redis is asked on each request, once; with
  one second of memory (`LOCAL_CACHE_SECONDS`, the default) once a second.
- *never asked before*: each request in another combination of zone, day and way to write the hours, {queries} of them
  in turn, more than any page memory holds. Kordless's data lies in Redis, as it does after the first visitor.
- *django-appointment* answers its available-slots request (JSON, one day) behind the same middlewares from SQLite,
  with one service, one staff member and four appointments on that day. It is compared with our page asked before,
  with one second of memory: a whole month and the times of a day.
- Crowds come at their own pace, each visitor on a connection of their own, to two gunicorn processes with threads.
  The sandbox keeps Kordless's limits: 60 requests a minute, 10 of them creations. A key is a service and a party size.
- Deliveries are signed and come at a steady rate, each of a new booking on a connection of its own, to two gunicorn
  processes. They are written into SQLite, which lets one writer in, by connections that are kept (`CONN_MAX_AGE`).
"""


@dataclass(frozen=True)
class Bar:
    """One line: what, under which server, what was found, what is asked for, and whether it holds."""

    what: str
    server: str
    found: str
    wanted: str = ""
    holds: bool | None = None


@dataclass
class Report:
    """Bars in the order in which they were measured."""

    bars: list[Bar] = field(default_factory=list)
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    def add(self, what: str, server: str, found: str, wanted: str = "", holds: bool | None = None) -> None:
        """One more line, printed at once."""
        self.bars.append(Bar(what, server, found, wanted, holds))
        print(f"{what:58} {server:12} {found:34} {wanted:14} {MARKS[holds].strip('*')}", flush=True)

    def write(self, *, connections: int, rounds: int, queries: int) -> None:
        """The page in docs/."""
        rows = ["| what | server | found | bar | |", "|---|---|---|---|---|"]
        rows += [
            f"| {bar.what} | {bar.server} | {bar.found} | {bar.wanted} | {MARKS[bar.holds]} |" for bar in self.bars
        ]
        page = PAGE.format(
            when=f"{datetime.now(UTC):%Y-%m-%d}",
            machine=_machine(),
            load=self.load,
            otherwise="busy with other things too" if self.load > (os.cpu_count() or 1) / 2 else "otherwise idle",
            table="\n".join(rows),
            connections=connections,
            rounds=rounds,
            queries=f"{queries:,}",
        )
        (ROOT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")


def _machine() -> str:
    packages = ("Django", "gunicorn", "granian", "redis", "django-appointment")
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {versions}"
