"""Several processes add to the same counts at the same time, and none is lost."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest

from tests.processes.gunicorn_site import ROOT, environment
from tests.processes.sandbox_process import Steered

pytestmark = pytest.mark.processes

ROUNDS = 40
COUNTING = f"""
import django
django.setup()
from kordless_booking.funnel import counters
from kordless_booking.models import FunnelCount
input()
with counters.paused():
    for number in range({ROUNDS}):
        for stage in reversed(FunnelCount.Stage):
            counters.count_stage("default", f"service-{{number % 8}}", FunnelCount.Placement.PAGE, stage)
            counters.count_stage("default", "", FunnelCount.Placement.PAGE, FunnelCount.Stage.VISIT)
        counters.count_rejection("default", "webhook_stale")
        assert counters.flush()
    counters.count_rejection("default", "webhook_stale")
"""


def test_four_processes_write_at_once(postgres: str) -> None:
    """New rows and old ones, without a deadlock; the last count is written as each process ends."""
    server = postgres.rpartition("/")[0]
    with psycopg.connect(f"{server}/template1", autocommit=True) as connection:
        connection.execute("CREATE DATABASE counts TEMPLATE postgres")
    given = environment(Steered("http://127.0.0.1:1", ""), workers=1, redis_url="", database_url=f"{server}/counts")
    running = [
        subprocess.Popen([sys.executable, "-c", COUNTING], cwd=ROOT, env=given, stdin=subprocess.PIPE, text=True)  # noqa: S603 (ours)
        for _ in range(4)
    ]
    for one in running:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.close()
    assert [one.wait(120) for one in running] == [0] * 4
    with psycopg.connect(f"{server}/counts") as connection:
        [[visits]] = connection.execute("SELECT sum(count) FROM kordless_booking_funnelcount WHERE service = ''")
        [[others]] = connection.execute("SELECT sum(count) FROM kordless_booking_funnelcount WHERE service <> ''")
        refused = list(connection.execute("SELECT count FROM kordless_booking_rejecteddeliverycount"))
    assert (visits, others) == (4 * ROUNDS * 5, 4 * ROUNDS * 5)
    assert refused == [(4 * (ROUNDS + 1),)]
