"""The benchmark of first visits visits both demos in turns, judges what it finds, and runs against the demo."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from benchmarks import first_visit
from benchmarks.first_visit import PRESSES, Answer, Visit, build_rows, table, visit_in_turns

ROOT: Final = Path(__file__).resolve().parents[2]
ANSWERS: Final = {press.title: Answer(40.0, 1) for press in PRESSES}
FIRST: Final = {"/book/": 9_000, "/booking.js": 5_000}
VISIT: Final = Visit(600.0, FIRST, {**FIRST, "/htmx.js": 12_000}, 0.001, ANSWERS)


def test_both_demos_are_visited_in_turns_and_the_first_visit_is_not_counted():
    """Forward and backward in turns, so that neither always comes after the other."""
    visited: list[str] = []

    def visit(name: str) -> Visit:
        visited.append(name)
        return replace(VISIT, largest_paint=float(len(visited)))

    found = visit_in_turns({name: lambda name=name: visit(name) for name in ("before", "now")}, 2)
    assert visited == ["now", "before", "before", "now", "now", "before"]
    assert [[each.largest_paint for each in visits] for visits in found.values()] == [[3.0, 6.0], [4.0, 5.0]]


def test_a_row_says_whether_its_bar_holds():
    """The largest paint has a bar of its baseline, bodies and requests have one of their own."""
    before = [replace(VISIT, largest_paint=paint) for paint in (700.0, 800.0, 900.0)]
    slow = replace(VISIT, bodies={"/book/": 27_100}, answers={**ANSWERS, PRESSES[0].title: Answer(208.0, 2)})
    lines = table(before, [VISIT, VISIT, slow])
    assert "| largest paint, median | 800 ms | 600 ms | 15% less | met |" in lines
    assert "| largest paint, the best | 700 ms | 600 ms | 15% less | **missed** |" in lines
    assert "| bodies with htmx | 26.0 KB | 27.1 KB | <= 27.0 KB | **missed** |" in lines
    assert "| htmx itself | 12.0 KB | 12.0 KB |  |  |" in lines
    assert f"| INP, {PRESSES[0].title} | 40 ms | 40 ms | <= 200 ms | met |" in lines
    assert f"| requests, {PRESSES[0].title} | 1 | 2 | <= 1 | **missed** |" in lines


def test_a_table_without_a_baseline_has_empty_cells_and_no_verdict_on_its_share():
    """Bars of their own are judged all the same."""
    lines = table(None, [VISIT])
    assert len(lines) == len(build_rows()) + 2
    assert "| largest paint, median |  | 600 ms | 15% less |  |" in lines
    assert "| layout shift, presses included |  | 0.00 | <= 0.00 | met |" in lines


def test_what_is_missing_is_said_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    """Chromium is no package of Python, so the installation of the benchmark doesn't bring it."""
    monkeypatch.setattr(first_visit, "_find_chromium", lambda: None)
    assert "apt-get install chromium" in first_visit.find_obstacle()


@pytest.mark.long
def test_the_demo_of_this_checkout_is_visited():
    """Each press finds what it presses on the pages as they are now, and is answered."""
    if obstacle := first_visit.find_obstacle():
        pytest.skip(obstacle)
    command = [sys.executable, "-m", "benchmarks.first_visit", "--loads", "1"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=300).stdout  # noqa: S603 (ours)
    assert len(printed.splitlines()) == len(build_rows()) + 2
    assert "| layout shift, presses included |  | 0.00 |" in printed
