"""The benchmark of filled tables runs, with the models and pages as they are now."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from benchmarks.tables import OPERATIONS
from benchmarks.world import month_after, wide_business

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
def test_each_operation_is_measured_on_empty_and_on_filled_tables(tmp_path: Path):
    """A booking is delivered, placed and looked up, and the mail run runs, before and after the tables are filled."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KORDLESS_", "DJANGO_"))}
    environment = {
        **kept,
        "BENCH_DATABASE": str(tmp_path / "site.sqlite3"),
        "BENCH_STATIC": str(tmp_path),
        "BENCH_REDIS": "redis://127.0.0.1:1/0",
        "BENCH_KORDLESS": "http://127.0.0.1:1",
    }
    command = [sys.executable, "-m", "benchmarks.tables", "--rows", "60", "--times", "2"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 (ours)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert tuple(found) == OPERATIONS
    assert all(empty > 0 and filled > 0 for empty, filled in found.values())


def test_the_wide_business_has_a_service_for_each_visitors_wish():
    """So many services, open on any day of the next sixty, named as the crowds name them."""
    business = wide_business(100)
    assert [service.slug for service in business.services] == [f"wide-{number}" for number in range(100)]
    assert {service.window_days for service in business.services} == {60}
    assert not business.closed(date(2026, 12, 31))


@pytest.mark.parametrize(
    ("today", "months", "month"),
    [
        (date(2026, 11, 29), 0, date(2026, 11, 1)),
        (date(2026, 11, 29), 2, date(2027, 1, 1)),
        (date(2028, 1, 31), 1, date(2028, 2, 1)),
    ],
)
def test_months_are_counted_from_the_current_one(today: date, months: int, month: date):
    """Whatever the day of the month."""
    assert month_after(months, today) == month
