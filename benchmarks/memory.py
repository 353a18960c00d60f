"""`python -m benchmarks.memory`: memory of 1, 2 and 4 processes that serve 50 accounts in 20 languages. Prints a table.

Each process opens, for each account and language, the list of services and the times of one of them: 2,000 pages, each
of them once, which is the most that caches in memory can be made to keep. Every tenth business has 300 services with
long descriptions, the others twelve. The processes run at the same time and share nothing, as workers that weren't
forked from a loaded parent. With `--unbounded` the budgets are lifted, to show what they are worth.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.environment import ROOT

PROCESSES = (1, 2, 4)
MANY, FEW = 300, 12
"""Services of every tenth business, and of the others."""
DESCRIPTION = "A treatment that takes its time, with everything that belongs to it. " * 12


def main() -> None:
    """Run the processes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=50)
    parser.add_argument("--languages", type=int, default=20)
    parser.add_argument("--processes", type=int, nargs="+", default=PROCESSES)
    parser.add_argument("--unbounded", action="store_true", help="lift the budgets, for comparison")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        with tempfile.TemporaryDirectory(prefix="kordless-memory-") as folder:
            print(json.dumps(_measure(options.accounts, options.languages, folder, unbounded=options.unbounded)))
        return
    print(f"{options.accounts} accounts, {options.languages} languages, RSS in MB")
    print("| Processes | Started | After all pages | Growth of each | All together |")
    print("| --- | --- | --- | --- | --- |")
    for number in options.processes:
        found = _run(number, [name for name in sys.argv[1:] if name != "--worker"])
        before, after = ([each[name] for each in found] for name in ("before", "after"))
        growth = max(after) - max(before)
        print(f"| {number} | {max(before):.0f} | {max(after):.0f} | {growth:.0f} | {sum(after):.0f} |", flush=True)


def _run(number: int, arguments: list[str]) -> list[dict[str, float]]:
    command = [sys.executable, "-m", "benchmarks.memory", "--worker", *arguments]
    workers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(number)]  # noqa: S603 (ours)
    return [json.loads(worker.communicate()[0]) for worker in workers]


def _measure(accounts: int, languages: int, folder: str, *, unbounded: bool) -> dict[str, float]:
    """Open all pages in this process. Return its memory before and after."""
    client = _site(accounts, folder)
    from kordless_booking.presentation.locales import supported_languages  # noqa: PLC0415 (needs the settings)

    if unbounded:
        _lift_budgets()
    codes = sorted(supported_languages())[:languages]
    # Whatever a process needs once: modules, templates, translations, formats and the sandbox's answers.
    for code in codes:
        for account in (0, 1):
            _open(client, account, code)
    before = _megabytes()
    for account in range(accounts):
        for code in codes:
            _open(client, account, code)
    return {"before": before, "after": _megabytes()}


def _open(client: Any, account: int, language: str) -> None:
    for path in ("", "service-0/"):
        response = client.get(f"/a{account}/{path}?lang={language}")
        assert response.status_code == 200, f"{response.status_code} for account {account}"  # noqa: S101 (a benchmark)


def _lift_budgets() -> None:
    from kordless_booking.upstream import registry  # noqa: PLC0415 (needs the settings)
    from kordless_booking.views import response_cache, skeletons  # noqa: PLC0415 (needs the settings)

    registry.local_budget.max_bytes = skeletons._pages._budget.max_bytes = 1 << 60
    response_cache.MAX_BYTES = 1 << 60  # type: ignore[misc]


def _site(accounts: int, folder: str) -> Any:
    """Set up Django with so many accounts in this process. Return a test client."""
    import django  # noqa: PLC0415 (only in a worker)
    from django.conf import settings  # noqa: PLC0415 (as above)
    from django.urls import include, path  # noqa: PLC0415 (as above)

    names = [f"a{number}" for number in range(accounts)]
    urls = types.ModuleType("memory_urls")
    sys.modules["memory_urls"] = urls
    settings.configure(
        SECRET_KEY="only for a benchmark",  # noqa: S106 (nothing is kept)
        ALLOWED_HOSTS=["testserver"],
        ROOT_URLCONF="memory_urls",
        USE_TZ=True,
        USE_I18N=True,
        STATIC_URL="static/",
        INSTALLED_APPS=["django_htmx", "kordless_booking"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        # As Redis: what is cached is not in this process, but as bytes elsewhere.
        CACHES={
            "default": {
                "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
                "LOCATION": folder,
                "OPTIONS": {"MAX_ENTRIES": 100_000},
            }
        },
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        KORDLESS_BOOKING={
            "REQUESTS_PER_MINUTE": 1000,
            "FUNNEL": False,
            "BROWSE_SECONDS": 25,
            "ACCOUNTS": {
                name: {
                    "API_KEY": "kordless-sandbox-key",
                    "ORG_SLUG": "large" if number % 10 == 0 else "small",
                    # Each account has a Kordless of its own, so none shares a cache with another.
                    "BASE_URL": f"https://{name}.example/api/calendar/v1/public",
                    "TRANSPORT": _kordless("large" if number % 10 == 0 else "small"),
                }
                for number, name in enumerate(names)
            },
        },
    )
    django.setup()
    urls.urlpatterns = [  # type: ignore[attr-defined]
        path(f"{name}/", include("kordless_booking.urls", namespace=name)) for name in names
    ]
    from django.test import Client  # noqa: PLC0415 (needs the settings)

    return Client()


_kept: dict[str, Callable[..., Iterable[bytes]]] = {}


def _kordless(slug: str) -> Callable[..., Iterable[bytes]]:
    """Return a Kordless that gives each answer of a sandbox again, so that it takes no memory of its own."""
    if slug in _kept:
        return _kept[slug]
    from zoneinfo import ZoneInfo  # noqa: PLC0415 (only in a worker)

    from benchmarks.world import _service  # noqa: PLC0415 (as above)
    from kordless_booking.sandbox import SANDBOX_KEY, Limits, Sandbox  # noqa: PLC0415 (as above)
    from kordless_booking.sandbox.model import Business  # noqa: PLC0415 (as above)

    number = MANY if slug == "large" else FEW
    services = tuple(
        replace(_service(f"service-{each}", "09:00-18:00", minutes=30, interval=30), description=DESCRIPTION)
        for each in range(number)
    )
    business = Business(
        id=f"org_{slug}",
        slug=slug,
        name="Bench Salon",
        key=SANDBOX_KEY,
        zone=ZoneInfo("UTC"),
        branding={},
        services=services,
        closed=lambda day: day.weekday() == 6,
    )
    sandbox = Sandbox(":memory:", businesses=(business,), limits=Limits.off(), now=datetime.now(UTC))
    answers: dict[tuple[str, str], tuple[Any, bytes]] = {}

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # Without the times of day, which go on while this runs.
        key = environ["PATH_INFO"], re.sub(r"T[^&]*", "", environ.get("QUERY_STRING", ""))
        if key not in answers:
            head: list[Any] = []
            body = b"".join(sandbox(environ, lambda *given: head.append(given)))
            answers[key] = head[0], body
        head, body = answers[key]
        start_response(*head)
        return [body]

    _kept[slug] = app
    return app


def _megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
