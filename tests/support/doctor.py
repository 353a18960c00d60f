"""Runs the doctor as an operator or a monitor does, and parses its output."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.core.management import call_command

from kordless_booking.sandbox import NORTH_KEY, SANDBOX_KEY
from tests.support.deliveries import NEW, OLD

SECRETS = (SANDBOX_KEY, NORTH_KEY, NEW, OLD, "canary")
"""Must not appear in any output."""


@dataclass
class DoctorReport:
    """Output of a run, as text and as JSON, with its exit code."""

    status: int
    text: str
    document: dict[str, Any]

    def of(self, area: str, account: str | None = None) -> dict[str, str]:
        """Return the level of each finding in an area, by its code."""
        return {
            found["code"]: found["level"]
            for found in self.document["findings"]
            if found["area"] == area and account in {None, found["account"]}
        }

    def fixes(self) -> list[str]:
        """Return the codes of all findings at the level "fix"."""
        return [found["code"] for found in self.document["findings"] if found["level"] == "fix"]

    def line(self, code: str) -> str:
        """Return the text and the advice of one finding, in one line."""
        [found] = [found for found in self.document["findings"] if found["code"] == code]
        return " ".join(filter(None, (found["text"], found["advice"])))


def run(*arguments: str) -> tuple[int, str]:
    """Run the command, and return its exit code and output."""
    stdout, stderr = StringIO(), StringIO()
    status = 0
    try:
        call_command("kordless_doctor", *arguments, stdout=stdout, stderr=stderr, no_color=True)
    except SystemExit as ended:
        status = int(str(ended.code or 0))
    text = stdout.getvalue() + stderr.getvalue()
    for secret in SECRETS:
        assert secret not in text, secret
    assert sys.exc_info() == (None, None, None)
    return status, text


def run_as_json(*arguments: str) -> DoctorReport:
    """Run the command with --json."""
    status, text = run("--json", *arguments)
    return DoctorReport(status, text, json.loads(text))
