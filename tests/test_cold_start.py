"""What a process of a site imports before anybody needs it: every command and every worker pays for it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
IMPORTED = """
import json, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.projects.plain.settings"
import django
django.setup()
started = set(sys.modules)
from django.core.management import call_command
call_command("check")
checked = set(sys.modules)
from kordless_booking.lazy_imports import preload
preload()
print(json.dumps([sorted(started), sorted(checked), sorted(sys.modules)]))
"""
HEAVY = {"babel", "cryptography", "httpcore", "httpx", "icalendar", "phonenumbers", "stamina"}
"""Packages that take a tenth of a second or several megabytes each."""
UNUSED_AT_START = {
    "kordless_booking.mail.message",
    "kordless_booking.presentation.calendar_event",
    "kordless_booking.sandbox",
    "kordless_booking.urls",
    "kordless_booking.views",
}


@pytest.mark.long
def test_a_starting_process_imports_nothing_heavy():
    """Neither `django.setup()`, with the admin's pages registered, nor `manage.py check`, which reads the URLs.

    A server may ask for all of it at once.
    """
    command = [sys.executable, "-c", IMPORTED]
    ran = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
    started, checked, preloaded = map(set, json.loads(ran.stdout.splitlines()[-1]))
    assert "kordless_booking.staff.overview_page" in started
    assert started & (HEAVY | UNUSED_AT_START) == set()
    assert "kordless_booking.urls" in checked
    assert checked & HEAVY == set()
    assert preloaded >= HEAVY
