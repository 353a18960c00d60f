"""`python -m benchmarks.first_visit`: what a phone's first visit and its first presses cost. Prints a table.

Needs Chromium and playwright, and what `make demo` needs. Gunicorn serves the demo, its static files hashed and
compressed. With `--baseline REVISION` the demo of that revision is visited in turns with this one: only numbers of one
run can be compared. `--write` replaces the section of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.environment import ROOT
from benchmarks.report import MARKS, Report, section_text
from benchmarks.running import site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HEADING = "First visits"
PACKAGES = ("Django", "gunicorn", "playwright")
LOADS = 8
PATH = "/book/haircut/?tz=America/New_York"
LATENCY_MILLISECONDS, DOWN_BITS_PER_SECOND, UP_BITS_PER_SECOND = 150, 1_600_000, 750_000
"""Slow 4G, as Lighthouse has it."""
SLOWED = 4
"""Times slower than this machine: about a cheap phone."""
WIDTH, HEIGHT = 390, 844
PAINT_SHARE = 0.85
MAX_INP_MILLISECONDS, MAX_REQUESTS = 200, 1
PATIENCE_SECONDS = 60
QUIET_SECONDS = 1.0
"""Time without a request after which the last one has come: on slow 4G each takes a quarter of a second."""
_LOGGED = "a request\n"
ABOUT = """The demo's page of a service's times in {chromium} with an empty cache, {loads} visits: slow 4G (1.6
Mbit/s, 150 ms), a processor four times slower, 390 px wide, all bodies packed by gzip. {baseline}What the browser
has asked for before the largest paint counts until the times are shown; htmx comes at the first sign of the visitor,
or after two idle seconds, and is upstream's own minified file, which no bundler makes more than a hundredth smaller.
*INP* is the time from a touch to the next frame that is drawn, by the browser's event timing in steps of 8 ms, the
median. *Requests* are what a touch brings to the server at most, redirects and reports of what was fetched ahead
among them; each touch is the first of its kind, and that of a time brings the style of later steps with its form."""
ABOUT_BASELINE = "*Before* is revision {revision} of {date}, visited in turns with *now*. "

OBSERVE = """
  window.firstVisit = { paint: null, shift: 0, events: [] };
  const observe = (type, keep, more) =>
    new PerformanceObserver((list) => list.getEntries().forEach(keep)).observe({ type, buffered: true, ...more });
  observe("largest-contentful-paint", ({ startTime }) => (firstVisit.paint = startTime));
  observe("layout-shift", ({ hadRecentInput, value }) => hadRecentInput || (firstVisit.shift += value));
  observe("event", ({ interactionId, duration }) => interactionId && firstVisit.events.push(duration),
    { durationThreshold: 16 });
