"""docs/contract.md has the report that the command prints, its options and its exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pytest_django import Settings
from time_machine import Traveller

from kordless_booking import __version__
from kordless_booking.doctor.contract.prober import PACE_SECONDS
from kordless_booking.doctor.contract.reading import RESERVED_EMAIL
from kordless_booking.management.commands.kordless_doctor import Command
from tests.support.contract import run_comparison, save_delivery
from tests.support.deliveries import delivery

pytestmark = pytest.mark.django_db

PAGE = Path(__file__).resolve().parents[3] / "docs" / "contract.md"


def test_the_report_on_the_page_is_what_the_command_prints(well: Settings, clock: Traveller, tmp_path: Path):
    """Against the embedded sandbox; date and version aside."""
    well.KORDLESS_BOOKING = {
        "SANDBOX": str(tmp_path / "sandbox.sqlite3"),
        "WEBHOOK_SECRETS": well.KORDLESS_BOOKING["WEBHOOK_SECRETS"],
    }
    saved = save_delivery(tmp_path / "delivery.txt", delivery())
    found = run_comparison("--book", "--yes", "--service", "haircut", "--delivery", saved)
    assert found.warnings == ""
    report = re.sub(r"(?<=, )\d{4}-\d\d-\d\d(?=, )", "DATE", found.report.replace(__version__, "VERSION", 1)).strip()
    section = PAGE.read_text().partition("## The report of the sandbox")[2]
    [printed] = re.findall(r"^```\n(.*?)\n```$", section, re.MULTILINE | re.DOTALL)
    assert printed.splitlines() == report.splitlines()


def test_options_and_numbers_on_the_page_are_real():
    """Those that can be copied from it."""
    text = PAGE.read_text()
    known = set(Command().create_parser("manage.py", "kordless_doctor")._option_string_actions)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) <= known
    assert f"{PACE_SECONDS} seconds apart" in text
    assert RESERVED_EMAIL in text
