"""A site with an extension in INSTALLED_APPS: the app registers itself, and everything of it is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SITE = """
import django
django.setup()
import io
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
call_command("check")
call_command("migrate", verbosity=0)
client = Client()
page = client.get("/book/haircut/").content.decode()
print(reverse("kordless_booking:callback-ask"), 'data-slot="times_after"' in page, "callback/callback.js" in page)
print(client.get("/book/callback/").status_code, client.get("/book/callback.txt").content.decode())
for command in (["kordless_doctor"], ["kordless_mail"], ["kordless_erase", "--contact", "jane@example.com"]):
    output = io.StringIO()
    try:
        call_command(*command, stdout=output)
    except SystemExit:
        pass
    print("callback" in output.getvalue())
from tests.projects.extended.callback.plugin import memory
print(len(memory.runs))
"""


def test_an_extension_in_installed_apps_plugs_itself_in() -> None:
    """By its AppConfig: pages, URLs, doctor, jobs and erasure, without a line in the site's URLconf."""
    done = subprocess.run(  # noqa: S603 (ours)
        [sys.executable, "-W", "error", "-c", SITE],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.projects.extended.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.startswith("System check")]
    assert lines == ["/book/callback/ True True", "200 about all", "True", "False", "True", "1"]
