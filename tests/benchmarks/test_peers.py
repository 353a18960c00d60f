"""The table of peers is made of ratios within a round, and takes its section of the page alone."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import peers, report
from benchmarks.load import Measured
from benchmarks.report import replace_section, section_text
from benchmarks.running import Site

SITE: Final = Site("http://127.0.0.1:1", ())
HEADINGS = st.sampled_from(["Peers", "Slow visitors", "Simulated"])
TEXTS = st.text("ab |-#\n", max_size=30).map(str.strip).filter(lambda text: text and "## " not in text)


def test_ratios_are_taken_within_a_round_so_that_a_busy_round_changes_none():
    """The second round was twice as slow for all: the ratio stays two, and our own is one."""
    ours = [Measured(1000, 1.0, 10, 0), Measured(500, 2.0, 10, 0), Measured(1000, 1.0, 10, 0)]
    other = [Measured(500, 2.0, 10, 0), Measured(250, 4.0, 10, 0), Measured(500, 2.0, 10, 0)]
    lines = peers.rows({"other": other, peers.OURS: ours}, {"other": 1234, peers.OURS: 13_000})
    assert lines[2:] == [
        "| other | 2.00 ms | 2.00 | 0.50 | 1,234 |",
        f"| {peers.OURS} | 1.00 ms | 1.00 | 1.00 | 13,000 |",
    ]


def test_all_are_asked_in_turns_and_the_first_round_is_not_counted(monkeypatch: pytest.MonkeyPatch):
    """Forward and backward in turns, so that nobody is always asked after the same one."""
    measured: list[str] = []

    def measure(_site: Site, path: str, **_rest: object) -> Measured:
        measured.append(path)
        return Measured(len(measured), 1.0, 10, 0)

    monkeypatch.setattr(peers, "measure", measure)
    found = peers.measure_in_turns([peers.Target(name, SITE, name) for name in "abc"], seconds=1, rounds=2)
    assert "".join(measured) == "abccbaabc"
    assert {name: len(rounds) for name, rounds in found.items()} == {"a": 2, "b": 2, "c": 2}


def test_a_peer_that_serves_errors_stops_the_benchmark(monkeypatch: pytest.MonkeyPatch):
    """An error page is quick, and would be praised."""
    monkeypatch.setattr(peers, "measure", lambda *_args, **_rest: Measured(9, 1.0, 10, 3))
    with pytest.raises(RuntimeError, match="3 of 10"):
        peers.measure_in_turns([peers.Target("a", SITE, "/")], seconds=1, rounds=1)


def test_without_nginx_the_table_has_no_ceiling_and_all_else():
    """The other peers need nothing that pip has not."""
    titles = [target.title for target in peers.peer_targets(SITE, SITE, None)]
    assert peers.STATIC not in titles
    assert [target.title for target in peers.peer_targets(SITE, SITE, SITE)] == [peers.STATIC, *titles]


@given(heading=HEADINGS, text=TEXTS, again=TEXTS, others=st.dictionaries(HEADINGS, TEXTS))
def test_a_section_replaces_its_older_one_and_no_other(heading: str, text: str, again: str, others: dict[str, str]):
    """Whatever stands before and after it, and also where it is new."""
    page = "# Benchmarks\n\nThe table.\n"
    for other, content in others.items():
        page = replace_section(page, other, content)
    replaced = replace_section(replace_section(page, heading, text), heading, again)
    assert replaced.count(f"## {heading}\n") == 1
    assert f"\n## {heading}\n\n{again}\n" in replaced
    assert replaced.startswith("# Benchmarks\n\nThe table.\n\n## ")
    for other, content in others.items():
        assert other == heading or f"\n## {other}\n\n{content}\n" in replaced
    assert replace_section(replaced, heading, again) == replaced


def test_the_text_of_a_section_has_short_lines_and_an_unbroken_table(monkeypatch: pytest.MonkeyPatch):
    """As the documentation's other pages, so that a new measurement changes few lines."""
    monkeypatch.setattr(report, "_machine", lambda _packages: "two cores, " + "a package 1.0, " * 20)
    row = f"| {'a long cell ' * 20} |"
    measured, about, table = section_text("Words \n of a text, " * 30, ["| Page |", "| --- |", row]).split("\n\n")
    assert measured.startswith("Measured on ")
    assert max(map(len, (*measured.splitlines(), *about.splitlines()))) <= 120
    assert table.splitlines() == ["| Page |", "| --- |", row]


def test_the_page_in_docs_has_each_section_once():
    """Each can be measured again alone."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert [page.count(f"\n## {heading}\n") for heading in report.SECTIONS] == [1, 1, 1]


def test_a_run_that_leaves_a_section_out_keeps_the_older_one(monkeypatch: pytest.MonkeyPatch):
    """A run without Chromium measures everything else, and leaves the first visits on the page."""
    older = replace_section(replace_section("# Benchmarks\n", "First visits", "kept"), "Peers", "replaced")
    monkeypatch.setattr(report.Report, "read", lambda _self: older)
    monkeypatch.setattr(report, "_machine", lambda: "two cores")
    page = report.Report(sections={"Peers": "new"}).page(connections=1, rounds=1, queries=1)
    assert "\n## First visits\n\nkept\n" in page
    assert "\n## Peers\n\nnew\n" in page
    assert "replaced" not in page
