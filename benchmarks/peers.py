"""The page of times beside what else a site could serve: one table, measured in one run.

All sites run at the same time and are asked in turns, in short rounds. What counts is the CPU time of the servers for
each page: other work on the machine changes it little, and each round compares only neighbors in time.
"""

from __future__ import annotations

import shutil
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.load import BROWSER, Measured, measure
from benchmarks.running import Site, nginx, site
from benchmarks.world import month_in_view

APP, PEER = "benchmarks.site.wsgi:application", "benchmarks.peer.wsgi:application"
OURS = "this package, cached, in memory for a second"
STATIC = "nginx, the same page as a static file"
AJAX = "X-Requested-With: XMLHttpRequest"
ABOUT = """All but the static file under gunicorn with two synchronous processes; each request on a connection of its
own. Medians of {rounds} rounds of {seconds} seconds, in which all are asked in turns; ratios are taken within a round.
The hand-written view serves the very bytes of our page from Django's cache for each view, kept for ten minutes whatever
is booked: what it costs to get the times, to refresh them and to show each visitor their own language, zone and choices
is no part of it. django-appointment has one service, one staff member and four appointments; its page shows times only
after the second request."""


@dataclass(frozen=True)
class Target:
    """One thing to ask for: which site, which path, and how it is compared."""

    title: str
    site: Site
    path: str
    headers: str = ""


def peer_targets(ours: Site, peer: Site, static: Site | None) -> list[Target]:
    """Return what is compared, with the ceiling first."""
    month = month_in_view()
    wanted = f"?tz=Europe/Paris&month={month:%Y-%m}"
    slots = f"/appointment/ajax/available_slots/?selected_date={month}&staff_member=1&service_id=1"
    return [
        *([Target(STATIC, static, "/page.html")] if static else []),
        Target("hello, behind nine middlewares", ours, "/hello"),
        Target("hand-written view, `cache_page` in memory", ours, f"/written/memory/{wanted}"),
        Target("hand-written view, `cache_page` in Redis", ours, f"/written/redis/{wanted}"),
        Target(OURS, ours, f"/memory/month/{wanted}"),
        Target("this package, cached, one Redis round trip", ours, f"/redis/month/{wanted}"),
        Target("django-appointment, page of a service without times", peer, "/appointment/request/1/"),
        Target("django-appointment, times of one day (JSON)", peer, slots, AJAX),
    ]


def write_page(ours: Site, file: Path) -> None:
    """Store our page of times, for those who serve the same bytes."""
    request = urllib.request.Request(  # noqa: S310 (ours)
        f"{ours.url}/memory/month/?tz=Europe/Paris&month={month_in_view():%Y-%m}", headers={"User-Agent": BROWSER}
    )
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 (ours)
        page = response.read()
    if b'data-kb-step="slot"' not in page:
        raise RuntimeError("the page of times is not there")
    file.write_bytes(page)


def measure_in_turns(targets: list[Target], *, seconds: int, rounds: int) -> dict[str, list[Measured]]:
    """Return all rounds by title. The order is reversed in every other round, and the first one isn't counted."""
    found: dict[str, list[Measured]] = {target.title: [] for target in targets}
    for number in range(rounds + 1):
        for target in targets[:: -1 if number % 2 else 1]:
            measured = measure(target.site, target.path, seconds=seconds if number else 1, headers=target.headers)
            if measured.failed:
                raise RuntimeError(f"{target.title}: {measured.failed} of {measured.requests} got no page")
            if number:
                found[target.title].append(measured)
    return found


def rows(found: dict[str, list[Measured]], sizes: dict[str, int]) -> list[str]:
    """Return the lines of the table: CPU time of a page, and CPU time and rate as multiples of our page's."""
    lines = [
        "| Page | CPU time | CPU time, ours = 1 | Requests a second, ours = 1 | Bytes |",
        "| --- | --- | --- | --- | --- |",
    ]
    for title, measured in found.items():
        pairs = list(zip(measured, found[OURS], strict=True))
        cpu, times = median(each.cpu for each in measured), median(one.cpu / our.cpu for one, our in pairs)
        rate = median(one.rate / our.rate for one, our in pairs)
        lines.append(f"| {title} | {cpu:.2f} ms | {times:.2f} | {rate:.2f} | {sizes[title]:,} |")
    return lines


def size_of(target: Target) -> int:
    """Return the length of the body in bytes."""
    name, _, value = target.headers.partition(": ")
    headers = {"User-Agent": BROWSER, **({name: value} if name else {})}
    request = urllib.request.Request(f"{target.site.url}{target.path}", headers=headers)  # noqa: S310 (ours)
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 (ours)
        return len(response.read())


def compare(environment: dict[str, str], here: Path, *, seconds: int, rounds: int) -> list[str]:
    """Serve all of them, measure, and return the lines of the table. Without nginx there is no ceiling."""
    page = here / "static-page" / "page.html"
    page.parent.mkdir()
    with ExitStack() as stack:
        ours = stack.enter_context(site(APP, "gunicorn", {**environment, "BENCH_PAGE": str(page)}, here))
        peer = stack.enter_context(
            site(PEER, "gunicorn", {**environment, "BENCH_DATABASE": str(here / "peer.sqlite3")}, here)
        )
        write_page(ours, page)
        static = stack.enter_context(nginx(here, root=page.parent)) if shutil.which("nginx") else None
        targets = peer_targets(ours, peer, static)
        found = measure_in_turns(targets, seconds=seconds, rounds=rounds)
        return rows(found, {target.title: size_of(target) for target in targets})
