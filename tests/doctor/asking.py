"""Runs the doctor as an operator or a monitor does, and reads what it says."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.core.management import call_command

from kordless_booking.sandbox import NORTH_KEY, SANDBOX_KEY
from tests.webhooks.deliveries import NEW, OLD

__all__ = ["Told", "ask"]

SECRETS = (SANDBOX_KEY, NORTH_KEY, NEW, OLD, "canary")
"""Never said, whatever happens."""


@dataclass
class Told:
    """What was said, as text and as values, and the exit code."""

    status: int
    text: str
    document: dict[str, Any]

    def of(self, area: str, account: str | None = None) -> dict[str, str]:
        """Code to level of what was found in an area."""
        return {
            found["code"]: found["level"]
            for found in self.document["findings"]
            if found["area"] == area and account in {None, found["account"]}
        }

    def fixes(self) -> list[str]:
        """The codes of what is to be mended."""
        return [found["code"] for found in self.document["findings"] if found["level"] == "fix"]

    def line(self, code: str) -> str:
        """What was said of one thing, in one line."""
        [found] = [found for found in self.document["findings"] if found["code"] == code]
        return " ".join(filter(None, (found["text"], found["advice"])))


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and output of one run."""
    said, complained = StringIO(), StringIO()
    status = 0
    try:
        call_command("kordless_doctor", *arguments, stdout=said, stderr=complained, no_color=True)
    except SystemExit as ended:
        status = int(str(ended.code or 0))
    text = said.getvalue() + complained.getvalue()
    for secret in SECRETS:
        assert secret not in text, secret
    assert sys.exc_info() == (None, None, None)
    return status, text


def ask(*arguments: str) -> Told:
    """One run for a monitor."""
    status, text = run("--json", *arguments)
    return Told(status, text, json.loads(text))
