"""`python -m benchmarks`: measure everything, print the table, write docs/benchmarks.md. Takes half an hour."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.environment import ROOT, enter

PARTS = ("rates", "pages", "crowds", "waiting", "deliveries", "tables", "peers", "slow", "first")
SECTIONS = {"peers", "slow", "first"}
"""Parts with a section of their own in docs/benchmarks.md, which each can replace alone."""


def main() -> None:
    """Install where need be, measure, report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=int, default=3, help="for each measurement of a rate (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts (default: %(default)s)")
    parser.add_argument(
        "--only",
        choices=PARTS,
        help="a part: peers, slow and first write their section of the page, the others only print",
    )
    parser.add_argument("--baseline", metavar="REVISION", help="whose first visits are compared with this checkout's")
    parser.add_argument("--warm-minutes", type=int, default=5, help="before the warm crowd (default: %(default)s)")
    parser.add_argument("--print", action="store_true", help="print the page as markdown instead of writing it")
    python = enter()
    if python is not None:
        os.chdir(ROOT)
        os.execv(python, [str(python), "-m", "benchmarks", *sys.argv[1:]])  # noqa: S606 (ours)
    given = parser.parse_args()
    _measure(given.seconds, given.rounds, given.only, given.warm_minutes, given.baseline, printed=given.print)


def _measure(
    seconds: int, rounds: int, only: str | None, warm_minutes: int, baseline: str | None, *, printed: bool
) -> None:
    # What follows is installed in the environment that enter() has led to.
    from benchmarks.bars import (  # noqa: PLC0415
        crowd_bars,
        delivery_bars,
        first_section,
        page_bars,
        peer_section,
        rate_bars,
        slow_section,
        table_bars,
        waiting_bars,
    )
    from benchmarks.load import CONNECTIONS, distinct_queries  # noqa: PLC0415
    from benchmarks.report import Report  # noqa: PLC0415
    from benchmarks.world import month_in_view  # noqa: PLC0415

    report = Report()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kordless-bench-")))
        (folder / "static").mkdir()
        measure = {
            "rates": lambda: rate_bars(report, folder, seconds=seconds, rounds=rounds),
            "pages": lambda: page_bars(report, folder),
            "crowds": lambda: crowd_bars(report, folder),
            "waiting": lambda: waiting_bars(report, folder, warm_minutes=warm_minutes),
            "deliveries": lambda: delivery_bars(report, folder),
            "tables": lambda: table_bars(report, folder),
            "peers": lambda: peer_section(report, folder, seconds=seconds, rounds=rounds),
            "slow": lambda: slow_section(report, folder),
            "first": lambda: first_section(report, baseline),
        }
        for part in [only] if only else PARTS:
            measure[part]()
    if only in SECTIONS:
        # The rows are printed already.
        if not printed:
            report.write(report.with_sections(report.read()))
    elif printed or only is None:
        page = report.page(connections=CONNECTIONS, rounds=rounds, queries=len(distinct_queries(month_in_view())))
        if printed:
            print(page)
        else:
            report.write(page)


if __name__ == "__main__":
    main()
