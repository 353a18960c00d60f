"""The table: printed, and written into docs/benchmarks.md with the machine it was made on."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

from benchmarks.environment import ROOT
from benchmarks.simulator import tables
from benchmarks.tables import ROWS

MARKS = {True: "met", False: "**missed**", None: ""}
PAGE = """# Benchmarks

Measured by `make bench` on {when}: {machine}.

Servers, wrk, Redis and the sandbox share these cores; the load average was {load:.1f} at the start, so the machine was
{otherwise}. Only ratios within one run are meaningful: on another machine the rates differ, the ratios hardly do.

{table}

## What is measured

- *hello* is a Django view that returns `hello` behind the same nine middlewares, in the same process. All pages are
  whole pages, requested by wrk over {connections} connections; each ratio is the median of {rounds} rounds, in each of
  which all are measured one after the other. CPU is the CPU time of the workers per request; the ratio by CPU is less
  affected by other work on the machine. The targets are the same under both servers. Granian serves the five bytes of
  hello faster than gunicorn, but hardly a page of 13 KB, so that ratios are lower there and may miss a target.
- *100 free slots*: the month shown has exactly a hundred free slots, five on each of twenty days. The rows
  "100 on one day" have them all on the day shown, so that the page lists a hundred times.
- *cached*: the page was requested before for the same service, time zone and language. With *one Redis round trip* each
  request reads Redis once; with *in memory for a second* (`LOCAL_CACHE_SECONDS`, the default) Redis is read once a
  second.
- *uncached*: each request is for another combination of time zone, day and 12/24-hour clock, {queries} of them in turn,
  more than the response cache holds. Kordless's data is in Redis, as it is after the first visitor.
- *1 process*: a page through the whole WSGI application, with its nine middlewares and Redis, and without a server
  around it, as CPU time over hello. The bar is in microseconds, because a cheaper hello is no dearer page. Cached in
  memory, a page may add a third of hello; through Redis, one round trip more; never asked for, what filling skeletons
  takes. A list of 1,000 services, a contact form that nobody has typed into, and the page of all time zones may take no
  longer than a visitor of a small server would notice.
- *django-appointment* answers its available-slots request (JSON, one day) behind the same middlewares from SQLite,
  with one service, one staff member and four appointments on that day. It is compared with our cached page, in memory
  for a second: a whole month and the times of a day.
- Crowds arrive at a given rate, each visitor on a connection of their own, at two gunicorn processes with threads. The
  sandbox enforces Kordless's limits: 60 requests a minute, 10 of them creations. A key is a service and a party size.
- Visitors who wait (1,000 of them over 100 services and three months, windows of 60 days) each have an address of their
  own and reload as their page tells the browser to, without JavaScript. A page without a reload turns them away. Beside
  the measured share stands that of the simulator for the same crowd, and the difference in points. On a busy machine
  pages take longer than the simulator says, and fewer are within 4 s.
- Filled tables have {rows} rows each of attempts, deliveries, projections, appointments and mails. Whole requests
  through Django's test client in one process, on a sandbox inside it; medians of the CPU time, which other work on the
  machine hardly changes.
- Deliveries are signed and arrive at a constant rate, each of a new booking on a connection of its own, at two gunicorn
  processes. They are written into SQLite, which allows one writer, over persistent connections (`CONN_MAX_AGE`).

## First visits and embedding pages

In Chromium, the build before and this one side by side in one run (2026-11-29, on a machine that was busy with other
work); not part of `make bench`. Slow 4G is 1.6 Mbit/s and 150 ms, on a processor four times slower, 390 px wide.

| Measurement | Before | Now | Target |
|---|---|---|---|
| largest paint of a service's times, slow 4G, median of 8 | 986 ms | 730 ms | 15% less |
| the same, the best of 8 | 736 ms | 628 ms | 15% less |
| responses until the times are shown | 4 | 2 | <= 4 |
| bodies until the times are shown, gzip | 30.7 KB | 14.5 KB | <= 27 KB |
| bodies with htmx, which comes at the first sign of the visitor or after two idle seconds | 30.7 KB | 31.1 KB |  |
| 1,000 changes of a page of 15,000 elements with one widget, at best | 58 ms | 5 ms | <= 60 ms |

## Simulated

What each rule between visitors and the quota of 60 requests a minute is worth, by `python -m benchmarks.simulator`:
{about_simulated}

{simulated}
"""
ABOUT_SIMULATED = """the same crowds in virtual time, without a machine's own limits. *At once* is within 4 seconds; the
fourth column is when 95 of 100 visitors had the page. In the second table, each cell is the share at once with this
rule alone, and the share at once and the wait with all others. The third is a site where nothing is short, and the last
shows other quotas, with all rules."""


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

    def write(self, page: str) -> None:
        """Write the page in docs/."""
        (ROOT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")

    def page(self, *, connections: int, rounds: int, queries: int) -> str:
        """Return the page in docs/ as markdown."""
        rows = ["| Measurement | Server | Result | Target | |", "|---|---|---|---|---|"]
        rows += [
            f"| {bar.what} | {bar.server} | {bar.found} | {bar.wanted} | {MARKS[bar.holds]} |" for bar in self.bars
        ]
        return PAGE.format(
            when=f"{datetime.now(UTC):%Y-%m-%d}",
            machine=_machine(),
            load=self.load,
            otherwise="also busy with other work" if self.load > (os.cpu_count() or 1) / 2 else "otherwise idle",
            table="\n".join(rows),
            connections=connections,
            rounds=rounds,
            queries=f"{queries:,}",
            rows=f"{ROWS:,}",
            about_simulated=ABOUT_SIMULATED,
            simulated=tables(),
        )


def _machine() -> str:
    packages = ("Django", "gunicorn", "granian", "redis", "django-appointment")
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {versions}"