"""
BODIES = """["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
  .filter(({ name }) => !name.startsWith("data:"))
  .map(({ name, startTime, encodedBodySize }) => [name, startTime, encodedBodySize])"""
MIN_EVENT_MILLISECONDS = 16
"""The shortest that browsers report."""
DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100))))"


@dataclass(frozen=True)
class Press:
    """Control that a visitor touches: a CSS selector, and a JavaScript expression that is true once it is answered."""

    title: str
    selector: str
    answered: str


PRESSES = (
    Press("next month", "a[rel~=next]", "location.search.includes('month=')"),
    Press("another day", "a.kb-day:not([aria-current])", "location.search.includes('day=')"),
    Press("a time, which opens the form", ".kb-time", "!!document.querySelector('[data-kb-step=contact]')"),
    Press(
        "send the form while it is empty",
        "[data-kb-step=contact] .kb-button[type=submit]",
        "!!document.querySelector('[aria-invalid=true]')",
    ),
)


@dataclass(frozen=True)
class Answer:
    """Answer to a press: milliseconds to the next frame, 16 for less than that, and requests at the server."""

    milliseconds: float
    requests: int


@dataclass(frozen=True)
class Visit:
    """One visit: milliseconds to the largest paint, bytes of each body by its URL, and the sum of layout shifts."""

    largest_paint: float
    first_bodies: dict[str, int]
    """Those that were requested before the largest paint."""
    bodies: dict[str, int]
    """All that came before the first press."""
    shift: float
    answers: dict[str, Answer]


@dataclass(frozen=True)
class Row:
    """A line of the table: what is measured in all visits, how it is shown, and how much it may be.

    `most` is an absolute bar, `share` one of what was measured before.
    """

    title: str
    measure: Callable[[list[Visit]], float]
    text: str
    most: float | None = None
    share: float | None = None

    def line(self, before: list[Visit] | None, now: list[Visit]) -> str:
        """Return the line as Markdown. Without visits before, that cell is empty."""
        theirs, ours = self.measure(before) if before else None, self.measure(now)
        target, holds = "", None
        if self.most is not None:
            target, holds = f"<= {self.text.format(self.most)}", ours <= self.most
        elif self.share is not None:
            target = f"{1 - self.share:.0%} less"
            holds = None if theirs is None else ours <= self.share * theirs
        cells = ("" if theirs is None else self.text.format(theirs), self.text.format(ours), target, MARKS[holds])
        return f"| {self.title} | {' | '.join(cells)} |"


def build_rows() -> list[Row]:
    """Return the lines of the table: the load, then for each press the next frame, then for each its requests."""
    return [
        Row("largest paint, median", lambda of: median(v.largest_paint for v in of), "{:.0f} ms", share=PAINT_SHARE),
        Row("largest paint, the best", lambda of: min(v.largest_paint for v in of), "{:.0f} ms", share=PAINT_SHARE),
        Row("responses until the times are shown", lambda of: max(len(v.first_bodies) for v in of), "{}", most=4),
        Row(
            "bodies until the times are shown", lambda of: _kilobytes(v.first_bodies for v in of), "{:.1f} KB", most=27
        ),
        Row("responses with htmx", lambda of: max(len(v.bodies) for v in of), "{}", most=4),
        Row("bodies with htmx", lambda of: _kilobytes(v.bodies for v in of), "{:.1f} KB", most=27),
        Row(
            "htmx itself",
            lambda of: _kilobytes({u: n for u, n in v.bodies.items() if "htmx" in u} for v in of),
            "{:.1f} KB",
        ),
        Row("layout shift, presses included", lambda of: max(round(v.shift, 2) for v in of), "{:.2f}", most=0),
        *(
            Row(
                f"INP, {press.title}",
                lambda of, title=press.title: median(v.answers[title].milliseconds for v in of),
                "{:.0f} ms",
                most=MAX_INP_MILLISECONDS,
            )
            for press in PRESSES
        ),
        *(
            Row(
                f"requests, {press.title}",
                lambda of, title=press.title: max(v.answers[title].requests for v in of),
                "{}",
                most=MAX_REQUESTS,
            )
            for press in PRESSES
        ),
    ]


def _kilobytes(bodies: Iterable[dict[str, int]]) -> float:
    return max(sum(each.values()) for each in bodies) / 1000


@dataclass(frozen=True)
class _Demo:
    """A running demo, and the log of the requests that have reached it."""

    url: str
    log: Path

    def count_requests(self) -> int:
        """Return how many it has answered so far: redirects too, and nothing that a browser had in its cache."""
        return self.log.read_text(encoding="utf-8").count(_LOGGED)


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_visit", description=__doc__)
    parser.add_argument("--baseline", metavar="REVISION", help="a revision of this repository to compare with")
    parser.add_argument("--loads", type=int, default=LOADS, help="visits of each (default: %(default)s)")
    parser.add_argument("--path", default=PATH, help="of the demo, a page of times (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help="replace the section of docs/benchmarks.md")
    options = parser.parse_args()
    if obstacle := find_obstacle():
        sys.exit(obstacle)
    report = Report()
    report.sections[HEADING] = measure_section(options.baseline, loads=options.loads, path=options.path)
    if options.write:
        report.write(report.with_sections(report.read()))


def find_obstacle() -> str:
    """Return what this benchmark lacks, and how to get it; "" where nothing is missing."""
    if _find_chromium() is None:
        return "First visits need Chromium: apt-get install chromium, or set KORDLESS_CHROMIUM to its path."
    try:
        import playwright.sync_api  # noqa: F401, PLC0415 (optional)
    except ImportError:
        return "First visits need playwright: pip install playwright."
    return ""


def measure_section(baseline: str | None, *, loads: int = LOADS, path: str = PATH) -> str:
    """Visit this checkout's demo and that of a revision; return the text of the section, and print its table."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (optional)

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kordless-first-visit-")))
        checkouts = {"now": ROOT}
        if baseline:
            checkouts = {"before": stack.enter_context(_checked_out(baseline, folder / "checkout")), **checkouts}
        demos = {name: stack.enter_context(_demo(checkout, folder / name)) for name, checkout in checkouts.items()}
        playwright = stack.enter_context(sync_playwright())
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=_find_chromium(), args=arguments)
        stack.callback(browser.close)
        chromium = f"Chromium {browser.version.partition('.')[0]}"
        visitors = {name: partial(_visit, browser, demo, path) for name, demo in demos.items()}
        visits = visit_in_turns(visitors, loads)
    lines = table(visits.get("before"), visits["now"])
    print(*lines, sep="\n", flush=True)
    return section_text(
        ABOUT.format(chromium=chromium, loads=loads, baseline=_describe(baseline)), lines, packages=PACKAGES
    )


def visit_in_turns(visitors: dict[str, Callable[[], Visit]], loads: int) -> dict[str, list[Visit]]:
    """Visit all sites so often, forward and backward in turns, after one visit that isn't counted: it fills caches."""
    found: dict[str, list[Visit]] = {name: [] for name in visitors}
    for number in range(loads + 1):
        for name in visitors if number % 2 else reversed(visitors):
            visit = visitors[name]()
            if number:
                found[name].append(visit)
    return found


