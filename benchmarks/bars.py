"""Performance targets of the widget, and the measurements that check them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import median

from benchmarks import first_visit, pages, peers, simulator, slow_visitors, tables
from benchmarks.bookings import book_throughout
from benchmarks.crowds import Came, come, come_and_wait
from benchmarks.deliveries import deliver
from benchmarks.environment import ROOT
from benchmarks.load import Measured, distinct_queries, measure, script_for
from benchmarks.report import Report, section_text
from benchmarks.running import Kordless, Site, kordless, nginx, redis, site
from benchmarks.world import CROWDS, month_after, month_in_view

APP, PEER = "benchmarks.site.wsgi:application", "benchmarks.peer.wsgi:application"
HELLO = "hello"
MAX_GROWTH = 2.0
"""How much longer an operation may take on filled tables: an index of a hundred thousand rows is a little deeper."""
WARM_MINUTES = 5
"""Minutes for which others come before a crowd that finds the site warm."""
SIMULATED_RULES = {"with all rules": simulator.Rules.all_on(), "without": simulator.Rules()}
RATIOS = {
    "cached, one Redis round trip": ("redis/month", 0.45),
    "cached, in memory for a second": ("memory/month", 0.7),
    "uncached": ("never memory/month", 0.17),
    "cached, one Redis round trip, 100 on one day": ("redis/day", None),
    "cached, in memory for a second, 100 on one day": ("memory/day", None),
    "uncached, 100 on one day": ("never memory/day", None),
}


def rate_bars(report: Report, folder: Path, *, seconds: int, rounds: int) -> None:
    """Throughput under both servers, round trips and upstream requests."""
    for server in ("gunicorn", "granian"):
        with ExitStack() as stack:
            here = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
            upstream, url = stack.enter_context(kordless(here)), stack.enter_context(redis(here))
            environment = _environment(folder, here, upstream, url)
            ours = stack.enter_context(site(APP, server, environment, here))
            peers = {**environment, "BENCH_DATABASE": str(here / "peer.sqlite3")}
            _run("benchmarks.peer.seed", month_in_view().isoformat(), environment=peers)
            peer = stack.enter_context(site(PEER, server, peers, here))
            found = _rounds(ours, peer, here, seconds=seconds, rounds=rounds)
            _ratios(report, server, found)
            pages = sum(each.requests for what, several in found.items() if "/" in what for each in several)
            asked = len(upstream.requests())
            rate = asked / pages * 1000
            text = f"{rate:.2f} ({asked} for {pages:,} pages)"
            report.add("upstream requests per 1,000 slot pages", server, text, "<= 3", rate <= 3)
            if server == "gunicorn":
                _round_trips(report, ours, url)
            report.add("memory of a worker after the run", server, f"{ours.megabytes():.0f} MB")


def page_bars(report: Report, folder: Path, *, rounds: int = pages.ROUNDS) -> None:
    """Measure the CPU time that each page adds to a view that answers hello, in one process without a server."""
    with ExitStack() as stack:
        here = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        environment = {
            "BENCH_DATABASE": str(here / "site.sqlite3"),
            "BENCH_STATIC": str(folder / "static"),
            "BENCH_REDIS": stack.enter_context(redis(here)),
            "BENCH_KORDLESS": "http://127.0.0.1:1",
        }
        found = json.loads(_run("benchmarks.pages", "--rounds", str(rounds), environment=environment))
    hello = found.pop(HELLO)
    report.add("hello, without a server", "1 process", f"{hello:.0f} µs CPU")
    for name, cost in found.items():
        text = f"{cost - hello:+,.0f} µs CPU ({cost / hello:.1f} x hello)"
        if name not in pages.BARS:
            report.add(name, "1 process", text)
            continue
        bar, unit = pages.BARS[name]
        value = cost - hello if unit == "added" else cost / hello if unit == "ratio" else cost / 1000
        wanted = {"added": f"<= {bar:g} µs added", "ratio": f"<= {bar:g} x hello", "ms": f"<= {bar:g} ms"}[unit]
        report.add(name, "1 process", text, wanted, value <= bar)


def _environment(folder: Path, here: Path, upstream: Kordless, redis_url: str) -> dict[str, str]:
    return {
        "BENCH_DATABASE": str(here / "site.sqlite3"),
        "BENCH_STATIC": str(folder / "static"),
        "BENCH_REDIS": redis_url,
        "BENCH_KORDLESS": upstream.api,
    }


def _rounds(ours: Site, peer: Site, here: Path, *, seconds: int, rounds: int) -> dict[str, list[Measured]]:
    """All measurements by name, interleaved; the first visits of each page are not measured."""
    month = month_in_view()
    scripts = {
        f"never memory/{service}": script_for(f"/memory/{service}/", distinct_queries(month), here / f"{service}.lua")
        for service in ("month", "day")
    }
    query = f"?tz=Europe/Paris&month={month:%Y-%m}"
    slots = f"/appointment/ajax/available_slots/?selected_date={month}&staff_member=1&service_id=1"
    found: dict[str, list[Measured]] = {}
    for number in range(rounds + 1):
        for what in (HELLO, *[what for what, _bar in RATIOS.values()], "peer"):
            length = seconds if number else 1
            if what in scripts:
                measured = measure(ours, "/", seconds=length, script=scripts[what])
            elif what == "peer":
                measured = measure(peer, slots, seconds=length, headers="X-Requested-With: XMLHttpRequest")
            else:
                measured = measure(ours, f"/{what}" + (f"/{query}" if "/" in what else ""), seconds=length)
            if measured.failed:
                raise RuntimeError(f"{what}: {measured.failed} of {measured.requests} got no page")
            if number:
                found.setdefault(what, []).append(measured)
    return found


def _ratios(report: Report, server: str, found: dict[str, list[Measured]]) -> None:
    def middle(what: str) -> str:
        return f"{median(one.rate for one in found[what]):,.0f}/s, {median(one.cpu for one in found[what]):.2f} ms CPU"

    def over(what: str, other: str) -> float:
        return median(one.rate / two.rate for one, two in zip(found[what], found[other], strict=True))

    report.add("hello", server, f"1.00 ({middle(HELLO)})")
    for title, (what, bar) in RATIOS.items():
        ratio = over(what, HELLO)
        wanted = f">= {bar}" if bar else ""
        by_cpu = median(two.cpu / one.cpu for one, two in zip(found[what], found[HELLO], strict=True))
        text = f"{ratio:.2f} ({middle(what)}; {by_cpu:.2f} by CPU)"
        report.add(f"slot page, {title}", server, text, wanted, ratio >= bar if bar else None)
    times = over("memory/month", "peer")
    report.add("django-appointment 3.12 available slots", server, middle("peer"))
    report.add("slot page over django-appointment's slots", server, f"{times:.1f} x", ">= 16 x", times >= 16)


def _round_trips(report: Report, ours: Site, redis_url: str) -> None:
    """The most commands that one page costs, as Redis itself sees them, while what it is made from lies there."""
    import redis as client  # noqa: PLC0415 (in the benchmark's own environment)

    month, most = f"month={month_in_view():%Y-%m}", 0
    with client.Redis.from_url(redis_url) as connection:

        def trips(path: str) -> int:
            before = connection.info("stats")["total_commands_processed"]
            if come(ours.url, lambda _number: path, visitors=1, within=0)[0].status != 200:
                raise RuntimeError(f"{path} is not there")
            return int(connection.info("stats")["total_commands_processed"] - before - 1)

        for path in ("/redis/?", f"/redis/month/?{month}", f"/redis/day/?{month}"):
            # Both processes are to know it.
            for zone in ("Asia/Tokyo", "Asia/Seoul", "Asia/Dubai", "Asia/Qatar"):
                trips(f"{path}&tz={zone}")
            # The least of several: what is warmed or refreshed in the background meanwhile is no page's.
            cached = min(trips(f"{path}&tz=Asia/Tokyo") for _ in range(5))
            uncached = min(
                trips(f"{path}&tz=Asia/{city}") for city in ("Kolkata", "Dhaka", "Manila", "Baku", "Tbilisi")
            )
            most = max(most, cached, uncached)
    report.add("cache round trips of a service or slot page, at most", "gunicorn", str(most), "<= 2", most <= 2)


def crowd_bars(report: Report, folder: Path) -> None:
    """Many who look at once: what it costs Kordless, and who is turned away."""
    _cold_key(report, folder)
    _many_keys(report, folder, keys=10)
    _many_keys(report, folder, keys=300)


def delivery_bars(report: Report, folder: Path) -> None:
    """Kordless delivers faster than any business books: each is answered at once, and asks Kordless nothing."""
    each_second, seconds = 200, 10
    with ExitStack() as stack:
        # One thread each: SQLite lets one writer in, and with many it is luck whose turn it is.
        ours, upstream = _crowd(stack, folder, server="gunicorn")
        come(ours.url, lambda _number: "/memory/", visitors=8, within=1)
        upstream.ask("requests", "DELETE")
        came = deliver(ours.url, "/memory/webhook/", each_second=each_second, seconds=seconds)
        times = sorted(each.seconds for each in came)
        late = times[len(times) * 99 // 100]
        holds = late < 0.1 and _statuses(came) == {200: each_second * seconds}
        what = f"{each_second} webhook deliveries a second"
        report.add(
            f"{what}, p99", "2 processes", f"{late * 1000:.0f} ms ({_describe_responses(came)})", "< 100 ms", holds
        )
        asked = len(upstream.requests())
        report.add(f"{what}: upstream requests", "2 processes", str(asked), "0", asked == 0)


def peer_section(report: Report, folder: Path, *, seconds: int, rounds: int) -> None:
    """Measure the cost of a page of times, beside those of other packages and servers."""
    with ExitStack() as stack:
        here = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        upstream, url = stack.enter_context(kordless(here)), stack.enter_context(redis(here))
        environment = _environment(folder, here, upstream, url)
        _run(
            "benchmarks.peer.seed",
            month_in_view().isoformat(),
            environment={**environment, "BENCH_DATABASE": str(here / "peer.sqlite3")},
        )
        lines = peers.compare(environment, here, seconds=seconds, rounds=rounds)
    about = peers.ABOUT.format(rounds=rounds, seconds=seconds)
    report.sections["Peers"] = section_text(about, lines)
    print(*lines, sep="\n", flush=True)


def slow_section(report: Report, folder: Path) -> None:
    """Slow visitors under each setup of servers."""
    lines = [f"| Setup | {' | '.join(slow_visitors.LOADS)} |", "| --- |" + " --- |" * len(slow_visitors.LOADS)]
    for setup in slow_visitors.SETUPS:
        if setup.proxied and shutil.which("nginx") is None:
            print(f"{setup.title}: nginx is not installed (apt-get install nginx-light)", flush=True)
            continue
        with ExitStack() as stack:
            ours, upstream = _crowd(stack, folder, setup.server, wide=slow_visitors.SERVICES, app=setup.app)
            here = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
            front = stack.enter_context(nginx(here, behind=ours)) if setup.proxied else ours
            upstream.ask("faults", "DELETE")
            cells = []
            for load in slow_visitors.LOADS.values():
                # What the load before has left behind is no part of this one.
                came = _settle(front)
                if _statuses(came) != {200: 8}:
                    raise RuntimeError(f"{setup.title}: the site does not answer ({_describe_responses(came)})")
                if load is slow_visitors.wait_for_kordless:
                    seconds = slow_visitors.KORDLESS_SECONDS
                    upstream.ask("faults", "POST", kind="slow", operation="availability", seconds=seconds)
                cells.append(str(slow_visitors.measure_others(front.url, load)))
        lines.append(f"| {setup.title} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    report.sections["Slow visitors"] = section_text(slow_visitors.ABOUT, lines)


def first_section(report: Report, baseline: str | None) -> None:
    """First visits of this checkout's demo, and of a revision's where one is named."""
    if obstacle := first_visit.find_obstacle():
        print(obstacle, flush=True)
    else:
        report.sections[first_visit.HEADING] = first_visit.measure_section(baseline)


def _settle(ours: Site) -> list[Came]:
    """Let eight come until all have their page, or for the tenth time."""
    came: list[Came] = []
    for _ in range(10):
        came = come(ours.url, lambda _number: slow_visitors.WARM_PATH, visitors=8, within=0.5)
        if _statuses(came) == {200: 8}:
            break
    return came


def table_bars(report: Report, folder: Path, *, rows: int = tables.ROWS) -> None:
    """Tables grow with every booking, and what a visitor or Kordless waits for must not."""
    here = Path(tempfile.mkdtemp(dir=folder))
    nowhere = {"BENCH_REDIS": "redis://127.0.0.1:1/0", "BENCH_KORDLESS": "http://127.0.0.1:1"}
    environment = {**nowhere, "BENCH_DATABASE": str(here / "site.sqlite3"), "BENCH_STATIC": str(folder / "static")}
    found = json.loads(_run("benchmarks.tables", "--rows", str(rows), environment=environment))
    for operation, (empty, filled) in found.items():
        ratio = filled / empty
        text = f"{ratio:.1f} x ({empty:.1f} and {filled:.1f} ms CPU)"
        what = f"{operation}: {rows:,} rows over none"
        report.add(what, "1 process", text, f"<= {MAX_GROWTH:g} x", ratio <= MAX_GROWTH)


def waiting_bars(report: Report, folder: Path, *, warm_minutes: int) -> None:
    """More who look at once than the quota carries: how many get times at once, and how long the others wait.

    The crowds are those of the simulator, whose results stand beside the measured ones.
    """
    cold, popular = _wide_crowd(report, folder, "uniform"), _wide_crowd(report, folder, "zipf")
    warm = _wide_crowd(report, folder, "warm", warm_minutes=warm_minutes)
    report.add(f"{cold.title}: turned away", "2 processes", str(cold.turned_away), "0", cold.turned_away == 0)
    report.add(f"{cold.title}: 95 of 100 after", "2 processes", f"{cold.p95:.1f} s", "<= 90 s", cold.p95 <= 90)
    for crowd, bar in ((popular, 0.75), (warm, 0.9)):
        what = f"{crowd.title}: times within {simulator.PROMPT_SECONDS:g} s"
        report.add(what, "2 processes", f"{crowd.prompt:.0%}", f">= {bar:.0%}", crowd.prompt >= bar)


@dataclass(frozen=True)
class _Waited:
    """What became of a crowd on a real site."""

    title: str
    prompt: float
    turned_away: int
    p95: float


def _wide_crowd(report: Report, folder: Path, name: str, *, warm_minutes: int = 0) -> _Waited:
    scenario = simulator.SCENARIOS[name]
    visits = scenario.build(Random("crowd 1"))  # noqa: S311 (the crowd that the simulator has by default)

    def path(visit: simulator.Visit) -> str:
        return f"/memory/wide-{visit.service}/?month={month_after(visit.month):%Y-%m}"

    with ExitStack() as stack:
        ours, upstream = _crowd(stack, folder, wide=scenario.services)
        begin = -60.0 * warm_minutes
        came = [visit for visit in visits if visit.counted or visit.at >= begin]
        stays = come_and_wait(ours.url, [(visit.at, path(visit)) for visit in came])
        judged = [stay for stay, visit in zip(stays, came, strict=True) if visit.counted]
        asked = upstream.requests()
    waits = sorted(stay.seconds if stay.served else float("inf") for stay in judged)
    prompt = sum(wait <= simulator.PROMPT_SECONDS for wait in waits) / len(waits)
    title = scenario.title if not warm_minutes or warm_minutes == WARM_MINUTES else f"{scenario.title} (short)"
    turned_away = sum(not stay.served for stay in judged)
    waited = _Waited(title, prompt, turned_away, waits[len(waits) * 95 // 100])
    lasts = ", ".join(f"{n} x {status}" for status, n in sorted(Counter(stay.status for stay in judged).items()))
    pages = sum(stay.pages for stay in judged) / len(judged)
    report.add(f"{title}: last page", "2 processes", f"{lasts}; {pages:.1f} pages a visitor")
    same = replace(scenario, build=lambda _rng: came)
    simulated = {label: simulator.simulate(same, rules) for label, rules in SIMULATED_RULES.items()}
    beside = "; ".join(
        f"simulated {label} {one.prompt:.0%}, {100 * (prompt - one.prompt):+.0f} points"
        for label, one in simulated.items()
    )
    report.add(
        f"{title}: within {simulator.PROMPT_SECONDS:g} s, and simulated", "2 processes", f"{prompt:.0%} ({beside})"
    )
    operations = ", ".join(f"{n} {what}" for what, n in sorted(Counter(each["operation"] for each in asked).items()))
    report.add(f"{title}: upstream requests", "2 processes", f"{len(asked)}: {operations}")
    refused = sum(each["status"] == 429 for each in asked)
    report.add(f"{title}: 429 by Kordless", "2 processes", str(refused), "0", refused == 0)
    return waited


def _crowd(
    stack: ExitStack, folder: Path, server: str = "gunicorn threads", *, wide: int = 0, app: str = APP
) -> tuple[Site, Kordless]:
    here = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
    upstream, url = stack.enter_context(kordless(here, wide=wide)), stack.enter_context(redis(here))
    environment = _environment(folder, here, upstream, url)
    _run(
        "django",
        "migrate",
        "--settings",
        "benchmarks.site.settings",
        "--verbosity",
        "0",
        "--skip-checks",
        environment=environment,
    )
    ours = stack.enter_context(site(app, server, environment, here))
    upstream.ask("faults", "POST", kind="slow", operation="availability", seconds=0.3)
    return ours, upstream


def _run(module: str, *arguments: str, environment: dict[str, str]) -> str:
    """Run a module of ours, and return what it prints."""
    command = [sys.executable, "-m", module, *arguments]
    given = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=given, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603 (ours)


def _cold_key(report: Report, folder: Path) -> None:
    with ExitStack() as stack:
        ours, upstream = _crowd(stack, folder)
        path = f"/memory/month/?month={month_in_view():%Y-%m}"
        came = come(ours.url, lambda _number: path, visitors=300, within=0.5)
        asked = _count_operations(upstream)
        found = f"{asked['availability']} ({_describe_responses(came)})"
        holds = asked["availability"] == 1 and _statuses(came) == {200: 300}
        report.add("300 visitors in 0.5 s, cold key: availability requests", "2 processes", found, "exactly 1", holds)


def _many_keys(report: Report, folder: Path, *, keys: int) -> None:
    def path(number: int) -> str:
        service, party = number % CROWDS, number // CROWDS % (keys // CROWDS) + 1
        return f"/memory/crowd-{service}/?month={month_in_view():%Y-%m}" + (f"&party={party}" if party > 1 else "")

    with ExitStack() as stack:
        ours, upstream = _crowd(stack, folder)
        warmed = come(ours.url, lambda _number: f"/memory/month/?month={month_in_view():%Y-%m}", visitors=1, within=0)
        upstream.ask("requests", "DELETE")
        pool = stack.enter_context(ThreadPoolExecutor(1))
        booking = pool.submit(book_throughout, ours.url, "memory", times=9 if keys > 10 else 0, every=6.0)
        came = come(ours.url, path, visitors=2200, within=55)
        booked = booking.result()
        asked, refused = _count_operations(upstream), sum(each["status"] == 429 for each in upstream.requests())
        what = f"2,200 visitors in 55 s over {keys} keys"
        if warmed[0].status != 200:
            raise RuntimeError("the site does not answer")
        if keys == 10:
            failed = sum(each.status != 200 for each in came)
            report.add(f"{what}: failed", "2 processes", f"{failed} ({_describe_responses(came)})", "0", failed == 0)
            total, slots = sum(asked.values()), asked["availability"]
            report.add(
                f"{what}: upstream requests",
                "2 processes",
                f"{slots} for availability, {total} in all",
                "<= 48",
                total <= 48,
            )
        else:
            placed = len(upstream.ask("bookings")["bookings"])
            report.add(
                f"{what}: bookings placed",
                "2 processes",
                f"{placed} of {len(booked)}",
                "all",
                placed == len(booked) > 0,
            )
            served = sum(each.shows_times for each in came)
            share = f"{served / len(came):.0%} ({_describe_responses(came)})"
            report.add(f"{what}: times at once", "2 processes", share, "100%", served == len(came))
            text = ", ".join(f"{number} {operation}" for operation, number in sorted(asked.items()))
            report.add(f"{what}: upstream requests", "2 processes", f"{sum(asked.values())}: {text}")
        report.add(f"{what}: 429 by Kordless", "2 processes", str(refused), "0", refused == 0)


def _count_operations(upstream: Kordless) -> Counter[str]:
    return Counter(each["operation"] for each in upstream.requests())


def _statuses(came: list[Came]) -> dict[int, int]:
    return dict(Counter(each.status for each in came))


def _describe_responses(came: list[Came]) -> str:
    statuses = ", ".join(f"{number} x {status}" for status, number in sorted(_statuses(came).items()))
    times = sorted(each.seconds for each in came)
    return f"{statuses}; p50 {times[len(times) // 2] * 1000:.0f} ms, p99 {times[len(times) * 99 // 100] * 1000:.0f} ms"
