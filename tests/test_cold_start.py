"""What a process of a site imports before anybody needs it: every command and every worker pays for it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

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
OPTIONAL = """
import json, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.projects.plain.settings"
from django.conf import settings
from tests.projects.optional_apps import with_optional_apps
settings.INSTALLED_APPS = with_optional_apps(settings.INSTALLED_APPS)
import django
django.setup()
started = set(sys.modules)
from django.core.management import call_command
call_command("check")
from kordless_booking.contrib.assistant import lexicon
print(json.dumps([sorted(started), sorted(sys.modules), lexicon._calendars.cache_info().currsize]))
"""
SDK_OF_AGENTS = {"anyio", "mcp", "pydantic", "starlette", "uvicorn"}
"""Packages of the extra [mcp], for `manage.py kordless_mcp` alone."""


def run(program: str) -> list[Any]:
    """Run a program in a process of its own; return what it prints as JSON."""
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
    found: list[Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.mark.long
def test_a_starting_process_with_all_optional_apps_imports_nothing_heavy():
    """Neither the packages, nor the agents' SDK, nor CLDR's words, which are read with the first words of a visitor."""
    started, checked, cldr_read = run(OPTIONAL)
    assert "kordless_booking.contrib.mcp.plugin" in started
    assert "kordless_booking.contrib.assistant.urls" in checked
    assert set(checked) & (HEAVY | SDK_OF_AGENTS | {"kordless_booking.sandbox"}) == set()
    assert cldr_read == 0


@pytest.mark.long
def test_a_starting_process_imports_nothing_heavy():
    """Neither `django.setup()`, with the admin's pages registered, nor `manage.py check`, which reads the URLs.

    A server may ask for all of it at once.
    """
    started, checked, preloaded = map(set, run(IMPORTED))
    assert "kordless_booking.staff.overview_page" in started
    assert started & (HEAVY | UNUSED_AT_START) == set()
    assert "kordless_booking.urls" in checked
    assert checked & HEAVY == set()
    assert preloaded >= HEAVY
