"""`kordless-booking serve` in a process of its own: from an empty folder to a booking over HTTP."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kordless_booking.sandbox import SANDBOX_KEY, SANDBOX_ORG, Sandbox
from tests.support.serve import book_at, clean_environment, served
from tests.support.wait_until import wait_until

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "kordless_booking.serve.cli"]

pytestmark = pytest.mark.long


def run(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    """Return what a command prints; fail with it if the command fails."""
    done = subprocess.run(  # noqa: S603 (ours)
        [*COMMAND, *arguments], cwd=folder, env=environment, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_empty_folder_becomes_a_site_that_books(tmp_path: Path):
    """It makes its tables and files, books at the Kordless of KORDLESS_BASE_URL, and stops when it is told to."""
    kordless = Sandbox(":memory:")
    with kordless.serve() as base:
        environment = dict(
            clean_environment(
                PYTHONPATH=str(ROOT),
                KORDLESS_API_KEY=SANDBOX_KEY,
                KORDLESS_ORG_SLUG=SANDBOX_ORG,
                KORDLESS_BASE_URL=base,
                SITE_URL="http://127.0.0.1:8000",
                LOG_FORMAT="json",
                APPS="waitlist,customers,assistant,json_api",
            )
        )
        with served(COMMAND, tmp_path, environment) as site:
            number, visitor = book_at(site)
            assert [booking["number"] for booking in kordless.bookings()] == [number]
            visitor.follow("Change or cancel")
            assert number in visitor.page.text
            assert not [page.url for page in visitor.responses if page.response.cookies]
            login = visitor.open("/admin/")
            assert login.url.endswith("/admin/login/?next=/admin/")
            assert "Kordless booking" in login.text
        log = (tmp_path / "server.log").read_text()
        assert '"event": "kordless_call"' in log
        assert "jane@example.com" not in log
        password = run(tmp_path, environment, "admin", "anna", "--generate").rsplit(": ", 1)[1].strip()
        assert len(password) > 15
        assert run(tmp_path, environment, "mail") == ""
        assert "booking attempts: 0 deleted, 1 emptied" in run(
            tmp_path, environment, "manage", "kordless_erase", "--dry-run", "--contact", "jane@example.com"
        )
    kordless.close()


def test_the_timer_of_mail_runs_at_once_and_stops_when_it_is_told_to(tmp_path: Path):
    """Its first run is refused here for want of a configuration, and the timer waits for the next one all the same."""
    log_file = tmp_path / "timer.log"
    with (
        log_file.open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "kordless_booking.serve.mail_timer"],
            cwd=tmp_path,
            env=clean_environment(PYTHONPATH=str(ROOT)),
            stderr=log,
        ) as timer,
    ):
        wait_until(lambda: "KORDLESS_API_KEY is missing" in log_file.read_text())
        timer.terminate()
    assert timer.returncode == 0


def test_the_check_before_the_first_start_says_what_the_start_makes(tmp_path: Path):
    """Missing tables and files are no fault of whoever sets the site up; after an upgrade there is nothing to fix."""
    environment = dict(clean_environment(PYTHONPATH=str(ROOT)))
    command = [*COMMAND, "serve", "--sandbox", "--check"]
    first = subprocess.run(  # noqa: S603 (ours)
        command, cwd=tmp_path, env=environment, text=True, capture_output=True, check=False
    )
    assert first.returncode == 1
    assert "the start makes them new, or kordless-booking upgrade now" in first.stdout.splitlines()[-1]
    run(tmp_path, environment, "upgrade", "--sandbox")
    assert "upgrade now" not in run(tmp_path, environment, *command[len(COMMAND) :])
