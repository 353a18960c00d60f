"""The table: printed, and written into docs/benchmarks.md with the machine it was made on."""

from __future__ import annotations

import os
import platform
import textwrap
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

from benchmarks.environment import ROOT
from benchmarks.simulator import tables
from benchmarks.tables import ROWS

_WIDTH = 120
PACKAGES = ("Django", "gunicorn", "granian", "uvicorn", "redis", "hiredis", "django-appointment")
"""Those whose versions a section names where it says nothing else."""
SECTIONS = ("First visits", "Peers", "Slow visitors")
"""Headings of what can be measured alone. A run that leaves one out keeps the older text."""
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
  hello faster than gunicorn, but hardly a page of 39 KB, so that ratios are lower there and may miss a target.
- *100 free slots*: the month shown has exactly a hundred free slots, five on each of twenty days. The rows
  "100 on one day" have them all on the day shown, so that the page lists a hundred times.
- *cached*: the page was requested before for the same service, time zone and language. With *one Redis round trip* each
  request reads Redis once, through redis-py with hiredis; with *in memory for a second* (`LOCAL_CACHE_SECONDS`, the
  default) Redis is read once a second.
- *uncached*: each request is for another combination of time zone, day and 12/24-hour clock, {queries} of them in turn,
  more than the response cache holds. Kordless's data is in Redis, as it is after the first visitor.
- *1 process*: a page through the whole WSGI application, with its nine middlewares and Redis, and without a server
  around it, as CPU time over hello. The bar is in microseconds, because a cheaper hello is no dearer page; it was set
  on a machine on which hello takes 150. Cached in memory, a page may add a third of hello; through Redis, one round
  trip more, which *hello that reads Redis once* shows alone; never asked for, what filling skeletons takes. Each time
  zone was met once before, as a worker meets them in its first hours. A list of 1,000 services, a contact form that
  nobody has typed into, and the page of all time zones may take no longer than a visitor of a small server would
  notice.
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

## Embedding pages

In Chromium, the build before and this one side by side in one run (2026-11-29, on a machine that was busy with other
work); not part of `make bench`.

| Measurement | Before | Now | Target |
|---|---|---|---|
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
    sections: dict[str, str] = field(default_factory=dict)
    """Sections by heading, which follow the table and its explanations."""
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    def add(self, what: str, server: str, found: str, wanted: str = "", holds: bool | None = None) -> None:
        """One more line, printed at once."""
        self.bars.append(Bar(what, server, found, wanted, holds))
        print(f"{what:58} {server:12} {found:34} {wanted:14} {MARKS[holds].strip('*')}", flush=True)

    def with_sections(self, page: str) -> str:
        """Return the page with the sections of this run, each in the place of the older one of its heading."""
        for heading, text in self.sections.items():
            page = replace_section(page, heading, text)
        return page

    def read(self) -> str:
        """Return the page in docs/ as it is."""
        return (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")

    def write(self, page: str) -> None:
        """Write the page in docs/."""
        (ROOT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")

    def page(self, *, connections: int, rounds: int, queries: int) -> str:
        """Return the page in docs/ as markdown."""
        rows = ["| Measurement | Server | Result | Target | |", "|---|---|---|---|---|"]
        rows += [
            f"| {bar.what} | {bar.server} | {bar.found} | {bar.wanted} | {MARKS[bar.holds]} |" for bar in self.bars
        ]
        page = PAGE.format(
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
        older = self.read()
        for heading in SECTIONS:
            if text := find_section(older, heading):
                page = replace_section(page, heading, text)
        return self.with_sections(page)


def find_section(page: str, heading: str) -> str:
    """Return the text below `## heading` in a Markdown page, or "" where it has no such section."""
    return f"\n{page}".partition(f"\n## {heading}\n")[2].partition("\n## ")[0].strip()


def replace_section(page: str, heading: str, text: str) -> str:
    """Return the Markdown page with this text below `## heading`, added at the end where there was none.

    A section ends at the next heading of its level.
    """
    before, _, after = f"\n{page}".partition(f"\n## {heading}\n")
    _, following, rest = after.partition("\n## ")
    rest = following + rest
    return f"{before.rstrip()}\n\n## {heading}\n\n{text.strip()}\n{rest}".removeprefix("\n")


def section_text(about: str, lines: list[str], packages: tuple[str, ...] = PACKAGES) -> str:
    """Return the text of a section: when and where it was measured, what it says, and the lines of its table."""
    measured = f"Measured on {datetime.now(UTC):%Y-%m-%d}: {_machine(packages)}; load average {os.getloadavg()[0]:.1f}."
    paragraphs = [textwrap.fill(" ".join(each.split()), _WIDTH, break_on_hyphens=False) for each in (measured, about)]
    return "\n\n".join([*paragraphs, "\n".join(lines)])


def _machine(packages: tuple[str, ...] = PACKAGES) -> str:
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {versions}"
