"""The doctor as a command: lines that can be read, values that can be watched, an end in any case."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from kordless_booking import __version__
from kordless_booking.sandbox import Sandbox
from tests.support.doctor import run, run_as_json

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
LINE = re.compile(r"  (ok  |note|fix ) [A-Z0-9\"'].*[^.]\.")


def test_every_line_is_ok_a_note_or_what_to_fix(well: Settings, sandbox: Sandbox):
    """Grouped, without colour, each a sentence; the last one counts them."""
    status, text = run()
    assert status == 0
    first, *groups = text.strip().split("\n\n")
    assert first.startswith(f"kordless_booking {__version__}, Django ")
    last = groups.pop()
    assert last == "Nothing to fix. 14 ok, 2 notes, 3 requests to Kordless."
    for group in groups:
        heading, *lines = group.split("\n")
        assert re.fullmatch(r"[a-z ]+( \(default\))?", heading)
        assert lines
        assert [line for line in lines if not LINE.fullmatch(line)] == []


def test_what_is_to_be_fixed_comes_with_advice(well: Settings, sandbox: Sandbox):
    """After a colon, and the exit code is 1."""
    sandbox.faults.add("key_revoked")
    status, text = run()
    assert status == 1
    line = "  fix  Kordless rejects the API key (401): create a key in Kordless and set API_KEY; no visitor can book"
    assert line in text
    assert "\n1 to fix. " in text


def test_the_shape_of_json_stays(well: Settings, sandbox: Sandbox):
    """As docs/operating.md has it."""
    document = run_as_json().document
    assert {key: type(value) for key, value in document.items()} == {
        "version": int,
        "status": str,
        "package": str,
        "seconds": float,
        "requests": int,
        "findings": list,
    }
    assert (document["version"], document["status"]) == (1, "ok")
    keys = {"area", "account", "level", "code", "text", "advice"}
    assert all(found.keys() == keys for found in document["findings"])
    assert {found["level"] for found in document["findings"]} <= {"ok", "note", "fix"}


def test_every_code_is_in_the_docs(well: Settings):
    """A monitor may rely on them, so none comes or goes unseen."""
    package = ROOT / "kordless_booking"
    files = [*package.glob("doctor/*.py"), *package.glob("contrib/*/doctor.py"), *package.glob("contrib/*/plugin.py")]
    source = "".join(path.read_text() for path in files)
    source += (ROOT / "kordless_booking" / "management" / "commands" / "kordless_doctor.py").read_text()
    written = set(re.findall(r'\b(?:ok|note|fix|else fix|_linked_page)\)?\(\s*"([a-z_]+)"', source))
    page = (ROOT / "docs" / "operating.md").read_text()
    section = page.partition("### What it can find")[2].partition("\n## ")[0]
    listed = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\|([^|]*)\|", section, re.MULTILINE))))
    assert written == listed


@pytest.mark.parametrize(
    ("raw", "codes"),
    [
        (None, ["E001"]),
        ({}, ["E002", "E003"]),
        ({"ORG_SLUG": "acme-salon"}, ["E002"]),
        ({"API_KEY": "canary", "PHONE_REGOIN": "US", "BROWSE_SECONDS": 99}, ["E005", "E003", "E004"]),
        ({"ACCOUNTS": {}}, ["E004"]),
        ({"ACCOUNTS": {"north": "canary", "south": {"API_KEY": "canary canary"}}}, ["E004", "E003", "E004"]),
        ("canary", ["E001"]),
    ],
)
def test_settings_that_can_not_be_used(well: Settings, sandbox: Sandbox, raw: Any, codes: list[str]):
    """Every mistake is named, what needs no account is looked at all the same, and Kordless is not asked."""
    well.KORDLESS_BOOKING = raw
    report = run_as_json()
    assert report.fixes() == codes
    assert report.of("database") == {"migrations": "ok", "database_writes": "ok"}
    assert report.of("accounts") == {"accounts_unknown": "note"}
    assert sandbox.requests == []


def test_everything_is_wrong_at_once(well: Settings):
    """No finding hides another."""
    well.INSTALLED_APPS = [name for name in well.INSTALLED_APPS if name != "django_htmx"]
    well.KORDLESS_BOOKING = {"API_KEY": "canary", "ORG_SLUG": "x", "BASE_URL": "http://127.0.0.1:1", "PHONE_REGOIN": 1}
    well.ROOT_URLCONF = "canary.urls"
    well.STATIC_ROOT = None
    well.CACHES = {"default": {"BACKEND": "canary.Cache"}}
    report = run_as_json()
    assert {"E005", "E006", "static_not_collected", "failed"} <= set(report.fixes())
    well.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


@pytest.mark.parametrize("arguments", [("--account", "west"), ("--site", "salon.example"), ("--site", "https://x/y")])
def test_what_can_not_be_meant(well: Settings, arguments: tuple[str, ...]):
    """Exit code 2: nothing was looked at."""
    with pytest.raises(CommandError) as caught:
        call_command("kordless_doctor", *arguments)
    assert caught.value.returncode == 2


@pytest.mark.long
@pytest.mark.parametrize("as_json", [True, False])
def test_it_ends_although_something_hangs(as_json: bool, tmp_path: Path):
    """A Redis that takes connections and never answers: said after the given time, with what was seen so far.

    A busy machine needs some seconds for the checks before it, the first one's imports above all.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.projects.hanging",
            "HANGING_REDIS": f"redis://127.0.0.1:{silent.getsockname()[1]}/0",
        }
        ended = subprocess.run(  # noqa: S603 (ours)
            [sys.executable, "-m", "django", "kordless_doctor", "--seconds", "15", *["--json"] * as_json],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert ended.returncode == 2, ended.stderr
    if as_json:
        last = json.loads(ended.stdout)["findings"][-1]
        assert (last["code"], last["level"]) == ("not_finished", "fix")
        text = last["text"]
    else:
        text = ended.stdout
    assert "Not finished within 15 s, while checking cache of default" in text
