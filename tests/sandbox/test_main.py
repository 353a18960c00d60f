"""`python -m kordless_booking.sandbox` as a process of its own."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx
import pytest

from kordless_booking.sandbox import SANDBOX_KEY
from tests.support.sandbox_api import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = Path(__file__).parents[2]
KEY = {"x-kordless-key": SANDBOX_KEY}


class Running(NamedTuple):
    process: subprocess.Popen[str]
    banner: str
    base: str

    def stop(self, how: int) -> tuple[int, str, str]:
        """Exit code, all that was printed, all complaints."""
        self.process.send_signal(how)
        assert self.process.stdout
        assert self.process.stderr
        output, complaints = self.process.stdout.read(), self.process.stderr.read()
        return self.process.wait(10), self.banner + output, complaints


@contextmanager
def running(*arguments: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "kordless_booking.sandbox", "--port", "0", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": TOP}
    with subprocess.Popen(command, **pipes, text=True) as process:  # noqa: S603 - our own words
        assert process.stdout
        banner = [process.stdout.readline() for _ in range(6)]
        found = re.search(r"http://127\.0\.0\.1:\d+/\S+", banner[0])
        assert found
        try:
            yield Running(process, "".join(banner), found.group())
        finally:
            process.kill()


@pytest.mark.long
def test_it_tells_serves_and_stops_cleanly(tmp_path: Path) -> None:
    """It prints base URL, keys and a curl line; logs no personal data; ends quietly on Ctrl-C; keeps its file."""
    path = str(tmp_path / "kept.sqlite3")
    with running("--path", path, "--now", "2026-11-22T15:00:00Z") as server:
        base = server.base
        query = {"org_slug": "acme-salon", "service_slug": "haircut"}
        query |= {"from": "2026-11-22T00:00:00Z", "to": "2026-12-22T00:00:00Z"}
        slot = httpx.get(base + "/availability", params=query, headers=KEY, timeout=PATIENCE_SECONDS).json()["slots"][0]
        body = {
            "org_slug": "acme-salon",
            "service_slug": "haircut",
            "starts_at": slot["startsAt"],
            "ends_at": slot["endsAt"],
            "timezone": "Europe/Paris",
            "contact": {"name": "Jane Doe", "email": "jane@example.com"},
        }
        booking = httpx.post(base + "/bookings", json=body, headers=KEY, timeout=PATIENCE_SECONDS).json()["booking"]
        assert server.process.stdout
        log = server.process.stdout.readline() + server.process.stdout.readline()
        code, output, complaints = server.stop(signal.SIGINT)
    assert (code, complaints) == (0, "")
    for part in (SANDBOX_KEY, "acme-salon", "curl -H", "/_sandbox/"):
        assert part in output
    assert re.fullmatch(r"availability 200 \d+ ms\ncreate 201 \d+ ms\n", log)
    assert output.count("\n") == 6
    with running("--path", path, "--quiet") as server:
        at = f"{server.base}/bookings/confirmation/{booking['confirmation_number']}"
        assert httpx.get(at, params={"contact": "jane@example.com"}, timeout=PATIENCE_SECONDS).status_code == 200
        code, output, complaints = server.stop(signal.SIGTERM)
    assert (code, complaints) == (0, "")
    assert "lookup" not in output


def test_its_clock_and_limits() -> None:
    """--freeze stops the clock; --no-limits lifts the limits."""
    with running("--now", "2030-01-01T10:00:00", "--freeze", "--no-limits") as server:
        control = server.base.removesuffix("/api/calendar/v1/public") + "/_sandbox/"
        assert httpx.get(control + "clock", timeout=PATIENCE_SECONDS).json() == {"now": "2030-01-01T10:00:00+00:00"}
        assert httpx.get(control + "limits", timeout=PATIENCE_SECONDS).json()["general"] is None


def test_bad_arguments_are_explained() -> None:
    """As usual for a command."""
    command = [sys.executable, "-m", "kordless_booking.sandbox", "--now", "tomorrow"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20, cwd=TOP)  # noqa: S603 - our own words
    assert done.returncode == 2
    assert "--now" in done.stderr


def test_a_port_in_use_is_explained() -> None:
    """One line that names the port and the way out, as usual for a command."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        command = [sys.executable, "-m", "kordless_booking.sandbox", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20, cwd=TOP)  # noqa: S603 - our own words
    assert done.returncode == 2
    assert f"can't listen on 127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
