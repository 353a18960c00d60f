"""Runs `kordless_doctor --contract` against a sandbox, as an operator does, and parses its report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from kordless_booking.sandbox import SANDBOX_KEY, Sandbox
from tests.support.deliveries import NEW, OLD, Delivery

PRIVATE = (
    *(SANDBOX_KEY, NEW, OLD, "acme-salon", "Acme", "haircut", "styling-class", "Sarah", "host_sarah", "Hair team"),
    *("BOOK_", "Contract check", "contract-check", "12125550143", "canary", "Canary", "Main Street", "127.0.0.1"),
)
"""Must not appear in a report."""


@dataclass
class Comparison:
    """Output of a run, with its exit code."""

    status: int
    report: str
    """The report, which can be passed on."""
    warnings: str
    """What the operator alone is told."""

    @property
    def document(self) -> dict[str, Any]:
        """The report of a run with --json."""
        found: dict[str, Any] = json.loads(self.report)
        return found

    def verdicts(self) -> dict[str, str]:
        """Return the verdict of each fact of a run with --json."""
        return {fact["code"]: fact["verdict"] for fact in self.document["facts"]}

    def of(self, verdict: str) -> set[str]:
        """Return the facts with a verdict."""
        return {code for code, found in self.verdicts().items() if found == verdict}

    def fact(self, code: str) -> dict[str, Any]:
        """Return all that the report says of a fact."""
        [found] = [fact for fact in self.document["facts"] if fact["code"] == code]
        return dict(found)


def run_comparison(*arguments: str) -> Comparison:
    """Run the command without pauses, and assert that its report has nothing private."""
    output, errors = StringIO(), StringIO()
    status = 0
    try:
        call_command(
            "kordless_doctor", "--contract", "--pace", "0", *arguments,
            stdout=output, stderr=errors, no_color=True,
        )  # fmt: skip
    except SystemExit as ended:
        status = int(str(ended.code or 0))
    found = Comparison(status, output.getvalue(), errors.getvalue())
    for text in PRIVATE:
        assert text not in found.report, text
    return found


def save_delivery(path: Path, saved: Delivery, line_end: str = "\r\n") -> str:
    """Save a delivery as a request, and return the file's name."""
    head = "".join(f"{name}: {value}{line_end}" for name, value in saved.headers.items())
    path.write_bytes(f"POST /book/webhook/ HTTP/1.1{line_end}{head}{line_end}".encode() + saved.body)
    return str(path)


def open_bookings(sandbox: Sandbox) -> list[str]:
    """Return the confirmation numbers of bookings that aren't canceled."""
    return [booking["number"] for booking in sandbox.bookings() if booking["status"] != "canceled"]
