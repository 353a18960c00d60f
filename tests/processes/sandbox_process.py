"""A sandbox in a process of its own, with its real limits, steered and read over HTTP."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import clock

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Steered:
    """`api` is what the site is told, `steer` where the sandbox is steered."""

    api: str
    steer: str

    def control(self, what: str, method: str = "GET", **fields: Any) -> dict[str, Any]:
        """One exchange with /_sandbox/."""
        body = json.dumps(fields).encode() if method == "POST" else None
        request = urllib.request.Request(f"{self.steer}/{what}", data=body, method=method)  # noqa: S310 (this machine)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 (this machine)
            return json.loads(answer.read())

    def requests(self, *operations: str) -> list[dict[str, Any]]:
        """Return the requests it has received, oldest first: those of these operations, or all."""
        everything = self.control("requests")["requests"]
        return [each for each in everything if not operations or each["operation"] in operations]

    def wait_for_answers(self) -> None:
        """Wait until every request so far is answered."""
        give_up = time.monotonic() + 20
        while None in {request["status"] for request in self.requests()}:
            assert time.monotonic() < give_up, "a request is still not answered"
            time.sleep(0.05)

    def bookings(self) -> list[dict[str, Any]]:
        """Everything booked."""
        return self.control("bookings")["bookings"]

    def faults(self, kind: str, operation: str = "*", **options: Any) -> None:
        """Let something go wrong."""
        self.control("faults", "POST", kind=kind, operation=operation, **options)

    def behave(self) -> None:
        """No more faults."""
        self.control("faults", "DELETE")

    def later(self, seconds: float) -> None:
        """Move its clock, which its limits run on."""
        self.control("clock", "POST", advance=seconds)


@contextmanager
def sandbox_process(folder: Path) -> Iterator[Steered]:
    """Run `python -m kordless_booking.sandbox` while the context lasts, by the tests' clock."""
    command = [sys.executable, "-m", "tests.support.clock", "kordless_booking.sandbox", "--port", "0", "--quiet"]
    command += ["--path", str(folder / "sandbox.sqlite3")]
    given = {**os.environ, **clock.environment(clock.AHEAD)}
    with subprocess.Popen(command, cwd=ROOT, env=given, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603 (ours)
        try:
            assert running.stdout is not None
            found = re.search(r"(http://\S+?:\d+)/\S+", running.stdout.readline())
            assert found, "the sandbox did not start"
            yield Steered(found[0], f"{found[1]}/_sandbox")
        finally:
            running.terminate()