def table(before: list[Visit] | None, now: list[Visit]) -> list[str]:
    """Return the table as lines of Markdown."""
    head = ["| Measurement | Before | Now | Target | |", "|---|---|---|---|---|"]
    return [*head, *(row.line(before, now) for row in build_rows())]


def _visit(browser: Browser, demo: _Demo, path: str) -> Visit:
    """Load a page of times with an empty cache, wait for htmx, and press one thing after the other."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT},
        extra_http_headers={"Accept-Encoding": "gzip"},
        has_touch=True,
        is_mobile=True,
        timezone_id="America/New_York",
        locale="en-US",
    )
    with context:
        page = context.new_page()
        page.add_init_script(OBSERVE)
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": LATENCY_MILLISECONDS,
                "downloadThroughput": DOWN_BITS_PER_SECOND / 8,
                "uploadThroughput": UP_BITS_PER_SECOND / 8,
            },
        )
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
        page.goto(demo.url + path)
        _wait_until(page, "!!window.htmx && !!firstVisit.paint", demo)
        largest_paint = float(page.evaluate("firstVisit.paint"))
        bodies: list[tuple[str, float, int]] = page.evaluate(BODIES)
        answers = {press.title: _press(page, press, demo) for press in PRESSES}
        return Visit(
            largest_paint,
            {url: size for url, start, size in bodies if start < largest_paint},
            {url: size for url, _, size in bodies},
            float(page.evaluate("firstVisit.shift")),
            answers,
        )


def _press(page: Page, press: Press, demo: _Demo) -> Answer:
    control = page.locator(press.selector).locator("visible=true").first
    control.scroll_into_view_if_needed()
    page.evaluate(DRAWN)
    page.evaluate("firstVisit.events.length = 0")
    before = demo.count_requests()
    control.tap()
    _wait_until(page, press.answered, demo)
    milliseconds = page.evaluate("Math.max(0, ...firstVisit.events)")
    return Answer(max(MIN_EVENT_MILLISECONDS, milliseconds), demo.count_requests() - before)


def _wait_until(page: Page, expression: str, demo: _Demo) -> None:
    """Wait until an expression is true, and the demo has had no request for a while.

    Asked from here: the page's policy forbids eval, which Playwright's own waiting needs.
    """
    give_up = time.monotonic() + PATIENCE_SECONDS
    requests, quiet_since = demo.count_requests(), time.monotonic()
    while not page.evaluate(expression) or time.monotonic() < quiet_since + QUIET_SECONDS:
        if time.monotonic() > give_up:
            raise RuntimeError(f"{expression} has not come true on {page.url}")
        page.wait_for_timeout(50)
        if requests != demo.count_requests():
            requests, quiet_since = demo.count_requests(), time.monotonic()
    page.evaluate(DRAWN)


@contextmanager
def _checked_out(revision: str, folder: Path) -> Iterator[Path]:
    """Check out a revision beside this one."""
    _git("worktree", "add", "--detach", "--quiet", str(folder), revision)
    try:
        yield folder
    finally:
        _git("worktree", "remove", "--force", str(folder))


@contextmanager
def _demo(checkout: Path, folder: Path) -> Iterator[_Demo]:
    """Serve the demo of a checkout, on a fresh sandbox. The environment is this process's own."""
    folder.mkdir()
    log = folder / "requests.log"
    log.touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KORDLESS_", "DJANGO_"))}
    environment = kept | {
        "DJANGO_SETTINGS_MODULE": "demo_site.settings",
        "SECRET_KEY": "only for the benchmark: 8Jw2mQ7zR4tX1vB9nL5cK3",
        "DEBUG": "0",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "KORDLESS_SANDBOX": "1",
        "KORDLESS_SANDBOX_FILE": str(folder / "sandbox.sqlite3"),
        "STATIC_ROOT": str(folder / "static"),
        "GUNICORN_CMD_ARGS": shlex.join(["--access-logfile", str(log), "--access-logformat", _LOGGED.strip()]),
    }
    for command in (["migrate"], ["collectstatic", "--no-input"]):
        arguments = [sys.executable, "manage.py", *command, "--verbosity", "0"]
        subprocess.run(arguments, cwd=checkout, env=environment, check=True)  # noqa: S603 (ours)
    with site("demo_site.wsgi", "gunicorn 8 threads", environment, folder, workers=1, root=checkout) as served:
        yield _Demo(served.url, log)


def _describe(baseline: str | None) -> str:
    if not baseline:
        return ""
    revision, date = _git("show", "--no-patch", "--format=%h %cs", baseline).split()
    return ABOUT_BASELINE.format(revision=revision, date=date)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603, S607 (ours)


def _find_chromium() -> str | None:
    """Return the path of Chromium, the same as the browser journeys take."""
    programs = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return os.environ.get("KORDLESS_CHROMIUM") or next(filter(None, map(shutil.which, programs)), None)


if __name__ == "__main__":
    main()
