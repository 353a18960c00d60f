"""The benchmark of single pages runs, with the pages as they are now."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.pages import BARS, HELLO, HELLO_WITH_REDIS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
def test_each_page_is_measured_beside_hello(tmp_path: Path):
    """Each page that has a bar is answered with 200, also where the cache is down."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KORDLESS_", "DJANGO_"))}
    environment = {
        **kept,
        "BENCH_DATABASE": str(tmp_path / "site.sqlite3"),
        "BENCH_STATIC": str(tmp_path),
        "BENCH_REDIS": "redis://127.0.0.1:1/0",
        "BENCH_KORDLESS": "http://127.0.0.1:1",
    }
    command = [sys.executable, "-m", "benchmarks.pages", "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 (ours)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == {HELLO, HELLO_WITH_REDIS, *BARS}
    assert min(found.values()) > 0
