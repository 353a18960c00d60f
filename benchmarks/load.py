"""Throughput, by wrk, and what each request cost the workers."""

from __future__ import annotations

import random
import re
import subprocess
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

from benchmarks.running import Site
from benchmarks.world import DAYS_IN_VIEW

CONNECTIONS = 16
_FAILED = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: connect (\d+), read (\d+), write (\d+)")


@dataclass(frozen=True)
class Measured:
    """Requests a second, CPU milliseconds of the workers for each, and how many got no page."""

    rate: float
    cpu: float
    requests: int
    failed: int


BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
"""So that what is measured is counted in the funnel too: without a name it would pass for a robot."""


def measure(site: Site, path: str, *, seconds: int, script: Path | None = None, headers: str = "") -> Measured:
    """Ask for one path, or for those of a script, as fast as the site answers."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s"]
    command += ["-s", str(script)] if script else []
    command += ["-H", f"User-Agent: {BROWSER}", *(["-H", headers] if headers else [])]
    before = site.cpu_seconds()
    said = subprocess.run(  # noqa: S603 (ours)
        [*command, f"{site.url}{path}"], check=True, capture_output=True, text=True
    ).stdout
    used = site.cpu_seconds() - before
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]  # wrk always says so
    requests = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]  # as above
    failed = sum(int(number or 0) for found in _FAILED.findall(said) for number in (found[0], found[1], found[3]))
    return Measured(rate, used / max(requests, 1) * 1000, requests, failed)


def distinct_queries(month: date) -> list[str]:
    """Queries that no visitor has asked before: every zone, way to write the hours, and day, shuffled."""
    zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc", "posix")))
    queries = [
        f"?tz={zone}&day={month:%Y-%m}-{day:02}{hours}"
        for zone in zones
        for day in range(2, DAYS_IN_VIEW)
        for hours in ("", "&hours=12", "&hours=24")
    ]
    random.Random(20261122).shuffle(queries)  # noqa: S311 (the same order in every run)
    return queries


def script_for(path: str, queries: list[str], file: Path) -> Path:
    """A script for wrk that asks for one after the other."""
    lines = ",\n".join(f'"{path}{query}"' for query in queries)
    file.write_text(
        f"local paths = {{\n{lines}\n}}\nlocal at = 0\n"
        'request = function()\n  at = at % #paths + 1\n  return wrk.format("GET", paths[at])\nend\n',
        encoding="utf-8",
    )
    return file
